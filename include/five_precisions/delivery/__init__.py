"""Delivery: the outbox, and the one adapter that hands messages to Apprise (docs/outputs.md#messages)."""

from five_precisions.delivery.dispatch import RETRY_DELAYS, Dispatched, dispatch
from five_precisions.delivery.message import Attachment, Kind, Message, Status
from five_precisions.delivery.outbox import (
    LONGEST_UNSENT,
    PostedMessage,
    list_messages,
    message_key,
    post,
    recipient_of,
    resend,
)

__all__ = [
    "LONGEST_UNSENT",
    "RETRY_DELAYS",
    "Attachment",
    "Dispatched",
    "Kind",
    "Message",
    "PostedMessage",
    "Status",
    "dispatch",
    "list_messages",
    "message_key",
    "post",
    "recipient_of",
    "resend",
]
