"""Lists that people work from: households to see, projects to take up, outlets to inspect, the league.

See docs/figures.md.

`draw_lists` writes those of a run; the functions that read give those of a month's newest run, in the order in which
they are worked through.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine, RowMapping, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures.alerts import AlertLevel
from five_precisions.figures.inputs import Parameters, bound_of, gather_statistics, run_statement
from five_precisions.figures.scheme import NotNegative
from five_precisions.period import Period
from five_precisions.reference import ReferenceModel, load_reference
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_TABLES: Final = (
    "mart.household_lead",
    "mart.open_project",
    "mart.project_fit",
    "alerted_loan",
    "mart.inspection_outlet",
    "mart.inspection_sample",
    "mart.league_reconciliation",
)
"""What the lists are drawn into, each by the statement of its name, in this order."""
_READ_BY_OTHERS: Final = frozenset({"mart.open_project", "alerted_loan", "mart.inspection_outlet"})
"""Those that a later list is drawn from."""

Count = Annotated[int, Field(gt=0, le=100_000, strict=True)]


class _Weights(ReferenceModel):
    """Weights of shares; one of them at least counts."""

    @model_validator(mode="after")
    def _weigh_something(self) -> Self:
        if not any(weight > 0 for _, weight in self):
            raise ValueError("all weights are 0, one must be more")
        return self


class RiskWeights(_Weights):
    """What the parts of an outlet's risk weigh."""

    alerts: NotNegative
    balance: NotNegative
    time: NotNegative


class Sample(ReferenceModel):
    """How many loans are drawn in each outlet."""

    loans: Count


class InspectionRules(ReferenceModel):
    """How outlets are ranked for the next on-site inspection, and what is drawn in each (inspection.yaml)."""

    levels: dict[AlertLevel, NotNegative]
    risk: RiskWeights
    full_after_days: Count
    sample: Sample

    @model_validator(mode="after")
    def _weighs_every_level(self) -> Self:
        if missing := [level for level in AlertLevel if level not in self.levels]:
            raise ValueError(f"levels: no weight for {', '.join(missing)}")
        if not self.levels[AlertLevel.HIGH] >= self.levels[AlertLevel.MEDIUM] >= self.levels[AlertLevel.LOW]:
            raise ValueError("levels: a graver level must not weigh less than a lighter one")
        return self


class VisitRules(ReferenceModel):
    """From which credit limit of its tier on, in yuan, a household is scored high."""

    high_from_limit: Annotated[NotNegative, Field(gt=0)]


class FitWeights(_Weights):
    """What the parts of a bank's fit to a project weigh."""

    industry: NotNegative
    county: NotNegative
    relending: NotNegative


class MatchingRules(ReferenceModel):
    """How many banks are named for each project, and how they are chosen."""

    banks: Count
    fit: FitWeights


class LeadRules(ReferenceModel):
    """What makes a household or a project a lead for a bank (leads.yaml)."""

    visits: VisitRules
    matching: MatchingRules


def load_inspection_rules(settings: Settings) -> InspectionRules:
    """The rules of the inspection list.

    Raises:
        SetupError: the file is wrong; the sentence names the place.
    """
    return load_reference(settings, "inspection.yaml", InspectionRules.model_validate)


def load_lead_rules(settings: Settings) -> LeadRules:
    """The rules of the lists of households and projects.

    Raises:
        SetupError: the file is wrong; the sentence names the place.
    """
    return load_reference(settings, "leads.yaml", LeadRules.model_validate)


def draw_lists(connection: Connection, inspection: InspectionRules, leads: LeadRules, parameters: Parameters) -> None:
    """Write the run's lists, from its inputs, scores and alerts."""
    drawing = parameters | {
        "high_from_limit": leads.visits.high_from_limit,
        "banks": leads.matching.banks,
        **{f"{part}_weight": weight for part, weight in (*leads.matching.fit, *inspection.risk)},
        "levels": json.dumps([{"level": level, "weight": str(weight)} for level, weight in inspection.levels.items()]),
        "full_after_days": inspection.full_after_days,
        "sample_loans": inspection.sample.loans,
    }
    connection.exec_driver_sql(
        "create temporary table alerted_loan (code text, contract_no text, case_id text, rule text, weight numeric, "
        "town_code text) on commit drop"
    )
    for table in _TABLES:
        run_statement(connection, f"lists/{table.removeprefix('mart.')}", drawing)
        if table in _READ_BY_OTHERS:
            gather_statistics(connection, table)


