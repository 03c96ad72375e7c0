"""Ops are told of a run in one message, and only if it wants a human (docs/outputs.md#messages)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.delivery import Kind, Message, post
from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import Settings
from tests.mail_server import MailServer
from tests.packages import JUNE, put, sound_package

pytestmark = pytest.mark.integration


def context(key: str) -> Any:
    from airflow.sdk import DAG

    run = SimpleNamespace(partition_key=key)
    return {"dag": DAG("monthly_collection", schedule=None), "dag_run": run, "run_id": "manual__1"}


def words(server: MailServer) -> tuple[str, str]:
    [mail] = server.mails()
    body = mail.get_body(("plain",))
    assert body is not None
    return str(mail["Subject"]), " ".join(body.get_content().split())


def end(name: str, key: str, find: Any = None) -> None:
    """What Airflow does with a DAG's callback when its run has ended."""
    from five_precisions.orchestration.notices import notify_ops_at_end

    notify_ops_at_end(find)[name](context(key))


def test_a_failed_run_is_told_once_with_what_it_left(ops: MailServer) -> None:
    end("on_failure_callback", "2019-06", lambda _: ["B07 is missing loans.", "Messages failed: 1"])
    subject, told = words(ops)
    assert subject == "[演示] [five-precisions] monthly_collection 2019-06 failed"
    assert "The run manual__1 of monthly_collection 2019-06 failed." in told
    assert "B07 is missing loans. Messages failed: 1" in told
    [mail] = ops.mails()
    assert mail["Auto-Submitted"] == "auto-generated", "as every mail that no person has written"


def test_a_run_that_leaves_nothing_is_not_told(ops: MailServer) -> None:
    end("on_success_callback", "2019-06", lambda _: [])
    assert ops.mails() == []


def test_a_run_that_went_well_and_left_something_is_told(ops: MailServer) -> None:
    end("on_success_callback", "2019-06", lambda _: ["B07 is missing loans."])
    assert words(ops) == ("[演示] [five-precisions] monthly_collection 2019-06 wants a look", "B07 is missing loans.")


def test_ops_hear_of_a_failure_though_the_warehouse_is_away(ops: MailServer) -> None:
    def unreachable(_: object) -> list[str]:
        raise SetupError("The warehouse cannot be reached.")

    end("on_failure_callback", "2019-06", unreachable)
    assert "What else it left cannot be told: The warehouse cannot be reached." in words(ops)[1]


def test_what_a_month_lacks_is_named_by_institution(register_saved_engine: Engine, settings: Settings) -> None:
    from five_precisions.collection import close, collect
    from five_precisions.orchestration.ops_summary import summarize_collection

    for code in ("B01", "B02"):
        put(Path(settings.inbox_address) / "2019-06" / code, sound_package("grid"))
    collect(register_saved_engine, settings, JUNE)
    close(register_saved_engine, settings, JUNE)
    sentences = summarize_collection(context("2019-06"))
    assert len(sentences) == 17 + 1
    assert sentences[0].startswith("B01 ")
    assert "loans missing, position missing" in sentences[0]
    assert "grid" not in sentences[0]
    assert "grid missing" in sentences[2]
    assert "closed without them" in sentences[-1]


def test_the_morning_tells_of_strays_waiting_drafts_and_stuck_messages(
    register_saved_engine: Engine, settings: Settings
) -> None:
    from five_precisions.orchestration.ops_summary import summarize_day

    assert summarize_day(context("")) == []
    (Path(settings.inbox_address) / "2019-6").mkdir(parents=True)
    now = datetime.now(UTC)
    with register_saved_engine.begin() as connection:
        for quarter, days in (("2019-Q1", 14), ("2019-Q2", 1)):
            connection.execute(
                text("insert into notify.shown_draft values (:quarter, 1, 'digest', :at)"),
                {"quarter": quarter, "at": now - timedelta(days=days)},
            )
        post(connection, [message("b01@example.test"), message("b02@example.test")])
        connection.execute(text("update notify.message set status = 'in_doubt' where recipient like 'b01%'"))
        connection.execute(
            text("update notify.message set created_at = now() - interval '25 hours' where recipient like 'b02%'")
        )
    stray, draft, stuck, unsent = summarize_day(context(""))
    assert "2019-6" in stray
    assert draft.startswith("Draft 1 of 2019-Q1 has waited for a decision for ")
    assert stuck.startswith("Messages in doubt: 1 (receipt/2019-06/B01/b01@example.test/v1)")
    assert unsent.startswith("Messages unsent for a day: 1 (receipt/2019-06/B01/b02@example.test/v1)")


def test_the_morning_names_who_is_no_longer_in_the_registers_files(register_saved_engine: Engine) -> None:
    from five_precisions.orchestration.ops_summary import summarize_day

    with register_saved_engine.begin() as connection:
        connection.execute(text("update registry.institution set left_files_at = now() where code in ('B02', 'B03')"))
        connection.execute(text("update registry.institution set closed_on = '2019-05-31' where code = 'B03'"))
    [left] = summarize_day(context(""))
    assert left.startswith("B02 南屿实业已不在机构名册（institutions.csv）中，仍按应报机构催报和考核：请重新写入名册")
    assert left.endswith("或执行 five-precisions register close B02 --on 日期 --reason 原因。")


def test_the_morning_names_a_deadline_whose_days_off_are_not_announced(
    register_saved_engine: Engine, settings: Settings
) -> None:
    from five_precisions.orchestration.ops_summary import summarize_day

    with register_saved_engine.begin() as connection:
        open_period(connection, settings, Period(2026, 12))
    assert summarize_day(context("")) == [
        "2027年放假安排尚未公布，2026-12报送期限按法定节假日推算为2027-01-13；公布后请更新 holidays.csv 或升级。"
    ]


def message(address: str) -> Message:
    return Message(
        kind=Kind.RECEIPT,
        period="2019-06",
        institution_code="B01",
        address=address,
        edition="v1",
        subject="回执",
        html="<p>已收到。</p>",
    )
