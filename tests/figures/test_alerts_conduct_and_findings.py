"""Alerts A10 to A18 with their near misses, in cities small enough to judge by hand (docs/figures.md#alerts)."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.reports import cross_rules, load_reports
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import BANKS, OFFICES, Rows, SmallCity
from tests.figures.test_alerts_funds_and_loans import alerts, details

MARCH, APRIL, MAY, JUNE = (Period(2019, number) for number in range(3, 7))
HERE, BESIDE, THERE = "441702001", "441702002", "441704001"
REGISTER = {
    ("C01", "households"): [{"household_no": "H1"}, {"household_no": "H2", "town_code": BESIDE}],
    ("C02", "households"): [{"household_no": "H3", "town_code": THERE}],
}


@dataclass(frozen=True)
class Package:
    """One delivery among several."""

    rows: Mapping[str, Rows] = field(default_factory=dict)
    rejected: tuple[str, ...] = ()
    findings: Rows = field(default_factory=list)
    said: Rows = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """Everybody delivers everything: nothing, but for these rows by institution and report."""

    rows: Mapping[tuple[str, str], Rows] = field(default_factory=dict)
    missing: Collection[tuple[str, str]] = ()
    """Reports that do not come at all."""
    findings: Mapping[str, Rows] = field(default_factory=dict)
    """Of the delivery, by institution."""
    at_close: Mapping[str, Rows] = field(default_factory=dict)
    said: Mapping[str, Rows] = field(default_factory=dict)
    """Explanations that come with the delivery, by institution."""
    first: Mapping[str, Sequence[Package]] = field(default_factory=dict)
    """Deliveries before that one, by institution."""
    late: Mapping[str, Package] = field(default_factory=dict)
    """Deliveries after the month was closed and assessed, by institution."""


def play(
    engine: Engine, settings: Settings, *months: Month, start: Period = JANUARY, banks: tuple[str, ...] = BANKS
) -> None:
    """Deliver, close and assess the months one after another. Funds of B01 have arrived, so there are targets."""
    kinds = {**dict.fromkeys(banks, "bank"), **dict.fromkeys(OFFICES, "county_office"), "Z01": "centre"}
    period = start
    for month in months:
        rows = {("C01", "guarantee_funds"): [{}], **month.rows}
        with engine.begin() as connection:
            city = SmallCity(connection, banks=banks) if period == start else SmallCity.resumed(connection)
            city.open(period)
            for institution, kind in kinds.items():
                for package in month.first.get(institution, ()):
                    _deliver(city, period, institution, package)
                owed = {code for code, report in load_reports().items() if kind in report.owners}
                delivered = {
                    code: rows.get((institution, code), [])
                    for code in sorted(owed)
                    if (institution, code) not in month.missing
                }
                findings, said = month.findings.get(institution, []), month.said.get(institution, [])
                _deliver(city, period, institution, Package(delivered, (), findings, said))
            city.close(period)
            for institution, findings in month.at_close.items():
                city.tell_at_close(period, institution, *findings)
        assess(engine, settings, period)
        with engine.begin() as connection:
            for institution, package in month.late.items():
                _deliver(SmallCity.resumed(connection), period, institution, package)
        period = period.next()


def _deliver(city: SmallCity, period: Period, institution: str, package: Package) -> None:
    city.deliver(period, institution, rejected=package.rejected, **package.rows)
    city.tell(period, institution, *package.findings)
    city.explain(period, institution, *package.said)


def changes(engine: Engine, rule: str, institution: str, subject: str) -> list[tuple[str, str]]:
    """What the months did to a case: month and change."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select period, change from mart.current_case_state where rule = :rule "
                "and institution_code = :institution and subject = :subject order by period"
            ),
            {"rule": rule, "institution": institution, "subject": subject},
        )
        return [(row.period, row.change) for row in found]


# A10: contract L1 of B01; B02 has a contract of the same number that stays.

ONE, TWO = {"contract_no": "L1"}, {"contract_no": "L2", "town_code": THERE}
GONE = {"report": "loans", "rule": "X01", "key": "L1", "header": "合同编号"}
CHANGED = {
    "report": "loans",
    "rule": "X02",
    "level": "critical",
    "key": "L1",
    "header": "发放金额",
    "value": "40000.00",
    "expected": "30000.00",
}
SAID = {"report": "loans", "rule": "X01", "key": "L1", "value": None}
A10 = ("high", "B01", "L1", 30000, None)


def ledgers(*contracts: dict[str, Any]) -> dict[tuple[str, str], Rows]:
    return {("B01", "loans"): list(contracts), ("B02", "loans"): [{"contract_no": "L1", "balance": 50}]}


