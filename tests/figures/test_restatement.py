"""Restating a month: what changes, what never does, and that the same inputs give the same bytes (docs/figures.md)."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from five_precisions.bulletin import post_notices
from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures import assess, months_left_behind, open_request, preview_restatement, restate
from five_precisions.figures.inputs import NOT_OF_A_RUN, digest_statements
from five_precisions.period import SHANGHAI, Period
from five_precisions.reference.sql_files import SQL_FOLDER
from five_precisions.settings import Settings
from tests.command_line import assert_one_sentence, run
from tests.figures.conftest import FEBRUARY, JANUARY, Figure
from tests.figures.january import deliver_january
from tests.figures.small_city import SmallCity

MARCH = Period(2019, 3)
WHY = "B03台账更正"


def copied(connection: Connection, table: str, without: tuple[str, ...] = ()) -> bytes:
    """A table of mart as COPY writes it, in the order in which it lies there, without the columns named."""
    columns = connection.execute(
        text(
            "select column_name from information_schema.columns where table_schema = 'mart' and table_name = :table "
            "and column_name <> all(:without) order by ordinal_position"
        ),
        {"table": table, "without": list(without)},
    ).scalars()
    query = sql.SQL("copy (select {} from {}) to stdout").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier("mart", table)
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(query) as rows:
        return b"".join(bytes(row) for row in rows)


def marts(engine: Engine, without_of_runs: tuple[str, ...] = ("closed_at",)) -> dict[str, bytes]:
    """Every table of schema mart; of the runs all but the moment, or but the columns named."""
    with engine.connect() as connection:
        tables = (
            connection.execute(text("select tablename from pg_tables where schemaname = 'mart' order by 1"))
            .scalars()
            .all()
        )
        return {table: copied(connection, table, without_of_runs if table == "run" else ()) for table in tables}


def run_of(engine: Engine, run_id: str) -> dict[str, bytes]:
    """What every table of schema mart holds of one run, without whether it is the current one."""
    return {
        table: b"\n".join(line for line in content.splitlines() if line.startswith(run_id.encode() + b"\t"))
        for table, content in marts(engine, without_of_runs=("closed_at", "current")).items()
    }


def deliver_february(city: SmallCity) -> None:
    """A month with something in every report that `deliver_january` delivers, so that cases last, open and close."""
    city.open(FEBRUARY)
    city.deliver(
        FEBRUARY,
        "B01",
        loans=[
            {"contract_no": "L1", "household_no": "H1", "balance": 20000},
            {"contract_no": "L4", "household_no": "H4", "issued_on": date(2019, 2, 3), "overdue_days": 5},
        ],
        position=[{"all_loans": 1200, "microcredit_year_begin": 2}],
        visits=[{"household_no": "H2", "visited_on": date(2019, 2, 4), "wants_loan": True}],
        outreach=[],
        grid=[],
        matches=[{"project_no": "P1"}, {"project_no": "P2", "status": "已受理"}],
    )
    city.deliver(FEBRUARY, "C01", households=[{"household_no": "H1"}, {"household_no": "H2"}], guarantee_funds=[{}])
    city.deliver(FEBRUARY, "Z01", league=[{}], inspections=[{"finding_no": "overdue"}])


@pytest.fixture
def february(engine: Engine, settings: Settings) -> Engine:
    """January and February delivered, closed and assessed. B03's ledger of January is missing."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        deliver_january(city)
        city.close(JANUARY)
        deliver_february(city)
        city.close(FEBRUARY)
    for period in (JANUARY, FEBRUARY):
        assert assess(engine, settings, period).is_new
    return engine


def deliver_late(engine: Engine) -> None:
    """After the close: B03's ledger of January, and one more visit of B02."""
    with engine.begin() as connection:
        city = SmallCity.resumed(connection)
        city.deliver(JANUARY, "B03", day=25, loans=[{"contract_no": "L9", "household_no": "H3", "balance": 10000}])
        city.deliver(JANUARY, "B02", day=26, visits=[{"household_no": "H2"}])


