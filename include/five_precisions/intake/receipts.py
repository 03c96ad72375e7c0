"""Receipts: read back from the ledger, posted to the contacts, laid into the outbox (spec/03, The receipt)."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from five_precisions.delivery import Kind, Message, post
from five_precisions.errors import UnreachableError
from five_precisions.intake.findings import JudgedReport, Level, Verdict
from five_precisions.intake.ledger import read_findings, read_reports
from five_precisions.intake.receipt_wording import (
    Medium,
    OwedReport,
    Receipt,
    ReceivedFile,
    ReportLine,
    group_findings,
    render_receipt,
    resent_subject,
)
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import ContactRole
from five_precisions.reports import load_reports
from five_precisions.reports.declaration import ColumnType
from five_precisions.settings import Settings
from five_precisions.storage import open_folder, write_whole

logger = logging.getLogger(__name__)

_UNITS: Final = {ColumnType.YUAN: "元", ColumnType.WAN: "万元"}

_READ_SUBMISSION = text("""
select
    submission.submission_id,
    submission.period,
    submission.institution_code,
    institution.name as institution_name,
    institution.short_name,
    submission.version,
    submission.verdict,
    submission.received_at,
    submission.replayed,
    submission.submitted_by,
    deadline.deadline_at,
    (
        select max(other.version)
        from intake.submission as other
        where other.period = submission.period and other.institution_code = submission.institution_code
    ) as newest_version
from intake.submission
inner join registry.institution on submission.institution_code = institution.code
inner join registry.deadline
    on submission.period = deadline.period and submission.institution_code = deadline.institution_code
where submission.submission_id = :submission_id
""")
_READ_FILES = text("""
select name, sha256, size from intake.file where submission_id = :submission_id order by name collate "C"
""")
# How each report stood when the version was judged: later versions have receipts of their own.
_READ_STANDING = text("""
select
    report.report,
    max(submission.version) as newest_version,
    max(submission.version) filter (where report.verdict in ('accepted', 'nil')) as standing_version
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
where
    submission.period = :period
    and submission.institution_code = :institution_code
    and submission.version <= :version
