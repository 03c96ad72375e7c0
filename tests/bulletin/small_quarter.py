"""A small city's quarter by hand: two banks, one county; each test changes what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from five_precisions.bulletin.document import Source
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import (
    Assessment,
    BoardPlace,
    Division,
    Institution,
    Item,
    Reporting,
    Results,
    Run,
)
from five_precisions.period import Period, Quarter
from five_precisions.reference import load_catalogue, load_indicators
from five_precisions.register import InstitutionKind
from five_precisions.settings import Settings

CITY, COUNTY = "441700", "441702"
QUARTER = Quarter(2019, 2)
MARCH, JUNE = Period(2019, 3), QUARTER.last_month

_OF_BANKS: Mapping[str, tuple[str, str]] = {
    "loan_balance": ("600", "400"),
    "loan_balance_industry": ("300", "200"),
    "loan_balance_personal": ("300", "200"),
    "loan_balance_operating": ("200", "100"),
    "loan_balance_education": ("50", "50"),
    "loan_balance_consumption": ("50", "50"),
    "microcredit_balance": ("60", "40"),
    "microcredit_ytd_households": ("12", "8"),
    "microcredit_ytd_amount": ("24", "16"),
    "microcredit_cumulative_households": ("24", "16"),
    "microcredit_cumulative_amount": ("80", "50"),
    "microcredit_growth": ("20", "5"),
    "microcredit_completion": ("120", "80"),
    "microcredit_overdue_ratio": ("0", "0"),
    "visit_coverage_standing": ("90", "90"),
    "match_rate": ("80", "80"),
}
_OF_CITY: Mapping[str, str] = {
    "overdue_ratio": "0.5",
    "microcredit_growth": "12.5",
    "all_loans_growth": "4",
    "microcredit_ytd_households_yoy": "25",
    "microcredit_ytd_amount_yoy": "-20",
    "microcredit_overdue_ratio": "0",
    "project_count": "3",
    "project_demand": "900",
    "project_jobs": "10",
    "projects_matched": "2",
    "projects_paired": "1",
    "projects_stale": "0",
    "match_rate": "66.666666",
    "households_able": "100",
    "households_visited_cumulative": "90",
    "visit_coverage_round_1": "90",
    "visit_coverage": "90",
    "visit_coverage_standing": "90",
    "households_scored": "100",
    "score_average": "61.005",
    "households_wanting": "0",
    "activities_month": "4",
    "cadres_trained_cumulative": "20",
    "leaflets_cumulative": "100",
    "outreach_team": "5",
    "outreach_towns_quarter": "6",
    "outreach_town_coverage": "100",
}


def small_quarter(
    changed: Mapping[tuple[str, str, str, Period], str | None] | None = None,
    *,
    months: tuple[Period, ...] | None = None,
    quarter: Quarter = QUARTER,
) -> QuarterResults:
    """The small city's second quarter, or another one.

    Args:
        changed: values by metric, scope, code and month that differ from the usual ones; None takes one away.
        months: the assessed ones; by default March to June.
        quarter: whose last month the results are of.
    """
    assessed = months or (MARCH, *QUARTER.months)
    values: dict[Source, Decimal] = {}
    for month in assessed:
        for metric, (first, second) in _OF_BANKS.items():
            values[Source(metric, "bank", "B01", str(month))] = Decimal(first)
            values[Source(metric, "bank", "B02", str(month))] = Decimal(second)
            values[Source(metric, "city", CITY, str(month))] = Decimal(first) + Decimal(second)
        for metric, value in _OF_CITY.items():
            values[Source(metric, "city", CITY, str(month))] = Decimal(value)
            values[Source(metric, "county", COUNTY, str(month))] = Decimal(value)
    for (metric, scope, code, month), other in (changed or {}).items():
        source = Source(metric, scope, code, str(month))
        values.pop(source, None)
        if other is not None:
            values[source] = Decimal(other)
    results = Results(
        month=quarter.last_month,
        first=Period(2018, 12),
        runs={str(month): _run(month) for month in assessed},
        catalogue=load_catalogue(Settings(_env_file=None)),
        city=Division(CITY, "演示市", "city"),
        counties=[Division(COUNTY, "江城区", "county")],
        institutions={
            "B01": Institution("B01", "甲银行演示分行", "甲银行", InstitutionKind.BANK, CITY),
            "B02": Institution("B02", "乙银行演示分行", "乙银行", InstitutionKind.BANK, CITY),
            "C01": Institution("C01", "江城区扶贫办", "江城扶贫办", InstitutionKind.COUNTY_OFFICE, COUNTY),
            "Z01": Institution("Z01", "演示市中心支行", "中心支行", InstitutionKind.CENTRE, CITY),
        },
        names={"B01": "甲银行", "B02": "乙银行", "C01": "江城扶贫办", "Z01": "中心支行"},
        values=values,
        restated=(),
        assessments={
            str(month): {
                "B01": Assessment(str(month), "B01", Decimal("91.50"), Decimal(0), "优秀", 1, 1, None),
                "B02": Assessment(str(month), "B02", Decimal("70.25"), Decimal(2), "一般", 2, 2, None),
            }
            for month in assessed
        },
        items={
            bank: {
                indicator: Item(bank, indicator, Decimal(weight), None, Decimal(points), "")
                for indicator, weight in zip(load_indicators(), (20, 40, 10, 10, 10, 10), strict=True)
            }
            for bank, points in (("B01", "0.915"), ("B02", "0.7225"))
        },
        boards={
            "league_ytd_amount": [
                BoardPlace("league_ytd_amount", "440800", "邻市", Decimal(90), 1, 1),
                BoardPlace("league_ytd_amount", CITY, "演示市", Decimal(40), 2, 3),
            ]
        },
        targets={"B01": 20, "B02": 20},
        reporting=[
            Reporting(str(month), code, "loans", "accepted", 1, True, True, 0, 0)
            for month in assessed
            for code in ("B01", "B02")
        ],
        alerts=[],
        inspections=[],
        grids=[],
        visit_round=1,
    )
    return QuarterResults(quarter, results, date(2019, 7, 10))


def _run(month: Period) -> Run:
    return Run(f"{month}-r1", str(month), 1, datetime(2019, 7, 10, tzinfo=UTC), "ab" * 32, "2016", "2016", "1")
