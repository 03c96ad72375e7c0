"""The months before June are a history of the same city (docs/figures.md#golden-city)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest

from five_precisions.period import Period

MONTHS = [f"2019-0{month}" for month in range(1, 7)]
Accepted = Callable[[str, str], pd.DataFrame]
STEADY = ["borrower_id", "household_no", "category", "microcredit", "issued_on", "principal", "project_no"]


def test_ledgers_grow_and_keep_every_contract_but_the_planted_ones(accepted: Accepted) -> None:
    lost = {"2019-03": 1, "2019-04": 1, "2019-05": 1}
    for before, month in pairwise(MONTHS):
        earlier, later = accepted("loans", before), accepted("loans", month)
        delivering = set(earlier.institution) & set(later.institution)
        known = set(earlier[earlier.institution.isin(delivering)].contract_no)
        listed = set(later.contract_no)
        assert len(known) > 7_000
        assert len(known - listed) == lost.get(month, 0)
        fresh = later[later.institution.isin(delivering) & ~later.contract_no.isin(known)]
        found_again = {"2019-04": 1}
        assert len(fresh) > 100
        old = fresh[[day < Period.parse(month).begin for day in fresh.issued_on]]
        # B07 was silent in February, so its loans of February first show in March, outside this comparison.
        assert len(old) == found_again.get(month, 0)


def test_contracts_stay_what_they_were_and_balances_fall(accepted: Accepted) -> None:
    risen = {}
    for before, month in pairwise(MONTHS):
        both = accepted("loans", before).merge(accepted("loans", month), on="contract_no", suffixes=("_before", ""))
        assert len(both) > 7_000
        for column in STEADY:
            same = (both[column] == both[f"{column}_before"]) | (both[column].isna() & both[f"{column}_before"].isna())
            assert same.all(), (month, column)
        risen[month] = int((both.balance > both.balance_before).sum())
        settled = both[both.balance_before == 0]
        assert len(settled) > 500
        assert (settled.balance == 0).all()
    assert risen == {"2019-02": 0, "2019-03": 0, "2019-04": 1, "2019-05": 0, "2019-06": 0}


def test_microcredit_of_the_year_grows_month_by_month(accepted: Accepted) -> None:
    households = []
    for month in MONTHS:
        loans = accepted("loans", month)
        micro = loans[(loans.microcredit == "是") & loans.issued_on.map(lambda day: day >= date(2019, 1, 1))]
        households.append(micro.household_no.nunique())
    assert households == sorted(households)
    assert households[0] > 40
    assert households[-1] == 596


def test_year_begin_of_microcredit_agrees_with_the_ledger(accepted: Accepted) -> None:
    """It never changes, and is at least what the old loans still owe in January."""
    stated = [
        accepted("position", month).set_index(["institution", "county_code"]).microcredit_year_begin for month in MONTHS
    ]
    for month in stated[1:]:
        common = stated[0].index.intersection(month.index)
        assert len(common) > 25
        assert (month[common] == stated[0][common]).all()
    january = accepted("loans", MONTHS[0])
    old = january[(january.microcredit == "是") & january.issued_on.map(lambda day: day < date(2019, 1, 1))]
    for bank, begin in stated[0].groupby("institution").sum().items():
        owed = sum(old[old.institution == bank].balance, Decimal(0)) / 10_000
        assert owed <= begin
        assert begin * Decimal("0.6") <= owed


def test_overdue_days_follow_the_calendar_and_the_class_follows_the_days(accepted: Accepted) -> None:
    late = {month: accepted("loans", month).query("overdue_days > 0").set_index("contract_no") for month in MONTHS}
    for before, month in pairwise(MONTHS):
        both = late[before].merge(late[month], left_index=True, right_index=True, suffixes=("_before", ""))
        assert len(both) > 20
        assert (both.overdue_days - both.overdue_days_before == Period.parse(month).end.day).all()


def test_stocks_of_projects_and_matches_grow(accepted: Accepted) -> None:
    for report, key in (("projects", "project_no"), ("matches", "project_no")):
        sizes = [len(accepted(report, month)) for month in MONTHS if month != "2019-02"]
        assert sizes == sorted(sizes)
        assert sizes[0] > 100
        assert accepted(report, MONTHS[-1])[key].notna().all()


@pytest.mark.parametrize("month", MONTHS)
def test_a_loan_to_a_project_is_a_match_of_that_bank(accepted: Accepted, month: str) -> None:
    loans = accepted("loans", month)
    lent = set(loans[loans.project_no.notna()][["institution", "project_no"]].itertuples(index=False, name=None))
    matches = accepted("matches", month)
    answered = set(
        matches[matches.status == "已放款"][["institution", "project_no"]].itertuples(index=False, name=None)
    )
    assert len(lent) > 100
    assert lent == answered
