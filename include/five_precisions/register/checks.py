"""What the entries of register files may not say; files.py reads the cells of each.

See docs/own-city.md#register-files.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from five_precisions.period import Period
from five_precisions.register.addresses import is_mailbox, is_service, why_unreachable, without_token
from five_precisions.register.lines import near, shown
from five_precisions.register.model import (
    Contact,
    Division,
    DivisionLevel,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
)
from five_precisions.reports import load_reports

Entry = Institution | Division | Contact | Obligation
_Entry = TypeVar("_Entry", Institution, Division, Contact, Obligation)

_LIES_IN: Final = {
    InstitutionKind.BANK: (DivisionLevel.CITY, DivisionLevel.COUNTY),
    InstitutionKind.COUNTY_OFFICE: (DivisionLevel.COUNTY,),
    InstitutionKind.CENTRE: (DivisionLevel.CITY,),
}
_ABOVE: Final = {DivisionLevel.COUNTY: DivisionLevel.CITY, DivisionLevel.TOWN: DivisionLevel.COUNTY}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and with which entry."""

    sentence: str
    entry: Entry | None = None
    """None where it is no single one's."""
    first: Entry | None = None
    """An entry above that it cannot stand beside."""


def find_faults(register: Register) -> Iterator[Fault]:
    """Everything in a register's files that does not go together, what others rest on first."""
    yield from _stand_twice("division", register.divisions, lambda each: each.code)
    yield from _stand_twice("institution", register.institutions, lambda each: each.code)
    yield from _differ_in_case(register.institutions)
    yield from _stand_twice("contact", register.contacts, contact_key, _contact_name)
    yield from _wrong_divisions(register.divisions)
    yield from _wrong_institutions(register)
    yield from wrong_centres(register.institutions)
    yield from _wrong_contacts(register)
    yield from _wrong_obligations(register)


def wrong_centres(institutions: Iterable[Institution]) -> Iterator[Fault]:
    """Every month has one centre: the first of a line of them opens once, each follows the one before, one is open."""
    centres = sorted(
        (each for each in institutions if each.kind is InstitutionKind.CENTRE), key=lambda each: each.opened_on
    )
    if not centres:
        yield Fault("institutions.csv has no centre; the branch itself is an institution of it, of kind centre.")
        return
    for before, after in pairwise(centres):
        # Who is open on a month's last day counts in it: so the next one opens in the month in which this one closes.
        if before.closed_on is None or Period.of(before.closed_on) > Period.of(after.opened_on):
            yield Fault(
                f"{after.code} is a second centre beside {before.code}; one is open at a time, so that one closes in "
                "the month in which the next one opens.",
                after,
                before,
            )
        elif Period.of(before.closed_on) < Period.of(after.opened_on):
            yield Fault(
                f"{after.code} opens after the month in which the centre before it, {before.code}, closes: in between "
                "there is no centre.",
                after,
                before,
            )
    if centres[-1].closed_on is not None:
        yield Fault(f"the centre {centres[-1].code} closes and no other follows; one centre is open.", centres[-1])


def _stand_twice(
    what: str,
    entries: Iterable[_Entry],
    key: Callable[[_Entry], Hashable],
    name_of: Callable[[_Entry], str] = lambda each: str(getattr(each, "code", "")),
) -> Iterator[Fault]:
    known: dict[Hashable, _Entry] = {}
    for entry in entries:
        first = known.setdefault(key(entry), entry)
        if first is not entry:
            yield Fault(f"the register has the {what} {name_of(entry)} more than once.", entry, first)


def _differ_in_case(institutions: Iterable[Institution]) -> Iterator[Fault]:
    """Codes name folders, and not every file system keeps b01 and B01 apart."""
    known: dict[str, Institution] = {}
    for institution in institutions:
        first = known.setdefault(institution.code.casefold(), institution)
        if first.code != institution.code:
            yield Fault(
                f"the code {institution.code} differs from {first.code} in capital letters only; both name one folder.",
                institution,
                first,
            )


def contact_key(contact: Contact) -> Hashable:
    """What makes a contact one: capital letters of a mail address do not."""
    address = contact.address.casefold() if is_mailbox(contact.address) else contact.address
    return contact.institution_code, address, contact.role


def _contact_name(contact: Contact) -> str:
    return f"{contact.institution_code} {without_token(contact.address)} {contact.role}"


def _wrong_divisions(divisions: Iterable[Division]) -> Iterator[Fault]:
    by_code = {division.code: division for division in divisions}
    cities = [division for division in by_code.values() if division.level is DivisionLevel.CITY]
    if not cities:
        yield Fault("divisions.csv has 0 divisions of level city; it must have exactly one.")
    for another in cities[1:]:
        yield Fault(
            f"the register has {len(cities)} divisions of level city; it must have exactly one.", another, cities[0]
        )
    for division in by_code.values():
        wanted = _ABOVE.get(division.level)
        parent = by_code.get(division.parent_code or "")
        if (None if parent is None else parent.level) is not wanted or (wanted is None and division.parent_code):
            found = shown(division.parent_code) if division.parent_code else "nothing"
            rule = f"a {division.level} lies in a {wanted} of divisions.csv" if wanted else "a city has none"
            yield Fault(f"division {division.code} has the parent {found}; {rule}.", division)
        elif division.level is DivisionLevel.TOWN and not division.code.startswith(division.parent_code or ""):
            # Figures find a town's county by the first six digits of its code (docs/figures.md#scopes-and-rounding).
            yield Fault(
                f"division {division.code} has the parent {division.parent_code}; a town's code begins with its "
                "county's.",
                division,
            )


