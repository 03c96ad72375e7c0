"""Where a figure comes from (spec/04, Restatement and proof)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import Period
from five_precisions.reference import Scope, load_catalogue
from five_precisions.settings import Settings


@dataclass(frozen=True, slots=True)
class Explanation:
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
    input_digest: str
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None


def explain(
    engine: Engine, settings: Settings, metric: str, *, scope: str, code: str | None, period: Period
) -> Explanation:
    """The figure of the month's current run. `code` may be left out for the city.

    Raises:
        UsageError: there is no such metric, scope or subject.
        RefusedError: the month has not been assessed.
    """
    declared = load_catalogue(settings).find(metric)
    if scope not in declared.scopes:
        raise UsageError(f"{metric} holds for {', '.join(declared.scopes)}, not for {scope!r}.")
    with engine.connect() as connection:
        run = connection.execute(
            text("select run_id, input_digest from mart.current_run where period = :period"), {"period": str(period)}
        ).first()
        if run is None:
            raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
        subject = connection.execute(
            text(
                "select code, name from registry.division where level = :scope and (code = :code or level = 'city') "
                "union all "
                "select code, short_name from registry.institution where kind = :scope and code = :code"
            ),
            {"scope": scope, "code": code},
        ).first()
        if subject is None or (code is not None and subject.code != code):
            raise UsageError(f"There is no {scope} {code!r} in the register.")
        figure = connection.execute(
            text(
                "select value, numerator, denominator from mart.metric "
                "where run_id = :run_id and metric = :metric and scope = :scope and scope_code = :code"
            ),
            {"run_id": run.run_id, "metric": metric, "scope": scope, "code": subject.code},
        ).first()
    value, numerator, denominator = (None, None, None) if figure is None else figure
    return Explanation(
        metric=metric,
        name=declared.name,
        unit=declared.unit,
        formula=declared.formula,
        scope=Scope(scope),
        code=subject.code,
        subject=subject.name,
        period=period,
        run_id=run.run_id,
        input_digest=run.input_digest,
        value=value,
        numerator=numerator,
        denominator=denominator,
    )
