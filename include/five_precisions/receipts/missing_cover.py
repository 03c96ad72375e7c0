"""Files that lie in the inbox without a cover: the institution gets one mail that says what is missing.

See docs/reports.md#rules, F08.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.delivery import Kind, Message, post
from five_precisions.intake.findings import shown_text
from five_precisions.intake.inbox import Delivery
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import ContactRole, Institution, Register
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from five_precisions.templates import render

_FINGERPRINT_SHOWN: Final = 16

_READ_STANDING = text("""
select report from intake.standing_report where period = :period and institution_code = :institution_code
""")


def post_missing_cover_notice(
    connection: Connection,
    settings: Settings,
    register: Register,
    period: Period,
    institution: Institution,
    delivery: Delivery,
    found: Collection[str],
) -> None:
    """Write to an institution that its files lack a cover, and which reports it owes beside them; the same files once.

    Args:
        connection: In whose transaction the message is laid down.
        settings: Of this installation.
        register: Who owes what, and who gets mail.
        period: The month.
        institution: Whose files they are.
        delivery: The files.
        found: Codes of the reports that they hold.
    """
    names = {"period": str(period), "institution_code": institution.code}
    there = {*found, *connection.execute(_READ_STANDING, names).scalars()}
    month = period.words
    what = "缺少报送说明" if delivery.files else "文件放错位置"
    subject = f"【{what}】{month} {institution.short_name}"
    html = render(
        "mail/missing-cover.html",
        subject=subject,
        is_demo=settings.is_demo,
        month=month,
        institution=institution,
        owed=[load_reports()[code].title for code in register.owed_by(institution, period) if code not in there],
        files=[
            (shown_text(file.name), f"{file.size:,}", f"{file.modified_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
            for file in (*delivery.files, *delivery.in_folders)
        ],
        only_folders=not delivery.files,
        folders=[shown_text(folder) for folder in delivery.folders],
    )
    post(
        connection,
        [
            Message(
                kind=Kind.REMINDER,
                period=str(period),
                institution_code=institution.code,
                address=contact.address,
                edition=f"coverless-{delivery.fingerprint[:_FINGERPRINT_SHOWN]}",
                subject=subject,
                html=html,
            )
            for contact in register.contacts
            if contact.institution_code == institution.code and contact.role is ContactRole.CONTACT
        ],
    )
