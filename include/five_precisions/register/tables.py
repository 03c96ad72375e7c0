"""The register in the warehouse (schema registry), and the opening of a period."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from five_precisions.period import Period
from five_precisions.register.announcement import follow_calendar, unannounced_words
from five_precisions.register.conflicts import institution_of, require_fit
from five_precisions.register.contacts import lock_contacts, replace_contacts
from five_precisions.register.deadlines import deadline_of, load_holidays, years_unknown
from five_precisions.register.model import (
    Contact,
    ContactRole,
    Division,
    DivisionLevel,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
)
from five_precisions.settings import Settings
from five_precisions.warehouse import create_period_partitions, load_statement

logger = logging.getLogger(__name__)

_MARK_DIVISIONS = text("""
update registry.division set left_files_at = now() where left_files_at is null and code <> all(:codes)
""")
_MARK_INSTITUTIONS = text("""
update registry.institution set left_files_at = now() where left_files_at is null and code <> all(:codes)
""")
_READ_LEFT_DIVISIONS = text("""
select code, name, level, parent_code from registry.division where left_files_at is not null order by code
""")
_FIND_RETURNED = text("""
select code from registry.institution where left_files_at is not null and code = any(:codes) order by code
""")
_READ_OBLIGATIONS = text("""
select kind, report, nil_allowed, from_period, until_period, from_month
from registry.obligation
order by kind, report, from_period nulls first
""")
_SAVE_OBLIGATION = text("""
insert into registry.obligation (kind, report, nil_allowed, from_period, until_period, from_month)
values (:kind, :report, :nil_allowed, :from_period, :until_period, :from_month)
""")


@dataclass(frozen=True, slots=True)
class Saved:
    """What a register's files and the warehouse did not have in common, once they were saved."""

    undecided: tuple[Institution, ...]
    """Institutions that the files no longer name, and whose end nobody has decided."""
    left_divisions: tuple[Division, ...]
    """Divisions that the files no longer name."""
    returned: tuple[Institution, ...]
    """Institutions that the files name again: what they say holds, whatever was decided in between."""


def save_register(connection: Connection, register: Register) -> Saved:
    """Bring the warehouse's register to what the files say.

    Institutions and divisions that the files no longer name stay, and are marked: their deliveries and figures point to
    them. Contacts of those that the files name, and obligations, are replaced as a whole; what ops have added stays.

    Raises:
        SetupError: the register is of another city, or does not go together with what the warehouse has; nothing is
            changed then.
    """
    # Two who save at once wait for one another.
    lock_contacts(connection)
    require_fit(connection, register)
    codes = [institution.code for institution in register.institutions]
    returned = set(connection.execute(_FIND_RETURNED, {"codes": codes}).scalars())
    _save(connection, load_statement("register/save_division"), register.divisions)
    _save(connection, load_statement("register/save_institution"), register.institutions)
    connection.execute(_MARK_DIVISIONS, {"codes": [division.code for division in register.divisions]})
    connection.execute(_MARK_INSTITUTIONS, {"codes": codes})
    replace_contacts(connection, codes, register.contacts)
    connection.execute(text("delete from registry.obligation"))
    if register.obligations:
        connection.execute(_SAVE_OBLIGATION, [_row_of(each) for each in register.obligations])
    kept = read_register(connection)
    return Saved(
        undecided=tuple(each for each in kept.institutions if each.code in kept.undecided),
        left_divisions=tuple(map(_division, connection.execute(_READ_LEFT_DIVISIONS).mappings())),
        returned=tuple(each for each in register.institutions if each.code in returned),
    )


def read_register(connection: Connection) -> Register:
    """The register as the warehouse has it."""

    def rows(query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(text(query)).mappings()]

    institutions = connection.execute(load_statement("register/institutions")).mappings()
    divisions = rows("select code, name, level, parent_code from registry.division order by code")
    contacts = rows("select institution_code, address, role, fallback_address from registry.contact order by 1, 3, 2")
    obligations = connection.execute(_READ_OBLIGATIONS).mappings()
    undecided = rows("select code from registry.institution where left_files_at is not null and closed_on is null")
    return Register(
        institutions=tuple(map(institution_of, institutions)),
        divisions=tuple(map(_division, divisions)),
        contacts=tuple(Contact(**{**row, "role": ContactRole(row["role"])}) for row in contacts),
        obligations=tuple(map(_obligation, obligations)),
        undecided=frozenset(row["code"] for row in undecided),
    )


def open_period(connection: Connection, settings: Settings, period: Period) -> tuple[str, ...]:
    """Open a month: its row with the deadline, and its partitions. One that is open follows the calendar.

    Returns:
        What ops must know of it, in sentences; of a month that was open already, nothing. They are logged, too.
    """
    known = connection.execute(text("select from registry.period where period = :period"), {"period": str(period)})
    if known.first() is not None:
        follow_calendar(connection, settings, period)
        return ()
    create_period_partitions(connection, period)
    holidays = load_holidays(settings)
    deadline_at = deadline_of(period, holidays)
    is_new = (
        connection.execute(
            load_statement("register/open_period"), {"period": str(period), "deadline_at": deadline_at}
        ).first()
        is not None
    )
    years = years_unknown(period, holidays)
    if not is_new or not years:
        return ()
    remark = unannounced_words(period, deadline_at, years)
    logger.warning(remark)
    return (remark,)


def _division(row: Mapping[Any, Any]) -> Division:
    return Division(**{**row, "level": DivisionLevel(row["level"])})


def _obligation(row: Mapping[Any, Any]) -> Obligation:
    months = {name: None if row[name] is None else Period.parse(row[name]) for name in ("from_period", "until_period")}
    return Obligation(**{**row, **months, "kind": InstitutionKind(row["kind"])})


def _row_of(obligation: Obligation) -> dict[str, Any]:
    """An obligation as its row, months as they are written."""
    return {
        "kind": obligation.kind,
        "report": obligation.report,
        "nil_allowed": obligation.nil_allowed,
        "from_period": None if obligation.from_period is None else str(obligation.from_period),
        "until_period": None if obligation.until_period is None else str(obligation.until_period),
        "from_month": obligation.from_month,
    }


def _save(connection: Connection, statement: Any, entries: tuple[Any, ...]) -> None:
    if entries:
        connection.execute(statement, [dataclasses.asdict(entry) for entry in entries])