@dataclass(frozen=True, slots=True)
class HouseholdLead:
    """A household able to work that its bank should see; amounts in yuan, the head's name masked."""

    bank_code: str
    bank: str
    town_code: str
    town: str
    place: int
    household_no: str
    village: str
    head_name: str
    not_visited: bool
    wants_loan: bool
    scored_high: bool
    last_visited_on: date | None
    wanted_amount: Decimal | None
    score: Decimal
    tier: str
    credit_limit: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class ProjectLead:
    """A project that nobody has taken up, beside one bank that may; without a bank where none does. In 万元.

    `place` is the bank's among those that fit best; None where the project is in its list because it was offered to it
    and not answered.
    """

    county_code: str
    project_no: str
    name: str
    town_code: str
    town: str
    industry: str
    operator: str
    demand: Decimal
    entered_on: date
    bank_code: str | None
    bank: str | None
    place: int | None
    fit: Decimal | None
    offered: bool | None
    answer: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SampledLoan:
    """A loan drawn for the inspection of an outlet, `risk` or `random`; balance in yuan."""

    place: int
    contract_no: str
    household_no: str | None
    drawn: str
    draw: str | None
    balance: Decimal
    overdue_days: int
    risk_class: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet (bank and town) in the order of the next on-site inspection; balance in 万元."""

    place: int
    bank_code: str
    bank: str
    town_code: str
    town: str
    outlet_name: str | None
    risk: Decimal
    weight: Decimal
    open_alerts: int
    shared_alerts: int
    balance: Decimal | None
    last_inspected_on: date | None
    seed: str
    reason: str
    sample: tuple[SampledLoan, ...]


@dataclass(frozen=True, slots=True)
class LeagueFigure:
    """A figure of the own row of the league beside the computed one; amounts in 万元."""

    figure: str
    computed: Decimal | None
    reported: Decimal | None
    difference: Decimal | None


def read_visit_list(
    engine: Engine, period: Period, *, institution: str | None = None, town: str | None = None
) -> list[HouseholdLead]:
    """The households to see, by bank and town.

    Raises:
        UsageError: there is no such bank or town.
        RefusedError: the month has not been assessed.
    """
    rows = _read(
        engine,
        period,
        "worklists/visits",
        institution,
        town,
    )
    return [HouseholdLead(**row) for row in rows]


def read_matching_list(
    engine: Engine, period: Period, *, institution: str | None = None, town: str | None = None
) -> list[ProjectLead]:
    """The projects that nobody has taken up with the banks that fit them best; of one bank, its own list.

    Raises:
        UsageError: there is no such bank or town.
        RefusedError: the month has not been assessed.
    """
    rows = _read(
        engine,
        period,
        "worklists/matching",
        institution,
        town,
    )
    return [ProjectLead(**row) for row in rows]


def read_inspection_list(
    engine: Engine, period: Period, *, institution: str | None = None, town: str | None = None
) -> list[Outlet]:
    """The outlets in the order of the next inspection, each with its sample of loans.

    Raises:
        UsageError: there is no such bank or town.
        RefusedError: the month has not been assessed.
    """
    # Both are of one run: what is drawn stands beside what it was drawn from, also while a restatement is under way.
    rows = _read(
        engine,
        period,
        "worklists/inspections",
        institution,
        town,
    )
    drawn: defaultdict[int, list[SampledLoan]] = defaultdict(list)
    for row in rows:
        if row["contract_no"] is not None:
            drawn[row["place"]].append(_sampled(row))
    outlets = {row["place"]: row for row in rows}
    own = [name for name in Outlet.__dataclass_fields__ if name != "sample"]
    return [Outlet(**{name: row[name] for name in own}, sample=tuple(drawn[place])) for place, row in outlets.items()]


def _sampled(row: RowMapping) -> SampledLoan:
    return SampledLoan(
        place=row["loan_place"],
        contract_no=row["contract_no"],
        household_no=row["household_no"],
        drawn=row["drawn"],
        draw=row["draw"],
        balance=row["loan_balance"],
        overdue_days=row["overdue_days"],
        risk_class=row["risk_class"],
        reason=row["loan_reason"],
    )


def read_league(engine: Engine, period: Period) -> list[LeagueFigure]:
    """The own row of the league beside the computed figures; nothing where the league is missing.

    Raises:
        RefusedError: the month has not been assessed.
    """
    rows = _read(
        engine,
        period,
        "worklists/league",
    )
    return [LeagueFigure(**row) for row in rows]


def _read(
    engine: Engine, period: Period, name: str, institution: str | None = None, town: str | None = None
) -> list[RowMapping]:
    with engine.connect() as connection:
        run_id = connection.execute(
            text("select run_id from mart.current_run where period = :period"), {"period": str(period)}
        ).scalar()
        if run_id is None:
            raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
        _require(connection, "registry.institution", institution, "kind = 'bank'", "bank")
        _require(connection, "registry.division", town, "level = 'town'", "town")
        asked = {"run_id": run_id, "institution": institution, "town": town}
        statement = load_statement(name)
        return list(connection.execute(statement, bound_of(connection, statement, asked)).mappings())


def _require(connection: Connection, table: str, code: str | None, condition: str, word: str) -> None:
    if code is None:
        return
    known = connection.execute(text(f"select 1 from {table} where code = :code and {condition}"), {"code": code})
    if known.first() is None:
        raise UsageError(f"There is no {word} {code!r} in the register.")
