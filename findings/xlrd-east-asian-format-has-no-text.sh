#!/usr/bin/env bash
# The text of a cell's number format is None to xlrd for the built-in date formats of East Asian Excel.
#
# Versions:   xlrd 2.0.2, xlwt 1.3.0
# Behaviour:  Formats 27 to 36 and 50 to 58 are dates and times in the Chinese, Japanese and Korean Excel (ECMA-376
#             18.8.30), and no text of them stands in the file. xlrd knows by its own table that 31 is a date, so the
#             cell is one. But `format_map[31].format_str` is None, where 14, which has no text in the file either, is
#             'm/d/yy'. Whoever looks for a sign in every format's text, as for "%", gets a TypeError from a sound file.
# Output seen:
#             format 14: 3 'm/d/yy'
#             format 31: 3 None
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xlrd==2.0.2 xlwt==1.3.0
cat > "$folder/show.py" <<'PYTHON'
import io
import struct
import sys

import xlrd
import xlwt


def workbook(number: int) -> bytes:
    """A workbook with a day in this number format, which xlwt itself does not offer."""
    book = xlwt.Workbook()
    book.add_sheet("s").write(0, 0, 43619, xlwt.easyxf(num_format_str="M/D/YY"))
    content = io.BytesIO()
    book.save(content)
    records, at = bytearray(content.getvalue()), 0
    # Each style of cells is a record of kind 0xE0 with 20 bytes; its second word is the number format.
    while (at := records.find(struct.pack("<HH", 0x00E0, 20), at)) >= 0:
        if struct.unpack_from("<H", records, at + 6) == (14,):
            struct.pack_into("<H", records, at + 6, number)
        at += 4
    return bytes(records)


def read(number: int) -> tuple[int, object]:
    book = xlrd.open_workbook(file_contents=workbook(number), formatting_info=True)
    cell = book.sheet_by_index(0).cell(0, 0)
    return cell.ctype, book.format_map[book.xf_list[cell.xf_index].format_key].format_str


seen = {number: read(number) for number in (14, 31)}
for number, (kind, text) in seen.items():
    print(f"format {number}: {kind} {text!r}")
sys.exit(seen != {14: (xlrd.XL_CELL_DATE, "m/d/yy"), 31: (xlrd.XL_CELL_DATE, None)})
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
