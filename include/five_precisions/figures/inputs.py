"""The inputs of a run: temporary tables with exactly the versions that it uses.

The statements under include/sql read these by the reports' codes (`loans`, `visits`, …) and know nothing of versions.
A stock holds the run's own month, a flow every month on record up to it. Beside them stand

- the register as the run knows it: `known_institution`, of which `open_institution` count, and `known_division`,
- `subject`: what has figures of its own,
- `present`: whose report of the month is in, `missing_report`: whose is owed and is not,
- `reported_subject`: of whom a report says anything,
- `judged`: the versions by which the quality of reporting is judged,
- `target`, and `set_aside`: the cases that count nowhere,
- `visited_household` and `borrowing_household`: what visits and microcredit come to for each household. They are filled
  once the round of visits is known, so that scores, metrics, alerts and lists need not go through all rows again.

A file of include/sql/digest is one more thing that the run's digest covers: its rows, in their order.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from five_precisions.errors import RefusedError, SetupError
from five_precisions.own_files import all_files_of
from five_precisions.period import Period
from five_precisions.reference.sql_files import SQL_FOLDER, read_sql, statement_path
from five_precisions.reports import ReportKind, load_reports
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.locks import Lock, hold
from five_precisions.warehouse.statistics import A_TENTH, analyze

_TABLES: Final = {
    "run_version": "period text, institution_code text, report text, submission_id text",
    "known_institution": """
        code text, short_name text, kind text, division_code text, local_legal_person boolean, is_open boolean
    """,
    "known_division": "code text, name text, level text, parent_code text",
    "open_institution": "code text, short_name text, kind text, division_code text, local_legal_person boolean",
    "subject": "scope text, scope_code text, subject_name text, county_code text",
    "reported_subject": "report text, scope text, scope_code text",
    "present": "report text, institution_code text, county_code text",
    "missing_report": "report text, institution_code text",
    "judged": """
        institution_code text, report text, version integer, received_at timestamptz, verdict text, errors integer,
        warnings integer
    """,
    "target": "institution_code text, households integer",
    "set_aside": "case_id text",
    "visited_household": """
        household_no text, first_visited_on date, last_visited_on date, in_round_1 boolean, in_current_round boolean,
        in_round_before boolean, conduct_mean numeric, wants_loan boolean, wanted_amount numeric
    """,
    "borrowing_household": "household_no text, owed numeric, is_served boolean",
}

_FILLED_BY: Final = {
    "known_institution": "institutions",
    "known_division": "divisions",
    "open_institution": "open_institutions",
    "subject": "subjects",
    "present": "present",
    "missing_report": "missing_reports",
    "reported_subject": "reported_subjects",
    "judged": "judged",
    "set_aside": "set_aside",
}
"""Statements of include/sql/inputs by the table that each fills, in their order."""
_OF_THE_REGISTER: Final = ("open_institution", "subject", "present")
"""Tables whose statements read the register as the run knows it."""
_OF_A_PAST_RUN: Final = ("run_version", "known_institution", "known_division", *_OF_THE_REGISTER, "target")
"""Tables that can be filled again as they were when a run was made."""
OF_HOUSEHOLDS: Final = ("visited_household", "borrowing_household")
"""Tables of what visits and microcredit come to for each household; include/sql/scores has the statement of each."""
NOT_OF_A_RUN = frozenset(
    {
        "bulletin", "cases", "checks", "cli", "collection", "data_docs", "digest", "evidence", "explanation",
        "housekeeping", "intake", "outbox", "reader", "receipts", "register", "restatement", "runs", "trial",
        "web", "worklists",
    }
)  # fmt: skip
"""Folders of include/sql whose statements add nothing to a run. Any other folder may hold a metric's statement."""

_TARGET_OF_MONTHS: Final = 5
"""What tables with many months are counted by: 300 times as many rows and blocks are looked at."""
_FEW_ROWS: Final = 30_000
"""Of which a tenth of the usual sample is a tenth of them or more, and says as much as is asked for."""

