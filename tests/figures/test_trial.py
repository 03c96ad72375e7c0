"""The trial of a scheme: by hand, of a month whose ground has changed since, beside runs that are made, and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from five_precisions.errors import RefusedError
from five_precisions.figures import Scheme, Standing, assess, change_scheme, load_scheme, restate, try_scheme
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.january import deliver_january
from tests.figures.small_city import SmallCity
from tests.figures.test_restatement import deliver_february
from tests.figures.trying import everything, in_digits, results_after, results_before, stored_results, write_scheme

MARCH = Period(2019, 3)


@pytest.fixture
def held(settings: Settings) -> Scheme:
    """The scheme that holds."""
    return load_scheme(settings, JANUARY)


@pytest.fixture
def tried(held: Scheme) -> Scheme:
    """Another one, by which every bank has another score."""
    return change_scheme(
        held, {"weights.growth": "10", "weights.completion": "45", "weights.quality": "15", "deductions.at_most": "1"}
    )


@pytest.fixture
def two_months(engine: Engine, settings: Settings) -> Engine:
    """January and February assessed. B03's ledger of January is missing; there is a ledger of B02 for February."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        deliver_january(city)
        city.close(JANUARY)
        deliver_february(city)
        city.deliver(
            FEBRUARY,
            "B02",
            loans=[{"contract_no": "L1", "household_no": "H3", "issued_on": date(2019, 1, 10), "balance": 50000}],
            position=[{"county_code": "441704", "all_loans": 500, "microcredit_year_begin": 0}],
        )
        city.close(FEBRUARY)
    for month in (JANUARY, FEBRUARY):
        assert assess(engine, settings, month).is_new
    return engine


def test_scores_grades_and_ranks_by_hand(two_months: Engine, settings: Settings, held: Scheme) -> None:
    """Points are the run's; weights, deductions and grades are those of the form."""
    stored = stored_results(two_months, JANUARY)
    tried = change_scheme(
        held,
        {
            "weights.growth": "60",
            "weights.completion": "8",
            "weights.matching": "2",
            "deductions.per_overdue_finding": "30",
            "deductions.at_most": "30",
            "grades.0.at_least": "99",
            "grades.1.at_least": "98",
            "grades.2.at_least": "97",
        },
    )
    trial = try_scheme(two_months, settings, JANUARY, tried)
    assert {(bank.code, bank.short_name, bank.status) for bank in trial.banks} == {
        ("B01", "B01", "ranked"),
        ("B02", "B02", "ranked"),
        ("B03", "B03", "unranked"),
    }
    expected = {}
    weights = {"growth": 60, "completion": 8, "matching": 2, "visits": 10, "quality": 10, "reporting": 10}
    for code in ("B01", "B02"):
        points = {
            indicator: judged.points
            for (bank, indicator), judged in stored[1].items()
            if bank == code and judged.points is not None
        }
        assert points
        gained = sum(weights[indicator] * got for indicator, got in points.items())
        whole = sum(weights[indicator] for indicator in points)
        # A finding of B01 was due and is not mended: it takes off 30 where it took off 2.
        before = stored[0][code].deductions
        assert before is not None
        deductions = min(Decimal(30), before + 28 if code == "B01" else before)
        expected[code] = max(Decimal(0), round(100 * gained / whole - deductions, 2))
    after = {bank.code: bank.after for bank in trial.banks}
    assert {code: after[code].score for code in expected} == expected
    ranked = sorted(expected, key=lambda code: -expected[code])
    assert [bank.code for bank in trial.banks] == [*ranked, "B03"]
    assert [after[code].rank for code in ranked] == [1, 2]
    assert {after[code].grade for code in ranked} <= {"优秀", "勉励"}
    assert after["B03"] == Standing(None, None, None, None)
    unranked = trial.banks[-1]
    assert (unranked.movement, unranked.indicators) == (None, ())
    assert unranked.reason == "暂不排名：《金融精准扶贫贷款台账》未报送"


def test_a_month_is_tried_on_the_ground_that_it_was_made_on(
    two_months: Engine, settings: Settings, held: Scheme
) -> None:
    """Since then January was restated. February, restated too, is judged by other reports of the year."""
    with two_months.begin() as connection:
        city = SmallCity.resumed(connection)
        city.deliver(JANUARY, "B02", day=25, rejected=("matches",))
        city.deliver(JANUARY, "B02", day=26, matches=[])
    assert restate(two_months, settings, JANUARY, "补报", "王科长").is_new
    stored = in_digits(stored_results(two_months, FEBRUARY))
    trial = try_scheme(two_months, settings, FEBRUARY, held)
    assert in_digits(results_before(trial)) == in_digits(results_after(trial)) == stored
    assert restate(two_months, settings, FEBRUARY, "一月重述", "王科长").is_new
    assert in_digits(stored_results(two_months, FEBRUARY)) != stored


