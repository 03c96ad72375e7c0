"""The register as values: who reports, where, and what is owed (spec/05, Register files)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.reports import load_reports


class InstitutionKind(StrEnum):
    """What an institution is; its kind decides which reports it owes."""

    BANK = "bank"
    COUNTY_OFFICE = "county_office"
    CENTRE = "centre"


class DivisionLevel(StrEnum):
    """Level of an administrative division."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"


class ContactRole(StrEnum):
    """Why someone gets messages."""

    CONTACT = "contact"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Institution:
    """A bank, a county office, or the branch itself."""

    code: str
    name: str
    short_name: str
    kind: InstitutionKind
    division_code: str
    local_legal_person: bool
    opened_on: date
    closed_on: date | None

    def is_open_in(self, period: Period) -> bool:
        """Whether it is open on the period's last day (spec/04, Reporting)."""
        return self.opened_on <= period.end and (self.closed_on is None or self.closed_on > period.end)


@dataclass(frozen=True, slots=True)
class Division:
    """An administrative division; only the city has no parent."""

    code: str
    name: str
    level: DivisionLevel
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an institution's messages go: an email address or an Apprise URL."""

    institution_code: str
    address: str
    role: ContactRole
    fallback_address: str | None = None
    """An email address that gets what an Apprise service refuses for good."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """A report that every institution of a kind owes each month."""

    kind: InstitutionKind
    report: str
    nil_allowed: bool


@dataclass(frozen=True)
class Register:
    """The whole register of one reporting area.

    Raises:
        SetupError: something stands twice, points to nothing, or there is not exactly one city.
    """

    institutions: tuple[Institution, ...]
    divisions: tuple[Division, ...]
    contacts: tuple[Contact, ...]
    obligations: tuple[Obligation, ...]

    def __post_init__(self) -> None:
        _refuse_twice("institution", [institution.code for institution in self.institutions])
        _refuse_twice("division", [division.code for division in self.divisions])
        _refuse_twice("obligation", [f"{obligation.kind} {obligation.report}" for obligation in self.obligations])
        _refuse_twice("contact", [astuple(contact)[:3] for contact in self.contacts], _shown_contact)
        self._check_divisions()
        self._check_references()

    def _check_divisions(self) -> None:
        levels = {division.code: division.level for division in self.divisions}
        cities = [code for code, level in levels.items() if level is DivisionLevel.CITY]
        if len(cities) != 1:
            raise SetupError(f"The register has {len(cities)} divisions of level city; it must have exactly one.")
        above = {DivisionLevel.COUNTY: DivisionLevel.CITY, DivisionLevel.TOWN: DivisionLevel.COUNTY}
        for division in self.divisions:
            wanted = above.get(division.level)
            found = levels.get(division.parent_code) if division.parent_code else None
            if found is not wanted:
                raise SetupError(
                    f"Division {division.code} of the register has the parent {division.parent_code or 'nothing'}; "
                    + (f"a {division.level} lies in a {wanted}." if wanted else "a city has none.")
                )
            if division.level is DivisionLevel.TOWN and not division.code.startswith(division.parent_code or ""):
                # Figures tell a town's county by the first six digits of its code (spec/04, Scopes).
                raise SetupError(
                    f"Division {division.code} of the register has the parent {division.parent_code}; a town's code "
                    "begins with its county's."
                )

    def _check_references(self) -> None:
        divisions = {division.code for division in self.divisions}
        codes = {institution.code for institution in self.institutions}
        for institution in self.institutions:
            if institution.division_code not in divisions:
                raise SetupError(
                    f"Institution {institution.code} of the register lies in {institution.division_code}, "
                    "which is no division of it."
                )
        for contact in self.contacts:
            if contact.institution_code not in codes:
                raise SetupError(f"A contact of the register belongs to {contact.institution_code}, who is not in it.")
        for obligation in self.obligations:
            report = load_reports().get(obligation.report)
            if report is None:
                raise SetupError(f"An obligation of the register names {obligation.report}, which is no report.")
            if obligation.kind not in report.owners:
                raise SetupError(f"An obligation of the register has {obligation.report} owed by a {obligation.kind}.")

    @cached_property
    def _by_code(self) -> dict[str, Institution]:
        return {institution.code: institution for institution in self.institutions}

    def institution(self, code: str) -> Institution | None:
        """The institution of that code, if there is one."""
        return self._by_code.get(code)

    def open_in(self, period: Period) -> list[Institution]:
        """Institutions open in the period, in the order of their codes."""
        return sorted(
            (institution for institution in self.institutions if institution.is_open_in(period)),
            key=lambda institution: institution.code,
        )

    def owed_by(self, kind: InstitutionKind) -> dict[str, Obligation]:
        """The obligations of a kind of institution by report, in the order of the declared reports."""
        owed = {obligation.report: obligation for obligation in self.obligations if obligation.kind is kind}
        return {report: owed[report] for report in load_reports() if report in owed}

    def division_codes(self, level: DivisionLevel) -> list[str]:
        """Codes of the divisions of a level, sorted."""
        return sorted(division.code for division in self.divisions if division.level is level)


def _refuse_twice(what: str, names: Sequence[Hashable], show: Callable[[Any], str] = str) -> None:
    twice = sorted(show(name) for name, count in Counter(names).items() if count > 1)
    if twice:
        raise SetupError(f"The register has the {what} {', '.join(twice)} more than once.")


def _shown_contact(contact: tuple[str, str, ContactRole]) -> str:
    institution_code, address, role = contact
    return f"{institution_code} {without_token(address)} {role}"


def without_token(address: str) -> str:
    """An address as it may be told: an Apprise URL may hold a token behind its scheme."""
    scheme, is_service, _ = address.partition("://")
    return f"{scheme}://…" if is_service else address
