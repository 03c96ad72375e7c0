"""The register as values: who reports, where, and what is owed (docs/own-city.md#register-files)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

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
        """Whether it is open on the period's last day (docs/figures.md#reporting)."""
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
    """The whole register of one reporting area, as files or a warehouse have it; what files may say is in checks.py."""

    institutions: tuple[Institution, ...]
    divisions: tuple[Division, ...]
    contacts: tuple[Contact, ...]
    obligations: tuple[Obligation, ...]
    undecided: frozenset[str] = frozenset()
    """Codes of the warehouse's institutions that are no longer in the files, and owe as before until ops decide."""

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