group by report.report
""")
_READ_OWED = text("""
select obligation.report, obligation.nil_allowed
from registry.obligation
inner join registry.institution on obligation.kind = institution.kind
where institution.code = :institution_code
""")
_READ_CONTACTS = text("""
select address from registry.contact where institution_code = :institution_code and role = :role order by address
""")
_READ_VERSIONS = text("""
select submission_id
from intake.submission
where period = :period and institution_code = :institution_code
order by version
""")
_READ_PLACE = text("""
select period, institution_code, version from intake.submission where submission_id = :submission_id
""")


def read_receipt(connection: Connection, submission_id: str) -> Receipt:
    """What the ledger says of a version: at any time the same, but for a deadline that ops have moved since."""
    submission = connection.execute(_READ_SUBMISSION, {"submission_id": submission_id}).one()
    names = {"period": submission.period, "institution_code": submission.institution_code}
    standing = {row.report: row for row in connection.execute(_READ_STANDING, {**names, "version": submission.version})}
    owed = {row.report: row.nil_allowed for row in connection.execute(_READ_OWED, names)}
    notices: Counter[str | None] = Counter()

    def counted() -> Any:
        for finding in read_findings(connection, submission_id):
            notices[finding.report] += finding.level is Level.NOTICE
            yield finding

    groups = group_findings(counted())
    judged = {report.report: report for report in read_reports(connection, submission_id)}
    return Receipt(
        submission_id=submission_id,
        period=Period.parse(submission.period),
        institution_code=submission.institution_code,
        institution_name=submission.institution_name,
        short_name=submission.short_name,
        version=submission.version,
        newest_version=submission.newest_version,
        verdict=Verdict(submission.verdict),
        received_at=submission.received_at,
        replayed=submission.replayed,
        submitted_by=submission.submitted_by,
        deadline_at=submission.deadline_at,
        files=tuple(
            ReceivedFile(row.name, row.sha256, row.size)
            for row in connection.execute(_READ_FILES, {"submission_id": submission_id})
        ),
        reports=tuple(
            _report_line(judged[code], standing[code].standing_version, notices[code])
            for code in load_reports()
            if code in judged
        ),
        owed_count=len(owed),
        still_owed=tuple(
            OwedReport(report.title, owed[code], standing[code].newest_version if code in standing else None)
            for code, report in load_reports().items()
            if code in owed and (code not in standing or standing[code].standing_version is None)
        ),
        groups=groups,
    )


def _report_line(judged: JudgedReport, standing_version: int | None, notices: int) -> ReportLine:
    report = load_reports()[judged.report]
    control = report.control_column
    return ReportLine(
        code=report.code,
        title=report.title,
        verdict=judged.verdict,
        rows=judged.rows,
        control_total=judged.control_total,
        unit=_UNITS[control.type] if control else "",
        errors=judged.errors,
        warnings=judged.warnings,
        notices=notices,
        standing_version=standing_version if judged.verdict is Verdict.REJECTED else None,
    )


def post_receipt(connection: Connection, settings: Settings, submission_id: str) -> None:
    """Lay the receipt into the outbox for each contact, in the transaction that records the version."""
    receipt = read_receipt(connection, submission_id)
    html = render_receipt(receipt, Medium.MAIL, is_demo=settings.is_demo)
    messages = _messages(connection, receipt, f"v{receipt.version}", receipt.subject, html)
    if not messages:
        logger.warning("%s: %s has no contact, nobody gets its receipt", receipt.period, receipt.institution_code)
    post(connection, messages)


def post_receipt_again(
    connection: Connection, settings: Settings, submission_id: str, *, delivered_at: datetime, again_at: datetime
) -> None:
    """Send a version's receipt once more, marked 重发: its bytes have come again (spec/03, Its life).

    Args:
        connection: In whose transaction the messages are laid down.
        settings: Of this installation.
        submission_id: The version that has the same bytes.
        delivered_at: Newest file time of what came again; the same one a second time sends nothing.
        again_at: When it came, as the mail says it.
    """
    receipt = read_receipt(connection, submission_id)
    html = render_receipt(receipt, Medium.MAIL, is_demo=settings.is_demo, again_at=again_at)
    edition = f"v{receipt.version}-again-{delivered_at.astimezone(SHANGHAI):%Y%m%dT%H%M%S}"
    post(connection, _messages(connection, receipt, edition, resent_subject(receipt), html))


def _messages(connection: Connection, receipt: Receipt, edition: str, subject: str, html: str) -> list[Message]:
    names = {"institution_code": receipt.institution_code, "role": ContactRole.CONTACT}
    return [
        Message(
            kind=Kind.RECEIPT,
            period=str(receipt.period),
            institution_code=receipt.institution_code,
            address=address,
            edition=edition,
            subject=subject,
            html=html,
        )
        for address in connection.execute(_READ_CONTACTS, names).scalars()
    ]


def write_receipt(engine: Engine, settings: Settings, submission_id: str) -> str:
    """Make sure that a version's receipt lies in the outbox; its address. One that is there is left as it is.

    Raises:
        SetupError: the outbox cannot be written to. Nothing is lost: the next look at the delivery writes it.
    """
    files, root = open_folder("outbox", settings.outbox_address)
    with engine.connect() as connection:
        place = connection.execute(_READ_PLACE, {"submission_id": submission_id}).one()
        path = f"{root}/{place.period}/{place.institution_code}/receipt-v{place.version}.html"
        try:
            if not files.exists(path):
                receipt = read_receipt(connection, submission_id)
                write_whole(files, path, render_receipt(receipt, Medium.FILE, is_demo=settings.is_demo).encode())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UnreachableError(f"The outbox cannot be written to: {reason}.") from error
    return path


def write_missing_receipts(engine: Engine, settings: Settings, period: Period, institution_code: str) -> None:
    """Write the receipts that a crash between a version's commit and its file has left out.

    Raises:
        SetupError: the outbox cannot be written to.
    """
    with engine.connect() as connection:
        names = {"period": str(period), "institution_code": institution_code}
        versions = connection.execute(_READ_VERSIONS, names).scalars().all()
    for submission_id in versions:
        write_receipt(engine, settings, submission_id)


def require_outbox(settings: Settings) -> None:
    """Refuse an outbox whose address means nothing, before anything is judged.

    Raises:
        SetupError: it is such an address.
    """
    open_folder("outbox", settings.outbox_address)
