"""A city of three banks and four households, computed by hand (docs/figures.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures import assess, explain
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY, Figure
from tests.figures.january import deliver_january
from tests.figures.small_city import SmallCity


@pytest.fixture
def january(engine: Engine, settings: Settings) -> Engine:
    """The warehouse with January delivered, closed and assessed."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        deliver_january(city)
        city.close(JANUARY)
    assert assess(engine, settings, JANUARY).is_new
    return engine


LOANS = [
    ("loan_balance", "city", "441700", "8"),
    ("loan_balance", "bank", "B01", "4"),
    ("loan_balance", "bank", "B03", None),
    ("loan_balance", "county", "441704", "4"),
    ("loan_balance", "town", "441702002", "0"),
    ("loan_count", "bank", "B01", "2"),
    ("microcredit_cumulative_households", "city", "441700", "3"),
    ("microcredit_ytd_households", "bank", "B01", "1"),
    # L2 was issued on the last day of the same months a year before, L3 a day later.
    ("microcredit_ytd_households_prior", "bank", "B01", "1"),
    ("microcredit_ytd_amount_yoy", "bank", "B01", "0"),
    ("microcredit_ytd_amount_yoy", "bank", "B02", None),
    ("overdue_ratio", "city", "441700", "50"),
    ("microcredit_overdue_ratio", "bank", "B02", "100"),
]
POSITION = [
    ("all_loans_growth", "city", "441700", "6.25"),
    ("microcredit_growth", "bank", "B01", "100"),
    ("microcredit_growth", "bank", "B02", None),
    # A ratio of two reports: B03's year-begin figure does not count, its ledger is missing.
    ("microcredit_growth", "city", "441700", "300"),
    ("microcredit_year_begin", "city", "441700", "3"),
]
MATCHING = [
    ("project_count", "city", "441700", "3"),
    ("project_jobs", "county", "441702", "8"),
    ("projects_matched", "city", "441700", "1"),
    ("projects_offered", "bank", "B01", "2"),
    ("match_rate", "bank", "B01", "50"),
    ("match_rate", "bank", "B02", None),
    ("projects_matched", "bank", "B01", "1"),
    ("projects_paired", "bank", "B01", "1"),
    # P2 entered 90 days before the end, P3 91.
    ("projects_stale", "city", "441700", "1"),
]
VISITS = [
    ("households_able", "city", "441700", "3"),
    ("households_visited_cumulative", "city", "441700", "1"),
    ("visit_coverage", "bank", "B01", "50"),
    ("visit_coverage", "bank", "B03", None),
    ("visits_month", "city", "441700", "4"),
    ("visits_month", "bank", "B01", "4"),
    ("visits_made_month", "bank", "B02", "1"),
    ("visits_made_month", "bank", "B03", None),
    # H1 wanted a loan on the 15th, not on the 17th.
    ("households_wanting", "city", "441700", "0"),
]
OUTREACH = [
    ("outreach_team", "city", "441700", "6"),
    ("outreach_town_coverage", "county", "441702", "100"),
    ("outreach_towns_quarter", "city", "441700", "2"),
    ("activities_month", "bank", "B02", "0"),
    ("activities_month", "bank", "B03", None),
    ("cadres_trained_cumulative", "bank", "B03", "0"),
    ("cadres_trained_cumulative", "city", "441700", "8"),
]
FUNDS_AND_REPORTING = [
    ("fund_due", "city", "441700", "200"),
    ("fund_arrival_rate", "city", "441700", "75"),
    ("fund_total_arrived", "city", "441700", "200"),
    ("fund_total_arrived", "county", "441704", "0"),
    ("province_rank", "city", "441700", "2"),
    ("province_cities", "city", "441700", "3"),
    ("reports_expected", "city", "441700", "28"),
    ("reports_received", "bank", "B02", "5"),
    ("reports_on_time", "bank", "B02", "4"),
    ("on_time_rate", "bank", "B01", "100"),
    ("first_pass_rate", "bank", "B02", "100"),
]


@pytest.mark.parametrize(
    ("metric", "scope", "code", "value"), LOANS + POSITION + MATCHING + VISITS + OUTREACH + FUNDS_AND_REPORTING
)
def test_metric(january: Engine, figure: Figure, metric: str, scope: str, code: str, value: str | None) -> None:
    assert figure(metric, scope, code) == (None if value is None else Decimal(value))


