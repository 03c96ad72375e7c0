"""What the figures make of reports that are owed from a month on, or until one (docs/own-city.md#obligationscsv)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from five_precisions.figures import assess, preview_restatement, restate
from five_precisions.period import Period
from five_precisions.register import read_register
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from tests.figures.conftest import FEBRUARY, JANUARY, Figure
from tests.figures.small_city import Rows, SmallCity
from tests.figures.test_alerts_funds_and_loans import alerts
from tests.rows import rows

MARCH, JUNE = Period(2019, 3), Period(2019, 6)
Reports = Mapping[tuple[str, str], Rows]
OUTREACH_FROM_FEBRUARY = "update registry.obligation set from_period = '2019-02' where report = 'outreach'"
VISITS_FROM_FEBRUARY = "update registry.obligation set from_period = '2019-02' where report = 'visits'"
MATCHES_FROM_FEBRUARY = "update registry.obligation set from_period = '2019-02' where report = 'matches'"
MATCHES_FROM_SECOND_MONTH = "update registry.obligation set from_month = 2 where report = 'matches'"
LOANS_FROM_SECOND_MONTH = "update registry.obligation set from_month = 2 where report = 'loans'"
B03_OPENS = {"B03": (date(2019, 1, 20), None)}


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def play(
    engine: Engine,
    settings: Settings,
    dates: Sequence[str],
    *months: Reports,
    start: Period = JANUARY,
    lives: Mapping[str, tuple[date, date | None]] | None = None,
    missing: Collection[tuple[str, str, str]] = (),
) -> None:
    """Deliver exactly what is owed, close and assess the months one after another.

    Funds of B01 have arrived, so there are targets; `missing` names month, institution and report.
    """
    period = start
    for reports in months:
        content = {("C01", "guarantee_funds"): [{}], **reports}
        with engine.begin() as connection:
            city = SmallCity(connection, lives=lives) if period == start else SmallCity.resumed(connection)
            if period == start:
                for statement in dates:
                    connection.execute(text(statement))
            city.open(period)
            register = read_register(connection)
            for institution in register.open_in(period):
                owed = [
                    each
                    for each in register.owed_by(institution, period)
                    if (str(period), institution.code, each) not in missing
                ]
                own = {report: content.get((institution.code, report), []) for report in owed}
                city.deliver(period, institution.code, **own)
            city.close(period)
        assess(engine, settings, period)
        period = period.next()


# How well was reported


def test_reports_are_expected_from_the_month_on_for_which_they_are_owed(
    engine: Engine, settings: Settings, figure: Figure
) -> None:
    """Six reports of a bank, four of an office, two of the centre: outreach from February on, matches from the second
    month of a bank, and B03 opens on the 20th of January.
    """
    dates = [OUTREACH_FROM_FEBRUARY, MATCHES_FROM_SECOND_MONTH]
    play(engine, settings, dates, {}, {}, lives=B03_OPENS, missing={("2019-02", "B03", "matches")})
    expected = {
        (period, scope, code): figure("reports_expected", scope, code, period)
        for period in (JANUARY, FEBRUARY)
        for scope, code in (("bank", "B01"), ("bank", "B03"), ("county", "441702"), ("city", "441700"))
    }
    assert expected == {
        (JANUARY, "bank", "B01"): 5,
        (JANUARY, "bank", "B03"): 4,
        (JANUARY, "county", "441702"): 3,
        (JANUARY, "city", "441700"): 5 + 5 + 4 + 3 + 3 + 2,
        (FEBRUARY, "bank", "B01"): 6,
        (FEBRUARY, "bank", "B03"): 6,
        (FEBRUARY, "county", "441702"): 4,
        (FEBRUARY, "city", "441700"): 6 + 6 + 6 + 4 + 4 + 2,
    }
    assert figure("reporting_rate") == figure("on_time_rate", "bank", "B03") == 100
    assert figure("reports_received", period=FEBRUARY) == 27
    late = figure("reporting_rate", period=FEBRUARY)
    assert late is not None
    assert round(late, 10) == round(Decimal(2700) / 28, 10)
    of_b03 = "select period, report, status from mart.current_reporting where institution_code = 'B03' order by 1, 2"
    assert [each for each in rows(engine, of_b03) if each[1] in ("matches", "outreach")] == [
        ("2019-02", "matches", "missing"),
        ("2019-02", "outreach", "nil"),
    ]


def test_a_report_is_expected_until_its_last_month(engine: Engine, settings: Settings, figure: Figure) -> None:
    dates = ["update registry.obligation set until_period = '2019-01' where report in ('grid', 'league')"]
    play(engine, settings, dates, {}, {})
    assert (figure("reports_expected"), figure("reports_expected", period=FEBRUARY)) == (28, 28 - 3 - 1)
    assert figure("reporting_rate", period=FEBRUARY) == 100


def test_a_restatement_uses_what_the_month_owed(engine: Engine, settings: Settings, figure: Figure) -> None:
    """Of January, after February and what is owed from then on: a late package changes what it holds, nothing more."""
    play(engine, settings, [OUTREACH_FROM_FEBRUARY], {}, {}, missing={("2019-01", "B02", "grid")})
    before = rows(engine, "select * from mart.current_metric where period = '2019-02' order by 3, 4, 5")
    assert (figure("reports_expected"), figure("reports_received")) == (28 - 5, 28 - 5 - 1)
    with engine.begin() as connection:
        SmallCity.resumed(connection).deliver(JANUARY, "B02", day=20, grid=[{}])
    restate(engine, settings, JANUARY, "补报网格化管理责任表", "ops")
    assert (figure("reports_expected"), figure("reports_received")) == (23, 23)
    assert rows(engine, "select * from mart.current_metric where period = '2019-02' order by 3, 4, 5") == before
    # Only now outreach is said to be owed from the beginning: whoever restates January once more sees it missing.
    change(engine, "update registry.obligation set from_period = null")
    restate(engine, settings, JANUARY, "义务更正", "ops")
    assert (figure("reports_expected"), figure("reports_received")) == (28, 23)


def test_without_dates_the_digest_is_what_it_was(engine: Engine, settings: Settings) -> None:
    play(engine, settings, [], {})
    with engine.connect() as connection:
        covered = [tuple(row) for row in connection.execute(load_statement("digest/obligations"))]
    assert covered == rows(engine, "select kind, report from registry.obligation order by kind, report")
    assert len(covered) == 12


@pytest.mark.parametrize(
    "dated",
    [
        "update registry.obligation set from_period = '2019-01' where report = 'league'",
        "update registry.obligation set until_period = '2019-06' where report = 'league'",
        "update registry.obligation set from_month = 2 where report = 'league'",
    ],
)
def test_the_digest_covers_every_date(engine: Engine, settings: Settings, dated: str) -> None:
    play(engine, settings, [], {})
    assert not preview_restatement(engine, settings, JANUARY, "核对").is_new
    change(engine, dated)
    assert preview_restatement(engine, settings, JANUARY, "核对").is_new


def test_the_digest_covers_when_an_institution_opened_where_that_matters(engine: Engine, settings: Settings) -> None:
    opening = "update registry.institution set opened_on = '2018-12-31' where code = 'B03'"
    play(engine, settings, [], {})
    change(engine, opening)
    assert not preview_restatement(engine, settings, JANUARY, "核对").is_new
    change(engine, MATCHES_FROM_SECOND_MONTH)
    restate(engine, settings, JANUARY, "义务更正", "ops")
    change(engine, opening.replace("31", "30"))
    assert not preview_restatement(engine, settings, JANUARY, "核对").is_new
    change(engine, opening.replace("2018-12-31", "2019-01-02"))
    assert preview_restatement(engine, settings, JANUARY, "核对").is_new


# Of whom figures say anything


def test_a_bank_that_does_not_owe_a_report_yet_has_no_figures_from_it(
    engine: Engine, settings: Settings, figure: Figure
) -> None:
    dates = ["update registry.obligation set from_month = 2 where report = 'outreach' and kind = 'bank'"]
    play(engine, settings, dates, {("B01", "outreach"): [{}]}, lives=B03_OPENS)
    found = {code: figure("activities_month", "bank", code) for code in ("B01", "B02", "B03")}
    assert found == {"B01": 1, "B02": 0, "B03": None}


def test_a_report_that_banks_no_longer_owe_is_that_of_the_offices(
    engine: Engine, settings: Settings, figure: Figure
) -> None:
    """Until January offices report outreach, from February on banks alone: the counties' figures go on."""
    dates = [
        "update registry.obligation set until_period = '2019-01' where report = 'outreach' and kind = 'county_office'",
        "update registry.obligation set from_period = '2019-02' where report = 'outreach' and kind = 'bank'",
    ]
    january = {("C01", "outreach"): [{}]}
    february = {("B01", "outreach"): [{"held_on": date(2019, 2, 8)}]}
    play(engine, settings, dates, january, february, missing={("2019-01", "C02", "outreach")})
    found = {
        (period, code): figure("activities_month", "county", code, period)
        for period in (JANUARY, FEBRUARY)
        for code in ("441702", "441704")
    }
    assert found == {
        (JANUARY, "441702"): 1,
        (JANUARY, "441704"): None,
        (FEBRUARY, "441702"): 1,
        (FEBRUARY, "441704"): 0,
    }
    assert figure("activities_month", "bank", "B01", FEBRUARY) == 1


