"""Derived columns of the checked frame: named functions that the suites in include/expectations ask for.

A suite's `meta.derived` says `{"term_months": {"function": "term_months", "of": ["issued_on", "matures_on"]}}`. Each
function gets the named columns, row by row aligned. It answers None where something that it needs is empty or faulty:
no finding is a consequence of another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from stdnum.cn import uscc

from five_precisions.errors import SetupError
from five_precisions.reference import find_reference, load_table
from five_precisions.reports.cells import Value
from five_precisions.settings import Settings

_RESIDENT_ID: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_RESIDENT_ID_VALUES: Final = bytes.maketrans(b"0123456789X", bytes(range(11)))
_RESIDENT_ID_WEIGHTS: Final = tuple(pow(2, place, 11) for place in reversed(range(18)))
_BIRTHDAY: Final = slice(6, 14)
_CREDIT_CODE: Final = re.compile(r"[0-9]{8}[0-9A-HJ-NPQRTUWXY]{10}")
_CREDIT_CODE_SIGNS: Final = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE_VALUES: Final = bytes.maketrans(_CREDIT_CODE_SIGNS, bytes(range(len(_CREDIT_CODE_SIGNS))))
_CREDIT_CODE_WEIGHTS: Final = (*(pow(3, place, 31) for place in range(17)), 1)


@dataclass(frozen=True, slots=True)
class Rate:
    """A benchmark rate: valid from a day, for loans up to a number of months (None = longer)."""

    valid_from: date
    up_to_months: int | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class DerivedContext:
    """What derived columns need beyond the rows."""

    last_day: date
    """Last day of the period: no date of birth lies after it."""
    rates: tuple[Rate, ...]


_FIRST_ISSUE: Final = date(2016, 1, 1)
"""Loans issued before are not in the ledger (docs/reports.md#loans, L05)."""
_LONGEST_TERM: Final = 600
"""Months."""
_LARGEST_FRACTION: Final = Decimal("0.5")
"""No loan has so small a rate in percent, and no rate is so large a fraction (docs/reports.md#loans, L16)."""


def load_rates(settings: Settings) -> tuple[Rate, ...]:
    """The dated table of benchmark rates (`from, up_to_months, rate`), in the order of dates and terms.

    A day from which rates hold has one for every term: the last, without a number of months, is for all longer ones.

    Raises:
        SetupError: the file is missing or wrong, or leaves loans of the ledger without a rate.
    """
    path = find_reference(settings, "rates.csv")
    rates: dict[tuple[date, float], Rate] = {}
    for line in load_table(path, ("from", "up_to_months", "rate")):
        valid_from = line.day("from")
        months = line.whole("up_to_months", 1, _LONGEST_TERM) if line.cells["up_to_months"] else None
        term = (valid_from, float("inf") if months is None else months)
        if term in rates:
            raise line.wrong(f"from {valid_from} there is a rate of that term already")
        rates[term] = Rate(valid_from, months, line.percent("rate"))
    if not rates:
        raise SetupError(f"{path} has no rate.")
    if (first := min(valid_from for valid_from, _ in rates)) > _FIRST_ISSUE:
        raise SetupError(f"{path} has no rate before {first}; loans of the ledger are issued from {_FIRST_ISSUE} on.")
    for valid_from in sorted({valid_from for valid_from, _ in rates}):
        if (valid_from, float("inf")) not in rates:
            raise SetupError(
                f"{path} has no rate from {valid_from} for the longest terms: a line whose up_to_months is empty."
            )
    return tuple(rates[term] for term in sorted(rates))


def resident_id_defect(context: DerivedContext, numbers: Sequence[Value]) -> list[Value]:
    """What is wrong with a resident ID (GB 11643): `form`, `birth date` or `check digit`; None = nothing, or empty.

    The area code is not checked: IDs keep the code of their first registration (docs/reports.md#loans, L01).
    """
    texts = [number.upper() if isinstance(number, str) else None for number in numbers]
    formed = [text for text in dict.fromkeys(texts) if text is not None and _RESIDENT_ID.fullmatch(text)]
    is_birthday = {day: _is_birthday(day, context.last_day) for day in {text[_BIRTHDAY] for text in formed}}
    sums = _weighted_sums(formed, _RESIDENT_ID_VALUES, _RESIDENT_ID_WEIGHTS)
    defects = {
        text: "birth date" if not is_birthday[text[_BIRTHDAY]] else "check digit" if weighted % 11 != 1 else None
        for text, weighted in zip(formed, sums, strict=True)
    }
    return [None if text is None else defects.get(text, "form") for text in texts]


def _is_birthday(digits: str, last_day: date) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) <= last_day
    except ValueError:
        return False


