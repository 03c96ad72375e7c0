"""The adapter to Apprise: hands one message over, and says what came of it (docs/outputs.md#messages).

Apprise says yes or no. Why it said no stands in its debug log alone, written where it caught the error. So the handler
that listens there has the error itself at hand, with the server's reply and how far the conversation had come. Of a
service that was asked by HTTP it has the answer. In it a chat may say no where Apprise says yes (chats.py).

| the log has | outcome |
| --- | --- |
| no connection, TLS or login refused (535: a matter of set-up, by which nothing may be lost) | refused for now |
| a reply 4xx at any step | refused for now |
| a reply 5xx to sender, recipient or contents | refused |
| connection lost or silent before DATA | refused for now |
| connection lost or silent after DATA | in doubt |
| an Apprise service other than mail: no connection, HTTP 429 or 503, a chat that asks to come again | refused for now |
| … any other HTTP 4xx, a chat that says no | refused |
| … any of these after an earlier request of the same message was taken | in doubt |
| anything else | in doubt |
"""

from __future__ import annotations

import inspect
import logging
import mimetypes
import sys
import threading
import traceback
from collections.abc import Sequence
from email.header import Header
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode
from apprise.attachment.memory import AttachMemory
from apprise.plugins import url_to_dict
from apprise.plugins.base import NotifyBase
from apprise.plugins.email import NotifyEmail
from pydantic import SecretStr

from five_precisions.delivery.answer import Answer, Outcome
from five_precisions.delivery.chats import CHATS, Chat
from five_precisions.delivery.folded_mail import use_folded_mail
from five_precisions.delivery.message import Attachment
from five_precisions.errors import SetupError
from five_precisions.register.addresses import is_mailbox, is_service
from five_precisions.reports.masking import mask_digit_runs
from five_precisions.settings import PREFIX

KEY_HEADER: Final = "X-Message-Key"

_PATIENCE: Final = "60"
"""Seconds that a mail server may take for each answer, unless MAIL says `cto=`. Apprise's 15 leave those in doubt that
a scanner of attachments holds up after DATA."""

_LONGEST_REPLY: Final = 300
_ASKS_FOR_LOGIN: Final = frozenset({530, 534, 535, 538})

_TRY_LATER: Final = frozenset({429, 503})
_CONNECTS: Final = frozenset({"create_connection", "SSLSocket.do_handshake"})
"""The functions, urllib3's and Python's, that fail before a service has received anything."""

_PRINTABLE_ASCII: Final = "".join(map(chr, range(0x20, 0x7F)))

# Python itself does not know it; only some systems' lists do.
mimetypes.add_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx")

_http_log = logging.getLogger("urllib3.connectionpool")

_one_at_a_time = threading.Lock()
"""The log is one for the whole process: what it says must be of one send."""


