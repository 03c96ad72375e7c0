"""The figures a second time, in plain pandas, from the words of docs/reports.md and docs/figures.md alone.

Written without a look at the SQL, so that a mistake has to be made twice to pass. Amounts are decimals, ratios
fractions: nothing here is rounded but the scores. A figure that cannot be said is None.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from five_precisions.period import Period

OWED = {
    "bank": ("loans", "position", "visits", "outreach", "grid", "matches"),
    "county_office": ("outreach", "households", "projects", "guarantee_funds"),
    "centre": ("league", "inspections"),
}
COLUMNS = {
    "loans": (
        "contract_no borrower_id_hash household_no category microcredit town_code issued_on principal balance "
        "overdue_days project_no payee_account_hash"
    ),
    "position": "county_code all_loans all_loans_year_begin microcredit_year_begin",
    "visits": "household_no visited_on round wants_loan conduct",
    "outreach": "held_on town_code",
    "grid": "outlet_code",
    "matches": "project_no status paired",
    "households": ("household_no town_code members workers income_per_head debts has_business trained bank_code"),
    "projects": "project_no town_code status pushed_to",
    "guarantee_funds": "bank_code kind year due_amount due_on arrived_amount",
    "league": "city_code ytd_amount",
    "inspections": "finding_no institution_code due_on mended_on",
}
WEIGHTS = {"growth": 20, "completion": 40, "matching": 10, "visits": 10, "quality": 10, "reporting": 10}
TIERS = (("AAA", 85), ("AA", 70), ("A", 55), ("B", 0))
GRADES = (("优秀", 90), ("良好", 80), ("一般", 60), ("勉励", 0))
WAN = 10_000

Rows = list[dict[str, Any]]
Value = Fraction | None
Figures = dict[tuple[str, str, str], Value]
"""Value by metric, scope and code."""
Case = tuple[str, str, str]
"""Rule, institution and subject."""


@dataclass(frozen=True)
class Institution:
    kind: str
    division: str
    opened_on: date = date(2010, 1, 1)
    closed_on: date | None = None

    def is_open(self, period: Period) -> bool:
        return self.opened_on <= period.end and (self.closed_on is None or self.closed_on > period.end)


@dataclass(frozen=True)
class Register:
    city: str
    towns: Mapping[str, tuple[str, ...]]
    """The towns of each county."""
    institutions: Mapping[str, Institution]

    def open(self, kind: str, period: Period) -> list[str]:
        return sorted(code for code, found in self.institutions.items() if found.kind == kind and found.is_open(period))

    def codes(self, scope: str, period: Period) -> list[str]:
        match scope:
            case "city":
                return [self.city]
            case "county":
                return sorted(self.towns)
            case "town":
                return sorted(town for towns in self.towns.values() for town in towns)
            case _:
                return self.open("bank", period)

    def offices(self, county: str) -> set[str]:
        return {
            code
            for code, found in self.institutions.items()
            if found.kind == "county_office" and found.division == county
        }


@dataclass(frozen=True)
class Delivery:
    """One judged version of one institution: the rows of what was accepted (none = a nil return)."""

    institution: str
    version: int
    received_at: datetime
    accepted: Mapping[str, Rows]
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Month:
    """What had been judged when the month was closed."""

    period: Period
    deadline_at: datetime
    deliveries: tuple[Delivery, ...]
    broken_contracts: frozenset[tuple[str, str]] = frozenset()
    """Bank and contract for which A10 holds: what intake found, so no matter of the figures."""


@dataclass(frozen=True)
class Assessed:
    score: Decimal | None
    deductions: Decimal | None
    grade: str | None
    rank: int | None
    previous_rank: int | None
    points: Mapping[str, Value]

    @property
    def is_ranked(self) -> bool:
        return self.score is not None


@dataclass
class Standing:
    """Everything said about one month."""

    period: Period
    figures: Figures
    targets: dict[str, int]
    cases: dict[Case, str]
    """Level of each alert that is open."""
    accounts: dict[str, int]
    """How many payee accounts each bank's open A07 are about; an account is written as a keyed hash."""
    scores: dict[str, tuple[Decimal, str, Decimal]]
    """Score, tier and credit limit of each household able to work."""
    assessments: dict[str, Assessed]