def test_a10_a_contract_is_gone_until_it_is_back(engine: Engine, settings: Settings) -> None:
    paid_off = {"contract_no": "L3", "balance": 0}
    play(
        engine,
        settings,
        Month(ledgers(ONE, TWO, paid_off)),
        Month(ledgers(TWO), findings={"B01": [GONE, GONE | {"key": "L3"}]}),
        Month(ledgers(TWO)),
        Month(ledgers(TWO, ONE | {"principal": 30001})),
        Month(ledgers(TWO, ONE | {"issued_on": date(2019, 1, 11)})),
        Month(ledgers(TWO, ONE | {"balance": 100, "overdue_days": 3})),
    )
    assert alerts(engine, "A10") == []
    for month in (FEBRUARY, MARCH, APRIL, MAY):
        assert alerts(engine, "A10", month) == [A10]
    assert alerts(engine, "A10", JUNE) == []
    assert changes(engine, "A10", "B01", "L1")[-1] == ("2019-06", "closed")
    assert details(engine, "A10", FEBRUARY)["B01", "L1"] == (
        "合同L1，2019年2月起不在台账中，至今没有恢复原样，也没有说明；此前余额3.00万元。",
        HERE,
    )


def test_a10_a_contract_that_is_paid_off_in_the_meantime_counts_no_longer(engine: Engine, settings: Settings) -> None:
    play(
        engine,
        settings,
        Month(ledgers(ONE)),
        Month(ledgers(TWO), findings={"B01": [GONE]}),
        Month(ledgers(TWO, ONE | {"principal": 40000, "balance": 0})),
    )
    assert alerts(engine, "A10", FEBRUARY) == [A10]
    assert alerts(engine, "A10", MARCH) == []


@pytest.mark.parametrize(
    ("line", "stands"),
    [
        pytest.param({}, True, id="of what was found"),
        pytest.param({"value": "7"}, False, id="of another value"),
        pytest.param({"key": "L2"}, False, id="of another contract"),
        pytest.param({"rule": "X03"}, False, id="of another rule"),
        pytest.param({"report": "position"}, False, id="of another report"),
        pytest.param({"is_bound": False}, True, id="before it was found, in the same month"),
    ],
)
def test_a10_an_explanation_in_the_same_package(
    engine: Engine, settings: Settings, line: dict[str, Any], *, stands: bool
) -> None:
    found = Month(ledgers(TWO), findings={"B01": [GONE]}, said={"B01": [SAID | line]})
    play(engine, settings, Month(ledgers(ONE, TWO)), found)
    assert alerts(engine, "A10", FEBRUARY) == ([] if stands else [A10])


@pytest.mark.parametrize(
    ("bank", "line", "stands"),
    [
        pytest.param("B01", {}, True, id="of what was found"),
        pytest.param("B02", {}, False, id="by another bank"),
        pytest.param("B01", {"is_bound": False}, False, id="about nothing of its own month"),
    ],
)
def test_a10_an_explanation_a_month_later(
    engine: Engine, settings: Settings, bank: str, line: dict[str, Any], *, stands: bool
) -> None:
    play(
        engine,
        settings,
        Month(ledgers(ONE, TWO)),
        Month(ledgers(TWO), findings={"B01": [GONE]}),
        Month(ledgers(TWO), said={bank: [SAID | line]}),
        Month(ledgers(TWO)),
    )
    assert alerts(engine, "A10", FEBRUARY) == [A10]
    assert alerts(engine, "A10", MARCH) == alerts(engine, "A10", APRIL) == ([] if stands else [A10])


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Package({"loans": [TWO]}, findings=[GONE]), id="accepted without it"),
        pytest.param(Package(rejected=("loans",), findings=[GONE]), id="rejected without it"),
        pytest.param(Package(rejected=("loans",), findings=[CHANGED]), id="rejected with another amount"),
    ],
)
def test_a10_what_is_mended_within_the_month_raises_nothing(engine: Engine, settings: Settings, first: Package) -> None:
    both = ledgers(ONE, TWO)
    play(engine, settings, Month(both), Month(both, first={"B01": [first]}), Month(both))
    for month in (FEBRUARY, MARCH):
        assert alerts(engine, "A10", month) == []


def test_a10_a_changed_contract_holds_until_it_is_as_it_was(engine: Engine, settings: Settings) -> None:
    """X02 rejects the ledger of February, and nobody mends it; March's has nothing to be compared with."""
    other = ONE | {"principal": 40000}
    play(
        engine,
        settings,
        Month(ledgers(ONE)),
        Month(
            ledgers(),
            missing={("B01", "loans")},
            first={"B01": [Package(rejected=("loans",), findings=[CHANGED])]},
        ),
        Month(ledgers(other)),
        Month(ledgers(ONE)),
    )
    assert alerts(engine, "A10", FEBRUARY) == alerts(engine, "A10", MARCH) == [A10]
    assert alerts(engine, "A10", APRIL) == []
    assert details(engine, "A10", MARCH)["B01", "L1"][0] == (
        "合同L1，2019年2月报送的发放金额由30000.00改为40000.00，至今没有恢复原样，也没有说明；此前余额3.00万元。"
    )


