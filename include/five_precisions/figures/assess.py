"""A run: everything that is computed of one closed month, in one transaction (spec/04, Restatement and proof)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from five_precisions import __version__
from five_precisions.errors import RefusedError, SetupError
from five_precisions.figures.alerts import raise_alerts
from five_precisions.figures.assessment import assess_banks
from five_precisions.figures.inputs import (
    Parameters,
    bound_of,
    digest_inputs,
    load_inputs,
    period_parameters,
    run_statement,
)
from five_precisions.figures.invariants import check_invariants
from five_precisions.figures.lists import LIST_FILES, draw_lists
from five_precisions.figures.scheme import Scheme, Scorecard, load_scheme, load_scorecard
from five_precisions.figures.targets import ensure_targets
from five_precisions.period import Period
from five_precisions.reference import Catalogue, load_catalogue
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_RUN_LOCK = 5_201_901
"""Key of the advisory lock under which one run at a time is made: a month builds on the months before."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """The run that stands for a month, and whether this call made it."""

    run_id: str
    period: Period
    input_digest: str
    is_new: bool


def assess(
    engine: Engine, settings: Settings, period: Period, *, report_progress: Callable[[str], None] | None = None
) -> Assessed:
    """Compute a closed month. A month that has a run keeps it: a run never changes, and only `restate` adds one.

    Raises:
        RefusedError: the month is not closed, an earlier closed month has no run, or targets cannot be made.
        SetupError: a reference file is wrong.
    """
    tell = report_progress or (lambda _: None)
    scheme, scorecard = load_scheme(settings, period), load_scorecard(settings, period)
    catalogue = load_catalogue(settings)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _RUN_LOCK})
        _refuse_out_of_turn(connection, period)
        standing = connection.execute(
            text("select run_id, input_digest from mart.current_run where period = :period"), {"period": str(period)}
        ).first()
        if standing is not None:
            return Assessed(standing.run_id, period, standing.input_digest, is_new=False)

        tell("inputs")
        parameters = period_parameters(connection, period)
        load_inputs(connection, parameters)
        ensure_targets(connection, settings, period, parameters)
        digest = digest_inputs(connection, _reference_digests(settings))
        parameters["run_id"] = f"{period}-r1"
        _record_run(connection, parameters, digest, scheme, scorecard)

        tell("reporting and scores")
        run_statement(connection, "marts/reporting", parameters)
        run_statement(
            connection, "scores/visit_rounds", parameters | {"round_reached": str(scheme.visit_round_reached)}
        )
        parameters["current_round"] = connection.execute(
            load_statement("scores/current_round"), {"period": str(period)}
        ).scalar_one()
        run_statement(connection, "scores/households", parameters | _scorecard_parameters(scorecard))

        tell("metrics")
        _compute_metrics(connection, catalogue, parameters)

        tell("alerts")
        raise_alerts(connection, parameters)

        tell("assessment and rankings")
        assess_banks(connection, settings, scheme, parameters)

        tell("lists")
        draw_lists(connection, settings, parameters)

        tell("invariants")
        check_invariants(connection, catalogue, parameters)
        return Assessed(parameters["run_id"], period, digest, is_new=True)


def _refuse_out_of_turn(connection: Connection, period: Period) -> None:
    closed = connection.execute(
        text(
            "select close.period, run.run_id from intake.close "
            "left join mart.current_run as run on close.period = run.period "
            "where close.period <= :period order by close.period"
        ),
        {"period": str(period)},
    ).all()
    if not closed or closed[-1].period != str(period):
        raise RefusedError(f"{period} is not closed; run: five-precisions close {period}")
    waiting = [row.period for row in closed[:-1] if row.run_id is None]
    if waiting:
        raise RefusedError(f"{waiting[0]} is closed and has no figures yet; run: five-precisions assess {waiting[0]}")


def _record_run(
    connection: Connection, parameters: Parameters, digest: str, scheme: Scheme, scorecard: Scorecard
) -> None:
    connection.execute(
        text(
            "insert into mart.run values (:run_id, :period, 1, clock_timestamp(), :digest, :scheme, :scorecard, "
            ":code, true)"
        ),
        {
            "run_id": parameters["run_id"],
            "period": parameters["period"],
            "digest": digest,
            "scheme": scheme.version,
            "scorecard": scorecard.version,
            "code": __version__,
        },
    )
    connection.execute(
        text(
            "insert into mart.run_input select :run_id, period, institution_code, report, submission_id "
            "from run_version order by period, institution_code, report"
        ),
        {"run_id": parameters["run_id"]},
    )


def _compute_metrics(connection: Connection, catalogue: Catalogue, parameters: Parameters) -> None:
    """Run the catalogue's statements and hold what they yield against the catalogue."""
    for name in catalogue.statements:
        statement = text(
            "insert into mart.metric select :run_id, :period, figure.scope, figure.scope_code, figure.metric, "
            "trim_scale(cast(figure.value as numeric)), trim_scale(cast(figure.numerator as numeric)), "
            f"trim_scale(cast(figure.denominator as numeric)) from (\n{load_statement(name).text}\n) as figure "
            "order by figure.metric, figure.scope, figure.scope_code"
        )
        connection.execute(statement, bound_of(connection, statement, parameters))
    yielded = connection.execute(
        text("select distinct metric, scope from mart.metric where run_id = :run_id"), {"run_id": parameters["run_id"]}
    )
    declared = {(code, scope.value) for code, metric in catalogue.metrics.items() for scope in metric.scopes}
    if stray := sorted({(row.metric, row.scope) for row in yielded} - declared):
        listed = ", ".join(f"{metric} for {scope}" for metric, scope in stray)
        raise SetupError(f"The statements yield what metrics.yaml does not declare: {listed}.")


def _scorecard_parameters(scorecard: Scorecard) -> Parameters:
    items = scorecard.items
    return {
        **{
            name: json.dumps([band.model_dump(mode="json") for band in getattr(items, name)])
            for name in ("workers", "income_per_head", "debts_to_income")
        },
        "has_business": items.has_business,
        "trained": items.trained,
        "conduct_factor": items.conduct.factor,
        "conduct_without": items.conduct.without,
        "tiers": json.dumps([tier.model_dump(mode="json") for tier in scorecard.tiers]),
    }


def _reference_digests(settings: Settings) -> dict[str, str]:
    return {
        name: hashlib.sha256(settings.reference_file(name).read_bytes()).hexdigest()
        for name in ("boards.yaml", "metrics.yaml", "scheme.yaml", "scorecard.yaml", *LIST_FILES)
    }
