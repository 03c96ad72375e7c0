"""Two months under a real scheduler, which is killed in the middle, give what the command line gives, byte for byte."""

from __future__ import annotations

import email
import email.policy
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from five_precisions.demo import write_inbox
from five_precisions.figures import assess
from five_precisions.intake import close, collect
from five_precisions.intake.telling.data_docs import build_data_docs
from five_precisions.orchestration.stack import HOST, OPS, OPS_ADDRESS, Interruption, Site, Stack
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse
from tests.e2e.nothing_in_clear import sought_in, walk_installation

MONTHS = (Period(2019, 1), Period(2019, 2))
TO_OPS = "[演示] [five-precisions]"
VARIABLES = {
    PREFIX + "FIRST_PERIOD": str(MONTHS[0]),
    PREFIX + "LAST_PERIOD": str(MONTHS[-1]),
    PREFIX + "REPLAY": "true",
    # A task whose process was killed is noticed, and tried again, within seconds instead of minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}
NOT_COMPARED = {("run", "closed_at")}
"""When a run was finished (spec/04, Restatement and proof)."""


def marts(engine: Engine) -> dict[str, list[str]]:
    """The rows of every table of mart as text, in order."""
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
        for table, names in named.items():
            query = f"select ({', '.join(sorted(names))})::text from mart.{table}"
            tables[table] = sorted(connection.execute(text(query)).scalars())
    return tables


def prepare(engine: Engine, settings: Settings) -> None:
    migrate(engine)
    with engine.begin() as connection:
        save_register(connection, load_register(settings.register_folder))


@pytest.fixture
def stack(server_folder: Path) -> Iterator[Stack]:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    stack = Stack(Site(var=server_folder / "replay", port=port, variables=VARIABLES), Interruption())
    with stack.supervised(patience=5):
        yield stack


def wait(stack: Stack, what: str, is_done: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} seconds; see {stack.site.logs}"
        stack.pause(0.5)


def notices_to_ops(stack: Stack) -> list[str]:
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in stack.site.mails.glob("*.eml")
    ]
    return [str(mail["Subject"]) for mail in mails if OPS_ADDRESS in str(mail["To"])]


