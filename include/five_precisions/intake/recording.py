"""A judged delivery becomes a version: one transaction under the period's lock.

See docs/intake.md#its-life; docs/reports.md#rules.

Its rows are staged first, so that the checks across months and institutions see them beside what stands; only what is
accepted goes on into the warehouse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, text

from five_precisions.intake import explanations
from five_precisions.intake.comparison import Comparison, Staged, compare_with_others
from five_precisions.intake.findings import Finding, Verdict
from five_precisions.intake.judged_package import JudgedPackage, ReportDraft
from five_precisions.intake.ledger import (
    Recorded,
    Submission,
    copy_lines,
    count_warnings,
    fact_of,
    find_recorded,
    next_version,
    printable_finding,
    read_editions,
    read_reported,
    received_in_order,
    save_cross_checks,
    save_findings,
    save_submission,
)
from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.typed import TypedRows
from five_precisions.intake.rules.checks import has_version_checks
from five_precisions.intake.rules.own_rows import BroughtToLight, bring_to_light, keep_digests
from five_precisions.period import Period
from five_precisions.register import Register
from five_precisions.reports import Report, load_reports
from five_precisions.reports.cells import Value
from five_precisions.reports.masking import hashing, keeping
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.clock import read_clock
from five_precisions.warehouse.keys import hold_pii_key
from five_precisions.warehouse.locks import Lock, hold
from five_precisions.warehouse.schema import partition_name
from five_precisions.warehouse.statistics import A_TENTH, analyze

_IS_CLOSED = text("select exists (select from intake.close where period = :period)")

MOST_TAKEN_BACK: Final = 2
"""How often what is recorded under the period's lock is taken back, so that its workbooks are made without the lock."""
_EXPLAINING_A_GAP: Final = frozenset({"F02", "F03", "F04", "F06"})
"""Findings that say already that rows are missing: that contracts are gone would be their consequence."""


@dataclass(frozen=True, slots=True)
class Version:
    """A new version, and what it brought to light."""

    submission_id: str
    version: int
    received_at: datetime
    """Not before an earlier version's, whatever became of the clock in between."""
    recorded_at: datetime | None
    """None where it was only foreseen."""
    judged: JudgedPackage
    """With the findings across months, institutions and reports."""
    findings: tuple[Finding, ...]
    """The same findings as the receipt reports them: with the explanations that there are, in the ledger's form."""
    cross_checks: tuple[str, ...]
    """Numbers of the receipts that others get because of it."""
    comparison: Comparison
    """What came of holding it against other months and institutions, for recording the same rows once more."""
    brought: BroughtToLight | None = None
    """What came of the checks of the whole month, for the same; None where it was only foreseen."""

    def has_receipt_of(self, other: Version) -> bool:
        """Whether the same is reported of both, under the same number."""
        own = (self.submission_id, self.received_at, self.findings)
        return own == (other.submission_id, other.received_at, other.findings)


def lock_period(connection: Connection, period: Period) -> None:
    """Wait for whoever else records or closes in the period; held to the end of the transaction or its savepoint."""
    hold(connection, Lock.PERIOD, period)


def stage(connection: Connection, judged: JudgedPackage, pii_key: bytes) -> Staged:
    """Load the rows of the reports that may be accepted, or are compared with others, into temporary tables.

    They go with the transaction. What was read of the files is not needed afterwards.
    """
    with without_collection():
        return {
            draft.report.code: _stage(connection, draft, draft.rows, pii_key)
            for draft in judged.drafts
            if draft.rows is not None and _is_wanted(draft)
        }


def foresee(
    connection: Connection, submission: Submission, judged: JudgedPackage, staged: Staged
) -> Version | Recorded:
    """What `record` would write now, so that the receipt can be prepared before the period is locked. Only reads.

    Whatever is recorded in between may change it, and so does what the version brings to light of what is accepted.
    """
    period, code = submission.period, submission.institution_code
    known = find_recorded(connection, period, code, submission.digest, submission.delivered_at)
    if known is not None:
        return known
    comparison = compare_with_others(connection, submission, judged, staged)
    judged = judged.with_findings(comparison.findings)
    _, notices = _bind_explanations(connection, submission, judged)
    judged = judged.with_findings(notices)
    version, received_at = next_version(connection, period, code), received_in_order(connection, submission)
    findings = _reported(connection, submission, judged)
    return Version(f"{period}-{code}-{version}", version, received_at, None, judged, findings, (), comparison)


