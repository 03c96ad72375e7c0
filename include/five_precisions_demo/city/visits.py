"""Visits to poor households (report `visits`): who was seen when, in which round, by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import FEN, allot, apportion
from five_precisions_demo.city.draws import draw_workday, shuffled, stream
from five_precisions_demo.city.events import VISIT_PLANTINGS, VisitPlanting
from five_precisions_demo.city.identity import draw_name
from five_precisions_demo.city.ledgers import Ledgers
from five_precisions_demo.city.loans import Cohort
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.profiles import BANK, BANKS
from five_precisions_demo.city.timetable import LAST, PERIODS, workdays, workdays_between

FIRST_ROUND_IN_JUNE: Final = 420
"""Households first seen in June. Those seen by May are 86 % of all, so that round 2 is the current one in June."""
SECOND_ROUND: Final = 1150
"""Households seen again in June."""
LAST_FIRST_VISIT_OF_SECOND_ROUND: Final = date(2019, 5, 17)
UNABLE_VISITED: Final = 60
MOST_IN_A_DAY: Final = 24
"""Visits that one officer makes in a day, well below the 30 that ask for an explanation (V02)."""

_MONTH_WEIGHTS = dict(zip(PERIODS[:-1], (15, 11, 22, 24, 28), strict=True))
"""Round 1 until May; June has a number of its own."""
_OTHER_BANK_SHARE = 0.04
_OTHER_WANTS_SHARE = 0.14


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit; amount in fen."""

    bank: str
    household: Household
    visited_on: date
    round: int
    officer: str
    cadre: str | None
    wants_loan: bool
    wanted_amount: int | None
    filed: bool
    conduct: int | None

    @property
    def period(self) -> Period:
        """The month it is reported in."""
        return Period.of(self.visited_on)

    @property
    def key(self) -> str:
        """The key of its row, as findings name it."""
        return f"{self.household.household_no}/{self.visited_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """A visit of which month and bank are settled."""

    bank: str
    household: Household
    period: Period
    round: int = 1
    not_after: date | None = None
    """The household is lent to on that day of the same month."""
    borrows: bool = False


@dataclass(frozen=True, slots=True)
class _Lent:
    """A household's first microcredit of 2019."""

    bank: str
    issued_on: date


def make_visits(seed: int, households: Sequence[Household], ledgers: Ledgers) -> tuple[Visit, ...]:
    """Every visit delivered from January to June.

    As many distinct households able to work are seen as published; whoever is lent to in 2019 is seen before, but for
    the planted cases (A09).
    """
    rng = stream(seed, "visits")
    first_round = _plan_first_round(rng, households, ledgers)
    unable = _plan_unable(rng, households, ledgers)
    visits = _schedule(stream(seed, "visits", "first"), seed, [*first_round, *unable])
    second_round = _plan_second_round(rng, visits)
    visits += _schedule(stream(seed, "visits", "second"), seed, second_round)
    # Visits bound to a loan of the same month must not be moved behind it.
    lent_in = {household_no: Period.of(lent.issued_on) for household_no, lent in _lent(ledgers).items()}
    free = [lent_in.get(visit.household.household_no) != visit.period for visit in visits]
    for planting in VISIT_PLANTINGS:
        visits, free = _plant(planting, visits, free)
    seen = {visit.household.household_no for visit in visits if visit.household.able}
    if len(seen) != published.HOUSEHOLDS_VISITED:
        raise AssertionError(f"{len(seen)} households visited are not the published number")
    return tuple(sorted(visits, key=lambda visit: (visit.visited_on, visit.household.household_no)))


def _lent(ledgers: Ledgers) -> dict[str, _Lent]:
    lent: dict[str, _Lent] = {}
    for loan in ledgers.loans:
        household_no = loan.borrower.household_no
        if loan.cohort is Cohort.ISSUED and household_no is not None:
            earlier = lent.get(household_no)
            if earlier is None or loan.issued_on < earlier.issued_on:
                lent[household_no] = _Lent(loan.bank, loan.issued_on)
    return lent


