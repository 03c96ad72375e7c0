"""The city's published figures of June 2019 (tests/golden-2019-06.csv), which the demo is made to add up to.

Only the demo knows them. Amounts are in fen.
"""

from __future__ import annotations

from typing import Final

from five_precisions_demo.city.allotment import wan

INDUSTRY_BALANCE: Final = wan("34238.57")
PERSONAL_BALANCE: Final = wan("19191.75")
PROJECT_PRINCIPAL: Final = wan("38691.00")
PROJECTS: Final = 191
PROJECT_JOBS: Final = 156

MICROCREDIT_HOUSEHOLDS: Final = 1428
MICROCREDIT_PRINCIPAL: Final = wan("4493.00")
ISSUED_HOUSEHOLDS: Final = 596
"""Households given microcredit from January to June 2019."""
ISSUED_PRINCIPAL: Final = wan("2024.39")
PRIOR_HOUSEHOLDS: Final = 97
"""The same for 2018; with 596 a growth of 514.43 %."""
PRIOR_PRINCIPAL: Final = wan("279.13")
"""With 2024.39 万元 a growth of 625.25 %."""

HOUSEHOLDS_ABLE: Final = 14102
HOUSEHOLDS_VISITED: Final = 12600
CADRES_TRAINED: Final = 3520
LEAFLETS: Final = 20000
OUTREACH_TEAM: Final = 300
PROVINCE_RANK: Final = 7
