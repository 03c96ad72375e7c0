"""Which month and whose report a package says that it is: by titles, date lines, names and cover (F13).

A package laid into the wrong folder may pass every other rule. What it says of itself is held against the folder; one
that says nothing is not refused. See docs/intake.md#the-wrong-folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.findings import Finding, shown_text
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.headers import WantedHeaders, normal_header
from five_precisions.intake.reading.layout import find_headers
from five_precisions.intake.reading.sheet import Sheet
from five_precisions.period import Period
from five_precisions.register import Institution, Register
from five_precisions.reports.cells import Cell, cell_text
from five_precisions.reports.masking import mask_phones

_YEAR: Final = r"(?<!\d)(20\d\d)"
_MONTH: Final = r"(0?[1-9]|1[0-2])"
_DAY: Final = r"(0?[1-9]|[12]\d|3[01])"
_TO: Final = r"(?:至|到|[-~—–－～])+"
_NOT_SINCE: Final = r"(?!(?:以来|以后|以前|之前|之后|起|前|后|至今|开始))"
"""2016年1月1日以来 says since when, and not of which month."""
_EXAMPLE: Final = re.compile(r"(?:如|例|自|从)[:,]?[“\"'(]?20\d\d[-/.、年月日\d]*")
"""How a date is to be written, or since when something holds."""
_SPANS: Final = (
    re.compile(rf"{_YEAR}年{_MONTH}月?{_TO}(?:(20\d\d)年)?{_MONTH}月"),
    re.compile(rf"{_YEAR}[-./]{_MONTH}(?:至|到|[~—–])(20\d\d)[-./]{_MONTH}(?!\d)"),
)
_DAYS: Final = (
    re.compile(rf"{_YEAR}年{_MONTH}月{_DAY}[日号]{_NOT_SINCE}"),
    *(re.compile(rf"{_YEAR}{sign}{_MONTH}{sign}{_DAY}(?!\d){_NOT_SINCE}") for sign in ("-", r"\.", "/", "、")),
    re.compile(rf"{_YEAR}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d){_NOT_SINCE}"),
)
_MONTHS: Final = (
    re.compile(rf"{_YEAR}年{_MONTH}月(?!\d{{1,2}}[日号]){_NOT_SINCE}"),
    re.compile(rf"{_YEAR}[-./_]{_MONTH}(?![-./_]?\d){_NOT_SINCE}"),
    re.compile(rf"{_YEAR}(0[1-9]|1[0-2])(?!\d){_NOT_SINCE}"),
)
_BARE_MONTH: Final = re.compile(rf"(?<![\d年./-]){_MONTH}月份?(?![\d底末初至到~-])")
"""A month without its year, in a title or a name: 3月报表."""
_TITLE_WORDS: Final = re.compile("表|台账|名册|存档|活动|资金|项目|情况|说明|报送")
_LONGEST_TITLE: Final = 80
"""Signs; what is longer explains something."""
_ROWS_OF_A_COVER_SHEET: Final = 30


@dataclass(frozen=True, slots=True)
class TitledSheet:
    """A sheet with what stands over its table; of a sheet without a table, its first rows."""

    sheet: Sheet
    above: Sequence[str]
    has_table: bool


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that may say of which month, or whose, a report is."""

    text: str
    is_title: bool
    """Whether it stands over a report or names it: another month there counts."""


def titled(sheet: Sheet, table: WantedHeaders | None) -> TitledSheet:
    """A sheet, with the texts above the headers of its table."""
    if table is None:
        return TitledSheet(sheet, _texts(sheet.rows[:_ROWS_OF_A_COVER_SHEET]), has_table=False)
    headers = find_headers(sheet.rows, table, sheet.merged)
    return TitledSheet(sheet, _texts(sheet.rows[: max(0, headers.row - headers.rows)]), has_table=True)


