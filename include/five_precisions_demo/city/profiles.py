"""What sets the twelve banks apart: where they work, how much they lend, how well they do.

Counts and totals here are the same for every seed, so that targets, grades and ranks of the demo are too. The seed
only draws who, where in the county, when in the month and for how much. Amounts are in fen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.allotment import wan
from five_precisions_demo.city.territory import JIANGCHENG, YANGCHUN, YANGDONG, YANGXI
from five_precisions_demo.city.timetable import FIRST

HOUSEHOLDS_ABLE: Final = {JIANGCHENG: 2150, YANGDONG: 3060, YANGXI: 2975, YANGCHUN: 5917}
"""Registered households with someone able to work."""
HOUSEHOLDS_UNABLE: Final = {JIANGCHENG: 30, YANGDONG: 45, YANGXI: 45, YANGCHUN: 90}
"""Registered households that scoring leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankProfile:
    """One bank: by county code where it matters, otherwise in total."""

    code: str
    shares: dict[str, int]
    """Per county the bank works in: its weight among the county's 责任银行."""
    coverage: int
    """Per cent of its households reached by round 1 in June."""
    first_visits: Period = FIRST
    """First month with visits; before it, nil returns."""
    visits_gap: Period | None = None
    """A month of which no visits were ever delivered."""

    issued: dict[str, int]
    """Microcredit of 2019, per county: households."""
    issued_principal: int
    settled_principal: int
    """Microcredit issued and settled before 2019."""
    repaid_principal: int
    """Microcredit owed at the year's begin and repaid by June."""
    kept_principal: int
    """Microcredit owed at the year's begin and still owed in June, that of early 2018 included."""
    prior_principal: int
    """Microcredit of the first half of 2018."""
    prior_households: int
    microcredit_overdue: int
    """Microcredit loans overdue by June."""

    personal_loans: int
    """Other loans to households."""
    project_loans: int
    other_industry_loans: int
    answer_rate: int
    """Per cent of the offered projects that the bank has answered by June."""
    first_matches: Period = FIRST
    """First month with matches; before it, nil returns."""

    all_loans: int
    """All loans at the year's begin."""
    growth: str
    """Growth of all loans by June, per cent."""
    relending: int = 0
    relending_extended: int = 0
    products: tuple[Period, ...] = ()
    """Months in which a new product was launched."""
    outreach: int
    """Activities in an ordinary month."""
    fund_basis: int
    """Guarantee and subsidy funds arrived by January: the basis of the year's targets."""

    @property
    def counties(self) -> tuple[str, ...]:
        """The counties that the bank works in."""
        return tuple(self.shares)

    def delivers_visits(self, period: Period) -> bool:
        """Whether visits of that month reach the centre."""
        return period >= self.first_visits and period != self.visits_gap


