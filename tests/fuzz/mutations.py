"""Sound packages and what may happen to them on their way: bytes flipped and lost, parts swapped, cells changed.

The same number makes the same package, on every machine.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from xml.sax.saxutils import escape

import pyarrow as pa
from pyarrow import parquet
from tests.fixtures.workbooks import ErrorCell, Percent, Rows, WritableCell, ods, spreadsheetml, xls, xlsb, xlsx, zipped
from tests.packages import cover_line, declared, sound, table

from five_precisions.intake.reading.cover import COVER_HEADERS

Grid = list[list[WritableCell]]

NUMBERS_WORTH_TRYING = (
    b"0",
    b"1",
    b"-1",
    b"255",
    b"65535",
    b"65536",
    b"1048576",
    b"1048577",
    b"2147483648",
    b"9" * 20,
    b"1e308",
)
CELLS_WORTH_TRYING: tuple[WritableCell, ...] = (
    None,
    "",
    " ",
    "合计",
    "总计",
    "0",
    "-1",
    "1,000.00",
    "１２３",
    "1e5",
    "#REF!",
    "'12",
    "2019-02-30",
    "2019年6月30日",
    "=1+1",
    "\u3000",
    "€",
    "x" * 300,
    "县区代码",
    0.0,
    -0.0,
    0.1,
    1e15,
    4.41702198001010017e17,
    43646,
    True,
    False,
    date(2019, 6, 30),
    ErrorCell("#N/A"),
    Percent(0.5),
)


@dataclass(frozen=True)
class Sample:
    """A sound package as grids: report → its table, and how its file is written."""

    name: str
    reports: dict[str, Grid]
    kind: str
    """How its files are written."""
    is_one_workbook: bool = False


SUFFIXES = {"html": "xls", "spreadsheetml": "xls", "text": "xls"}
"""Of kinds of files that bear the name of a workbook; the others bear their own."""


ZIPPED = 0.1
"""Share of packages that come as one zip."""


@dataclass
class Mutated:
    """What is handed to the judges, and what is known of it."""

    sample: Sample
    files: dict[str, bytes]
    steps: list[str] = field(default_factory=list)
    grids: dict[str, Grid] | None = None
    """The tables as they were written, where nothing has happened to the bytes afterwards."""

    def content_of(self, name: str) -> bytes:
        """The bytes of a file, also of one in a zip: `包.zip/loans.csv`."""
        outer, _, inner = name.partition("/")
        if not inner:
            return self.files[outer]
        with zipfile.ZipFile(io.BytesIO(self.files[outer])) as archive:
            return archive.read(inner)


def typed_table(report: str, rows: Sequence[dict[str, str]]) -> Grid:
    """The table with its numbers as numbers, as a spreadsheet would hold them."""
    columns = declared(report).columns
    header, *data = table(report, rows)
    return [
        list(header),
        *(
            [
                float(cell) if cell and (column.type.is_amount or column.type.value == "int") else cell or None
                for cell, column in zip(row, columns, strict=True)
            ]
            for row in data
        ),
    ]


@cache
def samples() -> tuple[Sample, ...]:
    """Sound packages of every format: one file per report, and whole workbooks."""
    position = typed_table(
        "position",
        [
            sound("position", county_code=code, all_loans=str(loans))
            for code, loans in (("441702", 1000), ("441704", 2000.5))
        ],
    )
    total: list[WritableCell] = ["合计", 3000.5]
    matches = typed_table("matches", [sound("matches"), sound("matches", project_no="XM-2", credit_line="7.25")])
    visits = typed_table(
        "visits", [sound("visits", visited_on=f"2019-06-{day:02}", wanted_amount=f"{day}000.5") for day in range(1, 8)]
    )
    titles: Grid = [["贷款与再贷款月报"], ["单位：万元"], []]
    made = []
    for kind in ("xlsx", "xls", "xlsb", "ods", "spreadsheetml", "html", "text", "csv", "parquet"):
        made += [
            Sample(f"position.{kind}", {"position": position}, kind),
            Sample(f"three.{kind}", {"position": position, "matches": matches, "visits": visits}, kind),
        ]
        if kind != "parquet":
            bent = {"position": [*titles, *position, total], "visits": visits}
            made.append(Sample(f"titles.{kind}", bent, kind, is_one_workbook=kind in WRITERS))
    return tuple(made)


WRITERS: dict[str, Callable[[dict[str, Rows]], bytes]] = {
    "xlsx": xlsx,
    "xls": xls,
    "xlsb": xlsb,
    "ods": ods,
    "spreadsheetml": spreadsheetml,
}
"""Of files with several sheets."""


def plain(cell: WritableCell) -> str:
    """A cell as a CSV file holds it."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case ErrorCell():
            return cell.text
        case Percent():
            return f"{cell.value:.2%}"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
    return str(cell)