def test_a10_of_several_versions_the_newest_counts(engine: Engine, settings: Settings) -> None:
    """What the second version changed is explained; that of the first is no longer said."""
    again = CHANGED | {"value": "45000.00"}
    explained = SAID | {"rule": "X02", "value": "45000.00"}
    refused = [
        Package(rejected=("loans",), findings=[CHANGED]),
        Package(rejected=("loans",), findings=[again], said=[explained]),
    ]
    months = Month(ledgers(), missing={("B01", "loans")}, first={"B01": refused})
    play(engine, settings, Month(ledgers(ONE)), months)
    assert alerts(engine, "A10", FEBRUARY) == []


def test_a10_stays_while_the_ledger_is_missing(engine: Engine, settings: Settings) -> None:
    play(
        engine,
        settings,
        Month(ledgers(ONE, TWO)),
        Month(ledgers(TWO), findings={"B01": [GONE]}),
        Month(ledgers(), missing={("B01", "loans")}),
        Month(ledgers(ONE, TWO)),
    )
    assert alerts(engine, "A10", MARCH) == [A10]
    assert changes(engine, "A10", "B01", "L1") == [
        ("2019-02", "new"),
        ("2019-03", "unjudged"),
        ("2019-04", "closed"),
    ]


def test_a10_what_was_back_once_needs_a_finding_of_its_own(engine: Engine, settings: Settings) -> None:
    """In May there is no ledger of April to miss the contract in."""
    play(
        engine,
        settings,
        Month(ledgers(ONE, TWO)),
        Month(ledgers(TWO), findings={"B01": [GONE]}),
        Month(ledgers(ONE, TWO)),
        Month(ledgers(), missing={("B01", "loans")}),
        Month(ledgers(TWO)),
        Month(ledgers(TWO), findings={"B01": [GONE]}),
    )
    for month in (MARCH, APRIL, MAY):
        assert alerts(engine, "A10", month) == []
    assert changes(engine, "A10", "B01", "L1") == [("2019-02", "new"), ("2019-03", "closed"), ("2019-06", "reopened")]


@pytest.mark.parametrize("is_back", [False, True])
def test_a10_what_a_late_version_says_counts_a_month_later(
    engine: Engine, settings: Settings, *, is_back: bool
) -> None:
    both = ledgers(ONE, TWO)
    play(
        engine,
        settings,
        Month(both),
        Month(both, late={"B01": Package({"loans": [TWO]}, findings=[GONE])}),
        Month(both if is_back else ledgers(TWO)),
        Month(both if is_back else ledgers(TWO)),
    )
    assert alerts(engine, "A10", FEBRUARY) == []
    assert alerts(engine, "A10", MARCH) == alerts(engine, "A10", APRIL) == ([] if is_back else [A10])


# A11: overdue of 30,000 yuan, in percent; the balance makes the ratio.


def overdue(bank: str, balance: str, *, whole: str = "30000") -> tuple[tuple[str, str], Rows]:
    rest = Decimal(whole) - Decimal(balance)
    loans = [("L1", balance, 1), ("L2", rest, 0)]
    return (bank, "loans"), [
        {"contract_no": number, "balance": owed, "overdue_days": days, "microcredit": False}
        for number, owed, days in loans
    ]


def test_a11_too_many_overdue_or_one_point_more(engine: Engine, settings: Settings) -> None:
    banks = ("B01", "B02", "B03", "B04", "B05")
    january = [overdue("B01", "900"), overdue("B02", "900.01"), overdue("B03", "300"), overdue("B04", "300")]
    # A third of a percent, and a whole point more: quotients that no decimal ends.
    january.append(overdue("B05", "100"))
    february = [overdue("B01", "900.01"), overdue("B02", "900"), overdue("B03", "600"), overdue("B04", "599.99")]
    february.append(overdue("B05", "400"))
    play(engine, settings, Month(dict(january)), Month(dict(february)), banks=banks)
    assert [row[:3] + row[4:] for row in alerts(engine, "A11")] == [("medium", "B02", "B02", 3)]
    found = alerts(engine, "A11", FEBRUARY)
    assert [row[:3] for row in found] == [("medium", bank, bank) for bank in ("B01", "B03", "B05")]
    assert found[1][3:] == (2, 2)
    assert [round(value, 4) for value in (*found[0][3:], *found[2][3:])] == [
        Decimal(text) for text in ("3.0000", "3", "1.3333", "1.3333")
    ]
    assert details(engine, "A11", FEBRUARY)["B03", "B03"][0] == (
        "金融精准扶贫贷款逾期率2.00%，比上月上升1.00个百分点。"
    )


def test_a11_without_the_month_before_only_the_ratio_counts(engine: Engine, settings: Settings) -> None:
    play(
        engine,
        settings,
        Month(missing={("B01", "loans"), ("B02", "loans")}),
        Month(dict([overdue("B01", "900"), overdue("B02", "901")])),
        Month(missing={("B02", "loans")}),
    )
    assert [row[1] for row in alerts(engine, "A11", FEBRUARY)] == ["B02"]
    assert [row[1] for row in alerts(engine, "A11", MARCH)] == ["B02"]


