"""What the branch itself reports: the league of cities and the inspections (reports `league`, `inspections`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import HUNDREDTH, WAN
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.loans import Cohort, Loan
from five_precisions_demo.city.territory import CITY
from five_precisions_demo.city.timetable import LAST, PERIODS

OTHER_CITIES: Final = (
    ("440800", "湛江市", 390),
    ("440900", "茂名市", 282),
    ("441400", "梅州市", 221),
    ("440200", "韶关市", 174),
    ("441800", "清远市", 141),
    ("441600", "河源市", 117),
    ("445200", "揭阳市", 88),
    ("445300", "云浮市", 76),
    ("441200", "肇庆市", 63),
    ("441500", "汕尾市", 50),
    ("440500", "汕头市", 37),
    ("445100", "潮州市", 25),
    ("441300", "惠州市", 14),
)
"""Code, name and amount by June in per cent of the own city's: six above, seven below. The figures are invented."""

_PATH_PER_CENT = (13, 25, 42, 60, 79, 100)


@dataclass(frozen=True, slots=True)
class LeagueEntry:
    """One city; amounts in fen."""

    city_code: str
    city: str
    ytd_households: int
    ytd_amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRecord:
    """One finding of an on-site inspection."""

    finding_no: str
    institution: str
    inspected_on: date
    aspect: str
    finding: str
    severity: str
    due_on: date
    mended_on: date | None = None
    remedy: str | None = None

    def mended_by(self, period: Period) -> bool:
        """Whether it is mended at the period's end."""
        return self.mended_on is not None and self.mended_on <= period.end


INSPECTIONS: Final = (
    InspectionRecord(
        finding_no="DC2019-001",
        institution="B02",
        inspected_on=date(2019, 3, 12),
        aspect="主体责任落实",
        finding="扶贫小额信贷专班未按要求每月召开会议，全年目标未分解到网点。",
        severity="较重",
        due_on=date(2019, 4, 30),
    ),
    InspectionRecord(
        finding_no="DC2019-002",
        institution="B10",
        inspected_on=date(2019, 3, 14),
        aspect="小额信贷管理",
        finding="部分贷户档案缺少走访记录。",
        severity="一般",
        due_on=date(2019, 4, 15),
        mended_on=date(2019, 4, 10),
        remedy="已补齐全部贷户走访记录，并由县级扶贫部门抽查。",
    ),
    InspectionRecord(
        finding_no="DC2019-003",
        institution="B09",
        inspected_on=date(2019, 3, 20),
        aspect="产业贷款推进",
        finding="两个已授信产业项目超过六个月未放款。",
        severity="一般",
        due_on=date(2019, 4, 30),
        mended_on=date(2019, 5, 9),
        remedy="一个项目已放款，一个项目经营主体主动放弃授信。",
    ),
    InspectionRecord(
        finding_no="DC2019-004",
        institution="B04",
        inspected_on=date(2019, 4, 17),
        aspect="贷款质量和用途真实性",
        finding="抽查贷户中三户贷款资金由同一公司使用，涉嫌户贷企用。",
        severity="严重",
        due_on=date(2019, 5, 31),
    ),
    InspectionRecord(
        finding_no="DC2019-005",
        institution="C02",
        inspected_on=date(2019, 4, 24),
        aspect="主体责任落实",
        finding="贷款贴息资金拨付滞后，未建立资金到位台账。",
        severity="较重",
        due_on=date(2019, 5, 31),
    ),
    InspectionRecord(
        finding_no="DC2019-006",
        institution="B08",
        inspected_on=date(2019, 5, 22),
        aspect="产品创新",
        finding="本年未推出面向贫困户的新产品。",
        severity="一般",
        due_on=date(2019, 7, 31),
    ),
    InspectionRecord(
        finding_no="DC2019-007",
        institution="B12",
        inspected_on=date(2019, 6, 11),
        aspect="小额信贷管理",
        finding="五级分类不准确，逾期贷款仍列正常类。",
        severity="较重",
        due_on=date(2019, 7, 15),
    ),
)


def rank_league(seed: int, period: Period, loans: Iterable[Loan]) -> tuple[LeagueEntry, ...]:
    """The fourteen cities in that month; the own row is what all the city's ledgers say, a silent bank's included."""
    own = _own_row(period, loans)
    rng = stream(seed, "league")
    rows = [own]
    for code, name, per_cent in OTHER_CITIES:
        path = [share * 10 + rng.randint(-25, 25) for share in _PATH_PER_CENT[:-1]] + [1000]
        june = published.ISSUED_PRINCIPAL * (per_cent * 100 + rng.randint(-150, 150)) // 10_000
        households_per_thousand_wan = rng.randint(270, 330)
        outstanding = june * rng.randint(120, 190) // 100
        amount = june * path[PERIODS.index(period)] // 1000 // HUNDREDTH * HUNDREDTH
        rows.append(
            LeagueEntry(
                code,
                name,
                amount * households_per_thousand_wan // (1000 * WAN),
                amount,
                (outstanding + amount // 2) // HUNDREDTH * HUNDREDTH,
            )
        )
    place = 1 + sum(1 for row in rows if row.ytd_amount > own.ytd_amount)
    if period == LAST and place != published.PROVINCE_RANK:
        raise AssertionError(f"place {place} in the league is not the published one")
    return tuple(sorted(rows, key=lambda row: row.city_code))


def _own_row(period: Period, loans: Iterable[Loan]) -> LeagueEntry:
    micro = [loan for loan in loans if loan.microcredit and loan.listed_in(period)]
    issued = [loan for loan in micro if loan.cohort is Cohort.ISSUED]
    return LeagueEntry(
        CITY,
        "阳江市",
        len({loan.borrower.household_no for loan in issued}),
        sum(loan.principal for loan in issued),
        sum(loan.balance_in(period) for loan in micro),
    )


def inspections_by(period: Period) -> tuple[InspectionRecord, ...]:
    """The findings on record at the period's end."""
    return tuple(inspection for inspection in INSPECTIONS if inspection.inspected_on <= period.end)
