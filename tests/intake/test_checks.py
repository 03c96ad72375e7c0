"""Rules across months, reports and institutions, each with a case that just passes.

See docs/reports.md: K02, K03, P02, X01 to X10.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from stdnum.cn import ric

from five_precisions.collection import close, collect
from five_precisions.errors import SetupError
from five_precisions.intake import list_explanations
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.rules.suites import load_suite
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register
from five_precisions.reports import cross_rules, load_reports
from five_precisions.reports.cross_rules import CROSS_RULE_FOLDER, Moment, load_cross_rules
from five_precisions.settings import Settings
from tests.packages import (
    ACCOUNT,
    CREDIT_CODE,
    JUNE,
    OTHER_RESIDENT_ID,
    Cells,
    csv_bytes,
    package,
    put,
    sound,
    sound_package,
)
from tests.rows import rows

MAY = JUNE.previous()
DECEMBER = Period(2018, 12)
COUNTY_OFFICES = ("C01", "C02", "C03", "C04")
BANKS = tuple(f"B{number:02d}" for number in range(1, 13))
LAST_YEAR = {"issued_on": "2018-03-15", "matures_on": "2021-03-15"}
FIRM = {
    "borrower_kind": "企业",
    "category": "产业",
    "microcredit": "否",
    "household_no": "",
    "borrower_id": CREDIT_CODE,
}


def findings(engine: Engine, receipt: str) -> list[tuple[Any, ...]]:
    """Rule, key, cell and value of what a receipt tells."""
    query = f"select rule, key, cell, value from intake.finding where submission_id = '{receipt}' order by ordinal"
    return rows(engine, query)


class City:
    """Deliveries one after another, as a replay takes them or, live, as they come in."""

    def __init__(self, engine: Engine, settings: Settings, *, live: bool = False) -> None:
        self.engine = engine
        self.settings = settings
        self.live = live
        self._count = 0

    def deliver(
        self,
        code: str,
        period: Period = JUNE,
        files: Sequence[DeliveredFile] = (),
        **reports: Sequence[Cells],
    ) -> list[tuple[Any, ...]]:
        """Deliver reports and take them in; the findings of the version."""
        folder = Path(self.settings.inbox_address) / str(period) / code
        self._count += 1
        put(folder if self.live else folder / f"v{self._count}", [*package(**reports), *files])
        judgement = collect(self.engine, self.settings, period, institution=code, replay=not self.live)[-1]
        assert judgement.submission_id is not None
        return findings(self.engine, judgement.submission_id)


@pytest.fixture
def city(engine: Engine, settings: Settings) -> City:
    return City(engine, settings)


@pytest.fixture
def live_city(engine: Engine, settings: Settings) -> City:
    return City(engine, settings, live=True)


def resident_id(number: int) -> str:
    """One of many."""
    digits = f"44170219700101{number:03d}"
    return digits + ric.calc_check_digit(f"{digits}0")


def loan(number: int, **changes: str) -> Cells:
    return sound("loans", contract_no=f"HT-{number}", **changes)


def test_a_month_of_more_than_a_gigabyte_is_added_to(city: City) -> None:
    assert city.deliver("B01", loans=[loan(1)]) == []
    with city.engine.begin() as connection:
        counted = "update pg_class set relpages = 200000 where oid = 'core.delivered_loans_2019_06'::regclass"
        assert connection.exec_driver_sql(counted).rowcount == 1
    assert city.deliver("B02", loans=[loan(2)]) == []


# Across months, judged with the version


def test_a_ledger_is_held_against_last_months(city: City) -> None:
    before = [loan(number, balance="30000") for number in range(1, 7)]
    assert city.deliver("B01", MAY, loans=before) == []
    now = [
        loan(1, balance="30000"),
        loan(2, balance="30000.01"),
        loan(3, balance="40000", extended="是"),
        loan(4, balance="30000", issued_on="2019-03-16"),
        loan(5, balance="30000", principal="49999.99"),
        loan(7, balance="50000"),
    ]
    assert city.deliver("B01", loans=now) == [
        ("X01", "HT-6", None, None),
        ("X03", "HT-2", "L3", "30000.01"),
        ("X02", "HT-4", "I5", "2019-03-16"),
        ("X02", "HT-5", "K6", "49999.99"),
    ]
    assert rows(city.engine, "select verdict, errors, warnings from intake.report where report = 'loans'") == [
        ("accepted", 0, 0),
        ("rejected", 2, 2),
    ]
    assert rows(city.engine, "select count(*) from core.loans where period = '2019-06'") == [(0,)]
    messages = dict(rows(city.engine, "select rule, message from intake.finding where key in ('HT-6', 'HT-2')"))
    assert "上月余额30000.00元" in messages["X01"]
    assert "（30000.00元）" in messages["X03"]
    assert rows(city.engine, "select expected from intake.finding where rule = 'X02' order by key") == [
        ("2019-03-15",),
        ("50000.00",),
    ]


def test_nothing_is_compared_where_last_month_has_nothing_accepted(city: City) -> None:
    city.deliver("B01", MAY, loans=[loan(1, balance="60000")])
    city.deliver("B02", MAY, loans=[loan(1, principal="40000", balance="40000")])
    city.deliver("B01", MAY.previous(), loans=[loan(1, principal="30000", balance="30000")])
    assert city.deliver("B01", loans=[loan(1)]) == []


def test_what_cannot_be_read_is_neither_gone_nor_changed(city: City) -> None:
    city.deliver("B01", MAY, loans=[loan(1), loan(2), loan(3)])
    now = [loan(1, issued_on="三月"), loan(2, principal="40000", balance="0"), sound("loans", contract_no="")]
    assert [(rule, cell) for rule, _, cell, _ in city.deliver("B01", loans=now)] == [
        ("T02", "I2"),
        ("X02", "K3"),
        ("T01", "A4"),
    ]


def test_rows_missing_by_the_cover_are_not_gone_as_well(city: City) -> None:
    city.deliver("B01", MAY, loans=[loan(1), loan(2)])
    cover, ledger = package(loans=[loan(1), loan(2)])
    shorter = package(loans=[loan(1)])[1]
    folder = Path(city.settings.inbox_address) / str(JUNE) / "B01"
    put(folder, [cover, shorter])
    collect(city.engine, city.settings, JUNE, institution="B01", replay=True)
    assert [finding[0] for finding in findings(city.engine, "2019-06-B01-1")] == ["F03", "F03"]
    assert ledger.content != shorter.content


def test_loans_in_yuan_instead_of_wan_are_noticed(city: City) -> None:
    counties = ("441702", "441704", "441721", "441781")

    def position(*amounts: str) -> list[Cells]:
        return [
            sound("position", county_code=county, all_loans=amount, microcredit_year_begin="1")
            for county, amount in zip(counties, amounts, strict=True)
        ]

    city.deliver("B01", MAY, position=position("1000", "1000", "0", "1000"))
    assert city.deliver("B01", position=position("10000", "10000.01", "5000", "99.99")) == [
        ("P02", "441704", "B3", "10000.01"),
        ("P02", "441781", "B5", "99.99"),
    ]


def test_a_household_belongs_to_one_county_and_the_earlier_register_stands(live_city: City) -> None:
    mine = [sound("households"), sound("households", household_no="H-2", head_id=OTHER_RESIDENT_ID)]
    assert live_city.deliver("C02", households=mine) == []
    found = live_city.deliver("C01", households=[sound("households", household_no="H-3"), mine[1]])
    assert found == [("K02", "H-2", "A3", "H-2")]
    assert rows(live_city.engine, "select institution_code from intake.standing_report") == [("C02",)]
    # Its own next version is not held against its own last one, and the other's may give the household up.
    assert live_city.deliver("C02", households=[mine[0]]) == []
    assert live_city.deliver("C01", households=[mine[1]]) == []


def others_ledger(own: int, shared: int) -> list[Cells]:
    """Loans of one's own, and loans that another bank has delivered; each borrower has a balance of nothing."""
    mine = [loan(number, balance="0") | {"contract_no": f"own-{number}"} for number in range(own)]
    return [*mine, *(loan(number, balance="0") for number in range(1, shared + 1))]