def test_a11_without_the_month_before_a_case_stays_unless_the_ratio_cannot_have_risen(
    engine: Engine, settings: Settings
) -> None:
    """February rises to 2 % and 4 %, March's ledgers are missing, April has 2 % and 0.99 %, May the same again."""
    february = Month(dict([overdue("B01", "600"), overdue("B02", "1200")]))
    april = Month(dict([overdue("B01", "600"), overdue("B02", "297")]))
    gone = Month(missing={("B01", "loans"), ("B02", "loans")})
    play(engine, settings, Month(dict([overdue("B01", "300")])), february, gone, april, april)
    assert [row[1] for row in alerts(engine, "A11", FEBRUARY)] == ["B01", "B02"]
    # B03, too, has no overdue loans to judge.
    assert alerts(engine, "A11", APRIL) == [("medium", "B01", "B01", 2, 2)]
    assert changes(engine, "A11", "B01", "B01") == [
        ("2019-02", "new"), ("2019-03", "unjudged"), ("2019-04", "unjudged"), ("2019-05", "closed"),
    ]  # fmt: skip
    assert changes(engine, "A11", "B02", "B02")[1:] == [("2019-03", "unjudged"), ("2019-04", "closed")]


# A12


def visits(days: Iterable[date], households: Iterable[str], **more: Any) -> Rows:
    return [{"visited_on": day, "household_no": household, **more} for day in days for household in households]


def many(count: int) -> list[str]:
    return [f"N{number}" for number in range(count)]


def test_a12_more_than_thirty_visits_in_a_day(engine: Engine, settings: Settings) -> None:
    day = [date(2019, 1, 15)]
    rows = {
        ("B01", "visits"): visits(day, many(31)) + visits(day, ["H1"], officer="王某"),
        ("B02", "visits"): visits(day, many(30)),
        # Two officers, and two days.
        ("B03", "visits"): visits(day, many(20))
        + visits(day, many(40)[20:], officer="王某")
        + visits([date(2019, 1, 16)], many(40)[20:]),
    }
    play(engine, settings, Month(REGISTER | rows), Month())
    assert alerts(engine, "A12") == [("low", "B01", "李某/2019-01-15", 31, 30)]
    assert details(engine, "A12")["B01", "李某/2019-01-15"] == (
        "信贷员李某于2019年1月15日走访31户，超过一天30户。",
        None,
    )
    assert alerts(engine, "A12", FEBRUARY) == []


def test_a12_the_same_household_within_seven_days(engine: Engine, settings: Settings) -> None:
    """Looking back into last month; raised once, at the later date."""
    january = {
        ("B01", "visits"): visits([date(2019, 1, 10), date(2019, 1, 17), date(2019, 1, 25)], ["H1"])
        + visits([date(2019, 1, 25)], ["H2"])
        + visits([date(2019, 1, 31)], ["H3"]),
        ("B02", "visits"): visits([date(2019, 1, 28)], ["H3"]),
    }
    february = {
        # 8 days after H1's last visit, 7 after H2's.
        ("B01", "visits"): visits([date(2019, 2, 1)], ["H2"])
        + visits([date(2019, 2, 2)], ["H1"])
        # Another officer, though the day after.
        + visits([date(2019, 2, 1)], ["H3"], officer="王某"),
        # Another bank's officer of the same name; then two days in a row.
        ("B03", "visits"): visits([date(2019, 2, 1)], ["H3"]) + visits([date(2019, 2, 5), date(2019, 2, 6)], ["H2"]),
    }
    play(engine, settings, Month(REGISTER | january), Month(REGISTER | february), Month(REGISTER))
    assert alerts(engine, "A12") == [("low", "B01", "李某/2019-01-17", 7, 7)]
    assert alerts(engine, "A12", FEBRUARY) == [
        ("low", "B01", "李某/2019-02-01", 7, 7),
        ("low", "B03", "李某/2019-02-06", 1, 7),
    ]
    assert details(engine, "A12", FEBRUARY)["B01", "李某/2019-02-01"] == (
        "信贷员李某于2019年2月1日再次走访7天内走访过的户：户H2，前一次为2019年1月25日。",
        BESIDE,
    )
    assert alerts(engine, "A12", MARCH) == []


def test_a12_both_reasons_are_one_case(engine: Engine, settings: Settings) -> None:
    day = date(2019, 1, 15)
    twice = visits([day - timedelta(days=3)], ["H1", "H2"]) + visits([day], ["H1", "H2", *many(29)])
    play(engine, settings, Month(REGISTER | {("B01", "visits"): twice}))
    assert alerts(engine, "A12") == [("low", "B01", "李某/2019-01-15", 31, 30)]
    assert details(engine, "A12")["B01", "李某/2019-01-15"] == (
        (
            "信贷员李某于2019年1月15日走访31户，超过一天30户；"
            "再次走访7天内走访过的户：户H1，前一次为2019年1月12日、户H2，前一次为2019年1月12日。"
        ),
        "441702",
    )


