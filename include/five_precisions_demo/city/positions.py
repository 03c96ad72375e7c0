"""The banks' positions by county (report `position`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.allotment import HUNDREDTH, apportion
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.loans import Loan
from five_precisions_demo.city.profiles import BankProfile
from five_precisions_demo.city.timetable import PERIODS

_PATH_PER_CENT: Final = (28, 37, 55, 67, 83, 100)
"""How much of the growth by June each month has reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One county of one bank; amounts in fen."""

    county: str
    all_loans: int
    all_loans_year_begin: int
    microcredit_year_begin: int
    relending: int
    relending_extended: int
    new_products: int


def take_positions(seed: int, bank: BankProfile, period: Period, ledger: Iterable[Loan]) -> tuple[Position, ...]:
    """One row per county; the microcredit at the year's begin is that of the bank's own loans."""
    rng = stream(seed, "position", bank.code)
    weights = [weight * rng.randint(70, 130) for weight in bank.shares.values()]
    begin = _split(bank.all_loans, weights)
    jitter = [rng.randint(-15, 15) for _ in bank.counties]
    grown = [_grow(rng, amount, bank, period, points) for amount, points in zip(begin, jitter, strict=True)]
    relending = _split(bank.relending, weights)
    extended = _split(bank.relending_extended, weights)
    owed = dict.fromkeys(bank.counties, 0)
    for loan in ledger:
        if loan.microcredit:
            owed[loan.county] += loan.year_begin_balance
    launched = sum(1 for month in bank.products if month <= period)
    return tuple(
        Position(
            county=county,
            all_loans=grown[i],
            all_loans_year_begin=begin[i],
            microcredit_year_begin=owed[county],
            relending=relending[i],
            relending_extended=extended[i],
            # A new product starts in the bank's first county and comes to the others a little later.
            new_products=launched if i == 0 else max(0, launched - 1),
        )
        for i, county in enumerate(bank.counties)
    )


def _split(amount: int, weights: list[int]) -> list[int]:
    return [share * HUNDREDTH for share in apportion(amount // HUNDREDTH, weights)]


def _grow(rng: Random, begin: int, bank: BankProfile, period: Period, points: int) -> int:
    """The balance in that month: the profile's growth by June, a county a little ahead or behind of it."""
    path = [percent * 10 + rng.randint(-30, 30) for percent in _PATH_PER_CENT[:-1]] + [1000]
    growth = Decimal(bank.growth) * (1000 + points) * path[PERIODS.index(period)] / (100 * 1000 * 1000)
    return int(begin * (1 + growth)) // HUNDREDTH * HUNDREDTH
