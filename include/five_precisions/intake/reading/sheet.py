"""What every reader of delivered files makes, a sheet of cells, and what a file may measure.

See docs/intake.md#bad-input.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from five_precisions.reports.cells import DIGITS_OF_A_NUMBER_CELL, Cell
from five_precisions.settings import Settings

_TEXT_SHARE: Final = 4
"""Of what a file may unpack to, the share that its texts, or a part without cells, may take.

All of it is held in memory several times over, while an honest sheet is mostly tags.
"""
_MEGABYTE: Final = 1024**2
MOST_SHEETS: Final = 500
"""Of one file."""
MOST_AREAS: Final = 100_000
"""Merged ones of one file; each is held in memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may measure (docs/intake.md#bad-input)."""

    packed_bytes: int = 50 * _MEGABYTE
    unpacked_bytes: int = 1024 * _MEGABYTE
    rows: int = 1_000_000
    """Of one sheet; empty rows at its end do not count."""
    columns: int = 200
    cells: int = 10_000_000
    """Of one package: those with something in them, and the area that they span. It bounds the memory of reading."""
    held_text: int = 0
    """What the texts of other files of the package take."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits of an installation."""
        return cls(
            packed_bytes=settings.max_file_mb * _MEGABYTE,
            unpacked_bytes=settings.max_unpacked_mb * _MEGABYTE,
            rows=settings.max_rows,
            columns=settings.max_columns,
            cells=settings.max_cells,
        )

    @property
    def text_bytes(self) -> int:
        """What the texts of a package may take together."""
        return self.unpacked_bytes // _TEXT_SHARE - self.held_text

    def beside(self, sheets: Iterable[Sheet]) -> Limits:
        """What these sheets, which are held, leave to the next file of their package."""
        cells = text = 0
        for sheet in sheets:
            for row in sheet.rows:
                cells += len(row)
                text += len("".join([cell for cell in row if isinstance(cell, str)]))
        return replace(self, cells=self.cells - cells, held_text=self.held_text + text)


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """Cells that are merged into one: rows and columns from 0, the last ones included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of one delivered file; a CSV or Parquet file is a sheet without a name."""

    file: str
    name: str | None
    rows: list[list[Cell]]
    """From row 1, column A of the file as delivered."""
    epoch_1904: bool = False
    is_hidden: bool = False
    """Whether a person who opens the workbook does not see it: hidden, or very hidden."""
    merged: tuple[Area, ...] = ()
    """Only the first cell of each holds what is shown there."""
    uncomputed: frozenset[tuple[int, int]] = frozenset()
    """Row and column from 0 of formulas whose value no program has stored; the cells are empty."""


class UnreadableFileError(Exception):
    """The file is a finding F01; the message says it to the institution, in Chinese."""


class TooMuchError(UnreadableFileError):
    """What is in the file would not fit into memory, beside the others of its package."""


def damaged() -> UnreadableFileError:
    """For a file that its reader gives up on."""
    return UnreadableFileError("文件已损坏或不完整，打不开，请用电子表格软件打开检查，另存为 xlsx 后重新报送。")


def locked() -> UnreadableFileError:
    """For a file that wants a password."""
    return UnreadableFileError("文件设有打开密码，请取消密码后重新报送。")


def unpacked_too_large(limits: Limits) -> UnreadableFileError:
    """For a file that grows beyond the limit when it is unpacked."""
    return UnreadableFileError(f"文件解压后超过{limits.unpacked_bytes // _MEGABYTE}MB，请删除无关内容后重新报送。")


def too_many_cells(limits: Limits) -> TooMuchError:
    """For a file whose cells, or the area that they span, would not fit into memory."""
    return TooMuchError(
        f"文件中的单元格超过{limits.cells // 10_000}万个，或散布得过宽，请删除数据区以外的内容后重新报送。"
    )


def too_many_areas() -> UnreadableFileError:
    """For a file whose merged cells would take far more memory than its texts."""
    return UnreadableFileError(f"文件中合并的单元格超过{MOST_AREAS // 10_000}万处，请取消合并后重新报送。")


def too_much_text(limits: Limits) -> TooMuchError:
    """For a file whose texts would not fit into memory."""
    return TooMuchError(f"文件中的文字超过{limits.text_bytes // _MEGABYTE}MB，请删除无关内容后重新报送。")


def too_much_together(limits: Limits) -> TooMuchError:
    """For a file that would fit into memory by itself, but not beside the others of its package."""
    return TooMuchError(
        f"文件连同报送包中排在它前面的文件，单元格超过{limits.cells // 10_000}万个或散布得过宽，"
        f"或文字超过{limits.text_bytes // _MEGABYTE}MB，请删除数据区以外的内容和无关文字后重新报送。"
    )


def refuse_too_large(sheet: str | None, rows: int, columns: int, limits: Limits) -> None:
    """Hold a sheet against the limits.

    Raises:
        UnreadableFileError: it has too many rows or columns.
    """
    where = f"工作表“{sheet}”" if sheet else "文件"
    if rows > limits.rows:
        raise UnreadableFileError(f"{where}超过{limits.rows}行，请删除多余的行后重新报送。")
    if columns > limits.columns:
        raise UnreadableFileError(f"{where}超过{limits.columns}列，请删除多余的列后重新报送。")


def as_cell(value: object) -> Cell:
    """What a reader answers, as one of the kinds that a cell can be."""
    match value:
        case None | "":
            return None
        case float() if math.isnan(value):
            # How data frames say empty.
            return None
        case str() | bool() | int() | float() | datetime() | date():
            return value
        case Decimal():
            return format(value, "f")
        case time() | timedelta():
            return str(value)
        case bytes():
            return value.decode("utf-8", "replace") or None
        case _:
            return str(value)


def as_percent(cell: Cell) -> Cell:
    """A number that its format shows as a percent, as a person reads it: 0.0475 is `4.75%`."""
    if not isinstance(cell, float) or not math.isfinite(cell):
        return cell
    shown = format(Decimal(format(cell, f".{DIGITS_OF_A_NUMBER_CELL}g")).scaleb(2), "f")
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) + "%"
