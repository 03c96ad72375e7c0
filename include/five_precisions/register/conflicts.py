"""What of a register's files does not go together with what the warehouse has kept.

See docs/own-city.md#register-files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.register.checks import wrong_centres
from five_precisions.register.model import DivisionLevel, Institution, InstitutionKind, Register
from five_precisions.settings import PREFIX
from five_precisions.warehouse import load_statement

_IS_MADE = text("select to_regclass('intake.submission') is not null")
_READ_CITY = text("select code, name from registry.division where level = 'city'")
_READ_WHO_DELIVERED = text("select distinct institution_code from intake.submission")


def institution_of(row: Mapping[Any, Any]) -> Institution:
    """The institution of a row of the warehouse."""
    return Institution(**{**row, "kind": InstitutionKind(row["kind"])})


def require_fit(connection: Connection, register: Register) -> None:
    """Refuse a register that the warehouse cannot take on; one that is not made yet takes any.

    Raises:
        SetupError: it is of another city, or changes what an institution is that has delivered. Or it names one folder
            as two, or leaves a month with two centres or none.
    """
    if not connection.execute(_IS_MADE).scalar_one():
        return
    _require_same_city(connection, register)
    stored = [institution_of(row) for row in connection.execute(load_statement("register/institutions")).mappings()]
    _require_same_kinds(register, stored, set(connection.execute(_READ_WHO_DELIVERED).scalars()))
    left = [each for each in stored if register.institution(each.code) is None]
    _require_other_folders(register, left)
    _require_one_centre(register, left)


def _require_same_city(connection: Connection, register: Register) -> None:
    stored = connection.execute(_READ_CITY).first()
    city = next(division for division in register.divisions if division.level is DivisionLevel.CITY)
    if stored is not None and stored.code != city.code:
        raise SetupError(
            f"The register is of {city.code} {city.name}, and the warehouse of {stored.code} {stored.name}; a "
            f"warehouse serves one city, so name its own register with {PREFIX}REGISTER, or a new warehouse with "
            f"{PREFIX}WAREHOUSE or {PREFIX}VAR."
        )


def _require_same_kinds(register: Register, stored: list[Institution], delivered: set[str]) -> None:
    for before in stored:
        named = register.institution(before.code)
        if named is not None and named.kind is not before.kind and before.code in delivered:
            raise SetupError(
                f"institutions.csv has {named.code} {named.short_name} as a {named.kind}, and it has delivered as a "
                f"{before.kind}; close the {before.kind} with closed_on, and give the {named.kind} a code of its own."
            )


def _require_other_folders(register: Register, left: list[Institution]) -> None:
    codes = {each.code.casefold(): each.code for each in left}
    for institution in register.institutions:
        if (stored := codes.get(institution.code.casefold())) is not None:
            raise SetupError(
                f"institutions.csv has the code {institution.code}, and the warehouse {stored}, which differs in "
                f"capital letters only and names the same folder; write {stored}."
            )


def _require_one_centre(register: Register, left: list[Institution]) -> None:
    kept = [each for each in left if each.kind is InstitutionKind.CENTRE]
    if kept and any(wrong_centres((*register.institutions, *kept))):
        centre = kept[-1]
        raise SetupError(
            f"institutions.csv no longer names the warehouse's centre {centre.code} {centre.short_name}; write it in "
            "again, with a closed_on in the month in which the other one opens."
        )