def write_grid(grid: Grid, kind: str, rng: random.Random) -> bytes:
    """One table as a file."""
    if kind in ("csv", "text"):
        text = io.StringIO()
        csv.writer(text, delimiter=rng.choice(",;\t|，")).writerows([plain(cell) for cell in row] for row in grid)
        return encoded(text.getvalue(), rng)
    if kind == "html":
        rows = ("".join(f"<td>{escape(plain(cell))}</td>" for cell in row) for row in grid)
        return encoded("<html><table>" + "".join(f"<tr>{row}</tr>\n" for row in rows) + "</table></html>", rng)
    if kind == "parquet":
        header, *rows = grid
        width = len(header)
        texts = [[plain(cell) or None for cell in (*row, *[None] * width)][:width] for row in rows]
        content = io.BytesIO()
        names = [plain(cell) or f"c{at}" for at, cell in enumerate(header)]
        arrays = [pa.array([row[at] for row in texts], pa.string()) for at in range(width)]
        parquet.write_table(pa.Table.from_arrays(arrays, names=names), content)
        return content.getvalue()
    return WRITERS[kind]({"Sheet1": grid})


def encoded(text: str, rng: random.Random) -> bytes:
    """As systems here encode it; the euro sign of Windows' GBK is a byte of its own."""
    encoding = rng.choice(("utf-8", "utf-8-sig", "gb18030"))
    if encoding != "gb18030":
        return text.encode(encoding, "replace")
    return b"\x80".join(part.encode(encoding, "replace") for part in text.split("€"))


def cover_grid(reports: Sequence[str], sample: Sample) -> Grid:
    """What the cover rightly says of the sound tables."""
    rows: Grid = [list(COVER_HEADERS)]
    for report in reports:
        count, total = count_and_total(report, sample.reports[report])
        line = cover_line(report, [])
        rows.append([line[0], str(count), "" if total is None else str(total), "否", *line[4:]])
    return rows


def count_and_total(report: str, grid: Grid) -> tuple[int, Decimal | None]:
    """Rows and control total of a sound table, by a way of their own: no code of the package is asked."""
    control = declared(report).control_column
    at = next(number for number, row in enumerate(grid) if len(row) > 2)
    data = [row for row in grid[at + 1 :] if any(cell not in (None, "") for cell in row) and row[0] != "合计"]
    if control is None:
        return len(data), None
    column = grid[at].index(control.header)
    return len(data), sum((Decimal(plain(row[column]) or "0") for row in data if len(row) > column), Decimal(0))


def write_package(sample: Sample, grids: dict[str, Grid], cover: Grid, rng: random.Random) -> dict[str, bytes]:
    """The package's files."""
    suffix = SUFFIXES.get(sample.kind, sample.kind)
    if sample.is_one_workbook:
        return {f"本月.{suffix}": WRITERS[sample.kind]({**grids, "报送说明": cover})}
    files = {f"{report}.{suffix}": write_grid(grid, sample.kind, rng) for report, grid in grids.items()}
    return {"cover.csv": write_grid(cover, "csv", rng), **files}


def mutate(number: int) -> Mutated:
    """The package of that number."""
    rng = random.Random(number)
    sample = rng.choice(samples())
    grids = {report: [list(row) for row in grid] for report, grid in sample.reports.items()}
    cover = cover_grid(list(sample.reports), sample)
    mutated = Mutated(sample, {})
    kind = rng.choice(("cells", "cells", "bytes", "members", "members"))
    if kind == "cells":
        for _ in range(rng.randint(1, 3)):
            target = rng.choice([*grids, "cover"])
            mutated.steps.append(mutate_grid(cover if target == "cover" else grids[target], rng) + f" of {target}")
        mutated.grids = grids
    mutated.files = write_package(sample, grids, cover, rng)
    if kind != "cells":
        for _ in range(rng.randint(1, 2)):
            name = rng.choice(list(mutated.files))
            content = mutated.files[name]
            is_zip = content.startswith(b"PK\x03\x04")
            change = mutate_member if kind == "members" and is_zip else mutate_bytes
            mutated.files[name], step = change(content, rng)
            mutated.steps.append(f"{step} in {name}")
    if rng.random() < ZIPPED:
        mutated.files = {"报送包.zip": zipped(mutated.files)}
        mutated.steps.append("all in one zip")
    return mutated