def test_more_than_half_of_a_ledger_is_another_banks(live_city: City) -> None:
    assert live_city.deliver("B06", loans=others_ledger(own=0, shared=4)) == []
    assert live_city.deliver("B05", loans=others_ledger(own=2, shared=3)) == [("K03", None, None, None)]
    told = rows(live_city.engine, "select message from intake.finding where rule = 'K03'")
    assert "B06" not in told[0][0]
    assert "榕岸" not in told[0][0]
    stands = "select institution_code from intake.standing_report where report = 'loans'"
    assert rows(live_city.engine, stands) == [("B06",)]
    # Half of it is no proof, and a borrower, a day or an amount that differs makes another loan.
    assert live_city.deliver("B05", loans=others_ledger(own=3, shared=3)) == []
    others = [loan(number, balance="0", principal="40000") for number in range(1, 5)]
    assert live_city.deliver("B04", loans=others) == []


def test_the_rightful_bank_delivers_the_same_bytes_again(live_city: City) -> None:
    """Once the other has corrected its own, they are judged anew; before, they are the same delivery."""
    ledger = others_ledger(own=0, shared=2)
    files = package(loans=ledger)
    assert live_city.deliver("B05", loans=ledger) == []

    def verdicts() -> list[str]:
        put(Path(live_city.settings.inbox_address) / "2019-06" / "B06", files, at=next(times))
        return [str(each.verdict) for each in collect(live_city.engine, live_city.settings, JUNE, institution="B06")]

    times = iter([datetime(2019, 7, day, tzinfo=SHANGHAI) for day in range(1, 9)])
    assert [verdicts(), verdicts()] == [["rejected"], ["repeated"]]
    assert live_city.deliver("B05", loans=others_ledger(own=3, shared=0)) == []
    assert [verdicts(), verdicts()] == [["accepted"], ["repeated"]]
    versions = "select version, verdict from intake.submission where institution_code = 'B06' order by 1"
    assert rows(live_city.engine, versions) == [(1, "rejected"), (2, "accepted")]


