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
_NOT_SINCE: Final = r"(?!(?:以来|以后|以前|之前|之后|起|前|后|至今|开始|底前|末前|版|制|印发|修订|发布|施行|[(]不含))"
"""2016年1月1日以来 says since when, and not of which month."""
_CHINESE_DIGITS: Final = str.maketrans("〇零一二三四五六七八九", "00123456789")
_CHINESE_YEAR: Final = re.compile("二[〇零0][一二三四五六七八九〇零]{2}(?=年)")
_CHINESE_MONTH: Final = re.compile("(?<![一二三四五六七八九十])(?:十[一二]?|[一二三四五六七八九])(?=月份?)")
_SHORT_YEAR: Final = re.compile(r"(?<![\d.])(?=[12]\d年(?:0?[1-9]|1[0-2])月)")
_COMPARED: Final = re.compile(r"(?:年初|上年|去年|同期|同比|环比|[较比与]|有效期|文号)[^;。]*")
"""What stands behind these words is another month than the report's."""
_FILLED_IN: Final = re.compile(r"(?:填报|填表|制表|制单|打印|报送|报出|上报|导出|编制)(?:日期|时间|于)?")
"""When somebody has filled in or sent the form, which is after its month."""
_CHINESE_MONTHS: Final = {"十一": 11, "十二": 12} | {
    name: number for number, name in enumerate("一二三四五六七八九十", start=1)
}
_BEGIN_OF_SPAN: Final = re.compile(rf"({_YEAR}[年./-]?){_MONTH}[月./-]{_DAY}日?{_TO}(?=(?:0?[1-9]|1[0-2])[月./-])")
_SENT: Final = re.compile(r"月份?(?:报送|上报|填报|制)(?!说明|表)")
_NO_TITLE: Final = re.compile("^(?:注|备注|说明|附注)|抄送|主送|送[:：]|报送[:：]|其中|受托|代理|牵头|银团")
"""How a text begins, or what is in it, that names others than whose report it is."""
_CODE_NAMED: Final = "(?:机构|代码|编号|单位|银行|报送行|填报行)[^,;。]{0,12}?"
_EXAMPLE: Final = re.compile(r"(?:如|例|自|从)[:,]?[“\"'(]?20\d\d[-/.、年月日\d]*")
"""How a date is to be written, or since when something holds."""
_SPANS: Final = (
    re.compile(rf"{_YEAR}年{_MONTH}月?{_TO}(?:(20\d\d)年)?{_MONTH}月"),
    re.compile(rf"{_YEAR}[-./]{_MONTH}(?:至|到|[~—–])(20\d\d)[-./]{_MONTH}(?!\d)"),
    re.compile(rf"{_YEAR}(0[1-9]|1[0-2]){_TO}(20\d\d)?(0[1-9]|1[0-2])(?!\d)"),
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
    is_name: bool
    """Whether it is the name of a file or sheet."""


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
            yield _Text(PurePosixPath(part).stem, is_title=each.has_table, is_name=True)
        if each.sheet.name:
            yield _Text(each.sheet.name, is_title=each.has_table, is_name=True)
        for text in each.above:
            yield _Text(text, is_title=each.has_table, is_name=False)


def _other_month(lines: Sequence[_Text], period: Period) -> str | None:
    named: list[tuple[str, str]] = []
    is_bare_right = False
    for line in lines:
        months, bare = months_named(line.text, is_name=line.is_name)
        if _FILLED_IN.search(line.text) or _SENT.search(line.text):
            # A form is filled in and sent after its month.
            months = {month for month in months if month <= period}
            bare = bare & {period.month}
        if period in months:
            return None
        is_bare_right |= period.month in bare
        if line.is_title:
            spoken = [*(month.words for month in sorted(months)), *(f"{month}月" for month in sorted(bare))]
            named += [(words, line.text) for words in spoken]
    # A month without its year says less than one with it.
    if is_bare_right:
        named = [(words, text) for words, text in named if "年" in words]
    if not named:
        return None
    words, text = named[0]
    return f"这像是{words}的报表，放进了{period.words}（文件中写的是“{shown_text(mask_phones(text))}”）"


def months_named(text: str, *, is_name: bool = False) -> tuple[set[Period], set[int]]:
    """The months that a title, a date line or a name speaks of, and those that it names without a year.

    A day counts where it is the last of its month. On any other, somebody has filled in the form.
    """
    plain = _in_digits(_COMPARED.sub(" ", _EXAMPLE.sub(" ", normal_header(text))))
    months: set[Period] = set()
    for form in _SPANS:
        for year, _, later, month in form.findall(plain):
            months.add(Period(int(later or year), int(month)))
        plain = form.sub(" ", plain)
    # Of a span of days only its end counts.
    plain = _BEGIN_OF_SPAN.sub(r"\1", plain)
    for form in _DAYS:
        for year, month, day in form.findall(plain):
            own = Period(int(year), int(month))
            if own.end.day == int(day):
                months.add(own)
        plain = form.sub(" ", plain)
    for form in _MONTHS:
        months |= {Period(int(year), int(month)) for year, month in form.findall(plain)}
        plain = form.sub(" ", plain)
    is_title = is_name or _TITLE_WORDS.search(plain) is not None
    return months, {int(month) for month in _BARE_MONTH.findall(plain)} if is_title else set()


def _in_digits(text: str) -> str:
    """The text with years and months in digits, and years of four: 二〇一九年五月, 19年5月."""
    text = _CHINESE_YEAR.sub(lambda year: year[0].translate(_CHINESE_DIGITS), text)
    text = _CHINESE_MONTH.sub(lambda month: str(_CHINESE_MONTHS[month[0]]), text)
    return _SHORT_YEAR.sub("20", text)


def _other_institution(
    lines: Sequence[_Text], institution: Institution, register: Register, period: Period
) -> str | None:
    others = [
        each for each in register.open_in(period) if each.kind is institution.kind and each.code != institution.code
    ]
    named: list[tuple[Institution, str]] = []
    for line in lines:
        if _is_named(institution, line):
            return None
        if line.is_title and not _NO_TITLE.search(line.text):
            named += [(other, line.text) for other in others if _is_named(other, line)]
    if not named:
        return None
    other, text = named[0]
    quoted = shown_text(mask_phones(text))
    return f"这像是{other.name}的报表，放进了{institution.name}的文件夹（文件中写的是“{quoted}”）"


def _is_named(institution: Institution, line: _Text) -> bool:
    plain = normal_header(line.text)
    if any(normal_header(name) in plain for name in (institution.name, institution.short_name)):
        return True
    # A code is a word of its own, and in a title it is named as one: 表号 B05 is none.
    before = "" if line.is_name else _CODE_NAMED
    code = rf"(?<![0-9A-Za-z]){re.escape(institution.code)}(?![0-9A-Za-z表])"
    return re.search(before + code, plain, re.IGNORECASE) is not None
