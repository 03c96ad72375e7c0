#!/usr/bin/env bash
# Comparing two columns of nullable integers raises inside Great Expectations where a value is missing.
#
# Versions:   great-expectations 1.24.1, pandas 3.1.1, Python 3.11 to 3.13
# Behaviour:  expect_column_pair_values_a_to_be_greater_than_b takes rows with one missing value along by default
#             (ignore_row_if is both_values_are_missing). In columns of float64 or of objects such a row is found to
#             break the rule. In columns of Int64 the comparison gives NA, and the whole expectation ends with an
#             exception: it names no row, those that really break the rule included. With either_value_is_missing it
#             works in all of them. Whoever reads only `success` takes the exception for a finding.
# Output seen:
#             float64:                  [0, 1, 2]
#             object:                   [0, 1, 2]
#             Int64:                    boolean value of NA is ambiguous
#             Int64, either is missing: [0]
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check great-expectations==1.24.1 pandas==3.1.1
cat > "$folder/show.py" <<'PYTHON'
import re
import sys
import warnings

warnings.simplefilter("ignore")
import great_expectations as gx
import pandas as pd

context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("loans").add_dataframe_asset("loans")
whole = asset.add_batch_definition_whole_dataframe("whole")


def rows_or_reason(dtype: str, **ignored: str) -> object:
    frame = pd.DataFrame(
        {
            "row": range(3),
            "limit": pd.Series([1, None, 3], dtype=dtype),
            "used": pd.Series([2, 2, None], dtype=dtype),
        }
    )
    expectation = gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="limit", column_B="used", **ignored
    )
    batch = whole.get_batch(batch_parameters={"dataframe": frame})
    asked = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]}
    result = batch.validate(expectation, result_format=asked)
    found = result.result.get("unexpected_index_list")
    if found is not None:
        return [int(each["row"]) for each in found]
    return re.search(r"exception_message': ['\"]([^'\"]*)", str(result.exception_info))[1]


seen = {
    "float64": rows_or_reason("float64"),
    "object": rows_or_reason("object"),
    "Int64": rows_or_reason("Int64"),
    "Int64, either is missing": rows_or_reason("Int64", ignore_row_if="either_value_is_missing"),
}
for name, value in seen.items():
    print(f"{name + ':':25} {value}")
sys.exit(list(seen.values()) != [[0, 1, 2], [0, 1, 2], "boolean value of NA is ambiguous", [0]])
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> /dev/null
