"""Guarantee and subsidy money of the counties (report `guarantee_funds`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.allotment import HUNDREDTH, WAN, apportion
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.events import FUND_ARREARS, FundArrears
from five_precisions_demo.city.profiles import BANKS
from five_precisions_demo.city.territory import JIANGCHENG, office_of

RISK_FUND: Final = "风险补偿金"
SUBSIDY: Final = "贷款贴息"
RISK_FUND_PER_CENT: Final = 75
"""The risk compensation fund's part of what a county gives a bank."""
JIANGCHENG_JOINS: Final = Period(2019, 4)
"""Until then the urban county has no funds, and says so (nil return)."""
FUNDS_OF_2019_PER_CENT: Final = 40
"""What was agreed for 2019, of what came in 2018."""
FUNDS_OF_2019_STATED: Final = Period(2019, 2)
"""First month that lists them: none has arrived by the end of January, the basis of the targets."""

_DUE_2019 = (date(2019, 3, 31), date(2019, 5, 31), date(2019, 6, 20), date(2019, 9, 30), date(2019, 11, 29))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """Money that a county promised to a bank; amounts in fen."""

    office: str
    bank: str
    kind: str
    year: int
    due: int
    due_on: date
    arriving: int
    arrives_on: date | None
    stated_from: Period

    def arrived_by(self, period: Period) -> int:
        """实际到位金额 at the period's end."""
        return self.arriving if self.arrives_on is not None and self.arrives_on <= period.end else 0

    def arrived_on(self, period: Period) -> date | None:
        """到位日期, once anything has arrived."""
        return self.arrives_on if self.arrived_by(period) else None


def promise_funds(seed: int) -> tuple[Fund, ...]:
    """What every county promised to every bank for 2018 and 2019.

    By the end of January each bank has exactly its profile's basis, out of the money of 2018.
    """
    rng = stream(seed, "funds")
    funds: list[Fund] = []
    for bank in BANKS:
        giving = [county for county in bank.counties if county != JIANGCHENG]
        if bank.fund_basis:
            shares = apportion(bank.fund_basis // HUNDREDTH, [bank.shares[county] for county in giving])
            for county, share in zip(giving, shares, strict=True):
                funds += _draw_funds(rng, office_of(county), bank.code, share * HUNDREDTH)
        if JIANGCHENG in bank.counties:
            funds.append(_draw_late_comer(rng, bank.code, no_money=not bank.fund_basis))
    return tuple(_apply_arrears(fund) for fund in funds)


def _draw_funds(rng: Random, office: str, bank: str, arrived: int) -> list[Fund]:
    risk = arrived * RISK_FUND_PER_CENT // 100 // HUNDREDTH * HUNDREDTH
    funds: list[Fund] = []
    for kind, amount in ((RISK_FUND, risk), (SUBSIDY, arrived - risk)):
        due_on = rng.choice((date(2018, 6, 30), date(2018, 9, 30), date(2018, 11, 30)))
        funds.append(
            Fund(
                office=office,
                bank=bank,
                kind=kind,
                year=2018,
                due=amount,
                due_on=due_on,
                arriving=amount,
                # A few came later than agreed, yet within the year.
                arrives_on=due_on + timedelta(days=rng.choice((-20, -12, -6, -3, 0, 15))),
                stated_from=Period(2019, 1),
            )
        )
        due_2019 = max(WAN, amount * FUNDS_OF_2019_PER_CENT // 100 // WAN * WAN)
        due_on = rng.choice(_DUE_2019)
        arrives_on = due_on - timedelta(days=rng.randrange(2, 25))
        funds.append(
            Fund(
                office=office,
                bank=bank,
                kind=kind,
                year=2019,
                due=due_2019,
                due_on=due_on,
                arriving=due_2019,
                arrives_on=arrives_on,
                stated_from=FUNDS_OF_2019_STATED,
            )
        )
    return funds


def _draw_late_comer(rng: Random, bank: str, *, no_money: bool) -> Fund:
    due = rng.randrange(5, 30) * WAN
    return Fund(
        office=office_of(JIANGCHENG),
        bank=bank,
        kind=RISK_FUND,
        year=2019,
        due=due,
        due_on=date(2019, 10, 31) if no_money else date(2019, 6, 20),
        arriving=due,
        arrives_on=None if no_money else date(2019, rng.choice((4, 5, 6)), 12),
        stated_from=JIANGCHENG_JOINS,
    )


def _apply_arrears(fund: Fund) -> Fund:
    for arrears in FUND_ARREARS:
        if (arrears.office, arrears.bank, arrears.kind, arrears.year) == (fund.office, fund.bank, fund.kind, fund.year):
            return _delay(fund, arrears)
    return fund


def _delay(fund: Fund, arrears: FundArrears) -> Fund:
    if fund.year < FUNDS_OF_2019_STATED.year:
        # What has arrived is the basis of the targets and stays; more was promised than that.
        due = -(-fund.arriving * 100 // arrears.part_per_cent // WAN) * WAN
        return replace(fund, due=due, due_on=arrears.due_on, arrives_on=arrears.arrived_on)
    arriving = fund.due * arrears.part_per_cent // 100
    return replace(fund, due_on=arrears.due_on, arriving=arriving, arrives_on=arrears.arrived_on)


def funds_in(funds: tuple[Fund, ...], office: str, period: Period) -> tuple[Fund, ...]:
    """The funds that the office lists in that month."""
    return tuple(fund for fund in funds if fund.office == office and fund.stated_from <= period)
