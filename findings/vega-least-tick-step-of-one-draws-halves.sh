#!/usr/bin/env bash
# An axis whose ticks are to be at least 1 apart has ticks at 1.5 all the same, where its values span 1 or 2.
#
# Versions:   altair 6.3.0, vl-convert-python 1.9.0.post1 (Vega 6.2.0, Vega-Lite 6.4)
# Behaviour:  tickMinStep lowers only how many ticks are asked for, to the span plus one. That number is a wish, which the
#             next round step may exceed: places 1 to 3 are written 1.0, 1.5, 2.0, 2.5, 3.0. From a span of 3 on it
#             holds. A format of whole numbers would write 1, 2, 2, 3, 3. Naming the values one by one gives whole places.
# Output seen:
#             span 1, tickMinStep=1: 1.0 1.5 2.0
#             span 2, tickMinStep=1: 1.0 1.5 2.0 2.5 3.0
#             span 3, tickMinStep=1: 1 2 3 4
#             span 2, values named: 1 2 3
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check altair==6.3.0 vl-convert-python==1.9.0.post1
cat > "$folder/show.py" <<'PYTHON'
import re
import sys

import altair
import vl_convert


def labels(highest, axis):
    data = altair.Data(values=[{"month": "May", "place": 1}, {"month": "June", "place": highest}])
    y = altair.Y("place:Q", scale=altair.Scale(zero=False), axis=axis)
    chart = altair.Chart(data, height=220).mark_line().encode(x="month:N", y=y)
    return re.findall(r">([0-9.]+)</text>", vl_convert.vegalite_to_svg(chart.to_dict()))


seen = {span: labels(1 + span, altair.Axis(tickMinStep=1)) for span in (1, 2, 3)}
for span, found in seen.items():
    print(f"span {span}, tickMinStep=1:", *found)
named = labels(3, altair.Axis(values=[1, 2, 3], format="d"))
print("span 2, values named:", *named)
halves = [span for span, found in seen.items() if any(float(each) % 1 for each in found)]
sys.exit(halves != [1, 2] or len(named) != 3)
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
