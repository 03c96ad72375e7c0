"""One month of the small city, whose figures `test_small_city` computes by hand and others build upon."""

from __future__ import annotations

from datetime import date

from tests.figures.conftest import JANUARY
from tests.figures.small_city import SmallCity


def deliver_january(city: SmallCity) -> None:
    """Deliver it into a city. B03's ledger is missing, B02's matches are."""
    city.open(JANUARY)
    city.deliver(JANUARY, "B01", day=4, rejected=("loans",))
    city.deliver(
        JANUARY,
        "B01",
        loans=[
            {"contract_no": "L1", "household_no": "H1"},
            {"contract_no": "L2", "household_no": "H2", "issued_on": date(2018, 1, 31), "balance": 10000},
            {"contract_no": "L3", "household_no": "H2", "issued_on": date(2018, 2, 1), "balance": 0},
        ],
        position=[{"all_loans": 1100, "microcredit_year_begin": 2}],
        visits=[
            {"household_no": "H1", "conduct": 4, "wants_loan": True},
            {"household_no": "H1", "conduct": 5, "visited_on": date(2019, 1, 16)},
            {"household_no": "H4"},
        ],
        outreach=[{}],
        grid=[],
        matches=[{"project_no": "P1", "paired": True}, {"project_no": "P9"}],
    )
    city.deliver(
        JANUARY,
        "B02",
        loans=[
            {
                "contract_no": "L1",
                "household_no": "H3",
                "town_code": "441704001",
                "principal": 50000,
                "balance": 40000,
                "overdue_days": 10,
            }
        ],
        visits=[{"household_no": "H1", "conduct": 5, "visited_on": date(2019, 1, 17)}],
        outreach=[],
        grid=[],
    )
    city.deliver(
        JANUARY,
        "B02",
        day=20,
        position=[
            {"county_code": "441704", "all_loans": 500, "all_loans_year_begin": 500, "microcredit_year_begin": 0}
        ],
    )
    city.deliver(
        JANUARY, "B03", position=[{"all_loans": 100, "all_loans_year_begin": 100, "microcredit_year_begin": 1}]
    )
    city.deliver(
        JANUARY,
        "C01",
        households=[
            {"household_no": "H1"},
            {
                "household_no": "H2",
                "workers": 1,
                "members": 2,
                "income_per_head": "3999.99",
                "debts": 4000,
                "has_business": True,
            },
            {"household_no": "H4", "workers": 0},
        ],
        projects=[
            {"project_no": "P1", "pushed_to": "B01"},
            {"project_no": "P2", "entered_on": date(2018, 11, 2)},
            {"project_no": "P9", "status": "退出"},
        ],
        guarantee_funds=[
            {},
            {"bank_code": "B02", "arrived_amount": 50},
            {"bank_code": "B03", "due_on": date(2019, 9, 1), "arrived_amount": 50},
        ],
        outreach=[{"team_size": 7}, {"held_on": date(2019, 1, 20), "team_size": 6}, {"town_code": "441702002"}],
    )
    city.deliver(
        JANUARY,
        "C02",
        households=[
            {
                "household_no": "H3",
                "workers": 3,
                "members": 5,
                "income_per_head": 8000,
                "debts": 20000,
                "trained": True,
                "town_code": "441704001",
                "bank_code": "B02",
            }
        ],
        projects=[{"project_no": "P3", "town_code": "441704001", "entered_on": date(2018, 11, 1)}],
        guarantee_funds=[],
        outreach=[],
    )
    city.deliver(
        JANUARY,
        "Z01",
        league=[{}, {"city_code": "440100", "ytd_amount": 10}, {"city_code": "440200", "ytd_amount": 11}],
        inspections=[
            {"finding_no": "overdue"},
            {"finding_no": "mended", "mended_on": date(2019, 1, 20)},
            {"finding_no": "due on the last day", "due_on": date(2019, 1, 31)},
        ],
    )