def test_a12_stays_while_the_visits_are_missing(engine: Engine, settings: Settings) -> None:
    rows = {("B01", "visits"): visits([date(2019, 1, 15)], many(31))}
    play(engine, settings, Month(rows), Month(missing={("B01", "visits")}), Month(missing={("B02", "visits")}))
    assert changes(engine, "A12", "B01", "李某/2019-01-15") == [
        ("2019-01", "new"),
        ("2019-02", "unjudged"),
        ("2019-03", "closed"),
    ]


# A13: 2 November lies 90 days before the end of January.


def project(number: str, entered_on: date = date(2018, 11, 1), **more: Any) -> dict[str, Any]:
    return {"project_no": number, "entered_on": entered_on, **more}


def test_a13_projects_that_nobody_takes_up(engine: Engine, settings: Settings) -> None:
    library = {
        ("C01", "projects"): [
            project("P1", town_code=BESIDE),
            project("P2", date(2018, 11, 2)),
            project("P3", status="实施中"),
            project("P4", status="已完成"),
            project("P5", status="退出"),
            project("P6"),
            project("P7"),
            project("P8"),
        ],
        ("C02", "projects"): [project("P9", date(2018, 1, 31), town_code=THERE)],
        ("B02", "matches"): [
            {"project_no": "P6", "status": "已授信"},
            {"project_no": "P7", "status": "已接触"},
            {"project_no": "P8", "status": "已放款"},
        ],
        ("B03", "matches"): [{"project_no": "P7", "status": "不予支持", "reason": "条件不足"}],
    }
    play(engine, settings, Month(library))
    assert alerts(engine, "A13") == [
        ("low", "C01", "P1", 91, 90),
        ("low", "C01", "P3", 91, 90),
        ("low", "C01", "P7", 91, 90),
        ("low", "C02", "P9", 365, 90),
    ]
    assert details(engine, "A13")["C01", "P1"] == (
        "项目P1于2018年11月1日入库，已91天，没有银行授信或放款；资金需求20.00万元。",
        BESIDE,
    )
    with engine.connect() as connection:
        counted = connection.execute(
            text("select value from mart.current_metric where metric = 'projects_stale' and scope = 'city'")
        ).scalar_one()
    assert counted == 4


def test_a13_waits_for_the_office_and_for_every_banks_matches(engine: Engine, settings: Settings) -> None:
    old, both = {("C01", "projects"): [project("P1")]}, {("C01", "projects"): [project("P1"), project("P2")]}
    play(
        engine,
        settings,
        Month(old, missing={("B03", "matches")}),
        Month(old),
        Month(both, missing={("B03", "matches")}),
        Month(missing={("C01", "projects")}),
        Month(),
    )
    assert alerts(engine, "A13") == []
    for month in (FEBRUARY, MARCH, APRIL):
        assert [row[2] for row in alerts(engine, "A13", month)] == ["P1"]
    assert alerts(engine, "A13", MAY) == []


def test_a13_what_the_reports_at_hand_show_closes_it(engine: Engine, settings: Settings) -> None:
    """B03's matches are missing in February: P1 was taken up by B02, P2 is done, P3 is gone; of P4 nothing is known."""
    library = [project("P1"), project("P2"), project("P3"), project("P4")]
    february = {
        ("C01", "projects"): [project("P1"), project("P2", status="已完成"), project("P4")],
        ("B02", "matches"): [{"project_no": "P1", "status": "已授信"}],
    }
    play(engine, settings, Month({("C01", "projects"): library}), Month(february, missing={("B03", "matches")}))
    assert [row[2] for row in alerts(engine, "A13")] == ["P1", "P2", "P3", "P4"]
    assert [row[2] for row in alerts(engine, "A13", FEBRUARY)] == ["P4"]
    assert changes(engine, "A13", "C01", "P4")[-1] == ("2019-02", "unjudged")


# A14


def test_a14_no_new_product_from_june_on(engine: Engine, settings: Settings) -> None:
    none = {"new_products": 0}
    rows = {
        ("B01", "position"): [none, none | {"county_code": "441704"}],
        ("B02", "position"): [none, {"county_code": "441704"}],
        ("B03", "position"): [none],
    }
    gone = Month(rows, missing={("B03", "position")})
    play(engine, settings, Month(rows), gone, gone, Month({("B01", "position"): [{}]}), start=MAY)
    assert alerts(engine, "A14", MAY) == []
    assert alerts(engine, "A14", JUNE) == [("low", "B01", "B01", 0, 1)]
    assert details(engine, "A14", JUNE)["B01", "B01"][0] == "2019年1月至6月，各县区都没有推出面向贫困户的新产品。"
    assert alerts(engine, "A14", Period(2019, 7)) == [("low", "B01", "B01", 0, 1)]
    # Nothing at all in its position is no product either: B02 and B03.
    assert [row[1] for row in alerts(engine, "A14", Period(2019, 8))] == ["B02", "B03"]


# A15


