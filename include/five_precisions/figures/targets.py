"""The year's targets of the banks (spec/04, Targets)."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

from five_precisions.errors import RefusedError
from five_precisions.figures.inputs import Parameters, bound_of, run_statement
from five_precisions.figures.scheme import load_year_target
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_FIRST_SPLIT = "按上年末到位资金首次分解"


def ensure_targets(connection: Connection, settings: Settings, period: Period, parameters: Parameters) -> None:
    """Make the year's targets where there are none yet, and fill the run's table `target`.

    Raises:
        RefusedError: the city has no target for the year, no funds had arrived at the basis close, or December of
            the year before is not closed.
    """
    made = connection.execute(text("select 1 from mart.target where year = :year limit 1"), {"year": period.year})
    if made.first() is None:
        _split(connection, settings, period, parameters)
    run_statement(connection, "targets/inputs", parameters)


def _split(connection: Connection, settings: Settings, period: Period, parameters: Parameters) -> None:
    city_target = load_year_target(settings, period.year)
    if city_target is None:
        raise RefusedError(
            f"targets.yaml has no target for {period.year}; add the city's number of households to "
            f"{settings.reference_file('targets.yaml')} and assess {period} again."
        )
    basis = _basis_of(connection, period)
    funds = _funds_arrived(connection, basis, period, parameters)
    if not any(funds.values()):
        raise RefusedError(
            f"No guarantee and subsidy funds had arrived at the close of {basis}, so the target of {period.year} "
            "cannot be split: take in guarantee_funds of the county offices, close the month and assess it again."
        )
    connection.execute(
        load_statement("targets/split"),
        {
            "funds": json.dumps([{"code": code, "fund": fund} for code, fund in funds.items()]),
            "households": city_target.households,
            "basis_end": basis.end,
            "year": period.year,
            "revision": 1,
            "from_period": str(Period(period.year, 1)),
            "reason": _FIRST_SPLIT,
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


def _funds_arrived(connection: Connection, basis: Period, period: Period, parameters: Parameters) -> dict[str, str]:
    """Funds that had arrived at the basis close by bank, in 万元, from this run's inputs or the basis month's run."""
    if basis == period:
        source, bound = load_statement("metrics/funds").text, parameters
    else:
        source = "select scope, scope_code, metric, value from mart.current_metric where period = :basis"
        bound = {"basis": str(basis)}
    query = text(
        f"select scope_code, value from ({source}) as figure where scope = 'bank' and metric = 'fund_total_arrived'"
    )
    found = connection.execute(query, bound_of(connection, query, bound))
    return {row.scope_code: str(row.value) for row in found if row.value}