class Transport:
    """How messages leave: mail by the transport of the setting MAIL, anything else by the recipient's Apprise URL."""

    def __init__(self, mail: SecretStr | None) -> None:
        """Make ready.

        Args:
            mail: the setting; without it there is no mail.

        Raises:
            SetupError: it is no Apprise URL of a mail server.
        """
        use_folded_mail()
        # Nothing is tried again, left out or kept on disk behind our back; no picture is drawn from elsewhere.
        self._asset = AppriseAsset(
            app_id="Five Precisions",
            app_desc="五个精准",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            async_mode=False,
            service_timeout=0,
            storage_mode="memory",
            timezone="Asia/Shanghai",
            pgp_autogen=False,
            pem_autogen=False,
        )
        self._mail = None if mail is None else self._read_mail(mail.get_secret_value())

    def send(self, key: str, address: str, subject: str, html: str, attachments: Sequence[Attachment]) -> Answer:
        """Hand one message over, once.

        Args:
            key: the message's key; a mail bears it as X-Message-Key, percent-encoded where it is not plain ASCII.
            address: an email address or an Apprise URL.
            subject: one line.
            html: the body; a mail gets a text part made of it.
            attachments: what goes with it.
        """
        with _one_at_a_time, _Listener() as listener:
            service = self._service_for(address)
            listener.chat = CHATS.get(type(service)) if service is not None else None
            if service is None:
                return Answer(Outcome.REFUSED, "The register's address is none that Apprise can send to.")
            if len(service) > 1:
                return Answer(Outcome.REFUSED, "The register's address has several recipients; name them one by one.")
            if isinstance(service, NotifyEmail):
                service.headers[KEY_HEADER] = quote(key, safe=_PRINTABLE_ASCII)
            files = [_as_apprise_has_it(file, is_mail=isinstance(service, NotifyEmail)) for file in attachments]
            is_sent = Apprise(service, asset=self._asset).notify(
                body=html, title=subject, body_format=NotifyFormat.HTML, attach=files or None
            )
        if is_sent:
            return listener.refusal or Answer(Outcome.SENT, "taken")
        if listener.is_partly_taken and listener.answer.outcome is not Outcome.IN_DOUBT:
            return Answer(Outcome.IN_DOUBT, f"A part was taken, and then: {listener.answer.reply}")
        return listener.answer

    def _read_mail(self, url: str) -> dict[str, Any]:
        with _one_at_a_time, _Listener():
            parts: dict[str, Any] = url_to_dict(url) or {}  # type: ignore[no-untyped-call]
            is_usable = parts.get("schema") in ("mailto", "mailtos") and not any(
                parts.get(name) for name in ("targets", "cc", "bcc")
            )
            # The body goes out whole, whatever the URL says of length and format.
            mail = {"cto": _PATIENCE} | parts | {"overflow": "upstream", "format": "html"}
            if not is_usable or Apprise.instantiate(dict(mail), asset=self._asset) is None:
                raise SetupError(
                    f"{PREFIX}MAIL is no mail server that Apprise can use; write mailtos://user:password@host?from=address"
                    " without recipients."
                )
        return mail

    def _service_for(self, address: str) -> NotifyBase | None:
        """What reaches the address; None where nothing does."""
        service = Apprise.instantiate(address, asset=self._asset) if is_service(address) else self._mail_to(address)
        if service is not None:
            # When to try again is decided by the outbox; and an "optional" service would say yes to everything.
            service.retry, service.optional = 0, False
            if not isinstance(service, NotifyEmail):
                # A chat takes a few thousand characters and no files: it gets the beginning, which says what matters.
                service.overflow_mode = OverflowMode.TRUNCATE
            if (chat := CHATS.get(type(service))) is not None:
                service.body_maxlen = chat.longest
        return service

    def _mail_to(self, address: str) -> NotifyBase | None:
        if self._mail is None:
            raise SetupError(f"{PREFIX}MAIL is not set; no mail can be sent.")
        name, mailbox = parseaddr(address) if address.endswith(">") else ("", address)
        if not is_mailbox(mailbox) or not address.removesuffix(">").endswith(mailbox):
            return None
        service = Apprise.instantiate(dict(self._mail), asset=self._asset)
        if isinstance(service, NotifyEmail):
            # Not by its own reading of addresses: that looks for one anywhere, and finds brien@ in o'brien@.
            service.targets = [(name or False, mailbox)]
        return service


class _Listener(logging.Handler):
    """Hears what Apprise writes into its log, and keeps it from everyone else: it may name addresses and tokens."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.answer = Answer(Outcome.IN_DOUBT, "Apprise reports a failure, and not which.", is_answered=False)
        self.refusal: Answer | None = None
        """What a chat said no with, though Apprise may take it for a yes."""
        self.is_partly_taken = False
        """Whether a request was answered with a yes: text and files may go by one each."""
        self.chat: Chat | None = None
        self._logger = logging.getLogger("apprise")
        self._before = self._logger.level, self._logger.propagate, self._logger.disabled
        self._thread = threading.get_ident()
        self._earlier = sys.exc_info()[1]

    def __enter__(self) -> Self:
        # It writes down the addresses that are asked, and those of chats bear their tokens.
        _http_log.addFilter(self._is_not_ours)
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        # A logging configuration read after Apprise was loaded may have switched its log off.
        self._logger.propagate, self._logger.disabled = False, False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _http_log.removeFilter(self._is_not_ours)
        self._logger.removeHandler(self)
        level, self._logger.propagate, self._logger.disabled = self._before
        self._logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Take from a line what it says of the outcome; the last one to say something counts."""
        if self._is_not_ours(record):
            return
        error = sys.exc_info()[1]
        heard = None
        if error is not None and error is not self._earlier:
            heard = _read_error(error)
        elif (response := _response_at_hand()) is not None:
            self.refusal = _read_body(self.chat, response.content)
            heard = self.refusal or _read_http_status(response.status_code)
            # What is merely asked for first, such as a token, is no part of the message.
            self.is_partly_taken |= heard is None and response.request.method == "POST"
        if heard is not None:
            self.answer = heard

    def _is_not_ours(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


def _read_error(error: BaseException) -> Answer | None:
    """What an error that Apprise caught says of the outcome; None where it says nothing."""
    steps = {frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__)}
    if steps.isdisjoint({"FoldedMail.send", "AppriseSMTPController.sendmail"}):
        if _never_connected(error):
            return Answer(Outcome.REFUSED_FOR_NOW, "No connection to the service.")
        if isinstance(error, OSError):
            # Its words name the address that was asked, with the token in it.
            return Answer(Outcome.IN_DOUBT, f"No answer from the service: {type(error).__name__}", is_answered=False)
        return None
    code, words = _smtp_reply(error)
    # The words of this one error quote what it is about, which may be the password.
    words_of_error = "a character that is not ASCII." if isinstance(error, UnicodeError) else str(error)
    said = _one_line(f"{code} {words}" if code else words_of_error)
    if steps & {"AppriseSMTPController.__enter__", "SMTP.ehlo_or_helo_if_needed"} or code in _ASKS_FOR_LOGIN:
        return Answer(Outcome.REFUSED_FOR_NOW, f"The mail server let nobody in: {said}", is_reached=False)
    # A reply that could not be read to its end is none.
    if code and "SMTP.getreply" not in steps:
        if code // 100 == 4:
            return Answer(Outcome.REFUSED_FOR_NOW, said)
        if code // 100 == 5:
            return Answer(Outcome.REFUSED, said)
    if not isinstance(error, OSError):
        return Answer(Outcome.REFUSED, f"It cannot be made into a mail: {said}")
    if steps & {"SMTP.mail", "SMTP.rcpt"}:
        return Answer(Outcome.REFUSED_FOR_NOW, f"The connection was lost before DATA: {said}", is_answered=False)
    return Answer(Outcome.IN_DOUBT, f"No answer to the contents of the mail: {said}", is_answered=False)


