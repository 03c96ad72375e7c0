"""A sender killed at every point of sending: never two of the same mail, and none lost without being shown."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from five_precisions.delivery import Status, dispatch
from five_precisions.delivery.dispatch import _Sender
from five_precisions.delivery.transport import Transport
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.delivery.conftest import message, put, state
from tests.mail_server import MailServer

PENDING, DOUBT, SENT = Status.PENDING, Status.IN_DOUBT, Status.SENT

POINTS: dict[str, tuple[str, str, str, Status, int]] = {
    "before its lock": ("sender", "settle", "before", PENDING, 0),
    "before the message is read": ("sender", "_hand_over", "before", PENDING, 0),
    "before its turn": ("sender", "_wait_for_slot", "before", PENDING, 0),
    "when it is marked as being sent": ("transport", "send", "before", DOUBT, 0),
    "before the connection": ("smtp", "connect", "before", DOUBT, 0),
    "once connected": ("smtp", "connect", "after", DOUBT, 0),
    "before the recipient": ("smtp", "rcpt", "before", DOUBT, 0),
    "before the contents": ("smtp", "data", "before", DOUBT, 0),
    "after the contents": ("smtp", "data", "after", DOUBT, 1),
    "before the connection is ended": ("smtp", "quit", "before", DOUBT, 1),
    "before it is recorded": ("sender", "_record", "before", DOUBT, 1),
    "before the record is committed": ("sender", "_record", "after", DOUBT, 1),
    "after the record, under its lock": ("sender", "_hand_over", "after", SENT, 1),
    "after its lock": ("sender", "settle", "after", SENT, 1),
}
"""Where the process ends: whose function, which, before or after it; what is then known, and what arrived."""


def kill(owner: Any, name: str, when: str) -> None:
    """Let this process be killed before or after a function."""
    function: Callable[..., Any] = getattr(owner, name)

    def deadly(*arguments: Any, **options: Any) -> Any:
        if when == "after":
            function(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)


def send_and_be_killed(settings: Settings, owner: str, name: str, when: str) -> None:
    """What runs in the process that is killed."""
    Transport(None)
    # Apprise's own client of the mail server, loaded with it: no module of ours imports it.
    owners = {"sender": _Sender, "transport": Transport, "smtp": sys.modules["smtplib"].SMTP}
    kill(owners[owner], name, when)
    with open_warehouse(settings) as engine:
        dispatch(engine, settings)


@pytest.fixture(scope="module")
def forks() -> Any:
    """Processes that have imported Apprise beforehand and share nothing else with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_sending(
    point: str, register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, forks: Any
) -> None:
    owner, name, when, known, arrived = POINTS[point]
    [key] = put(register_saved_engine, message())
    process = forks.Process(target=send_and_be_killed, args=(mailing, owner, name, when))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, "it was not killed where it should have been"

    # The server may notice the end of the connection a moment later.
    deadline = time.monotonic() + 20
    while (found := state(register_saved_engine, key)).status is Status.SENDING or found.status is PENDING:
        assert time.monotonic() < deadline
        dispatch(register_saved_engine, mailing)
    dispatch(register_saved_engine, mailing)
    if known is PENDING:
        assert found.status is SENT
        assert mail_server.keys() == [key]
    else:
        assert found.status is known
        assert mail_server.keys() == [key] * arrived
