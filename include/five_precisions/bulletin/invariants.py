"""What must hold before a bulletin is shown to anybody; what does not, stops it.

See docs/outputs.md#checks-before-it-is-shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from five_precisions.bulletin.document import Bulletin, Figure, Heading, Paragraph, Source
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.display import NOTHING, Form, shown
from five_precisions.errors import RefusedError

_PARTS: Final = {
    "loan_balance": ("loan_balance_industry", "loan_balance_personal"),
    "loan_balance_personal": ("loan_balance_operating", "loan_balance_education", "loan_balance_consumption"),
}
"""Totals and the categories that they are made of."""
_ADDITIVE: Final = (
    "loan_balance",
    "loan_balance_industry",
    "loan_balance_personal",
    "microcredit_balance",
    "microcredit_ytd_amount",
    "microcredit_cumulative_amount",
    "project_loan_cumulative",
    "relending",
)
"""Metrics of which the banks' values add up to the city's; households do not, for one can borrow at two banks."""
_LONG_DIGITS: Final = re.compile(r"\d{11}")
"""An ID has 17 digits and a check character; phones and accounts have eleven digits or more."""
_WITHIN_DIGITS: Final = re.compile(r"(?<=\d)[ \u3000-]+(?=\d)")
"""What people put between the digits of a long number."""
_DASH: Final = re.compile(rf"(?<!\d){NOTHING}|{NOTHING}(?!\d)")
"""A value that is not there; between digits it is a range, as in 1—6月."""
_SVG_TEXT: Final = re.compile(r">([^<>]+)<")
"""What a chart says, without its coordinates."""
_DATES: Final = re.compile(r"\d{4}年(?:第.季度)?|\d{1,2}(?:—\d{1,2})?月末?(?:\d{1,2}日)?")
_MOVES: Final = re.compile(r"(?:上升|下降)\d+位")
"""Places won or lost: like dates, numbers that are no figures."""


class UnsoundBulletinError(RefusedError):
    """The bulletin contradicts itself or the results; it must not be shown."""


def require_sound(bulletin: Bulletin, results: QuarterResults) -> None:
    """Refuse a bulletin in which something does not hold.

    Raises:
        UnsoundBulletinError: the sentence names all that is wrong.
    """
    if wrong := find_unsound(bulletin, results):
        raise UnsoundBulletinError(f"The bulletin of {bulletin.quarter} was stopped: {'; '.join(wrong)}.")


def find_unsound(bulletin: Bulletin, results: QuarterResults) -> list[str]:
    """Everything that does not hold, each as the part of a sentence; nothing = sound."""
    return [wrong for check in CHECKS.values() for wrong in check(bulletin, results)]


def _categories(_: Bulletin, results: QuarterResults) -> Iterator[str]:
    subjects = [("city", results.at_end.city.code), *(("bank", bank.code) for bank in results.at_end.banks)]
    for scope, code in subjects:
        for whole, parts in _PARTS.items():
            total = results.figure(whole, scope, code).value
            values = [results.figure(part, scope, code).value for part in parts]
            if total is not None and total != sum((Decimal(value or 0) for value in values), Decimal(0)):
                yield f"{whole} of {scope} {code} is not the sum of its categories"


def _banks(_: Bulletin, results: QuarterResults) -> Iterator[str]:
    for metric in _ADDITIVE:
        total = results.at_end.of_city(metric).value
        values = [results.figure(metric, "bank", bank.code).value for bank in results.at_end.banks]
        if total is not None and total != sum((Decimal(value or 0) for value in values), Decimal(0)):
            yield f"{metric} of the banks does not add up to the city's"


def _ranks(_: Bulletin, results: QuarterResults) -> Iterator[str]:
    scored = {each.institution_code: each.score for each in results.at_end.assessed if each.score is not None}
    for each in results.at_end.assessed:
        wanted = None
        if each.score is not None:
            wanted = 1 + sum(score > each.score for score in scored.values())
        if each.rank != wanted:
            yield f"bank {each.institution_code} has rank {each.rank} where its score gives {wanted}"
    for board, places in results.at_end.boards.items():
        for place in places:
            if place.rank != 1 + sum(other.value > place.value for other in places):
                yield f"the board {board} is no proper ranking at {place.subject_code}"


def _numbers(bulletin: Bulletin, results: QuarterResults) -> Iterator[str]:
    """Every number of a sentence is a figure, and a table shows the same one."""
    in_tables: dict[Source, set[str]] = {}
    for table in bulletin.tables:
        for row in table.rows:
            for cell in row:
                if isinstance(cell, Figure) and cell.source is not None:
                    in_tables.setdefault(cell.source, set()).add(_size(cell))
    for source, sizes in in_tables.items():
        if len(sizes) > 1:
            yield f"tables show {source.metric} of {source.code} as {' and '.join(sorted(sizes))}"
    names = _names(results)
    for paragraph in bulletin.paragraphs:
        for figure in paragraph.figures:
            if figure.source is None:
                continue
            if figure.source not in in_tables:
                yield f"no table shows {figure.source.metric} of {figure.source.code}, which the text tells"
            elif _size(figure) not in in_tables[figure.source]:
                yield f"text and table differ in {figure.source.metric} of {figure.source.code}"
        yield from _foreign_numbers(paragraph, names)


def _names(results: QuarterResults) -> list[str]:
    """Names that may hold a digit, longest first."""
    institutions = [name for each in results.at_end.institutions.values() for name in (each.name, each.short_name)]
    divisions = [division.name for division in (results.at_end.city, *results.at_end.counties)]
    return sorted({*institutions, *divisions, *results.at_end.names.values()}, key=len, reverse=True)


def _foreign_numbers(paragraph: Paragraph, names: Sequence[str]) -> Iterator[str]:
    rest = paragraph.text
    for words in (*paragraph.quotes, *names):
        rest = rest.replace(words, "")
    if _DASH.search(rest):
        yield f"the text “{paragraph.text[:20]}…” tells a figure that has no value"
    # Before the figures: a 1 must not be found in 2019.
    rest = _DATES.sub("", rest)
    for figure in paragraph.figures:
        if str(figure) not in rest:
            yield f"the text “{paragraph.text[:20]}…” does not show {figure} as it says"
        rest = rest.replace(str(figure), "", 1)
    if number := re.search(r"\d[\d,.]*", _MOVES.sub("", rest)):
        yield f"the text “{paragraph.text[:20]}…” holds the number {number[0]}, which is no figure of the results"


def _secrets(bulletin: Bulletin, results: QuarterResults) -> Iterator[str]:
    headings = [block.text for section in bulletin.sections for block in section.blocks if isinstance(block, Heading)]
    texts = [bulletin.title, *headings, *(paragraph.text for paragraph in bulletin.paragraphs)]
    # The input's digest is 64 letters and digits by chance; it stands in the first footnote.
    texts += [note.replace(results.at_end.run.input_digest, "") for note in bulletin.footnotes]
    texts += [table.note for table in bulletin.tables]
    texts += [cell for table in bulletin.tables for row in table.rows for cell in row if isinstance(cell, str)]
    texts += [words for chart in bulletin.charts for words in _SVG_TEXT.findall(chart.svg)]
    if any(_LONG_DIGITS.search(_WITHIN_DIGITS.sub("", text)) for text in texts):
        yield "it holds a number as long as an ID, a phone or an account"


CHECKS: Final[Mapping[str, Callable[[Bulletin, QuarterResults], Iterator[str]]]] = {
    "分类合计等于总额": _categories,
    "各行合计等于全市": _banks,
    "各项排名次序正确": _ranks,
    "正文与表格数字一致": _numbers,
    "不含证件、电话、账户号码": _secrets,
}
"""What is checked, by the name that an approver reads; each gives what does not hold."""


def _size(figure: Figure) -> str:
    value = figure.value
    return shown(None if value is None else abs(Decimal(value)), Form(figure.form))
