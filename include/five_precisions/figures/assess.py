"""A run: everything that is computed of one closed month, in one transaction.

See docs/figures.md#restatement-and-proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions import __version__
from five_precisions.errors import RefusedError, SetupError
from five_precisions.figures.alerts import cross_rules, follow_inspections, raise_alerts, require_metrics
from five_precisions.figures.assessment import assess_banks
from five_precisions.figures.inputs import (
    OF_HOUSEHOLDS,
    Parameters,
    bound_of,
    digest_inputs,
    digest_of,
    digest_statements,
    fill_table,
    gather_statistics,
    insert_rows,
    load_inputs,
    lock_runs,
    period_parameters,
    run_statement,
    statement_errors,
)
from five_precisions.figures.invariants import check_invariants
from five_precisions.figures.lists import (
    InspectionRules,
    LeadRules,
    draw_lists,
    load_inspection_rules,
    load_lead_rules,
)
from five_precisions.figures.metric_faults import require_sound
from five_precisions.figures.metric_sql import figures_of, require_usable
from five_precisions.figures.own_files_of_run import own_files_of_run
from five_precisions.figures.scheme import Scheme, Scorecard, load_scheme, load_scorecard, load_targets
from five_precisions.figures.targets import ensure_targets
from five_precisions.period import Period
from five_precisions.reference import YEARS, Board, Catalogue, load_boards, load_catalogue, refuse_unnamed_statements
from five_precisions.register import first_month
from five_precisions.settings import INCLUDE, Settings
from five_precisions.warehouse import load_statement

_NOT_READ_BY_A_RUN: Final = frozenset({"hotlines.yaml", "rates.csv", "scheme.yaml", "scorecard.yaml", "targets.yaml"})
"""Files of include/reference that are no input of a run as they lie there.

Of scheme and scorecard the version that holds is one, and the targets once made. The others are the intake's.
"""

_RUNS_OF_YEAR: Final = text(
    "select run_id from mart.run where current and period between :first and :last order by period"
)


@dataclass(frozen=True, slots=True)
class Assessed:
    """The run that stands for a month, and whether this call made it."""

    run_id: str
    period: Period
    input_digest: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run is made of. Its rows lie in the transaction's temporary tables (figures/inputs.py)."""

    period: Period
    parameters: Parameters
    scheme: Scheme
    scorecard: Scorecard
    catalogue: Catalogue
    boards: dict[str, Board]
    inspection: InspectionRules
    leads: LeadRules
    files: dict[str, str]
    """SHA-256 of what stands in files: scheme and scorecard as they hold, statements, reference files."""
    own_files: dict[str, str]
    """SHA-256 of the installation's own files, by their names in include."""
    digest: str
    """SHA-256 over everything that the run depends on."""


def assess(
    engine: Engine, settings: Settings, period: Period, *, report_progress: Callable[[str], None] | None = None
) -> Assessed:
    """Compute a closed month. A month that has a run keeps it: a run never changes, and only `restate` adds one.

    Raises:
        UsageError: the month has not begun.
        RefusedError: the month is not closed, an earlier month is open, or closed and without a run, or targets cannot
            be made.
        SetupError: a reference file is wrong.
    """
    with engine.begin() as connection:
        lock_runs(connection)
        refuse_out_of_turn(connection, settings, period)
        current = connection.execute(
            text("select run_id, input_digest from mart.current_run where period = :period"), {"period": str(period)}
        ).first()
        if current is not None:
            return Assessed(current.run_id, period, current.input_digest, is_new=False)
        report_step = report_progress or (lambda _: None)
        report_step("inputs")
        taken = take_inputs(connection, settings, period)
        run_id = make_run(connection, taken, revision=1, report_step=report_step)
        return Assessed(run_id, period, taken.digest, is_new=True)


