"""The lists that people work from, in cities small enough to draw them by hand (docs/figures.md#inspection-list)."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from five_precisions.cli import make_app
from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.figures import assess
from five_precisions.figures.alerts import make_raised
from five_precisions.figures.inputs import load_inputs, period_parameters
from five_precisions.figures.lists import (
    draw_lists,
    load_inspection_rules,
    load_lead_rules,
    read_inspection_list,
    read_league,
    read_matching_list,
    read_visit_list,
)
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY, Figure
from tests.figures.small_city import BANKS, OFFICES, Rows, SmallCity

DIGEST = "0123456789abcdef" * 4
TABLES = (
    "household_lead",
    "open_project",
    "project_fit",
    "inspection_outlet",
    "inspection_sample",
    "league_reconciliation",
)
Delivered = Mapping[tuple[str, str], Rows]


def deliver(
    city: SmallCity,
    rows: Delivered,
    *,
    missing: Collection[tuple[str, str]] = (),
    banks: Sequence[str] = BANKS,
    period: Period = JANUARY,
) -> None:
    """Everybody delivers everything that is not missing: nothing, but for these rows by institution and report.

    Funds of B01 have arrived, so there are targets.
    """
    rows = {("C01", "guarantee_funds"): [{}], **rows}
    city.open(period)
    kinds = {**dict.fromkeys(banks, "bank"), **dict.fromkeys(OFFICES, "county_office"), "Z01": "centre"}
    owed = {(name, code) for name, kind in kinds.items() for code, it in load_reports().items() if kind in it.owners}
    assert {*rows, *missing} <= owed
    for name in kinds:
        reports = {code: rows.get((name, code), []) for own, code in sorted(owed - {*missing}) if own == name}
        city.deliver(period, name, **reports)
    city.close(period)


def draw(engine: Engine, settings: Settings, alerts: Sequence[dict[str, Any]] = ()) -> None:
    """Draw January's lists beside these open alerts, which no rule has to raise."""
    with engine.begin() as connection:
        parameters = period_parameters(connection, JANUARY) | {"run_id": "2019-01-r1", "current_round": 1}
        load_inputs(connection, parameters)
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values ('2019-01-r1', '2019-01', 1, clock_timestamp(), :digest, '1', '1', '1', true)"
            ),
            {"digest": DIGEST},
        )
        make_raised(connection)
        for number, alert in enumerate(alerts):
            row = {"case_id": f"case {number}", "institution_code": "B01", "division_code": None} | alert
            row["contract_nos"] = json.dumps(row.get("contract_nos", []))
            connection.execute(
                text(
                    "insert into raised (rule, institution_code, subject, contract_nos) "
                    "values (:rule, :institution_code, :subject, cast(:contract_nos as jsonb))"
                ),
                row,
            )
            connection.execute(
                text(
                    "insert into mart.alert (run_id, period, rule, aspect, level, institution_code, division_code, "
                    "subject, detail, case_id) values ('2019-01-r1', '2019-01', :rule, '小额信贷管理', :level, "
                    ":institution_code, :division_code, :subject, '说明', :case_id)"
                ),
                row,
            )
        draw_lists(connection, load_inspection_rules(settings), load_lead_rules(settings), parameters)


def use_rules(settings: Settings, folder: Path, file: str, **changes: Any) -> Settings:
    """Settings under which a reference file has other values at its top."""
    content = yaml.safe_load(settings.reference_file(file).read_text(encoding="utf-8"))
    (folder / file).write_text(yaml.safe_dump(content | changes, allow_unicode=True), encoding="utf-8")
    return settings.model_copy(update={"reference": folder})


# Households

STRONG = {"workers": 3, "income_per_head": 8000}
"""20 + 20 + 15 points without debts, and 12 without a mark: 67, A. With training 77, AA, 30,000 yuan."""

HOUSEHOLDS: Rows = [
    {"household_no": "never visited"},
    {"household_no": "nobody able", "workers": 0},
    {"household_no": "wants"},
    {"household_no": "wanted, then not"},
    {"household_no": "wants, settled"},
    {"household_no": "wants, served by B02"},
    {"household_no": "high", **STRONG, "trained": True},
    {"household_no": "not high", **STRONG},
    {"household_no": "high, served", **STRONG, "trained": True},
    {"household_no": "high, ledger missing", **STRONG, "trained": True, "bank_code": "B03"},
    {"household_no": "wants, ledger missing", "bank_code": "B03"},
]
VISITS: Rows = [
    {"household_no": "wants", "wants_loan": True, "wanted_amount": 20000},
    {"household_no": "wanted, then not", "wants_loan": True},
    {"household_no": "wanted, then not", "visited_on": date(2019, 1, 16)},
    {"household_no": "wants, settled", "wants_loan": True, "visited_on": date(2019, 1, 14)},
    {"household_no": "wants, served by B02", "wants_loan": True},
    {"household_no": "high"},
    {"household_no": "not high"},
    {"household_no": "high, served"},
    {"household_no": "high, ledger missing"},
    {"household_no": "wants, ledger missing", "wants_loan": True},
]
MICROCREDIT: Delivered = {
    ("B01", "loans"): [
        {"contract_no": "L1", "household_no": "wants, settled", "balance": 0},
        {"contract_no": "L2", "household_no": "high, served"},
        {"contract_no": "L3", "household_no": "wants", "microcredit": False},
    ],
    ("B02", "loans"): [{"contract_no": "L1", "household_no": "wants, served by B02", "balance": "0.01"}],
}


