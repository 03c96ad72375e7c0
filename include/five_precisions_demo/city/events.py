"""What goes wrong, and is mended or not, in which month: the one table of the demo's incidents.

See docs/figures.md#golden-city.

Everything that is not planted here (or in a bank's profile) is clean. Where each alert of docs/figures.md is true:

| alert | true at | by |
| --- | --- | --- |
| A01 | C02 B05/贷款贴息/2019 and C03 B08/贷款贴息/2018, high in June; | `FUND_ARREARS` |
|     | C04 B07/风险补偿金/2019, medium in May and June; C03 B11/风险补偿金/2019 in March | |
| A02 | the city: 阳春市 takes more than half of the year's microcredit amount | `profiles`, `microcredit` |
| A03 | B05 from January, B02 from April; B10 in January and February | `GRID_PLANTINGS` G01 |
| A04 | B08 from January (two outlets); B12 until March | `GRID_PLANTINGS` G02 |
| A05 | B04 from March (explained), B11 from May | `LOAN_PLANTINGS` L13 |
| A06 | B03 and B10: one household owes the two more than 50,000 yuan | `microcredit.TWO_BANKS_OVER_LIMIT` |
| A07 | B04 from April: three households, one account | `SHARED_ACCOUNT` |
| A08 | B10 from March (nobody able to work), B12 from April (not on the register) | `LOAN_PLANTINGS` |
| A09 | B03 (visited two months later), B01 (never visited), B12 (not on the register) | `LOAN_PLANTINGS` |
| A10 | B08 from May, open in June; B01 in March, closed in April: the contract is back | `LOAN_PLANTINGS` X01 |
| A11 | B05 over 3 % from April, B12 a point above May | `industry.OVERDUE` |
| A12 | B10 in March and B09 in June (33 visits in a day), B03 in June (twice in a week) | `VISIT_PLANTINGS` |
| A13 | old projects without loan or credit line, in every county | `projects` |
| A14 | B02 and B08: no new product by June | `profiles` |
| A15 | C04 in June: 双滘镇; in March nobody can tell of C03's 沙扒镇: B07's February is missing | `SILENT_TOWNS` |
| A16 | B02, B04, C02: findings past their date | `centre.INSPECTIONS` |
| A17 | B02 and B05 from April; B12 in April | `profiles` |
| A18 | B05 (G01), B07 (L12), B12 (X04, L15), B01 (X05) and other warnings never explained | below |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city.loans import Cohort

JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE = (Period(2019, month) for month in range(1, 7))


class Defect(StrEnum):
    """What is wrong with a first version."""

    UNPARSABLE_AMOUNT = "an amount with its unit in the cell (T02)"
    WRONG_CONTROL_TOTAL = "two digits of the cover's total swapped (F03)"
    BALANCE_OVER_PRINCIPAL = "a balance greater than the principal (L03)"
    DUPLICATE_CONTRACT = "a contract listed twice (K01)"
    VISIT_OUTSIDE_MONTH = "a visit of the month before (V01)"
    WORKERS_OVER_MEMBERS = "more workers than members (H01)"
    MISSPELT_HEADER = "a header misspelt (F02)"
    YUAN_FOR_WAN = "yuan given as 万元 (P02, a warning)"
    ARRIVAL_FORGOTTEN = "a fund that has arrived stated as not arrived (no rule finds it)"


@dataclass(frozen=True, slots=True)
class TwoVersions:
    """A delivery that is followed by a second one."""

    period: Period
    institution: str
    report: str
    defect: Defect
    second_has_only_it: bool = False
    """The second version brings the one report and its cover; the others stand."""


TWO_VERSIONS: Final = (
    TwoVersions(JANUARY, "B02", "loans", Defect.UNPARSABLE_AMOUNT, second_has_only_it=True),
    TwoVersions(FEBRUARY, "B04", "visits", Defect.VISIT_OUTSIDE_MONTH),
    TwoVersions(MARCH, "B05", "loans", Defect.WRONG_CONTROL_TOTAL),
    TwoVersions(MARCH, "C02", "guarantee_funds", Defect.ARRIVAL_FORGOTTEN, second_has_only_it=True),
    TwoVersions(APRIL, "C03", "households", Defect.WORKERS_OVER_MEMBERS),
    TwoVersions(MAY, "B06", "position", Defect.YUAN_FOR_WAN),
    TwoVersions(MAY, "B12", "loans", Defect.BALANCE_OVER_PRINCIPAL),
    TwoVersions(MAY, "B01", "grid", Defect.MISSPELT_HEADER, second_has_only_it=True),
    TwoVersions(JUNE, "B10", "loans", Defect.DUPLICATE_CONTRACT),
)

SILENT: Final = frozenset({(FEBRUARY, "B07")})
"""Delivers nothing at all: missing, and unranked that month."""
LATE: Final = frozenset({(APRIL, "B08")})
"""Delivers after the deadline."""

NIL_RETURNS: Final = frozenset(
    {
        (JANUARY, "B06", "outreach"),
        (FEBRUARY, "B06", "outreach"),
        (APRIL, "B06", "outreach"),
        (FEBRUARY, "B05", "outreach"),
        (FEBRUARY, "C02", "outreach"),
        (FEBRUARY, "B12", "outreach"),
    }
)
"""Outreach that did not take place. Visits, matches, projects, funds and inspections are nil while there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanPlanting:
    """One contract that breaks a rule, or is what an alert looks for."""

    rule: str
    bank: str
    cohort: Cohort
    issued_in: Period | None = None
    """Month of issue; without it, issued before 2019."""
    explained_in: Period | None = None
    """Package that brings the explanation."""
    unlisted_in: frozenset[Period] = frozenset()
    count: int = 1


