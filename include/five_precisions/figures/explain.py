"""Where a figure comes from: its formula, and the delivered rows behind it (docs/figures.md#restatement-and-proof).

The rows are found anew in the versions that the run used: by what the catalogue declares of the figure, or by the
statements under include/sql/evidence. They are read where they lie, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Engine, Row, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures.inputs import (
    OF_HOUSEHOLDS,
    Parameters,
    bound_of,
    load_inputs_of_run,
    period_parameters,
    reports_in,
    statement_errors,
    tables_in,
)
from five_precisions.figures.metric_sql import evidence_sql
from five_precisions.figures.own_files_of_run import read_own_files
from five_precisions.period import Period
from five_precisions.reference import Metric, Scope, load_catalogue, load_fact
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.time_limit import ended_after

Value = str | int | Decimal | date | None


_ADDED_UP: Final = "explanation/added_up"
_COUNTED: Final = "explanation/counted"
_ROWS: Final = "explanation/rows"
_PRESENT: Final = (
    "present as not materialized (select * from unnest(cast(:present_reports as text[]), "
    "cast(:present_institutions as text[])) as present (report, institution_code))"
)
"""Whose reports are in, as values: a statement that reads a temporary table is worked on by one process alone."""


class TooSlowError(RefusedError):
    """The rows behind a figure were not found in the time that was given."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A row behind a figure: what it adds, the place where it was delivered, and what it says, masked."""

    part: str
    """numerator, denominator or both."""
    counted: str | None
    """What is counted once, such as the household."""
    numerator: Decimal | None
    """What the row adds to the numerator, in the figure's unit."""
    denominator: Decimal | None
    report: str
    """A report's code; `register` or `target` for what nobody delivers."""
    institution_code: str | None
    delivered_for: str | None
    """The month whose package it stands in: an earlier one than the figure's for visits and other flows."""
    version: int | None
    file: str | None
    sha256: str | None
    sheet: str | None
    """None for a file that has no sheets."""
    row: int | None
    """As the sheet numbers it; None where a report as a whole is meant."""
    content: dict[str, Value]
    """By the headers of the report."""
    archived: str | None = None
    """What the file's archived copy is worth: whole, missing, altered or unreadable; None where nobody has looked."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The rows behind a figure, and what they come to."""

    rows: int
    rows_of_numerator: int
    rows_of_denominator: int
    numerator: Decimal
    """What the rows give, added up or counted; of a figure that is no ratio its value."""
    denominator: Decimal | None
    first: tuple[EvidenceRow, ...]
    """Those that were asked for."""


@dataclass(frozen=True, slots=True)
class FigureExplanation:
    """One figure with its formula; `numerator` and `denominator` are None where the figure is no ratio."""

    metric: str
    name: str
    unit: str
    formula: str
    scope: Scope
    code: str
    subject: str
    period: Period
    run_id: str
    is_current: bool
    input_digest: str
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    proof: Proof | None
    """None where the catalogue declares no evidence for the metric."""
    own_files: tuple[str, ...] = ()
    """The installation's own files by which the run was made, by their names in include."""

    @property
    def is_proved(self) -> bool | None:
        """Whether the rows come to the figure; None where there is no proof, or nothing to be proved."""
        if self.proof is None or self.value is None:
            return None
        if self.denominator is None:
            return self.proof.numerator == self.value
        return (self.proof.numerator, self.proof.denominator) == (self.numerator, self.denominator)


def explain(
    engine: Engine,
    settings: Settings,
    metric: str,
    *,
    scope: str,
    code: str | None,
    period: Period,
    run_id: str | None = None,
    first: int | None = 5,
    offset: int = 0,
    most_seconds: float | None = None,
) -> FigureExplanation:
    """A figure, and the rows behind it.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        metric: Its code in the catalogue.
        scope: city, county, town or bank.
        code: Which one; may be left out for the city.
        period: Of the figure.
        run_id: An older run of a month that was restated; the current one unless given.
        first: How many rows are given, all of them if None; the proof counts all in any case.
        offset: How many rows are passed over before these: the rows keep their order from call to call.
        most_seconds: A statement that takes longer is ended; none is unless given.

    Raises:
        UsageError: there is no such metric, scope, subject or run, or a number of rows is below 0.
        RefusedError: the month has not been assessed.
        TooSlowError: a statement took longer than `most_seconds`.
    """
    if offset < 0 or (first is not None and first < 0):
        raise UsageError("A number of rows is 0 or more.")
    declared = load_catalogue(settings).find(metric)
    if scope not in declared.scopes:
        raise UsageError(f"{metric} holds for {', '.join(declared.scopes)}, not for {scope!r}.")
    # Left without a commit: the temporary tables go.
    with engine.connect() as connection, _limited(connection, most_seconds):
        run = _find_run(connection, period, run_id)
        own_files = read_own_files(connection, run.run_id)
        subject = _find_subject(connection, scope, code)
        figure = connection.execute(
            text(
                "select value, numerator, denominator from mart.metric "
                "where run_id = :run_id and metric = :metric and scope = :scope and scope_code = :code"
            ),
            {"run_id": run.run_id, "metric": metric, "scope": scope, "code": subject.code},
        ).first()
        value, numerator, denominator = (None, None, None) if figure is None else figure
        proof = None
        if declared.is_proved:
            parameters = recall_run(connection, period, run.run_id)
            asked = parameters | {"metric": metric, "scope": scope, "code": subject.code}
            proof = prove(connection, declared, asked, is_ratio=denominator is not None, first=first, offset=offset)
    return FigureExplanation(
        metric=metric,
        name=declared.name,
        unit=declared.unit,
        formula=declared.formula,
        scope=Scope(scope),
        code=subject.code,
        subject=subject.name,
        period=period,
        run_id=run.run_id,
        is_current=run.current,
        input_digest=run.input_digest,
        value=value,
        numerator=numerator,
        denominator=denominator,
        proof=proof,
        own_files=own_files,
    )


