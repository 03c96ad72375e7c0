"""The results of an assessed month, read from the warehouse: what the bulletin and the notices report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from five_precisions.bulletin.document import Figure, Source
from five_precisions.display import Form, form_of
from five_precisions.errors import RefusedError
from five_precisions.period import Period
from five_precisions.reference import Catalogue, load_catalogue, load_indicators
from five_precisions.register import InstitutionKind
from five_precisions.settings import Settings
from five_precisions.warehouse.statements import load_statement


@dataclass(frozen=True, slots=True)
class Run:
    """The newest run of a month."""

    run_id: str
    period: str
    revision: int
    closed_at: datetime
    input_digest: str
    scheme_version: str
    scorecard_version: str
    code_version: str


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution; one closed by the end of the month keeps its name, and is neither ranked nor written to."""

    code: str
    name: str
    short_name: str
    kind: InstitutionKind
    division_code: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Division:
    """The city, or a county."""

    code: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Where a bank stands in a month; an unranked one has a reason and nothing else."""

    period: str
    institution_code: str
    score: Decimal | None
    deductions: Decimal | None
    grade: str | None
    rank: int | None
    previous_rank: int | None
    reason: str | None
    previous_score: Decimal | None = None

    @property
    def movement(self) -> int | None:
        """Places won since the month before; negative = lost; None where one of both months has no rank."""
        return None if self.rank is None or self.previous_rank is None else self.previous_rank - self.rank


@dataclass(frozen=True, slots=True)
class Item:
    """An indicator of a bank's score; `points` from 0 to 1, None where it is not assessed."""

    institution_code: str
    indicator: str
    weight: Decimal
    raw: Decimal | None
    points: Decimal | None
    note: str


@dataclass(frozen=True, slots=True)
class PaceFigures:
    """What a bank's pace comes to; None where its ledger is missing."""

    institution_code: str
    needed_per_month: Decimal | None
    """Households a month for the rest of the year, exact; None in December too."""
    forecast: Decimal | None
    """Households by the end of the year at the pace so far, exact."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What one step better in one indicator would give a bank, all else unchanged (docs/figures.md#assessment)."""

    institution_code: str
    indicator: str
    score_before: Decimal
    score_after: Decimal
    grade_before: str
    grade_after: str
    rank_before: int
    rank_after: int
    action: str
    """What to do and how the indicator moves by it."""
    sentence: str
    """All of it."""

    @property
    def places_won(self) -> int:
        """By how many places the bank would stand better."""
        return self.rank_before - self.rank_after


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """A subject's place on a board."""

    board: str
    subject_code: str
    subject_name: str
    value: Decimal
    rank: int
    previous_rank: int | None


@dataclass(frozen=True, slots=True)
class Reporting:
    """How an institution reported one owed report in a month."""

    period: str
    institution_code: str
    report: str
    status: str
    version: int | None
    on_time: bool
    first_pass: bool
    errors: int
    warnings: int

    @property
    def is_received(self) -> bool:
        """Whether it counts as received (docs/figures.md#reporting)."""
        return self.status in ("accepted", "nil")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that stands in the month."""

    rule: str
    aspect: str
    level: str
    institution_code: str
    subject: str
    detail: str
    case_id: str
    since: str
    """The month since which it has stood without a break."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A finding of an on-site inspection, as the month knows it."""

    finding_no: str
    institution_code: str
    aspect: str
    severity: str
    inspected_on: date
    due_on: date
    mended_on: date | None

    def is_overdue(self, day: date) -> bool:
        """Whether it should have been mended before that day and was not (docs/figures.md#assessment, deductions)."""
        return self.mended_on is None and self.due_on < day


@dataclass(frozen=True, slots=True)
class Grid:
    """A bank's outlets in the grid of responsibility, and those whose letters are all signed."""

    institution_code: str
    outlets: int
    signed: int


