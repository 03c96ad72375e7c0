"""Dispatchers as processes: two at once, and one that is killed at the worst moment (docs/outputs.md#messages)."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from sqlalchemy import Engine, text

from five_precisions.delivery import Dispatched, Status, dispatch, resend
from five_precisions.settings import PREFIX, Settings
from tests.command_line import COMMAND
from tests.delivery.conftest import add_contacts, attempts, message, put, state
from tests.mail_server import Fault, MailServer
from tests.waiting import LONGEST_SECONDS, wait_until


def start_sending(server: MailServer) -> subprocess.Popen[str]:
    environment = os.environ | {PREFIX + "MAIL": server.url}
    return subprocess.Popen(
        [COMMAND, "outbox", "send"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_two_dispatchers_at_once_send_each_message_once(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    addresses = [f"clerk-{number}@example.test" for number in range(30)]
    add_contacts(register_saved_engine, *addresses)
    keys = put(register_saved_engine, *map(message, addresses))
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%notify%'")
    # Both stand at the same door until it is opened.
    with register_saved_engine.connect() as door, register_saved_engine.connect() as watch:
        door.execute(text("lock table notify.message in access exclusive mode"))
        dispatchers = [start_sending(mail_server) for _ in range(2)]

        def both_are_waiting() -> bool:
            count: int = watch.execute(waiting).scalar_one()
            watch.rollback()
            return count == 2

        wait_until(both_are_waiting)
        door.commit()
    outputs = [dispatcher.communicate(timeout=LONGEST_SECONDS) for dispatcher in dispatchers]

    assert [dispatcher.returncode for dispatcher in dispatchers] == [0, 0], outputs
    sent = [int(stdout.split()[1]) for stdout, _ in outputs]
    assert sum(sent) == 30
    assert min(sent) > 0
    assert sorted(mail_server.keys()) == sorted(keys)
    assert [len(attempts(register_saved_engine, key)) for key in keys] == [1] * 30


def test_a_dispatcher_killed_after_handing_over_leaves_doubt(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer, mailing: Settings
) -> None:
    mail_server.fault = Fault.SLOW
    [key] = put(register_saved_engine, message())
    dispatcher = start_sending(mail_server)
    wait_until(lambda: mail_server.keys() == [key])
    assert state(register_saved_engine, key).status is Status.SENDING
    # While it lives, nobody else touches its message.
    assert dispatch(register_saved_engine, mailing) == Dispatched(sent=0, postponed=0, failed=0, in_doubt=0, waiting=0)
    dispatcher.send_signal(signal.SIGKILL)
    dispatcher.communicate(timeout=LONGEST_SECONDS)

    mail_server.fault = Fault.NONE
    wait_until(lambda: dispatch(register_saved_engine, mailing).in_doubt == 1)
    found = state(register_saved_engine, key)
    assert (found.status, found.attempts) == (Status.IN_DOUBT, 1)
    assert found.reply == "The sender ended between handing the message over and recording what came of it."
    [attempt] = attempts(register_saved_engine, key)
    assert (attempt.ended_at, attempt.outcome) == (None, None)
    assert dispatch(register_saved_engine, mailing).sent == 0
    assert mail_server.keys() == [key]

    resend(register_saved_engine, key)
    assert dispatch(register_saved_engine, mailing).sent == 1
    assert mail_server.keys() == [key, key]
    assert state(register_saved_engine, key).attempts == 2


def test_a_message_whose_sender_died_can_be_resent_at_once(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    [key] = put(register_saved_engine, message())
    with register_saved_engine.begin() as connection:
        connection.execute(text("update notify.message set status = 'sending', attempts = 1"))
    resend(register_saved_engine, key)
    assert dispatch(register_saved_engine, mailing).sent == 1
    assert mail_server.keys() == [key]


def test_several_processes_keep_one_pace(
    register_saved_engine: Engine, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}MAILS_PER_MINUTE", "120")
    addresses = [f"clerk-{number}@example.test" for number in range(8)]
    add_contacts(register_saved_engine, *addresses)
    keys = put(register_saved_engine, *map(message, addresses))
    dispatchers = [start_sending(mail_server) for _ in range(2)]
    outputs = [dispatcher.communicate(timeout=LONGEST_SECONDS) for dispatcher in dispatchers]
    assert [dispatcher.returncode for dispatcher in dispatchers] == [0, 0], outputs
    assert sorted(mail_server.keys()) == sorted(keys)
    began = sorted(attempt.began_at for key in keys for attempt in attempts(register_saved_engine, key))
    # Each has its slot of half a second; one that was late in its slot may stand close to the next.
    assert (began[-1] - began[0]).total_seconds() >= 0.5 * (len(keys) - 2)
