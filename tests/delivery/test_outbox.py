"""The outbox: what is posted, when, under which key, and what may be resent (docs/outputs.md#messages)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from five_precisions.delivery import Kind, Status, dispatch, list_messages, message_key, post, recipient_of, resend
from five_precisions.errors import RefusedError, UsageError
from five_precisions.settings import Settings
from five_precisions.warehouse.locks import Lock, release, try_to_take
from tests.delivery.conftest import message, pdf, put, state
from tests.mail_server import MailServer

ROBOT = "wecombot://a-token-that-nobody-should-see"


def test_a_key_tells_kind_period_recipient_and_edition() -> None:
    assert message_key(message("Clerk.One@Bank.EXAMPLE")) == "receipt/2019-06/B01/Clerk.One@bank.example/v1"
    robot = message_key(message(ROBOT, kind=Kind.BULLETIN, period="2019-Q2", edition="draft-1"))
    assert robot == f"bulletin/2019-Q2/B01/{recipient_of(ROBOT)}/draft-1"
    assert recipient_of(ROBOT).startswith("wecombot#")
    assert "token" not in robot
    assert recipient_of(ROBOT) != recipient_of(ROBOT + "2")


def test_what_is_rolled_back_was_never_posted(register_saved_engine: Engine) -> None:
    with register_saved_engine.connect() as connection:
        assert post(connection, [message(attachments=(pdf(),))]) == ["receipt/2019-06/B01/b01@example.test/v1"]
        connection.rollback()
    assert list_messages(register_saved_engine) == []
    with register_saved_engine.connect() as connection:
        assert connection.execute(text("select count(*) from notify.attachment")).scalar_one() == 0


def test_posting_again_adds_and_changes_nothing(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    first = message(attachments=(pdf("一.pdf"), pdf("二.pdf")))
    [key] = put(register_saved_engine, first)
    other = message(attachments=(pdf(),), subject="另一个主题")
    new_keys = put(register_saved_engine, other, message(edition="v2"), other)
    assert new_keys == ["receipt/2019-06/B01/b01@example.test/v2"]
    assert state(register_saved_engine, key).subject == first.subject
    assert dispatch(register_saved_engine, mailing).sent == 2
    assert put(register_saved_engine, first) == []
    assert dispatch(register_saved_engine, mailing).sent == 0
    with register_saved_engine.connect() as connection:
        # The same bytes under two names are kept once.
        assert connection.execute(text("select count(*) from notify.attachment")).scalar_one() == 1
        assert connection.execute(text("select count(*) from notify.message_attachment")).scalar_one() == 2


def test_messages_are_listed_by_status_period_and_kind(register_saved_engine: Engine) -> None:
    put(register_saved_engine, message(), message(period="2019-Q2", kind=Kind.BULLETIN), message(period="2019-05"))
    listed = list_messages(register_saved_engine)
    assert [posted.period for posted in listed] == ["2019-Q2", "2019-05", "2019-06"]
    assert {(posted.status, posted.attempts, posted.reply) for posted in listed} == {(Status.PENDING, 0, None)}
    assert [posted.kind for posted in list_messages(register_saved_engine, period="2019-Q2")] == [Kind.BULLETIN]
    assert len(list_messages(register_saved_engine, kind=Kind.RECEIPT)) == 2
    assert list_messages(register_saved_engine, status=Status.SENT) == []
    assert len(list_messages(register_saved_engine, status=Status.PENDING, kind=Kind.RECEIPT, period="2019-05")) == 1


def test_what_was_sent_or_is_on_its_way_is_not_resent(register_saved_engine: Engine, mailing: Settings) -> None:
    with pytest.raises(UsageError, match="The outbox has no message nothing"):
        resend(register_saved_engine, "nothing")
    [key] = put(register_saved_engine, message())
    with register_saved_engine.connect() as sender:
        assert try_to_take(sender, Lock.MESSAGE, key)
        with pytest.raises(RefusedError, match="is being handed over at this moment"):
            resend(register_saved_engine, key)
        release(sender, Lock.MESSAGE, key)
    assert dispatch(register_saved_engine, mailing).sent == 1
    with pytest.raises(RefusedError, match="was sent; no message is sent twice"):
        resend(register_saved_engine, key)
