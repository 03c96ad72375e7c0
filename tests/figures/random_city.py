"""Cities made by hypothesis: small, and with everything that goes wrong in real months, mostly at once.

Values come from short lists on both sides of every bound of docs/figures.md, so that ties, zeros and bounds met
exactly are common. What no intake would accept (docs/reports.md#rules) is not made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from five_precisions.period import SHANGHAI, Period
from tests.figures.independent import OWED, Delivery, Institution, Month, Register, Rows
from tests.figures.small_city import CITY, SmallCity

Draw = Callable[[st.SearchStrategy[Any]], Any]
STARTS = (Period(2018, 12), Period(2019, 1), Period(2019, 2), Period(2019, 3), Period(2019, 6), Period(2019, 11))
COUNTIES = ("441702", "441704", "441721")
DAYS = (8, 8, 8, 8, 4, 11, 12, 13, 20)
"""Of the month after; the deadline is noon of the 12th, deliveries come at nine."""
YUAN = tuple(map(Decimal, ("0", "0.01", "5000", "10000", "25000", "25000.01", "30000", "50000", "50000.01")))
POSITION = tuple(map(Decimal, ("0", "0", "1", "2.5", "3", "100", "110", "90.99")))
FUNDS = tuple(map(Decimal, ("10", "10", "20", "30", "0", "33.33")))


@dataclass(frozen=True)
class RandomCity:
    """A register, what was delivered before each close, what came after it, and the city's target."""

    register: Register
    months: tuple[Month, ...]
    late: tuple[tuple[Delivery, ...], ...]
    households: dict[int, int]

    def write(self, engine: Engine) -> None:
        """Into a migrated warehouse: every month opened, delivered and closed, and what came after."""
        with engine.begin() as connection:
            self._write_in_time(connection)
        # The ledger takes the time of the transaction for that of the record.
        with engine.begin() as connection:
            city = SmallCity.resumed(connection)
            for month, late in zip(self.months, self.late, strict=True):
                for delivery in late:
                    _write(city, month.period, delivery)

    def _write_in_time(self, connection: Connection) -> None:
        institutions = self.register.institutions
        city = SmallCity(
            connection,
            banks=[code for code, found in institutions.items() if found.kind == "bank"],
            towns=self.register.towns,
            offices={code: found.division for code, found in institutions.items() if found.kind == "county_office"},
            lives={code: (found.opened_on, found.closed_on) for code, found in institutions.items()},
        )
        for month in self.months:
            city.open(month.period)
        for month in self.months:
            for delivery in month.deliveries:
                _write(city, month.period, delivery)
            city.close(month.period)


def _write(city: SmallCity, period: Period, delivery: Delivery) -> None:
    city.deliver(
        period,
        delivery.institution,
        day=delivery.received_at.day,
        rejected=delivery.rejected,
        **{report: [_stored(row) for row in rows] for report, rows in delivery.accepted.items()},
    )


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    """A mark stands for a keyed hash; what is hashed is there masked, or not at all."""
    masked = {"payee_account_hash": ("payee_account", "****1234")}
    shown = {name: text for mark, (name, text) in masked.items() if row.get(mark) is not None}
    return row | shown


