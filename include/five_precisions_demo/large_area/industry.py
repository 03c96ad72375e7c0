"""Projects of an invented area, what banks answer to them, and what counties promise banks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from five_precisions.period import Period
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.identity import IdentityRegistry
from five_precisions_demo.large_area.identities import chance, only_where, padded
from five_precisions_demo.large_area.register import TOWNS, AreaRegister, Places
from five_precisions_demo.large_area.size import AreaSize

_PUSHED: Final = 0.4
_ANSWERED: Final = 0.4
_INDUSTRIES: Final = np.array(["种植", "养殖", "加工", "旅游", "光伏", "电商", "其他"])
_ANSWERS: Final = np.array(["已接触", "已授信", "已放款", "不予支持"])
_FIRST_DAY: Final = np.datetime64("2017-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The projects; those of the first county come first."""

    rows: pd.DataFrame
    """Report `projects`, with amounts in hundredths."""
    county: Places
    """The place of each one's county."""
    pushed_to: Places
    """The place of the bank that it was pushed to; -1: to all of the county."""


def fill_library(size: AreaSize, register: AreaRegister) -> Library:
    """As many projects in every county."""
    rng, number = chance(size.seed, "projects"), size.projects
    everyone = np.arange(number)
    county = everyone * len(register.counties) // number
    pushed_to = np.full(number, -1)
    for place in range(len(register.counties)):
        own = (county == place) & (rng.random(number) < _PUSHED)
        pushed_to[own] = rng.choice(register.banks_of(place), own.sum())
    is_cooperative = rng.random(number) < 0.5
    identities = IdentityRegistry(stream(size.seed, "operators"))
    rows = pd.DataFrame(
        {
            "delivered_by": np.array(register.offices)[county],
            "project_no": padded("XM-", everyone, 6),
            "name": padded("产业项目", everyone, 6),
            "town_code": np.array(register.towns)[county * TOWNS + rng.integers(0, TOWNS, number)],
            "industry": _INDUSTRIES[rng.integers(0, len(_INDUSTRIES), number)],
            "operator": padded("经营主体", everyone, 6),
            "operator_id": [
                identities.social_credit_code(register.counties[place], is_cooperative=bool(cooperative))
                for place, cooperative in zip(county, is_cooperative, strict=True)
            ],
            "demand": rng.integers(20, 900, number) * 100,
            "entered_on": _FIRST_DAY + rng.integers(0, 700, number).astype("timedelta64[D]"),
            "status": np.array(["在库", "实施中", "已完成", "退出"])[rng.choice(4, number, p=[0.4, 0.4, 0.15, 0.05])],
            "households": rng.integers(1, 60, number),
            "jobs": rng.integers(1, 120, number),
            "pushed_to": pd.array([None if bank < 0 else register.banks[bank] for bank in pushed_to], "str"),
        }
    )
    return Library(rows=rows, county=county, pushed_to=pushed_to)


def answer_library(size: AreaSize, register: AreaRegister, library: Library) -> pd.DataFrame:
    """Report `matches`: each bank answers some of the projects that it was offered."""
    rng = chance(size.seed, "matches")
    works_in = np.zeros((len(register.banks), len(register.counties)), dtype=bool)
    np.put_along_axis(works_in, register.bank_counties, values=True, axis=1)
    offered = works_in[:, library.county] & (library.pushed_to == -1)
    offered |= library.pushed_to == np.arange(len(register.banks))[:, None]
    bank, project = np.nonzero(offered & (rng.random(offered.shape) < _ANSWERED))
    answer = rng.choice(4, len(bank), p=[0.4, 0.25, 0.2, 0.15])
    return pd.DataFrame(
        {
            "delivered_by": np.array(register.banks)[bank],
            "project_no": library.rows["project_no"].to_numpy()[project],
            "status": _ANSWERS[answer],
            "matched_on": library.rows["entered_on"].to_numpy()[project] + np.timedelta64(30, "D"),
            "credit_line": np.where(answer == 3, 0, rng.integers(10, 300, len(bank)) * 100),
            "paired": rng.random(len(bank)) < 0.3,
            "reason": only_where(answer == 3, "不符合准入条件", "str"),
        }
    )


def promise_money(size: AreaSize, register: AreaRegister, period: Period) -> pd.DataFrame:
    """Report `guarantee_funds`: every county promises each of its banks both kinds, and pays most of it."""
    rng = chance(size.seed, f"funds {period.year}")
    lines = [
        (office, register.banks[bank], kind)
        for place, office in enumerate(register.offices)
        for bank in register.banks_of(place)
        for kind in ("风险补偿金", "贷款贴息")
    ]
    rows = pd.DataFrame(lines, columns=["delivered_by", "bank_code", "kind"])
    due = rng.integers(50, 400, len(rows)) * 100
    return rows.assign(
        year=period.year,
        due_amount=due,
        due_on=np.datetime64(date(period.year, 1, 31), "s"),
        arrived_amount=np.where(rng.random(len(rows)) < 0.9, due, due // 2),
        arrived_on=np.datetime64(date(period.year, 1, 20), "s"),
    )
