"""Industry loans (产业精准扶贫贷款): to the library's projects and to other enterprises and cooperatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import WAN, allot
from five_precisions_demo.city.draws import draw_workday, shuffled, stream
from five_precisions_demo.city.identity import IdentityRegistry, draw_account
from five_precisions_demo.city.loans import Borrower, Cohort, Loan, Repayment, month_end_balances, trim_last_month
from five_precisions_demo.city.profiles import BANKS, BankProfile
from five_precisions_demo.city.projects import Project, first_match_day
from five_precisions_demo.city.territory import towns_of
from five_precisions_demo.city.timetable import LAST, MONTH_ENDS, add_months, full_months

SMALLEST: Final = 10 * WAN
LARGEST: Final = 800 * WAN
PROJECT_BALANCE: Final = (30_000 * WAN, 31_500 * WAN)
"""What the projects owe in June lies between; loans without a project make up the rest."""
SLACK_PER_MILLE: Final = 4
"""How much more than published is owed before the last month's instalments bring it down to the published balance."""
OVERDUE: Final = {"B05": date(2019, 4, 21), "B12": date(2019, 6, 3)}
"""Banks with a larger loan overdue since that day: more than 3 %, or a point more than last month (A11)."""

_OVERDUE_SHARE = 8
_PURPOSE_OF = {
    "种植": "种植",
    "养殖": "养殖",
    "加工": "加工",
    "旅游": "服务",
    "光伏": "其他",
    "电商": "商贸",
    "其他": "其他",
}
_COMPANY_WORDS = ("南岭", "东平", "西海", "望江", "漠阳", "大澳", "春江", "八甲", "那旦", "石河")
_COMPANY_TRADES = (("种植", "果业"), ("养殖", "牧业"), ("加工", "食品"), ("商贸", "商贸"), ("服务", "农机服务"))
_RATES = (Decimal("4.35"), Decimal("4.75"), Decimal("5.22"), Decimal("5.70"))


def lend_to_industry(seed: int, projects: Sequence[Project], identities: IdentityRegistry) -> tuple[Loan, ...]:
    """Every industry loan since 2016, unnumbered: the published project principal and the published balance in June."""
    rng = stream(seed, "industry")
    to_projects = _steer(rng, _lend_to_projects(rng, projects))
    needed = published.INDUSTRY_BALANCE * (1000 + SLACK_PER_MILLE) // 1000
    needed -= sum(loan.balances[-1] for loan in to_projects)
    loans = _let_fall_overdue([*to_projects, *_lend_to_others(rng, identities, needed)])
    excess = sum(loan.balances[-1] for loan in loans) - published.INDUSTRY_BALANCE
    paying = [i for i, loan in enumerate(loans) if loan.balances[-1] and loan.overdue_from is None and i % 3]
    for i, cut in zip(paying, trim_last_month(loans, excess, paying), strict=True):
        *before, last = loans[i].balances
        loans[i] = replace(loans[i], balances=(*before, last - cut))
    return tuple(loans)


def _lend_to_projects(rng: Random, projects: Sequence[Project]) -> list[Loan]:
    pairs = _pair_with_banks(rng, projects)
    weights = [rng.choice((30, 50, 80, 100, 150, 200, 300, 500)) for _ in pairs]
    principals = allot(
        published.PROJECT_PRINCIPAL,
        weights,
        floors=[SMALLEST] * len(pairs),
        caps=[LARGEST] * len(pairs),
        step=WAN,
    )
    return [
        _draw_project_loan(rng, bank, project, principal)
        for (bank, project), principal in zip(pairs, principals, strict=True)
    ]