def _smtp_reply(error: BaseException) -> tuple[int | None, str]:
    """The server's reply that an error of the SMTP client carries: code and words."""
    recipients: dict[str, tuple[int, bytes]] = getattr(error, "recipients", {})
    code, words = next(
        iter(recipients.values()), (getattr(error, "smtp_code", None), getattr(error, "smtp_error", b""))
    )
    return code, words.decode(errors="replace") if isinstance(words, bytes) else str(words)


def _never_connected(error: BaseException | None) -> bool:
    while error is not None:
        if any(frame.f_code.co_qualname in _CONNECTS for frame, _ in traceback.walk_tb(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


class _Response(Protocol):
    """What is asked of an HTTP answer, as Apprise's plugins hold it (requests.Response)."""

    status_code: int
    content: bytes
    request: Any


def _response_at_hand() -> _Response | None:
    """The answer that the plugin has which is writing into the log at this moment."""
    frame = inspect.currentframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("apprise.plugins."):
            for value in frame.f_locals.values():
                if isinstance(getattr(value, "status_code", None), int):
                    response: _Response = value
                    return response
        frame = frame.f_back
    return None


def _read_http_status(status: int) -> Answer | None:
    """What an HTTP status says of the outcome; of one that is a success Apprise knows more."""
    if status // 100 == 2:
        return None
    reply = f"HTTP status {status}"
    if status in _TRY_LATER:
        return Answer(Outcome.REFUSED_FOR_NOW, reply)
    return Answer(Outcome.REFUSED if status // 100 == 4 else Outcome.IN_DOUBT, reply)


def _read_body(chat: Chat | None, body: bytes) -> Answer | None:
    """What a chat's answer refuses; None where it took the message, or where the service is no chat that we know."""
    refused = None if chat is None else chat.refusal(body)
    return None if refused is None else Answer(refused[0], _one_line(refused[1]))


def _one_line(words: str) -> str:
    """Words from outside as they may be kept and shown."""
    printable = "".join(character if character.isprintable() else " " for character in words)
    return mask_digit_runs(" ".join(printable.split()))[:_LONGEST_REPLY]


def _as_apprise_has_it(file: Attachment, *, is_mail: bool) -> AttachMemory:
    """An attachment for Apprise.

    Of a name that is not ASCII, Apprise's mail makes a header that only Python reads: the whole of Content-Disposition
    as one encoded word. The name alone as encoded words is what mail clients read.
    """
    name = file.name
    if is_mail and not name.isascii():
        # Folded for where it stands, with room for the mark behind it.
        name = Header(name, "utf-8", header_name="Content-Disposition: attachment; filename").encode(maxlinelen=75)
    mimetype, _ = mimetypes.guess_type(file.name)
    return AttachMemory(content=file.content, name=name, mimetype=mimetype)  # type: ignore[no-untyped-call]