def test_a_late_ledger_is_restated_and_every_change_is_listed(february: Engine, settings: Settings) -> None:
    before = run_of(february, "2019-01-r1")
    february_before = run_of(february, "2019-02-r1")
    assert sum(map(bool, before.values())) >= 10
    deliver_late(february)

    restated = restate(february, settings, JANUARY, WHY, "王科长")

    assert (restated.run_id, restated.replaced_run_id, restated.is_new) == ("2019-01-r2", "2019-01-r1", True)
    assert [(each.institution_code, each.report, each.before, each.after) for each in restated.versions] == [
        ("B02", "visits", 1, 3),
        ("B03", "loans", None, 2),
    ]
    figures = {
        (each.mart, each.scope, each.scope_code, each.figure): (each.before, each.after) for each in restated.figures
    }
    assert len(figures) == len(restated.figures)
    assert figures[("metric", "city", "441700", "loan_balance")] == ("8", "9")
    assert figures[("metric", "bank", "B03", "loan_balance")] == (None, "1")
    assert figures[("metric", "bank", "B01", "visit_coverage")] == ("50", "100")
    assert figures[("assessment", "bank", "B03", "status")] == ("unranked", "ranked")
    assert figures[("assessment", "bank", "B03", "rank")][0] is None
    assert figures[("reporting", "bank", "B03", "loans/status")] == ("missing", "accepted")
    assert ("reporting", "bank", "B03", "loans/on_time") not in figures
    assert figures[("ranking", "bank", "B01", "bank_visit_coverage/value")] == ("50", "100")
    # January's ledger is February's matter no longer, its visits are; both build on January's figures.
    assert [(run.run_id, run.used_old_versions) for run in restated.later_runs] == [("2019-02-r1", True)]
    assert "restate next, in this order: 2019-02" in restated.advice()[-1]

    assert run_of(february, "2019-01-r1") == before
    assert run_of(february, "2019-02-r1") == february_before
    with february.connect() as connection:
        runs = connection.execute(text("select run_id, revision, current from mart.run order by run_id")).all()
        decision = connection.execute(text("select * from mart.restatement")).all()
    assert [tuple(run) for run in runs] == [
        ("2019-01-r1", 1, False), ("2019-01-r2", 2, True), ("2019-02-r1", 1, True),
    ]  # fmt: skip
    assert [tuple(row) for row in decision] == [("2019-01-r2", "2019-01-r1", WHY, "王科长")]


def test_what_is_listed_is_what_differs(february: Engine, settings: Settings) -> None:
    """Held against the tables themselves, row by row."""
    deliver_late(february)
    listed = {
        (each.mart, each.scope_code, each.figure): (each.before, each.after)
        for each in restate(february, settings, JANUARY, WHY, "ops").figures
    }
    queries = {
        "metric": ("metric", "scope || scope_code as code, metric as figure, cast(trim_scale(value) as text) as value"),
        "assessment": (
            "assessment",
            "institution_code as code, 'score' as figure, cast(trim_scale(score) as text) as value",
        ),
        "relending_advice": ("relending_advice", "institution_code as code, 'issue' as figure, issue as value"),
        "alert": ("alert", "institution_code as code, concat(rule, '/', subject, '/level') as figure, level as value"),
        "next_step": (
            "next_step",
            "institution_code as code, indicator || '/score_after' as figure, trim_scale(score_after)::text as value",
        ),
        "household_score": (
            "household_score",
            "household_no as code, 'credit_limit' as figure, cast(trim_scale(credit_limit) as text) as value",
        ),
    }
    assert {"next_step", "household_score"} <= {mart for mart, _, _ in listed}
    differing = 0
    for mart, (table, columns) in queries.items():
        with february.connect() as connection:
            held = {
                run: {
                    (row.code, row.figure): row.value
                    for row in connection.execute(
                        text(f"select {columns} from mart.{table} where run_id = :run"), {"run": run}
                    )
                }
                for run in ("2019-01-r1", "2019-01-r2")
            }
        before, after = held.values()
        for code, figure in before.keys() | after.keys():
            pair = (before.get((code, figure)), after.get((code, figure)))
            key = (mart, code.removeprefix("city").removeprefix("county").removeprefix("town").removeprefix("bank"))
            assert listed.get((*key, figure)) == (None if pair[0] == pair[1] else pair), (mart, code, figure)
            differing += pair[0] != pair[1]
    assert differing > 20