@pytest.mark.timeout(900)
def test_two_months_under_the_scheduler_equal_the_command_line(stack: Stack, empty_database_url: str) -> None:
    write_inbox(stack.site.var / "inbox", until=MONTHS[-1])
    url = stack.start_servers()
    settings = Settings(_env_file=stack.site.var / "secrets.env", var=stack.site.var, replay=True)
    airflow = create_engine(url.set(drivername="postgresql+psycopg", database="airflow"))
    engine = create_engine(url)
    prepare(engine, settings)
    stack.start_migration()
    stack.finish("migrate")
    stack.start_components()
    stack.wait_until_ready()

    def count(source: Engine, query: str) -> int:
        with source.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    # In the middle of February: some of its packages are in the ledger, others are not.
    february = "select count(*) from intake.submission where period = '2019-02'"
    wait(stack, "February's first packages", lambda: count(engine, february) >= 3)
    assert count(engine, "select count(*) from intake.close where period = '2019-02'") == 0
    os.killpg(stack._processes["scheduler"].pid, signal.SIGKILL)
    stack._processes["scheduler"].wait()
    stack.start_components("scheduler")

    wait(stack, "February's run", lambda: count(engine, "select count(*) from mart.run") == 2)
    unfinished = "select count(*) from dag_run where state not in ('success', 'failed')"
    wait(stack, "the end of all runs", lambda: count(airflow, unfinished) == 0)
    wait(stack, "every mail", lambda: count(engine, "select count(*) from notify.message where status <> 'sent'") == 0)

    assert count(airflow, "select count(*) from dag_run where state = 'success'") == 4
    # The grid is the submission matrix: one row an institution, named; B07 did not deliver in February.
    with airflow.connect() as connection:
        red = connection.execute(
            text(
                "select dag_run.partition_key, task.rendered_map_index from task_instance as task "
                "inner join dag_run on task.run_id = dag_run.run_id and task.dag_id = dag_run.dag_id "
                "where task.task_id = 'collect' and task.state = 'failed'"
            )
        ).all()
    assert [tuple(row) for row in red] == [("2019-02", "鹭屿城市")]

    versions = count(engine, "select count(*) from intake.submission")
    cross_checks = count(engine, "select count(*) from intake.cross_check where edition = 'close'")
    assert cross_checks > 5
    receipts = versions + cross_checks
    kinds = "select count(*) from notify.message where kind = "
    assert count(engine, f"{kinds}'receipt'") == receipts
    assert count(engine, f"{kinds}'monthly_notice'") == 2 * 16
    supervision = count(engine, f"{kinds}'supervision_notice'")
    grave = (
        "select count(distinct (run_id, institution_code)) from mart.case_state where level = 'high' "
        "and state = 'open' and change in ('new', 'reopened', 'returned', 'worsened') and institution_code <> 'Z01'"
    )
    assert supervision == count(engine, grave) > 0
    sent = receipts + 2 * 16 + supervision

    # Ops have one message of each run that left something to look at: February lacks B07.
    wanted_a_look = set()
    for month in map(str, MONTHS):
        lacking = f"select count(*) from mart.reporting where period = '{month}' and status in ('missing', 'rejected')"
        unranked = f"select count(*) from mart.assessment where period = '{month}' and status = 'unranked'"
        if count(engine, lacking):
            wanted_a_look.add(f"{TO_OPS} monthly_collection {month} wants a look")
        if count(engine, unranked) + count(engine, f"{grave} and period = '{month}'"):
            wanted_a_look.add(f"{TO_OPS} monthly_assessment {month} wants a look")
    assert f"{TO_OPS} monthly_collection 2019-02 wants a look" in wanted_a_look
    wait(stack, "the digests for ops", lambda: len(notices_to_ops(stack)) >= len(wanted_a_look), seconds=60)
    assert sorted(notices_to_ops(stack)) == sorted(wanted_a_look)
    assert len(list(stack.site.mails.glob("*.eml"))) == sent + len(wanted_a_look)

    login = {"username": OPS, "password": stack.site.password(OPS)}
    assert httpx.get(f"{stack.site.url}/api/v2/dags").status_code == 401
    token = httpx.post(f"{stack.site.url}/auth/token", json=login).json()["access_token"]

    # Our pages are behind Airflow's login.
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into notify.shown_draft (quarter, draft, digest, title) "
                "values ('2018-Q4', 1, 'x', '关于试印的通报')"
            )
        )
    page = f"{stack.site.url}/five-precisions/drafts/2018-Q4/1"
    assert httpx.get(page).status_code == 401
    assert "/api/v2/auth/login?next=" in httpx.get(page, headers={"Accept": "text/html"}).headers["location"]
    for shown in (
        httpx.get(page, headers={"Authorization": f"Bearer {token}"}),
        httpx.get(page, cookies={"_token": token}),
    ):
        assert shown.status_code == 200
        assert "关于试印的通报" in shown.text

    # A quarter that is not assessed: refused once, not tried again, and ops are told once.
    asked = httpx.post(
        f"{stack.site.url}/api/v2/dags/quarterly_bulletin/dagRuns",
        headers={"Authorization": f"Bearer {token}"},
        json={"logical_date": None, "partition_key": "2019-Q1"},
    )
    assert asked.status_code == 200, asked.text
    failed = "select count(*) from dag_run where dag_id = 'quarterly_bulletin' and state = 'failed'"
    wait(stack, "the refusal", lambda: count(airflow, failed) == 1)
    tries = "select max(try_number) from task_instance where dag_id = 'quarterly_bulletin' and task_id = 'render'"
    assert count(airflow, tries) == 1
    wait(stack, "the notice to ops", lambda: len(notices_to_ops(stack)) > len(wanted_a_look), seconds=60)
    stack.pause(5)
    assert set(notices_to_ops(stack)) - wanted_a_look == {f"{TO_OPS} quarterly_bulletin 2019-Q1 failed"}
    assert len(notices_to_ops(stack)) == len(wanted_a_look) + 1

    by_hand = settings.model_copy(update={"warehouse": empty_database_url, "outbox": str(stack.site.var / "by-hand")})
    with open_warehouse(by_hand) as other:
        prepare(other, by_hand)
        for month in MONTHS:
            collect(other, by_hand, month)
            close(other, by_hand, month)
            assess(other, by_hand, month)
        wanted, found = marts(other), marts(engine)
    assert len(wanted["metric"]) > 1000
    assert set(wanted) == set(found)
    assert [table for table in wanted if wanted[table] != found[table]] == []

    # Whatever was written on the way, by whom ever: nothing delivered as sensitive stands anywhere in clear.
    for month in MONTHS:
        build_data_docs(engine, settings, month)
    inbox = stack.site.var / "inbox"
    delivered = sought_in(inbox)
    sought = delivered.without_public()
    assert len(sought.numbers) > 5000
    assert len(sought.numbers) > 0.9 * len(delivered.numbers)
    assert len(sought.names) > 0.5 * len(delivered.names)
    walk = walk_installation(sought, [airflow.url, engine.url], stack.site.var, inbox)
    seen = walk.looked_at
    assert seen["table"] > 80
    assert seen["row"] > 20_000
    assert seen["mail"] >= sent
    assert seen["page"] > receipts + 100
    assert seen["workbook"] > 10
    assert seen["log"] > 30
    assert walk.leaks == []
    airflow.dispose()
    engine.dispose()