def _steer(rng: Random, loans: Sequence[Loan]) -> list[Loan]:
    """Let loans, one after another, pay back sooner or later until the projects owe an amount within PROJECT_BALANCE.

    Chance alone would now and then leave no room, or far too much, for the loans without a project.
    """
    lowest, highest = PROJECT_BALANCE
    steered = list(loans)
    owed = sum(loan.balances[-1] for loan in steered)
    for i in shuffled(rng, range(len(steered))):
        if lowest <= owed <= highest:
            break
        loan = steered[i]
        months = full_months(loan.issued_on, loan.matures_on)
        repayment = Repayment(months, instalments=months // 6 if owed > highest else 1)
        balances = month_end_balances(loan.principal, loan.issued_on, repayment)
        if (balances[-1] < loan.balances[-1]) is (owed > highest):
            steered[i] = replace(loan, balances=balances)
            owed += balances[-1] - loan.balances[-1]
    return steered


def _pair_with_banks(rng: Random, projects: Sequence[Project]) -> list[tuple[BankProfile, Project]]:
    """Which bank lends to which project: each bank as often as its profile says, projects without a loan first."""
    funded = [project for project in projects if project.funded]
    times = {project.project_no: 0 for project in funded}
    pairs: list[tuple[BankProfile, Project]] = []
    # Banks with little choice come first, or others would have taken what was pushed to all.
    for bank in sorted(BANKS, key=lambda bank: (len(bank.shares), bank.project_loans, bank.code)):
        offered = [project for project in funded if project.offered_to(bank.code, bank.counties)]
        lent_to: set[str] = set()
        for turn in range(bank.project_loans):
            # A bank goes through its projects once before it lends to one again.
            fresh = [project for project in offered if project.project_no not in lent_to] or offered
            least = min(times[project.project_no] for project in fresh)
            own = [project for project in fresh if project.pushed_to == bank.code and not times[project.project_no]]
            rarest = own if own and turn % 3 else [p for p in fresh if times[p.project_no] == least]
            project = rng.choice(rarest)
            times[project.project_no] += 1
            lent_to.add(project.project_no)
            pairs.append((bank, project))
    return pairs


def _draw_project_loan(rng: Random, bank: BankProfile, project: Project, principal: int) -> Loan:
    first = max(project.entered_on + timedelta(days=5), first_match_day(bank))
    last = min(max(first + timedelta(days=20), add_months(project.entered_on, 9)), LAST.end - timedelta(days=2))
    return _draw_loan(
        rng,
        bank.code,
        Cohort.PROJECT,
        Borrower(
            "合作社" if project.is_cooperative else "企业", project.operator, project.operator_id, project.town_code
        ),
        draw_workday(rng, first, last),
        principal,
        _PURPOSE_OF[project.industry],
        project.project_no,
    )


def _lend_to_others(rng: Random, identities: IdentityRegistry, balance: int) -> list[Loan]:
    """Loans without a project that owe at least the balance in June, and little more."""
    drafts = [
        _draw_loan(
            rng,
            bank.code,
            Cohort.INDUSTRY,
            borrower,
            draw_workday(rng, date(2016, 9, 1), date(2019, 5, 28)),
            rng.choice((40, 60, 80, 100, 120, 150)) * WAN,
            purpose,
            None,
        )
        for bank in BANKS
        for purpose, borrower in (_draw_company(rng, identities, bank) for _ in range(bank.other_industry_loans))
    ]
    owed = sum(loan.balances[-1] for loan in drafts)
    return [_scale(loan, balance, owed) for loan in drafts]


def _scale(loan: Loan, numerator: int, denominator: int) -> Loan:
    """The same loan over a principal of that many times as much, rounded up to whole 万元."""
    principal = -(-loan.principal * numerator // denominator // WAN) * WAN
    return replace(
        loan,
        principal=principal,
        balances=tuple(balance * principal // loan.principal for balance in loan.balances),
    )


def _draw_company(rng: Random, identities: IdentityRegistry, bank: BankProfile) -> tuple[str, Borrower]:
    county = rng.choice(bank.counties)
    purpose, trade = rng.choice(_COMPANY_TRADES)
    is_cooperative = rng.random() < 0.3
    ending = "农民专业合作社" if is_cooperative else "有限公司"
    return purpose, Borrower(
        "合作社" if is_cooperative else "企业",
        f"阳江{rng.choice(_COMPANY_WORDS)}{trade}{ending}",
        identities.social_credit_code(county, is_cooperative=is_cooperative),
        rng.choice(towns_of(county)).code,
    )


def _draw_loan(
    rng: Random,
    bank: str,
    cohort: Cohort,
    borrower: Borrower,
    issued_on: date,
    principal: int,
    purpose: str,
    project_no: str | None,
) -> Loan:
    months = rng.choice((12, 24, 36, 36, 60))
    # At the end, once a year, or twice a year.
    repayment = Repayment(months, instalments=rng.choice((1, 1, months // 12, months // 6)))
    return Loan(
        bank=bank,
        cohort=cohort,
        borrower=borrower,
        category="产业",
        issued_on=issued_on,
        matures_on=add_months(issued_on, months),
        principal=principal,
        balances=month_end_balances(principal, issued_on, repayment),
        rate=rng.choice(_RATES),
        purpose=purpose,
        security=rng.choice(("抵押", "抵押", "保证", "质押", "政府风险补偿")),
        subsidised=rng.random() < 0.3,
        project_no=project_no,
        payee_account=draw_account(rng),
    )


def _let_fall_overdue(loans: Sequence[Loan]) -> list[Loan]:
    """In each bank of OVERDUE, the loan nearest to a fixed share of the industry balance misses an instalment."""
    overdue = {
        min(
            (i for i, loan in enumerate(loans) if loan.bank == bank and loan.balances[-1] and loan.issued_on < since),
            key=lambda i, bank=bank: _distance_to_share(loans, bank, i),  # type: ignore[misc]
        ): since
        for bank, since in OVERDUE.items()
    }
    return [
        replace(loan, overdue_from=overdue[i], balances=_stop(loan, overdue[i])) if i in overdue else loan
        for i, loan in enumerate(loans)
    ]


def _distance_to_share(loans: Sequence[Loan], bank: str, i: int) -> int:
    owed = sum(loan.balances[-1] for loan in loans if loan.bank == bank)
    return abs(loans[i].balances[-1] - owed * _OVERDUE_SHARE // 100)


def _stop(loan: Loan, since: date) -> tuple[int, ...]:
    """The balances of a loan on which nothing is paid from that day on."""
    index = next(i for i, end in enumerate(MONTH_ENDS) if end >= since)
    return (*loan.balances[:index], *(loan.balances[index] for _ in loan.balances[index:]))