def test_another_banks_ledger_is_not_held_against_ones_own_last_month(live_city: City) -> None:
    assert live_city.deliver("B05", MAY, loans=[loan(9, balance="0")]) == []
    assert live_city.deliver("B06", loans=others_ledger(own=0, shared=2)) == []
    assert live_city.deliver("B05", loans=others_ledger(own=0, shared=2)) == [("K03", None, None, None)]


def test_the_same_file_of_two_institutions_is_one_of_thems(live_city: City) -> None:
    reports = {
        "grid": [sound("grid"), sound("grid", outlet_code="W2")],
        "visits": [sound("visits"), sound("visits", household_no="H-2")],
    }
    assert live_city.deliver("B06", **reports) == []
    assert live_city.deliver("B05", **reports) == [("K03", None, None, None)] * 2
    # Of two nil returns the files may well be the same, and a single row by chance.
    for code in ("B06", "B05"):
        assert live_city.deliver(code, visits=[]) == []
        assert live_city.deliver(code, outreach=[sound("outreach")]) == []


def test_in_a_replay_the_earlier_code_stands_whoever_is_collected_first(engine: Engine, settings: Settings) -> None:
    for code in ("C01", "C02"):
        put(Path(settings.inbox_address) / "2019-06" / code, sound_package("households"))
    (judgement,) = collect(engine, settings, JUNE, institution="C02", replay=True)
    assert (judgement.institution_code, str(judgement.verdict)) == ("C02", "rejected")
    assert rows(engine, "select institution_code from intake.standing_report") == [("C01",)]


