"""The inputs of a run: temporary tables with exactly the versions that it uses.

The statements under include/sql read these by the reports' codes (`loans`, `visits`, …) and know nothing of versions:
a stock holds the run's own month, a flow every month on record up to it. Beside them stand `open_institution`,
`subject` (what has figures of its own), `present` (whose report of the month is in) and `target`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, TextClause, text

from five_precisions.errors import RefusedError
from five_precisions.period import Period
from five_precisions.reports import Kind, load_reports
from five_precisions.warehouse import load_statement

_TABLES = (
    "run_version (period text, institution_code text, report text, submission_id text)",
    "open_institution (code text, short_name text, kind text, division_code text, local_legal_person boolean)",
    "subject (scope text, scope_code text, subject_name text, county_code text)",
    "present (report text, institution_code text, county_code text)",
    "target (institution_code text, households integer)",
)

Parameters = dict[str, Any]


def period_parameters(connection: Connection, period: Period) -> Parameters:
    """The parameters that every statement of a run may bind.

    Raises:
        RefusedError: the register has no division of level city.
    """
    city = connection.execute(text("select code from registry.division where level = 'city'")).scalar()
    if city is None:
        raise RefusedError("The register names no city; run: five-precisions init")
    prior = Period(period.year - 1, period.month)
    return {
        "period": str(period),
        "previous_period": str(period.previous()),
        "year_first_period": str(Period(period.year, 1)),
        "year": period.year,
        "month": period.month,
        "period_begin": period.begin,
        "period_end": period.end,
        "year_begin": Period(period.year, 1).begin,
        "prior_begin": Period(prior.year, 1).begin,
        "prior_end": prior.end,
        "quarter_begin": Period(period.year, (period.month - 1) // 3 * 3 + 1).begin,
        "city": city,
    }


def load_inputs(connection: Connection, parameters: Parameters) -> None:
    """Make and fill the temporary tables; they go with the transaction."""
    reports = load_reports()
    for table in _TABLES:
        connection.exec_driver_sql(f"create temporary table {table} on commit drop")
    flows = [code for code, report in reports.items() if report.kind is Kind.FLOW]
    connection.execute(load_statement("inputs/versions"), {"period": parameters["period"], "flows": flows})
    for name in ("institutions", "subjects", "present"):
        run_statement(connection, f"inputs/{name}", parameters)
    for code in reports:
        # Identifiers cannot be bound; these come from our own declarations.
        connection.exec_driver_sql(f"create temporary table {code} (like core.delivered_{code}) on commit drop")
        connection.execute(
            text(
                f"insert into {code} select delivered.* from core.delivered_{code} as delivered "
                "where delivered.period = any(:periods) and delivered.submission_id = any(:submissions)"
            ),
            _versions_of(connection, code),
        )
        connection.exec_driver_sql(f"analyze {code}")


def _versions_of(connection: Connection, report: str) -> Parameters:
    used = connection.execute(
        text("select period, submission_id from run_version where report = :report"), {"report": report}
    ).all()
    return {"periods": sorted({row.period for row in used}), "submissions": [row.submission_id for row in used]}


def run_statement(connection: Connection, name: str, parameters: Parameters) -> int:
    """Execute a statement with those of the parameters that it binds; how many rows it wrote."""
    statement = load_statement(name)
    return connection.execute(statement, bound_of(connection, statement, parameters)).rowcount


def bound_of(connection: Connection, statement: TextClause, parameters: Parameters) -> Parameters:
    """Those of the parameters that the statement binds."""
    return {key: parameters[key] for key in statement.compile(dialect=connection.dialect).params}


def digest_inputs(connection: Connection, reference: dict[str, str]) -> str:
    """SHA-256 over everything a run depends on: delivered versions by content, earlier runs, register, reference."""
    content = {
        "versions": _rows(
            connection,
            "select used.period, used.institution_code, used.report, submission.version, submission.digest "
            "from run_version as used inner join intake.submission using (submission_id) order by 1, 2, 3",
        ),
        "institutions": _rows(connection, "select * from open_institution order by code"),
        "divisions": _rows(connection, "select code, name, level, parent_code from registry.division order by code"),
        "obligations": _rows(connection, "select kind, report from registry.obligation order by kind, report"),
        "targets": _rows(connection, "select * from target order by institution_code"),
        "reference": reference,
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _rows(connection: Connection, query: str) -> list[list[Any]]:
    return [list(row) for row in connection.execute(text(query))]
