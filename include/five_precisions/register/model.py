"""The register as values: who reports, where, and what is owed (docs/own-city.md#register-files)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    def month(self, number: int) -> Period:
        """Its month of that number; the first is the one in which it opened, on whose last day it is open."""
        return Period.of(self.opened_on).back(1 - number)


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
    """A report that institutions of a kind owe each month, from one month on or until one where it is dated."""

    kind: InstitutionKind
    report: str
    nil_allowed: bool
    from_period: Period | None = None
    """The first month for which it is owed; None without such a date."""
    until_period: Period | None = None
    """The last month for which it is owed; None without such a date."""
    from_month: int = 1
    """From which of its own months on an institution owes it; 1 is the month in which it opened."""

    def holds_in(self, period: Period) -> bool:
        """Whether institutions of the kind owe it for the month, newcomers apart."""
        return (self.from_period is None or self.from_period <= period) and (
            self.until_period is None or period <= self.until_period
        )

    @property
    def ends_before_it_begins(self) -> bool:
        """Whether it holds in no month."""
        return self.from_period is not None and self.until_period is not None and self.until_period < self.from_period

    def first_period_of(self, institution: Institution) -> Period:
        """The first month for which the institution owes it, if it is open then."""
        own = institution.month(self.from_month)
        return own if self.from_period is None else max(own, self.from_period)

    def overlaps(self, other: Obligation) -> bool:
        """Whether there is a month in which both hold."""
        begins = [each.from_period for each in (self, other) if each.from_period is not None]
        ends = [each.until_period for each in (self, other) if each.until_period is not None]
        return not begins or not ends or max(begins) <= min(ends)


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
    def _obligations(self) -> dict[InstitutionKind, dict[str, tuple[Obligation, ...]]]:
        return {kind: _by_report(each for each in self.obligations if each.kind is kind) for kind in InstitutionKind}

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

    def obligations_of(self, kind: InstitutionKind) -> Mapping[str, tuple[Obligation, ...]]:
        """The obligations of a kind of institution by report, of whatever months.

        The reports come as they are declared, what is owed of one in the order of its months.
        """
        return self._obligations[kind]

    def owed_by(self, institution: Institution, period: Period) -> dict[str, Obligation]:
        """What an institution owes for a month by report, in the order of the declared reports; closed, nothing."""
        if not institution.is_open_in(period):
            return {}
        return {
            report: obligation
            for report, obligations in self.obligations_of(institution.kind).items()
            for obligation in obligations
            if obligation.holds_in(period) and obligation.first_period_of(institution) <= period
        }

    def division_codes(self, level: DivisionLevel) -> list[str]:
        """Codes of the divisions of a level, sorted."""
        return sorted(division.code for division in self.divisions if division.level is level)


def _by_report(obligations: Iterable[Obligation]) -> dict[str, tuple[Obligation, ...]]:
    own = sorted(obligations, key=lambda each: str(each.from_period or ""))
    found = {report: tuple(each for each in own if each.report == report) for report in load_reports()}
    return {report: each for report, each in found.items() if each}
