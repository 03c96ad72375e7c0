"""An invented area as a whole, and every institution's reports of a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from five_precisions.period import Period
from five_precisions_demo.city.timetable import workdays
from five_precisions_demo.large_area.identities import chance, only_where
from five_precisions_demo.large_area.industry import Library, answer_library, fill_library, promise_money
from five_precisions_demo.large_area.lending import Lending, balances_on, lend, loans_in
from five_precisions_demo.large_area.people import People, pay_visits, settle_people
from five_precisions_demo.large_area.register import CENTRE, CITY, TOWNS, AreaRegister, Places, found_register
from five_precisions_demo.large_area.size import AreaSize

WAN: Final = 10_000
"""Of fen: a hundredth of 万元."""
_OUTLETS: Final = 4
"""Of a bank in each of its counties."""
_OTHER_CITIES: Final = 19
_ACTIVITIES: Final = 2
"""Of a bank in a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeArea:
    """Everything that happened; what is reported of a month is `reports_of`."""

    size: AreaSize
    register: AreaRegister
    people: People
    library: Library
    lending: Lending
    matches: pd.DataFrame

    def reports_of(self, period: Period) -> dict[str, pd.DataFrame]:
        """The rows of every report, by its code, with the columns of the report and `delivered_by`.

        Amounts and percentages are whole hundredths of the column's unit; rows stand in the order of deliverers.
        """
        loans = loans_in(self.lending, period)
        tables = {
            "loans": loans,
            "position": self._positions(loans, period),
            "visits": pay_visits(self.size, self.register, self.people, self._lent_to(period), period),
            "outreach": self._activities(period),
            "grid": self._grid(),
            "matches": self.matches,
            "households": self.people.rows,
            "projects": self.library.rows,
            "guarantee_funds": promise_money(self.size, self.register, period),
            "league": _league(loans, period),
            "inspections": self._inspections(period),
        }
        return {
            code: rows.sort_values("delivered_by", kind="stable", ignore_index=True) for code, rows in tables.items()
        }

    def _lent_to(self, period: Period) -> Places:
        issued_on = self.lending.rows["issued_on"].to_numpy()
        is_new = (issued_on >= np.datetime64(period.begin)) & (issued_on <= np.datetime64(period.end))
        return self.lending.household[np.flatnonzero(is_new & self.lending.rows["microcredit"])]

    def _positions(self, loans: pd.DataFrame, period: Period) -> pd.DataFrame:
        """A row for each bank and county; more is lent there than these loans."""
        year_begin = balances_on(self.lending, np.datetime64(Period(period.year - 1, 12).end, "D"))
        is_micro = self.lending.rows["microcredit"].to_numpy()
        earlier = self.lending.rows.assign(micro=np.where(is_micro, year_begin, 0))
        sums = [
            rows.groupby(["delivered_by", rows["town_code"].str[:6]])[amount].sum() // WAN
            for rows, amount in ((loans, "balance"), (earlier, "micro"))
        ]
        register = self.register
        rows = pd.DataFrame(
            [
                (bank, register.counties[county], register.is_legal_person(place), place)
                for place, bank in enumerate(register.banks)
                for county in register.bank_counties[place]
            ],
            columns=["delivered_by", "county_code", "is_legal_person", "place"],
        )
        keys = pd.MultiIndex.from_frame(rows[["delivered_by", "county_code"]])
        now, before = (each.reindex(keys, fill_value=0).to_numpy() for each in sums)
        all_loans = 3 * np.maximum(now, before) + 500_000
        return pd.DataFrame(
            {
                "delivered_by": rows["delivered_by"],
                "county_code": rows["county_code"],
                "all_loans": all_loans,
                "all_loans_year_begin": all_loans * 24 // 25,
                "microcredit_year_begin": before,
                "relending": np.where(rows["is_legal_person"], now, 0),
                "relending_extended": 0,
                "new_products": (rows["place"] % 10 > 0).astype(int),
            }
        )

    def _activities(self, period: Period) -> pd.DataFrame:
        """Every office trains the cadres of each of its towns, and every bank goes to two towns."""
        register, days = self.register, np.array(workdays(period), dtype="M8[D]")
        bank, nth = np.divmod(np.arange(len(register.banks) * _ACTIVITIES), _ACTIVITIES)
        town = register.bank_counties[bank, 0] * TOWNS + (bank + nth) % TOWNS
        county = np.arange(len(register.towns)) // TOWNS
        deliverer = np.r_[np.array(register.banks)[bank], np.array(register.offices)[county]]
        place = np.arange(len(deliverer))
        of_office = place >= len(bank)
        attendees = 20 + place % 30
        return pd.DataFrame(
            {
                "delivered_by": deliverer,
                "held_on": days[place % len(days)],
                "town_code": np.array(register.towns)[np.r_[town, np.arange(len(register.towns))]],
                "village": None,
                "kind": np.where(of_office, "培训", "集中宣讲"),
                "round": None,
                "attendees": attendees,
                "cadres": attendees // 4,
                "leaflets": attendees * 3,
                "team_size": only_where(of_office, 8, "Int64"),
            }
        )

    def _grid(self) -> pd.DataFrame:
        """Each bank has some outlets in each of its counties; of each a row for the town and one for a village."""
        register = self.register
        rows = pd.DataFrame(
            [
                (bank, f"{bank}-{register.towns[town]}", register.towns[town], village)
                for place, bank in enumerate(register.banks)
                for county in register.bank_counties[place]
                for town in county * TOWNS + (np.arange(_OUTLETS) * 4 + place) % TOWNS
                for village in (None, "第1村")
            ],
            columns=["delivered_by", "outlet_code", "town_code", "village"],
        )
        number = np.arange(len(rows))
        return rows.assign(
            outlet_name=rows["town_code"] + "支行",
            head="负责人" + rows["outlet_code"].str[-3:],
            head_phone="138" + pd.Series(number).astype(str).str.zfill(8),
            resident_cadre=None,
            letter_signed_on=np.where(number % 200 < 199, np.datetime64("2018-06-01"), np.datetime64("NaT")),
            hotline="12363",
        )

    def _inspections(self, period: Period) -> pd.DataFrame:
        """Every fifth bank was inspected, and has mended most of what was found."""
        banks = self.register.banks[::5]
        number = np.arange(len(banks))
        found = np.datetime64(period.begin) - 120 - number % 60
        is_mended = number % 4 > 0
        return pd.DataFrame(
            {
                "delivered_by": CENTRE,
                "finding_no": [f"DC-{place:05}" for place in number],
                "institution_code": banks,
                "inspected_on": found,
                "aspect": "小额信贷管理",
                "finding": "贷后检查不及时",
                "severity": "一般",
                "due_on": found + 60,
                "mended_on": np.where(is_mended, found + 50, np.datetime64("NaT")),
                "remedy": only_where(is_mended, "已补做贷后检查", "str"),
            }
        )


