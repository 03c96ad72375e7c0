#!/usr/bin/env bash
# A date that does not exist ends PyYAML with a bare ValueError, not with a YAMLError and its line.
#
# Versions:   PyYAML 6.0.3
# Behaviour:  safe_load takes `2016-02-30` for a date before anybody has asked for one, and hands it to datetime.date. The
#             ValueError that follows is no yaml.YAMLError and says neither file nor line, so a loader that catches
#             YAMLError (the documented base of all of its errors) lets it pass. Beside it, numbers are not what they
#             look like: `1e3` is text, `1.0e+3` a float, `010` is 8.
# Output seen:
#             valid_from: 2016-02-30 -> ValueError, a YAMLError: False
#             1e3 -> str, 1.0e+3 -> float, 010 -> 8
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyyaml==6.0.3
cat > "$folder/show.py" <<'PYTHON'
import sys

import yaml

text = "valid_from: 2016-02-30"
try:
    yaml.safe_load(text)
except Exception as error:
    is_yaml_error = isinstance(error, yaml.YAMLError)
    print(f"{text} -> {type(error).__name__}, a YAMLError: {is_yaml_error}")
else:
    sys.exit(1)
short, long, octal = yaml.safe_load("[1e3, 1.0e+3, 010]")
print(f"1e3 -> {type(short).__name__}, 1.0e+3 -> {type(long).__name__}, 010 -> {octal}")
sys.exit(is_yaml_error or not isinstance(short, str) or not isinstance(long, float) or octal != 8)
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