_READ: Final = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)\b(?!\.)")
_COMMENT: Final = re.compile(r"--.*")

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


def lock_runs(connection: Connection) -> None:
    """Wait until no run is being made, and keep others waiting until the transaction ends: months build on months."""
    hold(connection, Lock.RUN)


def load_inputs(connection: Connection, parameters: Parameters, *, is_restatement: bool = False) -> None:
    """Make and fill the temporary tables; they go with the transaction.

    Args:
        connection: In the run's transaction.
        parameters: Of the period.
        is_restatement: Whether the month's own reports are taken as they stand now, not as the close froze them.
    """
    # One run is made at a time. Groups of 1,000,000 loans are hashed in this, and sorted on disk in the usual 4 MB.
    connection.exec_driver_sql("set local work_mem to '64MB'")
    reports = load_reports()
    _make_tables(connection)
    flows = [code for code, report in reports.items() if report.kind is ReportKind.FLOW]
    of_versions = parameters | {"flows": flows, "is_restatement": is_restatement}
    fill_table(connection, "run_version", "inputs/versions", of_versions)
    for table, name in _FILLED_BY.items():
        fill_table(connection, table, f"inputs/{name}", parameters)
    for code, report in reports.items():
        _load_report(connection, code, report.kind)


def load_inputs_of_run(
    connection: Connection,
    parameters: Parameters,
    run_id: str,
    reports: Collection[str],
) -> None:
    """Make the temporary tables as they were when the run was made, of the reports only those asked for.

    What the proof and the trial do not read is not made: a statement that reads it fails, where it would find nothing.

    Args:
        connection: In a transaction that is not kept.
        parameters: Of the run's period.
        run_id: Of the run.
        reports: Their codes.
    """
    _make_tables(connection, _OF_A_PAST_RUN)
    connection.execute(
        text(
            "insert into run_version select period, institution_code, report, submission_id from mart.run_input "
            "where run_id = :run_id"
        ),
        {"run_id": run_id},
    )
    gather_statistics(connection, "run_version")
    for table in ("known_institution", "known_division"):
        fill_table(connection, table, f"evidence/{table}s", parameters | {"run_id": run_id})
    for table in _OF_THE_REGISTER:
        fill_table(connection, table, f"inputs/{_FILLED_BY[table]}", parameters)
    # The months of a run keep their targets.
    fill_table(connection, "target", "targets/inputs", parameters)
    kinds = {code: report.kind for code, report in load_reports().items()}
    for code in reports:
        _load_report(connection, code, kinds[code])


def reports_read_by(statements: Iterable[str]) -> list[str]:
    """The codes of the reports whose rows any of the statements, given by their names, reads."""
    return reports_in([load_statement(name).text for name in statements])


def reports_in(texts: Iterable[str]) -> list[str]:
    """The codes of the reports whose rows any of these texts of statements reads."""
    read = tables_in(texts)
    return [code for code in load_reports() if code in read]


def tables_in(texts: Iterable[str]) -> set[str]:
    """Names without a schema that stand behind `from` or `join` in texts of statements: tables, and parts of these."""
    return {name for sql in texts for name in _READ.findall(_COMMENT.sub("", sql))}


def _make_tables(connection: Connection, tables: Collection[str] = tuple(_TABLES)) -> None:
    for table in tables:
        connection.exec_driver_sql(f"create temporary table {table} ({_TABLES[table]}) on commit drop")