def invent_area(size: AreaSize) -> LargeArea:
    """The area of that size and seed."""
    register = found_register(size)
    people, library = settle_people(size, register), fill_library(size, register)
    return LargeArea(
        size=size,
        register=register,
        people=people,
        library=library,
        lending=lend(size, register, people, library),
        matches=answer_library(size, register, library),
    )


def _league(loans: pd.DataFrame, period: Period) -> pd.DataFrame:
    """The own row as the banks' loans have it, and other cities."""
    micro = loans[loans["microcredit"]]
    this_year = micro[micro["issued_on"] >= pd.Timestamp(Period(period.year, 1).begin)]
    own = (
        CITY,
        "大区市",
        this_year["household_no"].nunique(),
        (this_year["principal"].sum() + WAN // 2) // WAN,
        (micro["balance"].sum() + WAN // 2) // WAN,
    )
    rng = chance(period.year, "league")
    others = [
        (f"44{90 - place:02}00", f"第{place}市", *rng.integers(100, 9_000, 3)) for place in range(1, _OTHER_CITIES + 1)
    ]
    rows = pd.DataFrame([own, *others], columns=["city_code", "city", "ytd_households", "ytd_amount", "balance"])
    return rows.assign(delivered_by=CENTRE)


def delivered_on(period: Period) -> pd.Timestamp:
    """When all packages of the month lie in the inbox: on the fifth of the next one, before any deadline."""
    return pd.Timestamp(period.end + timedelta(days=5), tz="Asia/Shanghai") + pd.Timedelta(hours=10)
