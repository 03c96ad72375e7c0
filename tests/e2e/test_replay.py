"""A quarter under a real scheduler, which is killed in the middle, gives what the command line gives, byte for byte."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, text

from five_precisions.data_docs.months import build_data_docs
from five_precisions_demo.stack import OPS
from tests.e2e.nothing_in_clear import sought_in, walk_installation
from tests.replay import MONTHS, QUARTER, Replay

TO_OPS = "[演示] [five-precisions]"
NOT_COMPARED = {("run", "closed_at")}
"""When a run was finished (docs/figures.md#restatement-and-proof)."""


def marts(engine: Engine) -> dict[str, list[str]]:
    """The quarter's rows of every table of mart as text, in order."""
    tables: dict[str, list[str]] = {}
    with engine.connect() as connection:
        columns = connection.execute(
            text(
                "select table_name, column_name from information_schema.columns inner join information_schema.tables "
                "using (table_schema, table_name) where table_schema = 'mart' and table_type = 'BASE TABLE'"
            )
        ).all()
        named: dict[str, list[str]] = {}
        for table, column in columns:
            if (table, column) not in NOT_COMPARED:
                named.setdefault(table, []).append(f'"{column}"')
        months = {"months": list(map(str, MONTHS))}
        for table, names in named.items():
            query = f"select ({', '.join(sorted(names))})::text from mart.{table}"
            # The targets are the year's.
            if '"run_id"' in names:
                query += " where run_id in (select run_id from mart.run where period = any(:months))"
            tables[table] = sorted(connection.execute(text(query), months if ":months" in query else {}).scalars())
    return tables


def test_a_quarter_under_the_scheduler_equals_the_command_line(replay: Replay, golden_city: Engine) -> None:
    wanted, found = marts(golden_city), marts(replay.warehouse)
    assert len(wanted["metric"]) > 1000
    assert set(wanted) == set(found)
    assert [table for table in wanted if wanted[table] != found[table]] == []


def test_the_grid_is_the_submission_matrix(replay: Replay) -> None:
    """One row an institution, named; B07 did not deliver in February."""
    with replay.airflow.connect() as connection:
        runs = connection.execute(
            text(
                "select dag_id, count(*) from dag_run where dag_id like 'monthly%' and state = 'success' "
                "group by dag_id order by dag_id"
            )
        ).all()
        rows = connection.execute(
            text(
                "select dag_run.partition_key, task.rendered_map_index, task.state from task_instance as task "
                "inner join dag_run on task.run_id = dag_run.run_id and task.dag_id = dag_run.dag_id "
                "where task.task_id = 'collect'"
            )
        ).all()
    assert [tuple(run) for run in runs] == [("monthly_assessment", 3), ("monthly_collection", 3)]
    assert [row for row in rows if row.rendered_map_index is None] == []
    assert len({(row.partition_key, row.rendered_map_index) for row in rows}) == len(rows) == 3 * 17
    assert [tuple(row) for row in rows if row.state != "success"] == [("2019-02", "鹭屿城市", "failed")]


def test_everybody_is_told_once(replay: Replay) -> None:
    versions = replay.count("select count(*) from intake.submission")
    cross_checks = replay.count("select count(*) from intake.cross_check where edition = 'close'")
    assert cross_checks > 5
    receipts = versions + cross_checks
    kinds = "select count(*) from notify.message where kind = "
    assert replay.count(f"{kinds}'receipt'") == receipts
    assert replay.count(f"{kinds}'monthly_notice'") == 3 * 16
    supervision = replay.count(f"{kinds}'supervision_notice'")
    grave = (
        "select count(distinct (run_id, institution_code)) from mart.case_state where level = 'high' "
        "and state = 'open' and change in ('new', 'reopened', 'returned', 'worsened') and institution_code <> 'Z01'"
    )
    assert supervision == replay.count(grave) > 0

    # Ops have one message of each run that left something to look at: February lacks B07.
    wanted_a_look = set()
    for month in map(str, MONTHS):
        lacking = f"select count(*) from mart.reporting where period = '{month}' and status in ('missing', 'rejected')"
        unranked = f"select count(*) from mart.assessment where period = '{month}' and status = 'unranked'"
        if replay.count(lacking):
            wanted_a_look.add(f"{TO_OPS} monthly_collection {month} wants a look")
        if replay.count(unranked) + replay.count(f"{grave} and period = '{month}'"):
            wanted_a_look.add(f"{TO_OPS} monthly_assessment {month} wants a look")
    assert f"{TO_OPS} monthly_collection 2019-02 wants a look" in wanted_a_look
    replay.wait("the messages to ops", lambda: len(replay.subjects_to_ops()) >= len(wanted_a_look))
    assert sorted(replay.subjects_to_ops()) == sorted(wanted_a_look)
    # Where the bulletin is approved by now (tests/browser), it has left, too.
    bulletins = replay.count(f"{kinds}'bulletin'")
    mails = receipts + 3 * 16 + supervision + bulletins + len(wanted_a_look)
    assert len(list(replay.stack.site.mails.glob("*.eml"))) == mails


def test_a_refusal_is_not_tried_again_and_told_once(replay: Replay) -> None:
    """A quarter that is not assessed."""
    told = replay.subjects_to_ops()
    url = replay.stack.site.url
    assert httpx.get(f"{url}/api/v2/dags").status_code == 401
    asked = httpx.post(
        f"{url}/api/v2/dags/quarterly_bulletin/dagRuns",
        headers={"Authorization": f"Bearer {replay.token(OPS)}"},
        json={"logical_date": None, "partition_key": "2019-Q2"},
    )
    assert asked.status_code == 200, asked.text
    of_quarter = "dag_run where dag_id = 'quarterly_bulletin' and partition_key = '2019-Q2'"
    failed = f"select count(*) from {of_quarter} and state = 'failed'"
    replay.wait("the refusal", lambda: replay.count_in_airflow(failed) == 1)
    tries = (
        "select max(try_number) from task_instance where dag_id = 'quarterly_bulletin' and task_id = 'render' "
        f"and run_id in (select run_id from {of_quarter})"
    )
    assert replay.count_in_airflow(tries) == 1
    replay.wait("the notice to ops", lambda: len(replay.subjects_to_ops()) > len(told))
    replay.stack.pause(5)
    assert sorted(replay.subjects_to_ops()) == sorted([*told, f"{TO_OPS} quarterly_bulletin 2019-Q2 failed"])


def test_a_row_leads_to_its_institution_and_an_approval_to_its_draft(replay: Replay) -> None:
    """From a task's page in Airflow, below Airflow's own address."""
    as_ops = {"Authorization": f"Bearer {replay.token(OPS)}"}
    with replay.airflow.connect() as connection:
        rows = connection.execute(
            text(
                "select run.dag_id, run.run_id, run.partition_key, task.map_index, task.task_id, "
                "task.rendered_map_index as short_name from task_instance as task inner join dag_run as run "
                "on task.dag_id = run.dag_id and task.run_id = run.run_id where task.task_id in ('collect', 'approve') "
                "and run.partition_key in ('2019-02', :quarter)"
            ),
            {"quarter": str(QUARTER)},
        ).all()
    assert len(rows) == 17 + 1
    links = {}
    for row in rows:
        address = f"{replay.stack.site.url}/api/v2/dags/{row.dag_id}/dagRuns/{quote(row.run_id)}/taskInstances"
        given = httpx.get(
            f"{address}/{row.task_id}/links", params={"map_index": row.map_index}, headers=as_ops
        ).raise_for_status()
        links[row.short_name] = given.json()["extra_links"]
    # The red row, too.
    assert links["鹭屿城市"] == {
        "回执": "five-precisions/reporting/B07?period=2019-02#versions",
        "问题清单": "five-precisions/reporting/B07?period=2019-02#findings",
    }
    assert links[None] == {"稿件": f"five-precisions/drafts/{QUARTER}/1"}
    assert len({each["回执"] for name, each in links.items() if name is not None}) == 17
    draft = httpx.get(f"{replay.stack.site.url}/{links[None]['稿件']}", headers=as_ops)
    assert draft.status_code == 200
    assert "第一季度" in draft.text


def test_a_run_that_is_late_is_told_by_scheduler_and_triggerer(replay: Replay) -> None:
    """In a replay no run has a deadline, so one is given to February's, as the scheduler does when it makes a run."""
    told = replay.subjects_to_ops()
    # As Airflow writes it: what is not so written ends the scheduler.
    kwargs = {"__type": "dict", "__var": {}}
    path = "five_precisions.orchestration.deadline_alerts.notify_of_late_run"
    callback = {"__type": "dict", "__var": {"path": path, "kwargs": kwargs, "dag_id": "monthly_assessment"}}
    with replay.airflow.begin() as connection:
        connection.execute(
            text(
                "with called as ("
                "insert into callback (id, type, fetch_method, data, state, priority_weight, created_at) "
                "values (gen_random_uuid(), 'triggerer', 'import_path', cast(:data as json), 'scheduled', 1, now()) "
                "returning id) "
                "insert into deadline (id, created_at, last_updated_at, dagrun_id, deadline_time, missed, callback_id) "
                "select gen_random_uuid(), now(), now(), run.id, now(), false, called.id from called "
                "cross join dag_run as run where run.dag_id = 'monthly_assessment' and run.partition_key = '2019-02'"
            ),
            {"data": json.dumps(callback)},
        )
    replay.wait("the notice to ops", lambda: len(replay.subjects_to_ops()) > len(told))
    assert sorted(replay.subjects_to_ops()) == sorted([*told, f"{TO_OPS} monthly_assessment 2019-02 is late"])
    done = "select count(*) from callback where state = 'success'"
    replay.wait("Airflow's record", lambda: replay.count_in_airflow(done) == 1)


def test_nothing_sensitive_stands_in_clear(replay: Replay) -> None:
    """Whatever was written on the way, by whom ever."""
    var = replay.stack.site.var
    for month in MONTHS:
        build_data_docs(replay.warehouse, replay.settings, month)
    delivered = sought_in(var / "inbox")
    sought = delivered.without_public()
    assert len(sought.numbers) > 5000
    assert len(sought.numbers) > 0.9 * len(delivered.numbers)
    assert len(sought.names) > 0.5 * len(delivered.names)
    walk = walk_installation(sought, [replay.airflow.url, replay.warehouse.url], var, var / "inbox")
    seen = walk.looked_at
    receipts = replay.count("select count(*) from notify.message where kind = 'receipt'")
    assert seen["table"] > 80
    assert seen["row"] > 20_000
    assert seen["mail"] >= replay.count("select count(*) from notify.message where status = 'sent'")
    assert seen["page"] > receipts + 100
    assert seen["workbook"] > 10
    assert seen["log"] > 30
    assert walk.leaks == []