# Across reports and institutions, at the close


def test_loans_are_held_against_the_registers_and_the_library(city: City) -> None:
    city.deliver("C01", households=[sound("households"), sound("households", household_no="H-2")])
    city.deliver("C02", projects=[sound("projects")])
    city.deliver(
        "B01",
        loans=[
            loan(1),
            loan(2, household_no="H-9"),
            loan(3, household_no="H-2", borrower_id=OTHER_RESIDENT_ID),
            loan(4, household_no="H-2", borrower_id=sound("loans")["borrower_id"].lower()),
            loan(5, **FIRM, project_no="XM-9"),
            loan(6, **FIRM, project_no="XM-1"),
        ],
        matches=[sound("matches"), sound("matches", project_no="XM-8")],
    )
    closed = close(city.engine, city.settings, JUNE, replay=True)
    assert closed.cross_checks == ("2019-06-B01-close",)
    found = findings(city.engine, "2019-06-B01-close")
    assert [each for each in found if each[0] not in ("X07", "X08")] == [
        ("X04", "HT-2", "E3", "H-9"),
        ("X05", "HT-3", "D4", "4417**********019X"),
        ("X06", "HT-5", "T6", "XM-9"),
        ("X06", "XM-8", "A3", "XM-8"),
    ]
    assert rows(
        city.engine,
        "select distinct report, file, sheet, header from intake.finding where submission_id = '2019-06-B01-close' "
        "and rule = 'X06' order by 1",
    ) == [("loans", "loans.csv", None, "项目编号"), ("matches", "matches.csv", None, "项目编号")]


def test_one_head_on_two_counties_registers_is_told_to_both(city: City) -> None:
    twice = sound("households", household_no="H-2", head_id=OTHER_RESIDENT_ID)
    city.deliver("C01", households=[sound("households"), twice])
    city.deliver("C02", households=[sound("households", household_no="H-3")])
    close(city.engine, city.settings, JUNE, replay=True)
    told = rows(city.engine, "select submission_id, rule, key, cell, value, message from intake.finding order by 1")
    assert [row[:5] for row in told] == [
        ("2019-06-C01-close", "H03", "H-1", "C2", "4417**********0017"),
        ("2019-06-C02-close", "H03", "H-3", "C2", "4417**********0017"),
    ]
    assert "在阳东扶贫办的名册中" in told[0][5]


def test_a_households_debts_at_several_banks_add_up(city: City) -> None:
    city.deliver("B01", loans=[loan(1, balance="20000", household_no="H-1"), loan(2, balance="0", household_no="H-1")])
    large = loan(4, household_no="H-2", principal="60000", balance="60000")
    city.deliver("B02", loans=[loan(3, balance="30000", household_no="H-1"), large])
    close(city.engine, city.settings, JUNE, replay=True)
    assert not rows(city.engine, "select key from intake.finding where rule = 'X07'"), (
        "50,000 yuan are allowed, and one large loan is L10"
    )
    city.deliver("B02", loans=[loan(3, balance="30000.01", household_no="H-1"), large])
    close(city.engine, city.settings, JUNE, replay=True)
    told = rows(city.engine, "select submission_id, key, cell, value from intake.finding where rule = 'X07' order by 1")
    assert [(receipt[:11], *rest) for receipt, *rest in told] == [
        ("2019-06-B01", "HT-1", "L2", "20000.00"),
        ("2019-06-B02", "HT-3", "L2", "30000.01"),
    ]