def test_who_should_be_seen_and_why(engine: Engine, settings: Settings, figure: Figure) -> None:
    rows = {**MICROCREDIT, ("C01", "households"): HOUSEHOLDS, ("B02", "visits"): VISITS}
    with engine.begin() as connection:
        deliver(SmallCity(connection), rows, missing=[("B03", "loans"), ("C02", "households")])
    assess(engine, settings, JANUARY)
    leads = read_visit_list(engine, JANUARY)
    assert [(lead.bank_code, lead.place, lead.household_no) for lead in leads] == [
        ("B01", 1, "wants, settled"),
        ("B01", 2, "wants"),
        ("B01", 3, "never visited"),
        ("B01", 4, "high"),
        ("B03", 1, "wants, ledger missing"),
    ]
    assert [(lead.not_visited, lead.wants_loan, lead.scored_high) for lead in leads] == [
        (False, True, False),
        (False, True, False),
        (True, False, False),
        (False, False, True),
        (False, True, False),
    ]
    assert sum(lead.wants_loan for lead in leads) == figure("households_wanting") == 3
    assert [lead.reason for lead in leads] == [
        "有贷款需求；尚无扶贫小额信贷",
        "有贷款需求2.00万元；尚无扶贫小额信贷",
        "从未走访",
        "评级AA，可授信3.00万元；尚无扶贫小额信贷",
        "有贷款需求；尚无扶贫小额信贷",
    ]
    assert [lead.last_visited_on for lead in leads[1:3]] == [date(2019, 1, 15), None]
    assert leads[1].wanted_amount == 20000
    assert {lead.head_name for lead in leads} == {"陈*"}


def test_without_any_ledger_nobody_is_said_to_be_without_a_loan(engine: Engine, settings: Settings) -> None:
    rows = {("C01", "households"): HOUSEHOLDS, ("B02", "visits"): VISITS}
    with engine.begin() as connection:
        deliver(SmallCity(connection), rows, missing=[(bank, "loans") for bank in BANKS])
    assess(engine, settings, JANUARY)
    assert [lead.household_no for lead in read_visit_list(engine, JANUARY)] == ["never visited"]


def test_a_new_round_begins_with_those_who_have_waited_longest(engine: Engine, settings: Settings) -> None:
    days = {"H1": 15, "H2": 9, "H3": 20}
    households = {("C01", "households"): [{"household_no": name} for name in days]}
    first = [{"household_no": name, "visited_on": date(2019, 1, day)} for name, day in days.items()]
    second = [{"household_no": "H3", "round": 2, "visited_on": date(2019, 2, 1)}]
    with engine.begin() as connection:
        city = SmallCity(connection)
        deliver(city, {**households, ("B01", "visits"): first})
        deliver(city, {**households, ("B01", "visits"): second}, period=FEBRUARY)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    assert read_visit_list(engine, JANUARY) == []
    leads = read_visit_list(engine, FEBRUARY)
    assert [(lead.household_no, lead.reason) for lead in leads] == [("H2", "第2轮未走访"), ("H1", "第2轮未走访")]


# Projects

FIVE_BANKS = ("B01", "B02", "B03", "B04", "B05")
INDUSTRY: dict[str, Any] = {
    "borrower_kind": "合作社",
    "household_no": None,
    "category": "产业",
    "microcredit": False,
    "project_no": "P0",
}
PROJECTS: Delivered = {
    ("C01", "projects"): [
        {"project_no": "P0", "status": "退出"},
        {"project_no": "P1"},
        {"project_no": "P2"},
        {"project_no": "P3", "status": "已完成"},
        {"project_no": "P4", "status": "实施中", "demand": 1000},
    ],
    ("C02", "projects"): [{"project_no": "P1", "town_code": "441704001", "pushed_to": "B03", "industry": "光伏"}],
    ("B01", "position"): [{"relending": 500}],
    # 100 for projects in the industry, 100 of microcredit, and 100 that count for neither, all in the county (万元): a
    # project's number on a loan of another category, which L09 refuses, makes it no loan to a project.
    ("B01", "loans"): [
        {"contract_no": "L1", **INDUSTRY, "principal": 1000000, "balance": 1000000},
        {"contract_no": "L2", "principal": 1000000, "balance": 1000000},
        {"contract_no": "L3", **INDUSTRY, "category": "个人经营", "principal": 1000000, "balance": 1000000},
    ],
    ("B02", "position"): [{"relending": 500}, {"county_code": "441704"}],
    ("B02", "loans"): [{"contract_no": "L1", **INDUSTRY, "principal": 500000, "balance": 500000}],
    ("B02", "matches"): [{"project_no": "P2"}, {"project_no": "P4", "status": "已接触"}],
    ("B03", "position"): [{}],
    ("B03", "matches"): [{"project_no": "P1", "status": "不予支持", "reason": "无"}],
    ("B04", "position"): [{}],
    ("B05", "position"): [{}],
}


