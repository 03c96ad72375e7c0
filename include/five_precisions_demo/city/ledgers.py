"""The banks' complete ledgers: every loan numbered, incidents planted, June brought to the published balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.events import (
    LOAN_PLANTINGS,
    SHARED_ACCOUNT,
    UNREGISTERED_HOUSEHOLD,
    X03_DIP,
    LoanPlanting,
)
from five_precisions_demo.city.identity import IdentityRegistry, draw_account, draw_name, spoil_check_character
from five_precisions_demo.city.loans import INDUSTRIAL, PERSONAL, Borrower, Cohort, Loan, trim_last_month
from five_precisions_demo.city.microcredit import OLD_LARGE_LOAN
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.timetable import LAST, add_months, month_index

MISCLASSIFIED_SINCE: Final = date(2019, 1, 9)
"""Overdue since then and still called 正常: wrong once 90 days have passed (L15)."""
_TRIMMED_ONE_IN = 5


@dataclass(frozen=True, slots=True)
class PlantedLoan:
    """A contract that an incident was planted in."""

    planting: LoanPlanting
    contract_no: str
    household_no: str | None
    """Its household; with A08 and X04 the one now written in the ledger."""


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Every loan of the city by bank and contract number, and what was planted in them."""

    loans: tuple[Loan, ...]
    planted: tuple[PlantedLoan, ...]

    def of(self, bank: str, period: Period) -> tuple[Loan, ...]:
        """The bank's ledger of that month."""
        return tuple(loan for loan in self.loans if loan.bank == bank and loan.listed_in(period))

    def households_planted(self, rule: str) -> frozenset[str]:
        """Households whose loan had that planted."""
        return frozenset(
            planted.household_no
            for planted in self.planted
            if planted.planting.rule == rule and planted.household_no is not None
        )


def keep_ledgers(
    seed: int, loans: Iterable[Loan], households: Sequence[Household], identities: IdentityRegistry
) -> Ledgers:
    """Number the loans, plant the incidents, and trim June so that the listed loans owe what was published."""
    planter = _Planter(stream(seed, "ledgers"), list(_number(loans)), households, identities)
    for planting in LOAN_PLANTINGS:
        planter.plant(planting)
    planter.share_account()
    trimmed = _trim_personal(planter.loans, planter.touched)
    _check_balances(trimmed)
    return Ledgers(tuple(trimmed), tuple(planter.planted))


def _number(loans: Iterable[Loan]) -> Iterator[Loan]:
    """Contract numbers in the order of issue; without runs of digits long enough to look like an account."""
    serial: Counter[str] = Counter()
    for loan in sorted(loans, key=lambda loan: (loan.bank, loan.issued_on)):
        serial[loan.bank] += 1
        yield replace(loan, contract_no=f"{loan.bank}-{loan.issued_on:%Y%m}-{serial[loan.bank]:05d}")


