"""What is found out about the parts of .xlsx and .xlsb before their library reads them (docs/intake.md#bad-input)."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from five_precisions.intake.reading.merged_areas import MOST_AREAS, areas_within
from five_precisions.intake.reading.number_formats import BUILT_IN_PERCENTS, as_moment, is_percent
from five_precisions.intake.reading.sheet import Area, Sheet, as_percent, damaged
from five_precisions.reports.cells import Cell

UNKNOWN_ERROR: Final = "#VALUE!"
_WIDEST: Final = 1 << 32
"""A place is row * this + column, both from 0."""
_MOST_STYLES: Final = 65_536
"""More than a spreadsheet can have."""
_MOST_ERRORS: Final = 1_000
"""Texts of errors that are told apart."""
_MOST_UNCOMPUTED: Final = 100_000
"""Formulas of one sheet without a stored value that are told of."""


@dataclass(frozen=True, slots=True)
class ListedSheet:
    """A sheet as the workbook's own part lists it."""

    title: str
    relation: str
    """By which the workbook names the sheet's part."""
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class CellStyles:
    """Styles of cells, by their numbers, that make something else of a number than it is."""

    percents: Mapping[int, str]
    """The formats of those that may show a number as a percent: it is a hundredth of what a person reads there."""
    moments: frozenset[int]
    """Those whose numbers are moments that the library leaves numbers."""

    @classmethod
    def of(cls, formats_of_styles: Sequence[int], texts: Mapping[int, str], moments: Collection[int]) -> CellStyles:
        """The styles by their formats' numbers, and the texts of the formats that are in the file.

        Raises:
            UnreadableFileError: there are more of them than a spreadsheet can have.
        """
        if len(formats_of_styles) > _MOST_STYLES or len(texts) > _MOST_STYLES:
            raise damaged()
        percents = {number: text for number, text in {**BUILT_IN_PERCENTS, **texts}.items() if "%" in text}
        return cls(
            {style: percents[number] for style, number in enumerate(formats_of_styles) if number in percents},
            frozenset(
                style for style, number in enumerate(formats_of_styles) if number in moments and number not in texts
            ),
        )

    @property
    def all(self) -> set[int]:
        """Both kinds."""
        return {*self.percents, *self.moments}


def _places() -> array[int]:
    """Places in eight bytes each: there may be as many of them as cells."""
    return array("Q")


@dataclass(slots=True)
class SheetPart:
    """What one part was found to hold."""

    size: int = 0
    """Bytes."""
    is_utf8: bool = True
    """Nothing says that it is in another encoding."""
    tags: int = 0
    """Cells, the empty ones too."""
    cells: int = 0
    """Cells with something in them."""
    rows: int = 0
    columns: int = 0
    """Of the area that its cells span, the empty ones too."""
    has_addresses: bool = True
    """Every cell says where it stands."""
    errors: dict[str, array[int]] = field(default_factory=dict)
    """By the text of the error: places of its cells."""
    styled: dict[int, array[int]] = field(default_factory=dict)
    """By the style, of those that matter: places of its numbers."""
    shared: array[int] = field(default_factory=_places)
    """Of .xlsb: which shared texts its cells show."""
    merged: list[Area] = field(default_factory=list)
    uncomputed: array[int] = field(default_factory=_places)
    """Places of formulas without a stored value."""

    def add_error(self, text: str, row: int, column: int) -> None:
        """A cell shows an error."""
        if len(self.errors) > _MOST_ERRORS:
            text = UNKNOWN_ERROR
        self.errors.setdefault(text, _places()).append(row * _WIDEST + column)

    def add_styled(self, style: int, row: int, column: int) -> None:
        """A number is shown in a style that matters."""
        if style not in self.styled:
            self.styled[style] = _places()
        self.styled[style].append(row * _WIDEST + column)

    def add_merged(self, area: Area) -> None:
        """Cells are merged; one alone is not, and beyond a bound no more are told of."""
        if area.first_row == area.last_row and area.first_column == area.last_column:
            return
        if len(self.merged) < MOST_AREAS:
            self.merged.append(area)

    def add_uncomputed(self, places: Iterable[tuple[int, int]]) -> None:
        """Formulas have no stored value; beyond a bound no more are told of."""
        for row, column in places:
            if len(self.uncomputed) >= _MOST_UNCOMPUTED:
                return
            self.uncomputed.append(row * _WIDEST + column)

    def sheet(
        self, file: str, listed: ListedSheet, rows: list[list[Cell]], styles: CellStyles, *, epoch_1904: bool
    ) -> Sheet:
        """The sheet of rows as the library read them, with what it leaves out."""
        for text, places in self.errors.items():
            for row, column in _within(rows, places):
                rows[row][column] = text
        for style, places in self.styled.items():
            percent = styles.percents.get(style)
            for row, column in _within(rows, places):
                number = rows[row][column]
                if not isinstance(number, float | int) or isinstance(number, bool):
                    continue
                if percent is None:
                    rows[row][column] = as_moment(number, epoch_1904=epoch_1904)
                elif is_percent(percent, number):
                    rows[row][column] = as_percent(float(number))
        return Sheet(
            file,
            listed.title,
            rows,
            epoch_1904,
            is_hidden=listed.is_hidden,
            merged=areas_within(self.merged, len(rows)),
            uncomputed=frozenset(divmod(place, _WIDEST) for place in self.uncomputed),
        )


def _within(rows: list[list[Cell]], places: Iterable[int]) -> Iterable[tuple[int, int]]:
    for row, column in (divmod(place, _WIDEST) for place in places):
        if row < len(rows) and column < len(rows[row]):
            yield row, column
