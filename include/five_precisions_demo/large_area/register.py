"""Divisions and institutions of an invented area, and its register files (docs/own-city.md#register-files)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from five_precisions.register import InstitutionKind
from five_precisions_demo.city.territory import load_obligations
from five_precisions_demo.large_area.size import AreaSize

CITY: Final = "449900"
CENTRE: Final = "PBC"
TOWNS: Final = 15
"""Of each county."""
COUNTIES_OF_A_BANK: Final = 3
_FEWEST_COUNTIES: Final = 2
_NIL_ALLOWED: Final = frozenset({"visits", "outreach", "matches", "projects", "guarantee_funds", "inspections"})

Places = npt.NDArray[np.int64]
"""Positions in a sequence or a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRegister:
    """Codes of the area: of banks, and of counties with their offices and towns, in order."""

    counties: tuple[str, ...]
    offices: tuple[str, ...]
    """One of each county."""
    towns: tuple[str, ...]
    """Those of the first county come first."""
    banks: tuple[str, ...]
    bank_counties: Places
    """A row for each bank: the places of the counties that it works in."""

    def banks_of(self, county: int) -> Places:
        """The places of the banks that work in the county."""
        return np.flatnonzero((self.bank_counties == county).any(axis=1))

    def is_legal_person(self, bank: int) -> bool:
        """Whether the bank is a local legal person: every third is."""
        return bank % 3 == 0


def found_register(size: AreaSize) -> AreaRegister:
    """A tenth of the institutions are county offices, one is the centre, the others are banks of three counties."""
    counties = max(_FEWEST_COUNTIES, size.institutions // 10)
    banks = size.institutions - counties - 1
    worked_in = min(COUNTIES_OF_A_BANK, counties)
    codes = tuple(f"{CITY[:4]}{number:02}" for number in range(1, counties + 1))
    return AreaRegister(
        counties=codes,
        offices=tuple(f"C{number:02}" for number in range(1, counties + 1)),
        towns=tuple(f"{code}{100 + number}" for code in codes for number in range(TOWNS)),
        banks=tuple(f"B{number:03}" for number in range(1, banks + 1)),
        bank_counties=(np.arange(banks)[:, None] + np.arange(worked_in)) % counties,
    )


def write_register(register: AreaRegister, folder: Path) -> None:
    """Write the four files; what lay there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    institutions = [
        [code, f"大区第{place + 1}银行", f"{place + 1}号银行", "bank", CITY, int(register.is_legal_person(place))]
        for place, code in enumerate(register.banks)
    ]
    institutions += [
        [code, f"大区{county}扶贫办", f"{county}办", "county_office", county, 0]
        for code, county in zip(register.offices, register.counties, strict=True)
    ]
    institutions.append([CENTRE, "大区中心支行", "中心支行", "centre", CITY, 0])
    divisions = [[CITY, "大区市", "city", ""]]
    divisions += [[code, f"{code}县", "county", CITY] for code in register.counties]
    divisions += [[code, f"{code}镇", "town", code[:6]] for code in register.towns]
    _save(
        folder / "institutions.csv",
        ("code", "name", "short_name", "kind", "division_code", "local_legal_person", "opened_on", "closed_on"),
        ([*line, "2010-01-01", ""] for line in institutions),
    )
    _save(folder / "divisions.csv", ("code", "name", "level", "parent_code"), divisions)
    _save(
        folder / "contacts.csv",
        ("institution_code", "address", "role"),
        ([line[0], f"{str(line[0]).lower()}@example.test", "contact"] for line in institutions),
    )
    _save(
        folder / "obligations.csv",
        ("kind", "report", "nil_allowed"),
        (
            [kind.value, report, int(report in _NIL_ALLOWED)]
            for kind in InstitutionKind
            for report in load_obligations()[kind]
        ),
    )


def _save(path: Path, headers: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows(lines)