def test_later_months_are_restated_in_order_on_the_new_versions(
    february: Engine, settings: Settings, figure: Figure
) -> None:
    deliver_late(february)
    assert figure("households_visited_cumulative", period=FEBRUARY) == 2
    assert months_left_behind(february, JANUARY) == ()
    restate(february, settings, JANUARY, WHY, "ops")
    assert months_left_behind(february, JANUARY) == ("2019-02",)
    restated = restate(february, settings, FEBRUARY, "1月重述", "ops")
    assert (restated.run_id, restated.later_runs) == ("2019-02-r2", ())
    assert months_left_behind(february, JANUARY) == ()
    with february.connect() as connection:
        used = connection.execute(
            text(
                "select submission_id from mart.run_input where run_id = '2019-02-r2' and period = '2019-01' "
                "and institution_code = 'B02' and report = 'visits'"
            )
        ).scalar_one()
    assert used == "2019-01-B02-3"
    # B03 was unranked in January and is not any more.
    assert ("assessment", "B03", "previous_rank") in {
        (each.mart, each.scope_code, each.figure) for each in restated.figures
    }


def test_of_a_later_month_that_used_no_old_version_it_is_said(february: Engine, settings: Settings) -> None:
    with february.begin() as connection:
        SmallCity.resumed(connection).deliver(JANUARY, "B03", day=25, loans=[{"contract_no": "L9"}])
    restated = restate(february, settings, JANUARY, WHY, "ops")
    assert [(run.run_id, run.used_old_versions) for run in restated.later_runs] == [("2019-02-r1", False)]


def test_the_same_inputs_make_no_revision(february: Engine, settings: Settings) -> None:
    before = marts(february)
    restated = restate(february, settings, JANUARY, WHY, "ops")
    assert (restated.run_id, restated.is_new, restated.figures) == ("2019-01-r1", False, ())
    assert restated.words() == "2019-01 stays as 2019-01-r1: its inputs are the same."
    deliver_late(february)
    assert restate(february, settings, JANUARY, WHY, "ops").is_new
    assert not restate(february, settings, JANUARY, WHY, "ops").is_new
    assert marts(february) != before


def test_a_preview_shows_the_same_and_keeps_nothing(february: Engine, settings: Settings) -> None:
    deliver_late(february)
    before = marts(february)
    shown = preview_restatement(february, settings, JANUARY, WHY)
    assert shown.is_new
    assert len(shown.figures) > 20
    assert marts(february) == before
    assert restate(february, settings, JANUARY, WHY, "ops", shown_digest=shown.digest) == shown
    # Asked once more, as a task that is cleared does, it stands.
    assert not restate(february, settings, JANUARY, WHY, "ops", shown_digest=shown.digest).is_new


def test_what_was_not_shown_is_not_restated(february: Engine, settings: Settings) -> None:
    deliver_late(february)
    shown = preview_restatement(february, settings, JANUARY, WHY)
    with february.begin() as connection:
        SmallCity.resumed(connection).deliver(JANUARY, "B02", day=28, visits=[])
    before = marts(february)
    with pytest.raises(RefusedError, match="inputs of 2019-01 have changed since the restatement was shown"):
        restate(february, settings, JANUARY, WHY, "ops", shown_digest=shown.digest)
    assert marts(february) == before


def test_what_counts_in_reporting_is_what_the_run_could_know(
    february: Engine, settings: Settings, figure: Figure
) -> None:
    """Late versions count up to the one that the run names; of B02's grid nothing late was accepted."""
    with february.begin() as connection:
        city = SmallCity.resumed(connection)
        city.deliver(JANUARY, "B03", day=24, rejected=("loans", "grid"))
        city.deliver(JANUARY, "B03", day=25, loans=[{"contract_no": "L9"}])
        city.deliver(JANUARY, "B02", day=25, grid=[])
        city.deliver(JANUARY, "B02", day=26, rejected=("grid",))
    assert figure("reports_on_time", "bank", "B02") == 4
    restate(february, settings, JANUARY, WHY, "ops")
    with february.connect() as connection:
        rows = connection.execute(
            text(
                "select institution_code, report, status, version, on_time, first_pass from mart.current_reporting "
                "where period = '2019-01' and (institution_code, report) in "
                "(('B02', 'grid'), ('B03', 'grid'), ('B03', 'loans')) order by 1, 2"
            )
        ).all()
    assert [tuple(row) for row in rows] == [
        # First accepted in time; that it was sent again late does not change it, nor does what was rejected after it.
        ("B02", "grid", "nil", 3, True, True),
        # Rejected after the close: the run does not name it.
        ("B03", "grid", "missing", None, False, False),
        # Accepted at the second try, and late.
        ("B03", "loans", "accepted", 3, False, False),
    ]
    assert figure("reports_on_time", "bank", "B02") == 4