def held(*places: tuple[str, date]) -> Rows:
    return [{"town_code": town, "held_on": day} for town, day in places]


APRIL_ONLY = Month({("B01", "outreach"): held((HERE, date(2019, 4, 1)))})
JULY = Period(2019, 7)


def test_a15_towns_without_activity_in_the_quarter(engine: Engine, settings: Settings) -> None:
    """HERE had a bank's activity in April, THERE an office's in June; those of March are of another quarter."""
    march = Month({("B01", "outreach"): held((BESIDE, date(2019, 3, 31)), (THERE, date(2019, 3, 31)))})
    june = Month({("C02", "outreach"): held((THERE, date(2019, 6, 30)))})
    play(engine, settings, march, APRIL_ONLY, Month(), june, Month(), start=MARCH)
    assert [row[2] for row in alerts(engine, "A15", MARCH)] == [HERE]
    assert alerts(engine, "A15", APRIL) == alerts(engine, "A15", MAY) == []
    assert alerts(engine, "A15", JUNE) == [("low", "C01", BESIDE, 0, 1)]
    assert details(engine, "A15", JUNE)["C01", BESIDE] == (
        f"区划{BESIDE}在2019年第2季度没有开展宣传培训活动。",
        BESIDE,
    )
    assert alerts(engine, "A15", JULY) == []


@pytest.mark.parametrize("month", range(3))
@pytest.mark.parametrize("who", ["B03", "C02"])
def test_a15_says_nothing_where_a_report_of_the_quarter_is_missing(
    engine: Engine, settings: Settings, month: int, who: str
) -> None:
    months = [APRIL_ONLY, Month(), Month()]
    months[month] = Month(months[month].rows, missing={(who, "outreach")})
    play(engine, settings, *months, start=APRIL)
    assert alerts(engine, "A15", JUNE) == []


def test_a15_a_report_of_another_quarter_is_no_matter(engine: Engine, settings: Settings) -> None:
    lost = Month(missing={("B03", "outreach")})
    play(engine, settings, lost, APRIL_ONLY, Month(), Month(), lost, start=MARCH)
    assert alerts(engine, "A15", MARCH) == []
    assert [row[1:3] for row in alerts(engine, "A15", JUNE)] == [("C01", BESIDE), ("C02", THERE)]
    assert changes(engine, "A15", "C02", THERE) == [("2019-06", "new"), ("2019-07", "unjudged")]


# A16


def inspected(number: str, **more: Any) -> dict[str, Any]:
    return {"finding_no": number, **more}


def test_a16_findings_that_are_not_mended_by_their_date(engine: Engine, settings: Settings) -> None:
    listed = [
        inspected("N1", due_on=date(2019, 1, 30), aspect="产品创新"),
        inspected("N2", due_on=date(2019, 1, 31)),
        inspected("N3", mended_on=date(2019, 1, 31)),
        inspected("N4", mended_on=date(2019, 2, 1), institution_code="C02", aspect="产业贷款推进"),
    ]
    kept = Month(missing={("Z01", "inspections")})
    mended = Month({("Z01", "inspections"): [row | {"mended_on": date(2019, 2, 2)} for row in listed]})
    play(engine, settings, Month({("Z01", "inspections"): listed}), kept, mended)
    assert alerts(engine, "A16") == [("medium", "B01", "N1", 1, 0), ("medium", "C02", "N4", 21, 0)]
    with engine.connect() as connection:
        aspects = connection.execute(
            text(
                "select subject, aspect, division_code from mart.current_alert "
                "where rule = 'A16' and period = '2019-01' order by subject"
            )
        ).all()
    assert [tuple(row) for row in aspects] == [("N1", "产品创新", None), ("N4", "产业贷款推进", "441704")]
    assert details(engine, "A16")["C02", "N4"][0] == "督查问题N4（一般）应于2019年1月10日前完成整改，已逾期21天。"
    assert [row[2] for row in alerts(engine, "A16", FEBRUARY)] == ["N1", "N4"]
    assert alerts(engine, "A16", MARCH) == []


# A17: 1,200 households are split over funds of 1,200, so a bank's target is its fund.


