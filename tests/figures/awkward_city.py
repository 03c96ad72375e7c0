"""Two months of the small city with everything in them that a figure can trip over, to be computed by hand.

Households of two banks; reports that are missing or empty; loans without a household; boundary days; divisions by
nothing; visits that contradict each other; a bank that closes; a league without the own city.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from five_precisions.figures import assess
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import Rows, SmallCity

ENTERPRISE = {
    "borrower_kind": "企业",
    "household_no": None,
    "category": "产业",
    "microcredit": False,
    "project_no": "P1",
}
WELL_OFF = {"workers": 3, "income_per_head": 8000, "has_business": True}


def assess_awkward_city(engine: Engine, settings: Settings) -> None:
    """Deliver, close and assess both months."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        connection.execute(text("update registry.institution set closed_on = '2019-02-28' where code = 'B03'"))
        for period in (JANUARY, FEBRUARY):
            city.open(period)
        _deliver_january(city)
        _deliver_february(city)
        for period in (JANUARY, FEBRUARY):
            city.close(period)
    assert assess(engine, settings, JANUARY).is_new
    assert assess(engine, settings, FEBRUARY).is_new


LEDGER: Rows = [
    {"contract_no": "L1", "household_no": "H1"},
    {
        "contract_no": "L2",
        "household_no": "H1",
        "issued_on": date(2019, 1, 31),
        "principal": 10000,
        "balance": 5000,
        "overdue_days": 5,
    },
    {
        "contract_no": "L3",
        "household_no": "H2",
        "issued_on": date(2018, 1, 31),
        "principal": 20000,
        "balance": 20000,
    },
    ENTERPRISE | {"contract_no": "L4", "issued_on": date(2016, 11, 30), "principal": 100000, "balance": 100000},
    ENTERPRISE | {"contract_no": "L5", "issued_on": date(2016, 12, 1), "principal": 200000, "balance": 0},
    {
        "contract_no": "=L6",
        "household_no": "H3",
        "category": "个人消费",
        "microcredit": False,
        "town_code": "441702002",
        "principal": 40000,
        "balance": 40000,
    },
    {"contract_no": "L7", "household_no": "H3", "category": "个人教育", "microcredit": False, "balance": 0},
]


def _deliver_january(city: SmallCity) -> None:
    same_day = date(2019, 1, 15)
    city.deliver(
        JANUARY,
        "B01",
        day=4,
        loans=LEDGER,
        position=[{"all_loans": 1100, "microcredit_year_begin": 2}],
        visits=[
            # B02 says otherwise of the same day, and was received later.
            {"household_no": "H1", "visited_on": same_day, "wants_loan": True, "conduct": 4},
            {"household_no": "H2", "visited_on": same_day},
            {"household_no": "H3", "wants_loan": True},
            # B03 says otherwise of the same day, and was received at the same moment.
            {"household_no": "H4", "visited_on": same_day},
            {"household_no": "nobody's"},
        ],
        outreach=[{"team_size": 99}],
        grid=[],
        matches=[{"project_no": "P1", "paired": True}],
    )
    city.deliver(
        JANUARY,
        "B02",
        day=6,
        loans=[
            {
                "contract_no": "L1",
                "household_no": "H2",
                "town_code": "441704001",
                "issued_on": date(2019, 1, 20),
                "principal": 15000,
                "balance": 15000,
            }
        ],
        visits=[
            {"household_no": "H1", "visited_on": same_day, "conduct": 5},
            {"household_no": "H2", "visited_on": same_day, "wants_loan": True},
        ],
    )
    city.deliver(
        JANUARY,
        "B03",
        day=4,
        position=[
            {"county_code": "441704", "all_loans": 100, "all_loans_year_begin": 100, "microcredit_year_begin": 1}
        ],
        visits=[{"household_no": "H4", "visited_on": same_day, "wants_loan": True}],
        matches=[],
    )
    city.deliver(
        JANUARY,
        "C01",
        households=[
            {"household_no": "H1"},
            {"household_no": "H2"},
            {"household_no": "H3", "bank_code": "B02", "town_code": "441702002"} | WELL_OFF,
            {"household_no": "H4", "bank_code": "B03"},
            {"household_no": "H5", "workers": 0},
        ],
        projects=[
            {"project_no": "P1"},
            {"project_no": "P2", "pushed_to": "B02", "entered_on": date(2018, 11, 2)},
            {"project_no": "P3", "status": "退出"},
            {"project_no": "P4", "pushed_to": "B02", "entered_on": date(2018, 11, 1)},
        ],
        guarantee_funds=[
            {"due_on": date(2019, 1, 31)},
            {"bank_code": "B02", "due_on": date(2019, 2, 1), "arrived_amount": 30},
        ],
        outreach=[
            {"team_size": 7},
            {"team_size": 9, "village": "东村"},
            {"held_on": date(2019, 1, 20)},
            {"town_code": "441702002", "team_size": 0},
        ],
    )
    city.deliver(
        JANUARY,
        "C02",
        households=[{"household_no": "H6", "town_code": "441704001", "trained": True} | WELL_OFF],
        projects=[],
        guarantee_funds=[],
        outreach=[],
    )
    city.deliver(
        JANUARY,
        "Z01",
        league=[{}, {"city_code": "440100", "ytd_amount": 10}, {"city_code": "440200", "ytd_amount": 11}],
        inspections=[],
    )


def _deliver_february(city: SmallCity) -> None:
    """No bank delivers both loans and position, nobody visits, one office's activities and registers are missing."""
    city.deliver(
        FEBRUARY,
        "B01",
        position=[{}],
        outreach=[{"held_on": date(2019, 2, 10)}, {"held_on": date(2019, 2, 11), "town_code": "441704001"}],
    )
    city.deliver(FEBRUARY, "B02", loans=[{"contract_no": "L1", "household_no": "H2"}], matches=[])
    city.deliver(FEBRUARY, "C01", households=[{"household_no": "H1"}, {"household_no": "H4"}])
    city.deliver(FEBRUARY, "C02", outreach=[])
    city.deliver(FEBRUARY, "Z01", league=[{"city_code": "440100"}, {"city_code": "440200"}])