def test_three_borrowers_of_one_account_are_told_to_each_bank_and_two_are_not(city: City) -> None:
    ids = [sound("loans")["borrower_id"], OTHER_RESIDENT_ID, "441702198812120017"]

    def paid(number: int, borrower: int, account: str = ACCOUNT) -> Cells:
        return loan(number, household_no=f"H-{borrower}", borrower_id=ids[borrower], payee_account=account)

    city.deliver("B01", loans=[paid(1, 0), paid(2, 1), paid(3, 1), paid(4, 0, "6222099"), paid(5, 1, "6222099")])
    close(city.engine, city.settings, JUNE, replay=True)
    assert not rows(city.engine, "select key from intake.finding where rule = 'X08'")
    city.deliver("B02", loans=[paid(6, 2)])
    close(city.engine, city.settings, JUNE, replay=True)
    told = rows(city.engine, "select key, value, message from intake.finding where rule = 'X08' order by 1")
    assert [key for key, _, _ in told] == ["HT-1", "HT-2", "HT-3", "HT-6"]
    assert {value for _, value, _ in told} == {"****0123"}
    assert all("3名借款人" in message for _, _, message in told)


def test_what_a_close_finds_is_told_by_sheet_row_and_column(city: City) -> None:
    given = {"payee_account": "6228480000000005678", "balance": "20000"}
    loans = [
        loan(1, borrower_id=resident_id(1), household_no="H-1", **given),
        loan(2, borrower_id=resident_id(2), household_no="H-9", **given),
        # The same account as a card shows it, and the same household once more.
        loan(
            3, borrower_id=resident_id(3), household_no="H-1", **{**given, "payee_account": "6228 4800 0000 0005 678"}
        ),
        loan(4, borrower_id=resident_id(3), household_no="H-1", **given),
    ]
    city.deliver("B01", loans=loans, matches=[sound("matches", project_no="XM-9")])
    city.deliver("C01", households=[sound("households", head_id=resident_id(1))], projects=[sound("projects")])
    city.deliver("Z01", league=[sound("league", ytd_households="9", ytd_amount="1", balance="1")])
    close(city.engine, city.settings, JUNE, replay=True)
    assert [(rule, cell) for rule, _, cell, _ in findings(city.engine, "2019-06-B01-close")] == [
        *(("X07", "L2"), ("X08", "U2")),
        *(("X04", "E3"), ("X08", "U3")),
        *(("X05", "D4"), ("X07", "L4"), ("X08", "U4")),
        *(("X05", "D5"), ("X07", "L5"), ("X08", "U5")),
        ("X06", "A2"),
    ]
    assert [cell for _, _, cell, _ in findings(city.engine, "2019-06-Z01-close")] == ["C2", "D2", "E2"]


def test_the_year_begins_with_the_balance_of_december(city: City) -> None:
    for code in ("B01", "B02"):
        ledger = [loan(1, **LAST_YEAR), loan(2, **FIRM, **LAST_YEAR)]
        own = [{**each, "contract_no": f"{code}-{each['contract_no']}"} for each in ledger]
        assert city.deliver(code, DECEMBER, loans=own) == []
    for code, stated in (("B01", "3.5"), ("B02", "3.51"), ("B03", "900")):
        halves = [
            sound("position", county_code="441702", microcredit_year_begin=stated),
            sound("position", county_code="441704", microcredit_year_begin="2.5"),
        ]
        city.deliver(code, position=halves)
    begins_with_june = city.settings.model_copy(update={"first_period": JUNE})
    close(city.engine, begins_with_june, JUNE, replay=True)
    told = rows(city.engine, "select submission_id, rule, cell, value, expected, message from intake.finding")
    assert [row[:5] for row in told] == [("2019-06-B02-close", "X09", None, "6.01", "5.00")]
    assert "6.01万元" in told[0][5]


def test_the_leagues_own_row_is_reconciled(city: City) -> None:
    city.deliver(
        "B01",
        loans=[
            loan(1, balance="10000", principal="20000"),
            loan(2, balance="0", principal="20000", issued_on="2018-12-31"),
            loan(3, balance="0", principal="5000", household_no="H-2"),
        ],
    )
    own = sound("league", ytd_households="2", ytd_amount="2.50", balance="1.01")
    code = next(
        each.code for each in load_register(city.settings.register_folder).institutions if each.kind == "centre"
    )
    city.deliver(code, league=[own, sound("league", city_code="440100", city="广州市")])
    close(city.engine, city.settings, JUNE, replay=True)
    told = rows(city.engine, "select level, key, cell, value, expected, message from intake.finding where rule = 'X10'")
    assert [row[:5] for row in told] == [("notice", "441700", "E2", "1.01", "1.00")]
    assert "相差0.01" in told[0][5]