def _limited(connection: Connection, seconds: float | None) -> AbstractContextManager[None]:
    """Let no statement of the transaction take longer.

    Raises:
        TooSlowError: one did.
    """
    if seconds is None:
        return nullcontext()
    words = f"A statement took longer than {seconds:g} s: look for the rows without a limit."
    return ended_after(connection, seconds, TooSlowError(words))


def _find_run(connection: Connection, period: Period, run_id: str | None) -> Row[Any]:
    runs = connection.execute(
        text("select run_id, input_digest, current from mart.run where period = :period order by revision"),
        {"period": str(period)},
    ).all()
    if not runs:
        raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
    for run in runs:
        if run.run_id == run_id or (run_id is None and run.current):
            return run
    raise UsageError(f"{period} has no run {run_id!r}; it has {', '.join(run.run_id for run in runs)}.")


def _find_subject(connection: Connection, scope: str, code: str | None) -> Row[Any]:
    subject = connection.execute(load_statement("explanation/subject"), {"scope": scope, "code": code}).first()
    if subject is None and code is None:
        raise UsageError(f"Which {scope}? Give its code: --code CODE.")
    if subject is None or (code is not None and subject.code != code):
        raise UsageError(f"There is no {scope} {code!r} in the register.")
    return subject


def recall_run(connection: Connection, period: Period, run_id: str) -> Parameters:
    """Make the tables of the register as a run knew it; what statements of evidence bind beside the figure's own.

    Args:
        connection: In a transaction that is not kept.
        period: Of the run.
        run_id: Of the run.
    """
    parameters = period_parameters(connection, period) | {"run_id": run_id}
    load_inputs_of_run(connection, parameters, run_id, ())
    # Households of a city are grouped in this; in the usual 4 MB they go to disk.
    connection.exec_driver_sql("set local work_mem to '64MB'")
    current_round = connection.execute(load_statement("evidence/current_round"), {"run_id": run_id}).scalar_one()
    return parameters | {"current_round": current_round} | _versions_of(connection, run_id)


def _versions_of(connection: Connection, run_id: str) -> Parameters:
    """What a run used of each report, its months and its versions; and whose reports of the month were in."""
    used = connection.execute(
        text(
            "select report, array_agg(distinct period) as periods, array_agg(submission_id) as versions "
            "from mart.run_input where run_id = :run_id group by report"
        ),
        {"run_id": run_id},
    )
    found = {row.report: row for row in used}
    present = connection.execute(text("select report, institution_code from present")).all()
    bound: Parameters = {
        "present_reports": [row.report for row in present],
        "present_institutions": [row.institution_code for row in present],
    }
    for report in load_reports():
        bound[f"periods_of_{report}"] = found[report].periods if report in found else []
        bound[f"versions_of_{report}"] = found[report].versions if report in found else []
    return bound


