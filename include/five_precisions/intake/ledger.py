"""The ledger of submissions, cross checks and findings: what is kept of each delivery (docs/intake.md#its-life)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, RowMapping, text

from five_precisions.intake.findings import (
    Finding,
    JudgedReport,
    Verdict,
    column_number_of,
    printable,
)
from five_precisions.intake.inbox import Delivery
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import Period
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.reports.level import Level
from five_precisions.warehouse import load_statement

_NEXT_VERSION = text("""
select coalesce(max(version), 0) + 1
from intake.submission
where period = :period and institution_code = :institution_code
""")
_LATEST_RECEIVED = text("""
select max(received_at)
from intake.submission
where period = :period and institution_code = :institution_code
""")
_FORGET_SEEN = text("""
delete from intake.seen_package where period = :period and institution_code = :institution_code
""")
_READ_TAKEN = text("""
select path, identity from intake.taken_file where period = :period and institution_code = :institution_code
""")
_FORGET_TAKEN = text("""
delete from intake.taken_file
where
    period = :period
    and institution_code = :institution_code
    and (path, identity) in (select * from unnest(cast(:paths as text []), cast(:identities as text [])))
""")
_SAVE_FILE = text("""
insert into intake.file (submission_id, name, sha256, size) values (:submission_id, :name, :sha256, :size)
""")
_COUNT_WARNINGS = text("""
update intake.report set warnings = :warnings where submission_id = :submission_id and report = :report
""")
_SAVE_CROSS_CHECK = text("""
insert into intake.cross_check (submission_id, period, institution_code, edition, checked_at)
values (:submission_id, :period, :institution_code, :edition, greatest(
    cast(:now as timestamptz), (select max(recorded_at) from intake.submission where period = :period)
))
""")
_READ_REPORTED = text("""
select institution_code, report, rule, key, header, value
from intake.told_finding
where period = :period and institution_code = any(:institution_codes)
""")
_READ_FACTS = text("""
select submission_id, report, rule, key, header, value from intake.finding where submission_id = any(:submission_ids)
""")
_READ_FILES = text("""
select name, sha256, size from intake.file where submission_id = :submission_id order by name collate "C"
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
_FINDING_COLUMNS: Final = (
    "submission_id", "ordinal", "report", "rule", "level", "file", "sheet", "row_number", "header", "cell", "key",
    "value", "expected", "explanation", "message",
)  # fmt: skip
_STORED_TEXTS: Final = ("file", "sheet", "header", "key", "value", "expected", "message")
_FETCHED_AT_ONCE: Final = 5_000
_AN_INSTANT: Final = timedelta(microseconds=1)
"""The shortest time that the database distinguishes."""

Fact = tuple[str | None, ...]
"""Report, rule, key, header and value of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the ledger knows of a delivery before it is judged."""

    period: Period
    institution_code: str
    received_at: datetime
    delivered_at: datetime
    """Newest file time: what distinguishes this delivery from the same bytes delivered once more."""
    replayed: bool
    digest: str
    files: Sequence[DeliveredFile]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Under which number a delivery stands in the ledger already."""

    submission_id: str
    version: int
    delivered_at: datetime | None
    """Newest file time of the delivery that made the version; None of one older than this column."""


def find_recorded(
    connection: Connection, period: Period, institution_code: str, digest: str, delivered_at: datetime
) -> Recorded | None:
    """The version with the same bytes, if there is one whose verdict they would have again.

    One that was rejected for what another institution had delivered counts no longer, once that one has delivered the
    report anew: the same bytes, delivered again, are judged again.

    Args:
        connection: Where to read.
        period: The month.
        institution_code: Whose delivery it is.
        digest: Of the delivery.
        delivered_at: Its newest file time: of a delivery that is looked at twice, the version always counts.
    """
    names = {
        "period": str(period),
        "institution_code": institution_code,
        "digest": digest,
        "delivered_at": delivered_at,
        "rules": sorted({check.rule for check in load_cross_rules() if check.decides_across_institutions}),
    }
    row = connection.execute(load_statement("intake/find_recorded"), names).first()
    return Recorded(*row) if row else None


def next_version(connection: Connection, period: Period, institution_code: str) -> int:
    """The number of the next version; the caller holds the period's lock."""
    names = {"period": str(period), "institution_code": institution_code}
    return int(connection.execute(_NEXT_VERSION, names).scalar_one())


def latest_received(connection: Connection, period: Period, institution_code: str) -> datetime | None:
    """When the newest version of an institution was received; None without one."""
    names = {"period": str(period), "institution_code": institution_code}
    latest: datetime | None = connection.execute(_LATEST_RECEIVED, names).scalar_one()
    return latest


def received_in_order(connection: Connection, submission: Submission) -> datetime:
    """When a delivery was received: when it was seen, but after the version before it; the caller holds the lock.

    So it is where the clock was set back in between. A replay's times are those of its files.
    """
    if submission.replayed:
        return submission.received_at
    latest = latest_received(connection, submission.period, submission.institution_code)
    return submission.received_at if latest is None else max(submission.received_at, latest + _AN_INSTANT)


