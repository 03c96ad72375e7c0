"""The demo's June 2019, read back from its files, comes to the published figures (docs/figures.md#golden-city)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).parents[1] / "golden-2019-06.csv"
JUNE = "2019-06"
MONTHS = [f"2019-0{month}" for month in range(1, 7)]
WAN = Decimal(10_000)
Accepted = Callable[[str, str], pd.DataFrame]


def total(column: pd.Series) -> Decimal:
    return sum(column, Decimal(0))


def growth(now: Decimal | int, before: Decimal | int) -> Decimal:
    return (Decimal(now) / Decimal(before) - 1) * 100


def loan_figures(accepted: Accepted) -> dict[str, Decimal | int]:
    loans = accepted("loans", JUNE)
    assert 9_500 < len(loans) < 10_500
    micro = loans[loans.microcredit == "是"]

    def issued(year: int) -> pd.DataFrame:
        return micro[[date(year, 1, 1) <= day <= date(year, 6, 30) for day in micro.issued_on]]

    projects = loans[(loans.category == "产业") & loans.project_no.notna()]
    projects = projects[[day >= date(2016, 12, 1) for day in projects.issued_on]]
    personal = loans[loans.category != "产业"]
    assert set(personal.category) == {"个人经营", "个人教育", "个人消费"}
    now, before = issued(2019), issued(2018)
    return {
        "loan_balance": total(loans.balance) / WAN,
        "loan_balance_industry": total(loans[loans.category == "产业"].balance) / WAN,
        "loan_balance_personal": total(personal.balance) / WAN,
        "project_loan_cumulative": total(projects.principal) / WAN,
        "microcredit_cumulative_households": micro.household_no.nunique(),
        "microcredit_cumulative_amount": total(micro.principal) / WAN,
        "microcredit_ytd_households": now.household_no.nunique(),
        "microcredit_ytd_amount": total(now.principal) / WAN,
        "microcredit_ytd_households_yoy": growth(now.household_no.nunique(), before.household_no.nunique()),
        "microcredit_ytd_amount_yoy": growth(total(now.principal), total(before.principal)),
    }


def other_figures(accepted: Accepted) -> dict[str, Decimal | int]:
    projects = accepted("projects", JUNE)
    projects = projects[projects.status != "退出"]
    league = accepted("league", JUNE)
    own = league.loc[league.city_code == "441700", "ytd_amount"].item()
    households = accepted("households", JUNE)
    able = set(households.loc[households.workers > 0, "household_no"])
    assert len(able) < len(households)
    visits = pd.concat([accepted("visits", month) for month in MONTHS])
    outreach = pd.concat([accepted("outreach", month) for month in MONTHS])
    teams = outreach[outreach.institution.str.startswith("C") & outreach.team_size.notna()]
    teams = teams.sort_values(["town_code", "held_on", "team_size"]).groupby("town_code").team_size.last()
    assert len(teams) == 48
    return {
        "project_count": len(projects),
        "project_jobs": int(projects.jobs.sum()),
        "province_rank": 1 + int((league.ytd_amount > own).sum()),
        "households_visited_cumulative": len(able & set(visits.household_no)),
        # Every item of the scorecard has a rule for every value, so every household able to work has a score.
        "households_scored": len(able),
        "score_coverage": Decimal(100),
        "cadres_trained_cumulative": int(outreach.cadres.sum()),
        "leaflets_cumulative": int(outreach.leaflets.sum()),
        "outreach_team": int(teams.sum()),
    }


@pytest.fixture(scope="module")
def figures(accepted: Accepted) -> dict[str, Decimal | int]:
    return loan_figures(accepted) | other_figures(accepted)


def golden() -> dict[str, str]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return {row["metric"]: row["value"] for row in csv.DictReader(file)}


def test_golden_file_has_its_nineteen_figures() -> None:
    assert len(golden()) == 19


@pytest.mark.parametrize(("metric", "published"), golden().items())
def test_june_comes_to_the_published_figure(figures: dict[str, Decimal | int], metric: str, published: str) -> None:
    expected = Decimal(published)
    rounded = Decimal(figures[metric]).quantize(expected, ROUND_HALF_UP)
    assert rounded == expected


def test_amounts_are_exact_and_not_only_to_two_decimals(figures: dict[str, Decimal | int]) -> None:
    exact = ("loan_balance", "loan_balance_industry", "project_loan_cumulative", "microcredit_ytd_amount")
    assert [figures[metric] for metric in exact] == [Decimal(golden()[metric]) for metric in exact]


def test_league_row_of_the_city_is_what_its_loans_say(accepted: Accepted) -> None:
    for month in ("2019-01", "2019-03", "2019-04", "2019-05", JUNE):
        loans = accepted("loans", month)
        micro = loans[loans.microcredit == "是"]
        issued = micro[[day >= date(2019, 1, 1) for day in micro.issued_on]]
        own = accepted("league", month).set_index("city_code").loc["441700"]
        assert own.ytd_households == issued.household_no.nunique()
        assert own.ytd_amount == total(issued.principal) / WAN
        assert own.balance == (total(micro.balance) / WAN).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_round_one_is_done_in_may_so_that_round_two_is_current_in_june(accepted: Accepted) -> None:
    households = accepted("households", JUNE)
    able = set(households.loc[households.workers > 0, "household_no"])
    reached: dict[str, float] = {}
    seen: set[str] = set()
    for month in MONTHS:
        visits = accepted("visits", month)
        seen |= able & set(visits.loc[visits["round"] == 1, "household_no"])
        reached[month] = len(seen) / len(able)
    assert reached["2019-04"] < 0.85 <= reached["2019-05"]
    june = accepted("visits", JUNE)
    assert set(june["round"]) == {1, 2}