# Nobody is judged by what was not owed


def items(engine: Engine, indicator: str, period: Period = JANUARY) -> dict[str, tuple[Decimal | None, str]]:
    """Points and note of each bank."""
    found = rows(
        engine,
        "select institution_code, points, note from mart.current_assessment_item "
        f"where indicator = '{indicator}' and period = '{period}' order by 1",
    )
    return {code: (points, note) for code, points, note in found}


WORK = {
    **{(bank, "loans"): [{"contract_no": bank, "household_no": "H1"}] for bank in ("B01", "B02", "B03")},
    **{(bank, "position"): [{}] for bank in ("B01", "B02", "B03")},
    ("C01", "projects"): [{"entered_on": date(2019, 1, 1)}],
    ("C01", "households"): [{"household_no": f"H{number}", "bank_code": f"B0{number}"} for number in (1, 2, 3)],
}
"""Each bank works where a project was offered to nobody, and has a household of its own."""


def test_matches_that_are_not_owed_are_not_assessed(engine: Engine, settings: Settings) -> None:
    """B03 has opened in January and owes none; B02 answers nothing, and in February no bank's are in but B01's."""
    answered = {("B01", "matches"): [{}]}
    missing = {("2019-02", "B02", "matches"), ("2019-02", "B03", "matches")}
    play(
        engine,
        settings,
        [MATCHES_FROM_SECOND_MONTH],
        WORK | answered,
        WORK | answered,
        lives=B03_OPENS,
        missing=missing,
    )
    assert items(engine, "matching") == {
        "B01": (1, "推送项目1个，对接率100.00%"),
        "B02": (0, "推送项目1个，对接率0.00%"),
        "B03": (None, "本月不需报送产业项目对接表，不考核"),
    }
    assert items(engine, "matching", FEBRUARY) == {
        "B01": (1, "推送项目1个，对接率100.00%"),
        "B02": (0, "未报送产业项目对接表"),
        "B03": (0, "未报送产业项目对接表"),
    }
    # It is ranked by what is assessed of it.
    assert rows(
        engine, "select status from mart.current_assessment where period = '2019-01' and institution_code = 'B03'"
    ) == [("ranked",)]
    steps = "select 1 from mart.next_step where institution_code = 'B03' and indicator = 'matching' and run_id = '{}'"
    assert rows(engine, steps.format("2019-01-r1")) == []
    assert len(rows(engine, steps.format("2019-02-r1"))) == 1


