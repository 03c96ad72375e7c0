"""The trial of a scheme: how the banks of a month would stand by another one (docs/figures.md#trial).

The banks are judged once more by the statements of the assessment, in temporary tables. The server refuses whatever
would change another table, and the transaction is rolled back: nothing is kept, and no run is kept waiting.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError
from five_precisions.figures.assessment import judge_banks, make_scenarios, reports_judged_by
from five_precisions.figures.inputs import Parameters, digest_of, load_inputs_of_run, period_parameters
from five_precisions.figures.scheme import Scheme, load_scheme
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.time_limit import ended_after

MOST_SECONDS: Final = 30
"""What a statement of a trial may take: somebody waits for the page."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bank stands by a scheme; all None where it is unranked."""

    score: Decimal | None
    deductions: Decimal | None
    grade: str | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class JudgedIndicator:
    """What a bank gets in an indicator by a scheme; points go from 0 to 1 and are None where it is not assessed."""

    weight: Decimal | None
    """None where the scheme does not weigh the indicator."""
    raw: Decimal | None
    """The indicator's percentage."""
    points: Decimal | None


@dataclass(frozen=True, slots=True)
class TriedIndicator:
    """An indicator of a bank, as the run has it and as it would be."""

    indicator: str
    name: str
    before: JudgedIndicator
    after: JudgedIndicator


@dataclass(frozen=True, slots=True)
class TriedBank:
    """A bank of the run, as it stands and as it would stand."""

    code: str
    short_name: str
    status: str
    """ranked or unranked; no scheme changes that."""
    reason: str | None
    """Why it is unranked."""
    previous_rank: int | None
    """Of the month before, as the run has it."""
    before: Standing
    after: Standing
    indicators: tuple[TriedIndicator, ...]
    """In the order of the tried scheme; none where it is unranked."""

    @property
    def movement(self) -> int | None:
        """Places won by the change, below 0 where it loses some; None where it is unranked."""
        if self.before.rank is None or self.after.rank is None:
            return None
        return self.before.rank - self.after.rank


@dataclass(frozen=True, slots=True)
class TriedVisitRound:
    """A round of visits of the run. Once reached, it is later months that ask for the next one."""

    round: int
    visited: int
    households_able: int
    reached_before: bool
    reached_after: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What a month's assessment would be by another scheme; `before` is what the run that stands says."""

    period: Period
    run_id: str
    held: Scheme
    """The scheme that holds for the month, as its file says now."""
    is_of_run: bool
    """Whether the run was made by `held`; not so where the file was changed since."""
    tried: Scheme
    banks: tuple[TriedBank, ...]
    """By the rank that they would have; those without a rank last."""
    visit_rounds: tuple[TriedVisitRound, ...]


def try_scheme(
    engine: Engine, settings: Settings, period: Period, scheme: Scheme, *, most_seconds: float = MOST_SECONDS
) -> Trial:
    """Judge the banks of a month's run by another scheme; nothing is kept.

    The inputs are those of the run that stands, with the runs of earlier months that it was made from. By its own
    scheme it gives the run's own figures.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: A month that was assessed.
        scheme: What is tried.
        most_seconds: A statement that takes longer is ended.

    Raises:
        RefusedError: the month has not been assessed, or the trial takes too long.
        SetupError: a reference file is wrong, or the statement of an indicator does not run.
    """
    held = load_scheme(settings, period)
    too_slow = RefusedError(
        f"The trial for {period} was ended: a statement took longer than {most_seconds:g} s. "
        "Try again when the warehouse has less to do."
    )
    # Left without a commit. All of it reads the warehouse as it is at the beginning, also while a run is made.
    with (
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        ended_after(connection, most_seconds, too_slow),
    ):
        return _try(connection, period, held, scheme)


def _try(connection: Connection, period: Period, held: Scheme, scheme: Scheme) -> Trial:
    run = connection.execute(
        text("select run_id, scheme_digest from mart.current_run where period = :period"), {"period": str(period)}
    ).first()
    if run is None:
        raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
    parameters = _parameters_of_run(connection, period, run.run_id)
    load_inputs_of_run(connection, parameters, run.run_id, reports_judged_by(scheme))
    make_scenarios(connection)
    # From here on the server itself refuses to write into any but the temporary tables.
    connection.execute(text("set transaction read only"))
    judge_banks(connection, scheme, parameters)
    rounds = connection.execute(
        load_statement("trial/visit_rounds"),
        {
            "run_id": run.run_id,
            "earlier_runs": parameters["earlier_runs"],
            "round_reached": str(scheme.visit_round_reached),
        },
    )
    return Trial(
        period=period,
        run_id=run.run_id,
        held=held,
        is_of_run=run.scheme_digest == digest_of(held.model_dump()),
        tried=scheme,
        banks=_read_banks(connection, run.run_id, scheme),
        visit_rounds=tuple(TriedVisitRound(**row) for row in rounds.mappings()),
    )


def _parameters_of_run(connection: Connection, period: Period, run_id: str) -> Parameters:
    """What the statements of the assessment bind, as it was when the run was made."""
    parameters = period_parameters(connection, period) | {"run_id": run_id}
    earlier = connection.execute(load_statement("trial/earlier_runs"), {"run_id": run_id}).all()
    current_round = connection.execute(load_statement("evidence/current_round"), {"run_id": run_id}).scalar_one()
    of_year = [run.run_id for run in earlier if run.period >= parameters["year_first_period"]]
    return parameters | {
        "current_round": current_round,
        "earlier_runs": [run.run_id for run in earlier],
        "runs_of_year": [*of_year, run_id],
    }


def _read_banks(connection: Connection, run_id: str, scheme: Scheme) -> tuple[TriedBank, ...]:
    indicators = _read_indicators(connection, run_id, scheme)
    return tuple(
        TriedBank(
            code=row.code,
            short_name=row.short_name,
            status=row.status,
            reason=row.reason,
            previous_rank=row.previous_rank,
            before=Standing(row.score_before, row.deductions_before, row.grade_before, row.rank_before),
            after=Standing(row.score_after, row.deductions_after, row.grade_after, row.rank_after),
            indicators=indicators.get(row.code, ()),
        )
        for row in connection.execute(load_statement("trial/banks"), {"run_id": run_id})
    )


def _read_indicators(connection: Connection, run_id: str, scheme: Scheme) -> dict[str, tuple[TriedIndicator, ...]]:
    """By bank, in the order of the scheme; what it does not weigh comes last."""
    declared = load_indicators()
    order = {indicator: place for place, indicator in enumerate(scheme.weights)}
    rows = connection.execute(load_statement("trial/items"), {"run_id": run_id}).all()
    found: defaultdict[str, list[TriedIndicator]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: order.get(row.indicator, len(order))):
        found[row.code].append(
            TriedIndicator(
                indicator=row.indicator,
                name=declared[row.indicator].name,
                before=JudgedIndicator(row.weight_before, row.raw_before, row.points_before),
                after=JudgedIndicator(scheme.weights.get(row.indicator), row.raw_after, row.points_after),
            )
        )
    return {code: tuple(indicators) for code, indicators in found.items()}