def _wrong_institutions(register: Register) -> Iterator[Fault]:
    divisions = {division.code: division for division in register.divisions}
    for institution in register.institutions:
        kind = institution.kind
        division = divisions.get(institution.division_code)
        if division is None:
            yield Fault(
                f"institution {institution.code} lies in {shown(institution.division_code)}, which divisions.csv does "
                "not have.",
                institution,
            )
        elif division.level not in _LIES_IN[kind]:
            yield Fault(
                f"institution {institution.code} lies in {division.code}, a {division.level}; a {kind} lies in a "
                f"{' or a '.join(_LIES_IN[kind])}.",
                institution,
            )
        if institution.local_legal_person and kind is not InstitutionKind.BANK:
            yield Fault(
                f"local_legal_person is 1; {institution.code} is a {kind}, and only a bank can be one.", institution
            )
        if institution.closed_on is not None and institution.closed_on <= institution.opened_on:
            yield Fault(
                f"institution {institution.code} closed on {institution.closed_on} and opened on "
                f"{institution.opened_on}; it closes after it has opened.",
                institution,
            )
    if not any(institution.kind is InstitutionKind.BANK for institution in register.institutions):
        yield Fault("institutions.csv has no bank; without one there is nothing to collect.")


def _wrong_contacts(register: Register) -> Iterator[Fault]:
    codes = [institution.code for institution in register.institutions]
    for contact in register.contacts:
        if contact.institution_code not in codes:
            yield Fault(
                f"the contact belongs to {shown(contact.institution_code)}, which institutions.csv does not have"
                f"{near(contact.institution_code, codes)}.",
                contact,
            )
        if (why := why_wrong(contact)) is not None:
            yield Fault(why, contact)


def why_wrong(contact: Contact) -> str | None:
    """Why nobody can be reached so, as a sentence that shows no token; None where somebody can."""
    if (why := why_unreachable(contact.address)) is not None:
        return f"address is {without_token(contact.address)!r}; {why}."
    if contact.fallback_address is None:
        return None
    if not is_mailbox(contact.fallback_address):
        return f"fallback_address is {without_token(contact.fallback_address)!r}; it is an email address."
    if not is_service(contact.address):
        return "fallback_address stands beside a mail address; it is for Apprise URLs only."
    return None


def _wrong_obligations(register: Register) -> Iterator[Fault]:
    yield from _hold_twice(register.obligations)
    reports = load_reports()
    for obligation in register.obligations:
        report = reports.get(obligation.report)
        if report is None:
            yield Fault(
                f"report is {shown(obligation.report)}, which is no report{near(obligation.report, list(reports))}.",
                obligation,
            )
        elif obligation.kind not in report.owners:
            yield Fault(f"the register has {obligation.report} owed by a {obligation.kind}.", obligation)
        if obligation.ends_before_it_begins:
            yield Fault(
                f"until is {obligation.until_period}, which lies before from, {obligation.from_period}.", obligation
            )
    yield from _empty_months(register.obligations)
    for institution in register.institutions:
        if not register.obligations_of(institution.kind):
            yield Fault(
                f"institution {institution.code} is a {institution.kind}, and obligations.csv names no report that a "
                f"{institution.kind} owes.",
                institution,
            )


def _hold_twice(obligations: Iterable[Obligation]) -> Iterator[Fault]:
    """What a kind owes may be said anew for other months; in one month it is said once."""
    known: dict[tuple[InstitutionKind, str], list[Obligation]] = {}
    for obligation in obligations:
        before = known.setdefault((obligation.kind, obligation.report), [])
        if first := next(filter(obligation.overlaps, before), None):
            name = f"{obligation.kind} {obligation.report}"
            dated = any((each.from_period, each.until_period) != (None, None) for each in (first, obligation))
            months = " for the same months" if dated else ""
            yield Fault(f"the register has the obligation {name} more than once{months}.", obligation, first)
        before.append(obligation)


def _empty_months(obligations: Iterable[Obligation]) -> Iterator[Fault]:
    """A month for which nobody owes anything cannot be closed, and would keep all later ones waiting."""
    reached: Period | None = None
    for obligation in sorted(obligations, key=lambda each: str(each.from_period or "")):
        begin = obligation.from_period
        if reached is not None and begin is not None and reached.next() < begin:
            first, last = reached.next(), begin.previous()
            months = f"for {first}" if first == last else f"from {first} to {last}"
            yield Fault(
                f"nobody owes a report {months}; months are closed in order, so each one wants a report that is owed.",
                obligation,
            )
        if obligation.until_period is None:
            return
        reached = obligation.until_period if reached is None else max(reached, obligation.until_period)
