"""Loans of an invented area: who borrowed what, and what is left of it at the end of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from five_precisions.period import Period
from five_precisions_demo.large_area.identities import accounts, chance, only_where, padded, resident_ids
from five_precisions_demo.large_area.industry import Library
from five_precisions_demo.large_area.people import LOANS_FROM_DAY, People
from five_precisions_demo.large_area.register import AreaRegister, Places
from five_precisions_demo.large_area.size import AreaSize

MICROCREDIT, EDUCATION, CONSUMPTION, INDUSTRY = range(4)
_SHARES: Final = (0.70, 0.06, 0.09, 0.15)
_CATEGORIES: Final = np.array(["个人经营", "个人教育", "个人消费", "产业"])
_PURPOSES: Final = np.array(
    [["种植", "养殖", "商贸"], ["教育"] * 3, ["消费", "建房", "消费"], ["加工", "种植", "养殖"]]
)
_FIRST_MONTH: Final = np.datetime64("2016-01")
_LAST_LOAN_DAY: Final = 28
_RISK_FROM_DAYS: Final = (1, 91, 181, 361)
_RISK_CLASSES: Final = np.array(["正常", "关注", "次级", "可疑", "损失"])
_NEVER: Final = np.datetime64("2999-12-31")

# What is not as it should be, as a share of the loans that it may befall.
_NOT_PAID_BACK: Final = 0.01
_BEHIND: Final = 0.005
_ABOVE_THE_LIMIT: Final = 0.001
_FOR_CONSUMPTION: Final = 0.0005
_BY_A_RELATIVE: Final = 0.0005
_SHARED_ACCOUNT: Final = 0.0005

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lending:
    """All loans, by bank and number; those of `rows` that a month does not know yet are issued later."""

    rows: pd.DataFrame
    """Report `loans` without what changes; the balance is that of a loan that runs. Amounts in fen."""
    household: Places
    """The place of each one's household; -1: it has none."""
    settled_on: Days
    overdue_since: Days