def deliver_projects(engine: Engine, rows: Delivered = PROJECTS, missing: Collection[tuple[str, str]] = ()) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection, banks=FIVE_BANKS), rows, missing=missing, banks=FIVE_BANKS)


def places(engine: Engine, **asked: str) -> list[tuple[str, str, str | None, int | None, Decimal | None]]:
    leads = read_matching_list(engine, JANUARY, **asked)
    return [(lead.county_code, lead.project_no, lead.bank_code, lead.place, lead.fit) for lead in leads]


def test_the_banks_that_fit_a_project_best(engine: Engine, settings: Settings) -> None:
    deliver_projects(engine)
    draw(engine, settings)
    assert places(engine) == [
        # B01: all of industry and county; room of 500 - 200 is more than the 20 that are wanted.
        ("441702", "P1", "B01", 1, Decimal(100)),
        # B02: 50/100 × 50 + 50/300 × 30; no local legal person.
        ("441702", "P1", "B02", 2, Decimal(30)),
        ("441702", "P1", "B04", 3, Decimal(0)),
        # B03 will not support it; B05 comes after the third, and was offered it.
        ("441702", "P1", "B05", None, Decimal(0)),
        # Room of 300 for 1,000: 80 + 0.3 × 20.
        ("441702", "P4", "B01", 1, Decimal(86)),
        ("441702", "P4", "B02", 2, Decimal(30)),
        ("441702", "P4", "B03", 3, Decimal(0)),
        ("441702", "P4", "B04", None, Decimal(0)),
        ("441702", "P4", "B05", None, Decimal(0)),
        # Another county's project of the same number: B03's answer names the number, so it has answered.
        ("441704", "P1", "B02", 1, Decimal(0)),
    ]
    first, second, third, last = read_matching_list(engine, JANUARY)[:4]
    assert first.reason == (
        "在该县区有业务，金融精准扶贫贷款余额300.00万元；养殖类项目贷款余额100.00万元；"
        "支农再贷款余额500.00万元，扶贫小额信贷和项目贷款余额200.00万元，尚有300.00万元可用；已推送，尚未答复"
    )
    assert second.reason == (
        "在该县区有业务，金融精准扶贫贷款余额50.00万元；养殖类项目贷款余额50.00万元；已推送，尚未答复"
    )
    assert third.reason == "在该县区有业务，金融精准扶贫贷款余额0.00万元；尚无养殖类项目贷款；已推送，尚未答复"
    assert (last.offered, last.answer) == (True, None)
    touched = next(lead for lead in read_matching_list(engine, JANUARY, institution="B02") if lead.project_no == "P4")
    assert touched.answer == "已接触"
    assert touched.reason is not None
    assert touched.reason.endswith("；本行已接触")


def test_a_bank_has_a_project_that_was_pushed_to_it_where_it_does_not_work(engine: Engine, settings: Settings) -> None:
    deliver_projects(engine, {**PROJECTS, ("B03", "matches"): []})
    draw(engine, settings)
    assert places(engine, town="441704001") == [
        ("441704", "P1", "B02", 1, Decimal(0)),
        ("441704", "P1", "B03", None, None),
    ]
    pushed = read_matching_list(engine, JANUARY, town="441704001", institution="B03")
    assert [lead.reason for lead in pushed] == ["未在该县区填报贷款月报；尚无光伏类项目贷款；已推送，尚未答复"]
    other = read_matching_list(engine, JANUARY, town="441704001", institution="B02")
    assert [lead.offered for lead in other] == [False]


