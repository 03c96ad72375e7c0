"""A package was received and we failed to check it: the institution is told so, once, by a mail and a file.

See docs/intake.md#bad-input.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from five_precisions.delivery import Kind, Message, post
from five_precisions.intake.findings import shown_text
from five_precisions.intake.inbox import Delivery
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_files import write_page
from five_precisions.register import ContactRole, Institution, Register
from five_precisions.settings import Settings
from five_precisions.templates import render

_FINGERPRINT_SHOWN: Final = 16


def post_failed_check_notice(
    connection: Connection,
    settings: Settings,
    register: Register,
    period: Period,
    institution: Institution,
    delivery: Delivery,
    received_at: datetime,
) -> str:
    """Write to an institution that its package is here, that we failed to check it, and that nothing is lost.

    The same files are written about once. Of the error nothing is said: it is ours to mend.

    Args:
        connection: In whose transaction the message is laid down.
        settings: Of this installation.
        register: Who gets mail.
        period: The month.
        institution: Whose files they are.
        delivery: The files.
        received_at: When they were first seen; by this they are in time or late.

    Returns:
        The notice as HTML.
    """
    subject = f"【已收到，待核对】{period.words} {institution.short_name}"
    html = render(
        "mail/failed-check.html",
        subject=subject,
        is_demo=settings.is_demo,
        month=period.words,
        institution=institution,
        received_at=received_at,
        files=[
            (shown_text(file.name), f"{file.size:,}", f"{file.modified_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
            for file in delivery.files
        ],
    )
    post(
        connection,
        [
            Message(
                kind=Kind.RECEIPT,
                period=str(period),
                institution_code=institution.code,
                address=contact.address,
                edition=_edition(delivery),
                subject=subject,
                html=html,
            )
            for contact in register.contacts
            if contact.institution_code == institution.code and contact.role is ContactRole.CONTACT
        ],
    )
    return html


def write_failed_check_notice(settings: Settings, period: Period, delivery: Delivery, html: str) -> None:
    """Make sure that the notice lies in the outbox; one that is there is left as it is.

    Raises:
        OutboxError: the outbox does not take it.
        UnreachableError: the outbox does not answer.
    """
    write_page(settings, period, delivery.institution_code, f"{_edition(delivery)}.html", html)


def _edition(delivery: Delivery) -> str:
    return f"failed-check-{delivery.fingerprint[:_FINGERPRINT_SHOWN]}"