def test_a_scheme_file_that_was_changed_since_is_not_the_runs(
    two_months: Engine, settings: Settings, held: Scheme, tried: Scheme, tmp_path: Path
) -> None:
    assert try_scheme(two_months, settings, FEBRUARY, held).is_of_run
    write_scheme(tmp_path, tried)
    own = settings.model_copy(update={"reference": tmp_path})
    trial = try_scheme(two_months, own, FEBRUARY, held)
    assert (trial.held, trial.tried, trial.is_of_run) == (tried, held, False)
    assert in_digits(results_before(trial)) == in_digits(stored_results(two_months, FEBRUARY))


def test_nothing_is_kept(two_months: Engine, settings: Settings, tried: Scheme) -> None:
    before = everything(two_months)
    assert before["mart.assessment"]
    trial = try_scheme(two_months, settings, FEBRUARY, tried)
    assert in_digits(results_after(trial)) != in_digits(results_before(trial))
    assert everything(two_months) == before


@contextmanager
def in_the_midst(engine: Engine, act: Any) -> Iterator[list[str]]:
    """Act once when the trial has judged the banks and has not read how; what the trial's session may write then."""
    access: list[str] = []

    def act_once(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        if "tried.score as score_after" in statement and not access:
            access.append(connection.exec_driver_sql("show transaction_read_only").scalar_one())
            act()

    event.listen(engine, "before_cursor_execute", act_once)
    try:
        yield access
    finally:
        event.remove(engine, "before_cursor_execute", act_once)


def test_months_are_assessed_and_restated_while_a_scheme_is_tried(
    two_months: Engine, settings: Settings, tried: Scheme
) -> None:
    """They do not wait for it, and it sees nothing of them."""
    with two_months.begin() as connection:
        city = SmallCity.resumed(connection)
        city.open(MARCH)
        city.deliver(MARCH, "B01", loans=[{"contract_no": "L1"}], position=[{}])
        city.close(MARCH)
        city.deliver(FEBRUARY, "B01", day=25, loans=[{"contract_no": "L1", "balance": 10000, "overdue_days": 40}])
    expected = try_scheme(two_months, settings, FEBRUARY, tried)
    assert expected.run_id == "2019-02-r1"

    def make_runs() -> None:
        with open_warehouse(settings) as other:
            event.listen(other, "begin", lambda connection: connection.exec_driver_sql("set lock_timeout to '5s'"))
            assert assess(other, settings, MARCH).is_new
            assert restate(other, settings, FEBRUARY, "补报", "王科长").run_id == "2019-02-r2"

    with in_the_midst(two_months, make_runs) as access:
        assert try_scheme(two_months, settings, FEBRUARY, tried) == expected
    assert access == ["on"]
    restated = try_scheme(two_months, settings, FEBRUARY, tried)
    assert restated.run_id == "2019-02-r2"
    assert in_digits(results_after(restated)) != in_digits(results_after(expected))


def test_a_scheme_is_tried_while_a_month_is_restated(two_months: Engine, settings: Settings, tried: Scheme) -> None:
    """The restatement stands before its commit: it has the lock, and has written its run."""
    with two_months.begin() as connection:
        SmallCity.resumed(connection).deliver(FEBRUARY, "B01", day=25, loans=[{"contract_no": "L1", "balance": 10000}])
    expected = try_scheme(two_months, settings, FEBRUARY, tried)
    found = []

    def try_beside(connection: Any) -> None:
        with open_warehouse(settings) as other:
            found.append(try_scheme(other, settings, FEBRUARY, tried, most_seconds=5))

    with open_warehouse(settings) as making:
        event.listen(making, "commit", try_beside)
        assert restate(making, settings, FEBRUARY, "补报", "王科长").run_id == "2019-02-r2"
    assert found == [expected]


def test_a_trial_that_takes_too_long_is_ended(two_months: Engine, settings: Settings, tried: Scheme) -> None:
    with two_months.begin() as connection:
        connection.execute(text("lock table mart.alert in access exclusive mode"))
        with pytest.raises(RefusedError) as refused:
            try_scheme(two_months, settings, FEBRUARY, tried, most_seconds=0.2)
    assert str(refused.value) == (
        "The trial for 2019-02 was ended: a statement took longer than 0.2 s. "
        "Try again when the warehouse has less to do."
    )
    # The session that the engine keeps has its usual limit again.
    with two_months.connect() as connection:
        assert connection.execute(text("show statement_timeout")).scalar_one() == "0"
        assert connection.execute(text("show transaction_isolation")).scalar_one() == "read committed"
    assert try_scheme(two_months, settings, FEBRUARY, tried).run_id == "2019-02-r1"


def test_a_month_without_figures_is_refused(two_months: Engine, settings: Settings, held: Scheme) -> None:
    with pytest.raises(RefusedError) as refused:
        try_scheme(two_months, settings, MARCH, held)
    assert str(refused.value) == "2019-03 has not been assessed; run: five-precisions assess 2019-03"