class NoFundsError(Exception):
    """No guarantee and subsidy funds at all: no targets, and no figures."""


def total(column: Iterable[Any]) -> Fraction:
    return Fraction(sum(column, Decimal(0)))


def per_cent(part: Value, whole: Value) -> Value:
    return None if part is None or not whole else part / whole * 100


def growth(now: Value, before: Value) -> Value:
    return None if now is None or not before else (now / before - 1) * 100


def half_up(value: Fraction) -> Decimal:
    """Two decimals; nothing here is negative."""
    return Decimal(int(value * 100 + Fraction(1, 2))) / 100


def ranked(values: Mapping[str, Decimal | Fraction]) -> dict[str, int]:
    """Highest first; equals share the better place."""
    return {code: 1 + sum(other > value for other in values.values()) for code, value in values.items()}


def _frame(report: str, rows: Rows) -> pd.DataFrame:
    names = [*COLUMNS[report].split(), "institution", "received_at"]
    return pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype=object)


class _Books:
    """What stands for one month: of each report the newest accepted version, and who has it."""

    def __init__(self, month: Month) -> None:
        standing: dict[tuple[str, str], Delivery] = {}
        for delivery in sorted(month.deliveries, key=lambda delivery: delivery.version):
            for report in delivery.accepted:
                standing[delivery.institution, report] = delivery
        self.present: dict[str, set[str]] = {
            report: {who for who, code in standing if code == report} for report in COLUMNS
        }
        self._frames = {
            report: _frame(
                report,
                [
                    row | {"institution": who, "received_at": delivery.received_at}
                    for (who, code), delivery in sorted(standing.items())
                    if code == report
                    for row in delivery.accepted[report]
                ],
            )
            for report in COLUMNS
        }

    def __getitem__(self, report: str) -> pd.DataFrame:
        return self._frames[report]


def _places(frame: pd.DataFrame, register: Register, bank: str) -> pd.DataFrame:
    """With the code of each scope beside each row; `bank` is the column that names the bank."""
    return frame.assign(
        **{"at city": register.city, "at county": frame.town_code.str[:6], "at town": frame.town_code},
        **{"at bank": frame[bank]},
    )


@dataclass
class _Scopes:
    register: Register
    period: Period

    def each(self, frame: pd.DataFrame, *scopes: str) -> Iterable[tuple[str, str, pd.DataFrame]]:
        """The rows of every code of every scope, those without rows too."""
        for scope in scopes:
            groups = dict(iter(frame.groupby(f"at {scope}"))) if len(frame) else {}
            for code in self.register.codes(scope, self.period):
                yield scope, code, groups.get(code, frame.iloc[:0])

    def has_office(self, present: set[str], scope: str, code: str) -> bool:
        """Whether the office of a county or town has the report; for city and banks whether any has it."""
        if scope in ("county", "town"):
            return bool(self.register.offices(code[:6]) & present)
        return bool(present)


