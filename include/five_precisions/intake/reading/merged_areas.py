"""Merged areas of a sheet, as far as they matter to what is read of it (docs/intake.md#the-package)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from five_precisions.intake.reading.sheet import Area

MOST_AREAS: Final = 10_000
"""Of one sheet that are told of."""


def areas_within(areas: Iterable[Area], rows: int) -> tuple[Area, ...]:
    """Those of more than one cell, cut to the rows that are there: forms are often merged far beyond their end."""
    cut = (
        Area(area.first_row, area.first_column, min(area.last_row, rows - 1), area.last_column)
        for area in areas
        if area.first_row < rows
    )
    wide = (area for area in cut if (area.first_row, area.first_column) != (area.last_row, area.last_column))
    sound = (area for area in wide if area.first_row <= area.last_row and area.first_column <= area.last_column)
    return tuple(islice(sound, MOST_AREAS))
