"""Registered poor households (建档立卡贫困户) of the city, and who speaks for them (report `households`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import FEN, apportion
from five_precisions_demo.city.draws import shuffled, stream
from five_precisions_demo.city.identity import IdentityRegistry, draw_name
from five_precisions_demo.city.profiles import BANKS, HOUSEHOLDS_ABLE, HOUSEHOLDS_UNABLE
from five_precisions_demo.city.territory import counties, county_of, towns_of
from five_precisions_demo.city.timetable import PERIODS

RARE_NAME: Final = "陈𠮷祥"
"""Stands once on the register: names with rare characters must survive the whole way."""
VILLAGES_PER_TOWN: Final = 9
_VILLAGE_HEADS = "上下新大小东西南北石龙麻那岗水白黄高竹莲"
_VILLAGE_TAILS = "塘垌坡湾岭朗桥围田坑屋寮迳洞山社头尾"
_MID_YEAR = Period(2019, 4)


@dataclass(frozen=True, slots=True)
class Household:
    """One household on a county's register; amounts in fen."""

    household_no: str
    head_name: str
    head_id: str
    town_code: str
    village: str
    members: int
    workers: int
    income_per_head: int
    income_per_head_since_april: int
    debts: int
    has_business: bool
    trained_in: Period | None
    """Month from which the register says trained; before the first month on record: always."""
    lifted_in: Period | None
    """Month from which the register says 已脱贫."""
    borderline: bool
    bank_code: str
    """责任银行."""

    @property
    def able(self) -> bool:
        """Someone in it is able to work."""
        return self.workers > 0

    @property
    def county(self) -> str:
        """Code of the county on whose register it stands."""
        return county_of(self.town_code)

    def income_in(self, period: Period) -> int:
        """人均年收入 as the register states it in that month."""
        return self.income_per_head_since_april if period >= _MID_YEAR else self.income_per_head

    def trained_by(self, period: Period) -> bool:
        """Whether the register of that month says that it was trained."""
        return self.trained_in is not None and self.trained_in <= period

    def status_in(self, period: Period) -> str:
        """脱贫状态 in that month."""
        if self.lifted_in is not None and self.lifted_in <= period:
            return "边缘户" if self.borderline else "已脱贫"
        return "未脱贫"


def name_villages(rng: Random) -> dict[str, tuple[str, ...]]:
    """The villages of every town, by town code."""
    names = [head + tail + "村" for head in _VILLAGE_HEADS for tail in _VILLAGE_TAILS]
    return {
        town.code: tuple(sorted(rng.sample(names, VILLAGES_PER_TOWN)))
        for county in counties()
        for town in towns_of(county)
    }


def settle_households(seed: int, identities: IdentityRegistry) -> tuple[Household, ...]:
    """Everyone on the four registers, by household number.

    Exactly as many with someone able to work as published, and some without, whom scoring leaves out.
    """
    rng = stream(seed, "households")
    villages = name_villages(stream(seed, "villages"))
    households: list[Household] = []
    for county in counties():
        towns = towns_of(county)
        able = shuffled(rng, [True] * HOUSEHOLDS_ABLE[county] + [False] * HOUSEHOLDS_UNABLE[county])
        sizes = apportion(len(able), [rng.randint(6, 16) for _ in towns])
        home = [town.code for town, size in zip(towns, sizes, strict=True) for _ in range(size)]
        banks = _assign_banks(rng, county, len(able))
        serial = 0
        for town_code, is_able, bank_code in zip(home, able, banks, strict=True):
            serial = serial + 1 if households and households[-1].town_code == town_code else 1
            households.append(
                _draw_household(rng, identities, f"{town_code}-{serial:04d}", villages[town_code], is_able, bank_code)
            )
    if sum(household.able for household in households) != published.HOUSEHOLDS_ABLE:
        raise AssertionError("the counties' households able to work are not the published number")
    rare = max(i for i, household in enumerate(households) if household.able)
    households[rare] = replace(households[rare], head_name=RARE_NAME)
    return tuple(households)


def _assign_banks(rng: Random, county: str, size: int) -> list[str]:
    at_work = [profile for profile in BANKS if county in profile.shares]
    numbers = apportion(size, [profile.shares[county] for profile in at_work])
    return shuffled(
        rng, [profile.code for profile, number in zip(at_work, numbers, strict=True) for _ in range(number)]
    )


def _draw_household(
    rng: Random, identities: IdentityRegistry, household_no: str, villages: Sequence[str], able: bool, bank_code: str
) -> Household:
    members = rng.choice((1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 7)) if able else rng.choice((1, 1, 1, 2, 2))
    workers = min(members, rng.choice((1, 1, 2, 2, 2, 3, 3, 4))) if able else 0
    income = rng.randrange(26, 128) * 100 * FEN if able else rng.randrange(22, 60) * 100 * FEN
    lifted = rng.random()
    trained = rng.random()
    return Household(
        household_no=household_no,
        head_name=draw_name(rng),
        head_id=identities.resident_id(),
        town_code=household_no.partition("-")[0],
        village=rng.choice(villages),
        members=members,
        workers=workers,
        income_per_head=income,
        income_per_head_since_april=income + (rng.randrange(1, 9) * 50 * FEN if rng.random() < 0.4 else 0),
        debts=0 if rng.random() < 0.5 else rng.randrange(10, 520) * 100 * FEN,
        has_business=able and rng.random() < 0.42,
        trained_in=_month_of(rng, trained, before=0.3, during=0.45) if able else None,
        lifted_in=_month_of(rng, lifted, before=0.72, during=0.84),
        borderline=rng.random() < 0.06,
        bank_code=bank_code,
    )


def _month_of(rng: Random, lot: float, *, before: float, during: float) -> Period | None:
    """Lots below `before` fall on the first month on record, those below `during` on a later one, others on none."""
    month = rng.choice(PERIODS[1:])
    if lot < before:
        return PERIODS[0]
    return month if lot < during else None


def replace_head_id(households: Sequence[Household], household_no: str, head_id: str) -> tuple[Household, ...]:
    """The register with another ID written for one head of household (H03)."""
    return tuple(
        replace(household, head_id=head_id) if household.household_no == household_no else household
        for household in households
    )