def test_a17_the_pace_falls_short(engine: Engine, settings: Settings) -> None:
    """In April the forecast is three times what was reached: of 15 households 3, of 12 households 2 and 3."""
    funds = {"B01": 1161, "B02": 12, "B03": 15, "B04": 12, "B05": 0}

    def issued(bank: str, count: int) -> tuple[tuple[str, str], Rows]:
        return (bank, "loans"), [
            {"contract_no": f"L{number}", "household_no": f"H{number}", "balance": 0} for number in range(count)
        ]

    paid = {("C01", "guarantee_funds"): [{"bank_code": bank, "arrived_amount": fund} for bank, fund in funds.items()]}
    rows = paid | dict([issued("B02", 2), issued("B03", 3), issued("B04", 3), issued("B05", 0)])
    play(
        engine,
        settings,
        Month(rows),
        Month(rows),
        Month(rows, missing={("B01", "loans"), ("B03", "loans")}),
        start=MARCH,
        banks=tuple(funds),
    )
    assert alerts(engine, "A17", MARCH) == []
    assert alerts(engine, "A17", APRIL) == [
        ("medium", "B01", "B01", 0, Decimal("696.6")),
        ("medium", "B02", "B02", 6, Decimal("7.2")),
    ]
    assert details(engine, "A17", APRIL)["B02", "B02"][0] == (
        "本年目标12户，1月至4月新发放2户，按此进度全年预计6.0户，为目标的50.00%，低于60%。"
    )
    # Of May 3 households are 7.2 of a year. B01 stays as it was; of B03 nothing is known.
    assert alerts(engine, "A17", MAY) == [
        ("medium", "B01", "B01", 0, Decimal("696.6")),
        ("medium", "B02", "B02", Decimal("4.8"), Decimal("7.2")),
    ]


# A18: a warning about row 2 of the grid, with key K.

HOTLINE = {"report": "grid", "rule": "G01", "key": "K", "row_number": 2, "value": "1", "message": "请填写监督电话。"}
A18 = ("low", "B01", "grid/G01/K", 1, None)


def warned(*banks: str, **more: Any) -> Month:
    """A month in which these banks are told of their hotlines."""
    return Month(
        {(bank, "grid"): [{"town_code": BESIDE}] for bank in BANKS},
        findings={bank: [HOTLINE | more] for bank in banks},
    )


def test_a18_a_warning_that_is_still_there_a_month_later(engine: Engine, settings: Settings) -> None:
    play(engine, settings, warned("B01", "B03"), warned("B01", "B02", value="2"), warned("B03"))
    assert alerts(engine, "A18") == []
    assert alerts(engine, "A18", FEBRUARY) == [A18]
    assert details(engine, "A18", FEBRUARY)["B01", "grid/G01/K"] == (
        "“网格化管理责任表”K的预警（G01）2019年1月已经告知，本月仍在，没有更正，也没有说明：请填写监督电话。",
        BESIDE,
    )
    # B03's was gone in February.
    assert alerts(engine, "A18", MARCH) == []


@pytest.mark.parametrize("level", ["notice", "critical"])
def test_a18_only_of_warnings(engine: Engine, settings: Settings, level: str) -> None:
    play(engine, settings, warned("B01", level=level), warned("B01", level=level))
    assert alerts(engine, "A18", FEBRUARY) == []


def test_a18_what_has_no_key_goes_by_its_column(engine: Engine, settings: Settings) -> None:
    findings = [
        {"report": "position", "rule": "X09", "header": "扶贫小额信贷年初余额"},
        {"report": "position", "rule": "P02", "key": "441702", "header": "各项贷款余额"},
        {"report": "position", "rule": "P02", "key": "441702", "header": "各项贷款年初余额"},
        {"report": "loans", "rule": "L99"},
    ]
    told = Month({("C02", "households"): []}, findings={"B01": findings[1:]}, at_close={"B01": findings[:1]})
    play(engine, settings, told, told)
    assert alerts(engine, "A18", FEBRUARY) == [
        ("low", "B01", "loans/L99/-", 1, None),
        ("low", "B01", "position/P02/441702", 2, None),
        ("low", "B01", "position/X09/扶贫小额信贷年初余额", 1, None),
    ]


@pytest.mark.parametrize(
    ("said_in", "line", "stands"),
    [
        pytest.param(0, {}, True, id="when it was told first"),
        pytest.param(1, {}, True, id="when it was told again"),
        pytest.param(1, {"value": "2"}, False, id="of another value"),
        pytest.param(1, {"is_bound": False}, True, id="for what its own month finds"),
        pytest.param(1, {"key": "L"}, False, id="of another key"),
        pytest.param(1, {"rule": "G02"}, False, id="of another rule"),
    ],
)
def test_a18_an_explanation(
    engine: Engine, settings: Settings, said_in: int, line: dict[str, Any], *, stands: bool
) -> None:
    said = {"B01": [{"report": "grid", "rule": "G01", "key": "K", "value": "1"} | line]}
    months = [warned("B01"), warned("B01"), warned("B01")]
    months[said_in] = Month(months[said_in].rows, findings=months[said_in].findings, said=said)
    play(engine, settings, *months[:2])
    assert alerts(engine, "A18", FEBRUARY) == ([] if stands else [A18])


def test_a18_an_explanation_lapses_with_its_value(engine: Engine, settings: Settings) -> None:
    """Explained in January; a new value in February is a warning one month old in March."""
    first = warned("B01")
    said = {"B01": [{"report": "grid", "rule": "G01", "key": "K", "value": "1"}]}
    play(
        engine,
        settings,
        Month(first.rows, findings=first.findings, said=said),
        warned("B01", value="2"),
        warned("B01", value="2"),
    )
    assert alerts(engine, "A18", FEBRUARY) == []
    assert alerts(engine, "A18", MARCH) == [A18]