def record(
    connection: Connection,
    submission: Submission,
    judged: JudgedPackage,
    staged: Staged,
    register: Register,
    pii_key: bytes,
    foreseen: Version | None = None,
) -> Version | Recorded:
    """Hold a judged delivery against other months and institutions, and write it: ledger, findings, accepted rows.

    Two at once wait for each other; with the same bytes the second finds the first one's version and adds none. The
    caller's transaction ends it: all of it stands, or nothing.

    Args:
        connection: In whose transaction the rows were staged.
        submission: The delivery.
        judged: What was judged of it.
        staged: Which of its reports are staged.
        register: Who owes what.
        pii_key: By which identities are compared.
        foreseen: What was to be expected of the same rows; nothing is asked twice unless something has changed.
    """
    period, code = submission.period, submission.institution_code
    lock_period(connection, period)
    hold_pii_key(connection, pii_key)
    known = find_recorded(connection, period, code, submission.digest, submission.delivered_at)
    if known is not None:
        return known
    earlier = None if foreseen is None else foreseen.comparison
    comparison = compare_with_others(connection, submission, judged, staged, earlier)
    judged = judged.with_findings(comparison.findings)
    version = next_version(connection, period, code)
    submission_id = f"{period}-{code}-{version}"
    submission = replace(submission, received_at=received_in_order(connection, submission))
    # The workbooks of others that were made when it was taken back name that time.
    kept = foreseen.recorded_at if foreseen and foreseen.cross_checks else None
    now = kept or read_clock(connection)
    recorded_at = save_submission(connection, submission, judged, submission_id, version, now)
    for report in judged.reports:
        if report.verdict is Verdict.ACCEPTED and report.report in staged:
            _keep_rows(connection, submission, submission_id, load_reports()[report.report])
    is_closed = connection.execute(_IS_CLOSED, {"period": str(period)}).scalar_one()
    if submission.replayed:
        # The close follows at once, and the order in which packages are judged must not matter.
        brought = BroughtToLight({}, {})
    elif foreseen is not None and foreseen.brought is not None and comparison is foreseen.comparison:
        brought = foreseen.brought
    else:
        brought = bring_to_light(connection, register, period, code, is_closed=is_closed)
    keep_digests(connection, period, brought.digests)
    judged = judged.with_findings(brought.findings.get(code, ()))
    count_warnings(connection, submission_id, judged.reports)
    bound, notices = _bind_explanations(connection, submission, judged)
    explanations.save(connection, submission_id, bound)
    judged = judged.with_findings(notices)
    findings = _reported(connection, submission, judged)
    save_findings(connection, submission_id, findings)
    of_others = {other: found for other, found in brought.findings.items() if other != code}
    cross_checks = () if is_closed else _record_cross_checks(connection, period, of_others, recorded_at)
    received_at = submission.received_at
    return Version(
        submission_id, version, received_at, recorded_at, judged, findings, cross_checks, comparison, brought
    )


def _bind_explanations(
    connection: Connection, submission: Submission, judged: JudgedPackage
) -> tuple[list[explanations.RecordedExplanation], list[Finding]]:
    names = (submission.period, submission.institution_code)
    return explanations.bind(connection, *names, judged.explanations, judged.findings)


def _reported(connection: Connection, submission: Submission, judged: JudgedPackage) -> tuple[Finding, ...]:
    code = submission.institution_code
    findings = explained(connection, submission.period, {code: judged.findings})
    return tuple(map(printable_finding, findings[code]))


def explained(
    connection: Connection, period: Period, findings: Mapping[str, Sequence[Finding]]
) -> dict[str, list[Finding]]:
    """The findings by institution, with the explanations that stand for them."""
    recorded = explanations.read_recorded(connection, period, list(findings))
    return {code: explanations.with_explanations(own, recorded[code], period) for code, own in findings.items()}