def test_nothing_is_said_of_a_bank_whose_report_is_missing(engine: Engine, settings: Settings) -> None:
    missing = [("B02", "position"), ("B04", "matches"), ("B01", "loans"), ("C02", "projects")]
    deliver_projects(engine, {key: rows for key, rows in PROJECTS.items() if key not in missing}, missing)
    draw(engine, settings)
    assert [row[1:] for row in places(engine)] == [
        ("P1", "B01", 1, Decimal(0)),
        ("P1", "B05", 2, Decimal(0)),
        ("P4", "B01", 1, Decimal(0)),
        ("P4", "B03", 2, Decimal(0)),
        ("P4", "B05", 3, Decimal(0)),
    ]
    without_ledger = read_matching_list(engine, JANUARY, institution="B01")
    assert {lead.reason for lead in without_ledger} == {"在该县区有业务，贷款台账未报送；已推送，尚未答复"}


def test_a_project_for_which_no_bank_fits_is_still_open(engine: Engine, settings: Settings) -> None:
    rows = {("C01", "projects"): [{}]}
    deliver_projects(engine, rows)
    draw(engine, settings)
    assert places(engine) == [("441702", "P1", None, None, None)]
    assert places(engine, institution="B01") == []


def test_without_any_matches_no_project_is_said_to_be_open(engine: Engine, settings: Settings) -> None:
    missing = [(bank, "matches") for bank in FIVE_BANKS]
    deliver_projects(engine, {key: rows for key, rows in PROJECTS.items() if key not in missing}, missing)
    draw(engine, settings)
    assert places(engine) == []


# Outlets


def town_loans(town: str, *balances: int, start: int = 1) -> Rows:
    return [
        {
            "contract_no": f"{town}-{number}",
            "household_no": f"H{number}",
            "town_code": town,
            "principal": 50000,
            "balance": balance,
        }
        for number, balance in enumerate(balances, start=start)
    ]


EAST, WEST, OTHER = "441702001", "441702002", "441704001"
OUTLETS: Delivered = {
    ("B01", "grid"): [
        {"outlet_code": "N2", "outlet_name": "乙支行", "town_code": EAST},
        {"outlet_code": "N1", "outlet_name": "甲支行", "town_code": EAST},
        {"outlet_code": "N1", "outlet_name": "甲支行", "town_code": EAST, "village": "东村"},
    ],
    ("B01", "loans"): [*town_loans(EAST, 20000), *town_loans(WEST, 40000), *town_loans(OTHER, 0)],
    ("B02", "loans"): town_loans(OTHER, 10000),
    ("Z01", "inspections"): [
        {"inspected_on": date(2018, 2, 1)},
        {"finding_no": "N2", "inspected_on": date(2018, 8, 9)},
        {"finding_no": "N3", "inspected_on": date(2019, 2, 1)},
    ],
}


def test_outlets_by_alerts_balance_and_time(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), OUTLETS)
    draw(
        engine,
        settings,
        [
            {"rule": "A06", "level": "high", "division_code": EAST, "subject": "household"},
            {"rule": "A04", "level": "low", "division_code": EAST, "subject": "N1"},
            # Of the county: half for each of its two outlets. Of the whole bank: a third.
            {"rule": "A13", "level": "medium", "division_code": "441702", "subject": "county"},
            {"rule": "A11", "level": "medium", "subject": "B01"},
            # Of an institution that has no outlets, and of a town in which the bank has nothing.
            {"rule": "A01", "level": "high", "institution_code": "C01", "division_code": EAST, "subject": "fund"},
            {"rule": "A12", "level": "low", "division_code": OTHER, "subject": "officer"},
        ],
    )
    outlets = read_inspection_list(engine, JANUARY)
    assert [(outlet.place, outlet.bank_code, outlet.town_code) for outlet in outlets] == [
        (1, "B01", EAST),
        (2, "B01", WEST),
        (3, "B02", OTHER),
        (4, "B01", OTHER),
    ]
    assert [outlet.weight for outlet in outlets] == [Decimal("13.5"), Decimal("2.5"), 0, 2]
    assert [(outlet.open_alerts, outlet.shared_alerts) for outlet in outlets] == [(2, 2), (0, 2), (0, 0), (1, 1)]
    assert [outlet.balance for outlet in outlets] == [2, 4, 1, 0]
    # 175 days since 9 August; what is dated after the month has not happened yet. B02 was never inspected.
    waited = Decimal(175) / 730 * 15
    expected = [
        60 + Decimal("12.5") + waited,
        Decimal("2.5") / Decimal("13.5") * 60 + 25 + waited,
        Decimal("6.25") + 15,
        2 / Decimal("13.5") * 60 + waited,
    ]
    assert [outlet.risk for outlet in outlets] == [round(risk, 2) for risk in expected]
    assert [outlet.outlet_name for outlet in outlets] == ["乙支行、甲支行", None, None, None]
    assert [outlet.last_inspected_on for outlet in outlets[1:3]] == [date(2018, 8, 9), None]
    assert outlets[0].reason == (
        "本镇未销号预警2条（A04、A06）；全行或全县区未销号预警2条（A11、A13）；贷款余额2.00万元；最近一次督查2018-08-09"
    )
    assert outlets[1].reason == (
        "全行或全县区未销号预警2条（A11、A13）；贷款余额4.00万元；网格化管理责任表中本镇无网点；最近一次督查2018-08-09"
    )
    assert outlets[2].reason == "贷款余额1.00万元；网格化管理责任表中本镇无网点；台账中无督查记录"


