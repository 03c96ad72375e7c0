"""What must be true of every run: a run of which it is not is stopped, and nothing of it is kept (docs/figures.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import SetupError
from five_precisions.figures import assess, invariants
from five_precisions.figures.invariants import INVARIANT_FOLDER, InvariantError, load_invariants
from five_precisions.settings import Settings
from tests.figures.conftest import JANUARY, Figure
from tests.figures.january import deliver_january
from tests.figures.small_city import Rows, SmallCity

METRIC = (
    "update mart.metric set value = {value} where metric = '{metric}' and scope = '{scope}' and scope_code = '{code}'"
)


def metric(name: str, scope: str, code: str, value: str) -> str:
    return METRIC.format(metric=name, scope=scope, code=code, value=value)


BROKEN: dict[str, tuple[str, str]] = {
    "categories": (metric("loan_balance_industry", "town", "441702001", "value + 1"), "categories add up"),
    "banks": (metric("microcredit_cumulative_amount", "bank", "B01", "value + 0.01"), "banks add up to the city"),
    "places": (metric("households_able", "town", "441702001", "value + 1"), "towns to their county"),
    "shares": (metric("visit_coverage", "bank", "B01", "100.01"), "between 0 and 100"),
    "targets": ("update mart.target set households = households + 1 where institution_code = 'B01'", "targets add up"),
    "ranks": ("update mart.ranking set rank = 2 where board = 'bank_score' and rank = 1", "proper ranking"),
    "assessment": ("update mart.assessment set grade = null where institution_code = 'B01'", "assessed once"),
    "reports": (metric("reports_received", "bank", "B01", "99"), "no more reports"),
    "grades": ("update mart.assessment set grade = '优秀' where institution_code = 'B01'", "that the scores reach"),
    "alerts": ("update mart.alert set level = 'high' where rule = 'A16' and subject = 'overdue'", "one open case"),
    "households": ("update mart.household_score set score = score + 1 where household_no = 'H1'", "sum of their items"),
}
"""For each file what would break it, and words of the sentence that stops the run."""


@pytest.fixture
def closed(engine: Engine) -> Engine:
    """January delivered and closed."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        deliver_january(city)
        city.close(JANUARY)
    return engine


def tamper(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Let a run spoil its own results before they are looked at."""
    # The package's name `assess` is the function; the module behind it is found by its full name.
    module: Any = sys.modules["five_precisions.figures.assess"]
    draw_lists = module.draw_lists

    def spoil(connection: Connection, *arguments: Any) -> None:
        draw_lists(connection, *arguments)
        assert connection.execute(text(statement)).rowcount > 0, "nothing was spoilt"

    monkeypatch.setattr(module, "draw_lists", spoil)


def test_every_invariant_is_broken_here() -> None:
    assert {path.stem for path in INVARIANT_FOLDER.glob("*.sql")} == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_run_that_contradicts_itself_is_not_kept(
    name: str, closed: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, words = BROKEN[name]
    with monkeypatch.context() as patch:
        tamper(patch, statement)
        with pytest.raises(InvariantError, match=words) as stopped:
            assess(closed, settings, JANUARY)
    assert str(stopped.value).startswith("The figures of 2019-01 were not kept: ")
    with closed.connect() as connection:
        kept = "select (select count(*) from mart.run) + (select count(*) from mart.metric)"
        assert connection.execute(text(kept)).scalar_one() == 0
    assert assess(closed, settings, JANUARY).is_new


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(metric("households_able", "town", "441702001", "value - 1"), "towns to their county", id="towns"),
        pytest.param(metric("households_able", "county", "441704", "0"), "counties add up", id="counties"),
        pytest.param(
            "update mart.household_score set tier = 'AAA' where household_no = 'H1'", "that the scores reach", id="tier"
        ),
        pytest.param(
            "update mart.household_score set credit_limit = 50001 where household_no = 'H1'",
            "that the scores reach",
            id="limit",
        ),
        pytest.param("delete from mart.alert where rule = 'A16'", "is open and no alert", id="case without alert"),
        pytest.param("update mart.assessment_item set points = 1.01 where points = 1", "has points", id="points"),
        pytest.param("delete from mart.assessment where institution_code = 'B01'", "assessed once", id="bank left out"),
        pytest.param(
            "insert into mart.assessment_item select run_id, period, 'B03', indicator, weight, raw, points, note "
            "from mart.assessment_item where institution_code = 'B01'",
            "B03: unranked",
            id="unranked with items",
        ),
        pytest.param(
            "update mart.assessment set rank = 2 where institution_code = 'B01'", "proper ranking", id="rank of a bank"
        ),
    ],
)
def test_more_that_contradicts_itself_is_not_kept(
    statement: str, words: str, closed: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(monkeypatch, statement)
    with pytest.raises(InvariantError, match=words):
        assess(closed, settings, JANUARY)


@pytest.mark.parametrize("report", ["households", "projects"])
def test_a_row_in_the_county_of_an_office_that_is_silent_stops_nothing(
    report: str, engine: Engine, settings: Settings, figure: Figure
) -> None:
    """C01 lists something in a town of the other county, whose own office has not reported: no rule rejects that."""
    rows: dict[str, Rows] = {
        "households": [{}, {"household_no": "H9", "town_code": "441704001"}],
        "projects": [{}, {"project_no": "P9", "town_code": "441704001"}],
    }
    counted = {"households": "households_able", "projects": "project_count"}[report]
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "C01", guarantee_funds=[{}], **{report: rows[report]})
        city.close(JANUARY)
    assert assess(engine, settings, JANUARY).is_new
    assert [figure(counted, "city"), figure(counted, "county", "441702"), figure(counted, "county", "441704")] == [
        2,
        1,
        None,
    ]


def test_an_invariant_is_added_by_a_file_only(
    closed: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.sql").write_text(
        "-- Who has no loans?\n--\n-- invariant: every bank lends\nselect code as subject, 'lends nothing' as detail "
        "from open_institution where kind = 'bank' and code = 'B03'\n",
        encoding="utf-8",
    )
    own = load_invariants(tmp_path)
    monkeypatch.setattr(invariants, "load_invariants", lambda _: own)
    with pytest.raises(InvariantError, match=r"every bank lends \(not so: B03: lends nothing\)"):
        assess(closed, settings, JANUARY)


def test_a_file_says_what_must_be_true(tmp_path: Path) -> None:
    (tmp_path / "mute.sql").write_text("-- Nothing.\nselect 1\n", encoding="utf-8")
    with pytest.raises(SetupError, match="does not say in its head comment"):
        load_invariants(tmp_path)
