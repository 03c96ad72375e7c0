"""Judging by the rules across reports, months and institutions (reports/cross_rules.py).

See docs/reports.md#rules: H03, K02, K03, P02, X01–X10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError, StatementError

from five_precisions.errors import SetupError
from five_precisions.intake.findings import Finding, shown_key, shown_key_part
from five_precisions.period import Period
from five_precisions.register import Register
from five_precisions.reports import load_forms, load_reports
from five_precisions.reports.cross_rules import CrossRule, Moment, cross_rules_of, load_cross_rules
from five_precisions.warehouse import load_statement

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class DeliveredSheet:
    """Where a report stands in the files of its version."""

    file: str | None
    sheet: str | None
    places: Mapping[str, int]
    """Column of the report → number of the column in the sheet, from 1."""


def version_findings(
    connection: Connection,
    period: Period,
    institution_code: str,
    report: str,
    place: DeliveredSheet,
    *,
    is_whole: bool,
) -> list[Finding]:
    """Hold the rows staged of one report against other months and institutions.

    Args:
        connection: In whose transaction `staged_<report>` holds the rows.
        period: Of the delivery.
        institution_code: Who delivers.
        report: Which report.
        place: Where it stands in the delivered files.
        is_whole: Whether every row of it could be read: without, nothing is said to be gone.
    """
    parameters = {**parameters_of(period), "institution_code": institution_code, "is_whole": is_whole}
    own = [check for check in cross_rules_of(period) if check.moment is Moment.VERSION and check.report == report]
    found: list[Finding] = []
    for check in sorted(own, key=lambda check: not check.alone):
        with _rule_errors(check):
            rows = map(dict, connection.execute(text(check.sql), parameters).mappings())
            found += [_finding(check, row, place, period) for row in rows]
        if check.alone and found:
            break
    return found


def has_version_checks(report: str) -> bool:
    """Whether versions of the report are held against other months or institutions."""
    return any(check.moment is Moment.VERSION and check.report == report for check in load_cross_rules())


Accepted = Mapping[tuple[str, str], DeliveredSheet]
"""Where the accepted reports of a period lie, by institution and report."""


def standing_findings(
    connection: Connection,
    register: Register,
    period: Period,
    *,
    at_close: bool,
) -> dict[str, list[Finding]]:
    """What the checks say of everything that stands in the period: the findings by institution, in reading order.

    Args:
        connection: Where to read.
        register: Who owes what.
        period: The month.
        at_close: Whether what is missing will not come any more: every check with both its sides has its say then.
    """
    accepted = read_accepted(connection, period)
    checks = judged_checks(register, period, accepted, at_close=at_close)
    return judge_standing(connection, period, accepted, [(check, check.sql) for check in checks])


def read_accepted(connection: Connection, period: Period) -> Accepted:
    """Where the accepted reports of a period lie."""
    return {
        (row.institution_code, row.report): DeliveredSheet(row.file, row.sheet, row.places)
        for row in connection.execute(load_statement("intake/accepted_sheets"), {"period": str(period)})
    }


def judged_checks(register: Register, period: Period, accepted: Accepted, *, at_close: bool) -> list[CrossRule]:
    """The standing checks whose reports are in, so that they have their say."""
    delivered = {report for _, report in accepted}
    is_in = {
        report: report in delivered and (at_close or _is_complete(report, register, period, accepted))
        for report in load_reports()
    }
    return [
        check
        for check in cross_rules_of(period)
        if check.moment is Moment.STANDING and all(is_in[report] for report in check.needs)
    ]


def judge_standing(
    connection: Connection, period: Period, accepted: Accepted, statements: Iterable[tuple[CrossRule, str]]
) -> dict[str, list[Finding]]:
    """The findings of standing checks, each asked by a statement, by institution and in reading order."""
    found: dict[str, list[Finding]] = {}
    for check, statement in statements:
        with _rule_errors(check):
            for row in map(dict, connection.execute(text(statement), parameters_of(period)).mappings()):
                code = row["institution_code"]
                place = accepted[code, row.get("report", check.report)]
                found.setdefault(code, []).append(_finding(check, row, place, period))
    return {code: sorted(findings, key=_reading_order) for code, findings in found.items()}


def check_faults(connection: Connection, period: Period) -> Iterator[str]:
    """What PostgreSQL says against the statements of the rules across reports, one each; nothing is kept."""
    parameters = {**parameters_of(period), "institution_code": "", "is_whole": True}
    for check in load_cross_rules():
        tried = connection.begin_nested()
        try:
            if check.moment is Moment.VERSION:
                connection.exec_driver_sql(
                    f"create temporary table staged_{check.report} (like core.delivered_{check.report}) on commit drop"
                )
            with _rule_errors(check):
                columns = set(connection.execute(text(check.sql), parameters).keys())
            whose = set() if check.moment is Moment.VERSION else {"institution_code"}
            wanted = {"row_number", "key", "value"} | whose
            if missing := sorted(wanted - columns):
                yield f"The statement of rule {check.rule} yields no column {missing[0]}."
        except SetupError as error:
            yield str(error)
        finally:
            tried.rollback()


@contextmanager
def _rule_errors(check: CrossRule) -> Iterator[None]:
    """Report what is wrong with the statement of a rule that whoever adds one may have written.

    Raises:
        SetupError: the database refuses it, it binds what a check does not have, or its rows are no findings.
    """
    try:
        yield
    except StatementError as error:
        if isinstance(error, DBAPIError) and not isinstance(error, DataError | ProgrammingError):
            raise
        reason = str(error.orig).strip().splitlines()[0].rstrip(".")
        raise SetupError(f"The statement of rule {check.rule} does not run: {reason}.") from error
    except (KeyError, StopIteration) as error:
        raise SetupError(
            f"The statement of rule {check.rule} yields what is no finding: it lacks a column, or names a report, a "
            f"column or an institution that is not there ({error})."
        ) from error


def _reading_order(finding: Finding) -> tuple[str, int, int, int, str]:
    """File, sheet, row, column; the sheets of a workbook come as the reports are declared.

    See docs/intake.md#the-receipt.
    """
    sheet = list(load_reports()).index(finding.report or "")
    return finding.file or "", sheet, finding.row_number or 0, finding.column_number or 0, finding.rule


def _is_complete(report: str, register: Register, period: Period, accepted: Accepted) -> bool:
    """Whether everyone who owes the report has it accepted."""
    owing = [each for each in register.open_in(period) if report in register.owed_by(each, period)]
    return all((each.code, report) in accepted for each in owing)


def parameters_of(period: Period) -> dict[str, Any]:
    """What a period says in the statements of checks."""
    return {
        "period": str(period),
        "previous_period": str(period.previous()),
        "december": str(Period(period.year - 1, 12)),
        "year_begin": Period(period.year, 1).begin,
        "period_end": period.end,
    }


def _finding(check: CrossRule, row: Mapping[str, Any], place: DeliveredSheet, period: Period) -> Finding:
    report = load_forms(period)[row.get("report", check.report)]
    name = row.get("column_name", check.column)
    declared = load_reports()[report.code].column(name)
    column = next((each for each in report.columns if each.name == name), declared)
    has_cell = row["row_number"] is not None
    return Finding(
        report=report.code,
        rule=check.rule,
        level=check.level,
        message=_fill(check.message, row),
        file=place.file,
        sheet=place.sheet,
        row_number=row["row_number"],
        column_number=place.places.get(column.name) if has_cell else None,
        header=column.header,
        key=None if row["key"] is None else shown_key(row["key"], report),
        value=None if row["value"] is None else shown_key_part(row["value"], column),
        expected=row.get("expected", check.expected),
    )


def _fill(template: str, row: Mapping[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda name: str(row.get(name[1], name[0])), template)