def test_visits_that_are_not_owed_are_not_assessed(engine: Engine, settings: Settings) -> None:
    visited = {("B01", "visits"): [{"visited_on": date(2019, 2, 11)}]}
    play(engine, settings, [VISITS_FROM_FEBRUARY], WORK, WORK | visited)
    nothing = (None, "本月不需报送贫困户走访存档，不考核")
    assert items(engine, "visits") == {"B01": nothing, "B02": nothing, "B03": nothing}
    assert items(engine, "visits", FEBRUARY) == {
        "B01": (1, "走访覆盖率100.00%"),
        "B02": (0, "走访覆盖率0.00%"),
        "B03": (0, "走访覆盖率0.00%"),
    }


def test_a_bank_that_does_not_owe_its_ledger_yet_is_unranked_and_the_reason_says_so(
    engine: Engine, settings: Settings
) -> None:
    missing = {("2019-01", "B02", "position")}
    play(engine, settings, [LOANS_FROM_SECOND_MONTH], WORK, WORK, lives=B03_OPENS, missing=missing)
    reasons = "select institution_code, reason from mart.current_assessment where period = '{}' order by 1"
    assert rows(engine, reasons.format(JANUARY)) == [
        ("B01", None),
        ("B02", "暂不排名：《贷款与再贷款月报》未报送"),
        ("B03", "暂不排名：《金融精准扶贫贷款台账》本月不需报送"),
    ]
    assert rows(engine, reasons.format(FEBRUARY)) == [("B01", None), ("B02", None), ("B03", None)]


