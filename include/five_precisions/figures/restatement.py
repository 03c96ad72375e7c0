"""Restating a month: a new revision on ops' decision, with every figure that it changed.

See docs/figures.md#restatement-and-proof. A month is taken anew from the newest accepted version of each of its
reports, late ones included. Of earlier months it takes what their newest run used. The scheme, the scorecard and the
targets are those that hold for the month. The run that stood before keeps everything but its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError
from five_precisions.figures.assess import make_run, refuse_out_of_turn, take_inputs
from five_precisions.figures.inputs import digest_of, lock_runs, run_statement
from five_precisions.period import Period
from five_precisions.register.decision import reason_of, storable
from five_precisions.reports import ReportKind, load_reports
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.locks import Lock, hold

_NOBODY_YET: Final = "—"
"""Who has decided on a restatement that is only looked at."""
_OTHER_REQUESTS = text(
    "select request from registry.restatement_request where period = :period and request <> :request"
)
_SAVE_REQUEST = text("""
insert into registry.restatement_request (request, period) values (:request, :period)
on conflict (request) do nothing
""")


@dataclass(frozen=True, slots=True)
class RestatedFigure:
    """A figure that differs between two runs; None where a run has none."""

    mart: str
    """The table that holds it: metric, assessment, ranking, …"""
    scope: str
    scope_code: str
    figure: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ReplacedVersion:
    """A report of the month of which another version is used; None where there was, or is, none."""

    institution_code: str
    report: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class LaterRun:
    """A later month that was computed from the run that was replaced; its own run does not change."""

    run_id: str
    period: str
    used_old_versions: bool
    """Whether it read versions of the month that the new run does not use, or lacks one that it does."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A restated month, and the later ones that still stand on an older run of it."""

    period: str
    restated_at: datetime
    later_periods: tuple[str, ...]
    """In the order in which ops can restate them."""


@dataclass(frozen=True, slots=True)
class Restatement:
    """What a restatement did, or would do."""

    period: Period
    run_id: str
    """The run that stands after it."""
    replaced_run_id: str | None
    """The run that stood before; None where the inputs have not changed and that run still stands."""
    input_digest: str
    versions: tuple[ReplacedVersion, ...] = ()
    figures: tuple[RestatedFigure, ...] = ()
    later_runs: tuple[LaterRun, ...] = ()
    """In the order in which ops can restate them next."""

    @property
    def is_new(self) -> bool:
        """Whether there is a new revision."""
        return self.replaced_run_id is not None

    @property
    def digest(self) -> str:
        """SHA-256 of what it changes: what somebody decided on is compared by it with what would be done."""
        return digest_of(asdict(self))

    def words(self) -> str:
        """What became of the month, in one sentence."""
        if not self.is_new:
            return f"{self.period} stays as {self.run_id}: its inputs are the same."
        return f"{self.run_id} takes the place of {self.replaced_run_id}; {len(self.figures)} figures differ."

    def advice(self) -> list[str]:
        """What ops should do next, in sentences: later months stand on the run that was replaced."""
        if not self.later_runs:
            return []
        stand = ", ".join(run.run_id for run in self.later_runs)
        sentences = [f"Computed from {self.replaced_run_id}, and unchanged by this: {stand}."]
        if used := ", ".join(run.run_id for run in self.later_runs if run.used_old_versions):
            sentences.append(f"Of these use versions that are not those of {self.run_id}: {used}.")
        next_ones = ", ".join(run.period for run in self.later_runs)
        return [*sentences, f"To carry it on, restate next, in this order: {next_ones}."]


def restate(
    engine: Engine,
    settings: Settings,
    period: Period,
    reason: str,
    decided_by: str,
    *,
    shown_digest: str | None = None,
    report_progress: Callable[[str], None] | None = None,
) -> Restatement:
    """Compute a month that has a run once more, as a new revision, and list every figure that changed.

    With the inputs of the run that stands, nothing is done.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: A closed month that was assessed.
        reason: Why; everyone may read it.
        decided_by: Who decided so.
        shown_digest: `Restatement.digest` of what was shown to whoever decided; nothing else is done than that.
        report_progress: Told the steps.

    Raises:
        UsageError: there is no reason, or it is too long.
        RefusedError: the month is not closed or was never assessed, or what would change is not what was shown.
        SetupError: a reference file is wrong.
    """
    with engine.begin() as connection:
        restated = _restate(connection, settings, period, reason, decided_by, report_progress)
        if restated.is_new and shown_digest not in (None, restated.digest):
            raise RefusedError(
                f"The inputs of {period} have changed since the restatement was shown, so nothing is done; "
                "start again and look at what would change now."
            )
        return restated


