"""The city's microcredit (扶贫小额信贷): who was lent how much, when, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import FEN, allot, apportion, wan
from five_precisions_demo.city.draws import draw_workday, shuffled, stream
from five_precisions_demo.city.identity import draw_account
from five_precisions_demo.city.loans import (
    BENCHMARK_UP_TO_A_YEAR,
    BENCHMARK_UP_TO_FIVE_YEARS,
    Borrower,
    Cohort,
    Loan,
    Repayment,
    month_end_balances,
)
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.profiles import BANK, BANKS, BankProfile
from five_precisions_demo.city.territory import YANGCHUN, YANGDONG, YANGXI
from five_precisions_demo.city.timetable import PERIODS, add_months

LIMIT: Final = wan("5")
"""The most that one household may owe."""
SMALLEST: Final = wan("0.5")
STEP: Final = 100 * FEN
SETTLED_LOANS: Final = 170
REPAID_LOANS: Final = 303
KEPT_LOANS: Final = 370
"""Without those of early 2018."""
SETTLED_THEN_KEPT: Final = 48
"""Households lent to again before 2019 after they had settled."""
SETTLED_THEN_ISSUED: Final = 60
"""Households lent to again in 2019."""

TWO_BANKS: Final = (
    ("B04", "B09", YANGCHUN),
    ("B01", "B04", YANGXI),
    ("B09", "B12", YANGCHUN),
    ("B03", "B11", YANGXI),
    ("B07", "B09", YANGCHUN),
)
"""Households lent to by two banks in 2019, within the limit."""
TWO_BANKS_OVER_LIMIT: Final = ("B03", "B10", YANGDONG)
"""The one whose two loans together are over the limit (X07, A06)."""
TWO_LOANS: Final = (("B03", YANGCHUN), ("B04", YANGCHUN), ("B09", YANGCHUN), ("B10", YANGDONG))
"""Households lent to twice by one bank in 2019, within the limit."""
OLD_LARGE_LOAN_BANK: Final = "B01"
"""Issued one loan over the limit in 2016, long settled (L10)."""
OLD_LARGE_LOAN: Final = wan("6")

_MONTH_WEIGHTS = (11, 9, 18, 19, 20, 23)
_AMOUNT_WEIGHTS = (10, 15, 20, 25, 30, 30, 35, 40, 45, 50, 50, 50)
_OWN_BANK_SHARE = 0.85
_PRODUCTION = ("种植", "种植", "养殖", "养殖", "养殖", "加工", "商贸", "服务")
_PAYS_EARLY_ONE_IN = 25


@dataclass(frozen=True, slots=True)
class _Slot:
    """A loan to be: the household and the bounds of its amount are settled, the amount is not."""

    bank: str
    cohort: Cohort
    household: Household
    floor: int = SMALLEST
    cap: int = LIMIT
    again: bool = False
    """The household settled an earlier loan."""


class _Pools:
    """Households able to work that have no microcredit yet, by county and 责任银行."""

    def __init__(self, rng: Random, households: Iterable[Household]) -> None:
        self._rng = rng
        self._pools: dict[tuple[str, str], list[Household]] = {}
        for household in shuffled(rng, [household for household in households if household.able]):
            self._pools.setdefault((household.county, household.bank_code), []).append(household)

    def take(self, bank: str, county: str) -> Household:
        """One of the county that no one was given yet, mostly one that the bank is responsible for."""
        own = self._pools.get((county, bank), [])
        others = [pool for (where, who), pool in self._pools.items() if where == county and who != bank and pool]
        pool = own if own and (self._rng.random() < _OWN_BANK_SHARE or not others) else self._rng.choice(others)
        return pool.pop()


def lend_microcredit(seed: int, households: Sequence[Household]) -> tuple[Loan, ...]:
    """Every microcredit loan since 2016, unnumbered.

    Distinct households and principal are the published ones in all, for 2019 and for the same months of 2018; what
    each bank lent is its profile's.
    """
    rng = stream(seed, "microcredit")
    pools = _Pools(rng, households)
    settled = _open_slots(pools, Cohort.SETTLED, _counts(SETTLED_LOANS, lambda bank: bank.settled_principal))
    settled = _allow_one_large_loan(settled)
    former: dict[str, list[Household]] = {}
    for slot in settled:
        former.setdefault(slot.household.county, []).append(slot.household)
    repaid = _open_slots(pools, Cohort.REPAID, _counts(REPAID_LOANS, lambda bank: bank.repaid_principal))
    prior = _open_slots(pools, Cohort.PRIOR, {bank.code: bank.prior_households for bank in BANKS})
    kept = _open_slots(pools, Cohort.KEPT, _counts(KEPT_LOANS, lambda bank: bank.kept_principal - bank.prior_principal))
    kept = _lend_again(rng, kept, former, SETTLED_THEN_KEPT)
    issued = _lend_again(rng, _open_issued_slots(pools), former, SETTLED_THEN_ISSUED)
    issued += _open_shared_slots(pools)
    loans = tuple(
        loan
        for slots in (settled, repaid, prior, kept, issued)
        for bank in BANKS
        for loan in _issue(rng, bank, [slot for slot in slots if slot.bank == bank.code])
    )
    _check_published(loans)
    return loans


def _counts(total: int, principal_of: Callable[[BankProfile], int]) -> dict[str, int]:
    numbers = apportion(total, [principal_of(bank) for bank in BANKS])
    return {bank.code: number for bank, number in zip(BANKS, numbers, strict=True)}


def _open_slots(pools: _Pools, cohort: Cohort, counts: dict[str, int]) -> list[_Slot]:
    return [
        _Slot(bank, cohort, pools.take(bank, county))
        for bank, count in counts.items()
        for county, number in zip(BANK[bank].counties, apportion(count, list(BANK[bank].shares.values())), strict=True)
        for _ in range(number)
    ]


def _allow_one_large_loan(settled: Sequence[_Slot]) -> list[_Slot]:
    large = next(i for i, slot in enumerate(settled) if slot.bank == OLD_LARGE_LOAN_BANK)
    return [
        replace(slot, floor=OLD_LARGE_LOAN, cap=OLD_LARGE_LOAN) if i == large else slot
        for i, slot in enumerate(settled)
    ]


def _lend_again(rng: Random, slots: Sequence[_Slot], former: dict[str, list[Household]], number: int) -> list[_Slot]:
    """Give that number of the slots to households of the same county that have settled, each of them once."""
    again = list(slots)
    left = number
    for i in shuffled(rng, range(len(again))):
        waiting = former.get(again[i].household.county, [])
        if left and waiting:
            again[i] = replace(again[i], household=waiting.pop(), again=True)
            left -= 1
    if left:
        raise AssertionError(f"{left} households too few have settled to be lent to again")
    return again


def _open_issued_slots(pools: _Pools) -> list[_Slot]:
    """The loans of 2019 to households with only one."""
    shared = Counter(
        (bank, county) for *banks, county in (*TWO_BANKS, TWO_BANKS_OVER_LIMIT, *TWO_LOANS) for bank in banks
    )
    return [
        _Slot(bank.code, Cohort.ISSUED, pools.take(bank.code, county))
        for bank in BANKS
        for county, number in bank.issued.items()
        for _ in range(number - shared[bank.code, county])
    ]


def _open_shared_slots(pools: _Pools) -> list[_Slot]:
    """The loans of 2019 to households with two."""
    slots: list[_Slot] = []
    for first, second, county in TWO_BANKS:
        household = pools.take(first, county)
        slots += [_Slot(bank, Cohort.ISSUED, household, cap=LIMIT // 2) for bank in (first, second)]
    first, second, county = TWO_BANKS_OVER_LIMIT
    household = pools.take(first, county)
    slots += [_Slot(bank, Cohort.ISSUED, household, floor=wan("3")) for bank in (first, second)]
    for bank, county in TWO_LOANS:
        household = pools.take(bank, county)
        slots += [_Slot(bank, Cohort.ISSUED, household, cap=LIMIT // 2)] * 2
    return slots


def _check_published(loans: Sequence[Loan]) -> None:
    """The profiles' tables must make the published numbers; a slip in them is found here, not in the figures."""
    issued = [loan for loan in loans if loan.cohort is Cohort.ISSUED]
    prior = [loan for loan in loans if loan.cohort is Cohort.PRIOR]
    made = [
        (len({loan.borrower.household_no for loan in some}), sum(loan.principal for loan in some))
        for some in (loans, issued, prior)
    ]
    expected = [
        (published.MICROCREDIT_HOUSEHOLDS, published.MICROCREDIT_PRINCIPAL),
        (published.ISSUED_HOUSEHOLDS, published.ISSUED_PRINCIPAL),
        (published.PRIOR_HOUSEHOLDS, published.PRIOR_PRINCIPAL),
    ]
    if made != expected:
        raise AssertionError(f"microcredit ever, this year and last year is {made}, published is {expected}")


