"""Who answers for which village (report `grid`): outlets, their heads, letters and hotlines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.draws import draw_workday, stream
from five_precisions_demo.city.events import GRID_PLANTINGS, GridPlanting
from five_precisions_demo.city.identity import draw_landline, draw_mobile, draw_name
from five_precisions_demo.city.population import name_villages
from five_precisions_demo.city.profiles import BANKS, BankProfile
from five_precisions_demo.city.territory import county_of, load_demo_register, load_institutions, towns_of

TOWNS_SHARE: Final = 0.6
"""Share of a county's towns in which a bank has an outlet."""
LETTERS_SIGNED: Final = (date(2018, 3, 1), date(2018, 12, 20))
PLANTED_ROW: Final = 2
"""Which of an outlet's rows an incident is planted in: the first is the town as a whole, without a village."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One village, or a whole town, of one outlet."""

    bank: str
    outlet_code: str
    outlet_name: str
    town_code: str
    village: str | None
    head: str
    head_phone: str
    resident_cadre: str | None
    letter_signed_on: date | None
    hotline: str | None

    @property
    def key(self) -> str:
        """The key of its row, as findings name it."""
        return f"{self.outlet_code}/{self.town_code}/{self.village or ''}"


def spread_grid(seed: int) -> tuple[GridRow, ...]:
    """The grid of every bank as it should be."""
    villages = name_villages(stream(seed, "villages"))
    return tuple(row for bank in BANKS for row in _spread_bank(stream(seed, "grid", bank.code), bank, villages))


def grid_in(rows: tuple[GridRow, ...], bank: str, period: Period) -> tuple[GridRow, ...]:
    """The bank's grid in that month, with what was planted in it."""
    own = [row for row in rows if row.bank == bank]
    for planting in GRID_PLANTINGS:
        if planting.bank == bank and planting.first <= period <= planting.last:
            place = own.index(planted_row(rows, planting))
            own[place] = (
                replace(own[place], letter_signed_on=None)
                if planting.rule == "G02"
                else replace(own[place], hotline=planting.value or None)
            )
    return tuple(own)


def planted_row(rows: tuple[GridRow, ...], planting: GridPlanting) -> GridRow:
    """The row, as it should be, that the incident is planted in."""
    own = [row for row in rows if row.bank == planting.bank]
    outlet = sorted({row.outlet_code for row in own})[planting.outlet - 1]
    return [row for row in own if row.outlet_code == outlet][PLANTED_ROW - 1]


def _spread_bank(rng: Random, bank: BankProfile, villages: dict[str, tuple[str, ...]]) -> list[GridRow]:
    hotline = rng.choice(("12363", draw_landline(rng), draw_landline(rng)))
    short_name = load_institutions()[bank.code].short_name
    towns = [
        town
        for county in bank.counties
        for town in rng.sample(towns_of(county), max(5, int(len(towns_of(county)) * TOWNS_SHARE)))
    ]
    names = {division.code: division.name for division in load_demo_register().divisions}
    rows: list[GridRow] = []
    for serial, town in enumerate(sorted(towns, key=lambda town: town.code), start=1):
        place = town.name.removesuffix("街道").removesuffix("镇")
        first = GridRow(
            bank=bank.code,
            outlet_code=f"{bank.code}-{serial:03d}",
            outlet_name=f"{short_name}{names[county_of(town.code)]}{place}支行",
            town_code=town.code,
            village=None,
            head=draw_name(rng),
            head_phone=draw_mobile(rng),
            resident_cadre=draw_name(rng),
            letter_signed_on=draw_workday(rng, *LETTERS_SIGNED),
            hotline=hotline,
        )
        rows.append(first)
        rows += [
            replace(first, village=village, resident_cadre=draw_name(rng) if rng.random() < 0.9 else None)
            for village in sorted(rng.sample(villages[town.code], rng.randint(2, 5)))
        ]
    return rows
