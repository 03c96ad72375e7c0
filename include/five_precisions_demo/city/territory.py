"""The demo register (docs/own-city.md#register-files): counties, towns and institutions, read from its files."""

from __future__ import annotations

from functools import cache
from typing import Final

from five_precisions.register import Division, DivisionLevel, Institution, InstitutionKind, Register, load_register
from five_precisions.settings import DEMO_REGISTER

CITY: Final = "441700"
JIANGCHENG: Final = "441702"
YANGDONG: Final = "441704"
YANGXI: Final = "441721"
YANGCHUN: Final = "441781"


@cache
def load_demo_register() -> Register:
    """The demo's register, checked like every other."""
    return load_register(DEMO_REGISTER)


@cache
def load_institutions() -> dict[str, Institution]:
    """Every institution of the register by code."""
    return {institution.code: institution for institution in load_demo_register().institutions}


@cache
def load_obligations() -> dict[InstitutionKind, tuple[str, ...]]:
    """The reports that each kind of institution owes, in the order of the file."""
    owed: dict[InstitutionKind, list[str]] = {}
    for obligation in load_demo_register().obligations:
        owed.setdefault(obligation.kind, []).append(obligation.report)
    return {kind: tuple(reports) for kind, reports in owed.items()}


@cache
def towns_of(county: str) -> tuple[Division, ...]:
    """The towns of a county."""
    return tuple(division for division in load_demo_register().divisions if division.parent_code == county)


@cache
def all_towns() -> tuple[Division, ...]:
    """The towns of the city."""
    return tuple(division for division in load_demo_register().divisions if division.level is DivisionLevel.TOWN)


@cache
def counties() -> tuple[str, ...]:
    """The codes of the counties."""
    return tuple(division.code for division in load_demo_register().divisions if division.level is DivisionLevel.COUNTY)


def office_of(county: str) -> str:
    """The code of the county's poverty-alleviation office."""
    return next(
        institution.code
        for institution in load_institutions().values()
        if institution.kind is InstitutionKind.COUNTY_OFFICE and institution.division_code == county
    )


def county_of(town_code: str) -> str:
    """The first six digits of a town code."""
    return town_code[:6]
