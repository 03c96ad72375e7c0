"""What is sent: a message for one recipient, written in the transaction that causes it (docs/outputs.md#messages)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why a message is sent."""

    RECEIPT = "receipt"
    REMINDER = "reminder"
    MONTHLY_NOTICE = "monthly_notice"
    SUPERVISION_NOTICE = "supervision_notice"
    BULLETIN = "bulletin"
    CORRECTION = "correction"


class Status(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENDING = "sending"
    """Handed to the server right now; found so with no sender at work, it is in doubt."""
    SENT = "sent"
    """The server took it."""
    FAILED = "failed"
    """Refused for good, or refused for now too often."""
    IN_DOUBT = "in_doubt"
    """Perhaps sent, perhaps not; only a person decides to send it again."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    """As the recipient sees it, with its ending."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address. Its HTML is complete; Apprise makes the text part of it."""

    kind: Kind
    period: str
    """A month `2019-06`, or a quarter `2019-Q2`."""
    institution_code: str
    address: str
    """An email address, or an Apprise URL, as the register has it."""
    edition: str
    """What distinguishes it from another message of the same kind, period and address: `r1`, `v2`, `draft-1`."""
    subject: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    run_id: str | None = None
    """The run whose figures it reports, if any."""