LOAN_PLANTINGS: Final = (
    LoanPlanting(rule="L10", bank="B01", cohort=Cohort.SETTLED, explained_in=JANUARY),
    LoanPlanting(rule="L11", bank="B09", cohort=Cohort.ISSUED, issued_in=FEBRUARY, explained_in=MARCH),
    LoanPlanting(rule="L12", bank="B07", cohort=Cohort.ISSUED, issued_in=MARCH),
    LoanPlanting(rule="L13", bank="B04", cohort=Cohort.ISSUED, issued_in=MARCH, explained_in=APRIL),
    LoanPlanting(rule="L13", bank="B11", cohort=Cohort.ISSUED, issued_in=MAY),
    LoanPlanting(rule="L14", bank="B10", cohort=Cohort.ISSUED, issued_in=JANUARY, explained_in=FEBRUARY),
    LoanPlanting(rule="L15", bank="B12", cohort=Cohort.EDUCATION),
    LoanPlanting(rule="L02", bank="B02", cohort=Cohort.INDUSTRY, explained_in=JANUARY),
    LoanPlanting(rule="X01", bank="B01", cohort=Cohort.EDUCATION, unlisted_in=frozenset({MARCH})),
    LoanPlanting(rule="X01", bank="B08", cohort=Cohort.EDUCATION, unlisted_in=frozenset({MAY, JUNE})),
    LoanPlanting(
        rule="X01",
        bank="B04",
        cohort=Cohort.EDUCATION,
        unlisted_in=frozenset({APRIL, MAY, JUNE}),
        explained_in=APRIL,
    ),
    LoanPlanting(rule="X03", bank="B12", cohort=Cohort.EDUCATION, explained_in=APRIL),
    LoanPlanting(rule="X04", bank="B12", cohort=Cohort.ISSUED, issued_in=APRIL),
    LoanPlanting(rule="X05", bank="B03", cohort=Cohort.EDUCATION, explained_in=FEBRUARY, count=3),
    LoanPlanting(rule="X05", bank="B09", cohort=Cohort.OPERATING, explained_in=FEBRUARY, count=2),
    LoanPlanting(rule="X05", bank="B04", cohort=Cohort.EDUCATION, explained_in=MARCH, count=2),
    LoanPlanting(rule="X05", bank="B10", cohort=Cohort.ISSUED, issued_in=APRIL, explained_in=MAY),
    LoanPlanting(rule="X05", bank="B01", cohort=Cohort.CONSUMPTION),
    LoanPlanting(rule="A08", bank="B10", cohort=Cohort.ISSUED, issued_in=MARCH),
    LoanPlanting(rule="A09 late", bank="B03", cohort=Cohort.ISSUED, issued_in=FEBRUARY),
    LoanPlanting(rule="A09 never", bank="B01", cohort=Cohort.ISSUED, issued_in=MAY),
)