def _load_report(connection: Connection, code: str, kind: ReportKind) -> None:
    # Identifiers cannot be bound; these come from our own declarations.
    connection.exec_driver_sql(f"create temporary table {code} (like core.delivered_{code}) on commit drop")
    filled = connection.execute(
        text(
            f"insert into {code} select delivered.* from core.delivered_{code} as delivered "
            "where delivered.period = any(:periods) and delivered.submission_id in "
            "(select run_version.submission_id from run_version where run_version.report = :report)"
        ),
        {"periods": _periods_of(connection, code), "report": code},
    )
    if kind is ReportKind.FLOW:
        analyze(connection, code, target=_TARGET_OF_MONTHS)
    else:
        analyze(connection, code, target=A_TENTH if filled.rowcount <= _FEW_ROWS else None)


def _periods_of(connection: Connection, report: str) -> list[str]:
    """The months of which the run uses versions of the report: bound, so that other partitions are not planned."""
    used = text("select distinct period from run_version where report = :report order by period")
    return list(connection.execute(used, {"report": report}).scalars())


def run_statement(connection: Connection, name: str, parameters: Parameters) -> int:
    """Execute a statement with those of the parameters that it binds; how many rows it wrote."""
    statement = load_statement(name)
    return connection.execute(statement, bound_of(connection, statement, parameters)).rowcount


def insert_rows(connection: Connection, table: str, name: str, parameters: Parameters) -> None:
    """Insert what a statement yields into a table which others of the run join, and count it."""
    statement = text(f"insert into {table}\n{load_statement(name).text}")
    connection.execute(statement, bound_of(connection, statement, parameters))
    gather_statistics(connection, table)


def fill_table(connection: Connection, table: str, name: str, parameters: Parameters) -> None:
    """Execute a statement that fills a table which others of the run join, and count what it wrote."""
    run_statement(connection, name, parameters)
    gather_statistics(connection, table)


def gather_statistics(connection: Connection, *tables: str) -> None:
    """Have the server count tables that this transaction has filled: nobody else does before it ends.

    Args:
        connection: In the run's transaction.
        tables: What it has filled.
    """
    for table in tables:
        # What part of a mart is one month's a small sample says, and costs the same however many months there are.
        analyze(connection, table, target=_TARGET_OF_MONTHS if table.startswith("mart.") else None)


@contextmanager
def statement_errors(name: str) -> Iterator[None]:
    """Report what is wrong with a statement that whoever adds a metric may have written.

    Raises:
        SetupError: the database refuses it or what it yields, or it binds what no run has.
    """
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError) as error:
        reason = " ".join(str(error.orig).strip().splitlines()[:2])
        raise SetupError(f"{_file_of(name)} cannot be used: {reason}") from error
    except KeyError as error:
        raise SetupError(f"{_file_of(name)} binds :{error.args[0]}, which no run has.") from error


def _file_of(name: str) -> str:
    """The file of a statement, as a sentence names it."""
    path = statement_path(name)
    return f"include/sql/{name}.sql" if SQL_FOLDER in path.parents else str(path)


def bound_of(connection: Connection, statement: TextClause, parameters: Parameters) -> Parameters:
    """Those of the parameters that the statement binds."""
    return {key: parameters[key] for key in statement.compile(dialect=connection.dialect).params}


def digest_inputs(connection: Connection, parameters: Parameters, files: dict[str, str]) -> str:
    """SHA-256 over everything a run depends on: the rows of include/sql/digest, and digests of the files it reads."""
    content: dict[str, Any] = {"files": files}
    for path in sorted((SQL_FOLDER / "digest").glob("*.sql")):
        statement = load_statement(f"digest/{path.stem}")
        found = connection.execute(statement, bound_of(connection, statement, parameters))
        content[path.stem] = [list(row) for row in found]
    return digest_of(content)


def digest_statements() -> str:
    """SHA-256 over the statements and rules under include/sql that make a run."""
    return digest_of(
        {
            name: read_sql(path)
            for name, path in all_files_of(SQL_FOLDER, ".sql").items()
            if name.split("/")[0] not in NOT_OF_A_RUN
        }
    )


def digest_of(content: object) -> str:
    """SHA-256 of plain data: text, numbers, periods, in lists and mappings."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()