def validate_reference(settings: Settings) -> None:
    """Read everything that figures are made by, so that a mistake shows before a month is assessed.

    Raises:
        SetupError: a reference file is missing or wrong; the sentence names the file and the place.
    """
    # Where nobody has said which month is the first, a version that holds some day will do.
    first = settings.first_period or Period(YEARS[-1], 12)
    load_scheme(settings, first)
    load_scorecard(settings, first)
    load_targets(settings)
    catalogue = load_catalogue(settings)
    load_boards(settings, catalogue)
    refuse_unnamed_statements(settings)
    require_metrics(catalogue)
    require_sound(catalogue)
    load_inspection_rules(settings)
    load_lead_rules(settings)


def take_inputs(connection: Connection, settings: Settings, period: Period, *, is_restatement: bool = False) -> Taken:
    """Take what a run of the month is made of into the transaction's temporary tables, and digest it.

    Raises:
        RefusedError: targets cannot be made.
        SetupError: a reference file is wrong.
    """
    scheme, scorecard = load_scheme(settings, period), load_scorecard(settings, period)
    catalogue = load_catalogue(settings)
    require_sound(catalogue)
    boards = load_boards(settings, catalogue)
    inspection, leads = load_inspection_rules(settings), load_lead_rules(settings)
    parameters = period_parameters(connection, period)
    load_inputs(connection, parameters, is_restatement=is_restatement)
    ensure_targets(connection, settings, period, parameters)
    files = {
        "scheme": digest_of(scheme.model_dump()),
        "scorecard": digest_of(scorecard.model_dump()),
        "statements": digest_statements(),
        "cross_rules": digest_of(cross_rules()),
        **_reference_digests(settings),
    }
    own_files = own_files_of_run(settings)
    versions = {f"reference/{name}" for name in _NOT_READ_BY_A_RUN}
    if read_as_they_lie := {name: own_files[name] for name in own_files.keys() - versions}:
        # Where there is none, the digest is what it was before own files were kept.
        files["own_files"] = digest_of(read_as_they_lie)
    digest = digest_inputs(connection, parameters, files)
    return Taken(period, parameters, scheme, scorecard, catalogue, boards, inspection, leads, files, own_files, digest)


def make_run(connection: Connection, taken: Taken, *, revision: int, report_step: Callable[[str], None]) -> str:
    """Compute the run of what was taken, as the month's current one; its id."""
    period, scheme, scorecard, catalogue = taken.period, taken.scheme, taken.scorecard, taken.catalogue
    run_id = f"{period}-r{revision}"
    parameters = taken.parameters | {"run_id": run_id}
    _record_run(connection, taken, run_id, revision)

    report_step("reporting and scores")
    run_statement(connection, "marts/reporting", parameters)
    run_statement(connection, "scores/visit_rounds", parameters | {"round_reached": str(scheme.visit_round_reached)})
    parameters["current_round"] = connection.execute(
        load_statement("scores/current_round"), {"period": str(period)}
    ).scalar_one()
    for table in OF_HOUSEHOLDS:
        insert_rows(connection, table, f"scores/{table}s", parameters)
    scoring = parameters | _scorecard_parameters(scorecard)
    fill_table(connection, "mart.household_score", "scores/households", scoring)

    report_step("metrics")
    _compute_metrics(connection, catalogue, parameters)

    report_step("alerts")
    raise_alerts(connection, parameters)
    follow_inspections(connection, parameters)

    report_step("assessment and rankings")
    year = {"first": parameters["year_first_period"], "last": parameters["period"]}
    parameters["runs_of_year"] = list(connection.execute(_RUNS_OF_YEAR, year).scalars())
    assess_banks(connection, scheme, taken.boards, parameters)

    report_step("lists")
    draw_lists(connection, taken.inspection, taken.leads, parameters)

    report_step("invariants")
    check_invariants(connection, catalogue, scheme, scorecard, parameters)
    return run_id