def _issued(loans: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    return loans[(loans.issued_on >= first) & (loans.issued_on <= last)]


def _loans(books: _Books, scopes: _Scopes) -> Figures:
    figures: Figures = {}
    loans = _places(books["loans"], scopes.register, "institution")
    period = scopes.period
    before = Period(period.year - 1, period.month)
    for scope, code, part in scopes.each(loans, "city", "county", "town", "bank"):
        names = ("loan_balance", "loan_count", "overdue_ratio", "microcredit_ytd_households")
        names += ("microcredit_ytd_amount", "microcredit_ytd_amount_yoy", "microcredit_overdue_ratio")
        missing = not books.present["loans"] if scope != "bank" else code not in books.present["loans"]
        if missing:
            figures |= {(name, scope, code): None for name in names}
            continue
        micro = part[part.microcredit.astype(bool)]
        now = _issued(micro, date(period.year, 1, 1), period.end)
        prior = _issued(micro, date(before.year, 1, 1), before.end)
        amount = total(now.principal) / WAN
        values = (
            total(part.balance) / WAN,
            Fraction(int((part.balance > 0).sum())),
            per_cent(total(part[part.overdue_days > 0].balance), total(part.balance)),
            Fraction(now.household_no.nunique()),
            amount,
            growth(amount, total(prior.principal) / WAN),
            per_cent(total(micro[micro.overdue_days > 0].balance), total(micro.balance)),
        )
        figures |= {(name, scope, code): value for name, value in zip(names, values, strict=True)}
    return figures


def _position(books: _Books, scopes: _Scopes) -> Figures:
    figures: Figures = {}
    both = books.present["loans"] & books.present["position"]
    position = _places(books["position"].rename(columns={"county_code": "town_code"}), scopes.register, "institution")
    loans = _places(books["loans"], scopes.register, "institution")
    micro = loans[loans.microcredit.astype(bool) & loans.institution.isin(both)]
    balances = {(scope, code): part.balance for scope, code, part in scopes.each(micro, "city", "county", "bank")}
    for scope, code, part in scopes.each(position, "city", "county", "bank"):
        who = {code} if scope == "bank" else books.present["position"]
        there = bool(who & books.present["position"])
        figures["all_loans_growth", scope, code] = (
            growth(total(part.all_loans), total(part.all_loans_year_begin)) if there else None
        )
        figures["microcredit_year_begin", scope, code] = total(part.microcredit_year_begin) if there else None
        begin = total(part[part.institution.isin(both)].microcredit_year_begin)
        figures["microcredit_growth", scope, code] = (
            growth(total(balances[scope, code]) / WAN, begin) if who & both else None
        )
    return figures


def _matching(books: _Books, scopes: _Scopes) -> Figures:
    figures: Figures = {}
    projects = books["projects"]
    projects = _places(projects[projects.status != "退出"], scopes.register, "pushed_to")
    matches = books["matches"]
    taken = set(matches[matches.status.isin(["已授信", "已放款"])].project_no)
    for scope, code, part in scopes.each(projects, "city", "county"):
        there = scopes.has_office(books.present["projects"], scope, code) and bool(books.present["matches"])
        figures["match_rate", scope, code] = (
            per_cent(Fraction(int(part.project_no.isin(taken).sum())), Fraction(len(part))) if there else None
        )
    for bank in scopes.register.codes("bank", scopes.period):
        figures["projects_offered", "bank", bank] = figures["match_rate", "bank", bank] = None
        if bank not in books.present["position"] or not books.present["projects"]:
            continue
        position = books["position"]
        counties = set(position[position.institution == bank].county_code)
        to_all = projects.pushed_to.isna() & projects["at county"].isin(counties)
        offered = projects[(projects.pushed_to == bank) | to_all]
        figures["projects_offered", "bank", bank] = Fraction(len(offered))
        if bank in books.present["matches"]:
            own = set(matches[matches.institution == bank].project_no)
            figures["match_rate", "bank", bank] = per_cent(
                Fraction(int(offered.project_no.isin(own).sum())), Fraction(len(offered))
            )
    return figures


def _able(books: _Books, register: Register) -> pd.DataFrame:
    households = books["households"]
    return _places(households[households.workers > 0], register, "bank_code")


def _visits(books: _Books, visits: pd.DataFrame, reached: set[int], scopes: _Scopes) -> tuple[Figures, set[int]]:
    """Figures, and the rounds that reached 85% of the city this month."""
    figures: Figures = {}
    current = 1
    while current in reached:
        current += 1
    able = _able(books, scopes.register)
    seen: dict[int, set[str]] = defaultdict(set)
    latest: dict[str, tuple[date, datetime, bool]] = {}
    for row in visits.itertuples(index=False):
        seen[row.round].add(row.household_no)
        visit = (row.visited_on, row.received_at, bool(row.wants_loan))
        latest[row.household_no] = max(visit, latest.get(row.household_no, visit))
    loans = books["loans"]
    owing = set(loans[loans.microcredit.astype(bool) & (loans.balance > 0)].household_no)
    wanting = {household for household, (_, _, wants) in latest.items() if wants} - owing

    def coverage(part: pd.DataFrame, number: int) -> Value:
        return per_cent(Fraction(int(part.household_no.isin(seen[number]).sum())), Fraction(len(part)))

    for scope, code, part in scopes.each(able, "city", "county", "town", "bank"):
        there = scopes.has_office(books.present["households"], scope, code)
        now = coverage(part, current)
        best = now if now is None or current == 1 else max(now, coverage(part, current - 1) or Fraction(0))
        figures["visit_coverage", scope, code] = now if there else None
        figures["visit_coverage_standing", scope, code] = best if there else None
        figures["households_wanting", scope, code] = (
            Fraction(int(part.household_no.isin(wanting).sum())) if there and books.present["loans"] else None
        )
        figures["households_able", scope, code] = Fraction(len(part)) if there else None
    return figures, {number for number in list(seen) if (coverage(able, number) or 0) >= 85}


def _score(household: Any, marks: list[int]) -> Decimal:
    income, debts = Fraction(household.income_per_head), Fraction(household.debts)
    points = Fraction({1: 10, 2: 15}.get(household.workers, 20))
    points += 5 + 5 * sum(income >= limit for limit in (4000, 6000, 8000))
    if debts == 0:
        points += 15
    elif income > 0:
        burden = debts / (income * household.members)
        points += 10 if burden <= Fraction(1, 2) else 5 if burden <= 1 else 0
    points += 15 if household.has_business else 0
    points += 10 if household.trained else 0
    points += Fraction(sum(marks), len(marks)) * 4 if marks else 12
    return half_up(points)


def _scores(
    books: _Books, visits: pd.DataFrame, scopes: _Scopes
) -> tuple[Figures, dict[str, tuple[Decimal, str, Decimal]]]:
    marks: dict[str, list[int]] = defaultdict(list)
    for row in visits.itertuples(index=False):
        if row.conduct is not None:
            marks[row.household_no].append(int(row.conduct))
    loans = books["loans"]
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for row in loans[loans.microcredit.astype(bool)].itertuples(index=False):
        owed[row.household_no] += Decimal(row.balance)
    limits = {"AAA": 50_000, "AA": 30_000, "A": 10_000, "B": 0}
    scores: dict[str, tuple[Decimal, str, Decimal]] = {}
    able = _able(books, scopes.register)
    for row in able.itertuples(index=False):
        score = _score(row, marks[row.household_no])
        tier = next(name for name, least in TIERS if score >= least)
        scores[row.household_no] = (score, tier, max(Decimal(0), limits[tier] - owed[row.household_no]))
    figures: Figures = {}
    for scope, code, part in scopes.each(able, "city", "county", "town", "bank"):
        there = scopes.has_office(books.present["households"], scope, code)
        own = [scores[number] for number in part.household_no]
        mean = total(score for score, _, _ in own) / len(own) if own else None
        figures["score_average", scope, code] = mean if there else None
        for tier, _ in TIERS:
            count = Fraction(sum(found == tier for _, found, _ in own))
            figures[f"households_tier_{tier}", scope, code] = count if there else None
    return figures, scores


def _funds(books: _Books, scopes: _Scopes) -> Figures:
    funds = books["guarantee_funds"]
    division = {code: found.division for code, found in scopes.register.institutions.items()}
    due = _places(
        funds[funds.due_on <= scopes.period.end].assign(
            town_code=lambda part: part.institution.map(division).astype(object)
        ),
        scopes.register,
        "bank_code",
    )
    return {
        ("fund_arrival_rate", scope, code): (
            per_cent(total(part.arrived_amount), total(part.due_amount))
            if scopes.has_office(books.present["guarantee_funds"], scope, code)
            else None
        )
        for scope, code, part in scopes.each(due, "city", "county", "bank")
    }


def _outreach(history: list[tuple[Period, _Books]], scopes: _Scopes) -> Figures:
    period = scopes.period
    quarter = {
        town
        for month, books in history
        if month.year == period.year and (month.month - 1) // 3 == (period.month - 1) // 3
        for town in books["outreach"].town_code
    }
    figures: Figures = {}
    for county, towns in scopes.register.towns.items():
        figures["outreach_town_coverage", "county", county] = per_cent(
            Fraction(len(quarter & set(towns))), Fraction(len(towns))
        )
    towns_of_city = scopes.register.codes("town", period)
    figures["outreach_town_coverage", "city", scopes.register.city] = per_cent(
        Fraction(len(quarter & set(towns_of_city))), Fraction(len(towns_of_city))
    )
    return figures


@dataclass
class _Reporting:
    """Expected, received, on time and at once: counts by institution."""

    expected: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    on_time: Counter[str] = field(default_factory=Counter)
    at_once: Counter[str] = field(default_factory=Counter)

    def add(self, other: _Reporting) -> None:
        for name in ("expected", "received", "on_time", "at_once"):
            getattr(self, name).update(getattr(other, name))


def _reporting(month: Month, register: Register) -> tuple[Figures, _Reporting]:
    counts = _Reporting()
    for kind, reports in OWED.items():
        for who in register.open(kind, month.period):
            for report in reports:
                counts.expected[who] += 1
                own = sorted(
                    (
                        delivery
                        for delivery in month.deliveries
                        if delivery.institution == who and (report in delivery.accepted or report in delivery.rejected)
                    ),
                    key=lambda delivery: delivery.version,
                )
                taken = [delivery for delivery in own if report in delivery.accepted]
                if taken:
                    counts.received[who] += 1
                    counts.on_time[who] += taken[0].received_at < month.deadline_at
                    counts.at_once[who] += own[0] is taken[0]
    figures: Figures = {}
    parts = {("city", register.city): set(counts.expected)}
    parts |= {("county", county): register.offices(county) & set(counts.expected) for county in register.towns}
    parts |= {("bank", bank): {bank} for bank in register.open("bank", month.period)}
    for (scope, code), who in parts.items():
        figures["first_pass_rate", scope, code] = per_cent(
            Fraction(sum(counts.at_once[one] for one in who)), Fraction(sum(counts.received[one] for one in who))
        )
    return figures, counts


def _league(books: _Books, register: Register) -> Figures:
    league = books["league"]
    own = league[league.city_code == register.city].ytd_amount
    rank = Fraction(1 + int((league.ytd_amount > own.iloc[0]).sum())) if len(own) else None
    return {("province_rank", "city", register.city): rank}


def split(households: int, funds: Mapping[str, Fraction]) -> dict[str, int]:
    """Largest remainder: ties to the larger fund, then the smaller code.

    Raises:
        NoFundsError: no funds at all.
    """
    if not sum(funds.values()):
        raise NoFundsError
    quotas = {bank: households * fund / sum(funds.values()) for bank, fund in funds.items()}
    parts = {bank: int(quota) for bank, quota in quotas.items()}
    order = sorted(funds, key=lambda bank: (parts[bank] - quotas[bank], -funds[bank], bank))
    for bank in order[: households - sum(parts.values())]:
        parts[bank] += 1
    return parts


def _targets(year: int, households: int, history: list[tuple[Period, _Books]], register: Register) -> dict[str, int]:
    december = [month for month in history if month[0] == Period(year - 1, 12)]
    basis, books = (december or history)[0]
    funds = books["guarantee_funds"]
    return split(
        households,
        {bank: total(funds[funds.bank_code == bank].arrived_amount) for bank in register.open("bank", basis)},
    )


def _holding(books: _Books, month: Month) -> dict[Case, str]:
    """A01, A06, A07 and A10, as far as the data show them."""
    end = month.period.end
    cases: dict[Case, str] = {}
    for row in books["guarantee_funds"].itertuples(index=False):
        if row.due_on < end and row.arrived_amount < row.due_amount:
            level = "high" if (end - row.due_on).days > 60 else "medium"
            cases["A01", row.institution, f"{row.bank_code}/{row.kind}/{row.year}"] = level
    loans = books["loans"]
    owed = loans[loans.balance > 0]
    micro = owed[owed.microcredit.astype(bool)]
    for household, part in micro.groupby("household_no"):
        if total(part.balance) > 50_000:
            cases |= {("A06", bank, str(household)): "high" for bank in set(part.institution)}
    for account, part in owed[owed.payee_account_hash.notna()].groupby("payee_account_hash"):
        if part.borrower_id_hash.nunique() >= 3:
            cases |= {("A07", bank, str(account)): "high" for bank in set(part.institution)}
    cases |= {("A10", bank, contract): "high" for bank, contract in month.broken_contracts}
    return cases


def _rests_on(books: _Books, case: Case) -> bool:
    """Whether the institution's own report still shows what its alert would be about."""
    rule, who, subject = case
    loans = books["loans"]
    own = loans[(loans.institution == who) & (loans.balance > 0)]
    if rule == "A06":
        return subject in set(own[own.microcredit.astype(bool)].household_no)
    return subject in set(own.payee_account_hash)


def _cases(books: _Books, month: Month, before: Mapping[Case, str], register: Register) -> dict[Case, str]:
    """With those that a missing report neither raises nor closes.

    What A06 and A07 add up may stand in any bank's ledger. So while one is missing only the bank's own ledger can close
    a case: by showing no such loan any more.
    """
    open_now = _holding(books, month)
    silent = set(register.open("bank", month.period)) - books.present["loans"]
    for case, level in before.items():
        rule, who, _ = case
        if not register.institutions[who].is_open(month.period):
            continue
        if rule == "A01":
            stays = who not in books.present["guarantee_funds"]
        else:
            stays = who in silent or (rule != "A10" and bool(silent) and _rests_on(books, case))
        if stays:
            open_now.setdefault(case, level)
    return open_now


def _points(bank: str, books: _Books, figures: Figures, reporting: _Reporting, register: Register) -> dict[str, Value]:
    """Points of each indicator; None = not assessed."""

    def own(metric: str) -> Value:
        return figures[metric, "bank", bank]

    loans = books["loans"]
    micro = loans[(loans.institution == bank) & loans.microcredit.astype(bool)]
    city = figures["all_loans_growth", "city", register.city]
    mine = own("microcredit_growth")
    if own("microcredit_year_begin") == 0:
        basic = Fraction(total(micro.balance) > 0)
    elif mine is not None and city is not None and mine > city:
        basic = Fraction(1)
    elif mine is not None and city is not None and city > 0:
        basic = max(Fraction(0), mine / city)
    else:
        basic = Fraction(0)
    completion = own("microcredit_completion")
    match: Value = None
    if own("projects_offered"):
        match = Fraction(0) if bank not in books.present["matches"] else (own("match_rate") or Fraction(0)) / 100
    overdue = own("microcredit_overdue_ratio")
    quality = Fraction(1) if overdue is None else min(Fraction(1), max(Fraction(0), (5 - overdue) / 4))
    reports = Fraction(0)
    if reporting.received[bank]:
        reports = Fraction(reporting.on_time[bank], reporting.expected[bank]) / 2
        reports += Fraction(reporting.at_once[bank], reporting.received[bank]) / 2
    standing = own("visit_coverage_standing")
    return {
        "growth": basic,
        "completion": None if completion is None else min(Fraction(1), completion / 100),
        "matching": match,
        "visits": None if standing is None else standing / 100,
        "quality": quality,
        "reporting": reports,
    }


def _assess(
    month: Month,
    books: _Books,
    figures: Figures,
    reporting: _Reporting,
    cases: Mapping[Case, str],
    before: Mapping[str, Assessed],
    register: Register,
) -> dict[str, Assessed]:
    end = month.period.end
    findings = books["inspections"]
    late = Counter(
        row.institution_code
        for row in findings.itertuples(index=False)
        if row.due_on < end and (row.mended_on is None or row.mended_on > end)
    )
    high = Counter(who for (_, who, _), level in cases.items() if level == "high")
    scores: dict[str, Decimal] = {}
    found: dict[str, tuple[Decimal, dict[str, Value]]] = {}
    banks = register.open("bank", month.period)
    for bank in banks:
        if bank not in books.present["loans"] & books.present["position"]:
            continue
        deductions = min(10, 2 * late[bank] + high[bank])
        points = _points(bank, books, figures, reporting, register)
        assessed = {name: value for name, value in points.items() if value is not None}
        weighted = sum((WEIGHTS[name] * value for name, value in assessed.items()), Fraction(0))
        reached = 100 * weighted / sum(WEIGHTS[name] for name in assessed)
        scores[bank] = half_up(max(Fraction(0), reached - deductions))
        found[bank] = (Decimal(deductions), points)
    places = ranked(scores)
    return {
        bank: Assessed(
            scores.get(bank),
            found[bank][0] if bank in found else None,
            next(grade for grade, least in GRADES if scores[bank] >= least) if bank in found else None,
            places.get(bank),
            before[bank].rank if bank in before else None,
            found[bank][1] if bank in found else {},
        )
        for bank in banks
    }


def assess_all(register: Register, months: Iterable[Month], households: Mapping[int, int]) -> list[Standing]:
    """Month after month, from the first on record; `households` is the city's target of each year.

    Raises:
        NoFundsError: no funds stand where a year's targets would be made.
    """
    history: list[tuple[Period, _Books]] = []
    targets: dict[int, dict[str, int]] = {}
    reached: set[int] = set()
    year = _Reporting()
    told: list[Standing] = []
    for month in months:
        period = month.period
        scopes = _Scopes(register, period)
        books = _Books(month)
        if history and history[-1][0].year != period.year:
            year = _Reporting()
        history.append((period, books))
        if period.year not in targets:
            targets[period.year] = _targets(period.year, households[period.year], history, register)
        visits = pd.concat([past["visits"] for _, past in history], ignore_index=True)
        of_visits, now_reached = _visits(books, visits, reached, scopes)
        of_scores, scores = _scores(books, visits, scopes)
        of_reporting, counts = _reporting(month, register)
        year.add(counts)
        figures = (
            _loans(books, scopes)
            | _position(books, scopes)
            | _matching(books, scopes)
            | of_visits
            | of_scores
            | _funds(books, scopes)
            | _outreach(history, scopes)
            | of_reporting
            | _league(books, register)
        )
        for bank in register.open("bank", period):
            target = Fraction(targets[period.year].get(bank, 0))
            figures["microcredit_completion", "bank", bank] = per_cent(
                figures["microcredit_ytd_households", "bank", bank], target * period.month / 12
            )
        before = told[-1] if told else None
        cases = _cases(books, month, before.cases if before else {}, register)
        told.append(
            Standing(
                period,
                figures,
                targets[period.year],
                cases,
                dict(Counter(who for rule, who, _ in cases if rule == "A07")),
                scores,
                _assess(month, books, figures, year, cases, before.assessments if before else {}, register),
            )
        )
        reached |= now_reached
    return told