class _Writer:
    """Draws the rows of one institution's reports of one month."""

    def __init__(self, draw: Draw, register: Register, period: Period) -> None:
        self._draw = draw
        self._register = register
        self._period = period
        self._banks = register.open("bank", period)
        self._towns = register.codes("town", period)

    def rows(self, institution: str, report: str) -> Rows:
        return getattr(self, f"_rows_of_{report}")(institution)

    def _one(self, *values: Any) -> Any:
        return self._draw(st.sampled_from(values))

    def _some(self, values: list[Any], least: int = 0, most: int = 4) -> list[Any]:
        """Different ones of the values, in an order of their own."""
        most = min(most, len(values))
        return self._draw(st.lists(st.sampled_from(values), unique=True, min_size=min(least, most), max_size=most))

    def _households(self, county: str) -> list[str]:
        return [f"H{county[3:]}{number}" for number in range(1, 7)]

    def _any_household(self) -> str:
        counties = list(self._register.towns)
        return self._one(*(number for county in counties for number in self._households(county)[:4]), "H0")

    def _day(self) -> date:
        """Of the month."""
        return self._period.begin + timedelta(days=self._one(14, 14, 14, 14, 0, 27))

    def _rows_of_loans(self, _bank: str) -> Rows:
        period, last_year = self._period, Period(self._period.year - 1, self._period.month)
        days = [
            date(period.year, 1, 1),
            date(last_year.year, 12, 31),
            date(last_year.year, 1, 1),
            last_year.end,
            last_year.end + timedelta(days=1),
            period.begin,
            period.end,
            date(2016, 12, 1),
        ]
        rows = []
        for number in range(self._one(1, 2, 3, 4, 5, 7)):
            category = self._one("个人经营", "个人经营", "个人经营", "个人消费", "产业")
            balance = self._one(*YUAN)
            rows.append(
                {
                    "contract_no": f"L{number}",
                    "borrower_kind": "企业" if category == "产业" else "农户",
                    "borrower_id_hash": self._one("a", "b", "c", "d") * 64,
                    "household_no": None if category == "产业" else self._any_household(),
                    "category": category,
                    "microcredit": category == "个人经营" and self._one(True, True, True, False),
                    "town_code": self._one(*self._towns),
                    "issued_on": self._one(*(day for day in days if day <= period.end)),
                    "matures_on": date(2029, 1, 1),
                    "principal": balance + self._one(*YUAN),
                    "balance": balance,
                    "overdue_days": self._one(0, 0, 0, 1, 100),
                    "payee_account_hash": self._one(None, "e" * 64, "f" * 64),
                }
            )
        return rows

    def _rows_of_position(self, _bank: str) -> Rows:
        return [
            {
                "county_code": county,
                "all_loans": self._one(*POSITION),
                "all_loans_year_begin": self._one(*POSITION),
                "microcredit_year_begin": self._one(*POSITION),
            }
            for county in self._some(list(self._register.towns), least=1)
        ]

    def _rows_of_visits(self, _bank: str) -> Rows:
        counties = list(self._register.towns)
        if self._one(False, False, True):
            # A bank that means it: whole counties in one round.
            number = self._one(1, 2)
            seen = [
                (household, self._period.begin, number) for county in counties for household in self._households(county)
            ]
        else:
            seen = [
                (self._any_household(), self._day(), self._one(1, 1, 1, 2, 3)) for _ in range(self._one(1, 2, 4, 6))
            ]
        return [
            {
                "household_no": household,
                "visited_on": day,
                "round": number,
                "wants_loan": self._one(True, False),
                "conduct": self._one(None, 1, 3, 4, 5),
            }
            for (household, day), number in {(household, day): number for household, day, number in seen}.items()
        ]

    def _rows_of_outreach(self, _institution: str) -> Rows:
        return [
            {"held_on": self._day(), "town_code": town, "village": None} for town in self._some(self._towns, most=2)
        ]

    def _rows_of_grid(self, _bank: str) -> Rows:
        return [{}]

    def _projects_of(self, county: str) -> list[str]:
        return [f"P{county[3:]}{number}" for number in range(1, 5)]

    def _rows_of_matches(self, _bank: str) -> Rows:
        known = [number for county in self._register.towns for number in self._projects_of(county)]
        return [
            {"project_no": number, "status": self._one("已接触", "已授信", "已放款", "不予支持"), "reason": "说明"}
            for number in self._some([*known, "P0"], most=6)
        ]

    def _county(self, office: str) -> str:
        return self._register.institutions[office].division

    def _town_of(self, county: str) -> str:
        """Nearly always of the county: that an office lists something elsewhere is against no rule."""
        return self._one(*self._register.towns[county] * 6, *self._towns)

    def _rows_of_households(self, office: str) -> Rows:
        county = self._county(office)
        rows = []
        for number in self._some(self._households(county), least=1, most=6):
            workers = self._one(0, 1, 1, 2, 3, 4)
            rows.append(
                {
                    "household_no": number,
                    "town_code": self._town_of(county),
                    "members": workers + self._one(*((0, 1, 3) if workers else (1, 3))),
                    "workers": workers,
                    "income_per_head": self._one(*map(Decimal, ("0", "3999.99", "4000", "6000", "7999.99", "8000"))),
                    "debts": self._one(*map(Decimal, ("0", "0", "2000", "4000", "8000.01", "24000", "90000"))),
                    "has_business": self._one(True, False),
                    "trained": self._one(True, False),
                    "bank_code": self._one(*self._banks),
                }
            )
        return rows

    def _rows_of_projects(self, office: str) -> Rows:
        county = self._county(office)
        return [
            {
                "project_no": number,
                "town_code": self._town_of(county),
                "status": self._one("在库", "实施中", "已完成", "退出"),
                "pushed_to": self._one(None, None, *self._banks),
            }
            for number in self._some(self._projects_of(county))
        ]

    def _rows_of_guarantee_funds(self, _office: str) -> Rows:
        end = self._period.end
        days = [end - timedelta(days=days) for days in (-1, 0, 1, 60, 61, 200)]
        keys = [
            (bank, kind, year)
            for bank in self._banks
            for kind in ("风险补偿金", "贷款贴息")
            for year in (self._period.year, self._period.year - 1)
        ]
        # The same to every bank: shares of the target that tie.
        is_even = self._one(True, False)
        rows = keys[:: len(keys) // len(self._banks)] if is_even else self._some(keys, least=1, most=6)
        return [
            {
                "bank_code": bank,
                "kind": kind,
                "year": year,
                "due_amount": self._one(*FUNDS),
                "due_on": self._one(*days),
                "arrived_amount": Decimal(10) if is_even else self._one(*FUNDS),
            }
            for bank, kind, year in rows
        ]

    def _rows_of_league(self, _centre: str) -> Rows:
        cities = self._some([CITY, CITY, "440100", "440200", "440300"], most=4)
        return [{"city_code": code, "ytd_amount": self._one(*POSITION)} for code in dict.fromkeys(cities)]

    def _rows_of_inspections(self, _centre: str) -> Rows:
        end = self._period.end
        return [
            {
                "finding_no": f"N{number}",
                "institution_code": self._one(*self._banks, "C01"),
                "due_on": end - timedelta(days=self._one(-1, 0, 1, 30)),
                "mended_on": self._one(None, None, end, end + timedelta(days=1), end - timedelta(days=3)),
            }
            for number in range(self._one(0, 1, 2, 3, 8))
        ]


def _deliveries(
    draw: Draw, writer: _Writer, period: Period, register: Register, institution: str
) -> tuple[list[Delivery], list[Delivery]]:
    """What an institution delivered before the close and after it: up to three versions of any part of its reports."""
    owed = OWED[register.institutions[institution].kind]
    days = sorted(draw(st.lists(st.sampled_from(DAYS), min_size=0, max_size=3, unique=True)) or [5])
    after = draw(st.sampled_from((0, 0, 0, 1))) if len(days) > 1 else 0
    told = []
    for version, day in enumerate(days, start=1):
        accepted: dict[str, Rows] = {}
        rejected = []
        for report in owed:
            # The first delivery has nearly everything, a later one mends this or that.
            fates = (
                ("rows",) * 8 + ("nil", "rejected", "absent")
                if version == 1
                else ("rows", "rejected", "absent", "absent")
            )
            match draw(st.sampled_from(fates)):
                case "rows":
                    accepted[report] = writer.rows(institution, report)
                case "nil":
                    accepted[report] = []
                case "rejected":
                    rejected.append(report)
        received_at = datetime(period.next().year, period.next().month, day, 9, tzinfo=SHANGHAI)
        told.append(Delivery(institution, version, received_at, accepted, tuple(rejected)))
    return told[: len(told) - after], told[len(told) - after :]


@st.composite
def cities(draw: Draw) -> RandomCity:
    """A city of one to three months, two to five banks, two or three counties."""
    first: Period = draw(st.sampled_from(STARTS))
    periods = [first]
    for _ in range(draw(st.integers(0, 2))):
        periods.append(periods[-1].next())
    counties = COUNTIES[: draw(st.integers(2, 3))]
    towns = {
        county: tuple(f"{county}00{number}" for number in range(1, draw(st.integers(1, 2)) + 1)) for county in counties
    }
    opened, closed = date(2010, 1, 1), None
    institutions = {}
    for number in range(1, draw(st.integers(2, 5)) + 1):
        life = draw(st.sampled_from(("open",) * 4 + ("opens", "closes"))) if number > 1 else "open"
        border = draw(st.sampled_from((periods[-1].begin, periods[-1].begin + timedelta(days=9), periods[-1].end)))
        institutions[f"B0{number}"] = Institution(
            "bank", CITY, border if life == "opens" else opened, border if life == "closes" else closed
        )
    institutions |= {f"C0{number}": Institution("county_office", county) for number, county in enumerate(counties, 1)}
    institutions["Z01"] = Institution("centre", CITY)
    register = Register(CITY, towns, institutions)
    months, late = [], []
    for period in periods:
        writer = _Writer(draw, register, period)
        before: list[Delivery] = []
        after: list[Delivery] = []
        for code, institution in institutions.items():
            if institution.is_open(period) and draw(st.sampled_from((True,) * 9 + (False,))):
                in_time, too_late = _deliveries(draw, writer, period, register, code)
                before += in_time
                after += too_late
        deadline = datetime(period.next().year, period.next().month, 12, 12, tzinfo=SHANGHAI)
        months.append(Month(period, deadline, tuple(before)))
        late.append(tuple(after))
    households = {year: draw(st.sampled_from((1, 2, 3, 5, 7, 12, 40))) for year in (2018, 2019, 2020)}
    return RandomCity(register, tuple(months), tuple(late), households)
