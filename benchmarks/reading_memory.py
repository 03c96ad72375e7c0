"""How much memory a worker takes for the worst file of each reader that the limits allow (`make bench`).

Each file keeps just within the limits and takes as much memory as its format can. It has cells by the million, or texts
that take four bytes a letter because of a single rare one. It is judged in a process of its own,
as a worker does it. As a peer, the library alone reads the same file. The bound is what a worker is given
(docs/operations.md#limits-and-memory).
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

BOUND_MB: Final = 4096
"""docs/operations.md#limits-and-memory."""
COLUMNS: Final = 10
ROWS: Final = 1_000_000
LETTERS: Final = "ABCDEFGHIJ"
RARE: Final = "𠮷"
"""Where it stands, each letter of a text takes four bytes."""
LONG_TEXT: Final = "x" * 30_000 + RARE
TEXTS: Final = 8_800
"""So many of them take just less than the 256 MB that texts may have."""
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"


def main() -> None:
    """Print the table; ends with 1 where a reader takes more than the bound."""
    from rich.console import Console
    from rich.table import Table

    table = Table("reader", "worst file", box=None)
    for header in ("file MB", "seconds", "library alone MB", "peak MB", "bound MB"):
        table.add_column(header, justify="right")
    peaks: list[float] = []
    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
        for (suffix, title), write in _WORST.items():
            path = Path(folder) / f"position{suffix}"
            write(path)
            ours, bare = _run("judge", str(path)), _run("read", str(path))
            size = path.stat().st_size / 1e6
            path.unlink()
            peaks.append(ours["peak_mb"])
            figures = (size, ours["seconds"], bare["peak_mb"], ours["peak_mb"], BOUND_MB)
            table.add_row(suffix, f"{title}: {ours['found']}", *(f"{figure:,.0f}" for figure in figures))
    Console(width=150).print(table)
    if max(peaks) > BOUND_MB:
        sys.exit(1)


def _run(work: str, path: str) -> dict[str, Any]:
    """Do one of this file's works in a fresh process; what it found out."""
    done = subprocess.run([sys.executable, __file__, work, path], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(work: Callable[[], str]) -> dict[str, Any]:
    import time

    begin = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - begin
    # The high-water mark of this program alone; that of getrusage begins with the parent's.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {"seconds": seconds, "peak_mb": int(peak.split()[1]) / 1024, "found": found}


def _judge(path: str) -> dict[str, Any]:
    """As a worker judges a package of this one file."""
    from five_precisions.intake.judging import judge_package
    from five_precisions.intake.package import DeliveredFile
    from five_precisions.intake.rules.library import great_expectations_library
    from five_precisions.intake.ruleset import ruleset_of
    from five_precisions.period import Period
    from five_precisions.register import load_register
    from five_precisions.settings import Settings

    great_expectations_library()
    settings = Settings()
    register = load_register(settings.register_folder)
    ruleset = ruleset_of(settings, register, Period(2019, 6))
    bank = next(each for each in register.open_in(Period(2019, 6)) if each.code == "B01")

    def judge() -> str:
        files = [DeliveredFile(Path(path).name, Path(path).read_bytes())]
        judged = judge_package(files, bank, ruleset, cover_wanted=False)
        return ", ".join(sorted({finding.rule for finding in judged.findings}))

    return _measured(judge)


def _read(path: str) -> dict[str, Any]:
    """The library alone: all cells as Python values, and nothing looked at."""

    def read() -> str:
        match Path(path).suffix:
            case ".parquet":
                from pyarrow import parquet

                return str(len(parquet.read_table(path).to_pylist()))
            case ".csv":
                import csv

                with Path(path).open(encoding="utf-8", newline="") as file:
                    return str(len(list(csv.reader(file))))
            case ".xls":
                import xlrd

                sheet = xlrd.open_workbook(path, formatting_info=True).sheet_by_index(0)
                return str(len([sheet.row_values(row) for row in range(sheet.nrows)]))
            case _:
                import python_calamine

                book = python_calamine.CalamineWorkbook.from_path(path)
                return str(len(book.get_sheet_by_index(0).to_python(skip_empty_area=False)))

    return _measured(read)


# The files


def _rows_of_numbers(cell: str) -> Iterator[bytes]:
    """All rows of a sheet, each cell by this form of column letter, row and value."""
    for number in range(1, ROWS + 1):
        cells = "".join(cell.format(letter=letter, row=number, value=number % 997 + 0.5) for letter in LETTERS)
        yield f'<row r="{number}">{cells}</row>'.encode()


def _xlsx(path: Path, rows: Iterator[bytes], *, formats: str = '<xf numFmtId="0"/><xf numFmtId="10"/>') -> None:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'{head}<Types xmlns="{PACKAGE}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'{head}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'{head}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="position" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{head}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
            f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{RELATIONS}/styles" Target="styles.xml"/>'
            "</Relationships>",
        )
        archive.writestr("xl/styles.xml", f'{head}<styleSheet xmlns="{MAIN}"><cellXfs>{formats}</cellXfs></styleSheet>')
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{head}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for row in rows:
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")


def _xlsx_numbers(path: Path) -> None:
    _xlsx(path, _rows_of_numbers('<c r="{letter}{row}"><v>{value}</v></c>'))


def _xlsx_percents(path: Path) -> None:
    _xlsx(path, _rows_of_numbers('<c r="{letter}{row}" s="1"><v>{value}</v></c>'))


def _xlsx_errors(path: Path) -> None:
    _xlsx(path, _rows_of_numbers('<c r="{letter}{row}" t="e"><v>#REF!</v></c>'))


