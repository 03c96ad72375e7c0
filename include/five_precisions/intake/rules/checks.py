"""Rules across reports, months and institutions: each a file of include/sql/checks.

See docs/reports.md: H03, K02, P02, X01–X10.

A file opens with the question that it answers and, after an empty comment line, says as YAML what its rows mean to an
institution: `rule`, `level`, `across` (months, reports, institutions), `report`, `column`, `message`, `expected`, and

- `moment: version`: judged with a version. It reads the rows just delivered as `staged_<report>` and what stands of
  other months and institutions as `core.<report>`; a critical finding rejects the report.
- `moment: standing`: about what stands in the period, for all institutions at once. It never rejects. `needs` lists
  reports that must be in from everyone who owes them before it says anything earlier than the close, and from anyone
  at the close: where nobody's register came, a loan's household is on none, and the bank is not the one to blame.

Its rows are the findings: `institution_code` (standing only), `row_number`, `key`, `value`; where they differ from what
is declared, `report`, `column_name`, `expected`; any other column fills its `{name}` in the message. Bound parameters:
`period`, `previous_period`, `december` (of the year before), `year_begin`, `period_end`; with a version
`institution_code`, `is_whole` (every row of the report could be read).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection, text

from five_precisions.intake.findings import Finding, Level, shown_key, shown_key_part
from five_precisions.period import Period
from five_precisions.register import Register
from five_precisions.reports import load_reports
from five_precisions.warehouse.statements import SQL_FOLDER, load_declared

CHECK_FOLDER: Final = SQL_FOLDER / "checks"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

_READ_STANDING = text("""
select
    standing.institution_code,
    standing.report,
    report.file,
    report.sheet,
    report.places
from intake.standing_report as standing
inner join intake.report
    on
        standing.submission_id = report.submission_id
        and standing.report = report.report
where standing.period = :period
""")


class Moment(StrEnum):
    """When a check is run."""

    VERSION = "version"
    STANDING = "standing"


class Across(StrEnum):
    """What a check compares."""

    MONTHS = "months"
    REPORTS = "reports"
    INSTITUTIONS = "institutions"


class Check(BaseModel):
    """One rule across reports, months or institutions, as its file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    level: Level
    across: Across
    moment: Moment
    report: str
    column: str
    message: str
    expected: str | None = None
    needs: tuple[str, ...] = ()
    sql: str

    @property
    def decides_across_institutions(self) -> bool:
        """Whether what one institution has delivered may reject another's report: the order of both then matters."""
        return self.moment is Moment.VERSION and self.across is Across.INSTITUTIONS

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        reports = load_reports()
        if unknown := {self.report, *self.needs} - set(reports):
            raise ValueError(f"no such report: {', '.join(sorted(unknown))}")
        if self.column not in {column.name for column in reports[self.report].columns}:
            raise ValueError(f"{self.report} has no column {self.column}")
        if self.moment is Moment.STANDING and self.level is Level.CRITICAL:
            raise ValueError("what is found of accepted reports cannot reject them: its level is warning or notice")
        if self.moment is Moment.VERSION and self.needs:
            raise ValueError("a version is judged with what is there: it needs no other report")
        return self


@dataclass(frozen=True, slots=True)
class DeliveredSheet:
    """Where a report stands in the files of its version."""

    file: str | None
    sheet: str | None
    places: Mapping[str, int]
    """Column of the report → number of the column in the sheet, from 1."""


def load_checks() -> tuple[Check, ...]:
    """The checks of include/sql/checks, in the order of their files' names.

    Raises:
        SetupError: a file does not say what its rows mean, or names a report or column that does not exist.
    """
    return _load_folder(CHECK_FOLDER)


@cache
def _load_folder(folder: Path) -> tuple[Check, ...]:
    return tuple(load_declared(path, Check) for path in sorted(folder.glob("*.sql")))


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
    parameters = {**_parameters(period), "institution_code": institution_code, "is_whole": is_whole}
    return [
        _finding(check, row, place)
        for check in load_checks()
        if check.moment is Moment.VERSION and check.report == report
        for row in map(dict, connection.execute(text(check.sql), parameters).mappings())
    ]


def has_version_checks(report: str) -> bool:
    """Whether versions of the report are held against other months or institutions."""
    return any(check.moment is Moment.VERSION and check.report == report for check in load_checks())


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
    standing = {
        (row.institution_code, row.report): DeliveredSheet(row.file, row.sheet, row.places)
        for row in connection.execute(_READ_STANDING, {"period": str(period)})
    }
    delivered = {report for _, report in standing}
    is_in = {
        report: report in delivered and (at_close or _is_complete(report, register, period, standing))
        for report in load_reports()
    }
    found: dict[str, list[Finding]] = {}
    for check in load_checks():
        if check.moment is Moment.VERSION or not all(is_in[report] for report in check.needs):
            continue
        for row in map(dict, connection.execute(text(check.sql), _parameters(period)).mappings()):
            code = row["institution_code"]
            place = standing[code, row.get("report", check.report)]
            found.setdefault(code, []).append(_finding(check, row, place))
    return {code: sorted(findings, key=_reading_order) for code, findings in found.items()}


def _reading_order(finding: Finding) -> tuple[str, int, int, int, str]:
    """File, sheet, row, column; the sheets of a workbook come as the reports are declared.

    See docs/intake.md#the-receipt.
    """
    sheet = list(load_reports()).index(finding.report or "")
    return finding.file or "", sheet, finding.row_number or 0, finding.column_number or 0, finding.rule


def _is_complete(
    report: str, register: Register, period: Period, standing: Mapping[tuple[str, str], DeliveredSheet]
) -> bool:
    """Whether everyone who owes the report has it accepted."""
    owing = [each for each in register.open_in(period) if report in register.owed_by(each.kind)]
    return all((each.code, report) in standing for each in owing)


def _parameters(period: Period) -> dict[str, Any]:
    return {
        "period": str(period),
        "previous_period": str(period.previous()),
        "december": str(Period(period.year - 1, 12)),
        "year_begin": Period(period.year, 1).begin,
        "period_end": period.end,
    }


def _finding(check: Check, row: Mapping[str, Any], place: DeliveredSheet) -> Finding:
    report = load_reports()[row.get("report", check.report)]
    column = report.column(row.get("column_name", check.column))
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
