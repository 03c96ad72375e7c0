"""Scheme, scorecard and targets: the rules of the assessment as versioned data (spec/04)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Protocol, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.reference import INDICATORS, load_reference
from five_precisions.settings import Settings

UNRANKED = ""
"""The grade under which the scheme lists what holds for an unranked bank."""


def _exact(value: object) -> object:
    """A YAML float as the decimal that was written; money and thresholds are never binary."""
    return Decimal(str(value)) if isinstance(value, float) else value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
NotNegative = Annotated[Exact, Field(ge=0)]
FromPeriod = Annotated[Period, BeforeValidator(lambda value: Period.parse(str(value)))]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class OverdueRatio(_Model):
    """Between which overdue ratios, in percent, the points for quality fall from 1 to 0."""

    full_points_up_to: NotNegative
    no_points_from: NotNegative

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.full_points_up_to >= self.no_points_from:
            raise ValueError("full_points_up_to must be below no_points_from")
        return self


class Deductions(_Model):
    """Points taken off the score."""

    per_overdue_finding: NotNegative
    per_high_alert: NotNegative
    at_most: NotNegative


class Grade(_Model):
    """A grade and the score from which it is given."""

    grade: str
    at_least: NotNegative


class Advice(_Model):
    """What a grade means for relending."""

    grade: str
    issue: str
    extension: str


class Scheme(_Model):
    """One version of the assessment scheme."""

    version: str
    valid_from: FromPeriod = Field(alias="from")
    weights: dict[str, Annotated[Exact, Field(gt=0)]]
    overdue_ratio: OverdueRatio
    deductions: Deductions
    grades: tuple[Grade, ...] = Field(min_length=1)
    relending: tuple[Advice, ...]
    visit_round_reached: Annotated[Exact, Field(gt=0, le=100)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if unknown := set(self.weights) - set(INDICATORS):
            raise ValueError(f"unknown indicator {', '.join(sorted(unknown))}; there are {', '.join(INDICATORS)}")
        if missing := set(INDICATORS) - set(self.weights):
            raise ValueError(f"no weight for {', '.join(sorted(missing))}")
        if min(grade.at_least for grade in self.grades) != 0:
            raise ValueError("the lowest grade must start at 0")
        wanted = {*(grade.grade for grade in self.grades), UNRANKED}
        if missing := wanted - {advice.grade for advice in self.relending}:
            raise ValueError(f"no relending advice for {', '.join(repr(grade) for grade in sorted(missing))}")
        return self


class Band(_Model):
    """Points for a value that is at least, or at most, the bound."""

    points: NotNegative
    at_least: NotNegative | None = None
    at_most: NotNegative | None = None


class Conduct(_Model):
    """Points for the mean mark of conduct."""

    factor: NotNegative
    without: NotNegative


class ScorecardItems(_Model):
    """What each item of the score gives."""

    workers: tuple[Band, ...]
    income_per_head: tuple[Band, ...]
    debts_to_income: tuple[Band, ...]
    has_business: NotNegative
    trained: NotNegative
    conduct: Conduct

    @model_validator(mode="after")
    def _covers_every_value(self) -> Self:
        for name, lowest in (("workers", 1), ("income_per_head", 0)):
            bands: tuple[Band, ...] = getattr(self, name)
            if not any(band.at_least is not None and band.at_least <= lowest for band in bands):
                raise ValueError(f"{name}: no band starts at {lowest} or below")
        return self


class Tier(_Model):
    """A tier, the score from which it is given, and its credit limit in yuan."""

    tier: str
    at_least: NotNegative
    credit_limit: NotNegative


class Scorecard(_Model):
    """One version of the scorecard of households."""

    version: str
    valid_from: FromPeriod = Field(alias="from")
    items: ScorecardItems
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_tier_for_every_score(self) -> Self:
        if min(tier.at_least for tier in self.tiers) != 0:
            raise ValueError("the lowest tier must start at 0")
        return self


class _Schemes(_Model):
    versions: tuple[Scheme, ...]


class _Scorecards(_Model):
    versions: tuple[Scorecard, ...]


class YearTarget(_Model):
    """The city's target of a year."""

    households: Annotated[int, Field(ge=0)]


class _Targets(_Model):
    years: dict[int, YearTarget]


class _Versioned(Protocol):
    @property
    def valid_from(self) -> Period: ...


Version = TypeVar("Version", bound=_Versioned)


def load_scheme(settings: Settings, period: Period) -> Scheme:
    """The scheme that holds in the period.

    Raises:
        SetupError: the file is wrong, or no version holds.
    """
    versions = load_reference(settings, "scheme.yaml", lambda content: _Schemes(**content)).versions
    return _holding(versions, period, "scheme.yaml")


def load_scorecard(settings: Settings, period: Period) -> Scorecard:
    """The scorecard that holds in the period.

    Raises:
        SetupError: the file is wrong, or no version holds.
    """
    versions = load_reference(settings, "scorecard.yaml", lambda content: _Scorecards(**content)).versions
    return _holding(versions, period, "scorecard.yaml")


def load_year_target(settings: Settings, year: int) -> YearTarget | None:
    """The city's target of the year, if one is set."""
    return load_reference(settings, "targets.yaml", lambda content: _Targets(**content)).years.get(year)


def _holding(versions: Sequence[Version], period: Period, file: str) -> Version:
    held = [version for version in versions if version.valid_from <= period]
    if not held:
        raise SetupError(f"{file} has no version that holds in {period}.")
    return max(held, key=lambda version: version.valid_from)