@dataclass(frozen=True, kw_only=True)
class Results:
    """An assessed month, and the months from `first` on that it is compared with."""

    month: Period
    first: Period
    runs: Mapping[str, Run]
    """By period."""
    catalogue: Catalogue
    city: Division
    counties: Sequence[Division]
    institutions: Mapping[str, Institution]
    """Open ones by code."""
    names: Mapping[str, str]
    """Short names of all institutions, closed ones too, by code."""
    values: Mapping[Source, Decimal]
    restated: Collection[Source]
    """Figures that an earlier revision of their month had otherwise."""
    assessments: Mapping[str, Mapping[str, Assessment]]
    """By period, then bank; ranked ones first, best first."""
    items: Mapping[str, Mapping[str, Item]]
    """Of the month, by bank, then indicator."""
    boards: Mapping[str, Sequence[BoardPlace]]
    targets: Mapping[str, int]
    """Households that each bank is to lend to in the year."""
    paces: Mapping[str, PaceFigures] = field(default_factory=dict)
    """Of the month, by bank; of those with a target above 0."""
    next_steps: Mapping[str, Sequence[NextStep]] = field(default_factory=dict)
    """Of the month, by ranked bank, the most rewarding first."""
    reporting: Sequence[Reporting]
    alerts: Sequence[Alert]
    inspections: Sequence[Inspection]
    grids: Sequence[Grid]
    visit_round: int
    """The round of visits that was under way."""

    @property
    def run(self) -> Run:
        """The run of the month."""
        return self.runs[str(self.month)]

    @property
    def banks(self) -> list[Institution]:
        """Banks open at the end of the month, by code."""
        return [each for each in self.institutions.values() if each.kind is InstitutionKind.BANK]

    @property
    def assessed(self) -> list[Assessment]:
        """The month's assessments: ranked banks from the best on, then the unranked."""
        return list(self.assessments[str(self.month)].values())

    @property
    def indicators(self) -> dict[str, str]:
        """Names of the indicators by which the month's banks are assessed; where none is, of those that count in it."""
        weighed = {indicator for items in self.items.values() for indicator in items}
        return {
            code: indicator.name
            for code, indicator in load_indicators().items()
            if (code in weighed if weighed else indicator.counts_in(self.month))
        }

    def name(self, institution_code: str) -> str:
        """An institution's short name."""
        return self.names[institution_code]

    def county_of(self, office: Institution) -> Division:
        """The county of a county office.

        Raises:
            RefusedError: the register has it in no county.
        """
        for county in self.counties:
            if county.code == office.division_code:
                return county
        raise RefusedError(f"The county office {office.code} lies in {office.division_code}, which is no county.")

    def has(self, period: Period) -> bool:
        """Whether that month was assessed."""
        return str(period) in self.runs

    def figure(self, metric: str, scope: str, code: str, period: Period | None = None) -> Figure:
        """A metric of a subject, in the month or an earlier one; its value is None where there is none."""
        source = Source(metric, scope, code, str(period or self.month))
        return self.found(self.values.get(source), self.form(metric), source)

    def found(self, value: Decimal | int | None, form: Form, source: Source) -> Figure:
        """What a run found, marked where an earlier revision had it otherwise."""
        return Figure(value, form, source, source in self.restated)

    def score(self, bank: str) -> Figure:
        """A bank's score in the month."""
        return self._of_assessment("score", bank, Form.SCORE)

    def rank(self, bank: str) -> Figure:
        """A bank's rank in the month."""
        return self._of_assessment("rank", bank, Form.RANK)

    def deductions(self, bank: str) -> Figure:
        """Points deducted from a bank's score."""
        return self._of_assessment("deductions", bank, Form.SCORE)

    def points(self, bank: str, indicator: str) -> Figure:
        """Weighted points of an indicator in a bank's score; no value where it was not assessed."""
        item = self.items.get(bank, {}).get(indicator)
        value = None if item is None or item.points is None else item.points * item.weight
        return self.found(value, Form.SCORE, Source(indicator, "bank", bank, str(self.month)))

    def _of_assessment(self, what: str, bank: str, form: Form) -> Figure:
        assessment = self.assessments[str(self.month)].get(bank)
        value = None if assessment is None else getattr(assessment, what)
        return self.found(value, form, Source(what, "bank", bank, str(self.month)))

    def of_city(self, metric: str, period: Period | None = None) -> Figure:
        """A metric of the city."""
        return self.figure(metric, "city", self.city.code, period)

    def of_county(self, metric: str, code: str, period: Period | None = None) -> Figure:
        """A metric of a county."""
        return self.figure(metric, "county", code, period)

    def of_bank(self, metric: str, code: str, period: Period | None = None) -> Figure:
        """A metric of a bank."""
        return self.figure(metric, "bank", code, period)

    def form(self, metric: str) -> Form:
        """How a metric is shown."""
        return form_of(self.catalogue.find(metric).unit)