def test_a09_loans_of_months_without_visits_are_no_matter(engine: Engine, settings: Settings) -> None:
    """Visits are owed from February on: of January nobody knows whom the banks have seen."""
    loans = [
        {"contract_no": "L1", "household_no": "H1", "issued_on": date(2019, 1, 10)},
        {"contract_no": "L2", "household_no": "H2", "issued_on": date(2019, 2, 10)},
    ]
    ledger = {("B01", "loans"): loans}
    play(engine, settings, [VISITS_FROM_FEBRUARY], {("B01", "loans"): loans[:1]}, ledger, ledger)
    assert alerts(engine, "A09") == []
    for month in (FEBRUARY, MARCH):
        assert [row[1:3] for row in alerts(engine, "A09", month)] == [("B01", "L2")]


def test_a13_no_project_is_stale_before_banks_say_what_they_match(engine: Engine, settings: Settings) -> None:
    old = {("C01", "projects"): [{"entered_on": date(2018, 6, 1)}]}
    play(engine, settings, [MATCHES_FROM_FEBRUARY], old, old)
    assert alerts(engine, "A13") == []
    assert [row[1:3] for row in alerts(engine, "A13", FEBRUARY)] == [("C01", "P1")]


def test_a13_goes_on_without_a_bank_that_has_just_opened(engine: Engine, settings: Settings) -> None:
    old = {("C01", "projects"): [{"entered_on": date(2018, 6, 1)}]}
    play(engine, settings, [MATCHES_FROM_SECOND_MONTH], old, lives=B03_OPENS)
    assert [row[1:3] for row in alerts(engine, "A13")] == [("C01", "P1")]


def test_a15_asks_offices_that_owed_outreach_in_the_whole_quarter(engine: Engine, settings: Settings) -> None:
    """From February on: the first quarter is nobody's, the second is everybody's."""
    play(engine, settings, [OUTREACH_FROM_FEBRUARY], *[{}] * 6)
    assert alerts(engine, "A15", MARCH) == []
    assert [row[1:3] for row in alerts(engine, "A15", JUNE)] == [
        ("C01", "441702001"),
        ("C01", "441702002"),
        ("C02", "441704001"),
    ]


def test_a15_goes_on_without_who_has_just_opened(engine: Engine, settings: Settings) -> None:
    """Neither a bank nor an office owes outreach in the month in which it opens; only that office is not asked."""
    dates = ["update registry.obligation set from_month = 2 where report = 'outreach'"]
    lives = {"B03": (date(2019, 2, 20), None), "C02": (date(2019, 2, 20), None)}
    play(engine, settings, dates, *[{}] * 3, lives=lives)
    assert [row[1:3] for row in alerts(engine, "A15", MARCH)] == [("C01", "441702001"), ("C01", "441702002")]