def _xlsx_texts(path: Path) -> None:
    text = f't="inlineStr"><is><t>{LONG_TEXT}</t></is></c>'
    _xlsx(path, (f'<row r="{row}"><c r="A{row}" {text}</row>'.encode() for row in range(1, TEXTS)))


def _ods(path: Path, rows: Iterator[bytes]) -> None:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    names = "".join(f' xmlns:{name}="{OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
        with archive.open("content.xml", "w", force_zip64=True) as content:
            content.write(f"<office:document-content{names}><office:body><office:spreadsheet>".encode())
            content.write(b'<table:table table:name="position">')
            for row in rows:
                content.write(row)
            content.write(b"</table:table></office:spreadsheet></office:body></office:document-content>")


def _ods_numbers(path: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="{}"/>'
    _ods(
        path,
        (
            f"<table:table-row>{cell.format(number % 997 + 0.5) * COLUMNS}</table:table-row>".encode()
            for number in range(ROWS)
        ),
    )


def _ods_texts(path: Path) -> None:
    cell = f'<table:table-cell office:value-type="string"><text:p>{LONG_TEXT}</text:p></table:table-cell>'
    _ods(path, (f"<table:table-row>{cell}</table:table-row>".encode() for _ in range(TEXTS)))


def _csv_cells(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{RARE}\n")
        for number in range(ROWS - 1):
            file.write(",".join([f"{number % 900 + 100}"] * COLUMNS) + "\n")


def _parquet_decimals(path: Path) -> None:
    from decimal import Decimal

    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    values = pa.array([Decimal(10**37 + number) for number in range(997)] * (ROWS // 997), pa.decimal128(38, 0))
    parquet.write_table(pa.table({f"c{column}": values for column in range(COLUMNS)}), path, compression="zstd")


def _parquet_texts(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    # Three bytes a letter; a dictionary too small for them, so that the library looks for each text in it; pages
    # nearly as large as they may be.
    text = "甲" * 30_000 + RARE
    table = pa.table({"c": pa.chunked_array([[f"{number}{text}"] for number in range(TEXTS)])})
    parquet.write_table(table, path, compression="zstd", dictionary_pagesize_limit=1, data_page_size=2**26)


def _xls_numbers(path: Path) -> None:
    # The writer makes files of up to 7 MB.
    from tests.fixtures.workbooks import compound_file

    bound = struct.pack("<HHHII", 0x0DBB, 0x07CC, 0, 0xC1, 0x0306)[:12]
    sheets, columns = 1, 16
    rows = b"".join(
        # RK numbers of a hundredth; each sheet has 65,536 rows.
        struct.pack("<HHHH", 0x00BD, 6 + 6 * columns, row, 0)
        + b"".join(struct.pack("<HI", 0, (row * columns + column) << 2 | 3) for column in range(columns))
        + struct.pack("<H", columns - 1)
        for row in range(65_536)
    )
    stream = struct.pack("<HHHH", 0x0809, 16, 0x0600, 0x0010) + bound + rows + struct.pack("<HH", 0x000A, 0)
    font = struct.pack("<HHHHHHHBBBBBB", 0x0031, 21, 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0, 5, 0) + b"Arial"
    style = struct.pack("<HH", 0x00E0, 20) + struct.pack("<HHHBBBBIIH", 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0x20C0)
    head = struct.pack("<HHHH", 0x0809, 16, 0x0600, 0x0005) + bound + font * 4 + style
    names = [f"sheet{number}".encode("utf-16-le") for number in range(sheets)]
    at = len(head) + sum(12 + len(name) for name in names) + 4
    for number, name in enumerate(names):
        head += struct.pack("<HHIHBB", 0x0085, 8 + len(name), at + number * len(stream), 0, len(name) // 2, 1) + name
    path.write_bytes(compound_file("Workbook", head + struct.pack("<HH", 0x000A, 0) + stream * sheets))


def _xlsb_numbers(path: Path) -> None:
    from tests.fixtures.workbooks import record_12, unzipped, xlsb, zipped

    rows = bytearray()
    for row in range(ROWS):
        rows += record_12(0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0))
        for column in range(COLUMNS):
            rows += record_12(5, struct.pack("<IId", column, 2, row % 997 + 0.5))
    size = record_12(148, struct.pack("<IIII", 0, ROWS - 1, 0, COLUMNS - 1))
    sheet = record_12(129) + size + record_12(145) + bytes(rows) + record_12(146) + record_12(130)
    path.write_bytes(zipped({**unzipped(xlsb({"position": [["x"]]})), "xl/worksheets/sheet1.bin": sheet}))


_WORST: Final[dict[tuple[str, str], Callable[[Path], None]]] = {
    (".xlsx", "10 million numbers"): _xlsx_numbers,
    (".xlsx", "10 million percents"): _xlsx_percents,
    (".xlsx", "10 million errors"): _xlsx_errors,
    (".xlsx", "256 MB of texts"): _xlsx_texts,
    (".xlsb", "10 million percents"): _xlsb_numbers,
    (".xls", "1 million numbers"): _xls_numbers,
    (".ods", "10 million numbers"): _ods_numbers,
    (".ods", "256 million letters"): _ods_texts,
    (".csv", "10 million cells"): _csv_cells,
    (".parquet", "10 million decimals"): _parquet_decimals,
    (".parquet", "256 million letters"): _parquet_texts,
}
_WORKS: Final = {"judge": _judge, "read": _read}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    if len(sys.argv) > 1:
        print(json.dumps(_WORKS[sys.argv[1]](sys.argv[2])))
    else:
        main()