def test_a_version_that_was_there_in_time_is_on_time_though_recorded_late(february: Engine, settings: Settings) -> None:
    with february.begin() as connection:
        SmallCity.resumed(connection).deliver(JANUARY, "B03", day=6, loans=[{"contract_no": "L9"}])
    restate(february, settings, JANUARY, WHY, "ops")
    with february.connect() as connection:
        on_time = connection.execute(
            text(
                "select on_time from mart.current_reporting "
                "where period = '2019-01' and institution_code = 'B03' and report = 'loans'"
            )
        ).scalar_one()
    assert on_time


def test_targets_stay_though_the_basis_month_is_restated(february: Engine, settings: Settings) -> None:
    with february.begin() as connection:
        SmallCity.resumed(connection).deliver(
            JANUARY, "C01", day=25, guarantee_funds=[{"bank_code": "B03", "arrived_amount": 900}]
        )
        targets = connection.execute(text("select * from mart.target order by 1, 2, 5")).all()
    assert len(targets) == 3
    restated = restate(february, settings, JANUARY, WHY, "ops")
    assert ("fund_total_arrived", "900") in {(each.figure, each.after) for each in restated.figures}
    with february.connect() as connection:
        assert connection.execute(text("select * from mart.target order by 1, 2, 5")).all() == targets


@pytest.mark.parametrize(
    ("period", "reason", "error", "sentence"),
    [
        pytest.param(MARCH, WHY, RefusedError, "2019-03 is not closed", id="not closed"),
        pytest.param(JANUARY, " \n", UsageError, "A month is restated for a reason", id="no reason"),
        pytest.param(JANUARY, "好" * 501, UsageError, "501 characters", id="long reason"),
    ],
)
def test_a_restatement_is_refused(
    february: Engine, settings: Settings, period: Period, reason: str, error: type[Exception], sentence: str
) -> None:
    before = marts(february)
    deliver_late(february)
    for ask in (
        lambda: restate(february, settings, period, reason, "ops"),
        lambda: preview_restatement(february, settings, period, reason),
    ):
        with pytest.raises(error, match=sentence):
            ask()
    assert marts(february) == before


def test_a_month_that_was_never_assessed_is_refused(february: Engine, settings: Settings) -> None:
    with february.begin() as connection:
        city = SmallCity.resumed(connection)
        city.open(MARCH)
        city.close(MARCH)
    with pytest.raises(RefusedError, match="2019-03 has not been assessed; run: five-precisions assess 2019-03"):
        restate(february, settings, MARCH, WHY, "ops")


def test_a_run_stands_whatever_the_files_say_now(february: Engine, settings: Settings, tmp_path: Path) -> None:
    """A new scheme makes no revision by itself; a restatement goes by the scheme that holds in the month."""
    scheme = settings.reference_file("scheme.yaml").read_text(encoding="utf-8")
    changed = scheme.replace("growth: 20, completion: 40", "growth: 30, completion: 30")
    assert changed != scheme
    (tmp_path / "scheme.yaml").write_text(changed, encoding="utf-8")
    own = settings.model_copy(update={"reference": tmp_path})
    before = marts(february)
    assert not assess(february, own, JANUARY).is_new
    assert marts(february) == before

    restated = restate(february, own, JANUARY, "考核方案勘误", "ops")
    assert restated.versions == ()
    assert {(each.mart, each.figure) for each in restated.figures} >= {("assessment_item", "completion/weight")}
    assert not [each for each in restated.figures if each.mart == "metric"]
    with february.connect() as connection:
        digests = connection.execute(
            text(
                "select input_digest, scheme_digest, scorecard_digest, statements_digest from mart.run "
                "where period = '2019-01' order by revision"
            )
        ).all()
    first, second = digests
    assert first.input_digest != second.input_digest
    assert first.scheme_digest != second.scheme_digest
    assert first.scorecard_digest == second.scorecard_digest
    assert first.statements_digest == second.statements_digest == digest_statements()


def test_a_scheme_for_later_years_is_no_input_of_this_month(
    february: Engine, settings: Settings, tmp_path: Path
) -> None:
    scheme = settings.reference_file("scheme.yaml").read_text(encoding="utf-8")
    head, _, first = scheme.partition("versions:\n")
    later = first.replace("from: 2016-01", "from: 2020-01").replace(
        "growth: 20, completion: 40", "growth: 30, completion: 30"
    )
    later = re.sub(r"version: .*", 'version: "later"', later, count=1)
    assert "from: 2020-01" in later
    assert "completion: 30" in later
    (tmp_path / "scheme.yaml").write_text(f"{head}versions:\n{first}\n{later}", encoding="utf-8")
    own = settings.model_copy(update={"reference": tmp_path})
    assert not restate(february, own, JANUARY, "新年度方案", "ops").is_new