def test_a18_only_the_version_that_counts_is_asked(engine: Engine, settings: Settings) -> None:
    """B01 mended it within February, B02 within January, B03's January was rejected and never mended."""
    told = Package({"grid": [{}]}, findings=[HOTLINE])
    rejected = Package(rejected=("grid",), findings=[HOTLINE])
    january = warned("B01")
    february = warned("B02", "B03")
    play(
        engine,
        settings,
        Month(
            january.rows,
            missing={("B03", "grid")},
            findings=january.findings,
            first={"B02": [told], "B03": [rejected]},
        ),
        Month(february.rows, findings=february.findings, first={"B01": [told]}),
    )
    assert [row[1] for row in alerts(engine, "A18", FEBRUARY)] == ["B03"]


def test_a18_a_month_without_the_report_is_passed_over(engine: Engine, settings: Settings) -> None:
    """B01's grid is missing in February and in April: nothing is raised or closed by that, but its ledger is there."""
    rate = {"report": "loans", "rule": "L12", "key": "L1", "row_number": 2}
    rows = {**warned().rows, ("B01", "loans"): [{"contract_no": "L1"}]}
    both, lost = {"B01": [HOTLINE, rate]}, {("B01", "grid")}
    play(
        engine,
        settings,
        Month(rows, findings=both),
        Month(rows, findings={"B01": [rate]}, missing=lost),
        Month(rows, findings=both),
        Month(rows, missing=lost),
        Month(rows),
    )
    assert changes(engine, "A18", "B01", "grid/G01/K") == [
        ("2019-03", "new"),
        ("2019-04", "unjudged"),
        ("2019-05", "closed"),
    ]
    assert changes(engine, "A18", "B01", "loans/L12/L1") == [
        ("2019-02", "new"),
        ("2019-03", "lasting"),
        ("2019-04", "closed"),
    ]


ACROSS = {"report": "loans", "key": "L1", "row_number": 2}


def across(*rules: str, missing: Collection[tuple[str, str]] = (), told: str = "at_close") -> Month:
    """A month in which B01 is told by these rules of its contract, across reports."""
    findings: dict[str, Any] = {told: {"B01": [ACROSS | {"rule": rule} for rule in rules]}}
    return Month({("B01", "loans"): [{"contract_no": "L1"}]}, missing=missing, **findings)


def test_a18_of_rules_across_reports_the_close_has_the_last_word(engine: Engine, settings: Settings) -> None:
    """In February the version was told of X05, and by the close the office had mended its register."""
    play(engine, settings, across("X05", "X08"), across("X08"))
    assert [row[2] for row in alerts(engine, "A18", FEBRUARY)] == ["loans/X08/L1"]


def test_a18_what_only_a_version_was_told_of_is_gone_by_the_close(engine: Engine, settings: Settings) -> None:
    play(engine, settings, across("X05"), across("X05", told="findings"), across("X05"), across("X05"))
    assert alerts(engine, "A18", FEBRUARY) == alerts(engine, "A18", MARCH) == []
    assert [row[2] for row in alerts(engine, "A18", APRIL)] == ["loans/X05/L1"]


def test_a18_waits_for_the_reports_that_a_finding_rests_on(engine: Engine, settings: Settings) -> None:
    """X04 says too much without a register, X08 too little without another bank's ledger."""
    play(
        engine,
        settings,
        across("X04", "X08"),
        across("X04", "X08", missing={("C02", "households")}),
        across("X04", missing={("B02", "loans")}),
        across("X04"),
        across(missing={("C02", "households")}),
        across(),
    )
    assert changes(engine, "A18", "B01", "loans/X04/L1") == [
        ("2019-03", "new"),
        ("2019-04", "lasting"),
        ("2019-05", "unjudged"),
        ("2019-06", "closed"),
    ]
    assert changes(engine, "A18", "B01", "loans/X08/L1") == [
        ("2019-02", "new"),
        ("2019-03", "unjudged"),
        ("2019-04", "closed"),
    ]


@pytest.fixture
def with_x99(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules across reports with one more, X99, which says that a loan is on no list of projects."""
    folder = shutil.copytree(cross_rules.CROSS_RULE_FOLDER, tmp_path / "checks")
    monkeypatch.setattr(cross_rules, "CROSS_RULE_FOLDER", folder)
    declared = (folder / "x06.sql").read_text(encoding="utf-8")
    (folder / "x99.sql").write_text(declared.replace("rule: X06", "rule: X99"), encoding="utf-8")


def test_a18_knows_a_rule_by_its_file_alone(engine: Engine, settings: Settings, with_x99: None) -> None:
    play(
        engine,
        settings,
        across("X99"),
        across("X99", told="findings"),
        across("X99"),
        across("X99"),
        across(missing={("C02", "projects")}),
        across(),
    )
    assert changes(engine, "A18", "B01", "loans/X99/L1") == [
        ("2019-04", "new"),
        ("2019-05", "unjudged"),
        ("2019-06", "closed"),
    ]
