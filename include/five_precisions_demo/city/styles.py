"""How each institution writes its package: workbooks or files, with which rows around the data (docs/intake.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PackageLayout(StrEnum):
    """What a package consists of."""

    WORKBOOK = "one workbook with everything"
    TWO_WORKBOOKS = "the loan ledger in a workbook of its own"
    FILES = "a workbook for each report"
    CSV = "a CSV file for each report"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageStyle:
    """One institution's habits."""

    layout: PackageLayout = PackageLayout.WORKBOOK
    titled: bool = True
    """Rows of title, unit and date stand above the header."""
    spaced: bool = False
    """An empty row stands between them and the header."""
    names_sheets_by_code: bool = False
    guide: bool = False
    """A sheet 填表说明 comes along."""
    totals: frozenset[str] = frozenset()
    """Reports that end in a total row."""
    keeps_empty_sheets: bool = True
    """A nil return still has its sheet, with the header only."""
    encoding: str = "utf-8"
    delimiter: str = ","
    date_form: str = "{0:%Y-%m-%d}"
    thousands: bool = False


STYLES: Final = {
    "B01": PackageStyle(guide=True, totals=frozenset({"loans", "position"})),
    "B02": PackageStyle(titled=False, names_sheets_by_code=True),
    "B03": PackageStyle(layout=PackageLayout.TWO_WORKBOOKS, totals=frozenset({"loans"})),
    "B04": PackageStyle(spaced=True, totals=frozenset({"loans", "position", "matches"})),
    "B05": PackageStyle(keeps_empty_sheets=False),
    "B06": PackageStyle(layout=PackageLayout.CSV, encoding="utf-8-sig", thousands=True, keeps_empty_sheets=False),
    "B07": PackageStyle(guide=True),
    "B08": PackageStyle(names_sheets_by_code=True, spaced=True),
    "B09": PackageStyle(
        layout=PackageLayout.TWO_WORKBOOKS, guide=True, totals=frozenset({"loans", "position", "outreach"})
    ),
    "B10": PackageStyle(totals=frozenset({"position"})),
    "B11": PackageStyle(
        layout=PackageLayout.CSV,
        encoding="gb18030",
        delimiter=";",
        date_form="{0:%Y/%m/%d}",
        totals=frozenset({"loans"}),
        keeps_empty_sheets=False,
    ),
    "B12": PackageStyle(totals=frozenset({"loans"})),
    "C01": PackageStyle(
        layout=PackageLayout.CSV,
        encoding="gb18030",
        delimiter="\t",
        date_form="{0:%Y}年{0:%m}月{0:%d}日",
        thousands=True,
        keeps_empty_sheets=False,
    ),
    "C02": PackageStyle(layout=PackageLayout.FILES, keeps_empty_sheets=False),
    "C03": PackageStyle(guide=True, totals=frozenset({"projects", "guarantee_funds"})),
    "C04": PackageStyle(spaced=True, totals=frozenset({"guarantee_funds"})),
    "Z01": PackageStyle(totals=frozenset({"league"})),
}