def test_an_alert_about_loans_in_several_towns_weighs_in_those(engine: Engine, settings: Settings) -> None:
    loans = [*town_loans(EAST, 20000), *town_loans(WEST, 20000, 0), *town_loans(OTHER, 20000)]
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): loans})
    named = [f"{EAST}-1", f"{WEST}-1"]
    draw(engine, settings, [{"rule": "A07", "level": "high", "subject": "account", "contract_nos": named}])
    outlets = {outlet.town_code: outlet for outlet in read_inspection_list(engine, JANUARY)}
    assert {town: outlet.weight for town, outlet in outlets.items()} == {EAST: 5, WEST: 5, OTHER: 0}
    # The settled loan is none of those that it is about.
    assert [loan.reason for loan in outlets[WEST].sample] == ["预警A07；余额2.00万元"]


def test_an_alert_of_a_county_without_outlets_falls_on_all_of_the_bank(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): [*town_loans(EAST, 1), *town_loans(WEST, 1)]})
    alerts = [
        {"rule": "A11", "level": "medium", "division_code": "441704", "subject": "county"},
        {"rule": "A14", "level": "low", "division_code": "441700", "subject": "city"},
    ]
    draw(engine, settings, alerts)
    outlets = read_inspection_list(engine, JANUARY)
    assert [(outlet.weight, outlet.shared_alerts) for outlet in outlets] == [(2, 2), (2, 2)]


def test_what_is_missing_for_outlets_is_said_and_counts_for_nothing(engine: Engine, settings: Settings) -> None:
    grid = [{"outlet_code": "N1", "outlet_name": "甲支行", "town_code": EAST}]
    rows = {("B01", "grid"): grid, ("B02", "loans"): town_loans(WEST, 10000)}
    missing = [("B01", "loans"), ("B02", "grid"), ("Z01", "inspections")]
    with engine.begin() as connection:
        deliver(SmallCity(connection), rows, missing=missing)
    draw(engine, settings)
    outlets = read_inspection_list(engine, JANUARY)
    assert [(outlet.bank_code, outlet.balance, outlet.risk, outlet.reason) for outlet in outlets] == [
        ("B02", 1, 25, "贷款余额1.00万元；督查台账未报送"),
        ("B01", None, 0, "贷款台账未报送；督查台账未报送"),
    ]
    assert outlets[1].sample == ()


def test_the_riskiest_half_and_a_random_half_that_can_be_drawn_again(engine: Engine, settings: Settings) -> None:
    loans = town_loans(EAST, *[10000] * 20)
    by_number = dict(enumerate(loans, start=1))
    by_number[7] |= {"overdue_days": 1, "risk_class": "正常"}
    by_number[8] |= {"risk_class": "损失"}
    by_number[9] |= {"risk_class": "关注", "balance": 50000}
    by_number[10] |= {"risk_class": "关注"}
    settled = town_loans(EAST, 0, 0, start=21)
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): [*loans, *settled]})
    draw(
        engine,
        settings,
        [
            {"rule": "A09", "level": "low", "subject": "one", "contract_nos": [f"{EAST}-21", "not in the ledger"]},
            {"rule": "A06", "level": "high", "subject": "two", "contract_nos": [f"{EAST}-5"]},
            {"rule": "A18", "level": "low", "subject": "three", "contract_nos": [f"{EAST}-5"]},
            # Neither is about a loan here: one is another bank's, one about something of the same name.
            {"rule": "A05", "level": "medium", "institution_code": "B02", "subject": "four"}
            | {"contract_nos": [f"{EAST}-1"]},
            {"rule": "A16", "level": "high", "division_code": EAST, "subject": f"{EAST}-2"},
        ],
    )
    (outlet,) = (each for each in read_inspection_list(engine, JANUARY) if each.bank_code == "B01")
    assert outlet.seed == f"{DIGEST[:16]}/B01/{EAST}"
    risky, random = outlet.sample[:5], outlet.sample[5:]
    assert [(loan.contract_no, loan.drawn, loan.reason) for loan in risky] == [
        (f"{EAST}-5", "risk", "预警A06、A18；余额1.00万元"),
        (f"{EAST}-21", "risk", "预警A09；余额0.00万元"),
        (f"{EAST}-7", "risk", "逾期1天；余额1.00万元"),
        (f"{EAST}-8", "risk", "损失；余额1.00万元"),
        (f"{EAST}-9", "risk", "关注；余额5.00万元"),
    ]
    others = [loan["contract_no"] for loan in loans if loan["contract_no"] not in {each.contract_no for each in risky}]
    assert len(others) == 16
    again = sorted(others, key=lambda number: hashlib.sha256(f"{outlet.seed}/{number}".encode()).hexdigest())
    assert [loan.contract_no for loan in random] == again[:5]
    assert {loan.drawn for loan in random} == {"random"}
    assert random[0].draw == hashlib.sha256(f"{outlet.seed}/{again[0]}".encode()).hexdigest()
    assert [loan.place for loan in outlet.sample] == list(range(1, 11))