def save_submission(
    connection: Connection,
    submission: Submission,
    judged: JudgedPackage,
    submission_id: str,
    version: int,
    now: datetime,
) -> datetime:
    """Keep a judged delivery: its files and the verdicts on its reports.

    Returns:
        When it was recorded: now, or after what was recorded before it.
    """
    recorded_at: datetime = connection.execute(
        load_statement("intake/save_submission"),
        {
            "period": str(submission.period),
            "institution_code": submission.institution_code,
            "submission_id": submission_id,
            "version": version,
            "received_at": submission.received_at,
            "delivered_at": submission.delivered_at,
            "replayed": submission.replayed,
            "digest": submission.digest,
            "verdict": judged.verdict,
            "submitted_by": judged.cover.submitter,
            "phone_masked": judged.cover.phone_masked,
            "now": now,
        },
    ).scalar_one()
    _save(
        connection,
        _SAVE_FILE,
        [
            {
                "submission_id": submission_id,
                "name": printable(file.name),
                "sha256": file.sha256,
                "size": file.size,
            }
            for file in submission.files
        ],
    )
    lines = [_report_line(submission_id, report, judged.places[report.report]) for report in judged.reports]
    _save(connection, load_statement("intake/save_report"), lines)
    return recorded_at


def count_warnings(connection: Connection, submission_id: str, reports: Sequence[JudgedReport]) -> None:
    """Bring the counts of warnings to what the verdicts say, after checks across reports have found more."""
    _save(
        connection,
        _COUNT_WARNINGS,
        [{"submission_id": submission_id, "report": each.report, "warnings": each.warnings} for each in reports],
    )


def first_seen(connection: Connection, period: Period, institution_code: str, fingerprint: str) -> datetime:
    """When a settled package was first seen, by whoever looked first: now, unless it is known already.

    It is kept until the package is on record, so that an end in between, or a long queue, makes nobody late.
    """
    names = {"period": str(period), "institution_code": institution_code}
    seen_at: datetime = connection.execute(
        load_statement("intake/note_seen_package"), {**names, "fingerprint": fingerprint}
    ).scalar_one()
    return seen_at


def take(connection: Connection, period: Period, delivery: Delivery) -> bool:
    """Note that a delivery's files are on record: until they are out of the inbox they are no delivery of their own.

    Whether nobody has noted it before; who is just about to is waited for.
    """
    names = {"period": str(period), "institution_code": delivery.institution_code}
    connection.execute(_FORGET_SEEN, names)
    noted = connection.execute(
        load_statement("intake/note_taken_files"),
        {**names, **_identities({each.path: each.identity for each in delivery.files})},
    )
    return noted.first() is not None


def read_taken(connection: Connection, period: Period, institution_code: str) -> dict[str, str]:
    """The identities of files that are on record and were not yet seen to be out of the inbox, by printable path."""
    names = {"period": str(period), "institution_code": institution_code}
    return {row.path: row.identity for row in connection.execute(_READ_TAKEN, names)}


def forget_taken(connection: Connection, period: Period, institution_code: str, taken: Mapping[str, str]) -> None:
    """Forget files, identities by path: they are out, and what has their names now is something else."""
    names = {"period": str(period), "institution_code": institution_code}
    connection.execute(_FORGET_TAKEN, {**names, **_identities(taken)})


def _identities(files: Mapping[str, str]) -> dict[str, list[str]]:
    return {"paths": [printable(path) for path in files], "identities": list(files.values())}


def printable_finding(finding: Finding) -> Finding:
    """The finding as the ledger gives it back: delivered texts without what cannot be stored."""
    texts = ((name, getattr(finding, name)) for name in _STORED_TEXTS)
    changed: dict[str, Any] = {name: printable(each) for name, each in texts if each and printable(each) != each}
    if finding.cell is None and finding.column_number is not None:
        changed["column_number"] = None
    return replace(finding, **changed) if changed else finding


def save_findings(connection: Connection, submission_id: str, findings: Sequence[Finding]) -> None:
    """Keep findings under a receipt number, in their order; they are printable."""
    copy_lines(
        connection, sql.Identifier("intake", "finding"), _FINDING_COLUMNS, _finding_lines(submission_id, findings)
    )


def save_cross_checks(
    connection: Connection, period: Period, checks: Mapping[tuple[str, str], Sequence[Finding]], now: datetime
) -> list[str]:
    """Keep what checks across reports have found.

    Args:
        connection: Where to write.
        period: The month.
        checks: The findings by institution and edition.
        now: When it was checked; not before the last version that was looked at, whatever became of the clock.

    Returns:
        The receipt numbers, in that order.
    """
    numbered = {f"{period}-{code}-{edition}": (code, edition) for code, edition in checks}
    lines = [
        {"submission_id": number, "period": str(period), "institution_code": code, "edition": edition, "now": now}
        for number, (code, edition) in numbered.items()
    ]
    if not lines:
        return []
    _save(connection, _SAVE_CROSS_CHECK, lines)
    kept = (
        line
        for number, check in numbered.items()
        for line in _finding_lines(number, list(map(printable_finding, checks[check])))
    )
    copy_lines(connection, sql.Identifier("intake", "finding"), _FINDING_COLUMNS, kept)
    return list(numbered)


