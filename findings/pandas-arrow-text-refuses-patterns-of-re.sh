#!/usr/bin/env bash
# A regular expression that Python compiles fails on a text column of pandas 3, and only for some data.
#
# Versions:   pandas 3.1.1, pyarrow 26.0.1, Python 3.11 to 3.13
# Behaviour:  text columns are Arrow's by default, whose patterns are RE2's. pandas falls back to Python's `re` for what
#             it knows RE2 to lack (lookaround, backreferences), but not for possessive repeats, atomic groups and
#             conditionals, new in `re` since 3.11 or old in it: str.contains raises ArrowInvalid. With a line feed
#             anywhere in the column and `$` in the pattern it falls back after all, and the same pattern works. So
#             `re.compile` is no proof that a rule (such as a regex expectation of Great Expectations, which asks
#             str.contains) can be run.
# Output seen:
#             re:                      True
#             str.contains, one line:  ArrowInvalid
#             str.contains, two lines: [True, False]
#             str.contains, object:    [True]
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1
cat > "$folder/show.py" <<'PYTHON'
import re
import sys

import pandas as pd

PATTERN = r"^[0-9]++$"


def contains(*texts: str, dtype: object = None) -> object:
    try:
        return pd.Series(list(texts), dtype=dtype).str.contains(PATTERN).tolist()
    except Exception as error:
        return type(error).__name__


seen = (
    re.search(PATTERN, "12363") is not None,
    contains("12363"),
    contains("12363", "two\nlines"),
    contains("12363", dtype=object),
)
for name, value in zip(("re", "str.contains, one line", "str.contains, two lines", "str.contains, object"), seen):
    print(f"{name + ':':25}{value}")
sys.exit(seen != (True, "ArrowInvalid", [True, False], [True]))
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