def test_the_rules_name_the_loans_that_their_alerts_are_about(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    """B01's loans by contract; what is settled is named where a rule says that it counts, and nothing by its name."""
    account = {"payee_account": "****1234", "payee_account_hash": "6" * 64}
    borrowers = [{"borrower_id_hash": letter * 64} for letter in "cde"]
    plain = {"town_code": EAST, "principal": 60000, "balance": 1000}
    old = plain | {"issued_on": date(2018, 5, 1)}
    loans: Rows = [
        old | {"contract_no": "A05", "household_no": "able", "purpose": "消费"},
        old | {"contract_no": "A06", "household_no": "deep", "balance": 50001},
        *(old | account | borrower | {"contract_no": f"A07 {number}", "household_no": "able"}
          for number, borrower in enumerate(borrowers)),
        old | account | {"contract_no": "settled into the account", "household_no": "able", "balance": 0},
        old | {"contract_no": "settled, of deep", "household_no": "deep", "balance": 0},
        old | {"contract_no": "education, of deep", "household_no": "deep", "microcredit": False},
        old | {"contract_no": "A08", "household_no": "nobody's"},
        plain | {"contract_no": "A09", "household_no": "unseen", "issued_on": date(2019, 1, 20), "balance": 0},
        old | {"contract_no": "N1", "household_no": "able"},
        old | {"contract_no": "O1", "household_no": "able"},
    ]  # fmt: skip
    rows: Delivered = {
        ("B01", "loans"): loans,
        # An outlet and a finding that are called as contracts are.
        ("B01", "grid"): [{"letter_signed_on": None}],
        ("Z01", "inspections"): [{}],
        ("C01", "households"): [{"household_no": name} for name in ("able", "deep", "unseen")],
    }
    with engine.begin() as connection:
        deliver(SmallCity(connection), rows)
    assess(engine, use_rules(settings, tmp_path, "inspection.yaml", sample={"loans": 20}), JANUARY)
    (outlet,) = (each for each in read_inspection_list(engine, JANUARY) if each.bank_code == "B01")
    about = {loan.contract_no: re.findall(r"A\d\d", loan.reason) for loan in outlet.sample}
    assert about == {
        **{rule: [rule] for rule in ("A05", "A06", "A08", "A09")},
        **{f"A07 {number}": ["A07"] for number in range(3)},
        **{contract: [] for contract in ("education, of deep", "N1", "O1")},
    }
    with engine.connect() as connection:
        raised = connection.execute(text("select rule, subject from mart.current_alert where rule in ('A04', 'A16')"))
        assert sorted(map(tuple, raised)) == [("A04", "O1"), ("A16", "N1")]


@pytest.mark.parametrize(("asked", "there", "risky", "random"), [(3, 9, 2, 1), (10, 5, 3, 2), (10, 1, 1, 0)])
def test_the_riskiest_have_one_more_of_an_odd_number(
    engine: Engine, settings: Settings, tmp_path: Path, asked: int, there: int, risky: int, random: int
) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): town_loans(EAST, *[10000] * there)})
    draw(engine, use_rules(settings, tmp_path, "inspection.yaml", sample={"loans": asked}))
    (outlet,) = read_inspection_list(engine, JANUARY)
    assert [loan.drawn for loan in outlet.sample] == ["risk"] * risky + ["random"] * random


def test_two_runs_draw_the_same_lists_in_the_same_order(engine: Engine, settings: Settings) -> None:
    rows = {
        **PROJECTS,
        ("B01", "loans"): [*PROJECTS["B01", "loans"], *town_loans(EAST, *range(1000, 40000, 1000))],
        ("B01", "visits"): VISITS,
        ("C01", "households"): HOUSEHOLDS,
        ("Z01", "league"): [{}],
    }
    with engine.begin() as connection:
        deliver(SmallCity(connection, banks=FIVE_BANKS), rows, banks=FIVE_BANKS)
    assess(engine, settings, JANUARY)
    first = dump(engine)
    assert all(first.values())
    with engine.begin() as connection:
        # The records among them refuse it to everybody else.
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("truncate mart.run, mart.target cascade"))
        for table in ("loans", "visits", "households", "projects", "matches", "position"):
            # An update moves the row to the end of its table.
            connection.execute(text(f"update core.delivered_{table} set row_number = row_number where row_number = 2"))
    assess(engine, settings, JANUARY)
    assert dump(engine) == first