def test_household_scores(january: Engine) -> None:
    with january.connect() as connection:
        rows = connection.execute(
            text(
                "select household_no, conduct_points, score, tier, credit_limit "
                "from mart.household_score order by household_no"
            )
        ).all()
    scores = {row.household_no: (row.score, row.tier, row.credit_limit) for row in rows}
    assert scores == {
        # 15 workers, 10 income, 15 no debts, conduct (4 + 5 + 5) / 3 × 4 = 18.67; 30,000 yuan are owed already.
        "H1": (Decimal("58.67"), "A", 0),
        # 10 + 5, debts 4,000 of 7,999.98 are over a half: 5, business 15, no mark of conduct 12.
        "H2": (Decimal("47.00"), "B", 0),
        # 20 + 20, debts 20,000 of 40,000 are a half: 10, trained 10, no mark 12; AA: 30,000 less 40,000 owed.
        "H3": (Decimal("72.00"), "AA", 0),
    }


def test_assessment_by_hand(january: Engine) -> None:
    with january.connect() as connection:
        assessed = connection.execute(
            text(
                "select institution_code, score, deductions, grade, rank, previous_rank, status, reason "
                "from mart.current_assessment order by institution_code"
            )
        ).all()
        items = connection.execute(
            text("select institution_code, indicator, round(points, 4) as points from mart.current_assessment_item")
        ).all()
    points = {(row.institution_code, row.indicator): row.points for row in items}
    expected = {
        ("B01", "growth"): "1",
        ("B01", "completion"): "0.02",
        ("B01", "matching"): "0.5",
        ("B01", "visits"): "0.5",
        ("B01", "quality"): "1",
        ("B01", "reporting"): "0.9167",
        ("B02", "growth"): "1",
        ("B02", "completion"): "0.04",
        ("B02", "matching"): "0",
        ("B02", "visits"): "0",
        ("B02", "quality"): "0",
        ("B02", "reporting"): "0.8333",
    }
    assert points == {key: Decimal(value) for key, value in expected.items()}
    # 20 + 0.8 + 5 + 5 + 10 + 9.1667 - 2 for the overdue finding; 20 + 1.6 + 8.3333.
    assert [tuple(row) for row in assessed] == [
        ("B01", Decimal("47.97"), 2, "勉励", 1, None, "ranked", None),
        ("B02", Decimal("29.93"), 0, "勉励", 2, None, "ranked", None),
        ("B03", None, None, None, None, None, "unranked", "暂不排名：《金融精准扶贫贷款台账》未报送"),
    ]


def test_an_unranked_bank_stays_on_boards_where_it_has_a_value(january: Engine) -> None:
    with january.connect() as connection:
        boards = connection.execute(
            text("select board, subject_code, rank from mart.current_ranking order by board, rank, subject_code")
        ).all()
    places = {(row.board, row.subject_code): row.rank for row in boards}
    assert places[("bank_score", "B01")] == 1
    assert ("bank_score", "B03") not in places
    # 4 万元 of B01's own county and 4 of B02's: ties share the better place.
    assert places[("league_ytd_amount", "440200")] == 1
    assert places[("league_ytd_amount", "441700")] == places[("league_ytd_amount", "440100")] == 2


def test_equal_quotients_share_a_place_however_many_digits_they_are_kept_to(engine: Engine, settings: Settings) -> None:
    """Both banks have grown by a third: of 1.2 and of 0.3 万元."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        for bank, balance, year_begin in (("B01", 16000, "1.2"), ("B02", 4000, "0.3"), ("B03", 3000, "0.3")):
            loan = {"contract_no": "L1", "household_no": bank, "balance": balance}
            city.deliver(JANUARY, bank, loans=[loan], position=[{"microcredit_year_begin": year_begin}])
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.close(JANUARY)
    assess(engine, settings, JANUARY)
    with engine.connect() as connection:
        board = connection.execute(
            text(
                "select subject_code, rank, round(value, 6) as value from mart.current_ranking "
                "where board = 'bank_microcredit_growth' order by subject_code"
            )
        ).all()
    third = Decimal("33.333333")
    assert [tuple(row) for row in board] == [("B01", 1, third), ("B02", 1, third), ("B03", 3, 0)]


def test_relending_advice_is_for_local_legal_persons(january: Engine) -> None:
    with january.connect() as connection:
        advice = connection.execute(
            text("select institution_code, issue, extension, reason from mart.current_relending_advice")
        ).all()
    assert [(row.institution_code, row.issue, row.extension) for row in advice] == [("B01", "暂缓", "不予展期")]
    assert "勉励" in advice[0].reason


def test_what_is_not_assessed_gives_no_points_and_takes_its_weight_along(engine: Engine, settings: Settings) -> None:
    """B02 has no funds, so no target; nothing was offered to it, and no household is assigned to it."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "B02", loans=[{"contract_no": "L1"}], position=[{"microcredit_year_begin": 0}])
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.close(JANUARY)
    assess(engine, settings, JANUARY)
    with engine.connect() as connection:
        items = connection.execute(
            text("select indicator, points from mart.current_assessment_item where institution_code = 'B02'")
        ).all()
        score = connection.execute(
            text("select score from mart.current_assessment where institution_code = 'B02'")
        ).scalar_one()
    points = {row.indicator: row.points for row in items}
    assert [points[indicator] for indicator in ("completion", "matching", "visits")] == [None, None, None]
    assert (points["growth"], points["quality"]) == (1, 1)
    # 20 + 10 + 10 × (2 of 6 on time + 2 of 2 at once) / 2, of the 40 that are assessed.
    assert score == Decimal("91.67")