def credit_code_defect(_: DerivedContext, codes: Sequence[Value]) -> list[Value]:
    """`invalid` where a 统一社会信用代码 (GB 32100) lacks its form or check digit; None = nothing wrong."""
    texts = [code for code in dict.fromkeys(codes) if isinstance(code, str)]
    # The library cleans a number five times before it sums; where there is nothing to clean, the sum is all.
    formed = [text for text in texts if _CREDIT_CODE.fullmatch(text)]
    sums = _weighted_sums(formed, _CREDIT_CODE_VALUES, _CREDIT_CODE_WEIGHTS)
    is_valid = {text: weighted % len(_CREDIT_CODE_SIGNS) == 0 for text, weighted in zip(formed, sums, strict=True)}
    is_valid |= {text: bool(uscc.is_valid(text)) for text in texts if text not in is_valid}
    return ["invalid" if isinstance(code, str) and not is_valid[code] else None for code in codes]


def _weighted_sums(codes: Sequence[str], values: bytes, weights: Sequence[int]) -> list[int]:
    """Of each code the sum of its signs' values, by their places' weights: its last sign makes it what it must be."""
    import numpy as np

    signs = np.frombuffer("".join(codes).encode().translate(values), dtype=np.uint8)
    sums: list[int] = (signs.reshape(len(codes), len(weights)) @ np.array(weights)).tolist()
    return sums


def term_months(_: DerivedContext, begins: Sequence[Value], ends: Sequence[Value]) -> list[Value]:
    """Months from one day to a later one, a begun month counted whole; None where the second is not later."""
    known = {dates: _months(*dates) for dates in set(zip(begins, ends, strict=True))}
    return [known[dates] for dates in zip(begins, ends, strict=True)]


def _months(begin: Value, end: Value) -> int | None:
    if not (isinstance(begin, date) and isinstance(end, date)) or end <= begin:
        return None
    return (end.year - begin.year) * 12 + end.month - begin.month + (end.day > begin.day)


def benchmark_rate(context: DerivedContext, begins: Sequence[Value], ends: Sequence[Value]) -> list[Value]:
    """The benchmark rate in percent of a loan's issue date and term; None where the table knows none."""
    known = {dates: _rate(context.rates, dates[0], _months(*dates)) for dates in set(zip(begins, ends, strict=True))}
    return [known[dates] for dates in zip(begins, ends, strict=True)]


def _rate(rates: Sequence[Rate], issued_on: Value, months: int | None) -> Decimal | None:
    if months is None or not isinstance(issued_on, date):
        return None
    valid = [rate for rate in rates if rate.valid_from <= issued_on]
    if not valid:
        return None
    newest = max(rate.valid_from for rate in valid)
    table = sorted(
        (rate for rate in valid if rate.valid_from == newest),
        key=lambda rate: float("inf") if rate.up_to_months is None else rate.up_to_months,
    )
    return next((rate.rate for rate in table if rate.up_to_months is None or months <= rate.up_to_months), None)


def count_of_group(_: DerivedContext, *columns: Sequence[Value]) -> list[Value]:
    """In the first row of each group of equal values its number of rows: one fact is found once. None elsewhere."""
    groups = list(zip(*columns, strict=True))
    left = Counter(group for group in groups if None not in group)
    return [left.pop(group, None) for group in groups]


def capitals_once_per(_: DerivedContext, texts: Sequence[Value], owners: Sequence[Value]) -> list[Value]:
    """The text in capitals in the first row of each owner; None in further rows of the same owner."""
    seen: set[Value] = set()
    capitals: list[Value] = []
    for text, owner in zip(texts, owners, strict=True):
        is_first = owner not in seen and owner is not None
        capitals.append(text.upper() if is_first and isinstance(text, str) else None)
        seen.add(owner)
    return capitals


def share_of_fractions(_: DerivedContext, percents: Sequence[Value]) -> list[Value]:
    """In the first row whose percent lies above 0 and below 0.5, the share of such rows, in percent. None elsewhere.

    Where they are many, a fraction was given for a percent: 0.0475 for 4.75.
    """
    are_fractions = [isinstance(percent, Decimal) and 0 < percent < _LARGEST_FRACTION for percent in percents]
    shares: list[Value] = [None] * len(percents)
    if any(are_fractions):
        shares[are_fractions.index(True)] = Decimal(100) * sum(are_fractions) / len(percents)
    return shares


FUNCTIONS: Final[dict[str, Callable[..., list[Value]]]] = {
    function.__name__: function
    for function in (
        resident_id_defect,
        credit_code_defect,
        term_months,
        benchmark_rate,
        count_of_group,
        capitals_once_per,
        share_of_fractions,
    )
}