BANKS: Final = (
    BankProfile(
        code="B01",
        shares={JIANGCHENG: 12, YANGDONG: 8, YANGXI: 8, YANGCHUN: 5},
        coverage=85,
        issued={JIANGCHENG: 4, YANGDONG: 7, YANGXI: 7, YANGCHUN: 14},
        issued_principal=wan("108.50"),
        settled_principal=wan("37.00"),
        repaid_principal=wan("103.00"),
        kept_principal=wan("85.00"),
        prior_principal=wan("18.00"),
        prior_households=6,
        microcredit_overdue=2,
        personal_loans=620,
        project_loans=30,
        other_industry_loans=8,
        answer_rate=48,
        all_loans=wan("1850000"),
        growth="7.2",
        products=(Period(2019, 4),),
        outreach=5,
        fund_basis=wan("114.20"),
    ),
    BankProfile(
        code="B02",
        shares={JIANGCHENG: 10, YANGDONG: 7, YANGXI: 6, YANGCHUN: 5},
        coverage=76,
        issued={JIANGCHENG: 2, YANGDONG: 4, YANGXI: 3, YANGCHUN: 5},
        issued_principal=wan("46.20"),
        settled_principal=wan("25.00"),
        repaid_principal=wan("56.00"),
        kept_principal=wan("70.00"),
        prior_principal=wan("14.00"),
        prior_households=5,
        microcredit_overdue=0,
        personal_loans=480,
        project_loans=24,
        other_industry_loans=9,
        answer_rate=42,
        all_loans=wan("2100000"),
        growth="5.1",
        outreach=4,
        fund_basis=wan("95.50"),
    ),
    BankProfile(
        code="B03",
        shares={JIANGCHENG: 15, YANGDONG: 17, YANGXI: 15, YANGCHUN: 14},
        coverage=95,
        issued={JIANGCHENG: 8, YANGDONG: 15, YANGXI: 17, YANGCHUN: 52},
        issued_principal=wan("312.40"),
        settled_principal=wan("55.00"),
        repaid_principal=wan("70.00"),
        kept_principal=wan("160.00"),
        prior_principal=wan("36.00"),
        prior_households=12,
        microcredit_overdue=1,
        personal_loans=1500,
        project_loans=20,
        other_industry_loans=3,
        answer_rate=85,
        all_loans=wan("960000"),
        growth="9.4",
        products=(Period(2019, 2), Period(2019, 5)),
        outreach=8,
        fund_basis=wan("322.60"),
    ),
    BankProfile(
        code="B04",
        shares={JIANGCHENG: 15, YANGDONG: 20, YANGXI: 18, YANGCHUN: 17},
        coverage=92,
        issued={JIANGCHENG: 8, YANGDONG: 18, YANGXI: 18, YANGCHUN: 60},
        issued_principal=wan("352.80"),
        settled_principal=wan("70.00"),
        repaid_principal=wan("110.00"),
        kept_principal=wan("190.00"),
        prior_principal=wan("44.00"),
        prior_households=15,
        microcredit_overdue=8,
        personal_loans=1550,
        project_loans=40,
        other_industry_loans=6,
        answer_rate=66,
        all_loans=wan("1620000"),
        growth="6.8",
        products=(Period(2019, 3),),
        outreach=8,
        fund_basis=wan("380.40"),
    ),
    BankProfile(
        code="B05",
        shares={JIANGCHENG: 8, YANGDONG: 5},
        coverage=72,
        issued={JIANGCHENG: 3, YANGDONG: 4},
        issued_principal=wan("22.60"),
        settled_principal=wan("12.00"),
        repaid_principal=wan("20.00"),
        kept_principal=wan("45.00"),
        prior_principal=wan("9.00"),
        prior_households=3,
        microcredit_overdue=2,
        personal_loans=180,
        project_loans=7,
        other_industry_loans=2,
        answer_rate=30,
        all_loans=wan("540000"),
        growth="3.2",
        products=(Period(2019, 6),),
        outreach=2,
        fund_basis=wan("76.30"),
    ),
    BankProfile(
        code="B06",
        shares={JIANGCHENG: 8, YANGCHUN: 4},
        coverage=81,
        issued={JIANGCHENG: 1, YANGCHUN: 4},
        issued_principal=wan("16.50"),
        settled_principal=0,
        repaid_principal=0,
        kept_principal=wan("2.80"),
        prior_principal=wan("2.80"),
        prior_households=1,
        microcredit_overdue=0,
        personal_loans=150,
        project_loans=6,
        other_industry_loans=1,
        answer_rate=42,
        first_matches=Period(2019, 3),
        all_loans=wan("410000"),
        growth="11.0",
        products=(Period(2019, 1),),
        outreach=2,
        fund_basis=0,
    ),
    BankProfile(
        code="B07",
        shares={JIANGCHENG: 8, YANGDONG: 6, YANGCHUN: 7},
        coverage=84,
        visits_gap=Period(2019, 2),
        issued={JIANGCHENG: 3, YANGDONG: 4, YANGCHUN: 17},
        issued_principal=wan("79.30"),
        settled_principal=wan("25.00"),
        repaid_principal=wan("60.00"),
        kept_principal=wan("110.00"),
        prior_principal=wan("22.00"),
        prior_households=8,
        microcredit_overdue=0,
        personal_loans=330,
        project_loans=14,
        other_industry_loans=2,
        answer_rate=68,
        all_loans=wan("380000"),
        growth="8.0",
        products=(Period(2019, 5),),
        outreach=4,
        fund_basis=wan("113.80"),
    ),
    BankProfile(
        code="B08",
        shares={JIANGCHENG: 8, YANGDONG: 7, YANGXI: 6},
        coverage=82,
        issued={JIANGCHENG: 3, YANGDONG: 9, YANGXI: 8},
        issued_principal=wan("66.40"),
        settled_principal=wan("35.00"),
        repaid_principal=wan("78.00"),
        kept_principal=wan("85.00"),
        prior_principal=wan("18.00"),
        prior_households=6,
        microcredit_overdue=1,
        personal_loans=340,
        project_loans=16,
        other_industry_loans=3,
        answer_rate=70,
        all_loans=wan("620000"),
        growth="2.4",
        outreach=3,
        fund_basis=wan("94.70"),
    ),
    BankProfile(
        code="B09",
        shares={JIANGCHENG: 16, YANGCHUN: 33},
        coverage=97,
        issued={JIANGCHENG: 8, YANGCHUN: 132},
        issued_principal=wan("473.60"),
        settled_principal=wan("80.81"),
        repaid_principal=wan("150.00"),
        kept_principal=wan("240.00"),
        prior_principal=wan("55.00"),
        prior_households=19,
        microcredit_overdue=2,
        personal_loans=1700,
        project_loans=44,
        other_industry_loans=6,
        answer_rate=94,
        all_loans=wan("1480000"),
        growth="7.5",
        relending=wan("26000"),
        relending_extended=wan("4000"),
        products=(Period(2019, 1), Period(2019, 3), Period(2019, 6)),
        outreach=9,
        fund_basis=wan("475.50"),
    ),
    BankProfile(
        code="B10",
        shares={YANGDONG: 30, YANGXI: 27},
        coverage=90,
        issued={YANGDONG: 46, YANGXI: 42},
        issued_principal=wan("295.70"),
        settled_principal=wan("34.00"),
        repaid_principal=wan("80.00"),
        kept_principal=wan("140.00"),
        prior_principal=wan("31.33"),
        prior_households=11,
        microcredit_overdue=6,
        personal_loans=1010,
        project_loans=26,
        other_industry_loans=3,
        answer_rate=62,
        all_loans=wan("890000"),
        growth="5.9",
        relending=wan("15000"),
        relending_extended=wan("3000"),
        products=(Period(2019, 2),),
        outreach=7,
        fund_basis=wan("341.60"),
    ),
    BankProfile(
        code="B11",
        shares={YANGXI: 20},
        coverage=96,
        first_visits=Period(2019, 2),
        issued={YANGXI: 45},
        issued_principal=wan("149.80"),
        settled_principal=0,
        repaid_principal=wan("10.00"),
        kept_principal=wan("60.00"),
        prior_principal=wan("11.00"),
        prior_households=4,
        microcredit_overdue=0,
        personal_loans=130,
        project_loans=5,
        other_industry_loans=0,
        answer_rate=95,
        first_matches=Period(2019, 2),
        all_loans=wan("95000"),
        growth="13.0",
        relending=wan("3000"),
        products=(Period(2019, 3),),
        outreach=4,
        fund_basis=wan("114.60"),
    ),
    BankProfile(
        code="B12",
        shares={YANGCHUN: 15},
        coverage=74,
        first_visits=Period(2019, 3),
        issued={YANGCHUN: 31},
        issued_principal=wan("100.59"),
        settled_principal=wan("10.00"),
        repaid_principal=wan("70.00"),
        kept_principal=wan("90.00"),
        prior_principal=wan("18.00"),
        prior_households=7,
        microcredit_overdue=3,
        personal_loans=170,
        project_loans=4,
        other_industry_loans=1,
        answer_rate=40,
        all_loans=wan("120000"),
        growth="10.2",
        relending=wan("5000"),
        relending_extended=wan("1000"),
        products=(Period(2019, 4),),
        outreach=3,
        fund_basis=wan("151.50"),
    ),
)

BANK: Final = {profile.code: profile for profile in BANKS}