def _texts(rows: Iterable[Sequence[Cell]]) -> list[str]:
    texts = (cell_text(cell) for row in rows for cell in row if not isinstance(cell, bool | float))
    return [text for text in texts if 0 < len(text) <= _LONGEST_TITLE]


def belonging_finding(
    sheets: Sequence[TitledSheet], institution: Institution, register: Register, period: Period
) -> Finding | None:
    """What is wrong where a package names another month or institution than its own, and nowhere its own (F13)."""
    lines = list(_lines(sheets))
    faults = [
        fault
        for fault in (_other_month(lines, period), _other_institution(lines, institution, register, period))
        if fault
    ]
    if not faults:
        return None
    return Finding(
        report=None,
        rule=PackageRule.F13.code,
        level=PackageRule.F13.level,
        message=f"{'；'.join(faults)}。整包未审核：放错了的请放到对应的文件夹，没有放错的请改正标题、日期和文件名后重新报送。",
    )


def _lines(sheets: Sequence[TitledSheet]) -> Iterator[_Text]:
    for each in sheets:
        for part in PurePosixPath(each.sheet.file).parts:
            yield _Text(PurePosixPath(part).stem, is_title=each.has_table)
        if each.sheet.name:
            yield _Text(each.sheet.name, is_title=each.has_table)
        for text in each.above:
            yield _Text(text, is_title=each.has_table)


def _other_month(lines: Sequence[_Text], period: Period) -> str | None:
    named: list[tuple[str, str]] = []
    for line in lines:
        months, bare = months_named(line.text)
        if period in months or period.month in bare:
            return None
        if line.is_title:
            spoken = [*(month.words for month in sorted(months)), *(f"{month}月" for month in sorted(bare))]
            named += [(words, line.text) for words in spoken]
    if not named:
        return None
    words, text = named[0]
    return f"这像是{words}的报表，放进了{period.words}（文件中写的是“{shown_text(mask_phones(text))}”）"


def months_named(text: str) -> tuple[set[Period], set[int]]:
    """The months that a title, a date line or a name speaks of, and those that it names without a year.

    A day counts where it is the last of its month. On any other, somebody has filled in the form.
    """
    plain = _EXAMPLE.sub(" ", normal_header(text))
    months: set[Period] = set()
    for form in _SPANS:
        for year, _, later, month in form.findall(plain):
            months.add(Period(int(later or year), int(month)))
        plain = form.sub(" ", plain)
    for form in _DAYS:
        for year, month, day in form.findall(plain):
            own = Period(int(year), int(month))
            if own.end.day == int(day):
                months.add(own)
        plain = form.sub(" ", plain)
    for form in _MONTHS:
        months |= {Period(int(year), int(month)) for year, month in form.findall(plain)}
        plain = form.sub(" ", plain)
    is_title = _TITLE_WORDS.search(plain) is not None
    return months, {int(month) for month in _BARE_MONTH.findall(plain)} if is_title else set()


def _other_institution(
    lines: Sequence[_Text], institution: Institution, register: Register, period: Period
) -> str | None:
    others = [
        each for each in register.open_in(period) if each.kind is institution.kind and each.code != institution.code
    ]
    named: list[tuple[Institution, str]] = []
    for line in lines:
        if _is_named(institution, line.text):
            return None
        if line.is_title:
            named += [(other, line.text) for other in others if _is_named(other, line.text)]
    if not named:
        return None
    other, text = named[0]
    quoted = shown_text(mask_phones(text))
    return f"这像是{other.name}的报表，放进了{institution.name}的文件夹（文件中写的是“{quoted}”）"


def _is_named(institution: Institution, text: str) -> bool:
    plain = normal_header(text)
    if any(normal_header(name) in plain for name in (institution.name, institution.short_name)):
        return True
    # A code is a word of its own: B1 is not named by B12.
    code = re.escape(institution.code)
    return re.search(rf"(?<![0-9A-Za-z]){code}(?![0-9A-Za-z])", plain) is not None