def lend(size: AreaSize, register: AreaRegister, people: People, library: Library) -> Lending:
    """As many loans as the size says, issued up to the end of its last month; each bank has one at least."""
    rng, number = chance(size.seed, "loans"), size.loans
    bank = np.sort(np.r_[np.arange(len(register.banks)), rng.integers(0, len(register.banks), number)][:number])
    county = register.bank_counties[bank, rng.integers(0, register.bank_counties.shape[1], number)]
    kind = rng.choice(len(_SHARES), number, p=_SHARES)
    is_industry, is_micro = kind == INDUSTRY, kind == MICROCREDIT
    household = np.where(is_industry, -1, _drawn(rng, people.county, people.able, county))
    project = _drawn(rng, library.county, np.arange(size.projects), county)
    issued_on = _draw_days(rng, size.last, number)
    term = rng.choice([12, 24, 36], number)
    matures_on = issued_on + ((issued_on.astype("M8[M]") + term).astype("M8[D]") - issued_on.astype("M8[M]"))
    principal = np.where(is_micro, rng.integers(5, 51, number), rng.integers(10, 200, number)) * 100_000
    principal = np.where(is_industry, rng.integers(10, 400, number) * 1_000_000, principal)
    settled_on, overdue_since = _draw_endings(rng, household, is_micro, issued_on, matures_on)
    relative = (household >= 0) & (rng.random(number) < _BY_A_RELATIVE)
    purpose = np.where(is_micro & (rng.random(number) < _FOR_CONSUMPTION), "消费", _PURPOSES[kind, term // 12 - 1])
    known, owner = people.rows, library.rows
    of_household, of_project = np.maximum(household, 0), project
    in_library = is_industry & (rng.random(number) < 0.8)
    own_id = resident_ids(np.where(relative, size.households + np.arange(number), of_household))
    is_cooperative = owner["operator_id"].str.startswith("93").to_numpy()[of_project]
    borrower = np.where(is_cooperative, "合作社", "企业")
    rows = pd.DataFrame(
        {
            "delivered_by": np.array(register.banks)[bank],
            "contract_no": padded("HT-", np.arange(number), 8),
            "borrower_kind": np.where(is_industry, borrower, "农户"),
            "borrower_name": _either(is_industry, owner["operator"], of_project, known["head_name"], of_household),
            "borrower_id": np.where(is_industry, _texts(owner["operator_id"])[of_project], own_id),
            "household_no": only_where(~is_industry, _texts(known["household_no"])[of_household], "str"),
            "category": _CATEGORIES[kind],
            "microcredit": is_micro,
            "town_code": _either(is_industry, owner["town_code"], of_project, known["town_code"], of_household),
            "issued_on": issued_on,
            "matures_on": matures_on,
            "principal": principal,
            "balance": principal * rng.integers(2, 5, number) // 4,
            "annual_rate": np.where(is_micro, np.where(term == 12, 435, 475), 600),
            "purpose": purpose,
            "security": np.where(is_micro, "信用", "保证"),
            "subsidised": is_micro,
            "extended": False,
            "project_no": only_where(in_library, _texts(owner["project_no"])[of_project], "str"),
            "payee_account": accounts(_draw_accounts(rng, household, size.households + project)),
        }
    )
    return Lending(rows=rows, household=household, settled_on=settled_on, overdue_since=overdue_since)


def loans_in(lending: Lending, period: Period) -> pd.DataFrame:
    """Report `loans` of the month: all that were issued by its end."""
    end = np.datetime64(period.end, "D")
    issued = np.flatnonzero(lending.rows["issued_on"].to_numpy() <= end)
    rows = lending.rows.iloc[issued].reset_index(drop=True)
    rows["balance"] = np.where(lending.settled_on[issued] > end, rows["balance"], 0)
    since = lending.overdue_since[issued]
    days = np.where((rows["balance"] > 0) & (since <= end), (end - since).astype(np.int64) + 1, 0)
    return rows.assign(overdue_days=days, risk_class=_RISK_CLASSES[np.searchsorted(_RISK_FROM_DAYS, days, "right")])


def balances_on(lending: Lending, day: np.datetime64) -> npt.NDArray[np.int64]:
    """What was left of each loan on that day, in fen; 0 before it was issued."""
    runs = (lending.rows["issued_on"].to_numpy() <= day) & (lending.settled_on > day)
    return np.where(runs, lending.rows["balance"].to_numpy(), 0)


def _drawn(rng: np.random.Generator, county_of: Places, candidates: Places, wanted: Places) -> Places:
    """One of the candidates in each wanted county; they stand in the order of their counties."""
    counties = county_of[candidates]
    first, last = np.searchsorted(counties, wanted, "left"), np.searchsorted(counties, wanted, "right")
    return candidates[first + (rng.random(len(wanted)) * (last - first)).astype(np.int64)]


def _draw_days(rng: np.random.Generator, last: Period, number: int) -> Days:
    months = int((np.datetime64(str(last)) - _FIRST_MONTH).astype(np.int64)) + 1
    day = rng.integers(LOANS_FROM_DAY - 1, _LAST_LOAN_DAY, number)
    first_days: Days = (_FIRST_MONTH + rng.integers(0, months, number)).astype("M8[D]")
    return first_days + day


def _draw_endings(
    rng: np.random.Generator, household: Places, is_micro: npt.NDArray[np.bool_], issued_on: Days, matures_on: Days
) -> tuple[Days, Days]:
    """When each loan is paid back, and since when it is overdue: a household owes one microcredit at a time."""
    number = len(household)
    settled_on = matures_on.copy()
    order = np.lexsort((issued_on, household))
    order = order[is_micro[order]]
    same = household[order][1:] == household[order][:-1]
    keeps = rng.random(len(same)) < _ABOVE_THE_LIMIT
    earlier, later = order[:-1][same & ~keeps], order[1:][same & ~keeps]
    settled_on[earlier] = np.minimum(settled_on[earlier], issued_on[later])
    not_paid = (settled_on == matures_on) & (rng.random(number) < _NOT_PAID_BACK)
    behind = rng.random(number) < _BEHIND
    overdue_since = np.where(behind, issued_on + np.timedelta64(90, "D"), _NEVER)
    overdue_since = np.where(not_paid, np.minimum(overdue_since, matures_on + np.timedelta64(1, "D")), overdue_since)
    return np.where(not_paid, _NEVER, settled_on), overdue_since


def _draw_accounts(rng: np.random.Generator, household: Places, otherwise: Places) -> Places:
    """Whose account each loan was paid to: its household's, but for a few that six loans share."""
    owner = np.where(household >= 0, household, otherwise)
    shared = np.flatnonzero((household >= 0) & (rng.random(len(owner)) < _SHARED_ACCOUNT))
    owner[shared] = owner[shared[np.arange(len(shared)) // 6 * 6]]
    return owner


def _texts(series: pd.Series) -> npt.NDArray[np.str_]:
    return series.to_numpy(dtype=np.str_)


def _either(first: npt.NDArray[np.bool_], one: pd.Series, place: Places, other: pd.Series, otherwise: Places) -> object:
    return np.where(first, _texts(one)[place], _texts(other)[otherwise])
