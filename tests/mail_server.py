"""A mail server for tests: real SMTP on a port of this machine, with the faults of real ones."""

# ruff: noqa: ARG002, N802 - aiosmtpd names the handlers and what they are given

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections import Counter
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

SENDER = "five-precisions@example.test"
PASSWORD = "the-password-of-the-mail-server"


class Fault(StrEnum):
    """What the server does to a mail."""

    NONE = "none"
    NO_SUCH_RECIPIENT = "550 to the recipient"
    BUSY = "451 to the recipient"
    GREYLISTED = "451 to the recipient the first time"
    SENDER_REFUSED = "553 to the sender"
    LOGIN_WANTED = "530 to the sender"
    CONTENTS_REFUSED = "554 to the contents"
    CONTENTS_REFUSED_FOR_NOW = "452 to the contents"
    LOST_AT_RECIPIENT = "connection lost before DATA"
    LOST_AFTER_DATA = "connection lost after DATA, the mail too"
    LOST_AFTER_KEEPING = "connection lost after DATA, the mail kept"
    GARBLED = "no SMTP reply after DATA, the mail kept"
    LOST_AT_QUIT = "connection lost after all is done"
    SLOW = "long thought after keeping the mail"


class MailServer:
    """Keeps each mail that it accepts as an `.eml` file; use it as a context manager.

    Args:
        folder: where the mails are kept.
        faults: by recipient.
        fault: for every other recipient.
        thinking_seconds: how long SLOW takes.
        takes_login: whether the password is right; None asks for none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        faults: dict[str, Fault] | None = None,
        fault: Fault = Fault.NONE,
        thinking_seconds: float = 60.0,
        takes_login: bool | None = None,
    ) -> None:
        self.folder = folder
        self.faults = faults or {}
        self.fault = fault
        self.thinking_seconds = thinking_seconds
        self.takes_login = takes_login
        self.connections = 0
        self.asked: Counter[str] = Counter()
        """How often each recipient was named."""
        self._controller: Controller | None = None
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        """The setting MAIL for this server: Apprise's URL."""
        login = "" if self.takes_login is None else f"clerk:{PASSWORD}@"
        return f"mailto://{login}127.0.0.1:{self.port}?mode=insecure&from={SENDER}"

    def __enter__(self) -> Self:
        login: dict[str, Any] = {}
        if self.takes_login is not None:
            login = {"authenticator": self._authenticate, "auth_require_tls": False}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **login)
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._controller is not None
        self._controller.stop()

    def mails(self) -> list[EmailMessage]:
        """What was kept, in the order of arrival."""
        return [self._parse(file.read_bytes()) for file in sorted(self.folder.glob("*.eml"))]

    def keys(self) -> list[str]:
        """The message keys of what was kept, in the order of arrival."""
        return [str(mail["X-Message-Key"]) for mail in self.mails()]

    @staticmethod
    def _parse(content: bytes) -> EmailMessage:
        return email.message_from_bytes(content, policy=email.policy.default)

    def _fault_of(self, envelope: Envelope, address: str | None = None) -> Fault:
        return self.faults.get(address or envelope.rcpt_tos[0], self.fault)

    def _authenticate(self, *_: Any) -> AuthResult:
        return AuthResult(success=bool(self.takes_login), handled=False)

    # What aiosmtpd calls.

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fault is Fault.SENDER_REFUSED:
            return "553 5.7.1 Sender not allowed"
        if self.fault is Fault.LOGIN_WANTED:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked[address] += 1
        match self._fault_of(envelope, address):
            case Fault.NO_SUCH_RECIPIENT:
                return "550 5.1.1 No such user 13800001234"
            case Fault.BUSY:
                return "451 4.3.2 Busy"
            case Fault.GREYLISTED if self.asked[address] == 1:
                return "451 4.7.1 Greylisted, come again"
            case Fault.LOST_AT_RECIPIENT:
                server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self._fault_of(envelope)
        if fault is Fault.CONTENTS_REFUSED:
            return "554 5.6.0 Contents refused"
        if fault is Fault.CONTENTS_REFUSED_FOR_NOW:
            return "452 4.3.1 No room at present"
        if fault is not Fault.LOST_AFTER_DATA:
            number = len(list(self.folder.glob("*.eml"))) + 1
            assert isinstance(envelope.original_content, bytes)
            (self.folder / f"{number:05d}.eml").write_bytes(envelope.original_content)
        if fault in (Fault.LOST_AFTER_DATA, Fault.LOST_AFTER_KEEPING):
            server.transport.abort()
        if fault is Fault.SLOW:
            await asyncio.sleep(self.thinking_seconds)
        return "what?" if fault is Fault.GARBLED else "250 2.0.0 Kept"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.fault is Fault.LOST_AT_QUIT:
            server.transport.abort()
        return "221 Bye"
