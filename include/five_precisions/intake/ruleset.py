"""The ruleset of a period: the register, the reports and the reference files that packages are judged by.

See docs/reports.md#rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from five_precisions.intake.reading.marks import Marks, load_marks
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, Limits
from five_precisions.intake.rules.derived import DerivedContext, load_rates
from five_precisions.intake.rules.hotlines import hotline_forms
from five_precisions.intake.rules.suites import load_suite
from five_precisions.period import Period
from five_precisions.register import DivisionLevel, InstitutionKind, Register, load_holidays
from five_precisions.reports import Report, load_forms, load_reports
from five_precisions.settings import Settings


@dataclass(frozen=True)
class Ruleset:
    """What packages of a period are held against: the register and the reference files."""

    period: Period
    register: Register
    reports: Mapping[str, Report]
    """Those in force in the period, in their forms of it."""
    parameters: Mapping[str, Any]
    """For the suites: `{"$PARAMETER": name}`."""
    context: DerivedContext
    marks: Marks
    """Of rows that are no data."""
    limits: Limits = DEFAULT_LIMITS
    validate_all: bool = False
    """Whether Great Expectations judges what screening can answer too."""


def ruleset_of(settings: Settings, register: Register, period: Period) -> Ruleset:
    """Everything that packages of the period are held against.

    Raises:
        SetupError: a reference file is missing or wrong.
    """
    import pandas as pd

    institutions = register.open_in(period)
    return Ruleset(
        period=period,
        register=register,
        reports=load_forms(period),
        parameters={
            "period_begin": pd.Timestamp(period.begin),
            "period_end": pd.Timestamp(period.end),
            "town_codes": register.division_codes(DivisionLevel.TOWN),
            "county_codes": register.division_codes(DivisionLevel.COUNTY),
            "open_banks": [each.code for each in institutions if each.kind is InstitutionKind.BANK],
            "open_institutions": [each.code for each in institutions],
            "hotline_forms": hotline_forms(settings),
        },
        context=DerivedContext(last_day=period.end, rates=load_rates(settings)),
        marks=load_marks(settings),
        limits=Limits.of(settings),
        validate_all=settings.validate_all,
    )


def validate_reference(settings: Settings) -> None:
    """Read everything that packages are judged by, so that a mistake is found before the first one comes.

    Raises:
        SetupError: a reference file or a suite is missing or wrong; the sentence names the file and the place.
    """
    load_rates(settings)
    hotline_forms(settings)
    load_marks(settings)
    load_holidays(settings)
    for report in load_reports().values():
        load_suite(report)
