"""The ledger of submissions and the rows of accepted reports: one delivery, one transaction (spec/03, Its life)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, text

from five_precisions.intake.findings import (
    Finding,
    JudgedReport,
    Level,
    Verdict,
    column_number_of,
    shown_text,
    storable,
)
from five_precisions.intake.judging import DeliveredFile, JudgedPackage, ReportDraft
from five_precisions.intake.typed import TypedRows
from five_precisions.period import Period
from five_precisions.reports.cells import Value
from five_precisions.reports.masking import keyed_hash, mask

_LOCK_SPACE: Final = 5_201_901
"""First key of the advisory locks of one institution's period; the second is a hash of both."""

_LOCK = text("select pg_advisory_xact_lock(:space, hashtext(:name))")
_FIND_DIGEST = text("""
select submission_id, version, delivered_at
from intake.submission
where period = :period and institution_code = :institution_code and digest = :digest
""")
_NEXT_VERSION = text("""
select coalesce(max(version), 0) + 1
from intake.submission
where period = :period and institution_code = :institution_code
""")
_SAVE_SUBMISSION = text("""
insert into intake.submission (
    submission_id, period, institution_code, version, received_at, delivered_at, replayed, digest, verdict,
    submitted_by, phone_masked
)
values (
    :submission_id, :period, :institution_code, :version, :received_at, :delivered_at, :replayed, :digest, :verdict,
    :submitted_by, :phone_masked
)
""")
_SAVE_FILE = text("""
insert into intake.file (submission_id, name, sha256, size) values (:submission_id, :name, :sha256, :size)
""")
_SAVE_REPORT = text("""
insert into intake.report (submission_id, report, rows, control_total, verdict, errors, warnings, file, sheet)
values (:submission_id, :report, :rows, :control_total, :verdict, :errors, :warnings, :file, :sheet)
""")
_READ_REPORTS = text("""
select report, verdict, rows, control_total, errors, warnings, file, sheet
from intake.report
where submission_id = :submission_id
order by report
""")
_READ_FINDINGS = text("""
select report, rule, level, file, sheet, row_number, header, cell, key, value, expected, explanation, message
from intake.finding
where submission_id = :submission_id
order by ordinal
""")
_SAVE_EXPLANATION = text("""
insert into intake.explanation (submission_id, ordinal, report, rule, key, explanation)
values (:submission_id, :ordinal, :report, :rule, :key, :explanation)
""")
_FINDING_COLUMNS: Final = (
    "submission_id", "ordinal", "report", "rule", "level", "file", "sheet", "row_number", "header", "cell", "key",
    "value", "expected", "explanation", "message",
)  # fmt: skip
_LONGEST_RULE: Final = 20
_FETCHED_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the ledger knows of a delivery before it is judged."""

    period: Period
    institution_code: str
    received_at: datetime
    delivered_at: datetime
    """Newest file time: what tells this delivery from the same bytes delivered once more."""
    replayed: bool
    digest: str
    files: Sequence[DeliveredFile]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Under which number a delivery stands in the ledger."""

    submission_id: str
    version: int
    is_new: bool
    delivered_at: datetime | None
    """Newest file time of the delivery that made the version; None of one older than this column."""


def find_recorded(connection: Connection, period: Period, institution_code: str, digest: str) -> Recorded | None:
    """The version with the same bytes, if there is one."""
    names = {"period": str(period), "institution_code": institution_code, "digest": digest}
    row = connection.execute(_FIND_DIGEST, names).first()
    return Recorded(row.submission_id, row.version, is_new=False, delivered_at=row.delivered_at) if row else None


