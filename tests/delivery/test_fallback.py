"""A contact on another service, with a mail address behind it (docs/outputs.md#messages)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from five_precisions.delivery import Attachment, Status, dispatch, list_messages, recipient_of
from five_precisions.settings import Settings
from tests.delivery.conftest import make_due, message, put, state
from tests.delivery.test_mail import json_service
from tests.mail_server import MailServer

FALLBACK = "b01-duty@example.test"


def add_contact(engine: Engine, address: str, fallback: str | None = FALLBACK) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("insert into registry.contact values ('B01', :address, 'contact', :fallback)"),
            {"address": address, "fallback": fallback},
        )


def test_what_a_service_refuses_for_good_goes_by_mail(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    with json_service(403) as (port, told):
        address = f"json://robot:a-token@127.0.0.1:{port}/"
        add_contact(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address, attachments=(Attachment("通报.pdf", b"%PDF-1.7"),)))
        dispatched = dispatch(register_saved_engine, mailing, keys=[key])
    assert len(told) == 1
    assert (dispatched.failed, dispatched.sent) == (1, 1)
    mail_key = f"receipt/2019-06/B01/{FALLBACK}/v1"
    assert state(register_saved_engine, key).status is Status.FAILED
    found = state(register_saved_engine, mail_key)
    assert (found.status, found.fallback_of) == (Status.SENT, key)
    [mail] = mail_server.mails()
    assert (mail["To"], mail["X-Message-Key"]) == (FALLBACK, mail_key)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["通报.pdf"]

    dispatch(register_saved_engine, mailing)
    assert len(mail_server.mails()) == 1


@pytest.mark.parametrize(("http_status", "status"), [(503, Status.PENDING), (500, Status.IN_DOUBT), (200, Status.SENT)])
def test_what_may_still_arrive_does_not_go_by_mail(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, http_status: int, status: Status
) -> None:
    with json_service(http_status) as (port, _):
        address = f"json://127.0.0.1:{port}/"
        add_contact(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address))
        dispatch(register_saved_engine, mailing)
    assert [(each.message_key, each.status) for each in list_messages(register_saved_engine)] == [(key, status)]
    assert mail_server.mails() == []


def test_a_mailbox_that_has_the_message_gets_it_once(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer
) -> None:
    with json_service(404) as (port, _):
        address = f"json://127.0.0.1:{port}/"
        add_contact(register_saved_engine, address, fallback="b01@example.test")
        put(register_saved_engine, message(), message(address))
        dispatch(register_saved_engine, mailing)
    assert mail_server.keys() == ["receipt/2019-06/B01/b01@example.test/v1"]


def test_without_a_mail_server_the_fallback_waits(register_saved_engine: Engine, mailing: Settings) -> None:
    with json_service(404) as (port, _):
        address = f"json://127.0.0.1:{port}/"
        add_contact(register_saved_engine, address)
        put(register_saved_engine, message(address))
        dispatch(register_saved_engine, mailing.model_copy(update={"mail": None}))
    states = {each.recipient: each.status for each in list_messages(register_saved_engine)}
    assert states == {recipient_of(address): Status.FAILED, FALLBACK: Status.PENDING}
    make_due(register_saved_engine)
    assert dispatch(register_saved_engine, mailing).sent == 1
