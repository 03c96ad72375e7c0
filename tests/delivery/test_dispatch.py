"""What becomes of messages: every fault of a mail server, repetition, parallel and dying dispatchers (spec/05, Messages)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from five_precisions.delivery import RETRY_DELAYS, Dispatched, Status, dispatch
from five_precisions.settings import Settings
from tests.delivery.conftest import attempts, make_due, message, put, state, with_mail
from tests.mail_server import Fault, MailServer

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
            "No answer to the contents of the mail: Connection unexpectedly closed: timed out",
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