def dump(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"select cast(row as text) from mart.{table} as row")).scalars())
            for table in TABLES
        }


# The league


def test_the_own_row_of_the_league_beside_what_the_ledgers_give(engine: Engine, settings: Settings) -> None:
    loans = [{"contract_no": "L1", "principal": 50000, "balance": "12345.67"}]
    league = [{"ytd_households": 3, "ytd_amount": 5, "balance": "1.24"}, {"city_code": "440100"}]
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): loans, ("Z01", "league"): league})
    assess(engine, settings, JANUARY)
    found = [(row.figure, row.computed, row.reported, row.difference) for row in read_league(engine, JANUARY)]
    assert found == [
        ("ytd_households", 1, 3, 2),
        ("ytd_amount", 5, 5, 0),
        # 1.234567 is 1.23 as the league gives it.
        ("balance", Decimal("1.234567"), Decimal("1.24"), Decimal("0.01")),
    ]


def test_a_league_without_the_own_row_reports_nothing_of_it(engine: Engine, settings: Settings) -> None:
    missing = [(bank, "loans") for bank in BANKS]
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("Z01", "league"): [{"city_code": "440100"}]}, missing=missing)
    draw(engine, settings)
    found = [(row.figure, row.computed, row.reported, row.difference) for row in read_league(engine, JANUARY)]
    assert found == [(name, None, None, None) for name in ("ytd_households", "ytd_amount", "balance")]


def test_without_the_league_there_is_nothing_to_reconcile(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), {}, missing=[("Z01", "league")])
    draw(engine, settings)
    assert read_league(engine, JANUARY) == []


# Reading and the command line


def test_what_is_asked_for_must_be_there(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), {})
    with pytest.raises(RefusedError, match="2019-01 has not been assessed; run: five-precisions assess 2019-01"):
        read_visit_list(engine, JANUARY)
    draw(engine, settings)
    with pytest.raises(UsageError, match="no bank 'C01'"):
        read_inspection_list(engine, JANUARY, institution="C01")
    with pytest.raises(UsageError, match="no town '441702'"):
        read_matching_list(engine, JANUARY, town="441702")


def test_the_newest_run_is_read(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        deliver(SmallCity(connection), {("B01", "loans"): town_loans(EAST, 10000)})
    draw(engine, settings)
    assert len(read_inspection_list(engine, JANUARY)) == 1
    with engine.begin() as connection:
        connection.execute(text("update mart.run set current = false"))
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "select '2019-01-r2', period, 2, closed_at, input_digest, '1', '1', '1', true from mart.run"
            )
        )
    assert read_inspection_list(engine, JANUARY) == []


