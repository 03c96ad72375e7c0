"""Rules on files, sheets and cells: judged while a package is read (docs/reports.md#rules; F01 to F14, T01 to T05).

What is wrong is said where it is found, with names and numbers. What a rule asks and how grave it is stands here.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from five_precisions.reports.level import Level


class JudgedPart(StrEnum):
    """The part of a package that a rule looks at."""

    PACKAGE = "package"
    FILE = "file"
    SHEETS = "sheets"
    COVER = "cover"
    HEADERS = "headers"
    ROWS = "rows"
    CELLS = "cells"
    TOTAL_ROW = "total row"
    EXPLANATIONS = "explanations"


class PackageRule(Enum):
    """A rule's level, the part that it looks at, and what it asks; a code with two levels has a member for each."""

    F01 = Level.CRITICAL, JudgedPart.FILE, "The file opens, is of an allowed kind and size, and is not encrypted."
    F02 = Level.CRITICAL, JudgedPart.HEADERS, "Every header of the report, and of the cover, is there once."
    F02_OF_EXPLANATIONS = Level.WARNING, JudgedPart.EXPLANATIONS, "Every header is there, or the sheet is left out."
    F03 = Level.CRITICAL, JudgedPart.COVER, "Row count and control total equal the cover's."
    F04 = Level.CRITICAL, JudgedPart.COVER, "There are rows, or the cover declares a nil return, and that is allowed."
    F05 = Level.NOTICE, JudgedPart.HEADERS, "A column that the report does not have is ignored, and named."
    F06 = Level.CRITICAL, JudgedPart.TOTAL_ROW, "It is the last row, and each of its numbers is the sum of those above."
    F07 = Level.NOTICE, JudgedPart.SHEETS, "A sheet that is no report, or an unclear explanation, is named."
    F08 = Level.NOTICE, JudgedPart.COVER, "There is a cover; files that lie without one for 30 minutes cause one mail."
    F09 = Level.CRITICAL, JudgedPart.COVER, "The cover lists the reports that the package holds, each once."
    F10 = (
        Level.NOTICE,
        JudgedPart.SHEETS,
        "A report that the institution does not owe is left out, and named.",
    )
    F11 = Level.NOTICE, JudgedPart.ROWS, "A row that is no data, such as a signature, is left out, and named."
    F12 = Level.CRITICAL, JudgedPart.HEADERS, "A unit line or a header names the unit of its columns, or none."
    F13 = Level.CRITICAL, JudgedPart.PACKAGE, "The package names its own month and institution, or none."
    F14 = Level.NOTICE, JudgedPart.EXPLANATIONS, "The explanation is of a finding that there is."
    T01 = Level.CRITICAL, JudgedPart.CELLS, "A required cell is filled in."
    T02 = Level.CRITICAL, JudgedPart.CELLS, "The cell can be read as its column's type."
    T03 = Level.CRITICAL, JudgedPart.CELLS, "The text is not longer than allowed."
    T04 = Level.CRITICAL, JudgedPart.CELLS, "The value is one of the list."
    T05 = Level.CRITICAL, JudgedPart.CELLS, "The number lies within its bounds."
    K03 = Level.CRITICAL, JudgedPart.FILE, "The file is not the one that another institution has delivered this month."

    def __init__(self, level: Level, part: JudgedPart, asks: str) -> None:
        self.level = level
        self.part = part
        self.asks = asks

    @property
    def code(self) -> str:
        """The code that findings bear, such as F02."""
        return self.name.partition("_")[0]
