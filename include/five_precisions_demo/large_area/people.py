"""Poor households of an invented area, and the visits that banks pay them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from five_precisions.period import Period
from five_precisions_demo.city.timetable import workdays
from five_precisions_demo.large_area.identities import Texts, chance, draw_names, only_where, padded, resident_ids
from five_precisions_demo.large_area.register import TOWNS, AreaRegister, Places
from five_precisions_demo.large_area.size import AreaSize

VISITED_EVERY: Final = 8
"""Months between two visits to a household, which is a round."""
VISITS_A_DAY: Final = 20
"""Of one officer; more than 30 ask for an explanation (V02)."""
LOANS_FROM_DAY: Final = 10
"""No loan is issued on an earlier day of a month, so that its household can be seen before."""
_ABLE: Final = 0.94
_SEEN_BEFORE_A_LOAN: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The households; those of the first county come first."""

    rows: pd.DataFrame
    """Report `households`, with amounts in hundredths."""
    county: Places
    """The place of each one's county."""
    bank: Places
    """The place of each one's responsible bank."""
    able: Places
    """Those able to work, in order."""


def settle_people(size: AreaSize, register: AreaRegister) -> People:
    """As many households in every county."""
    rng, number = chance(size.seed, "households"), size.households
    everybody = np.arange(number)
    county = everybody * len(register.counties) // number
    town = county * TOWNS + rng.integers(0, TOWNS, number)
    bank = np.empty(number, dtype=np.int64)
    for place in range(len(register.counties)):
        own = county == place
        bank[own] = rng.choice(register.banks_of(place), own.sum())
    members = rng.integers(1, 7, number)
    workers = np.where(rng.random(number) < _ABLE, rng.integers(1, members + 1), 0)
    has_debts = rng.random(number) < 0.4
    rows = pd.DataFrame(
        {
            "delivered_by": np.array(register.offices)[county],
            "household_no": padded("H", everybody, 7),
            "head_name": draw_names(rng, number),
            "head_id": resident_ids(everybody),
            "town_code": np.array(register.towns)[town],
            "village": np.array([f"第{village}村" for village in range(1, 13)])[rng.integers(0, 12, number)],
            "members": members,
            "workers": workers,
            "income_per_head": rng.integers(2_500, 12_000, number) * 100,
            "debts": np.where(has_debts, rng.integers(1, 80, number) * 100_000, 0),
            "has_business": rng.random(number) < 0.6,
            "trained": rng.random(number) < 0.5,
            "status": np.array(["未脱贫", "已脱贫", "边缘户"])[rng.integers(0, 3, number)],
            "bank_code": np.array(register.banks)[bank],
        }
    )
    return People(rows=rows, county=county, bank=bank, able=np.flatnonzero(workers > 0))


def pay_visits(size: AreaSize, register: AreaRegister, people: People, lent_to: Places, period: Period) -> pd.DataFrame:
    """Report `visits` of the month: one able household in eight, and nearly all that borrow in it, before they do.

    Args:
        size: Of the area.
        register: Of the area.
        people: Of the area.
        lent_to: The places of the households that borrow in the month.
        period: The month.
    """
    rng = chance(size.seed, f"visits {period}")
    since = (period.year - size.first.year) * 12 + period.month - size.first.month
    due = people.able[people.able % VISITED_EVERY == since % VISITED_EVERY]
    first = np.unique(lent_to)
    first = first[rng.random(len(first)) < _SEEN_BEFORE_A_LOAN]
    household = np.concatenate([first, np.setdiff1d(due, first)])
    is_first = np.arange(len(household)) < len(first)
    days = np.array(workdays(period), dtype="datetime64[D]")
    early = days[days < np.datetime64(f"{period}-{LOANS_FROM_DAY:02}")]
    bank = people.bank[household]
    # Early days and late ones have officers of their own, so that nobody has a day too many.
    nth = _place_within(bank * 2 + is_first)
    day = np.where(
        is_first,
        early[nth // VISITS_A_DAY % len(early)],
        days[len(early) :][nth // VISITS_A_DAY % len(days[len(early) :])],
    )
    per_officer = VISITS_A_DAY * np.where(is_first, len(early), len(days) - len(early))
    wants = rng.random(len(household)) < 0.15
    return pd.DataFrame(
        {
            "delivered_by": np.array(register.banks)[bank],
            "household_no": people.rows["household_no"].to_numpy()[household],
            "visited_on": day,
            "round": 1 + since // VISITED_EVERY,
            "officer": _officers(nth // per_officer, is_first),
            "cadre": None,
            "wants_loan": wants,
            "wanted_amount": only_where(wants, rng.integers(1, 6, len(household)) * 1_000_000, "Int64"),
            "filed": True,
            "conduct": rng.integers(2, 6, len(household)),
        }
    )


def _officers(numbers: Places, is_first: npt.NDArray[np.bool_]) -> Texts:
    kinds = np.where(is_first, "贷前信贷员", "信贷员")
    return np.strings.add(kinds, numbers.astype("U6"))


def _place_within(groups: Places) -> Places:
    """Where each one stands among those of its group, from 0."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    place = np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))
    found = np.empty_like(place)
    found[order] = place
    return found