def _principal_of(bank: BankProfile, cohort: Cohort) -> int:
    match cohort:
        case Cohort.SETTLED:
            return bank.settled_principal
        case Cohort.REPAID:
            return bank.repaid_principal
        case Cohort.PRIOR:
            return bank.prior_principal
        case Cohort.KEPT:
            return bank.kept_principal - bank.prior_principal
        case _:
            return bank.issued_principal


def _issue(rng: Random, bank: BankProfile, slots: Sequence[_Slot]) -> Iterator[Loan]:
    """One bank's loans of one cohort, of which the principal is settled."""
    if not slots:
        return
    cohort = slots[0].cohort
    # A little more in the largest county: it must take more than half of the year's amount for every seed (A02).
    weights = [rng.choice(_AMOUNT_WEIGHTS) * (105 if slot.household.county == YANGCHUN else 100) for slot in slots]
    principals = allot(
        _principal_of(bank, cohort),
        weights,
        floors=[slot.floor for slot in slots],
        caps=[slot.cap for slot in slots],
        step=STEP,
    )
    months = _issue_months(rng, bank, len(slots)) if cohort is Cohort.ISSUED else [None] * len(slots)
    loans = [
        _draw_loan(rng, slot, principal, month)
        for slot, principal, month in zip(slots, principals, months, strict=True)
    ]
    loans = [
        _pay_part_early(rng, loan) if i % _PAYS_EARLY_ONE_IN == _PAYS_EARLY_ONE_IN // 2 else loan
        for i, loan in enumerate(loans)
    ]
    yield from _fall_overdue(rng, loans, bank.microcredit_overdue) if cohort is Cohort.KEPT else loans