# As soon as both sides are there


def test_a_bank_is_told_when_the_last_register_comes_in_and_once(live_city: City) -> None:
    stray = loan(1, household_no="H-9")
    assert live_city.deliver("B01", loans=[stray]) == []
    registers = {
        code: [sound("households", household_no=f"H-{code}", head_id=resident_id(number))]
        for number, code in enumerate(COUNTY_OFFICES)
    }
    for code in COUNTY_OFFICES[:-1]:
        live_city.deliver(code, households=registers[code])
    assert rows(live_city.engine, "select count(*) from intake.cross_check") == [(0,)]
    live_city.deliver("C04", households=registers["C04"])
    assert findings(live_city.engine, "2019-06-B01-x1") == [("X04", "HT-1", "E2", "H-9")]
    assert (Path(live_city.settings.outbox_address) / "2019-06" / "B01" / "receipt-x1.html").exists()
    # Who delivers with both sides there is told at once, with the version; the first bank hears nothing twice.
    assert live_city.deliver("B02", loans=[loan(2, household_no="H-8")]) == [("X04", "HT-2", "E2", "H-8")]
    assert rows(live_city.engine, "select submission_id from intake.cross_check") == [("2019-06-B01-x1",)]
    assert rows(live_city.engine, "select report, warnings from intake.report where submission_id like '%B02-1'") == [
        ("loans", 1)
    ]
    close(live_city.engine, live_city.settings, JUNE, replay=True)
    assert findings(live_city.engine, "2019-06-B01-close") == [("X04", "HT-1", "E2", "H-9")]


def test_a_bank_is_not_blamed_for_a_register_or_library_that_nobody_delivered(city: City) -> None:
    city.deliver("B01", loans=[loan(1), loan(2, **FIRM, project_no="XM-1")], matches=[sound("matches")])
    city.deliver("Z01", league=[sound("league")])
    assert close(city.engine, city.settings, JUNE, replay=True).cross_checks == ("2019-06-Z01-close",)
    # An empty library is one: the office says so. One county's register is what there is to go by at the close.
    city.deliver("C01", projects=[])
    city.deliver("C02", households=[sound("households", household_no="H-2")])
    close(city.engine, city.settings, JUNE, replay=True)
    assert [(rule, key) for rule, key, _, _ in findings(city.engine, "2019-06-B01-close")] == [
        ("X04", "HT-1"),
        ("X06", "HT-2"),
        ("X06", "XM-1"),
    ]


def test_the_league_is_not_reconciled_with_ledgers_that_nobody_delivered(city: City) -> None:
    city.deliver("Z01", league=[sound("league")])
    assert close(city.engine, city.settings, JUNE, replay=True).cross_checks == ()


def test_the_close_tells_again_only_what_has_changed(city: City) -> None:
    city.deliver("C01", households=[sound("households")])
    city.deliver("B01", loans=[loan(1, household_no="H-9")])
    city.deliver("B02", loans=[loan(2, household_no="H-8")])
    first = close(city.engine, city.settings, JUNE, replay=True).cross_checks
    assert first == ("2019-06-B01-close", "2019-06-B02-close")
    assert close(city.engine, city.settings, JUNE, replay=True).cross_checks == ()
    city.deliver("B02", loans=[loan(3, household_no="H-7")])
    assert close(city.engine, city.settings, JUNE, replay=True).cross_checks == ("2019-06-B02-close-2",)
    keys = "select recipient, count(*) from notify.message where message_key like '%/close%' group by 1 order by 1"
    assert [count for _, count in rows(city.engine, keys)] == [1, 2]