def prove(
    connection: Connection, metric: Metric, asked: Parameters, *, is_ratio: bool, first: int | None, offset: int = 0
) -> Proof:
    """What the rows behind a figure come to, and the first of them behind the offset, all if None.

    Args:
        connection: In the transaction in which the run was recalled.
        metric: Of the catalogue.
        asked: What `recall_run` gave, and metric, scope and code of the figure.
        is_ratio: Whether the figure has a denominator.
        first: How many rows are given.
        offset: How many are passed over before these.

    Raises:
        SetupError: a statement cannot be used.
    """
    scope = Scope(asked["scope"])
    made = metric.made_from(scope)
    # What is only counted is grouped in less memory than what is added up as well.
    is_counted = made is not None and all(measure.distinct for measure in made[1].measures)
    added = _look(connection, metric, scope, _COUNTED if is_counted else _ADDED_UP, asked).one()
    shown = asked | {"first": first, "offset": offset}
    listed = [] if first == 0 else _look(connection, metric, scope, _ROWS, shown).all()
    contents: dict[tuple[str, str, int], dict[str, Value]] = {}
    for report in dict.fromkeys(row.report for row in listed if row.row_number is not None):
        contents |= _read_rows(connection, report, [row for row in listed if row.report == report])
    return Proof(
        rows=added.rows,
        rows_of_numerator=added.above,
        rows_of_denominator=added.below,
        numerator=Decimal(added.numerator),
        denominator=Decimal(added.denominator) if is_ratio else None,
        first=tuple(
            EvidenceRow(
                part=row.part,
                counted=row.counted,
                numerator=row.numerator,
                denominator=row.denominator,
                report=row.report,
                institution_code=row.institution_code,
                delivered_for=row.delivered_for,
                version=row.version,
                file=row.file,
                sha256=row.sha256,
                sheet=row.sheet,
                row=row.row_number,
                content=row.content or contents.get((row.report, row.submission_id, row.row_number), {}),
            )
            for row in listed
        ),
    )


def _look(connection: Connection, metric: Metric, scope: Scope, name: str, asked: Parameters) -> CursorResult[Any]:
    """Ask one of include/sql/explanation about the evidence of a figure."""
    made = metric.made_from(scope)
    if made is None:
        source = ", ".join(metric.evidence)
        evidence = "\nunion all\n".join(
            "select found.report, found.submission_id, found.row_number, found.part, found.counted, found.numerator, "
            f"found.denominator, found.content from (\n{load_statement(each).text}\n) as found"
            for each in metric.evidence
        )
    else:
        source = made[0]
        is_listed = name == _ROWS
        evidence = evidence_sql(load_fact(source), made[1], scope, is_listed=is_listed)
    parts = ",\n".join([*_read_by(evidence), f"evidence as (\n{evidence}\n)"])
    statement = text(f"with {parts}\nselect * from (\n{load_statement(name).text}\n) as asked")
    with statement_errors(source):
        return connection.execute(statement, bound_of(connection, statement, asked))


def _read_by(evidence: str) -> list[str]:
    """What a statement of evidence reads of the run's versions, as parts of it.

    Each is read where it lies: to copy a month of 1,000,000 loans takes longer than to look through it.
    """
    of_households = {
        table: load_statement(f"scores/{table}s").text for table in OF_HOUSEHOLDS if table in tables_in([evidence])
    }
    # Identifiers cannot be bound; these come from our own declarations.
    return [
        *([_PRESENT] if "present" in tables_in([evidence]) else []),
        *(
            f"{report} as not materialized (select delivered.* from core.delivered_{report} as delivered "
            f"where delivered.period = any(:periods_of_{report}) "
            f"and delivered.submission_id = any(:versions_of_{report}))"
            for report in reports_in([evidence, *of_households.values()])
        ),
        *(f"{table} as not materialized (\n{statement}\n)" for table, statement in of_households.items()),
    ]


def _read_rows(
    connection: Connection, report: str, places: Sequence[Row[Any]]
) -> dict[tuple[str, str, int], dict[str, Value]]:
    """What the rows say as the warehouse holds them: sensitive columns are masked, their hashes are left out."""
    declared = load_reports()[report]
    # Identifiers cannot be bound; these come from our own declarations.
    names = ", ".join(f"delivered.{column.name}" for column in declared.columns)
    found = connection.execute(
        text(
            f"select delivered.submission_id, delivered.row_number, delivered.period, {names} "
            f"from core.delivered_{report} as delivered "
            "inner join unnest(cast(:submissions as text[]), cast(:rows as integer[])) "
            "as place (submission_id, row_number) using (submission_id, row_number) "
            "where delivered.period = any(:periods)"
        ),
        {
            "periods": list({place.delivered_for for place in places}),
            "submissions": [place.submission_id for place in places],
            "rows": [place.row_number for place in places],
        },
    )
    contents: dict[tuple[str, str, int], dict[str, Value]] = {}
    for submission, number, period, *values in found:
        said = dict(zip([column.name for column in declared.columns], _said(values), strict=True))
        # By the headers that the institution was given.
        form = declared.in_period(Period.parse(period))
        contents[report, submission, number] = {column.header: said[column.name] for column in form.columns}
    return contents


def _said(values: Iterable[Any]) -> list[Value]:
    return [("是" if value else "否") if isinstance(value, bool) else value for value in values]