def _issue_months(rng: Random, bank: BankProfile, number: int) -> list[Period | None]:
    """A bank that does not visit yet does not lend yet either: every household is seen before it is lent to."""
    weights = [
        weight if period >= bank.first_visits else 0 for period, weight in zip(PERIODS, _MONTH_WEIGHTS, strict=True)
    ]
    counts = apportion(number, weights)
    return shuffled(rng, [period for period, count in zip(PERIODS, counts, strict=True) for _ in range(count)])


def _draw_loan(rng: Random, slot: _Slot, principal: int, month: Period | None) -> Loan:
    first, last, months = _draw_term(rng, slot, month)
    issued_on = draw_workday(rng, first, last)
    benchmark = BENCHMARK_UP_TO_A_YEAR if months <= 12 else BENCHMARK_UP_TO_FIVE_YEARS
    return Loan(
        bank=slot.bank,
        cohort=slot.cohort,
        borrower=Borrower.head_of(slot.household),
        category="个人经营",
        issued_on=issued_on,
        matures_on=add_months(issued_on, months),
        principal=principal,
        balances=month_end_balances(principal, issued_on, Repayment(months)),
        rate=benchmark if rng.random() < 0.85 else Decimal("4.20"),
        purpose=rng.choice(_PRODUCTION),
        security=rng.choice(("信用", "信用", "政府风险补偿", "政府风险补偿", "政府风险补偿")),
        subsidised=rng.random() < 0.96,
        payee_account=draw_account(rng),
    )


def _draw_term(rng: Random, slot: _Slot, month: Period | None) -> tuple[date, date, int]:
    """First and last day of issue, and the months, so that the loan ends when its cohort says."""
    recent = (date(2018, 7, 2), date(2018, 12, 28))
    match slot.cohort:
        case Cohort.SETTLED:
            return rng.choice(((date(2016, 1, 4), date(2017, 6, 20), 12), (date(2016, 1, 4), date(2016, 6, 20), 24)))
        case Cohort.REPAID:
            return rng.choice(((date(2016, 1, 4), date(2016, 6, 24), 36), (date(2017, 1, 4), date(2017, 6, 23), 24)))
        case Cohort.PRIOR:
            return date(2018, 1, 2), date(2018, 6, 28), rng.choice((24, 36, 36))
        case Cohort.KEPT if slot.again:
            return *recent, rng.choice((12, 24, 36))
        case Cohort.KEPT:
            return rng.choice(
                (
                    (date(2016, 7, 4), date(2017, 12, 28), 36),
                    (date(2016, 7, 4), date(2017, 12, 28), 36),
                    (date(2017, 7, 4), date(2017, 12, 28), 24),
                    (*recent, 12),
                    (*recent, 24),
                    (*recent, 36),
                )
            )
        case _:
            if month is None:
                raise AssertionError("a loan of 2019 needs its month")
            return month.begin + timedelta(days=6), month.begin + timedelta(days=27), rng.choice((12, 12, 24, 36, 36))


def _pay_part_early(rng: Random, loan: Loan) -> Loan:
    """A part paid back between February and May 2019, where the loan was there before and stays after."""
    month = rng.randrange(2, 6)
    if not (loan.balances[month - 1] and loan.balances[-1]):
        return loan
    left = loan.principal * rng.choice((5, 6, 8)) // 10 // STEP * STEP
    return replace(loan, balances=(*loan.balances[:month], *(left for _ in loan.balances[month:])))


def _fall_overdue(rng: Random, loans: Sequence[Loan], number: int) -> list[Loan]:
    """Let that number of old loans of about average size miss their interest, so that the ratio suits the profile."""
    middling = sorted(
        (
            i
            for i, loan in enumerate(loans)
            if loan.issued_on < date(2018, 9, 1) and loan.balances[-1] == loan.principal
        ),
        key=lambda i: (abs(loans[i].principal - wan("2.7")), i),
    )
    if number > len(middling):
        raise AssertionError("too few old loans to fall overdue")
    missed = (date(2018, 9, 21), date(2018, 12, 21), date(2019, 3, 21))
    overdue = {i: rng.choice(missed) for i in middling[:number]}
    return [replace(loan, overdue_from=overdue[i]) if i in overdue else loan for i, loan in enumerate(loans)]
