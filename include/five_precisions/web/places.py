"""Where a case or an outlet is: counties and towns by code (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from five_precisions.figures import Case
from five_precisions.register import DivisionLevel, InstitutionKind, Register


@dataclass(frozen=True, slots=True)
class Places:
    """Counties and towns by code, and in which county a case is."""

    names: Mapping[str, str]
    counties: Mapping[str, str]
    """Names of the counties, by code."""
    county_of: Mapping[str, str]
    """By code of a county, a town, or an institution of a county."""
    banks: frozenset[str]
    """Their codes."""

    @classmethod
    def of(cls, register: Register) -> Places:
        """Of a register."""
        counties = {each.code: each.name for each in register.divisions if each.level is DivisionLevel.COUNTY}
        county_of = {code: code for code in counties}
        for each in register.divisions:
            if each.parent_code in counties:
                county_of[each.code] = each.parent_code
        for institution in register.institutions:
            if institution.division_code in county_of:
                county_of[institution.code] = county_of[institution.division_code]
        banks = frozenset(each.code for each in register.institutions if each.kind is InstitutionKind.BANK)
        return cls({each.code: each.name for each in register.divisions}, counties, county_of, banks)

    def county(self, case: Case) -> str | None:
        """The county of what the case is about, else of its institution; None where it is about no county."""
        if case.division_code is None:
            return self.county_of.get(case.institution_code)
        return self.county_of.get(case.division_code)

    def words(self, case: Case) -> str | None:
        """Where a case is: county and town."""
        county = self.county(case)
        if county is None:
            return None
        town = case.division_code if case.division_code not in (None, county) else None
        return " ".join(filter(None, (self.names[county], self.names.get(town or ""))))