def read_editions(connection: Connection, period: Period) -> dict[str, list[str]]:
    """The editions of the period's cross checks by institution, in the order of their numbers."""
    editions: dict[str, list[str]] = {}
    for code, edition in connection.execute(load_statement("intake/editions"), {"period": str(period)}):
        editions.setdefault(code, []).append(edition)
    return editions


def read_reported(connection: Connection, period: Period, institution_codes: Sequence[str]) -> dict[str, set[Fact]]:
    """The facts of a period that were reported to each of the institutions."""
    names = {"period": str(period), "institution_codes": institution_codes}
    reported: dict[str, set[Fact]] = {}
    for code, *fact in connection.execute(_READ_REPORTED, names):
        reported.setdefault(code, set()).add(tuple(fact))
    return reported


def read_facts(connection: Connection, submission_ids: Sequence[str]) -> dict[str, set[Fact]]:
    """The facts that each of some receipts has reported; nothing of one that has reported none."""
    facts: dict[str, set[Fact]] = {}
    for submission_id, *fact in connection.execute(_READ_FACTS, {"submission_ids": submission_ids}):
        facts.setdefault(submission_id, set()).add(tuple(fact))
    return facts


def fact_of(finding: Finding) -> Fact:
    """What makes two findings of different days the same fact."""
    return (finding.report, finding.rule, finding.key, finding.header, finding.value)


def read_files(connection: Connection, submission_id: str) -> list[tuple[str, str, int]]:
    """Name, SHA-256 and size in bytes of the files of a version, in the order of their names."""
    rows = connection.execute(_READ_FILES, {"submission_id": submission_id})
    return [(row.name, row.sha256, row.size) for row in rows]


def read_reports(connection: Connection, submission_id: str) -> tuple[JudgedReport, ...]:
    """The verdicts that the ledger keeps of a submission."""
    rows = connection.execute(_READ_REPORTS, {"submission_id": submission_id}).mappings()
    return tuple(JudgedReport(**{**row, "verdict": Verdict(row["verdict"])}) for row in rows)


def read_findings(connection: Connection, submission_id: str) -> Iterator[Finding]:
    """The findings that the ledger keeps of a submission, in its order; there may be more than memory likes."""
    names = {"submission_id": submission_id}
    with connection.execute(_READ_FINDINGS, names, execution_options={"yield_per": _FETCHED_AT_ONCE}) as found:
        for row in found.mappings():
            yield _finding(row)


def read_findings_of(connection: Connection, submission_ids: Sequence[str]) -> dict[str, list[Finding]]:
    """The findings that the ledger keeps of some submissions, of each in its order; all of them at once."""
    # A list: the driver takes a tuple for a row.
    names = {"submission_ids": list(submission_ids)}
    findings: dict[str, list[Finding]] = {number: [] for number in submission_ids}
    for row in connection.execute(load_statement("intake/findings_of"), names).mappings():
        findings[row["submission_id"]].append(_finding(row))
    return findings


def _finding(row: RowMapping) -> Finding:
    fields = {name: row[name] for name in row if name not in ("cell", "submission_id")}
    column_number = None if row["cell"] is None else column_number_of(row["cell"])
    return Finding(**{**fields, "level": Level(row["level"]), "column_number": column_number})


def _report_line(submission_id: str, report: JudgedReport, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "report": report.report,
        "rows": report.rows,
        "control_total": report.control_total,
        "verdict": report.verdict,
        "errors": report.errors,
        "warnings": report.warnings,
        "file": None if report.file is None else printable(report.file),
        "sheet": None if report.sheet is None else printable(report.sheet),
        "places": json.dumps(places),
        "validated": None if report.validated is None else list(report.validated),
    }


def _finding_lines(submission_id: str, findings: Sequence[Finding]) -> Iterator[tuple[object, ...]]:
    for ordinal, finding in enumerate(findings, start=1):
        yield (
            submission_id,
            ordinal,
            finding.report,
            finding.rule,
            str(finding.level),
            finding.file,
            finding.sheet,
            finding.row_number,
            finding.header,
            finding.cell,
            finding.key,
            finding.value,
            finding.expected,
            finding.explanation,
            finding.message,
        )


def copy_lines(
    connection: Connection, table: sql.Identifier, columns: Sequence[str], lines: Iterator[tuple[object, ...]]
) -> None:
    """Load lines into a table by COPY."""
    statement = sql.SQL("copy {} ({}) from stdin").format(table, sql.SQL(", ").join(map(sql.Identifier, columns)))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            copy.write_row(line)


def _save(connection: Connection, statement: Any, lines: list[dict[str, Any]]) -> None:
    if lines:
        connection.execute(statement, lines)
