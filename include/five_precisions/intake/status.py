"""Who has delivered what: the matrix of a period (docs/operations.md#by-command-line; docs/intake.md#its-life)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row

from five_precisions.errors import UsageError
from five_precisions.period import Period
from five_precisions.register import read_register
from five_precisions.warehouse import load_statement, read_clock


@dataclass(frozen=True, slots=True)
class ReportState:
    """Where one owed report of one institution stands."""

    period: str
    institution_code: str
    short_name: str
    report: str
    title: str
    state: str
    """`expected`, `accepted`, `nil`, `rejected` or `missing`; a rejected later version does not touch what stands."""
    version: int | None
    superseded: tuple[int, ...]
    """Earlier accepted versions in whose place that one stands."""
    rows: int | None
    errors: int
    warnings: int
    on_time: bool | None
    """Whether it was first accepted by the deadline; None while it is not."""
    late: bool
    received_at: datetime | None
    newest_version: int | None
    """The last one that held the report, whatever its verdict."""
    newest_verdict: str | None
    left_files: bool
    """Whether the register's files no longer name the institution, which owes as before until ops decide."""
    closed_at: datetime | None
    """When the period was closed; None while it is open."""
    forced_by: str | None
    """Who closed it although packages waited in the inbox; None where nobody had to."""
    forced_reason: str | None


def read_status(engine: Engine, period: Period) -> list[ReportState]:
    """The state of every report owed in the period, by institution and in the order of the declared reports.

    Raises:
        UsageError: the period has not been opened.
    """
    from five_precisions.reports import load_reports

    period.require_begun()
    with engine.connect() as connection:
        register = read_register(connection)
        deadlines = {
            row.institution_code: row
            for row in connection.execute(load_statement("intake/status_deadlines"), {"period": str(period)})
        }
        if not deadlines:
            raise UsageError(f"{period} is not open yet; run: five-precisions collect {period}")
        now = read_clock(connection)
        delivered: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in connection.execute(load_statement("intake/status_reports"), {"period": str(period)}):
            delivered.setdefault((row.institution_code, row.report), []).append(row)
    states: list[ReportState] = []
    for institution in register.open_in(period):
        deadline = deadlines[institution.code]
        is_over = deadline.closed_at is not None or now >= deadline.deadline_at
        for report in register.owed_by(institution, period):
            own = delivered.get((institution.code, report), [])
            good = [row for row in own if row.verdict in ("accepted", "nil")]
            shown = good[-1] if good else own[-1] if own else None
            on_time = good[0].received_at < deadline.deadline_at if good else None
            states.append(
                ReportState(
                    period=str(period),
                    institution_code=institution.code,
                    short_name=institution.short_name,
                    report=report,
                    title=load_reports()[report].title,
                    state=shown.verdict if shown else "missing" if is_over else "expected",
                    version=shown.version if shown else None,
                    superseded=tuple(row.version for row in good[:-1]),
                    rows=shown.rows if shown else None,
                    errors=shown.errors if shown else 0,
                    warnings=shown.warnings if shown else 0,
                    on_time=on_time,
                    late=on_time is False,
                    received_at=shown.received_at if shown else None,
                    newest_version=own[-1].version if own else None,
                    newest_verdict=own[-1].verdict if own else None,
                    left_files=institution.code in register.undecided,
                    closed_at=deadline.closed_at,
                    forced_by=deadline.forced_by,
                    forced_reason=deadline.forced_reason,
                )
            )
    return states
