"""Scheme, scorecard and targets: the rules of the assessment as versioned data (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from reprlib import repr as shortened
from typing import Annotated, Final, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.reference import (
    FromPeriod,
    ReferenceModel,
    doubled,
    load_indicators,
    load_reference,
    of_years,
    unknown_name,
)
from five_precisions.settings import Settings

UNRANKED = ""
"""The grade under which the scheme lists what holds for an unranked bank."""
_WHOLE_SCORE: Final = 100
"""What weights add up to, and what the best household scores (docs/figures.md)."""
_BEST_CONDUCT: Final = 5
"""Marks go from 1 to 5 (docs/reports.md#visits)."""


def _exact(value: object) -> object:
    # An error of validation, so that the sentence names the place; a TypeError would not.
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not yes or no")  # noqa: TRY004
    if isinstance(value, str):
        raise ValueError(f"a number is wanted, in plain digits, not {shortened(value)}")  # noqa: TRY004
    return value


def _year(value: int) -> int:
    return of_years(value, value)


def _fall_to_zero(word: str, steps: Sequence[tuple[str, Decimal]]) -> None:
    """Refuse names of steps that are not distinct, and steps that do not fall, in the order of the file, to 0."""
    if twice := doubled(name for name, _ in steps):
        raise ValueError(f"the {word} {twice[0]} is listed twice")
    for (better, above), (worse, at_least) in pairwise(steps):
        if at_least >= above:
            raise ValueError(
                f"the best {word} comes first: {worse} starts at {at_least}, and {better} before it at {above}"
            )
    if steps[-1][1] != 0:
        raise ValueError(f"the lowest {word} must start at 0")


Exact = Annotated[Decimal, BeforeValidator(_exact)]
NotNegative = Annotated[Exact, Field(ge=0)]
OfHundred = Annotated[NotNegative, Field(le=100)]
Yuan = Annotated[NotNegative, Field(le=1_000_000_000)]
Name = Annotated[str, Field(min_length=1)]


class _Model(ReferenceModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)


class OverdueRatio(_Model):
    """Between which overdue ratios, in percent, the points for quality fall from 1 to 0."""

    full_points_up_to: OfHundred
    no_points_from: OfHundred

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.full_points_up_to >= self.no_points_from:
            raise ValueError("full_points_up_to must be below no_points_from")
        return self


class Deductions(_Model):
    """Points taken off the score."""

    per_overdue_finding: OfHundred
    per_high_alert: OfHundred
    at_most: OfHundred


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
    """One version of the assessment scheme.

    Every indicator that counts from its first month or an earlier one weighs something. Growth, quality and reporting
    are judged of every bank, so that no score is a share of nothing.
    """

    version: Name
    valid_from: FromPeriod = Field(alias="from")
    weights: dict[str, Annotated[Exact, Field(gt=0)]]
    overdue_ratio: OverdueRatio
    deductions: Deductions
    grades: tuple[Grade, ...] = Field(min_length=1)
    relending: tuple[Advice, ...]
    visit_round_reached: Annotated[Exact, Field(gt=0, le=100)]

    @field_validator("weights")
    @classmethod
    def _weigh_every_indicator(cls, weights: dict[str, Decimal], info: ValidationInfo) -> dict[str, Decimal]:
        indicators = load_indicators()
        if unknown := [name for name in weights if name not in indicators]:
            raise ValueError(unknown_name(unknown[0], indicators))
        if (first := info.data.get("valid_from")) is not None:
            counting = {name for name, indicator in indicators.items() if indicator.counts_in(first)}
            if early := [name for name in weights if name not in counting]:
                raise ValueError(
                    f"{early[0]} counts from {indicators[early[0]].valid_from} on, and this version from {first}"
                )
            if missing := counting - set(weights):
                raise ValueError(f"no weight for {', '.join(sorted(missing))}")
        if (whole := sum(weights.values())) != _WHOLE_SCORE:
            raise ValueError(f"weights add up to {_WHOLE_SCORE}, these to {whole}")
        return weights

    @field_validator("grades")
    @classmethod
    def _give_every_score_one_grade(cls, grades: tuple[Grade, ...]) -> tuple[Grade, ...]:
        _fall_to_zero("grade", [(each.grade, each.at_least) for each in grades])
        return grades

    @model_validator(mode="after")
    def _advises_for_every_grade(self) -> Self:
        advised = [advice.grade for advice in self.relending]
        wanted = {*(grade.grade for grade in self.grades), UNRANKED}
        if missing := wanted - set(advised):
            raise ValueError(f"no relending advice for {', '.join(repr(grade) for grade in sorted(missing))}")
        if unknown := set(advised) - wanted:
            raise ValueError(f"relending advice for {min(unknown)!r}, which is no grade")
        if twice := doubled(advised):
            raise ValueError(f"two lines of relending advice for {twice[0]!r}")
        return self


class Band(_Model):
    """Points for a value that is at least, or at most, the bound."""

    points: OfHundred
    at_least: NotNegative | None = None
    at_most: NotNegative | None = None


class Conduct(_Model):
    """Points for the mean mark of conduct."""

    factor: OfHundred
    without: OfHundred

    @property
    def most(self) -> Decimal:
        """Points of a household with the best mark alone."""
        return self.factor * _BEST_CONDUCT

    @model_validator(mode="after")
    def _silence_is_not_the_best_mark(self) -> Self:
        if self.without > self.most:
            raise ValueError(f"without a mark there are more points than the best mark gives, {self.most}")
        return self


class ScorecardItems(_Model):
    """What each item of the score gives."""

    workers: tuple[Band, ...] = Field(min_length=1)
    income_per_head: tuple[Band, ...] = Field(min_length=1)
    debts_to_income: tuple[Band, ...] = Field(min_length=1)
    has_business: OfHundred
    trained: OfHundred
    conduct: Conduct

    @field_validator("workers", "income_per_head")
    @classmethod
    def _rise(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        bounds = [(band.at_least, band.points) for band in bands if band.at_least is not None and band.at_most is None]
        if len(bounds) < len(bands):
            raise ValueError("a band here has at_least, and no at_most")
        for (bound, points), (next_bound, next_points) in pairwise(bounds):
            if next_bound <= bound:
                raise ValueError(f"bands stand from the lowest up: one starts at {next_bound}, after {bound}")
            # The best of the bands that a value reaches counts, so a better one must not give less.
            if next_points < points:
                raise ValueError(f"a band that starts higher, at {next_bound}, must not give fewer points")
        return bands

    @field_validator("debts_to_income")
    @classmethod
    def _falls(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        bounds = [(band.at_most, band.points) for band in bands if band.at_most is not None and band.at_least is None]
        if len(bounds) < len(bands):
            raise ValueError("a band here has at_most, and no at_least")
        for (bound, points), (next_bound, next_points) in pairwise(bounds):
            if next_bound <= bound:
                raise ValueError(f"bands stand from the lowest up: one ends at {next_bound}, after {bound}")
            if next_points > points:
                raise ValueError(f"a band that ends higher, at {next_bound}, must not give more points")
        return bands

    @model_validator(mode="after")
    def _covers_every_value(self) -> Self:
        for name, lowest in (("workers", 1), ("income_per_head", 0)):
            bands: tuple[Band, ...] = getattr(self, name)
            if not any(band.at_least is not None and band.at_least <= lowest for band in bands):
                raise ValueError(f"{name}: no band starts at {lowest} or below")
        return self

    @model_validator(mode="after")
    def _the_best_household_scores_everything(self) -> Self:
        banded = sum(
            max(band.points for band in bands) for bands in (self.workers, self.income_per_head, self.debts_to_income)
        )
        whole = banded + self.has_business + self.trained + self.conduct.most
        if whole != _WHOLE_SCORE:
            raise ValueError(f"the best household scores {whole}, not {_WHOLE_SCORE}")
        return self


class Tier(_Model):
    """A tier, the score from which it is given, and its credit limit in yuan."""

    tier: Name
    at_least: OfHundred
    credit_limit: Yuan


class Scorecard(_Model):
    """One version of the scorecard of households."""

    version: Name
    valid_from: FromPeriod = Field(alias="from")
    items: ScorecardItems
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @field_validator("tiers")
    @classmethod
    def _give_every_score_one_tier(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        _fall_to_zero("tier", [(each.tier, each.at_least) for each in tiers])
        for better, worse in pairwise(tiers):
            if worse.credit_limit > better.credit_limit:
                raise ValueError(f"the tier {worse.tier} gives a higher credit limit than {better.tier} above it")
        return tiers


class _Versioned(Protocol):
    @property
    def version(self) -> str: ...
    @property
    def valid_from(self) -> Period: ...


Version = TypeVar("Version", bound=_Versioned)


def _distinct(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    if begun := doubled(version.valid_from for version in versions):
        raise ValueError(f"two versions hold from {begun[0]}")
    if called := doubled(version.version for version in versions):
        raise ValueError(f"two versions are called {called[0]!r}")
    return versions


class _Schemes(_Model):
    versions: Annotated[tuple[Scheme, ...], Field(min_length=1), AfterValidator(_distinct)]


class _Scorecards(_Model):
    versions: Annotated[tuple[Scorecard, ...], Field(min_length=1), AfterValidator(_distinct)]


class YearTarget(_Model):
    """The city's target of a year."""

    households: Annotated[int, Field(ge=0, le=10_000_000, strict=True)]


class _Targets(_Model):
    years: dict[Annotated[int, Field(strict=True), AfterValidator(_year)], YearTarget]


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


def load_targets(settings: Settings) -> dict[int, YearTarget]:
    """The city's targets by year.

    Raises:
        SetupError: the file is wrong.
    """
    return load_reference(settings, "targets.yaml", _Targets.model_validate).years


def load_year_target(settings: Settings, year: int) -> YearTarget | None:
    """The city's target of the year, if one is set.

    Raises:
        SetupError: the file is wrong.
    """
    return load_targets(settings).get(year)


def _holding(versions: Sequence[Version], period: Period, file: str) -> Version:
    held = [version for version in versions if version.valid_from <= period]
    if not held:
        raise SetupError(f"{file} has no version that holds in {period}.")
    return max(held, key=lambda version: version.valid_from)