def record(connection: Connection, submission: Submission, judged: JudgedPackage, pii_key: bytes) -> Recorded:
    """Write a judged delivery: ledger, findings, explanations, and the rows of its accepted reports.

    Two at once wait for each other; the second finds the first one's version and adds none. The caller's transaction
    ends it: all of it stands, or nothing.
    """
    period, code = str(submission.period), submission.institution_code
    connection.execute(_LOCK, {"space": _LOCK_SPACE, "name": f"{period} {code}"})
    known = find_recorded(connection, submission.period, code, submission.digest)
    if known is not None:
        return known
    names = {"period": period, "institution_code": code}
    version = connection.execute(_NEXT_VERSION, names).scalar_one()
    submission_id = f"{period}-{code}-{version}"
    connection.execute(
        _SAVE_SUBMISSION,
        {
            **names,
            "submission_id": submission_id,
            "version": version,
            "received_at": submission.received_at,
            "delivered_at": submission.delivered_at,
            "replayed": submission.replayed,
            "digest": submission.digest,
            "verdict": judged.verdict,
            "submitted_by": judged.cover.submitter,
            "phone_masked": judged.cover.phone_masked,
        },
    )
    _save(
        connection,
        _SAVE_FILE,
        [
            {
                "submission_id": submission_id,
                "name": storable(file.name),
                "sha256": file.sha256,
                "size": len(file.content),
            }
            for file in submission.files
        ],
    )
    _save(connection, _SAVE_REPORT, [_report_line(submission_id, report) for report in judged.reports])
    _copy(connection, sql.Identifier("intake", "finding"), _FINDING_COLUMNS, _finding_lines(submission_id, judged))
    _save(
        connection,
        _SAVE_EXPLANATION,
        [
            {
                "submission_id": submission_id,
                "ordinal": ordinal,
                "report": explanation.report,
                "rule": shown_text(explanation.rule)[:_LONGEST_RULE],
                "key": storable(explanation.key),
                "explanation": shown_text(explanation.text),
            }
            for ordinal, explanation in enumerate(judged.explanations, start=1)
        ],
    )
    # In the order of the declared reports: whoever needs several tables takes them in the same order.
    for draft, report in zip(judged.drafts, judged.reports, strict=True):
        if report.verdict is Verdict.ACCEPTED and draft.rows is not None:
            _copy_rows(connection, submission, submission_id, draft, draft.rows, pii_key)
    return Recorded(submission_id, version, is_new=True, delivered_at=submission.delivered_at)


def read_reports(connection: Connection, submission_id: str) -> tuple[JudgedReport, ...]:
    """The verdicts that the ledger keeps of a submission."""
    rows = connection.execute(_READ_REPORTS, {"submission_id": submission_id}).mappings()
    return tuple(JudgedReport(**{**row, "verdict": Verdict(row["verdict"])}) for row in rows)


def read_findings(connection: Connection, submission_id: str) -> Iterator[Finding]:
    """The findings that the ledger keeps of a submission, in its order; there may be more than memory likes."""
    names = {"submission_id": submission_id}
    with connection.execute(_READ_FINDINGS, names, execution_options={"yield_per": _FETCHED_AT_ONCE}) as found:
        for row in found.mappings():
            fields = {name: row[name] for name in row if name != "cell"}
            cell = row["cell"]
            column_number = None if cell is None else column_number_of(cell)
            yield Finding(**{**fields, "level": Level(row["level"]), "column_number": column_number})


def _report_line(submission_id: str, report: JudgedReport) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "report": report.report,
        "rows": report.rows,
        "control_total": report.control_total,
        "verdict": report.verdict,
        "errors": report.errors,
        "warnings": report.warnings,
        "file": None if report.file is None else storable(report.file),
        "sheet": None if report.sheet is None else storable(report.sheet),
    }


def _finding_lines(submission_id: str, judged: JudgedPackage) -> Iterator[tuple[object, ...]]:
    for ordinal, finding in enumerate(judged.findings, start=1):
        texts = (finding.file, finding.sheet, finding.header, finding.key, finding.value, finding.expected)
        file, sheet, header, key, value, expected = (None if each is None else storable(each) for each in texts)
        yield (
            submission_id,
            ordinal,
            finding.report,
            finding.rule,
            str(finding.level),
            file,
            sheet,
            finding.row_number,
            header,
            finding.cell,
            key,
            value,
            expected,
            finding.explanation,
            storable(finding.message),
        )


def _copy_rows(
    connection: Connection,
    submission: Submission,
    submission_id: str,
    draft: ReportDraft,
    rows: TypedRows,
    pii_key: bytes,
) -> None:
    names = ["period", "submission_id", "delivered_by", "row_number"]
    count = len(rows.rows)
    columns: list[Sequence[object]] = [
        [str(submission.period)] * count,
        [submission_id] * count,
        [submission.institution_code] * count,
        [row.number for row in rows.rows],
    ]
    for column in draft.report.columns:
        values = rows.columns[column.name]
        names.append(column.name)
        if column.sensitive is None:
            columns.append(values)
            continue
        columns.append([None if value is None else mask(str(value), column.sensitive) for value in values])
        if column.hash_name is not None:
            names.append(column.hash_name)
            columns.append([_hash(value, pii_key) for value in values])
    table = sql.Identifier("core", f"delivered_{draft.report.code}")
    _copy(connection, table, names, zip(*columns, strict=True))


def _hash(value: Value, pii_key: bytes) -> str | None:
    return None if value is None else keyed_hash(str(value), pii_key)


def _copy(
    connection: Connection, table: sql.Identifier, columns: Sequence[str], lines: Iterator[tuple[object, ...]]
) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(table, sql.SQL(", ").join(map(sql.Identifier, columns)))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            copy.write_row(line)


def _save(connection: Connection, statement: Any, lines: list[dict[str, Any]]) -> None:
    if lines:
        connection.execute(statement, lines)
