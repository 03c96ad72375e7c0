"""SIGKILL at every point of taking a package in, and then once more: the same final state (docs/intake.md#its-life)."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine

from five_precisions import storage
from five_precisions.collection import close, collect
from five_precisions.collection import deliveries as collection
from five_precisions.intake import archive, inbox, recording
from five_precisions.period import SHANGHAI
from five_precisions.receipts import receipt_files
from five_precisions.settings import Settings
from five_precisions.storage import is_aside
from five_precisions.warehouse import open_warehouse
from tests.packages import JUNE, package, put, sound
from tests.rows import rows

POINTS: dict[str, tuple[Any, str, int]] = {
    "with nothing but a look at it": (inbox.Inbox, "read", 1),
    "with one file of three in the archive": (archive.Archive, "keep", 2),
    "with a draft in the archive": (storage, "_move", 2),
    "with a file in the archive whose folder is not synced": (storage, "_sync_folder", 4),
    "when rows are staged": (recording, "lock_period", 1),
    "when the ledger is half written": (recording, "save_findings", 1),
    "before the transaction ends": (collection, "take", 1),
    "after it, before the receipt's file": (collection, "write_receipts", 1),
    "after the receipt's file": (archive.Archive, "keep", 4),
    "with the archive held against the inbox": (inbox.Inbox, "remove", 1),
    "with the inbox half empty": (LocalFileSystem, "rm_file", 3),
    "with the inbox empty": (collection, "forget_taken", 1),
}
"""Where the process ends: before that call of a function, counted from 1."""


def kill_before(owner: Any, name: str, count: int) -> None:
    """Let this process be killed where a function is called for that time."""
    function: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    setattr(owner, name, counted)


def collect_and_be_killed(settings: Settings, point: str) -> None:
    """What runs in the process that is killed."""
    kill_before(*POINTS[point])
    with open_warehouse(settings) as engine:
        collect(engine, settings, JUNE)


def final_state(engine: Engine, settings: Settings) -> dict[str, Any]:
    """What a delivery leaves behind, but for times."""

    def files(address: str) -> list[str]:
        # A draft that was left behind is hidden, and cleared after a day.
        found = (path for path in Path(address).rglob("*") if path.is_file() and not is_aside(path.name))
        return sorted(str(path.relative_to(address)) for path in found)

    return {
        "submissions": rows(engine, "select submission_id, digest, verdict from intake.submission"),
        "reports": rows(engine, "select report, verdict, rows, errors, warnings from intake.report order by 1"),
        "findings": rows(engine, "select ordinal, rule, cell, message from intake.finding order by 1"),
        "files": rows(engine, "select name, sha256 from intake.file order by 1"),
        "loans": rows(engine, "select row_number, contract_no, balance, borrower_id_hash from core.loans"),
        "messages": rows(engine, "select message_key, status from notify.message order by 1"),
        "received": rows(engine, "select received_at from intake.submission"),
        "noted": rows(
            engine, "select path from intake.taken_file union all select fingerprint from intake.seen_package"
        ),
        "inbox": files(settings.inbox_address),
        "outbox": files(settings.outbox_address),
        "archive": files(settings.archive_address),
    }


@pytest.fixture(scope="module")
def forks() -> Any:
    """Processes that have imported the checks beforehand and share nothing else with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "great_expectations"])
    return context


def lay(settings: Settings) -> None:
    files = package(loans=[sound("loans", principal="60000", balance="60000")], grid=[sound("grid", hotline="")])
    put(Path(settings.inbox_address) / str(JUNE) / "B01", files, datetime(2019, 7, 3, tzinfo=SHANGHAI))


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_started_again(point: str, engine: Engine, settings: Settings, forks: Any) -> None:
    lay(settings)
    process = forks.Process(target=collect_and_be_killed, args=(settings, point))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, "it was not killed where it should have been"
    started_again_at = datetime.now(SHANGHAI)
    collect(engine, settings, JUNE)
    state = final_state(engine, settings)
    collect(engine, settings, JUNE)
    assert final_state(engine, settings) == state
    assert [row[0] for row in state["submissions"]] == ["2019-06-B01-1"]
    assert [row[:2] for row in state["reports"]] == [("grid", "accepted"), ("loans", "accepted")]
    assert [row[1] for row in state["findings"]] == ["G01", "L10"]
    assert len(state["loans"]) == 1
    assert [row[0] for row in state["messages"]] == ["receipt/2019-06/B01/b01@example.test/v1"]
    assert state["inbox"] == []
    assert state["noted"] == []
    ((received_at,),) = state["received"]
    assert received_at < started_again_at, "it was first seen before the end, and is not late for it"
    assert state["outbox"] == ["2019-06/B01/findings-v1.xlsx", "2019-06/B01/receipt-v1.html"]
    assert len(state["archive"]) == len(state["files"]) == 3
    kept = archive.Archive.of(settings)
    assert {kept.look(sha256).condition for _, sha256 in state["files"]} == {archive.Condition.WHOLE}


def close_and_be_killed(settings: Settings, count: int) -> None:
    kill_before(receipt_files, "_write", count)
    with open_warehouse(settings) as engine:
        close(engine, settings, JUNE, replay=True)


def test_a_close_that_is_killed_leaves_no_receipt_unwritten(engine: Engine, settings: Settings, forks: Any) -> None:
    """Its findings are on record and on their way by mail; the files follow with the next close, and change nothing."""
    for bank in ("B01", "B02"):
        loan = sound("loans", contract_no=f"HT-{bank}", principal="30000", balance="30000")
        put(Path(settings.inbox_address) / str(JUNE) / bank, package(loans=[loan]))
    put(Path(settings.inbox_address) / str(JUNE) / "C01", package(households=[sound("households")]))
    collect(engine, settings, JUNE, replay=True)
    process = forks.Process(target=close_and_be_killed, args=(settings, 3))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert close(engine, settings, JUNE, replay=True).cross_checks == ()
    state = final_state(engine, settings)
    closes = [name for name in state["outbox"] if "close" in name]
    assert closes == [
        f"2019-06/{bank}/{name}" for bank in ("B01", "B02") for name in ("findings-close.xlsx", "receipt-close.html")
    ]
    assert sum(key.endswith("/close") for key, _ in state["messages"]) == 2
