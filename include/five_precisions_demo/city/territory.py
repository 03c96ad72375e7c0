"""The demo register (docs/own-city.md#register-files): counties, towns and institutions, read from its CSV files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import Final

from five_precisions.settings import DEMO_REGISTER

CITY: Final = "441700"
JIANGCHENG: Final = "441702"
YANGDONG: Final = "441704"
YANGXI: Final = "441721"
YANGCHUN: Final = "441781"


@dataclass(frozen=True, slots=True)
class Division:
    """A city, county or town."""

    code: str
    name: str
    level: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class Institution:
    """A bank, a county office or the centre."""

    code: str
    name: str
    short_name: str
    kind: str
    division_code: str


def _read(name: str) -> list[dict[str, str]]:
    with (DEMO_REGISTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def load_divisions() -> tuple[Division, ...]:
    """Every division of the register."""
    return tuple(Division(**row) for row in _read("divisions.csv"))


@cache
def load_institutions() -> dict[str, Institution]:
    """Every institution of the register by code."""
    return {
        row["code"]: Institution(row["code"], row["name"], row["short_name"], row["kind"], row["division_code"])
        for row in _read("institutions.csv")
    }


@cache
def load_obligations() -> dict[str, tuple[str, ...]]:
    """The reports that each kind of institution owes."""
    owed: dict[str, list[str]] = {}
    for row in _read("obligations.csv"):
        owed.setdefault(row["kind"], []).append(row["report"])
    return {kind: tuple(reports) for kind, reports in owed.items()}


@cache
def towns_of(county: str) -> tuple[Division, ...]:
    """The towns of a county."""
    return tuple(division for division in load_divisions() if division.parent_code == county)


@cache
def all_towns() -> tuple[Division, ...]:
    """The towns of the city."""
    return tuple(division for division in load_divisions() if division.level == "town")


@cache
def counties() -> tuple[str, ...]:
    """The codes of the counties."""
    return tuple(division.code for division in load_divisions() if division.level == "county")


def office_of(county: str) -> str:
    """The code of the county's poverty-alleviation office."""
    return next(
        institution.code
        for institution in load_institutions().values()
        if institution.kind == "county_office" and institution.division_code == county
    )


def county_of(town_code: str) -> str:
    """The first six digits of a town code."""
    return town_code[:6]
