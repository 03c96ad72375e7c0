"""Receipts: read back from the ledger, and posted to the contacts by mail (docs/intake.md#the-receipt)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, text

from five_precisions.delivery import Attachment, Kind, Message, post
from five_precisions.intake.findings import Finding, JudgedReport, Verdict
from five_precisions.intake.ledger import read_files, read_findings, read_findings_of, read_reports
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.finding_groups import FindingGroup, group_findings
from five_precisions.receipts.receipt_wording import (
    CheckedVersion,
    CrossReceipt,
    Extent,
    Medium,
    OwedReport,
    Receipt,
    ReceivedFile,
    ReportLine,
    render_cross_receipt,
    render_receipt,
    resent_subject,
    workbook_name,
)
from five_precisions.receipts.receipt_workbooks import (
    CrossFindings,
    CrossWorkbooks,
    ReceiptWorkbook,
    read_receipt_workbook,
)
from five_precisions.register import ContactRole
from five_precisions.reports import load_reports
from five_precisions.reports.declaration import ColumnType
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

logger = logging.getLogger(__name__)

_UNITS: Final = {ColumnType.YUAN: "元", ColumnType.WAN: "万元"}

_READ_OWED = text("""
select report, nil_allowed from registry.expected_report
where period = :period and institution_code = :institution_code
""")
_READ_CONTACTS = text("""
select institution_code, address
from registry.contact
where institution_code = any(:institution_codes) and role = :role
order by institution_code, address
""")


def read_receipt(connection: Connection, submission_id: str) -> Receipt:
    """What the ledger says of a version: at any time the same, but for a deadline that ops have moved since."""
    submission = connection.execute(load_statement("receipts/version"), {"submission_id": submission_id}).one()
    names = {"period": submission.period, "institution_code": submission.institution_code}
    versions = {
        row.report: row
        for row in connection.execute(
            load_statement("receipts/report_versions"), {**names, "version": submission.version}
        )
    }
    owed = {row.report: row.nil_allowed for row in connection.execute(_READ_OWED, names)}
    groups, counts = _grouped(read_findings(connection, submission_id))
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
        files=tuple(ReceivedFile(*file) for file in read_files(connection, submission_id)),
        reports=tuple(
            _report_line(judged[code], versions[code].standing_version, counts.get(code, _Counts()))
            for code in load_reports()
            if code in judged
        ),
        owed_count=len(owed),
        still_owed=tuple(
            OwedReport(report.title, owed[code], versions[code].newest_version if code in versions else None)
            for code, report in load_reports().items()
            if code in owed and (code not in versions or versions[code].standing_version is None)
        ),
        groups=groups,
    )


@dataclass(slots=True)
class _Counts:
    """Findings of one report, those apart that ask for nothing."""

    warnings: int = 0
    explained: int = 0
    notices: int = 0


def _grouped(findings: Iterable[Finding]) -> tuple[tuple[FindingGroup, ...], dict[str | None, _Counts]]:
    """The findings in groups, and counted by report; they pass by one by one."""
    counts: dict[str | None, _Counts] = {}

    def counted() -> Iterator[Finding]:
        for finding in findings:
            own = counts.setdefault(finding.report, _Counts())
            own.notices += finding.level is Level.NOTICE
            own.warnings += finding.level is Level.WARNING
            own.explained += finding.level is Level.WARNING and finding.explanation is not None
            yield finding

    return group_findings(counted()), counts


def _report_line(judged: JudgedReport, standing_version: int | None, counts: _Counts) -> ReportLine:
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
        explained=counts.explained,
        notices=counts.notices,
        standing_version=standing_version if judged.verdict is Verdict.REJECTED else None,
    )


def read_cross_receipts(connection: Connection, submission_ids: Sequence[str]) -> dict[str, CrossReceipt]:
    """What the ledger says of checks across reports and institutions (X04 to X10), by receipt number.

    Each of its tables is read once, however many there are.
    """
    if not submission_ids:
        return {}
    return _read_cross_receipts(connection, read_findings_of(connection, submission_ids))


def _read_cross_receipts(connection: Connection, findings: Mapping[str, Iterable[Finding]]) -> dict[str, CrossReceipt]:
    """The receipts of checks whose findings are at hand, by receipt number."""
    names = {"submission_ids": list(findings)}
    sources: dict[str, dict[str, Any]] = {number: {} for number in findings}
    for row in connection.execute(load_statement("receipts/checked_versions"), names):
        sources[row.cross_check_id][row.report] = row
    checks = {row.submission_id: row for row in connection.execute(load_statement("receipts/cross_checks"), names)}
    return {number: _cross_receipt(checks[number], sources[number], own) for number, own in findings.items()}


def _cross_receipt(check: Any, sources: Mapping[str, Any], findings: Iterable[Finding]) -> CrossReceipt:
    groups, counts = _grouped(findings)
    return CrossReceipt(
        submission_id=check.submission_id,
        period=Period.parse(check.period),
        institution_code=check.institution_code,
        institution_name=check.institution_name,
        short_name=check.short_name,
        edition=check.edition,
        checked_at=check.checked_at,
        deadline_at=check.deadline_at,
        sources=tuple(
            CheckedVersion(
                code=code,
                title=report.title,
                version=sources[code].version,
                file=sources[code].file,
                sha256=sources[code].sha256,
                warnings=counts[code].warnings,
                explained=counts[code].explained,
                notices=counts[code].notices,
            )
            for code, report in load_reports().items()
            if code in sources
        ),
        groups=groups,
    )


# Mail


def post_receipt(connection: Connection, settings: Settings, submission_id: str, workbook: ReceiptWorkbook) -> None:
    """Lay the receipt into the outbox for each contact, in the transaction that records the version."""
    receipt = read_receipt(connection, submission_id)
    _post(
        connection,
        receipt,
        workbook,
        edition=receipt.edition,
        subject=receipt.subject,
        html=lambda extent: render_receipt(receipt, Medium.MAIL, is_demo=settings.is_demo, attached=extent),
    )


def post_cross_receipts(
    connection: Connection, settings: Settings, found: Sequence[CrossFindings], workbooks: CrossWorkbooks
) -> dict[str, bytes | None]:
    """Lay receipts of cross checks into the outbox for each contact, in the transaction that records the checks.

    However many there are, each table is read and written once.

    Args:
        connection: In that transaction.
        settings: Of this installation.
        found: What the checks have found.
        workbooks: Their workbooks, as far as they are made.

    Returns:
        The findings workbooks by receipt number, for `write_receipts`: each is rendered once. None where nothing was
        found.

    Raises:
        SetupError: the archive cannot be used.
    """
    if not found:
        return {}
    made = workbooks.made(found)
    receipts = _read_cross_receipts(connection, {each.number: each.findings for each in found})
    contacts = _read_addresses(connection, [receipt.institution_code for receipt in receipts.values()])
    messages: list[Message] = []
    for number, receipt in receipts.items():
        content = partial(_cross_mail, receipt, is_demo=settings.is_demo)
        messages += _messages(
            receipt,
            contacts[receipt.institution_code],
            made[number],
            edition=receipt.edition,
            subject=receipt.subject,
            html=content,
        )
    post(connection, messages)
    return {number: workbook.whole for number, workbook in made.items()}


def _cross_mail(receipt: CrossReceipt, extent: Extent, *, is_demo: bool) -> str:
    return render_cross_receipt(receipt, Medium.MAIL, is_demo=is_demo, attached=extent)


def post_receipt_again(connection: Connection, settings: Settings, submission_id: str, *, again_at: datetime) -> None:
    """Send a version's receipt once more, marked 重发: its bytes have come again (docs/intake.md#its-life).

    Args:
        connection: In whose transaction the messages are laid down.
        settings: Of this installation.
        submission_id: The version that has the same bytes.
        again_at: When it came, as the mail says it; the same instant a second time sends nothing.

    Raises:
        SetupError: the archive cannot be used.
    """
    receipt = read_receipt(connection, submission_id)
    _post(
        connection,
        receipt,
        read_receipt_workbook(connection, settings, submission_id),
        edition=f"{receipt.edition}-again-{_compact(again_at)}",
        subject=resent_subject(receipt),
        html=lambda extent: render_receipt(
            receipt, Medium.MAIL, is_demo=settings.is_demo, again_at=again_at, attached=extent
        ),
    )


def _compact(when: datetime) -> str:
    """An instant in Shanghai without signs between its parts, as precise as it is."""
    return when.astimezone(SHANGHAI).replace(tzinfo=None).isoformat().replace("-", "").replace(":", "")


def _post(
    connection: Connection,
    receipt: Receipt,
    workbook: ReceiptWorkbook,
    *,
    edition: str,
    subject: str,
    html: Callable[[Extent], str],
) -> None:
    [addresses] = _read_addresses(connection, [receipt.institution_code]).values()
    post(connection, _messages(receipt, addresses, workbook, edition=edition, subject=subject, html=html))


def _read_addresses(connection: Connection, institution_codes: Sequence[str]) -> dict[str, list[str]]:
    """The addresses of the institutions' contacts."""
    addresses: dict[str, list[str]] = {code: [] for code in institution_codes}
    names = {"institution_codes": institution_codes, "role": ContactRole.CONTACT}
    for code, address in connection.execute(_READ_CONTACTS, names):
        addresses[code].append(address)
    return addresses


def _messages(
    receipt: Receipt | CrossReceipt,
    addresses: Sequence[str],
    workbook: ReceiptWorkbook,
    *,
    edition: str,
    subject: str,
    html: Callable[[Extent], str],
) -> list[Message]:
    if not addresses:
        logger.warning("%s: %s has no contact, nobody gets its receipt", receipt.period, receipt.institution_code)
        return []
    content = html(workbook.extent)
    attached = workbook.attached
    attachments = () if attached is None else (Attachment(workbook_name(receipt.edition), attached),)
    return [
        Message(
            kind=Kind.RECEIPT,
            period=str(receipt.period),
            institution_code=receipt.institution_code,
            address=address,
            edition=edition,
            subject=subject,
            html=content,
            attachments=attachments,
        )
        for address in addresses
    ]
