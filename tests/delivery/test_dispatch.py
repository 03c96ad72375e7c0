"""What becomes of messages: faults of a mail server, repetition, parallel and dying dispatchers.

See docs/outputs.md#messages.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions.delivery import RETRY_DELAYS, Dispatched, Status, dispatch, resend
from five_precisions.errors import SetupError
from five_precisions.settings import Settings
from tests.delivery.conftest import add_contacts, attempts, make_due, message, put, state, with_mail
from tests.mail_server import PASSWORD, Fault, MailServer

NOTHING = Dispatched(sent=0, postponed=0, failed=0, in_doubt=0, waiting=0)


@pytest.mark.parametrize(
    ("fault", "status", "outcome", "reply", "kept"),
    [
        (Fault.NONE, Status.SENT, "sent", "taken", 1),
        (Fault.LOST_AT_QUIT, Status.SENT, "sent", "taken", 1),
        (Fault.NO_SUCH_RECIPIENT, Status.FAILED, "refused", "550 5.1.1 No such user 1**********", 0),
        (Fault.SENDER_REFUSED, Status.FAILED, "refused", "553 5.7.1 Sender not allowed", 0),
        (Fault.CONTENTS_REFUSED, Status.FAILED, "refused", "554 5.6.0 Contents refused", 0),
        (Fault.BUSY, Status.PENDING, "refused_for_now", "451 4.3.2 Busy", 0),
        (Fault.GREYLISTED, Status.PENDING, "refused_for_now", "451 4.7.1 Greylisted, come again", 0),
        (Fault.CONTENTS_REFUSED_FOR_NOW, Status.PENDING, "refused_for_now", "452 4.3.1 No room at present", 0),
        (Fault.LOGIN_WANTED, Status.PENDING, "refused_for_now", "let nobody in: 530 5.7.0 Authentication", 0),
        (Fault.LOST_AT_RECIPIENT, Status.PENDING, "refused_for_now", "lost before DATA", 0),
        (Fault.LOST_AFTER_DATA, Status.IN_DOUBT, "in_doubt", "No answer to the contents", 0),
        (Fault.LOST_AFTER_KEEPING, Status.IN_DOUBT, "in_doubt", "No answer to the contents", 1),
        (Fault.GARBLED, Status.IN_DOUBT, "in_doubt", "No answer to the contents", 1),
        (
            Fault.SLOW,
            Status.IN_DOUBT,
            "in_doubt",
            "No answer to the contents of the mail: Connection unexpectedly closed: timed",
            1,
        ),
    ],
)
def test_every_fault_of_the_server_has_its_status(
    register_saved_engine: Engine,
    settings: Settings,
    mail_server: MailServer,
    fault: Fault,
    status: Status,
    outcome: str,
    reply: str,
    kept: int,
) -> None:
    mail_server.fault = fault
    [key] = put(register_saved_engine, message())
    dispatched = dispatch(register_saved_engine, with_mail(settings, f"{mail_server.url}&cto=1"))

    found = state(register_saved_engine, key)
    assert (found.status, found.attempts) == (status, 1)
    assert found.reply is not None
    assert reply in found.reply
    assert (found.sent_at is not None) == (status is Status.SENT)
    [attempt] = attempts(register_saved_engine, key)
    assert (attempt.outcome, attempt.reply) == (outcome, found.reply)
    assert attempt.began_at <= attempt.ended_at
    assert len(mail_server.mails()) == kept
    assert dispatched == Dispatched(
        sent=status is Status.SENT,
        postponed=status is Status.PENDING,
        failed=status is Status.FAILED,
        in_doubt=status is Status.IN_DOUBT,
        waiting=status is Status.PENDING,
    )
    if status is Status.PENDING:
        assert abs(found.due_at - attempt.ended_at - RETRY_DELAYS[0]) < timedelta(seconds=1)

    # A second dispatch, long after: only what was refused for now is tried again.
    mail_server.fault = Fault.NONE
    make_due(register_saved_engine)
    dispatch(register_saved_engine, with_mail(settings, mail_server.url))
    assert state(register_saved_engine, key).status == (Status.SENT if status is Status.PENDING else status)
    assert len(mail_server.mails()) == kept + (status is Status.PENDING)


def test_the_delay_grows_until_the_message_has_failed(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    mail_server.fault = Fault.BUSY
    [key] = put(register_saved_engine, message())
    for number, delay in enumerate(RETRY_DELAYS, 1):
        assert dispatch(register_saved_engine, mailing).postponed == 1
        found = state(register_saved_engine, key)
        assert (found.status, found.attempts) == (Status.PENDING, number)
        assert abs(found.due_at - attempts(register_saved_engine, key)[-1].ended_at - delay) < timedelta(seconds=1)
        # Before that it is not due, not even by name.
        assert dispatch(register_saved_engine, mailing, keys=[key]) == Dispatched(
            sent=0, postponed=0, failed=0, in_doubt=0, waiting=1
        )
        make_due(register_saved_engine)
    assert list(RETRY_DELAYS) == sorted(set(RETRY_DELAYS))
    assert dispatch(register_saved_engine, mailing).failed == 1
    assert state(register_saved_engine, key).status is Status.FAILED

    # Resent, the delays begin anew and the attempts count on.
    resend(register_saved_engine, key)
    assert dispatch(register_saved_engine, mailing).postponed == 1
    found = state(register_saved_engine, key)
    assert found.attempts == len(RETRY_DELAYS) + 2 == len(attempts(register_saved_engine, key))
    assert abs(found.due_at - attempts(register_saved_engine, key)[-1].ended_at - RETRY_DELAYS[0]) < timedelta(
        seconds=1
    )


def test_each_recipient_has_its_own_fate_in_the_order_of_posting(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    names = ("gone", "grey", "lost", "well")
    mail_server.faults = dict(
        zip(
            [f"{name}@example.test" for name in names],
            [Fault.NO_SUCH_RECIPIENT, Fault.GREYLISTED, Fault.LOST_AFTER_KEEPING, Fault.NONE],
            strict=True,
        )
    )
    add_contacts(register_saved_engine, *mail_server.faults)
    keys = put(register_saved_engine, *[message(address) for address in mail_server.faults])
    assert dispatch(register_saved_engine, mailing, keys=keys[:1]).failed == 1
    assert list(mail_server.asked) == ["gone@example.test"]
    assert dispatch(register_saved_engine, mailing) == Dispatched(sent=1, postponed=1, failed=0, in_doubt=1, waiting=1)
    make_due(register_saved_engine)
    assert dispatch(register_saved_engine, mailing) == Dispatched(sent=1, postponed=0, failed=0, in_doubt=0, waiting=0)
    assert dispatch(register_saved_engine, mailing) == NOTHING
    assert mail_server.keys() == [keys[2], keys[3], keys[1]]


def test_a_server_that_is_down_is_asked_once(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = [f"clerk-{number}@example.test" for number in range(5)]
    add_contacts(register_saved_engine, *addresses)
    keys = put(register_saved_engine, *map(message, addresses))
    server = MailServer(tmp_path / "mails")
    mailing = with_mail(settings, server.url)
    assert dispatch(register_saved_engine, mailing) == Dispatched(sent=0, postponed=1, failed=0, in_doubt=0, waiting=5)
    assert [state(register_saved_engine, key).attempts for key in keys] == [1, 0, 0, 0, 0]
    reply = state(register_saved_engine, keys[0]).reply
    assert reply is not None
    assert "Connection refused" in reply
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert "the other mails wait" in caplog.text

    with server:
        assert dispatch(register_saved_engine, mailing).sent == 4
        make_due(register_saved_engine)
        assert dispatch(register_saved_engine, mailing).sent == 1
    assert sorted(server.keys()) == sorted(keys)


def test_a_refused_login_loses_nothing_and_is_tried_once(
    register_saved_engine: Engine,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("DEBUG")
    # A logging configuration that switches off what was there before must not blind the adapter.
    apprise_log = logging.getLogger("apprise")
    monkeypatch.setattr(apprise_log, "disabled", True)
    before = (apprise_log.level, apprise_log.propagate, apprise_log.handlers[:])
    add_contacts(register_saved_engine, "b02@example.test")
    keys = put(register_saved_engine, message(), message("b02@example.test"))
    with MailServer(tmp_path / "mails", takes_login=False) as server:
        dispatched = dispatch(register_saved_engine, with_mail(settings, server.url))
        assert dispatched == Dispatched(sent=0, postponed=1, failed=0, in_doubt=0, waiting=2)
        reply = state(register_saved_engine, keys[0]).reply
        assert reply is not None
        assert "535" in reply
        assert PASSWORD not in reply
        server.takes_login = True
        make_due(register_saved_engine)
        assert dispatch(register_saved_engine, with_mail(settings, server.url)).sent == 2
    assert caplog.records
    assert PASSWORD not in caplog.text
    assert "clerk" not in caplog.text
    assert (apprise_log.level, apprise_log.propagate, apprise_log.handlers) == before
    assert apprise_log.disabled


def test_a_server_that_falls_silent_is_left_alone(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    mail_server.fault = Fault.LOST_AFTER_DATA
    addresses = [f"clerk-{number}@example.test" for number in range(6)]
    add_contacts(register_saved_engine, *addresses)
    put(register_saved_engine, *map(message, addresses))
    assert dispatch(register_saved_engine, mailing) == Dispatched(sent=0, postponed=0, failed=0, in_doubt=3, waiting=3)


def test_a_former_contact_gets_nothing(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    # Another institution's contact is not this one's.
    [key] = put(register_saved_engine, message("b02@example.test"))
    assert dispatch(register_saved_engine, mailing).failed == 1
    found = state(register_saved_engine, key)
    assert (found.attempts, found.reply) == (
        0,
        "The register no longer names this recipient among the contacts of B01.",
    )
    assert mail_server.connections == 0
    add_contacts(register_saved_engine, "b02@EXAMPLE.test")
    resend(register_saved_engine, key)
    assert dispatch(register_saved_engine, mailing).sent == 1
    [mail] = mail_server.mails()
    assert mail["To"] == "b02@EXAMPLE.test"


def test_without_a_mail_server_mail_is_refused(register_saved_engine: Engine, settings: Settings) -> None:
    assert dispatch(register_saved_engine, settings) == NOTHING
    [key] = put(register_saved_engine, message())
    with pytest.raises(SetupError, match=r"^FIVE_PRECISIONS_MAIL is not set, and 1 mails are due\.$"):
        dispatch(register_saved_engine, settings)
    assert state(register_saved_engine, key).attempts == 0


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        f"smtp://user:{PASSWORD}@127.0.0.1",
        f"json://user:{PASSWORD}@127.0.0.1",
        f"mailto://user:{PASSWORD}@",
        f"mailto://127.0.0.1:25?pass={PASSWORD}",
        f"mailto://user:{PASSWORD}@127.0.0.1/someone@example.test?from=a@example.test",
        f"mailto://user:{PASSWORD}@127.0.0.1/?from=a@example.test&bcc=someone@example.test",
        f"mailtos://user:{PASSWORD}@127.0.0.1/?from=a@example.test&mode=none",
    ],
)
def test_a_wrong_mail_server_is_named_without_its_secret(
    register_saved_engine: Engine, settings: Settings, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(SetupError, match="FIVE_PRECISIONS_MAIL is no mail server that Apprise can use") as error:
        dispatch(register_saved_engine, with_mail(settings, url))
    assert PASSWORD not in str(error.value) + caplog.text


def test_three_hundred_mails_arrive(register_saved_engine: Engine, mailing: Settings, mail_server: MailServer) -> None:
    addresses = [f"clerk-{number}@example.test" for number in range(300)]
    add_contacts(register_saved_engine, *addresses)
    keys = put(register_saved_engine, *map(message, addresses))
    assert len(keys) == 300
    assert dispatch(register_saved_engine, mailing).sent == 300
    assert sorted(mail_server.keys()) == sorted(keys)
    assert {mail["To"] for mail in mail_server.mails()} == set(addresses)
