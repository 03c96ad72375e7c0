"""The city's published figures of June 2019 (tests/golden-2019-06.csv), which the demo is made to add up to.

Only the demo knows them. PUBLISHED holds them as printed, what follows as the city counts: amounts in fen.
"""

from __future__ import annotations

from typing import Final

from five_precisions_demo.city.allotment import wan

PUBLISHED: Final = {
    "loan_balance": "53430.32",
    "loan_balance_industry": "34238.57",
    "loan_balance_personal": "19191.75",
    "project_loan_cumulative": "38691.00",
    "project_count": "191",
    "project_jobs": "156",
    "microcredit_cumulative_households": "1428",
    "microcredit_cumulative_amount": "4493.00",
    "microcredit_ytd_households": "596",
    "microcredit_ytd_amount": "2024.39",
    "microcredit_ytd_households_yoy": "514.43",
    "microcredit_ytd_amount_yoy": "625.25",
    "province_rank": "7",
    "households_visited_cumulative": "12600",
    "households_scored": "14102",
    "score_coverage": "100.00",
    "cadres_trained_cumulative": "3520",
    "leaflets_cumulative": "20000",
    "outreach_team": "300",
}
"""What the city once published of June 2019, by metric, with the decimals that were printed."""

INDUSTRY_BALANCE: Final = wan(PUBLISHED["loan_balance_industry"])
PERSONAL_BALANCE: Final = wan(PUBLISHED["loan_balance_personal"])
PROJECT_PRINCIPAL: Final = wan(PUBLISHED["project_loan_cumulative"])
PROJECTS: Final = int(PUBLISHED["project_count"])
PROJECT_JOBS: Final = int(PUBLISHED["project_jobs"])

MICROCREDIT_HOUSEHOLDS: Final = int(PUBLISHED["microcredit_cumulative_households"])
MICROCREDIT_PRINCIPAL: Final = wan(PUBLISHED["microcredit_cumulative_amount"])
ISSUED_HOUSEHOLDS: Final = int(PUBLISHED["microcredit_ytd_households"])
"""Households given microcredit from January to June 2019."""
ISSUED_PRINCIPAL: Final = wan(PUBLISHED["microcredit_ytd_amount"])
PRIOR_HOUSEHOLDS: Final = 97
"""The same for 2018; with 596 a growth of 514.43 %."""
PRIOR_PRINCIPAL: Final = wan("279.13")
"""With 2024.39 万元 a growth of 625.25 %."""

HOUSEHOLDS_ABLE: Final = int(PUBLISHED["households_scored"])
HOUSEHOLDS_VISITED: Final = int(PUBLISHED["households_visited_cumulative"])
CADRES_TRAINED: Final = int(PUBLISHED["cadres_trained_cumulative"])
LEAFLETS: Final = int(PUBLISHED["leaflets_cumulative"])
OUTREACH_TEAM: Final = int(PUBLISHED["outreach_team"])
PROVINCE_RANK: Final = int(PUBLISHED["province_rank"])