def _record_cross_checks(
    connection: Connection, period: Period, found: Mapping[str, Sequence[Finding]], now: datetime
) -> tuple[str, ...]:
    """Record for the other institutions what was not reported to them yet; the receipt numbers."""
    if not found:
        return ()
    reported = read_reported(connection, period, list(found))
    editions = read_editions(connection, period)
    new = {
        code: [finding for finding in findings if fact_of(finding) not in reported.get(code, ())]
        for code, findings in sorted(found.items())
    }
    with_answers = explained(connection, period, {code: findings for code, findings in new.items() if findings})
    checks = {(code, f"x{len(editions.get(code, ())) + 1}"): findings for code, findings in with_answers.items()}
    return tuple(save_cross_checks(connection, period, checks, now))


# Rows


def _is_wanted(draft: ReportDraft) -> bool:
    """Whether its rows are needed: it is accepted so far, or held against other months all the same."""
    if draft.is_nil:
        return False
    return draft.verdict is Verdict.ACCEPTED or has_version_checks(draft.report.code)


def _stage(connection: Connection, draft: ReportDraft, rows: TypedRows, pii_key: bytes) -> bool:
    """Load the rows into `staged_<report>`, which goes with the transaction; whether all of them could be read.

    Of a report that is rejected already, rows whose key cannot be read or is not unique are left out. What cannot be
    read in the others is null: what is said of the rest is no consequence of those faults.
    """
    chosen = _comparable(draft, rows)
    columns: dict[str, Sequence[object]] = {"row_number": [rows.rows[position].number for position in chosen]}
    for column in draft.report.columns:
        values = rows.columns[column.name]
        own = values if len(chosen) == len(values) else [values[position] for position in chosen]
        if not (column.sensitive or column.is_prose):
            columns[column.name] = own
            continue
        columns[column.name] = _each(own, keeping(column))
        if column.hash_name is not None:
            columns[column.hash_name] = _each(own, hashing(pii_key))
    table = sql.Identifier(f"staged_{draft.report.code}")
    # Also the columns of other months: the rules name them, and find nothing in them.
    declared = load_reports()[draft.report.code]
    made = sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
        table, _listed(_kept_columns(declared)), _delivered(declared)
    )
    _execute(connection, made)
    copy_lines(connection, table, list(columns), zip(*columns.values(), strict=True))
    if has_version_checks(draft.report.code):
        analyze(connection, f"staged_{draft.report.code}", target=A_TENTH)
    gap = any(finding.rule in _EXPLAINING_A_GAP for finding in draft.findings)
    return not gap and len(chosen) == len(rows.rows)


def _comparable(draft: ReportDraft, rows: TypedRows) -> Sequence[int]:
    everything = range(len(rows.rows))
    if draft.verdict is Verdict.ACCEPTED:
        return everything
    keys = rows.compared_keys()
    counts = Counter(keys)
    return [position for position in everything if keys[position] is not None and counts[keys[position]] == 1]


def _keep_rows(connection: Connection, submission: Submission, submission_id: str, report: Report) -> None:
    """Take the staged rows of an accepted report over."""
    columns = _kept_columns(report)
    statement = sql.SQL(
        "insert into {} (period, submission_id, delivered_by, {}) select {}, {}, {}, {} from {}"
    ).format(
        _delivered(report),
        _listed(columns),
        sql.Placeholder(),
        sql.Placeholder(),
        sql.Placeholder(),
        _listed(columns),
        sql.Identifier(f"staged_{report.code}"),
    )
    _execute(connection, statement, str(submission.period), submission_id, submission.institution_code)
    # The checks across reports follow at once; without counts their plans take minutes instead of milliseconds. What
    # was counted once is reckoned on with the size of the table, so long as that has not doubled.
    name = partition_name(report.code, submission.period)
    if connection.execute(load_statement("intake/table_to_count"), {"partition": f"core.{name}"}).scalar_one():
        analyze(connection, f"core.{name}", target=A_TENTH)


def _kept_columns(report: Report) -> list[str]:
    """What the warehouse keeps of a delivered row."""
    columns = ["row_number"]
    for column in report.columns:
        columns += [column.name] + ([column.hash_name] if column.hash_name else [])
    return columns


def _delivered(report: Report) -> sql.Identifier:
    return sql.Identifier("core", f"delivered_{report.code}")


def _listed(columns: Any) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _each(values: Sequence[Value], make: Callable[[str], str]) -> list[str | None]:
    """What is made of each value; of nothing nothing."""
    return [None if value is None else make(str(value)) for value in values]


def _execute(connection: Connection, statement: sql.Composed, *values: object) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(statement, values)
