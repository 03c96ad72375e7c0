"""Months and years that declared files name: from when something holds or counts."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

from five_precisions.errors import UsageError
from five_precisions.period import Period
from five_precisions.reference.files import YEARS

Dated = TypeVar("Dated")


def of_years(value: Dated, year: int) -> Dated:
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
