"""What a number's format says of it: that it is a moment, or a percent (docs/reports.md#types).

A format has up to four sections, for positive and negative numbers, zero and texts. A percent sign in quotes, or
behind a sign that makes the next one literal, is shown without changing the number: `0.00"%"` shows 4.9 as 4.90%.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import Final

from five_precisions.reports.cells import Cell

EAST_ASIAN_MOMENTS: Final = frozenset({*range(27, 37), *range(50, 59)})
"""Numbers of built-in formats of Chinese, Japanese and Korean systems: dates and times, none of them in the file."""
BUILT_IN_MOMENTS: Final = EAST_ASIAN_MOMENTS | {*range(14, 23), *range(45, 48)}
BUILT_IN_PERCENTS: Final[Mapping[int, str]] = {9: "0%", 10: "0.00%"}

_MAKES_NEXT_LITERAL: Final = frozenset('\\_*"')
_LONGEST_FORMAT: Final = 1_024
"""Characters; a spreadsheet takes 255."""
_CONDITION = re.compile(r"\[\s*(<=|>=|<>|<|>|=)\s*([-+]?[0-9]+(?:\.[0-9]*)?)\s*\]")
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of a format."""

    is_percent: bool
    condition: tuple[str, float] | None
    """Comparison and number, where it states for which numbers it is."""

    def holds(self, number: float) -> bool:
        return self.condition is not None and _COMPARISONS[self.condition[0]](number, self.condition[1])


def is_percent(format_code: str, number: float = 1.0) -> bool:
    """Whether the format shows this number, or else a positive one, as a hundredfold with a percent sign."""
    sections = _sections(format_code[:_LONGEST_FORMAT])
    return _section_of(number, sections).is_percent


def _section_of(number: float, sections: tuple[_Section, ...]) -> _Section:
    conditional = sections[:2]
    if any(section.condition for section in conditional):
        holding = (section for section in conditional if section.holds(number))
        others = [section for section in sections[:3] if section.condition is None]
        return next(holding, others[-1] if others else sections[0])
    if number < 0 and len(sections) > 1:
        return sections[1]
    if number == 0 and len(sections) > 2:
        return sections[2]
    return sections[0]


@lru_cache(maxsize=1_024)
def _sections(format_code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    has_percent, condition = False, None
    at, end = 0, len(format_code)
    while at < end:
        sign = format_code[at]
        if sign in _MAKES_NEXT_LITERAL:
            closing = format_code.find('"', at + 1) if sign == '"' else at + 1
            at = end if closing < 0 else closing
        elif sign == "[":
            condition = _condition_at(format_code, at) or condition
            closing = format_code.find("]", at)
            at = end if closing < 0 else closing
        elif sign == ";":
            sections.append(_Section(has_percent, condition))
            has_percent, condition = False, None
        has_percent = has_percent or sign == "%"
        at += 1
    return (*sections, _Section(has_percent, condition))


def _condition_at(format_code: str, at: int) -> tuple[str, float] | None:
    found = _CONDITION.match(format_code, at)
    return (found[1], float(found[2])) if found else None


def as_moment(number: float, *, epoch_1904: bool) -> Cell:
    """A date, a moment or the text of a time of day from its serial number, or the number where it is none."""
    import xlrd  # type: ignore[import-untyped]

    if not math.isfinite(number) or number < 0:
        return number
    try:
        moment: datetime = xlrd.xldate_as_datetime(number, int(epoch_1904))
    except (xlrd.xldate.XLDateError, ValueError, OverflowError):
        return number
    if number < 1:
        return str(moment.time())
    return moment.date() if moment.time() == time() else moment
