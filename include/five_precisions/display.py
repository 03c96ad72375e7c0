"""How figures are shown to people: rounded half up, once, here (docs/field.md#amounts); how wide a text is."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

NOTHING = "—"
"""What stands where there is no value."""
DEMO_MARK = "演示数据"
"""What everything shown of invented data says (docs/figures.md#golden-city)."""
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫]")
_CENT = Decimal("0.01")
_ONE = Decimal(1)


class Form(StrEnum):
    """What a figure is, and so how it is shown."""

    TEXT = "text"
    COUNT = "count"
    """A whole number, with thousands separators."""
    AMOUNT = "amount"
    """万元, two decimals, with thousands separators."""
    PERCENT = "percent"
    """Percent, two decimals, without the sign."""
    SCORE = "score"
    """Points, two decimals."""
    RANK = "rank"
    """A place: a whole number."""
    EXACT = "exact"
    """As it is on record, unrounded, with thousands separators."""


def form_of(unit: str) -> Form:
    """The form of a metric's values, from its unit in include/reference/metrics.yaml."""
    return {"万元": Form.AMOUNT, "%": Form.PERCENT, "分": Form.SCORE, "位": Form.RANK}.get(unit, Form.COUNT)


def rounded(value: Decimal | int, form: Form) -> Decimal:
    """The value as it is shown, as a number."""
    if form is Form.EXACT:
        return Decimal(value)
    step = _ONE if form in (Form.COUNT, Form.RANK) else _CENT
    return Decimal(value).quantize(step, ROUND_HALF_UP) + 0  # + 0: no minus before a zero


def shown(value: Decimal | int | str | None, form: Form = Form.AMOUNT) -> str:
    """The value as text; a dash where there is none."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    number = rounded(value, form)
    return f"{number:f}" if form is Form.RANK else f"{number:,f}"


def is_control(character: str) -> bool:
    """Whether it is a control character, such as NUL, or half of a character: nobody can read it."""
    return unicodedata.category(character) in ("Cc", "Cs")


def text_width(text: str) -> int:
    """How wide a text is, in characters of Latin width; full-width ones count twice."""
    if text.isascii():
        return max(map(len, text.split("\n")))
    return max(
        sum(2 if unicodedata.east_asian_width(each) in "WFA" else 1 for each in line) for line in text.split("\n")
    )


def could_run(text: str) -> bool:
    """Whether a spreadsheet that the text is put into could take it for a formula (docs/intake.md#the-receipt).

    Spreadsheets pass over blanks, line feeds and marks without width before a sign, and Chinese editions take a
    full-width sign for the narrow one.
    """
    return _FORMULA.match(text) is not None


def inert(text: str) -> str:
    """The text, in quotation marks where a spreadsheet that it is put into could run it as a formula."""
    return f"“{text}”" if could_run(text) else text
