"""Loans to households that are not microcredit: operating, education, consumption (个人精准扶贫贷款)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

from five_precisions_demo.city.allotment import FEN, WAN, apportion
from five_precisions_demo.city.draws import draw_workday, stream
from five_precisions_demo.city.identity import draw_account
from five_precisions_demo.city.loans import Borrower, Cohort, Loan, Repayment, month_end_balances
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.profiles import BANK, BANKS
from five_precisions_demo.city.timetable import LAST, add_months

SLACK_PER_MILLE: Final = 6
"""How much more than needed is owed before the last month's instalments (`ledgers`) bring it down."""
OVERDUE_PER_THOUSAND: Final = 9
LARGEST_OVERDUE: Final = 6 * WAN
"""In a small bank, a larger one would show as a leap of the overdue ratio (A11)."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a kind of loan is made: terms in months, principals before scaling in 百元, purposes, securities, rates."""

    category: str
    weight: int
    terms: tuple[int, ...]
    principals: tuple[int, ...]
    instalments_a_year: tuple[int, ...]
    """0 means everything at the end."""
    purposes: tuple[str, ...]
    securities: tuple[str, ...]
    rates: tuple[str, ...]
    settled_early: float
    step: int
    """Principals are multiples of this many yuan."""


_MANNERS: Final = {
    Cohort.OPERATING: _Manner(
        category="个人经营",
        weight=40,
        terms=(12, 24, 24, 36, 36),
        principals=(200, 300, 400, 500, 500, 800, 1000, 1500),
        instalments_a_year=(0, 1, 2, 4),
        purposes=("种植", "种植", "养殖", "养殖", "加工", "商贸", "服务"),
        securities=("保证", "保证", "抵押", "信用"),
        rates=("5.66", "6.53", "7.83", "8.70"),
        settled_early=0.12,
        step=1000,
    ),
    Cohort.EDUCATION: _Manner(
        category="个人教育",
        weight=35,
        terms=(60, 84, 120),
        principals=(60, 80, 80, 120, 160, 240),
        instalments_a_year=(0, 0, 0, 1),
        purposes=("教育",),
        securities=("信用",),
        rates=("4.90",),
        settled_early=0.25,
        step=200,
    ),
    Cohort.CONSUMPTION: _Manner(
        category="个人消费",
        weight=25,
        terms=(12, 24, 36, 36, 60),
        principals=(100, 200, 300, 500, 800, 1200),
        instalments_a_year=(0, 1, 12, 12),
        purposes=("消费", "消费", "建房"),
        securities=("信用", "保证", "抵押"),
        rates=("5.66", "6.80", "8.40"),
        settled_early=0.15,
        step=1000,
    ),
}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A loan of which only the amount waits for the scale."""

    loan: Loan
    repayment: Repayment


def lend_to_persons(seed: int, households: Sequence[Household], balance: int) -> tuple[Loan, ...]:
    """Every other loan to households since 2016, unnumbered; together they owe in June the balance or a little more.

    The scale of the amounts follows from what is needed; what is over is trimmed when the ledgers are complete.
    """
    rng = stream(seed, "personal")
    by_county: dict[str, list[Household]] = {}
    for household in households:
        by_county.setdefault(household.county, []).append(household)
    drafts = [
        _draw_draft(rng, bank.code, cohort, rng.choice(by_county[county]))
        for bank in BANKS
        for cohort, number in zip(
            _MANNERS,
            apportion(bank.personal_loans, [manner.weight for manner in _MANNERS.values()]),
            strict=True,
        )
        for county in rng.choices(bank.counties, weights=list(BANK[bank.code].shares.values()), k=number)
    ]
    loans = _scale(drafts, balance * (1000 + SLACK_PER_MILLE) // 1000)
    return _fall_overdue(rng, loans)


def _draw_draft(rng: Random, bank: str, cohort: Cohort, household: Household) -> _Draft:
    manner = _MANNERS[cohort]
    months = rng.choice(manner.terms)
    issued_on = _draw_issue_day(rng)
    matures_on = add_months(issued_on, months)
    a_year = rng.choice(manner.instalments_a_year)
    settled_on = (
        draw_workday(rng, add_months(issued_on, 4), min(matures_on, LAST.end))
        if rng.random() < manner.settled_early and issued_on < date(2019, 1, 1)
        else None
    )
    repayment = Repayment(months, instalments=max(1, months * a_year // 12), settled_on=settled_on)
    principal = rng.choice(manner.principals) * rng.randint(80, 125) * FEN
    loan = Loan(
        bank=bank,
        cohort=cohort,
        borrower=Borrower.head_of(household),
        category=manner.category,
        issued_on=issued_on,
        matures_on=matures_on,
        principal=principal,
        balances=month_end_balances(principal, issued_on, repayment),
        rate=Decimal(rng.choice(manner.rates)),
        purpose=rng.choice(manner.purposes),
        security=rng.choice(manner.securities),
        subsidised=cohort is Cohort.EDUCATION or rng.random() < 0.1,
        payee_account=draw_account(rng) if rng.random() < 0.7 else None,
        extended=rng.random() < 0.01,
    )
    return _Draft(loan, repayment)


def _draw_issue_day(rng: Random) -> date:
    """More loans in later years."""
    year = rng.choices((2016, 2017, 2018, 2019), weights=(18, 26, 34, 22))[0]
    last = LAST.end if year == LAST.year else date(year, 12, 31)
    return draw_workday(rng, date(year, 1, 4), last)


def _scale(drafts: Sequence[_Draft], balance: int) -> list[Loan]:
    """Multiply the principals so that the loans owe at least the balance in June."""
    owed = sum(draft.loan.balances[-1] for draft in drafts)
    numerator = balance
    while True:
        loans = [_rescale(draft, numerator, owed) for draft in drafts]
        reached = sum(loan.balances[-1] for loan in loans)
        if reached >= balance:
            return loans
        # Rounding to whole steps fell short; ask for a little more.
        numerator += 2 * (balance - reached)


def _rescale(draft: _Draft, numerator: int, denominator: int) -> Loan:
    step = _MANNERS[draft.loan.cohort].step * FEN
    principal = max(step, (2 * draft.loan.principal * numerator // denominator + step) // (2 * step) * step)
    return replace(
        draft.loan,
        principal=principal,
        balances=month_end_balances(principal, draft.loan.issued_on, draft.repayment),
    )


def _fall_overdue(rng: Random, loans: Sequence[Loan]) -> tuple[Loan, ...]:
    """A few loans owed in full all year miss an instalment; they stay as they are from then on."""
    result: list[Loan] = []
    for loan in loans:
        idle = 0 < loan.balances[0] == loan.balances[-1] <= LARGEST_OVERDUE
        if idle and rng.randrange(1000) < 2 * OVERDUE_PER_THOUSAND:
            since = draw_workday(rng, date(2018, 7, 2), date(2019, 6, 14))
            result.append(replace(loan, overdue_from=max(since, loan.issued_on)))
        else:
            result.append(loan)
    return tuple(result)