def refuse_out_of_turn(connection: Connection, settings: Settings, period: Period) -> None:
    """Refuse a month that is not closed, or before which a month of the records is open, or closed and without a run.

    The closes stay as they are until the caller's transaction ends.

    Raises:
        UsageError: the month has not begun.
        RefusedError: so it is.
    """
    period.require_begun()
    closed = connection.execute(load_statement("runs/closed_months"), {"period": str(period)}).all()
    if not closed or closed[-1].period != str(period):
        raise RefusedError(f"{period} is not closed; run: five-precisions close {period}")
    waiting = [row.period for row in closed[:-1] if row.run_id is None]
    if waiting:
        raise RefusedError(
            f"{waiting[0]} is closed and has no figures yet; run: five-precisions assess {waiting[0]}; or, if it was "
            f"closed by mistake: five-precisions reopen {waiting[0]} --reason TEXT"
        )
    first = first_month(connection, settings)
    open_month = connection.execute(
        load_statement("runs/open_month"), {"period": str(period), "first": str(first or "")}
    ).scalar()
    if open_month is not None:
        raise RefusedError(
            f"{open_month} is open, and the figures of {period} build on it; run: five-precisions close {open_month}"
        )


def _record_run(connection: Connection, taken: Taken, run_id: str, revision: int) -> None:
    connection.execute(
        text("update mart.run set current = false where period = :period and current"), {"period": str(taken.period)}
    )
    connection.execute(
        load_statement("runs/record"),
        {
            "run_id": run_id,
            "period": str(taken.period),
            "revision": revision,
            "input_digest": taken.digest,
            "scheme_version": taken.scheme.version,
            "scheme_digest": taken.files["scheme"],
            "scorecard_version": taken.scorecard.version,
            "scorecard_digest": taken.files["scorecard"],
            "code_version": __version__,
            "statements_digest": taken.files["statements"],
        },
    )
    connection.execute(
        text(
            "insert into mart.run_input select :run_id, period, institution_code, report, submission_id "
            "from run_version order by period, institution_code, report"
        ),
        {"run_id": run_id},
    )
    if taken.own_files:
        connection.execute(
            text("insert into mart.run_own_file (run_id, name, sha256) values (:run_id, :name, :sha256)"),
            [{"run_id": run_id, "name": name, "sha256": sha256} for name, sha256 in sorted(taken.own_files.items())],
        )
    for name in ("run_institution", "run_division"):
        run_statement(connection, f"marts/{name}", {"run_id": run_id})


def _compute_metrics(connection: Connection, catalogue: Catalogue, parameters: Parameters) -> None:
    """Run the catalogue's statements and hold what they yield against the catalogue."""
    for name in catalogue.statements:
        statement = text(
            "insert into mart.metric select :run_id, :period, figure.scope, figure.scope_code, figure.metric, "
            "trim_scale(cast(figure.value as numeric)), trim_scale(cast(figure.numerator as numeric)), "
            f"trim_scale(cast(figure.denominator as numeric)) from (\n{figures_of(catalogue, name)}\n) as figure "
            "order by figure.metric, figure.scope, figure.scope_code"
        )
        try:
            with connection.begin_nested(), statement_errors(name):
                connection.execute(statement, bound_of(connection, statement, parameters))
        except SetupError:
            require_usable(connection, catalogue, name, parameters)
            raise
    gather_statistics(connection, "mart.metric")
    yielded = connection.execute(
        text("select distinct metric, scope from mart.metric where run_id = :run_id"), {"run_id": parameters["run_id"]}
    )
    declared = {(code, scope.value) for code, metric in catalogue.metrics.items() for scope in metric.scopes}
    if undeclared := sorted({(row.metric, row.scope) for row in yielded} - declared):
        listed = ", ".join(f"{metric} for {scope}" for metric, scope in undeclared)
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
        for name in sorted(path.name for path in (INCLUDE / "reference").glob("*.*"))
        if name not in _NOT_READ_BY_A_RUN
    }
