"""A loan and its balance from month to month (report `loans`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.territory import county_of
from five_precisions_demo.city.timetable import MONTH_ENDS, full_months, month_index

BENCHMARK_UP_TO_A_YEAR: Final = Decimal("4.35")
BENCHMARK_UP_TO_FIVE_YEARS: Final = Decimal("4.75")
"""The central bank's benchmark lending rates since 2015-10-24."""
_LATE_DAYS_AND_CLASSES = ((360, "损失"), (180, "可疑"), (90, "次级"), (0, "关注"))


class Cohort(StrEnum):
    """What part a loan plays in the city's totals."""

    SETTLED = "microcredit issued and settled before 2019"
    REPAID = "microcredit owed at the year's begin, repaid by June"
    KEPT = "microcredit owed at the year's begin and in June"
    PRIOR = "microcredit issued in the first half of 2018, owed in June"
    ISSUED = "microcredit issued in 2019"
    PROJECT = "industry loan to a project of the library"
    INDUSTRY = "other industry loan"
    OPERATING = "personal operating loan"
    EDUCATION = "education loan"
    CONSUMPTION = "consumption loan"


MICROCREDIT: Final = frozenset({Cohort.SETTLED, Cohort.REPAID, Cohort.KEPT, Cohort.PRIOR, Cohort.ISSUED})
PERSONAL: Final = frozenset({Cohort.OPERATING, Cohort.EDUCATION, Cohort.CONSUMPTION})
"""Loans to households that are not microcredit."""
INDUSTRIAL: Final = frozenset({Cohort.PROJECT, Cohort.INDUSTRY})


@dataclass(frozen=True, slots=True)
class Borrower:
    """Who owes: a household's head, a family member, an enterprise or a cooperative."""

    kind: str
    name: str
    number: str
    town_code: str
    household_no: str | None = None

    @classmethod
    def head_of(cls, household: Household) -> Borrower:
        """The household, by its head."""
        return cls("农户", household.head_name, household.head_id, household.town_code, household.household_no)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """One contract; amounts in fen, balances at MONTH_ENDS (0 before it was issued)."""

    bank: str
    cohort: Cohort
    borrower: Borrower
    category: str
    issued_on: date
    matures_on: date
    principal: int
    balances: tuple[int, ...]
    rate: Decimal
    purpose: str
    security: str
    subsidised: bool
    contract_no: str = ""
    project_no: str | None = None
    payee_account: str | None = None
    extended: bool = False
    overdue_from: date | None = None
    risk_class: str | None = None
    """Only where it is not what the overdue days say."""
    unlisted_in: frozenset[Period] = frozenset()
    """Months whose ledger leaves it out (X01)."""

    @property
    def county(self) -> str:
        """First six digits of the town code."""
        return county_of(self.borrower.town_code)

    @property
    def microcredit(self) -> bool:
        """是否扶贫小额信贷."""
        return self.cohort in MICROCREDIT

    @property
    def year_begin_balance(self) -> int:
        """What was owed at the end of 2018."""
        return self.balances[0]

    def balance_in(self, period: Period) -> int:
        """What is owed at the period's end."""
        return self.balances[month_index(period)]

    def listed_in(self, period: Period) -> bool:
        """Whether the ledger of that month shows it."""
        return self.issued_on <= period.end and period not in self.unlisted_in

    def overdue_days_in(self, period: Period) -> int:
        """Days since the missed instalment, while anything is owed."""
        if self.overdue_from is None or self.overdue_from >= period.end or not self.balance_in(period):
            return 0
        return (period.end - self.overdue_from).days

    def risk_class_in(self, period: Period) -> str:
        """五级分类 by the overdue days."""
        if self.risk_class is not None:
            return self.risk_class
        days = self.overdue_days_in(period)
        return next((name for more_than, name in _LATE_DAYS_AND_CLASSES if days > more_than), "正常")


@dataclass(frozen=True, slots=True)
class Repayment:
    """How a loan is paid back."""

    months: int
    instalments: int = 1
    """Equal ones over the term; one means everything at the end."""
    settled_on: date | None = None
    """Paid back early."""
    stopped_on: date | None = None
    """Nothing was paid from this day on."""


def month_end_balances(principal: int, issued_on: date, repayment: Repayment) -> tuple[int, ...]:
    """What is owed at each of MONTH_ENDS."""
    return tuple(_balance(principal, issued_on, repayment, end) for end in MONTH_ENDS)


def _balance(principal: int, issued_on: date, repayment: Repayment, end: date) -> int:
    if issued_on > end or (repayment.settled_on is not None and repayment.settled_on <= end):
        return 0
    last = end if repayment.stopped_on is None else min(end, repayment.stopped_on)
    paid = min(full_months(issued_on, last) * repayment.instalments // repayment.months, repayment.instalments)
    # A stopped loan misses the instalment of that very day.
    if repayment.stopped_on is not None and end >= repayment.stopped_on:
        paid = min(paid, repayment.instalments - 1)
    return principal - principal * paid // repayment.instalments


def trim_last_month(loans: Sequence[Loan], excess: int, open_to_it: Sequence[int]) -> tuple[int, ...]:
    """How much more each of the loans (by position) pays back in the last month, the sum being the excess.

    In proportion to what it owes, never more than half of it.

    Raises:
        ValueError: the excess is negative or more than half of what they owe.
    """
    owed = [loans[i].balances[-1] for i in open_to_it]
    room = sum(balance // 2 for balance in owed)
    if not 0 <= excess <= room:
        raise ValueError(f"cannot trim {excess} fen off loans with room for {room}")
    cuts: list[int] = []
    left, owed_left = excess, sum(owed)
    for balance in owed:
        # Taking the share of what is left by what is still owed ends at exactly 0.
        cut = left * balance // owed_left if owed_left else 0
        cuts.append(cut)
        left -= cut
        owed_left -= balance
    return tuple(cuts)
