"""The year's targets of the banks (docs/figures.md#targets)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures.inputs import Parameters, bound_of, fill_table, lock_runs
from five_precisions.figures.metric_sql import figures_of
from five_precisions.figures.scheme import load_year_target
from five_precisions.period import Period
from five_precisions.reference import load_catalogue
from five_precisions.register.decision import reason_of
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_FUNDS = "fund_total_arrived"
"""The metric by which targets are split."""
_FIRST_SPLIT = "按上年末到位资金首次分解"


@dataclass(frozen=True, slots=True)
class Target:
    """A bank's target of a year, in one revision of the split."""

    year: int
    revision: int
    from_period: str
    """The first month for which the revision holds."""
    reason: str
    institution_code: str
    fund: Decimal
    """Funds that had arrived at the basis close, in 万元."""
    quota: Decimal
    households: int


@dataclass(frozen=True, slots=True)
class _Revision:
    """A revision of a year's targets that is to be made."""

    year: int
    number: int
    start: Period
    reason: str


def ensure_targets(connection: Connection, settings: Settings, period: Period, parameters: Parameters) -> None:
    """Make the year's targets where there are none yet, and fill the run's table `target`.

    Raises:
        RefusedError: the city has no target for the year, no funds had arrived at the basis close, or December of
            the year before is not closed.
    """
    made = connection.execute(text("select 1 from mart.target where year = :year limit 1"), {"year": period.year})
    if made.first() is None:
        basis = _basis_of(connection, period)
        funds = (
            _funds_of_inputs(connection, settings, parameters)
            if basis == period
            else _funds_of_close(connection, basis)
        )
        _split(connection, settings, basis, funds, _Revision(period.year, 1, Period(period.year, 1), _FIRST_SPLIT))
    fill_table(connection, "target", "targets/inputs", parameters)


def resplit(engine: Engine, settings: Settings, year: int, start: Period, reason: str) -> tuple[Target, ...]:
    """Split the city's target of the year anew from a month on, as a new revision; announced months keep theirs.

    The city's target is the one that targets.yaml has now. It is split over the banks that were open at the end of the
    newest assessed month, by the funds that had arrived by then.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        year: Whose targets.
        start: The first month for which the new revision holds; none that has a run, nor before one that has.
        reason: Why; it stays on record.

    Returns:
        The new revision, one row per bank.

    Raises:
        UsageError: the month is not one of the year, or there is no reason.
        RefusedError: the year has no targets yet, or the month or a later one has a run. Or the city has no target for
            the year, or no funds had arrived.
    """
    said = reason_of(reason, "Targets are split anew for a reason")
    if start.year != year:
        raise UsageError(f"{start} is not a month of {year}.")
    with engine.begin() as connection:
        lock_runs(connection)
        newest = connection.execute(
            text("select max(revision) from mart.target where year = :year"), {"year": year}
        ).scalar()
        if newest is None:
            raise RefusedError(f"{year} has no targets yet: they are made when its first month is assessed.")
        # There are targets, so there are runs.
        basis = Period.parse(connection.execute(text("select max(period) from mart.run")).scalar_one())
        if start <= basis:
            raise RefusedError(_too_early(start, basis))
        revision = newest + 1
        _split(connection, settings, basis, _funds_of_newest(connection, basis), _Revision(year, revision, start, said))
        return _read_targets(connection, year, revision)


def list_targets(engine: Engine, year: int) -> tuple[Target, ...]:
    """Every revision of the year's targets, oldest first; one row per revision and bank."""
    with engine.connect() as connection:
        return _read_targets(connection, year, None)


def _too_early(start: Period, newest: Period) -> str:
    possible = newest.next()
    if possible.year != start.year:
        return f"Every month of {start.year} up to {newest} has been assessed, and announced months keep their targets."
    return f"{newest} has been assessed, and announced months keep their targets; the first possible is {possible}."


def _read_targets(connection: Connection, year: int, revision: int | None) -> tuple[Target, ...]:
    found = connection.execute(
        text(
            "select year, revision, from_period, reason, institution_code, fund, quota, households from mart.target "
            "where year = :year and revision = coalesce(:revision, revision) order by revision, institution_code"
        ),
        {"year": year, "revision": revision},
    )
    return tuple(Target(**row) for row in found.mappings())


def _split(connection: Connection, settings: Settings, basis: Period, funds: dict[str, str], made: _Revision) -> None:
    """Split the city's target of the year by the funds, in 万元, that had arrived by the end of the basis month."""
    city_target = load_year_target(settings, made.year)
    if city_target is None:
        raise RefusedError(
            f"targets.yaml has no target for {made.year}; add the city's number of households to "
            f"{settings.reference_file('targets.yaml')} and try again."
        )
    if not any(funds.values()):
        raise RefusedError(
            f"No guarantee and subsidy funds had arrived at the close of {basis}, so the target of {made.year} "
            "cannot be split: take in guarantee_funds of the county offices, close the month and assess it again."
        )
    connection.execute(
        load_statement("targets/split"),
        {
            "funds": json.dumps([{"code": code, "fund": fund} for code, fund in funds.items()]),
            "households": city_target.households,
            "basis_end": basis.end,
            "year": made.year,
            "revision": made.number,
            "from_period": str(made.start),
            "reason": made.reason,
        },
    )


def _basis_of(connection: Connection, period: Period) -> Period:
    """The month whose funds are the basis: December before, or the first closed month where records begin this year."""
    december = Period(period.year - 1, 12)
    closed = [
        Period.parse(row.period) for row in connection.execute(text("select period from intake.close order by period"))
    ]
    if december in closed:
        return december
    if closed and closed[0].year == period.year:
        return closed[0]
    raise RefusedError(f"{december} is not closed, so the targets of {period.year} have no basis; close it first.")


def _funds_of_inputs(connection: Connection, settings: Settings, parameters: Parameters) -> dict[str, str]:
    """Funds that had arrived by bank, in 万元, from the inputs of the run that is being made."""
    catalogue = load_catalogue(settings)
    [name] = catalogue.metrics[_FUNDS].sql
    return _funds(connection, figures_of(catalogue, name), parameters)


def _funds_of_close(connection: Connection, basis: Period) -> dict[str, str]:
    """Funds that had arrived by bank, in 万元, as the month's close left them, whatever was restated since.

    Where none had arrived by then, those of the first restatement that has any: else nothing could ever be split.
    """
    runs = connection.execute(
        text("select run_id from mart.run where period = :basis order by revision"), {"basis": str(basis)}
    )
    source = "select scope, scope_code, metric, value from mart.metric where run_id = :run_id"
    found = (_funds(connection, source, {"run_id": run_id}) for run_id in runs.scalars().all())
    return next(filter(None, found), {})


def _funds_of_newest(connection: Connection, basis: Period) -> dict[str, str]:
    """Funds that had arrived by bank, in 万元, as the month's newest run has them."""
    source = "select scope, scope_code, metric, value from mart.current_metric where period = :basis"
    return _funds(connection, source, {"basis": str(basis)})


def _funds(connection: Connection, source: str, parameters: Parameters) -> dict[str, str]:
    query = text(f"select scope_code, value from ({source}) as figure where scope = 'bank' and metric = '{_FUNDS}'")
    found = connection.execute(query, bound_of(connection, query, parameters))
    return {row.scope_code: str(row.value) for row in found if row.value}