def move_deadline(connection: Connection) -> None:
    connection.execute(
        text(
            "insert into registry.deadline_move (period, institution_code, deadline_at, reason) "
            "values ('2019-01', 'B02', :until, '台风')"
        ),
        {"until": datetime(2019, 2, 21, tzinfo=SHANGHAI)},
    )


def owe_less(connection: Connection) -> None:
    connection.execute(text("delete from registry.obligation where kind = 'centre' and report = 'league'"))


def rename_a_bank(connection: Connection) -> None:
    connection.execute(text("update registry.institution set short_name = '新名' where code = 'B02'"))


def change_a_target(connection: Connection) -> None:
    moved = "update mart.target set households = households + :households where institution_code = :bank"
    for bank, households in (("B01", 1), ("B02", -1)):
        connection.execute(text(moved), {"bank": bank, "households": households})


@pytest.mark.parametrize("change", [move_deadline, owe_less, rename_a_bank, change_a_target])
def test_the_digest_covers_what_a_run_reads(
    february: Engine, settings: Settings, change: Callable[[Connection], None]
) -> None:
    assert not preview_restatement(february, settings, JANUARY, WHY).is_new
    with february.begin() as connection:
        change(connection)
    assert preview_restatement(february, settings, JANUARY, WHY).is_new


def test_a_notice_of_a_restated_month_leaves_once(february: Engine, settings: Settings) -> None:
    with february.begin() as connection:
        connection.execute(text("insert into registry.contact values ('B01', 'b01@example.test', 'contact')"))
    deliver_late(february)
    assert {key.rpartition("/")[2] for key in post_notices(february, settings, JANUARY)} == {"r1"}
    restate(february, settings, JANUARY, WHY, "ops")
    assert {key.rpartition("/")[2] for key in post_notices(february, settings, JANUARY)} == {"r2"}
    assert post_notices(february, settings, JANUARY) == []


def test_by_command_line_a_month_is_shown_restated_and_told_once(february: Engine) -> None:
    with february.begin() as connection:
        connection.execute(text("insert into registry.contact values ('B01', 'b01@example.test', 'contact')"))
    deliver_late(february)
    before = marts(february)
    words = ("restate", "2019-01", "--reason", WHY)
    shown = run(*words, "--preview")
    assert (shown.returncode, shown.stdout.partition(" takes")[0]) == (0, "Would be: 2019-01-r2")
    assert marts(february) == before

    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["run_id"], printed["replaced_run_id"], printed["is_new"]) == ("2019-01-r2", "2019-01-r1", True)
    assert {"institution_code": "B03", "report": "loans", "before": None, "after": 2} in printed["versions"]
    for figure in printed["figures"]:
        # A line of the preview for each figure that changed.
        assert figure["figure"] in shown.stdout
    with february.connect() as connection:
        [decided_by] = connection.execute(text("select decided_by from mart.restatement")).scalars()
        notices = text("select count(*) from notify.message where kind = 'monthly_notice' and run_id = '2019-01-r2'")
        assert connection.execute(notices).scalar_one() == 1
    assert decided_by == getpass.getuser()

    again = run(*words)
    assert (again.returncode, again.stdout) == (0, "2019-01 stays as 2019-01-r2: its inputs are the same.\n")
    assert_one_sentence(run("restate", "2019-01", "--reason", " "), 2, "A month is restated for a reason")
    assert_one_sentence(run("restate", "2019-03", "--reason", WHY), 1, "2019-03 is not closed")


def test_by_command_line_targets_are_split_anew_and_listed(february: Engine) -> None:
    assert february is not None
    assert_one_sentence(
        run("targets", "resplit", "2019", "--from", "2019-02", "--reason", WHY), 1, "the first possible is 2019-03"
    )
    made = run("targets", "resplit", "2019", "--from", "2019-03", "--reason", WHY, "--json")
    assert made.returncode == 0, made.stderr
    listed = json.loads(run("targets", "list", "2019", "--json").stdout)
    assert json.loads(made.stdout) == [each for each in listed if each["revision"] == 2]
    assert [each["revision"] for each in listed] == [1, 1, 1, 2, 2, 2]
    assert sum(each["households"] for each in listed) == 2400