# Explanations


def said(*lines: tuple[str, str, str, str]) -> DeliveredFile:
    return DeliveredFile("explanations.csv", csv_bytes([["报表", "规则", "主键", "说明"], *map(list, lines)]))


def explained(engine: Engine, receipt: str) -> list[tuple[Any, ...]]:
    query = f"select rule, explanation from intake.finding where submission_id = '{receipt}' order by ordinal"
    return rows(engine, query)


def test_an_explanation_stands_until_the_value_changes(city: City) -> None:
    warned = loan(1, principal="60000", balance="60000", purpose="养殖")
    april, may, june = MAY.previous(), MAY, JUNE
    city.deliver("B01", april, loans=[warned])
    assert explained(city.engine, "2019-04-B01-1") == [("L10", None)]
    line = ("loans", "L10", "HT-1", "经省行批准的试点贷款。")
    city.deliver("B01", may, [said(line)], loans=[warned])
    assert explained(city.engine, "2019-05-B01-1") == [("L10", line[3])]
    city.deliver("B01", june, loans=[warned, loan(2, principal="60000", balance="60000")])
    assert explained(city.engine, "2019-06-B01-1") == [("L10", line[3]), ("L10", None)]
    (listed,) = list_explanations(city.engine)
    assert (listed.state, listed.value, listed.found_in) == ("stands", "60000", "2019-06")
    # The contract's principal may not change (X02); that of another bank's same contract number is no affair of B01.
    city.deliver("B02", june, loans=[loan(1, principal="70000", balance="70000")])
    assert explained(city.engine, "2019-06-B02-1") == [("L10", None)]
    city.deliver("B01", june.next(), loans=[loan(1, principal="70000", balance="60000")])
    assert ("L10", None) in explained(city.engine, "2019-07-B01-1")
    (listed,) = list_explanations(city.engine, period=may, institution_code="B01")
    assert (listed.state, listed.found_in) == ("lapsed", "2019-07")


def test_an_explanation_answers_the_close_before_or_the_one_to_come(city: City) -> None:
    city.deliver("C01", MAY, households=[sound("households")])
    city.deliver("B01", MAY, loans=[loan(1, borrower_id=OTHER_RESIDENT_ID)])
    close(city.engine, city.settings, MAY, replay=True)
    assert explained(city.engine, "2019-05-B01-close") == [("X05", None)]
    city.deliver("C01", households=[sound("households")])
    lines = [("loans", "X05", "HT-1", "户主之子。"), ("loans", "x04", "HT-2", "新识别户，名册待更新。")]
    told = city.deliver(
        "B01", files=[said(*lines)], loans=[loan(1, borrower_id=OTHER_RESIDENT_ID), loan(2, household_no="H-9")]
    )
    assert [(rule, key) for rule, key, _, _ in told] == [("F14", "HT-2")]
    close(city.engine, city.settings, JUNE, replay=True)
    assert explained(city.engine, "2019-06-B01-close") == [("X05", lines[0][3]), ("X04", lines[1][3])]
    assert {(each.rule, each.state) for each in list_explanations(city.engine)} == {
        ("X05", "stands"),
        ("X04", "stands"),
    }


# Rules are files


@pytest.fixture
def check_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of include/sql/checks, to add files to."""
    folder = shutil.copytree(CROSS_RULE_FOLDER, tmp_path / "checks")
    monkeypatch.setattr(cross_rules, "CROSS_RULE_FOLDER", folder)
    return folder


def test_a_rule_is_added_by_adding_a_file(city: City, check_folder: Path) -> None:
    (check_folder / "x99.sql").write_text(
        """-- Which loans have exactly doubled?
--
-- rule: X99
-- level: warning
-- across: months
-- moment: version
-- report: loans
-- column: balance
-- message: 余额是上月{before}元的两倍，请核对。
select
    now.row_number,
    now.contract_no as key,
    now.balance::text as value,
    before.balance as before