def read_csv(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def command_city(engine: Engine, settings: Settings) -> Engine:
    """A city for the commands, with a project whose name a spreadsheet could run."""
    rows = {
        **PROJECTS,
        ("C01", "projects"): [{"name": '=HYPERLINK("x")'}],
        ("B01", "loans"): [*town_loans(EAST, 10000, 20000), *town_loans(WEST, 10000)],
        ("B01", "visits"): VISITS,
        ("B02", "matches"): [],
        ("C01", "households"): HOUSEHOLDS,
        ("Z01", "league"): [{}],
    }
    with engine.begin() as connection:
        deliver(SmallCity(connection, banks=FIVE_BANKS), rows, banks=FIVE_BANKS)
    assess(engine, settings, JANUARY)
    return engine


def run(*words: str) -> str:
    result = CliRunner().invoke(make_app(), ["lists", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_lists_as_csv(command_city: Engine, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    run("visits", "2019-01", "--institution", "B01", "--town", EAST, "--csv", str(file))
    heading, *rows = read_csv(file)
    assert heading[5:9] == ["户编号", "村名", "户主姓名", "本轮未走访"]
    leads = read_visit_list(command_city, JANUARY, institution="B01", town=EAST)
    assert [row[5] for row in rows] == [lead.household_no for lead in leads]
    assert len(rows) > 2
    assert rows[-1][-2:] == ["30000.00", "评级AA，可授信3.00万元；尚无扶贫小额信贷"]

    run("matching", "2019-01", "--institution", "B01", "--csv", str(file))
    heading, row = read_csv(file)
    named = dict(zip(heading, row, strict=True))
    assert named["项目名称"] == '“=HYPERLINK("x")”'
    # B02 has lent more in the county, 50 to 4; B01 alone has relending room.
    assert (named["资金需求（万元）"], named["名次"], named["契合度"]) == ("20.00", "2", "22.40")
    assert (named["已推送本行"], named["本行答复"]) == ("是", "")

    run("inspection", "2019-01", "--institution", "B01", "--csv", str(file))
    heading, *rows = read_csv(file)
    loans = [(row[heading.index("乡镇代码")], row[heading.index("合同编号")]) for row in rows]
    assert sorted(loans) == [(EAST, f"{EAST}-1"), (EAST, f"{EAST}-2"), (WEST, f"{WEST}-1")]
    assert {len(row) for row in rows} == {len(heading)}

    run("league", "2019-01", "--csv", str(file))
    assert [row[0] for row in read_csv(file)] == ["指标", "本年新发放户数", "本年新发放金额（万元）", "余额（万元）"]


def test_an_outlet_without_loans_is_in_the_csv_too(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with engine.begin() as connection:
        grid = [{"outlet_code": "N1", "outlet_name": "甲支行", "town_code": EAST}]
        deliver(SmallCity(connection), {("B01", "grid"): grid})
    draw(engine, settings)
    run("inspection", "2019-01", "--csv", str(tmp_path / "list.csv"))
    heading, row = read_csv(tmp_path / "list.csv")
    assert (len(row), row[heading.index("网点")], row[heading.index("合同编号")]) == (len(heading), "甲支行", "")


def test_the_lists_as_json_and_in_the_terminal(command_city: Engine) -> None:
    outlets = json.loads(run("inspection", "2019-01", "--institution", "B01", "--json"))
    assert [len(outlet["sample"]) for outlet in outlets] == [2, 1]
    assert outlets[0]["sample"][0]["drawn"] == "risk"
    (league, *_) = json.loads(run("league", "2019-01", "--json"))
    assert league == {"figure": "ytd_households", "computed": "2", "reported": "1", "difference": "-1.00"}
    assert "从未走访" in run("visits", "2019-01")
    assert "=HYPERLINK" in run("matching", "2019-01")
    assert "甲" not in run("inspection", "2019-01")
    assert "Nothing in this list" in run("visits", "2019-01", "--town", OTHER)


def test_a_long_list_is_cut_in_the_terminal_and_says_so(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with engine.begin() as connection:
        grid = [{"outlet_code": "N1", "outlet_name": "甲支行", "town_code": f"4417{number:05}"} for number in range(53)]
        deliver(SmallCity(connection), {("B01", "grid"): grid})
    draw(engine, settings)
    assert "… and 3 more; --csv FILE writes them all." in run("inspection", "2019-01")
    output = run("inspection", "2019-01", "--csv", str(tmp_path / "list.csv"))
    assert "more" not in output
    assert len(read_csv(tmp_path / "list.csv")) == 54


def test_a_file_that_cannot_be_written_is_named(command_city: Engine, tmp_path: Path) -> None:
    asked = ["lists", "league", "2019-01", "--csv", str(tmp_path / "nowhere" / "list.csv")]
    with pytest.raises(SetupError, match=r"nowhere/list\.csv cannot be written"):
        CliRunner().invoke(make_app(), asked, catch_exceptions=False)


# The rules


@pytest.mark.parametrize(
    ("file", "changes", "sentence"),
    [
        ("inspection.yaml", {"levels": {"high": 10, "medium": 3}}, "levels: no weight for low"),
        ("inspection.yaml", {"levels": {"high": 1, "medium": 3, "low": 0}}, "a graver level must not weigh less"),
        ("inspection.yaml", {"levels": {"high": 1, "medium": 1, "low": -1}}, r"wrong at levels\.low"),
        ("inspection.yaml", {"levels": {"grave": 1}}, r"wrong at levels\.grave"),
        ("inspection.yaml", {"risk": {"alerts": 0, "balance": 0, "time": 0}}, "all weights are 0"),
        ("inspection.yaml", {"risk": {"alerts": 1, "balance": 1}}, r"wrong at risk\.time"),
        ("inspection.yaml", {"full_after_days": 0}, "wrong at full_after_days"),
        ("inspection.yaml", {"sample": {"loans": 2.5}}, r"wrong at sample\.loans"),
        ("inspection.yaml", {"smaple": {"loans": 2}}, "smaple is unknown; do you mean sample"),
        ("leads.yaml", {"visits": {"high_from_limit": 0}}, r"wrong at visits\.high_from_limit"),
        ("leads.yaml", {"matching": {"banks": 0, "fit": {}}}, r"wrong at matching\.banks"),
        (
            "leads.yaml",
            {"matching": {"banks": 3, "fit": {"industry": 0, "county": 0, "relending": 0}}},
            "all weights are 0",
        ),
    ],
)
def test_wrong_rules_are_named(
    settings: Settings, tmp_path: Path, file: str, changes: dict[str, Any], sentence: str
) -> None:
    load = load_inspection_rules if file == "inspection.yaml" else load_lead_rules
    assert load(settings)
    with pytest.raises(SetupError, match=sentence):
        load(use_rules(settings, tmp_path, file, **changes))
