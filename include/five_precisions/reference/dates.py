"""Months and years that declared files name: from when something holds or counts."""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from five_precisions.errors import UsageError
from five_precisions.period import Period
from five_precisions.reference.files import YEARS, ReferenceModel

Value = TypeVar("Value")


def of_years(value: Value, year: int) -> Value:
    """The value, if it is of a year that a reference file may speak of.

    Raises:
        ValueError: it is not.
    """
    if year not in YEARS:
        raise ValueError(f"{value} does not lie between {YEARS[0]} and {YEARS[-1]}")
    return value


def from_period(value: object) -> Period:
    """The month that a declared file names.

    Raises:
        ValueError: it is none, or of no year that a reference file may speak of.
    """
    try:
        period = Period.parse(str(value))
    except UsageError as error:
        raise ValueError(str(error).rstrip(".")) from error
    return of_years(period, period.year)


FromPeriod = Annotated[Period, BeforeValidator(from_period)]
"""The first month of a version, an indicator or a rule, written YYYY-MM."""
UntilPeriod = Annotated[Period, BeforeValidator(from_period)]
"""The last month of what ends, written YYYY-MM."""


class Dated(ReferenceModel):
    """What holds from a first month to a last one, both included; without them since ever, and for good."""

    valid_from: FromPeriod | None = Field(default=None, alias="from")
    valid_until: UntilPeriod | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError(f"it ends in {self.valid_until}, before it begins in {self.valid_from}")
        return self

    def holds_in(self, period: Period) -> bool:
        """Whether it holds in the month."""
        return (self.valid_from is None or self.valid_from <= period) and (
            self.valid_until is None or period <= self.valid_until
        )