from staged_loans as now
inner join core.loans as before
    on
        now.contract_no = before.contract_no
        and before.period = :previous_period
        and before.delivered_by = :institution_code
where now.balance = 2 * before.balance
""",
        encoding="utf-8",
    )
    city.deliver("B01", MAY, loans=[loan(1, balance="10000"), loan(2, balance="10000")])
    assert city.deliver(
        "B01", loans=[loan(1, balance="20000", extended="是"), loan(2, balance="20001", extended="是")]
    ) == [("X99", "HT-1", "L2", "20000.00")]


def test_a_rule_counts_from_its_month(city: City, check_folder: Path) -> None:
    (check_folder / "x99.sql").write_text(
        """-- Which loans are there?
--
-- rule: X99
-- level: warning
-- across: months
-- moment: version
-- report: loans
-- column: balance
-- message: 请核对。
-- since: 2019-06
select now.row_number, now.contract_no as key, null::text as value from staged_loans as now
""",
        encoding="utf-8",
    )
    assert city.deliver("B01", MAY, loans=[loan(1)]) == []
    assert [rule for rule, *_ in city.deliver("B01", loans=[loan(1)])] == ["X99"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"report": "loan"}, "no such report: loan"),
        ({"column": "contract"}, "loans has no column contract"),
        ({"level": "fatal"}, "level"),
        ({"moment": "standing", "level": "critical"}, "cannot reject"),
        ({"needs": "[loans]"}, "needs no other report"),
        ({"also_in_suite": "true"}, "no suite beside it"),
        ({"moment": "standing", "absence": "true"}, "needs the report that is the list"),
        ({"since": "July"}, "not a period"),
        ({"sense": "none"}, "sense"),
    ],
)
def test_a_wrong_declaration_is_named(wrong: dict[str, str], says: str, check_folder: Path) -> None:
    declared = {
        "rule": "X99",
        "level": "warning",
        "across": "months",
        "moment": "version",
        "report": "loans",
        "column": "balance",
        "message": "请核对。",
        **wrong,
    }
    head = "\n".join(f"-- {name}: {value}" for name, value in declared.items())
    (check_folder / "x99.sql").write_text(f"-- What?\n--\n{head}\nselect 1\n", encoding="utf-8")
    with pytest.raises(SetupError, match=says) as refused:
        load_cross_rules()
    assert "x99.sql" in str(refused.value)


def test_every_rule_of_the_contract_has_its_file() -> None:
    rules = {check.rule: check for check in load_cross_rules()}
    assert set(rules) == {"H03", "K02", "K03", "P02", *(f"X{number:02d}" for number in range(1, 11))}
    levels = {rule: str(check.level) for rule, check in rules.items() if check.level != "warning"}
    assert levels == {"K02": "critical", "K03": "critical", "X02": "critical", "X10": "notice"}


def test_what_a_finding_rests_on_follows_from_its_rules_file() -> None:
    rules = {check.rule: check for check in load_cross_rules()}
    assert {rule: check.rests_on for rule, check in rules.items() if check.rests_on} == {
        "H03": ("households",),
        "X04": ("households",),
        "X05": ("households",),
        "X06": ("projects",),
        "X07": ("loans",),
        "X08": ("loans",),
        "X10": ("loans",),
    }
    assert {rule for rule, check in rules.items() if check.absence} == {"X04", "X06"}
    assert {rule for rule, check in rules.items() if check.is_settled_at_close} == {f"X{n:02d}" for n in range(4, 11)}


def test_a_rule_says_whether_a_suite_finds_it_too() -> None:
    in_suites = {rule.rule for report in load_reports().values() for rule in load_suite(report).rules}
    standing = [check for check in load_cross_rules() if check.moment is Moment.STANDING]
    assert {check.rule for check in standing if check.also_in_suite} == {check.rule for check in standing} & in_suites
    assert any(check.also_in_suite for check in standing)
