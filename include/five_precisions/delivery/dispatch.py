"""The one dispatcher: hands over what is due, each message once (docs/outputs.md#messages).

A message is claimed under an advisory lock and marked as being sent, and that is committed before anything leaves the
house. So whoever dies in between leaves `sending` without a lock, which the next dispatcher turns into `in_doubt`.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, text

from five_precisions.delivery.answer import Answer, Outcome
from five_precisions.delivery.message import Attachment, Status
from five_precisions.delivery.outbox import is_mail, recipient_of
from five_precisions.errors import SetupError
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.locks import Lock, release, try_to_take

if TYPE_CHECKING:
    from five_precisions.delivery.transport import Transport

RETRY_DELAYS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""How long a message rests after each refusal for now. Refused once more after the last rest, it has failed."""

_LONGEST_SILENCE: Final = 3
"""So many mails in a row without a word from the server, and the rest of the call's mails stay where they are."""

_CONTENTS_KEPT: Final = 4
"""Attachments kept at hand for the next message."""

_SENDER_DIED = "The sender ended between handing the message over and recording what came of it."
_NO_CONTACT = "The register no longer names this recipient among the contacts of {institution_code}."

_READ_CONTACTS = text("select institution_code, address, fallback_address from registry.contact")
_READ_CONTENT = text("select content from notify.attachment where sha256 = :sha256")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one call of `dispatch` came to, in messages."""

    sent: int
    postponed: int
    """Refused for now; tried again when they are due."""
    failed: int
    in_doubt: int
    waiting: int
    """Pending when the call ended, the postponed ones among them."""


def dispatch(
    engine: Engine,
    settings: Settings,
    *,
    keys: Collection[str] | None = None,
    report_progress: Callable[[str], None] | None = None,
) -> Dispatched:
    """Hand over every message that is due, or those of `keys` that are; the oldest first.

    Any number of dispatchers may be at work at once. A mail server that lets nobody in (no connection, TLS or login
    refused) is asked once. That message is postponed. The other mails of the call stay as they are, without an attempt
    counted. They also do where the server breaks off three mails in a row without a word.

    Raises:
        SetupError: the setting MAIL is not usable, or is not set and a mail is due.
    """
    # Only here: nobody who merely posts a message waits for Apprise.
    from five_precisions.delivery.transport import Transport

    wanted = {"keys": None if keys is None else list(keys)}
    statuses: Counter[Status] = Counter()
    silence = 0
    transport = Transport(settings.mail)
    with engine.connect() as connection:
        # A connection of its own, closed with this call: whatever ends it, no lock outlives it in a pool.
        connection.detach()
        with connection.begin():
            due = list(connection.execute(load_statement("outbox/due"), wanted))
            contacts = connection.execute(_READ_CONTACTS).all()
        mails = sum(is_mail(message.recipient) and message.status == Status.PENDING for message in due)
        if settings.mail is None:
            # What reaches its recipient by another service does not wait for the mail server.
            due = [message for message in due if message.status != Status.PENDING or not is_mail(message.recipient)]
        sender = _Sender(connection, transport, settings, contacts)
        number = 0
        while number < len(due):
            message = due[number]
            number += 1
            if silence >= _LONGEST_SILENCE and is_mail(message.recipient):
                continue
            if report_progress is not None:
                report_progress(f"{number} of {len(due)}")
            settled = sender.settle(message.message_key)
            if settled is None:
                continue
            status, answer = settled
            statuses[status] += 1
            if status is Status.FAILED and settings.mail is not None:
                with connection.begin():
                    due += connection.execute(load_statement("outbox/due_fallback"), {"key": message.message_key}).all()
            if is_mail(message.recipient):
                silence = 0 if answer.is_answered else silence + 1
                if not answer.is_reached:
                    silence = _LONGEST_SILENCE
                if silence >= _LONGEST_SILENCE:
                    _log.warning("The mail server takes nothing at present, the other mails wait: %s", answer.reply)
        with connection.begin():
            waiting = connection.execute(load_statement("outbox/pending"), wanted).scalar_one()
    if mails and settings.mail is None:
        raise SetupError(f"{PREFIX}MAIL is not set, and {mails} mails are due.")
    return Dispatched(
        sent=statuses[Status.SENT],
        postponed=statuses[Status.PENDING],
        failed=statuses[Status.FAILED],
        in_doubt=statuses[Status.IN_DOUBT],
        waiting=waiting,
    )


class _Sender:
    """Hands over one message after the other, on one connection of its own."""

    def __init__(
        self, connection: Connection, transport: Transport, settings: Settings, contacts: Sequence[Any]
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._subject_prefix = settings.subject_prefix
        pace = settings.mails_per_minute
        self._spacing = None if pace is None else timedelta(minutes=1) / pace
        self._contents: dict[str, bytes] = {}
        self._addresses: dict[tuple[str, str], str] = {}
        self._fallbacks: dict[tuple[str, str], str] = {}
        for contact in contacts:
            mine = contact.institution_code, recipient_of(contact.address)
            self._addresses[mine] = contact.address
            if contact.fallback_address is not None:
                self._fallbacks[mine] = contact.fallback_address
                instead = contact.institution_code, recipient_of(contact.fallback_address)
                self._addresses.setdefault(instead, contact.fallback_address)

    def settle(self, key: str) -> tuple[Status, Answer] | None:
        """Hand over one message under its lock; None where another dispatcher has it, or had it in the meantime."""
        with self._connection.begin():
            if not try_to_take(self._connection, Lock.MESSAGE, key):
                return None
        settled = self._hand_over(key)
        with self._connection.begin():
            release(self._connection, Lock.MESSAGE, key)
        return settled

    def _hand_over(self, key: str) -> tuple[Status, Answer] | None:
        connection = self._connection
        with connection.begin():
            message = connection.execute(load_statement("outbox/message"), {"key": key}).one()
            if message.status == Status.SENDING:
                # Its attempt stays without an end: that is what is known of it.
                return self._record(message, Answer(Outcome.IN_DOUBT, _SENDER_DIED))
            if message.status != Status.PENDING or not message.is_due:
                return None
            address = self._addresses.get((message.institution_code, message.recipient))
            if address is None:
                reply = _NO_CONTACT.format(institution_code=message.institution_code)
                return self._record(message, Answer(Outcome.REFUSED, reply))
            attachments = [
                Attachment(row.name, self._content(row.sha256))
                for row in connection.execute(load_statement("outbox/attachments"), {"key": key})
            ]
        if is_mail(message.recipient):
            self._wait_for_slot()
        with connection.begin():
            connection.execute(load_statement("outbox/begin_attempt"), {"key": key})
        answer = self._transport.send(key, address, self._subject_prefix + message.subject, message.html, attachments)
        with connection.begin():
            connection.execute(
                load_statement("outbox/end_attempt"), {"key": key, "outcome": answer.outcome, "reply": answer.reply}
            )
            return self._record(message, answer)

    def _content(self, sha256: str) -> bytes:
        """What an attachment holds; a bulletin's are the same for all of its recipients, one after the other."""
        if sha256 not in self._contents:
            if len(self._contents) >= _CONTENTS_KEPT:
                self._contents.clear()
            read = self._connection.execute(_READ_CONTENT, {"sha256": sha256})
            self._contents[sha256] = read.scalar_one()
        return self._contents[sha256]

    def _wait_for_slot(self) -> None:
        """Rest until the mail server may be given one more mail, by whichever process."""
        if self._spacing is None:
            return
        with self._connection.begin():
            seconds = self._connection.execute(
                load_statement("outbox/take_mail_slot"), {"spacing": self._spacing}
            ).scalar_one()
        time.sleep(max(0.0, float(seconds)))

    def _record(self, message: Any, answer: Answer) -> tuple[Status, Answer]:
        """Write what came of it; `message` is the row as it was read before."""
        key, delay = message.message_key, None
        match answer.outcome:
            case Outcome.SENT:
                status = Status.SENT
            case Outcome.IN_DOUBT:
                status = Status.IN_DOUBT
            case Outcome.REFUSED_FOR_NOW if message.refusals < len(RETRY_DELAYS):
                status, delay = Status.PENDING, RETRY_DELAYS[message.refusals]
            case _:
                status = Status.FAILED
        self._connection.execute(
            load_statement("outbox/record_answer"),
            {
                "key": key,
                "status": status,
                "reply": answer.reply,
                "delay": delay,
                "refused": int(answer.outcome is Outcome.REFUSED_FOR_NOW),
            },
        )
        if status is Status.FAILED:
            self._fall_back(message)
        if status in (Status.FAILED, Status.IN_DOUBT):
            _log.warning("Message %s is now %s: %s", key, status.replace("_", " "), answer.reply)
        else:
            _log.info("Message %s is now %s: %s", key, status, answer.reply)
        return status, answer

    def _fall_back(self, message: Any) -> None:
        """Lay the same message down for the mail address that stands behind a contact on another service."""
        address = self._fallbacks.get((message.institution_code, message.recipient))
        if address is None:
            return
        recipient = recipient_of(address)
        keys = {
            "key": message.message_key,
            "fallback_key": message.message_key.replace(f"/{message.recipient}/", f"/{recipient}/", 1),
        }
        posted = self._connection.execute(load_statement("outbox/post_fallback"), {**keys, "recipient": recipient})
        if posted.first() is not None:
            self._connection.execute(load_statement("outbox/attach_to_fallback"), keys)
            _log.warning("Message %s goes by mail instead: %s", message.message_key, keys["fallback_key"])
