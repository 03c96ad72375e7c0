"""Fixtures and builders of the delivery's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from five_precisions.delivery import Attachment, Kind, Message, PostedMessage, list_messages, post
from five_precisions.settings import Settings
from tests.mail_server import MailServer


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server that takes everything until it is told otherwise."""
    with MailServer(tmp_path / "mails") as server:
        yield server


@pytest.fixture
def mailing(settings: Settings, mail_server: MailServer) -> Settings:
    """Settings whose mail goes to `mail_server`."""
    return with_mail(settings, mail_server.url)


def with_mail(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"mail": SecretStr(url)})


def message(address: str = "b01@example.test", **changes: Any) -> Message:
    """A receipt for B01's contact, or what `changes` make of it."""
    values: dict[str, Any] = {
        "kind": Kind.RECEIPT,
        "period": "2019-06",
        "institution_code": "B01",
        "address": address,
        "edition": "v1",
        "subject": "2019年6月报送回执",
        "html": "<p>已收到。</p>",
    }
    return Message(**values | changes)


def put(engine: Engine, *messages: Message) -> list[str]:
    """Post messages and commit."""
    with engine.begin() as connection:
        return post(connection, messages)


def add_contacts(engine: Engine, *addresses: str) -> None:
    """More contacts of B01."""
    with engine.begin() as connection:
        connection.execute(
            text("insert into registry.contact (institution_code, address, role) values ('B01', :address, 'contact')"),
            [{"address": address} for address in addresses],
        )


def state(engine: Engine, key: str) -> PostedMessage:
    """One message as the outbox lists it."""
    return next(posted for posted in list_messages(engine) if posted.message_key == key)


def attempts(engine: Engine, key: str) -> list[Any]:
    """The record of a message's attempts."""
    with engine.connect() as connection:
        query = text("select * from notify.attempt where message_key = :key order by attempt")
        return list(connection.execute(query, {"key": key}).all())


def make_due(engine: Engine) -> None:
    """Let the rest of every pending message be over."""
    with engine.begin() as connection:
        connection.execute(text("update notify.message set due_at = now() where status = 'pending'"))


def pdf(name: str = "2019年第二季度通报（正文）.pdf", size: int = 100) -> Attachment:
    return Attachment(name, b"%PDF-1.7\n" + bytes(range(256)) * (size // 256 + 1))