def test_months_go_in_order(january: Engine, settings: Settings) -> None:
    with pytest.raises(RefusedError, match="2019-02 is not closed"):
        assess(january, settings, FEBRUARY)
    march = Period(2019, 3)
    with january.begin() as connection:
        city = SmallCity.__new__(SmallCity)
        city._connection, city._versions = connection, {}
        for period in (FEBRUARY, march):
            city.open(period)
            city.close(period)
    with pytest.raises(RefusedError, match="2019-02 is closed and has no figures yet"):
        assess(january, settings, march)


def test_a_late_version_changes_no_announced_figure(january: Engine, settings: Settings, figure: Figure) -> None:
    with january.begin() as connection:
        city = SmallCity.__new__(SmallCity)
        city._connection, city._versions = connection, {(JANUARY, "B01"): 2}
        city.deliver(JANUARY, "B01", day=25, visits=[{"household_no": "H2"}])
        city.open(FEBRUARY)
        city.deliver(FEBRUARY, "C01", households=[{"household_no": "H1"}, {"household_no": "H2"}])
        city.close(FEBRUARY)
    assert not assess(january, settings, JANUARY).is_new
    assert figure("households_visited_cumulative") == 1
    # February takes for January what January's run used: H1 was visited, H2 was not.
    assert assess(january, settings, FEBRUARY).is_new
    assert figure("households_visited_cumulative", period=FEBRUARY) == 1
    assert figure("visits_month", period=FEBRUARY) is None
    assert figure("households_able", "county", "441704", FEBRUARY) is None


def test_a_round_once_reached_stays_reached_and_the_next_one_begins(
    engine: Engine, settings: Settings, figure: Figure
) -> None:
    march = Period(2019, 3)
    with engine.begin() as connection:
        city = SmallCity(connection)
        for period in (JANUARY, FEBRUARY, march):
            city.open(period)
            households = [{"household_no": f"H{number}"} for number in range(20 if period == JANUARY else 40)]
            city.deliver(period, "C01", households=households, guarantee_funds=[{}])
        # 17 of 20 are exactly 85 percent.
        city.deliver(JANUARY, "B01", visits=[{"household_no": f"H{number}"} for number in range(17)])
        city.deliver(FEBRUARY, "B01", visits=[{"household_no": "H0", "round": 2, "visited_on": date(2019, 2, 3)}])
        for period in (JANUARY, FEBRUARY, march):
            city.close(period)
    for period in (JANUARY, FEBRUARY, march):
        assess(engine, settings, period)
    assert figure("visit_coverage") == 85
    # From February on round 2 counts, though round 1 has fallen to 17 of 40 by new households.
    assert figure("visit_coverage", period=FEBRUARY) == Decimal("2.5")
    assert figure("visit_coverage_standing", period=FEBRUARY) == Decimal("42.5")
    assert figure("visit_coverage", period=march) == Decimal("2.5")


def test_explain_gives_the_figure_with_its_formula(january: Engine, settings: Settings) -> None:
    explained = explain(january, settings, "match_rate", scope="bank", code="B01", period=JANUARY)
    assert (explained.value, explained.numerator, explained.denominator) == (50, 1, 2)
    assert (explained.run_id, explained.unit, explained.name) == ("2019-01-r1", "%", "项目对接率")
    assert explain(january, settings, "loan_balance", scope="city", code=None, period=JANUARY).code == "441700"
    assert explain(january, settings, "loan_balance", scope="bank", code="B03", period=JANUARY).value is None


@pytest.mark.parametrize(
    ("metric", "scope", "code", "sentence"),
    [
        ("no_such", "city", None, "is no metric"),
        ("projects_offered", "city", None, "holds for bank"),
        ("loan_balance", "bank", "B99", "no bank 'B99'"),
        ("loan_balance", "county", None, "Which county"),
    ],
)
def test_explain_names_what_is_wrong(
    january: Engine, settings: Settings, metric: str, scope: str, code: str | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        explain(january, settings, metric, scope=scope, code=code, period=JANUARY)