@dataclass(slots=True)
class _Planter:
    rng: Random
    loans: list[Loan]
    households: Sequence[Household]
    identities: IdentityRegistry
    touched: set[int] = field(default_factory=set)
    planted: list[PlantedLoan] = field(default_factory=list)

    def plant(self, planting: LoanPlanting) -> None:
        """Change as many contracts as the planting asks for.

        Raises:
            AssertionError: too few contracts are suitable.
        """
        for i in self._find(planting)[: planting.count]:
            self.touched.add(i)
            self.loans[i] = self._change(planting, self.loans[i])
            loan = self.loans[i]
            self.planted.append(PlantedLoan(planting, loan.contract_no, loan.borrower.household_no))

    def share_account(self) -> None:
        """Let three households be paid into one account."""
        bank, months = SHARED_ACCOUNT
        account = draw_account(self.rng)
        for month in months:
            sought = LoanPlanting(rule="X08", bank=bank, cohort=Cohort.ISSUED, issued_in=month)
            (i, *_) = self._find(sought)
            self.touched.add(i)
            self.loans[i] = replace(self.loans[i], payee_account=account)

    def _find(self, planting: LoanPlanting) -> list[int]:
        """The suitable contracts that nothing was planted in yet, the same way round for every seed."""
        borrowed = Counter(loan.borrower.household_no for loan in self.loans if loan.microcredit)
        suits = _SUITABLE.get(planting.rule, _any)
        found = [
            i
            for i, loan in enumerate(self.loans)
            if i not in self.touched
            and loan.bank == planting.bank
            and loan.cohort is planting.cohort
            and loan.overdue_from is None
            and (planting.issued_in is None or Period.of(loan.issued_on) == planting.issued_in)
            and (planting.issued_in is not None or loan.issued_on < date(2019, 1, 1))
            and (loan.cohort is not Cohort.ISSUED or borrowed[loan.borrower.household_no] == 1)
            and suits(loan)
        ]
        if len(found) < planting.count:
            raise AssertionError(f"{planting} finds {len(found)} suitable contracts")
        return found

    def _change(self, planting: LoanPlanting, loan: Loan) -> Loan:
        match planting.rule:
            case "L11":
                return replace(loan, matures_on=add_months(loan.issued_on, 38))
            case "L12":
                return replace(loan, rate=Decimal("5.22"))
            case "L13":
                return replace(loan, purpose="消费")
            case "L14":
                return replace(loan, security="保证")
            case "L15":
                return replace(loan, overdue_from=MISCLASSIFIED_SINCE, risk_class="正常")
            case "L02":
                return replace(
                    loan, borrower=replace(loan.borrower, number=spoil_check_character(loan.borrower.number))
                )
            case "X01":
                return replace(loan, unlisted_in=planting.unlisted_in)
            case "X03":
                dip = month_index(X03_DIP)
                return replace(
                    loan,
                    balances=tuple(
                        balance * 6 // 10 if i == dip else balance for i, balance in enumerate(loan.balances)
                    ),
                )
            case "X04":
                return replace(loan, borrower=replace(loan.borrower, household_no=UNREGISTERED_HOUSEHOLD))
            case "X05":
                relative = draw_name(self.rng)
                name = loan.borrower.name[0] + relative[1:]
                return replace(loan, borrower=replace(loan.borrower, name=name, number=self.identities.resident_id()))
            case "A08":
                unable = next(
                    household for household in self.households if household.county == loan.county and not household.able
                )
                return replace(loan, borrower=Borrower.head_of(unable))
            case _:
                return loan


def _any(loan: Loan) -> bool:
    del loan
    return True


def _is_idle(loan: Loan) -> bool:
    """Owed in full from the year's begin to June: nothing else happens to it that could be mistaken."""
    return 0 < loan.balances[0] == loan.balances[-1] and loan.matures_on > LAST.end


def _is_large(loan: Loan) -> bool:
    return loan.principal == OLD_LARGE_LOAN


_SUITABLE: Final[dict[str, Callable[[Loan], bool]]] = {
    "L10": _is_large,
    "L15": _is_idle,
    "X01": _is_idle,
    "X03": _is_idle,
    "X05": lambda loan: loan.balances[-1] > 0,
}


def _trim_personal(loans: Sequence[Loan], touched: set[int]) -> list[Loan]:
    """Let some personal loans pay an instalment in June, so that what is listed owes the published balance."""
    owed = sum(loan.balances[-1] for loan in loans if loan.category != "产业" and loan.listed_in(LAST))
    paying = [
        i
        for i, loan in enumerate(loans)
        if loan.cohort in PERSONAL
        and loan.cohort is not Cohort.EDUCATION
        and i not in touched
        and loan.overdue_from is None
        and loan.balances[-1]
        and i % _TRIMMED_ONE_IN == 0
    ]
    cuts = dict(zip(paying, trim_last_month(loans, owed - published.PERSONAL_BALANCE, paying), strict=True))
    return [
        replace(loan, balances=(*loan.balances[:-1], loan.balances[-1] - cuts[i])) if i in cuts else loan
        for i, loan in enumerate(loans)
    ]


def _check_balances(loans: Sequence[Loan]) -> None:
    listed = [loan for loan in loans if loan.listed_in(LAST)]
    industry = sum(loan.balances[-1] for loan in listed if loan.cohort in INDUSTRIAL)
    personal = sum(loan.balances[-1] for loan in listed if loan.cohort not in INDUSTRIAL)
    if (industry, personal) != (published.INDUSTRY_BALANCE, published.PERSONAL_BALANCE):
        raise AssertionError(f"industry {industry} and personal {personal} fen are not the published balances")
