"""Where the demo's banks stand, and that every alert has a true case, by docs/figures.md read with plain pandas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from five_precisions.period import Period

MONTHS = [f"2019-0{month}" for month in range(1, 7)]
JUNE = MONTHS[-1]
BANKS = [f"B{number:02d}" for number in range(1, 13)]
END = date(2019, 6, 30)
Accepted = Callable[[str, str], pd.DataFrame]


def total(column: pd.Series) -> Decimal:
    return sum(column, Decimal(0))


def split_targets(accepted: Accepted) -> dict[str, int]:
    funds = accepted("guarantee_funds", MONTHS[0])
    basis = {bank: total(funds[funds.bank_code == bank].arrived_amount) for bank in BANKS}
    quotas = {bank: 1200 * fund / sum(basis.values()) for bank, fund in basis.items()}
    targets = {bank: int(quota) for bank, quota in quotas.items()}
    largest = sorted(BANKS, key=lambda bank: (-(quotas[bank] - targets[bank]), -basis[bank], bank))
    for bank in largest[: 1200 - sum(targets.values())]:
        targets[bank] += 1
    return targets


def issued_by(loans: pd.DataFrame) -> pd.DataFrame:
    return loans[(loans.microcredit == "是") & loans.issued_on.map(lambda day: day >= date(2019, 1, 1))]


def completions(accepted: Accepted, month: str) -> dict[str, float]:
    loans = issued_by(accepted("loans", month))
    return {
        bank: loans[loans.institution == bank].household_no.nunique() / (target * Period.parse(month).month / 12) * 100
        for bank, target in split_targets(accepted).items()
        if target
    }


def growths(accepted: Accepted) -> dict[str, float]:
    loans, position = accepted("loans", JUNE), accepted("position", JUNE)
    micro = loans[loans.microcredit == "是"]
    found = {"city": float(total(position.all_loans) / total(position.all_loans_year_begin) - 1) * 100}
    for bank in BANKS:
        begin = total(position[position.institution == bank].microcredit_year_begin)
        found[bank] = float(total(micro[micro.institution == bank].balance) / 10_000 / begin - 1) * 100
    return found


def overdue_ratio(loans: pd.DataFrame) -> float:
    return float(total(loans[loans.overdue_days > 0].balance) / total(loans.balance)) * 100


def match_rates(accepted: Accepted) -> dict[str, float]:
    projects, matches, position = (accepted(report, JUNE) for report in ("projects", "matches", "position"))
    projects = projects[projects.status != "退出"]
    counties = projects.town_code.str[:6]
    rates = {}
    for bank in BANKS:
        own = set(position[position.institution == bank].county_code)
        offered = set(
            projects[(projects.pushed_to == bank) | (projects.pushed_to.isna() & counties.isin(own))].project_no
        )
        rates[bank] = len(offered & set(matches[matches.institution == bank].project_no)) / len(offered) * 100
    return rates


def coverages(accepted: Accepted) -> dict[str, float]:
    households = accepted("households", JUNE)
    able = households[households.workers > 0]
    visits = pd.concat([accepted("visits", month) for month in MONTHS])
    seen = set(visits[visits["round"] == 1].household_no)
    return {bank: able[able.bank_code == bank].household_no.isin(seen).mean() * 100 for bank in BANKS}


@pytest.fixture(scope="module")
def scores(accepted: Accepted) -> dict[str, float]:
    """Reporting and deductions as planted: silence, delay, rejected first versions, high alerts, unmended findings."""
    growth, completion = growths(accepted), completions(accepted, JUNE)
    matching, visits = match_rates(accepted), coverages(accepted)
    loans = accepted("loans", JUNE)
    micro = loans[loans.microcredit == "是"]
    on_time = {"B07": 30 / 36, "B08": 30 / 36}
    rejected_first = {"B01": 1, "B02": 1, "B04": 1, "B05": 1, "B10": 1, "B12": 1}
    deductions = {"B02": 2, "B03": 1, "B04": 2 + 1, "B08": 1, "B10": 1}
    scores = {}
    for bank in BANKS:
        bad = overdue_ratio(micro[micro.institution == bank])
        items = {
            20: 1.0 if growth[bank] > growth["city"] else max(0.0, growth[bank] / growth["city"]),
            10: matching[bank] / 100 + visits[bank] / 100 + min(1.0, max(0.0, (5 - bad) / 4)),
        }
        reporting = (on_time.get(bank, 1.0) + 1 - rejected_first.get(bank, 0) / 36) / 2
        points, weights = 20 * items[20] + 10 * items[10] + 10 * reporting, 60
        if bank in completion:
            points, weights = points + 40 * min(1.0, completion[bank] / 100), 100
        scores[bank] = points / weights * 100 - deductions.get(bank, 0)
    return scores


def test_targets_follow_the_funds_of_january(accepted: Accepted) -> None:
    assert split_targets(accepted) == dict(zip(BANKS, (60, 50, 170, 200, 40, 0, 60, 50, 250, 180, 60, 80), strict=True))


def test_completion_and_growth_tell_the_banks_apart(accepted: Accepted) -> None:
    completion = completions(accepted, JUNE)
    assert min(completion.values()) == completion["B05"] == pytest.approx(35)
    assert max(completion.values()) > 145
    growth = growths(accepted)
    assert 4 < growth["city"] < 9
    assert growth["B02"] < 0
    assert growth["B08"] < 0
    assert 0 < growth["B01"] < growth["city"]
    assert growth["city"] < growth["B07"] < 15
    assert growth["B06"] > 400


def test_all_four_grades_appear_in_june(scores: dict[str, float]) -> None:
    grades: dict[str, set[str]] = defaultdict(set)
    for bank, score in scores.items():
        grades["优秀" if score >= 90 else "良好" if score >= 80 else "一般" if score >= 60 else "勉励"].add(bank)
    assert grades == {
        "优秀": {"B03", "B09", "B11"},
        "良好": {"B04", "B06", "B07", "B10"},
        "一般": {"B01", "B08", "B12"},
        "勉励": {"B02", "B05"},
    }


def test_microcredit_overdue_ratios_spread_over_the_scale(accepted: Accepted) -> None:
    loans = accepted("loans", JUNE)
    micro = loans[loans.microcredit == "是"]
    ratios = {bank: overdue_ratio(micro[micro.institution == bank]) for bank in BANKS}
    assert sum(ratio <= 1 for ratio in ratios.values()) >= 5
    assert sum(1 < ratio < 5 for ratio in ratios.values()) >= 4
    assert [bank for bank, ratio in ratios.items() if ratio >= 5] == ["B05"]


def first_visits(accepted: Accepted) -> dict[str, date]:
    visits = pd.concat([accepted("visits", month) for month in MONTHS])
    return visits.groupby("household_no").visited_on.min().to_dict()


def test_alerts_on_funds(accepted: Accepted) -> None:
    funds = accepted("guarantee_funds", JUNE)
    short = funds[funds.due_on.map(lambda day: day < END) & (funds.arrived_amount < funds.due_amount)]
    assert {
        (row.institution, row.bank_code, row.kind, row.year, row.due_on < END - timedelta(days=60))
        for row in short.itertuples()
    } == {
        ("C02", "B05", "贷款贴息", 2019, True),
        ("C03", "B08", "贷款贴息", 2018, True),
        ("C04", "B07", "风险补偿金", 2019, False),
    }, "A01"


def test_alerts_on_microcredit(accepted: Accepted) -> None:
    issued = issued_by(accepted("loans", JUNE))
    shares = {
        county: float(total(part.principal) / total(issued.principal))
        for county, part in issued.groupby(issued.town_code.str[:6])
    }
    assert shares["441781"] > 0.5, "A02"
    able = {row.household_no: row.workers > 0 for row in accepted("households", JUNE).itertuples()}
    owing = issued[issued.balance > 0]
    assert set(owing[~owing.household_no.map(lambda number: able.get(number, False))].institution) == {"B10", "B12"}, (
        "A08"
    )
    seen = first_visits(accepted)
    unseen = issued[
        [seen.get(number, date.max) > day for number, day in zip(issued.household_no, issued.issued_on, strict=True)]
    ]
    assert sorted(unseen.institution) == ["B01", "B03", "B12"], "A09"
    slow = {}
    for month in MONTHS[3:]:
        reached = completions(accepted, month)
        slow[month] = {bank for bank, per_cent in reached.items() if per_cent < 60}
    assert slow == {"2019-04": {"B02", "B05", "B12"}, "2019-05": {"B02", "B05"}, JUNE: {"B02", "B05"}}, "A17"


def test_alerts_on_overdue_loans(accepted: Accepted) -> None:
    def ratios(month: str) -> dict[str, float]:
        loans = accepted("loans", month)
        return {bank: overdue_ratio(part) for bank, part in loans.groupby("institution")}

    may, june = ratios("2019-05"), ratios(JUNE)
    alarming = {bank for bank, ratio in june.items() if ratio > 3 or ratio >= may[bank] + 1}
    assert {"B05", "B12"} <= alarming, "A11"
    assert alarming <= {"B05", "B12"}
    assert june["B12"] >= may["B12"] + 1


def test_alerts_on_visits(accepted: Accepted) -> None:
    june = accepted("visits", JUNE)
    both = pd.concat([accepted("visits", "2019-05"), june])
    close = []
    for (_, officer, household), part in both.groupby(["institution", "officer", "household_no"]):
        days = sorted(part.visited_on)
        close += [(officer, household, late) for early, late in pairwise(days) if (late - early).days <= 7]
    assert len(close) == 1, "A12"
    crowded = june.groupby(["institution", "officer", "visited_on"]).size()
    assert [bank for bank, *_ in crowded[crowded > 30].index] == ["B09"], "A12"


def test_alerts_on_projects_and_products(accepted: Accepted) -> None:
    projects, matches = accepted("projects", JUNE), accepted("matches", JUNE)
    matched = set(matches[matches.status.isin(["已授信", "已放款"])].project_no)
    old = projects.entered_on.map(lambda day: (END - day).days > 90)
    stale = projects[projects.status.isin(["在库", "实施中"]) & ~projects.project_no.isin(matched) & old]
    assert 8 <= len(stale) <= 30, "A13"
    products = accepted("position", JUNE).groupby("institution").new_products.sum()
    assert set(products[products == 0].index) == {"B02", "B08"}, "A14"


@pytest.mark.parametrize(("months", "silent"), [(MONTHS[:3], "441721105"), (MONTHS[3:], "441781113")])
def test_alert_on_a_town_without_activity(accepted: Accepted, months: list[str], silent: str) -> None:
    held = pd.concat([accepted("outreach", month) for month in months])
    towns = set(accepted("households", JUNE).town_code)
    assert len(towns) == 48
    assert towns - set(held.town_code) == {silent}, "A15"


def test_alerts_on_inspections(accepted: Accepted) -> None:
    findings = accepted("inspections", JUNE)
    overdue: Any = findings[findings.due_on.map(lambda day: day < END) & findings.mended_on.isna()]
    assert sorted(overdue.institution_code) == ["B02", "B04", "C02"], "A16"
