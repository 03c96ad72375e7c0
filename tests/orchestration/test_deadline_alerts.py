"""Ops hear of a monthly run that is late, and of no other (docs/operations.md#a-run-that-is-late)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import close
from five_precisions.period import SHANGHAI
from five_precisions.register import open_period
from five_precisions.settings import PREFIX, Settings
from tests.mail_server import MailServer
from tests.packages import JUNE

pytestmark = pytest.mark.integration

CONTEXT = {
    "dag_run": {
        "dag_id": "monthly_collection",
        "dag_run_id": "scheduled__2019-06",
        "partition_key": str(JUNE),
        "state": "running",
    },
    "deadline": {"deadline_time": datetime(2019, 7, 11, 6, tzinfo=SHANGHAI)},
}


def notify_of_open_month() -> None:
    from five_precisions.orchestration import deadline_alerts

    asyncio.run(deadline_alerts.notify_of_open_month(CONTEXT))


def told(server: MailServer) -> tuple[str, str]:
    [mail] = server.mails()
    body = mail.get_body(("plain",))
    assert body is not None
    return str(mail["Subject"]), " ".join(body.get_content().split())


def open_june(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        open_period(connection, settings, JUNE)


def test_a_month_that_is_not_closed_in_time_is_told(
    ops: MailServer, register_saved_engine: Engine, settings: Settings
) -> None:
    open_june(register_saved_engine, settings)
    notify_of_open_month()
    subject, words = told(ops)
    assert subject == "[演示] [five-precisions] monthly_collection 2019-06 is late"
    assert (
        "scheduled__2019-06 of monthly_collection 2019-06 was due by 2019-07-11 06:00; its state was running." in words
    )
    assert "2019-06 is not closed 6 hours after its last deadline." in words


def test_a_month_that_was_never_opened_is_told(ops: MailServer, register_saved_engine: Engine) -> None:
    notify_of_open_month()
    assert told(ops)[0].endswith("monthly_collection 2019-06 is late")


def test_a_closed_month_is_told_to_nobody(ops: MailServer, register_saved_engine: Engine, settings: Settings) -> None:
    open_june(register_saved_engine, settings)
    close(register_saved_engine, settings.model_copy(update={"first_period": JUNE}), JUNE)
    notify_of_open_month()
    assert ops.mails() == []


def test_ops_are_told_though_the_warehouse_is_away(ops: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "WAREHOUSE", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    notify_of_open_month()
    assert told(ops)[0].endswith("monthly_collection 2019-06 is late")


def test_a_deadline_that_was_moved_is_waited_for(
    ops: MailServer, register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One institution has until in an hour, and hours after that are left."""
    from five_precisions.orchestration import deadline_alerts

    open_june(register_saved_engine, settings)
    with register_saved_engine.begin() as connection:
        connection.execute(text("update registry.period set deadline_at = now() + interval '1 hour'"))
    left = deadline_alerts._time_left(JUNE)
    assert left is not None
    assert timedelta(hours=6, minutes=50) < left <= timedelta(hours=7)

    async def wait_a_moment() -> None:
        monkeypatch.setattr(deadline_alerts, "_LONGEST_REST", timedelta(seconds=0.1))
        waiting = asyncio.create_task(deadline_alerts.notify_of_open_month(CONTEXT))
        await asyncio.sleep(0)
        with register_saved_engine.begin() as connection:
            connection.execute(text("update registry.period set deadline_at = now() - interval '7 hours'"))
        await asyncio.wait_for(waiting, 60)

    asyncio.run(wait_a_moment())
    assert told(ops)[0].endswith("monthly_collection 2019-06 is late")


def test_a_run_that_is_late_is_told(ops: MailServer) -> None:
    from five_precisions.orchestration.deadline_alerts import notify_of_late_run

    run = CONTEXT["dag_run"] | {"dag_id": "monthly_assessment", "state": "failed"}
    # As it comes from Airflow's database.
    asyncio.run(notify_of_late_run({"dag_run": run, "deadline": {"deadline_time": "2019-07-11T00:00:00+00:00"}}))
    subject, words = told(ops)
    assert subject.endswith("monthly_assessment 2019-06 is late")
    assert "was due by 2019-07-11 08:00; its state was failed." in words
