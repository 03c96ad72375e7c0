"""Campaigns, trainings and leaflets (report `outreach`), by banks and county offices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import allot, apportion
from five_precisions_demo.city.draws import shuffled, stream
from five_precisions_demo.city.events import NIL_RETURNS, SILENT, SILENT_TOWNS
from five_precisions_demo.city.population import name_villages
from five_precisions_demo.city.profiles import BANKS, BankProfile
from five_precisions_demo.city.territory import all_towns, counties, county_of, office_of, towns_of
from five_precisions_demo.city.timetable import PERIODS, workdays

SMALLEST_TEAM: Final = 3
EXTRA_PER_TOWN: Final = 2
"""Activities of a county office in each town and quarter besides the one that is sure to be there, on average."""

_KINDS = ("集中宣讲", "培训", "资料发放", "入户宣传", "媒体")
_KIND_WEIGHTS = (30, 25, 20, 20, 5)
_CADRE_WEIGHTS = {"集中宣讲": 8, "培训": 30, "资料发放": 0, "入户宣传": 2, "媒体": 0}
_LEAFLET_WEIGHTS = {"集中宣讲": 40, "培训": 12, "资料发放": 100, "入户宣传": 15, "媒体": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity of one institution."""

    institution: str
    held_on: date
    town_code: str
    village: str | None
    kind: str
    round: int | None
    attendees: int
    cadres: int = 0
    leaflets: int = 0
    team_size: int | None = None

    @property
    def key(self) -> tuple[date, str, str, str]:
        """Unique within an institution."""
        return self.held_on, self.town_code, self.village or "", self.kind


def hold_activities(seed: int) -> tuple[Activity, ...]:
    """Every activity delivered from January to June: the published cadres, leaflets and team, to the last one."""
    rng = stream(seed, "outreach")
    villages = name_villages(stream(seed, "villages"))
    drawn = [
        *(activity for county in counties() for activity in _draw_office(rng, county, villages)),
        *(activity for bank in BANKS for activity in _draw_bank(rng, bank, villages)),
    ]
    activities = _without_doubles(drawn)
    cadres = apportion(published.CADRES_TRAINED, [_CADRE_WEIGHTS[a.kind] * rng.randint(1, 4) for a in activities])
    leaflets = apportion(published.LEAFLETS, [_LEAFLET_WEIGHTS[a.kind] * rng.randint(1, 4) for a in activities])
    activities = [
        replace(activity, cadres=trained, leaflets=copies, attendees=activity.attendees + trained)
        for activity, trained, copies in zip(activities, cadres, leaflets, strict=True)
    ]
    return tuple(_state_teams(rng, activities))


def _quarter(period: Period) -> int:
    return (period.month + 2) // 3


def _months(institution: str) -> list[Period]:
    """The months of which outreach of the institution is delivered."""
    return [
        period
        for period in PERIODS
        if (period, institution) not in SILENT and (period, institution, "outreach") not in NIL_RETURNS
    ]


def _draw_office(rng: Random, county: str, villages: dict[str, tuple[str, ...]]) -> Iterable[Activity]:
    """Every town at least once in every quarter, but for the silent ones."""
    office = office_of(county)
    for quarter in (1, 2):
        months = [period for period in _months(office) if _quarter(period) == quarter]
        for town in towns_of(county):
            if SILENT_TOWNS.get(town.code) == quarter:
                continue
            for _ in range(1 + rng.randint(0, 2 * EXTRA_PER_TOWN - 2)):
                yield _draw_activity(rng, office, rng.choice(months), town.code, villages)


def _draw_bank(rng: Random, bank: BankProfile, villages: dict[str, tuple[str, ...]]) -> Iterable[Activity]:
    for period in _months(bank.code):
        towns = [
            town.code
            for county in bank.counties
            for town in towns_of(county)
            if SILENT_TOWNS.get(town.code) != _quarter(period)
        ]
        for _ in range(max(1, bank.outreach + rng.randint(-1, 1))):
            yield _draw_activity(rng, bank.code, period, rng.choice(towns), villages)


def _draw_activity(
    rng: Random, institution: str, period: Period, town_code: str, villages: dict[str, tuple[str, ...]]
) -> Activity:
    kind = rng.choices(_KINDS, weights=_KIND_WEIGHTS)[0]
    return Activity(
        institution=institution,
        held_on=rng.choice(workdays(period)),
        town_code=town_code,
        village=rng.choice(villages[town_code]) if rng.random() < 0.6 and kind != "媒体" else None,
        kind=kind,
        round=rng.choice((_quarter(period), _quarter(period), None)),
        attendees=rng.randrange(10, 90),
    )


def _without_doubles(drawn: Iterable[Activity]) -> list[Activity]:
    kept: dict[tuple[str, tuple[date, str, str, str]], Activity] = {}
    for activity in drawn:
        kept.setdefault((activity.institution, activity.key), activity)
    return sorted(kept.values(), key=lambda activity: (activity.institution, activity.key))


def _state_teams(rng: Random, activities: Sequence[Activity]) -> list[Activity]:
    """County offices state each town's standing team: the last size is final, earlier ones may be smaller or empty."""
    towns = [town.code for town in all_towns()]
    sizes = allot(
        published.OUTREACH_TEAM,
        [rng.randint(3, 9) for _ in towns],
        floors=[SMALLEST_TEAM] * len(towns),
        caps=[2 * published.OUTREACH_TEAM // len(towns)] * len(towns),
    )
    final = dict(zip(towns, sizes, strict=True))
    last_on: dict[str, date] = {}
    for activity in activities:
        if activity.institution == office_of(county_of(activity.town_code)):
            last_on[activity.town_code] = max(activity.held_on, last_on.get(activity.town_code, date.min))
    if set(last_on) != set(towns):
        raise AssertionError("a town has no activity of its county office, and so no team")
    stated: list[Activity] = []
    for activity in activities:
        team = final[activity.town_code]
        if not activity.institution.startswith("C"):
            stated.append(activity)
        elif activity.held_on == last_on[activity.town_code]:
            stated.append(replace(activity, team_size=team))
        else:
            earlier = shuffled(rng, (team, team - 1, None))[0]
            stated.append(replace(activity, team_size=earlier))
    return stated