def test_of_a_month_one_request_is_open(february: Engine) -> None:
    asked: list[list[str]] = []

    def all_open(requests: list[str]) -> int:
        asked.append(requests)
        return len(requests)

    open_request(february, JANUARY, "one", find_open=all_open)
    open_request(february, JANUARY, "one", find_open=all_open)
    open_request(february, FEBRUARY, "two", find_open=all_open)
    assert asked == []
    with pytest.raises(RefusedError, match="Another restatement of 2019-01 is open"):
        open_request(february, JANUARY, "three", find_open=all_open)
    open_request(february, JANUARY, "four", find_open=lambda _: 0)
    # Three was refused, so nobody waits for it.
    with pytest.raises(RefusedError):
        open_request(february, JANUARY, "five", find_open=all_open)
    assert asked == [["one"], ["one", "four"]]
    with pytest.raises(RefusedError, match="2019-03 is not closed"):
        open_request(february, MARCH, "six", find_open=all_open)


class ReversedCity(SmallCity):
    """The same packages from the last institution to the first, each with its rows from last to first."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._waiting: list[tuple[Period, str, dict[str, Any]]] = []

    def deliver(self, period: Period, institution: str, **named: Any) -> None:
        """Keep the package until the close."""
        turned = {name: value[::-1] if isinstance(value, list) else value for name, value in named.items()}
        self._waiting.append((period, institution, turned))

    def close(self, period: Period) -> None:
        """Deliver what was kept, each institution's versions in their order, and freeze it."""
        for each, institution, named in sorted(self._waiting, key=lambda package: package[1], reverse=True):
            super().deliver(each, institution, **named)
        self._waiting.clear()
        super().close(period)


def fill(engine: Engine, settings: Settings, city_of: Callable[[Connection], SmallCity]) -> dict[str, bytes]:
    """Two months, delivered, closed and assessed, and the first restated for what came late."""
    with engine.begin() as connection:
        city = city_of(connection)
        deliver_january(city)
        city.close(JANUARY)
        deliver_february(city)
        city.close(FEBRUARY)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    deliver_late(engine)
    assert restate(engine, settings, JANUARY, WHY, "ops").is_new
    return marts(engine)


def empty(engine: Engine) -> None:
    """Take out what was delivered and computed."""
    with engine.begin() as connection:
        tables = connection.execute(
            text(
                "select concat(schemaname, '.', tablename) from pg_tables "
                "where schemaname in ('intake', 'mart', 'core') or tablename = 'period'"
            )
        ).scalars()
        # The records among them refuse it to everybody else.
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text(f"truncate {', '.join(tables)} cascade"))


def test_the_same_inputs_give_the_same_bytes_of_every_table_in_whatever_order_they_came(
    engine: Engine, settings: Settings
) -> None:
    first = fill(engine, settings, SmallCity)
    assert {"metric", "case_state", "restated_figure", "run", "target"} <= first.keys()
    filled = sum(map(bool, first.values()))
    assert filled >= 15
    for city_of in (SmallCity, ReversedCity):
        empty(engine)
        assert not any(marts(engine).values())
        again = fill(engine, settings, city_of)
        assert [table for table in first if again[table] != first[table]] == []


def test_the_same_inputs_lying_elsewhere_give_the_same_bytes(february: Engine, settings: Settings) -> None:
    first = marts(february)
    with february.begin() as connection:
        # Approvals among them refuse it to everybody else.
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("truncate mart.run cascade"))
        connection.execute(text("truncate mart.target"))
        tables = connection.execute(
            text("select tablename from pg_tables where schemaname = 'core' and tablename like 'delivered_%'")
        ).scalars()
        for table in tables.all():
            # An update moves the row to the end of its table.
            connection.execute(text(f"update core.{table} set row_number = row_number where row_number = 2"))
        for table in ("frozen_report", "report", "submission"):
            connection.execute(text(f"update intake.{table} set submission_id = submission_id where true"))
    for period in (JANUARY, FEBRUARY):
        assert assess(february, settings, period).is_new
    again = marts(february)
    assert [table for table in first if again[table] != first[table]] == []


def test_of_each_folder_of_statements_it_is_known_whether_a_run_rests_on_it() -> None:
    of_a_run = {
        "alerts",
        "assessment",
        "facts",
        "inputs",
        "invariants",
        "lists",
        "marts",
        "metrics",
        "scores",
        "targets",
    }
    assert {path.name for path in SQL_FOLDER.iterdir()} == of_a_run | NOT_OF_A_RUN