def preview_restatement(
    engine: Engine,
    settings: Settings,
    period: Period,
    reason: str,
    *,
    report_progress: Callable[[str], None] | None = None,
) -> Restatement:
    """What `restate` would do now; nothing is kept.

    Raises:
        UsageError, RefusedError, SetupError: as `restate`.
    """
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            return _restate(connection, settings, period, reason, _NOBODY_YET, report_progress)
        finally:
            transaction.rollback()


def list_left_behind(engine: Engine) -> list[LeftBehind]:
    """Restated months that later ones do not know of yet, the earliest first."""
    with engine.connect() as connection:
        rows = connection.execute(load_statement("restatement/months_left_behind"))
        return [LeftBehind(row.period, row.restated_at, tuple(row.later_periods)) for row in rows]


def months_left_behind(engine: Engine, period: Period) -> tuple[str, ...]:
    """Later months that still stand on an older run of a restated month, in the order in which ops can restate them."""
    return next((each.later_periods for each in list_left_behind(engine) if each.period == str(period)), ())


def open_request(engine: Engine, period: Period, request: str, *, find_open: Callable[[list[str]], int]) -> None:
    """Record that a restatement of the month is asked for; of one month there is one that is open.

    Args:
        engine: Of the warehouse.
        period: The month.
        request: Who asks, e.g. a run of Airflow; asking again as the same one is fine.
        find_open: How many of these requests are still open.

    Raises:
        UsageError: the month has not begun.
        RefusedError: the month is unknown, or another request for it is open.
    """
    period.require_begun()
    with engine.begin() as connection:
        hold(connection, Lock.RESTATEMENT_REQUEST)
        known = text("select 1 from registry.period where period = :period")
        if connection.execute(known, {"period": str(period)}).first() is None:
            raise RefusedError(f"{period} is not closed; run: five-precisions close {period}")
        named = {"period": str(period), "request": request}
        others = list(connection.execute(_OTHER_REQUESTS, named).scalars())
        if others and find_open(others):
            raise RefusedError(f"Another restatement of {period} is open; decide on that one, or end it, first.")
        connection.execute(_SAVE_REQUEST, named)


def _restate(
    connection: Connection,
    settings: Settings,
    period: Period,
    reason: str,
    decided_by: str,
    report_progress: Callable[[str], None] | None,
) -> Restatement:
    report_step = report_progress or (lambda _: None)
    said = reason_of(reason, "A month is restated for a reason")
    lock_runs(connection)
    refuse_out_of_turn(connection, settings, period)
    current = connection.execute(
        text("select run_id, revision, input_digest from mart.current_run where period = :period"),
        {"period": str(period)},
    ).first()
    if current is None:
        raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
    report_step("inputs")
    taken = take_inputs(connection, settings, period, is_restatement=True)
    if taken.digest == current.input_digest:
        return Restatement(period, current.run_id, None, taken.digest)
    run_id = make_run(connection, taken, revision=current.revision + 1, report_step=report_step)
    report_step("what changed")
    connection.execute(
        text("insert into mart.restatement values (:run_id, :replaced_run_id, :reason, :decided_by)"),
        {"run_id": run_id, "replaced_run_id": current.run_id, "reason": said, "decided_by": storable(decided_by)},
    )
    return _read_restatement(connection, taken.period, run_id, current.run_id, taken.digest, taken.parameters["city"])


def _read_restatement(
    connection: Connection, period: Period, run_id: str, replaced_run_id: str, input_digest: str, city: str
) -> Restatement:
    """List what differs between the two runs, and find the months that stand on the older one."""
    named = {"run_id": run_id, "replaced_run_id": replaced_run_id, "period": str(period)}
    run_statement(connection, "restatement/figures", named | {"city": city})
    figures = connection.execute(
        text(
            "select mart, scope, scope_code, figure, before, after from mart.restated_figure "
            "where run_id = :run_id order by mart, scope, scope_code, figure"
        ),
        {"run_id": run_id},
    )
    versions = connection.execute(load_statement("restatement/versions"), named)
    return Restatement(
        period,
        run_id,
        replaced_run_id,
        input_digest,
        versions=tuple(ReplacedVersion(**row) for row in versions.mappings()),
        figures=tuple(RestatedFigure(**row) for row in figures.mappings()),
        later_runs=_find_later_runs(connection, period, run_id),
    )


def _find_later_runs(connection: Connection, period: Period, run_id: str) -> tuple[LaterRun, ...]:
    flows = [code for code, report in load_reports().items() if report.kind is ReportKind.FLOW]
    later = connection.execute(
        load_statement("restatement/later_runs"), {"run_id": run_id, "period": str(period), "flows": flows}
    )
    return tuple(LaterRun(**row) for row in later.mappings())
