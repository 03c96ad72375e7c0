"""Scheme, scorecard and targets: the rules of the assessment as versioned data (spec/04)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Protocol, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from five_precisions.errors import SetupError, UsageError
from five_precisions.period import Period
from five_precisions.reference import INDICATORS, load_reference
from five_precisions.settings import Settings

UNRANKED = ""
"""The grade under which the scheme lists what holds for an unranked bank."""


def _exact(value: object) -> object:
    """A YAML float as the decimal that was written; money and thresholds are never binary."""
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not yes or no")  # noqa: TRY004 a TypeError would not name the place
    return Decimal(str(value)) if isinstance(value, float) else value


def _period(value: object) -> Period:
    try:
        return Period.parse(str(value))
    except UsageError as error:
        raise ValueError(str(error)) from error


def _doubled(values: Iterable[Hashable]) -> list[Hashable]:
    """What stands there more than once, in the order of the file."""
    listed = list(values)
    return [value for value in dict.fromkeys(listed) if listed.count(value) > 1]


Exact = Annotated[Decimal, BeforeValidator(_exact)]
NotNegative = Annotated[Exact, Field(ge=0)]
OfHundred = Annotated[NotNegative, Field(le=100)]
Name = Annotated[str, Field(min_length=1)]
FromPeriod = Annotated[Period, BeforeValidator(_period)]


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

    grade: Name
    at_least: OfHundred


class Advice(_Model):
    """What a grade means for relending."""

    grade: str
    issue: Name
    extension: Name


class Scheme(_Model):
    """One version of the assessment scheme."""

    version: Name
    valid_from: FromPeriod = Field(alias="from")
    weights: dict[str, Annotated[Exact, Field(gt=0)]]
    overdue_ratio: OverdueRatio
    deductions: Deductions
    grades: tuple[Grade, ...] = Field(min_length=1)
    relending: tuple[Advice, ...]
    visit_round_reached: Annotated[Exact, Field(gt=0, le=100)]

    @model_validator(mode="after")
    def _weighs_every_indicator(self) -> Self:
        if unknown := set(self.weights) - set(INDICATORS):
            raise ValueError(f"unknown indicator {', '.join(sorted(unknown))}; there are {', '.join(INDICATORS)}")
        if missing := set(INDICATORS) - set(self.weights):
            raise ValueError(f"no weight for {', '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def _gives_every_score_one_grade(self) -> Self:
        if min(grade.at_least for grade in self.grades) != 0:
            raise ValueError("the lowest grade must start at 0")
        if doubled := _doubled(grade.grade for grade in self.grades):
            raise ValueError(f"the grade {doubled[0]} is listed twice")
        if doubled := _doubled(grade.at_least for grade in self.grades):
            raise ValueError(f"two grades start at {doubled[0]}")
        return self

    @model_validator(mode="after")
    def _advises_for_every_grade(self) -> Self:
        advised = [advice.grade for advice in self.relending]
        wanted = {*(grade.grade for grade in self.grades), UNRANKED}
        if missing := wanted - set(advised):
            raise ValueError(f"no relending advice for {', '.join(repr(grade) for grade in sorted(missing))}")
        if unknown := set(advised) - wanted:
            raise ValueError(f"relending advice for {min(unknown)!r}, which is no grade")
        if doubled := _doubled(advised):
            raise ValueError(f"two lines of relending advice for {doubled[0]!r}")
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

    workers: tuple[Band, ...] = Field(min_length=1)
    income_per_head: tuple[Band, ...] = Field(min_length=1)
    debts_to_income: tuple[Band, ...] = Field(min_length=1)
    has_business: NotNegative
    trained: NotNegative
    conduct: Conduct

    @field_validator("workers", "income_per_head")
    @classmethod
    def _rise(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        # The best of the bands that a value reaches counts, so a better one must not give less.
        bounds = [(band.at_least, band.points) for band in bands if band.at_least is not None and band.at_most is None]
        if len(bounds) < len(bands):
            raise ValueError("a band here has at_least, and no at_most")
        if doubled := _doubled(bound for bound, _ in bounds):
            raise ValueError(f"two bands start at {doubled[0]}")
        if any(after[1] < before[1] for before, after in pairwise(sorted(bounds))):
            raise ValueError("a band that starts higher must not give fewer points")
        return bands

    @field_validator("debts_to_income")
    @classmethod
    def _falls(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        bounds = [(band.at_most, band.points) for band in bands if band.at_most is not None and band.at_least is None]
        if len(bounds) < len(bands):
            raise ValueError("a band here has at_most, and no at_least")
        if doubled := _doubled(bound for bound, _ in bounds):
            raise ValueError(f"two bands end at {doubled[0]}")
        if any(after[1] > before[1] for before, after in pairwise(sorted(bounds))):
            raise ValueError("a band that ends higher must not give more points")
        return bands

    @model_validator(mode="after")
    def _covers_every_value(self) -> Self:
        for name, lowest in (("workers", 1), ("income_per_head", 0)):
            bands: tuple[Band, ...] = getattr(self, name)
            if not any(band.at_least is not None and band.at_least <= lowest for band in bands):
                raise ValueError(f"{name}: no band starts at {lowest} or below")
        return self


class Tier(_Model):
    """A tier, the score from which it is given, and its credit limit in yuan."""

    tier: Name
    at_least: OfHundred
    credit_limit: NotNegative


class Scorecard(_Model):
    """One version of the scorecard of households."""

    version: Name
    valid_from: FromPeriod = Field(alias="from")
    items: ScorecardItems
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_tier_for_every_score(self) -> Self:
        if min(tier.at_least for tier in self.tiers) != 0:
            raise ValueError("the lowest tier must start at 0")
        if doubled := _doubled(tier.tier for tier in self.tiers):
            raise ValueError(f"the tier {doubled[0]} is listed twice")
        if doubled := _doubled(tier.at_least for tier in self.tiers):
            raise ValueError(f"two tiers start at {doubled[0]}")
        return self


class _Versioned(Protocol):
    @property
    def version(self) -> str: ...
    @property
    def valid_from(self) -> Period: ...


Version = TypeVar("Version", bound=_Versioned)


def _tell_apart(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    if doubled := _doubled(version.valid_from for version in versions):
        raise ValueError(f"two versions hold from {doubled[0]}")
    if doubled := _doubled(version.version for version in versions):
        raise ValueError(f"two versions are called {doubled[0]!r}")
    return versions


class _Schemes(_Model):
    versions: Annotated[tuple[Scheme, ...], Field(min_length=1), AfterValidator(_tell_apart)]


class _Scorecards(_Model):
    versions: Annotated[tuple[Scorecard, ...], Field(min_length=1), AfterValidator(_tell_apart)]


class YearTarget(_Model):
    """The city's target of a year."""

    households: Annotated[int, Field(ge=0, strict=True)]


class _Targets(_Model):
    years: dict[Annotated[int, Field(strict=True)], YearTarget]


def load_scheme(settings: Settings, period: Period) -> Scheme:
    """The scheme that holds in the period.

    Raises:
        SetupError: the file is wrong, or no version holds.
    """
    versions = load_reference(settings, "scheme.yaml", _Schemes.model_validate).versions
    return _holding(versions, period, "scheme.yaml")


def load_scorecard(settings: Settings, period: Period) -> Scorecard:
    """The scorecard that holds in the period.

    Raises:
        SetupError: the file is wrong, or no version holds.
    """
    versions = load_reference(settings, "scorecard.yaml", _Scorecards.model_validate).versions
    return _holding(versions, period, "scorecard.yaml")


def load_year_target(settings: Settings, year: int) -> YearTarget | None:
    """The city's target of the year, if one is set."""
    return load_reference(settings, "targets.yaml", _Targets.model_validate).years.get(year)


def _holding(versions: Sequence[Version], period: Period, file: str) -> Version:
    held = [version for version in versions if version.valid_from <= period]
    if not held:
        raise SetupError(f"{file} has no version that holds in {period}.")
    return max(held, key=lambda version: version.valid_from)