def _plan_first_round(rng: Random, households: Sequence[Household], ledgers: Ledgers) -> list[_Plan]:
    lent = _lent(ledgers)
    never, late = ledgers.households_planted("A09 never"), ledgers.households_planted("A09 late")
    able: dict[str, list[Household]] = {bank.code: [] for bank in BANKS}
    for household in households:
        if household.able and household.household_no not in never:
            able[household.bank_code].append(household)
    bound = {bank: [household for household in own if household.household_no in lent] for bank, own in able.items()}
    seen = allot(
        published.HOUSEHOLDS_VISITED,
        [len(own) * BANK[bank].coverage for bank, own in able.items()],
        floors=[len(own) for own in bound.values()],
        caps=[len(own) for own in able.values()],
    )
    in_june = apportion(FIRST_ROUND_IN_JUNE, seen)
    plans: list[_Plan] = []
    for bank, number, june in zip(able, seen, in_june, strict=True):
        plans += [
            _plan_before_loan(rng, household, lent[household.household_no], late=household.household_no in late)
            for household in bound[bank]
        ]
        others = shuffled(rng, [household for household in able[bank] if household.household_no not in lent])
        others = others[: number - len(bound[bank])]
        plans += [_plan_free(rng, household, LAST) for household in others[:june]]
        months = [period for period in _MONTH_WEIGHTS if BANK[bank].delivers_visits(period)]
        counts = apportion(len(others) - june, [_MONTH_WEIGHTS[period] for period in months])
        in_month = [period for period, count in zip(months, counts, strict=True) for _ in range(count)]
        plans += [_plan_free(rng, household, period) for household, period in zip(others[june:], in_month, strict=True)]
    return plans


def _plan_before_loan(rng: Random, household: Household, lent: _Lent, *, late: bool) -> _Plan:
    """A visit by the lending bank no later than the loan, by May at the latest; late: two months after it."""
    month = Period.of(lent.issued_on)
    if late:
        return _Plan(lent.bank, household, month.next().next(), borrows=True)
    months = [period for period in _MONTH_WEIGHTS if period <= month and BANK[lent.bank].delivers_visits(period)]
    period = rng.choice(months)
    return _Plan(lent.bank, household, period, not_after=lent.issued_on if period == month else None, borrows=True)


def _plan_free(rng: Random, household: Household, period: Period) -> _Plan:
    """A visit by the responsible bank, now and then by another bank of the county."""
    bank = household.bank_code
    if rng.random() < _OTHER_BANK_SHARE:
        bank = rng.choice(
            [other.code for other in BANKS if household.county in other.shares and other.delivers_visits(period)]
        )
    return _Plan(bank, household, period)


def _plan_unable(rng: Random, households: Sequence[Household], ledgers: Ledgers) -> list[_Plan]:
    """Some visits to households that nobody expects to be visited, among them one that was lent to (A08)."""
    lent = _lent(ledgers)
    unable = [household for household in households if not household.able]
    plans = [
        _plan_before_loan(rng, household, lent[household.household_no], late=False)
        for household in unable
        if household.household_no in lent
    ]
    others = [household for household in unable if household.household_no not in lent]
    for household in rng.sample(others, UNABLE_VISITED - len(plans)):
        months = [period for period in PERIODS if BANK[household.bank_code].delivers_visits(period)]
        plans.append(_Plan(household.bank_code, household, rng.choice(months)))
    return plans


def _plan_second_round(rng: Random, visits: Iterable[Visit]) -> list[_Plan]:
    """The banks that are furthest ahead go round again in June."""
    waiting = [
        visit
        for visit in visits
        if visit.household.able
        and visit.visited_on <= LAST_FIRST_VISIT_OF_SECOND_ROUND
        and BANK[visit.household.bank_code].coverage >= 84
    ]
    return [
        _Plan(visit.household.bank_code, visit.household, LAST, round=2) for visit in rng.sample(waiting, SECOND_ROUND)
    ]


def _schedule(rng: Random, seed: int, plans: Iterable[_Plan]) -> list[Visit]:
    """Give every planned visit its day and its people: an officer goes to one village a day, and sees several there."""
    by_tour: dict[tuple[str, Period], list[_Plan]] = {}
    for plan in plans:
        by_tour.setdefault((plan.bank, plan.period), []).append(plan)
    made: Counter[tuple[str, date]] = Counter()
    visits: list[Visit] = []
    for (_, period), tour in by_tour.items():
        tour.sort(key=lambda plan: (plan.household.town_code, plan.household.village, plan.household.household_no))
        days: Sequence[date] = workdays(period)
        day, village, left = days[0], "", 0
        for plan in tour:
            here = plan.household.town_code + plan.household.village
            if here != village or not left:
                day, village, left = rng.choice(days), here, rng.randint(4, 10)
            left -= 1
            officer = _officer(seed, plan.bank, plan.household)
            visited_on = _find_day(rng, officer, day, plan, made)
            made[officer, visited_on] += 1
            visits.append(_draw_visit(rng, seed, plan, officer, visited_on))
    return visits