def mutate_grid(grid: Grid, rng: random.Random) -> str:
    """Change a table as a hurried person would; says how."""
    row = rng.randrange(len(grid))
    step = rng.choice(
        ("set", "set", "swap", "delete row", "repeat row", "add", "blank row", "drop cell", "nudge", "column")
    )
    cells = grid[row]
    if step in ("set", "swap", "drop cell", "nudge") and not cells:
        step = "blank row"
    match step:
        case "set":
            cells[rng.randrange(len(cells))] = rng.choice(CELLS_WORTH_TRYING)
        case "swap":
            one, other = rng.randrange(len(cells)), rng.randrange(len(cells))
            cells[one], cells[other] = cells[other], cells[one]
        case "delete row" if len(grid) > 1:
            del grid[row]
        case "repeat row":
            grid.insert(rng.randrange(len(grid) + 1), list(cells))
        case "add":
            cells.append(rng.choice(CELLS_WORTH_TRYING))
        case "drop cell":
            del cells[rng.randrange(len(cells))]
        case "nudge":
            numbers = [at for at, cell in enumerate(cells) if isinstance(cell, float)]
            if numbers:
                at = rng.choice(numbers)
                cells[at] = float(str(cells[at])) + rng.choice((0.01, -0.01, 1, 1000))
        case "column":
            at = rng.randrange(max(map(len, grid)))
            for each in grid:
                del each[at : at + 1]
        case _:
            grid.insert(row, [])
    return step


def mutate_bytes(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Change bytes as a bad line or a bad disk would, and as somebody who means harm."""
    data = bytearray(content)
    if not data:
        return bytes(data), "nothing"
    step = rng.choice(("flip", "flip", "flip", "truncate", "splice", "insert", "delete", "repeat", "number"))
    at = rng.randrange(len(data))
    length = min(rng.choice((1, 2, 4, 16, 64, 512)), len(data) - at)
    match step:
        case "flip":
            for _ in range(rng.choice((1, 1, 2, 8))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case "truncate":
            del data[at:]
        case "splice":
            to = rng.randrange(len(data))
            data[to : to + length] = data[at : at + length]
        case "insert":
            data[at:at] = rng.randbytes(length)
        case "delete":
            del data[at : at + length]
        case "repeat":
            data[at:at] = bytes(data[at : at + length]) * rng.choice((1, 1, 100))
        case "number":
            numbers = list(re.finditer(rb"[0-9]+", data))
            if numbers:
                match = rng.choice(numbers)
                data[match.start() : match.end()] = rng.choice(NUMBERS_WORTH_TRYING)
            else:
                data[at : at + 4] = rng.choice((b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f"))
    return bytes(data), step


def mutate_member(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Change a part of a zip and pack it again with right checksums."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = [name for name in members if "sheet" in name.casefold() or "workbook" in name or "content" in name]
    name = rng.choice(names if names and rng.random() < 0.8 else list(members))
    step = rng.choice(("bytes", "bytes", "number", "number", "tag", "drop", "exchange"))
    match step:
        case "bytes":
            members[name], how = mutate_bytes(members[name], rng)
            step = f"{how} in {name}"
        case "number":
            numbers = list(re.finditer(rb"(?<=[\">])[A-Z]{0,3}[0-9.]+(?=[\"<])", members[name]))
            if numbers:
                match, other = rng.choice(numbers), rng.choice(numbers)
                new = rng.choice((other[0], rng.choice(NUMBERS_WORTH_TRYING)))
                members[name] = members[name][: match.start()] + new + members[name][match.end() :]
        case "tag":
            tags = list(re.finditer(rb"<[^<>]+>", members[name]))
            if tags:
                match = rng.choice(tags)
                members[name] = (
                    members[name][: match.start()] + match[0] * rng.choice((0, 2)) + members[name][match.end() :]
                )
        case "drop":
            del members[name]
        case _:
            other_name = rng.choice(list(members))
            members[name], members[other_name] = members[other_name], members[name]
    return zipped(members), f"{step} of {name}"