X03_DIP: Final = MARCH
"""Month whose ledger shows the contract of X03 too low; the balance seems to rise in the next."""
SHARED_ACCOUNT: Final = ("B04", (FEBRUARY, MARCH, APRIL))
"""Bank, and the months of issue of the three loans paid into one account (X08, A07)."""

UNREGISTERED_HOUSEHOLD: Final = "441781100-9001"
"""A household number that no county ever gave out (X04)."""


@dataclass(frozen=True, slots=True)
class GridPlanting:
    """A row of a bank's grid without what it should have."""

    bank: str
    rule: str
    outlet: int
    """Which of the bank's outlets, from 1."""
    first: Period
    last: Period
    value: str = ""
    explained_in: Period | None = None


GRID_PLANTINGS: Final = (
    GridPlanting("B05", "G01", 2, JANUARY, JUNE),
    GridPlanting("B10", "G01", 3, JANUARY, FEBRUARY, "见营业厅公示"),
    GridPlanting("B02", "G01", 4, APRIL, JUNE, "0662-12", MAY),
    GridPlanting("B08", "G02", 1, JANUARY, JUNE, explained_in=FEBRUARY),
    GridPlanting("B08", "G02", 5, JANUARY, JUNE, explained_in=FEBRUARY),
    GridPlanting("B12", "G02", 2, JANUARY, MARCH),
)


@dataclass(frozen=True, slots=True)
class VisitPlanting:
    """Visits that break a rule or are what an alert looks for."""

    bank: str
    period: Period
    rule: str
    count: int = 1
    explained: bool = False
    """In the same package."""


VISIT_PLANTINGS: Final = (
    VisitPlanting("B06", FEBRUARY, "V03"),
    VisitPlanting("B03", MARCH, "V03", 2, explained=True),
    VisitPlanting("B10", JUNE, "V03"),
    VisitPlanting("B10", MARCH, "V02", 33),
    VisitPlanting("B09", JUNE, "V02", 33),
    VisitPlanting("B03", JUNE, "twice in a week"),
)

UNKNOWN_PROJECT: Final = ("B01", MARCH, "XM441781-999")
"""Bank, month and the mistyped number of a match (X06); gone a month later."""
SHARED_HEAD_ID: Final = ("C03", FEBRUARY, MARCH)
"""Office, and the first and last month in which two households carry one head's ID (H03)."""


@dataclass(frozen=True, slots=True)
class FundArrears:
    """A fund that does not arrive as agreed."""

    bank: str
    kind: str
    year: int
    office: str
    due_on: date
    part_per_cent: int
    """What arrives of it at all."""
    arrived_on: date | None


FUND_ARREARS: Final = (
    FundArrears("B08", "贷款贴息", 2018, "C03", date(2018, 12, 20), 70, date(2018, 12, 14)),
    FundArrears("B05", "贷款贴息", 2019, "C02", date(2019, 3, 31), 50, date(2019, 4, 18)),
    FundArrears("B07", "风险补偿金", 2019, "C04", date(2019, 5, 20), 0, None),
    FundArrears("B11", "风险补偿金", 2019, "C03", date(2019, 3, 20), 100, date(2019, 4, 22)),
)

SILENT_TOWNS: Final = {"441721105": 1, "441781113": 2}
"""Towns without any activity, and the quarter (A15)."""
EXTRA_COLUMN_BANK: Final = "B07"
"""Keeps a column of remarks in its ledger (F05)."""
FULL_WIDTH_OFFICE: Final = "C01"
"""Types one amount in full-width digits, which is read all the same."""