def _find_day(rng: Random, officer: str, day: date, plan: _Plan, made: Mapping[tuple[str, date], int]) -> date:
    last = plan.not_after or plan.period.end
    while day > last or made[officer, day] >= MOST_IN_A_DAY:
        day = draw_workday(rng, plan.period.begin, last)
    return day


def _officer(seed: int, bank: str, household: Household) -> str:
    """Two officers of each bank share a town; the same village always sees the same one."""
    half = str(sum(map(ord, household.village)) % 2)
    return draw_name(stream(seed, "officer", bank, household.town_code, half))


def _draw_visit(rng: Random, seed: int, plan: _Plan, officer: str, visited_on: date) -> Visit:
    household = plan.household
    wants = (plan.borrows and plan.round == 1) or rng.random() < _OTHER_WANTS_SHARE
    return Visit(
        bank=plan.bank,
        household=household,
        visited_on=visited_on,
        round=plan.round,
        officer=officer,
        cadre=draw_name(stream(seed, "cadre", household.town_code, household.village)) if rng.random() < 0.93 else None,
        wants_loan=wants,
        wanted_amount=rng.randrange(10, 51) * 1000 * FEN if wants else None,
        filed=rng.random() < 0.95,
        conduct=rng.choices((1, 2, 3, 4, 5), weights=(1, 4, 25, 45, 25))[0] if rng.random() < 0.92 else None,
    )


def _plant(planting: VisitPlanting, visits: list[Visit], free: list[bool]) -> tuple[list[Visit], list[bool]]:
    own = [
        i
        for i, visit in enumerate(visits)
        if visit.bank == planting.bank and visit.period == planting.period and free[i]
    ]
    match planting.rule:
        case "V03":
            chosen = set([i for i in own if visits[i].wants_loan][: planting.count])
            if len(chosen) < planting.count:
                raise AssertionError(f"{planting} finds too few visits to households that want a loan")
            changed = [
                replace(visit, wants_loan=True, wanted_amount=None) if i in chosen else visit
                for i, visit in enumerate(visits)
            ]
            return changed, free
        case "V02":
            return _crowd_a_day(planting, visits, own), free
        case _:
            return _visit_again(planting, visits, own), [*free, False]


def _crowd_a_day(planting: VisitPlanting, visits: list[Visit], own: Sequence[int]) -> list[Visit]:
    """One officer is said to have seen more households in a day than one can."""
    busiest = Counter(visits[i].household.town_code for i in own)
    inward = sorted(own, key=lambda i: (-busiest[visits[i].household.town_code], visits[i].household.household_no))
    chosen = set(inward[: planting.count])
    if len(chosen) < planting.count:
        raise AssertionError(f"{planting} finds only {len(chosen)} visits")
    first = visits[inward[0]]
    day = workdays(planting.period)[7]
    return [
        replace(visit, officer=first.officer, visited_on=day) if i in chosen else visit
        for i, visit in enumerate(visits)
    ]


def _visit_again(planting: VisitPlanting, visits: list[Visit], own: Sequence[int]) -> list[Visit]:
    """The same officer sees the same household twice within a week."""
    last = planting.period.begin + timedelta(days=17)
    visit = next(visits[i] for i in own if visits[i].round == 2 and visits[i].visited_on <= last)
    days = workdays_between(visit.visited_on + timedelta(days=3), visit.visited_on + timedelta(days=7))
    return [*visits, replace(visit, visited_on=days[0], wants_loan=False, wanted_amount=None)]


def delivered_visits(visits: Iterable[Visit], bank: str, period: Period) -> tuple[Visit, ...]:
    """What one bank reports of one month."""
    return tuple(visit for visit in visits if visit.bank == bank and visit.period == period)


def explain_visits(visits: Iterable[Visit], bank: str, period: Period) -> tuple[tuple[str, str], ...]:
    """Rule and key of the visits that the bank explains in the same package."""
    return tuple(
        (planting.rule, visit.key)
        for planting in VISIT_PLANTINGS
        if planting.explained and (planting.bank, planting.period) == (bank, period)
        for visit in visits
        if visit.bank == bank and visit.period == period and visit.wants_loan and visit.wanted_amount is None
    )
