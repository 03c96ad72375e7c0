#!/usr/bin/env bash
# A valid Parquet text column that pyarrow reads is refused as soon as it is asked for by dictionary.
#
# Versions:   pyarrow 26.0.1
# Behaviour:  `read_dictionary` asks for columns as dictionaries, which keeps a text that stands in a million rows in
#             memory once. A column written plain or with a dictionary is given so. One in DELTA_BYTE_ARRAY, an encoding
#             that Parquet's version 2 recommends for texts, is not decoded plainly instead: OSError "Not yet
#             implemented". The same file without the option is read. As OSError is what a damaged file raises too, a
#             sound file is easily taken for a broken one.
# Output seen:
#             plain, by dictionary: ['a', 'ab']
#             DELTA_BYTE_ARRAY: ['a', 'ab']
#             DELTA_BYTE_ARRAY, by dictionary: OSError
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
cat > "$folder/show.py" <<'PYTHON'
import sys

import pyarrow as pa
from pyarrow import parquet

table = pa.table({"name": ["a", "ab"]})


def read(encoding: str, **options: object) -> object:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, use_dictionary=False, column_encoding={"name": encoding})
    try:
        file = parquet.ParquetFile(pa.BufferReader(sink.getvalue()), **options)
        return [text for batch in file.iter_batches() for text in batch.column(0).to_pylist()]
    except Exception as error:
        return type(error).__name__


seen = (
    read("PLAIN", read_dictionary=["name"]),
    read("DELTA_BYTE_ARRAY"),
    read("DELTA_BYTE_ARRAY", read_dictionary=["name"]),
)
for what, value in zip(("plain, by dictionary", "DELTA_BYTE_ARRAY", "DELTA_BYTE_ARRAY, by dictionary"), seen):
    print(f"{what}: {value}")
sys.exit(seen != (["a", "ab"], ["a", "ab"], "OSError"))
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