def read_results(connection: Connection, settings: Settings, month: Period, first: Period | None = None) -> Results:
    """The results of a month's newest run, with those of the months from `first` (default: the year's first) before it.

    Raises:
        RefusedError: the month has not been assessed.
    """
    first = first or Period(month.year, 1)
    span = {"first": str(first), "last": str(month)}
    runs = {row["period"]: Run(**row) for row in _read(connection, "runs", span)}
    if str(month) not in runs:
        raise RefusedError(f"{month} has not been assessed; run: five-precisions assess {month}")
    divisions = [Division(**row) for row in _read(connection, "divisions", {})]
    assessments: dict[str, dict[str, Assessment]] = {}
    for row in _read(connection, "assessments", span):
        assessments.setdefault(row["period"], {})[row["institution_code"]] = Assessment(**row)
    items: dict[str, dict[str, Item]] = {}
    for row in _read(connection, "items", {"period": str(month)}):
        items.setdefault(row["institution_code"], {})[row["indicator"]] = Item(**row)
    boards: dict[str, list[BoardPlace]] = {}
    for row in _read(connection, "places", {"period": str(month)}):
        boards.setdefault(row["board"], []).append(BoardPlace(**row))
    next_steps: dict[str, list[NextStep]] = {}
    for row in _read(connection, "next_steps", {"period": str(month)}):
        next_steps.setdefault(row["institution_code"], []).append(NextStep(**row))
    of_run = {"run_id": runs[str(month)].run_id, "period": str(month), "period_end": month.end}
    institutions = [
        Institution(**{**row, "kind": InstitutionKind(row["kind"])})
        for row in _read(connection, "institutions", {"period_end": month.end})
    ]
    values = {
        Source(row["metric"], row["scope"], row["scope_code"], row["period"]): row["value"]
        for row in _read(connection, "metrics", span)
    }
    targets = _read(connection, "targets", {"year": month.year, "period": str(month)})
    return Results(
        month=month,
        first=first,
        runs=runs,
        catalogue=load_catalogue(settings),
        city=next(division for division in divisions if division.level == "city"),
        counties=[division for division in divisions if division.level == "county"],
        institutions={each.code: each for each in institutions if each.is_open},
        names={each.code: each.short_name for each in institutions},
        values=values,
        restated={
            Source(row["figure"], row["scope"], row["scope_code"], row["period"])
            for row in _read(connection, "restated", span)
        },
        assessments=assessments,
        items=items,
        boards=boards,
        targets={row["institution_code"]: row["households"] for row in targets},
        paces={
            row["institution_code"]: PaceFigures(**row) for row in _read(connection, "pace", {"period": str(month)})
        },
        next_steps=next_steps,
        reporting=[Reporting(**row) for row in _read(connection, "reporting", span)],
        alerts=[Alert(**row) for row in _read(connection, "alerts", {"period": str(month)})],
        inspections=[Inspection(**row) for row in _read(connection, "inspections", of_run)],
        grids=[Grid(**row) for row in _read(connection, "grid", of_run)],
        visit_round=_read(connection, "current_round", {"period": str(month)})[0]["current_round"],
    )


def _read(connection: Connection, name: str, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
    return [dict(row) for row in connection.execute(load_statement(f"bulletin/{name}"), values).mappings()]
