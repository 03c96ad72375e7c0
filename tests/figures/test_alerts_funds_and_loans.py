"""Alerts A01 to A09 with their near misses, in cities small enough to judge by hand (docs/figures.md#alerts)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import BANKS, OFFICES, Rows, SmallCity

MARCH = Period(2019, 3)
Alert = tuple[str, str, str, Any, Any]
"""level, institution, subject, measure, threshold"""


@dataclass(frozen=True)
class Month:
    """Everybody delivers everything: nothing, but for these rows by institution and report."""

    rows: Mapping[tuple[str, str], Rows] = field(default_factory=dict)
    missing: Collection[tuple[str, str]] = ()
    """Reports that do not come at all."""
    findings: Mapping[str, Rows] = field(default_factory=dict)
    """By institution."""


def play(engine: Engine, settings: Settings, *months: Month, banks: tuple[str, ...] = BANKS) -> None:
    """Deliver, close and assess the months from January on. Funds of B01 have arrived, so there are targets."""
    periods = [Period(2019, number) for number, _ in enumerate(months, start=1)]
    kinds = {**dict.fromkeys(banks, "bank"), **dict.fromkeys(OFFICES, "county_office"), "Z01": "centre"}
    with engine.begin() as connection:
        city = SmallCity(connection, banks=banks)
        for period, month in zip(periods, months, strict=True):
            city.open(period)
            rows = {("C01", "guarantee_funds"): [{}], **month.rows}
            for institution, kind in kinds.items():
                owed = {code for code, report in load_reports().items() if kind in report.owners}
                reports = {
                    code: rows.get((institution, code), [])
                    for code in sorted(owed)
                    if (institution, code) not in month.missing
                }
                city.deliver(period, institution, findings=month.findings.get(institution), **reports)
            city.close(period)
    for period in periods:
        assess(engine, settings, period)


def alerts(engine: Engine, rule: str, period: Period = JANUARY) -> list[Alert]:
    """The open alerts of a rule; never one in which a number of eleven digits stands."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select level, institution_code, subject, measure, threshold, detail from mart.current_alert "
                "where rule = :rule and period = :period order by institution_code, subject"
            ),
            {"rule": rule, "period": str(period)},
        ).all()
    assert not [row.detail for row in found if re.search(r"\d{11}", row.detail) or not row.detail.endswith("。")]
    return [tuple(row)[:5] for row in found]


def details(engine: Engine, rule: str, period: Period = JANUARY) -> dict[tuple[str, str], tuple[str, str | None]]:
    """What an alert tells and which county or town it is about, by institution and subject."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select institution_code, subject, detail, division_code from mart.current_alert "
                "where rule = :rule and period = :period"
            ),
            {"rule": rule, "period": str(period)},
        ).all()
    return {(row.institution_code, row.subject): (row.detail, row.division_code) for row in found}


# A01: end is 31 January; 2 December lies 60 days before it.


def fund(bank: str, due_on: date, **more: object) -> dict[str, Any]:
    return {"bank_code": bank, "due_on": due_on, "arrived_amount": "60.50", **more}


def test_a01_funds_that_have_not_arrived_in_full(engine: Engine, settings: Settings) -> None:
    rows = [
        fund("B01", date(2019, 1, 30)),
        fund("B01", date(2019, 1, 30), kind="风险补偿金"),
        fund("B01", date(2018, 12, 2), year=2018),
        fund("B02", date(2018, 12, 1), arrived_amount="99.99"),
        fund("B02", date(2018, 12, 1), kind="风险补偿金", arrived_amount=100),
        fund("B02", date(2018, 12, 1), year=2018, arrived_amount="100.01"),
        fund("B03", date(2019, 1, 31)),
        fund("B03", date(2019, 2, 1), year=2018),
    ]
    play(engine, settings, Month({("C01", "guarantee_funds"): rows}))
    assert alerts(engine, "A01") == [
        ("medium", "C01", "B01/贷款贴息/2018", Decimal("60.5"), 100),
        ("medium", "C01", "B01/贷款贴息/2019", Decimal("60.5"), 100),
        ("medium", "C01", "B01/风险补偿金/2019", Decimal("60.5"), 100),
        ("high", "C01", "B02/贷款贴息/2019", Decimal("99.99"), 100),
    ]
    assert details(engine, "A01")[("C01", "B01/贷款贴息/2018")] == (
        "B012018年度贷款贴息应于2018年12月2日到位100.00万元，实际到位60.50万元，尚缺39.50万元，已逾期60天。",
        "441702",
    )


def test_a01_stays_while_its_offices_report_is_missing(engine: Engine, settings: Settings) -> None:
    late = {(office, "guarantee_funds"): [fund("B01", date(2019, 1, 10))] for office in OFFICES}
    play(
        engine,
        settings,
        Month(late),
        Month({("C01", "guarantee_funds"): [{}]}, missing={("C02", "guarantee_funds")}),
        Month({("C01", "guarantee_funds"): [{}], ("C02", "guarantee_funds"): [fund("B01", date(2019, 1, 10))]}),
    )
    subject = "B01/贷款贴息/2019"
    assert [row[:3] for row in alerts(engine, "A01")] == [("medium", "C01", subject), ("medium", "C02", subject)]
    assert [row[:3] for row in alerts(engine, "A01", FEBRUARY)] == [("medium", "C02", subject)]
    # 10 January lies 80 days before the end of March.
    assert [row[:3] for row in alerts(engine, "A01", MARCH)] == [("high", "C02", subject)]


# A02


def issued(bank: str, *loans: tuple[int, str], **more: object) -> dict[tuple[str, str], Rows]:
    """Microcredit of January in 万元, each in its county."""
    towns = {"441702": "441702001", "441704": "441704001"}
    return {
        (bank, "loans"): [
            {
                "contract_no": f"{bank}-{number}",
                "household_no": f"{bank}-H{number}",
                "town_code": towns[county],
                "principal": amount * 10_000,
                "balance": 0,
                **more,
            }
            for number, (amount, county) in enumerate(loans)
        ]
    }


HERE, THERE = OFFICES.values()


def with_funds(*banks: str) -> dict[tuple[str, str], Rows]:
    """These banks, and no others, have a target."""
    return {("C01", "guarantee_funds"): [{"bank_code": bank} for bank in banks]}


def test_a02_one_bank_over_half(engine: Engine, settings: Settings) -> None:
    rows = (
        issued("B01", (5, HERE), (6, THERE))
        | issued("B02", (4, HERE), (1, THERE))
        | issued("B03", (2, HERE), (2, THERE))
    )
    play(engine, settings, Month(rows))
    # 11 of 20; the counties have 11 and 9: also over half.
    assert alerts(engine, "A02") == [("medium", "Z01", "441700", 55, 50)]
    detail, division = details(engine, "A02")[("Z01", "441700")]
    assert detail == "本年扶贫小额信贷发放金额过于集中：区划441702占全市55.00%，超过50%；B01占全市55.00%，超过50%。"
    assert division is None


def test_a02_one_county_over_half(engine: Engine, settings: Settings) -> None:
    rows = issued("B01", (3, HERE), (1, HERE)) | issued("B02", (1, HERE), (2, THERE)) | issued("B03", (1, THERE))
    play(engine, settings, Month(rows))
    # 5 of 8; B01 has exactly half.
    assert alerts(engine, "A02") == [("medium", "Z01", "441700", Decimal("62.5"), 50)]
    assert "B0" not in details(engine, "A02")[("Z01", "441700")][0]


def test_a02_exactly_half_is_not_over_half(engine: Engine, settings: Settings) -> None:
    rows = issued("B01", (3, HERE), (1, THERE)) | issued("B02", (1, HERE), (2, THERE)) | issued("B03", (1, THERE))
    # Issued before this year, or no microcredit: counts nowhere.
    rows |= {("B03", "loans"): [*rows[("B03", "loans")], {"contract_no": "old", "issued_on": date(2018, 12, 31)}]}
    rows[("B03", "loans")].append({"contract_no": "education", "microcredit": False, "category": "个人教育"})
    play(engine, settings, Month(rows | with_funds("B01", "B02", "B03")))
    assert alerts(engine, "A02") == []


def test_a02_nothing_issued_is_not_unequal(engine: Engine, settings: Settings) -> None:
    play(engine, settings, Month())
    assert alerts(engine, "A02") == []


EIGHT = tuple(f"B0{number}" for number in range(1, 9))


def test_a02_gini_over_banks_with_a_target(engine: Engine, settings: Settings) -> None:
    """Of 0, 0, 0, 0, 0, 2, 4, 4: no share is over 40 %, no county over 50 %.

    Pairs that differ: 0 and 2 five times, 0 and 4 ten times, 2 and 4 twice: 10 + 40 + 4 = 54, both ways 108.
    Gini = 108 / (2 × 8² × 10 / 8) = 108 / 160.
    """
    rows = issued("B06", (1, HERE), (1, THERE)) | issued("B07", (4, HERE)) | issued("B08", (4, THERE))
    play(engine, settings, Month(rows | with_funds(*EIGHT)), banks=EIGHT)
    assert alerts(engine, "A02") == [("medium", "Z01", "441700", Decimal("0.675"), Decimal("0.6"))]
    detail, _ = details(engine, "A02")[("Z01", "441700")]
    assert detail == "本年扶贫小额信贷发放金额过于集中：8家有任务银行的基尼系数为0.6750，超过0.6。"


@pytest.mark.parametrize(
    ("banks", "without_target", "missing"),
    [
        pytest.param(5, (), (), id="exactly 0.6"),
        pytest.param(7, ("B06", "B07"), (), id="banks without a target"),
        pytest.param(7, (), ("B06", "B07"), id="banks without a ledger"),
    ],
)
def test_a02_gini_of_five_banks_of_which_two_share_all(
    engine: Engine, settings: Settings, banks: int, without_target: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    """(5 − 2) / 5 = 0.6 is not over 0.6; two more banks with nothing would make it 5 / 7."""
    rows = issued("B01", (4, HERE)) | issued("B02", (4, THERE))
    funds = with_funds(*(bank for bank in EIGHT[:banks] if bank not in without_target))
    play(engine, settings, Month(rows | funds, missing={(bank, "loans") for bank in missing}), banks=EIGHT[:banks])
    assert alerts(engine, "A02") == []


def test_a02_gini_counts_a_bank_with_a_target_that_issued_nothing(engine: Engine, settings: Settings) -> None:
    rows = issued("B01", (4, HERE)) | issued("B02", (4, THERE))
    play(engine, settings, Month(rows | with_funds(*EIGHT), missing={("B07", "loans")}), banks=EIGHT)
    # Seven ledgers are in: (7 − 2) / 7.
    (found,) = alerts(engine, "A02")
    assert found[:3] == ("medium", "Z01", "441700")
    assert round(found[3], 6) == Decimal("0.714286")


def test_a02_a_share_waits_for_every_ledger(engine: Engine, settings: Settings) -> None:
    """Without B02's ledger B01 seems to have everything; and what stands is not closed without it."""
    even = issued("B01", (1, HERE)) | issued("B02", (1, THERE))
    uneven = issued("B01", (3, HERE)) | issued("B02", (1, THERE))
    play(
        engine,
        settings,
        Month(even, missing={("B02", "loans")}),
        Month(uneven),
        Month(even, missing={("B02", "loans")}),
    )
    assert alerts(engine, "A02") == []
    assert alerts(engine, "A02", FEBRUARY) == [("medium", "Z01", "441700", 75, 50)]
    assert alerts(engine, "A02", MARCH) == [("medium", "Z01", "441700", 75, 50)]


def test_a02_closes_when_all_ledgers_are_in(engine: Engine, settings: Settings) -> None:
    uneven, even = (issued("B01", (amount, HERE)) | issued("B02", (1, THERE)) for amount in (3, 1))
    play(engine, settings, Month(uneven), Month(even))
    assert alerts(engine, "A02") == [("medium", "Z01", "441700", 75, 50)]
    assert alerts(engine, "A02", FEBRUARY) == []


# A03, A04


def outlet(code: str, **more: object) -> dict[str, Any]:
    return {"outlet_code": code, "outlet_name": f"{code}支行", **more}


GRID = [
    outlet("O1", hotline=None),
    outlet("O2", hotline="0662-12"),
    outlet("O3"),
    outlet("O4", hotline="0662-12"),
    outlet("O4", hotline=None, town_code="441702002"),
    outlet("O4", town_code="441704001"),
]
WRONG_HOTLINES = [{"report": "grid", "rule": "G01", "row_number": number} for number in (2, 3, 5, 6)]


def test_a03_hotlines_that_g01_found(engine: Engine, settings: Settings) -> None:
    unsigned = {"report": "grid", "rule": "G02", "row_number": 4}
    of_another_report = {"report": "visits", "rule": "G01", "row_number": 4}
    play(
        engine,
        settings,
        Month({("B01", "grid"): GRID}, findings={"B01": [*WRONG_HOTLINES, unsigned, of_another_report]}),
        Month(missing={("B01", "grid")}),
        Month({("B01", "grid"): GRID[:1]}, findings={"B01": WRONG_HOTLINES[:1]}),
    )
    everything = [
        ("low", "B01", "O1", 1, None),
        ("low", "B01", "O2", 1, None),
        ("low", "B01", "O4", 2, None),
    ]
    assert alerts(engine, "A03") == everything
    assert details(engine, "A03") == {
        ("B01", "O1"): ("网点O1支行（O1）未填写监督电话，涉及责任表1行。", "441702001"),
        ("B01", "O2"): ("网点O2支行（O2）监督电话不是可以拨打的号码，涉及责任表1行。", "441702001"),
        ("B01", "O4"): ("网点O4支行（O4）未填写监督电话、监督电话不是可以拨打的号码，涉及责任表2行。", "441702"),
    }
    assert alerts(engine, "A03", FEBRUARY) == everything
    assert alerts(engine, "A03", MARCH) == everything[:1]


def test_a03_reads_the_findings_of_the_version_used(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.deliver(JANUARY, "B01", findings=WRONG_HOTLINES[:1], grid=GRID[:1])
        city.deliver(JANUARY, "B01", day=6, grid=[outlet("O1")])
        city.deliver(JANUARY, "B02", grid=[outlet("O1")])
        city.deliver(JANUARY, "B02", day=6, findings=WRONG_HOTLINES[:1], grid=GRID[:1])
        city.close(JANUARY)
    assess(engine, settings, JANUARY)
    assert alerts(engine, "A03") == [("low", "B02", "O1", 1, None)]


def test_a04_letters_not_signed(engine: Engine, settings: Settings) -> None:
    grid = [
        outlet("O1", letter_signed_on=None),
        outlet("O2"),
        outlet("O3", letter_signed_on=None),
        outlet("O3", letter_signed_on=None, town_code="441704001"),
    ]
    play(
        engine,
        settings,
        Month({("B01", "grid"): grid, ("B02", "grid"): [outlet("O1")]}),
        Month({("B02", "grid"): grid[:1]}, missing={("B01", "grid")}),
        Month({("B01", "grid"): grid[:2], ("B02", "grid"): [outlet("O1")]}),
    )
    own = [("low", "B01", "O1", 1, None), ("low", "B01", "O3", 2, None)]
    assert alerts(engine, "A04") == own
    assert details(engine, "A04") == {
        ("B01", "O1"): ("网点O1支行（O1）尚未签订责任书，涉及责任表1行。", "441702001"),
        # In two towns of two counties.
        ("B01", "O3"): ("网点O3支行（O3）尚未签订责任书，涉及责任表2行。", None),
    }
    assert alerts(engine, "A04", FEBRUARY) == [*own, ("low", "B02", "O1", 1, None)]
    assert alerts(engine, "A04", MARCH) == own[:1]


# A05


def test_a05_microcredit_that_is_not_for_production(engine: Engine, settings: Settings) -> None:
    purposes = ("种植", "养殖", "加工", "商贸", "服务", "教育", "消费", "建房", "其他")
    loans: Rows = [{"contract_no": purpose, "purpose": purpose, "balance": "12345.67"} for purpose in purposes]
    loans += [
        {"contract_no": "settled", "purpose": "教育", "balance": 0},
        {"contract_no": "no microcredit", "purpose": "教育", "microcredit": False, "category": "个人教育"},
    ]
    play(
        engine,
        settings,
        Month({("B01", "loans"): loans}),
        Month(missing={("B01", "loans")}),
        Month({("B01", "loans"): [{"contract_no": "教育", "purpose": "教育", "balance": 0}]}),
    )
    expected = [
        ("medium", "B01", purpose, Decimal("12345.67"), None) for purpose in sorted(("教育", "消费", "建房", "其他"))
    ]
    assert alerts(engine, "A05") == expected
    assert details(engine, "A05")[("B01", "教育")] == (
        "合同教育为扶贫小额信贷，资金用途为“教育”，不属于生产经营；余额1.23万元。",
        "441702001",
    )
    assert alerts(engine, "A05", FEBRUARY) == expected
    assert alerts(engine, "A05", MARCH) == []


# A06


def owed(household: str, *balances: float | str, **more: object) -> Rows:
    return [
        {"contract_no": f"{household}-{number}", "household_no": household, "balance": balance, **more}
        for number, balance in enumerate(balances)
    ]


def test_a06_more_than_50_000_yuan_at_any_number_of_banks(engine: Engine, settings: Settings) -> None:
    first = [
        *owed("exactly", 30000),
        *owed("over", 20000, 10000, 0),
        *owed("alone", "50000.01", town_code="441704001"),
        *owed("settled", 30000, 0),
        *owed("consumption", 60000, microcredit=False, category="个人消费"),
        *owed("mixed", 30000),
    ]
    second = [
        *owed("exactly", 20000),
        *owed("over", "20000.01"),
        *owed("settled", 0),
        *owed("mixed", 30000, microcredit=False, category="个人消费"),
    ]
    third = owed("over", 0)
    register = [{"household_no": "over", "town_code": "441702002"}]
    play(
        engine,
        settings,
        Month(
            {
                ("B01", "loans"): first,
                ("B02", "loans"): second,
                ("B03", "loans"): third,
                ("C01", "households"): register,
            }
        ),
    )
    assert alerts(engine, "A06") == [
        ("high", "B01", "alone", Decimal("50000.01"), 50000),
        ("high", "B01", "over", Decimal("50000.01"), 50000),
        ("high", "B02", "over", Decimal("50000.01"), 50000),
    ]
    # Each bank is told its own loans and the fact: nothing of the other's, and no total to subtract from.
    assert details(engine, "A06") == {
        ("B01", "alone"): ("户alone的扶贫小额信贷余额在全市合计超过5万元；本行1笔，余额5.00万元。", "441704001"),
        ("B01", "over"): ("户over的扶贫小额信贷余额在全市合计超过5万元；本行2笔，余额3.00万元。", "441702002"),
        ("B02", "over"): ("户over的扶贫小额信贷余额在全市合计超过5万元；本行1笔，余额2.00万元。", "441702002"),
    }


def test_a06_is_raised_by_what_is_there_and_closed_by_nothing_less_than_all_ledgers(
    engine: Engine, settings: Settings
) -> None:
    over = {("B01", "loans"): owed("H", 30000), ("B02", "loans"): owed("H", 20001)}
    play(
        engine,
        settings,
        Month(over, missing={("B03", "loans")}),
        Month({("B01", "loans"): owed("H", 30000)}, missing={("B02", "loans")}),
        Month({("B01", "loans"): owed("H", 30000), ("B02", "loans"): owed("H", 20000)}, missing={("B03", "loans")}),
        Month({("B01", "loans"): owed("H", 30000), ("B02", "loans"): owed("H", 20000)}),
    )
    both = [("high", "B01", "H", 50001, 50000), ("high", "B02", "H", 50001, 50000)]
    for period in (JANUARY, FEBRUARY, MARCH):
        assert alerts(engine, "A06", period) == both
    assert alerts(engine, "A06", Period(2019, 4)) == []


def test_a06_is_closed_by_the_banks_own_ledger_whatever_another_bank_withholds(
    engine: Engine, settings: Settings
) -> None:
    play(
        engine,
        settings,
        Month({("B01", "loans"): owed("H", 30000), ("B02", "loans"): owed("H", 20001)}),
        Month({("B01", "loans"): owed("H", 0), ("B02", "loans"): owed("H", 20001)}, missing={("B03", "loans")}),
    )
    assert {bank for _, bank, *_ in alerts(engine, "A06")} == {"B01", "B02"}
    assert alerts(engine, "A06", FEBRUARY) == [("high", "B02", "H", 50001, 50000)]


def test_a06_a_missing_ledger_raises_nothing(engine: Engine, settings: Settings) -> None:
    play(engine, settings, Month({("B01", "loans"): owed("H", 30000)}, missing={("B02", "loans")}))
    assert alerts(engine, "A06") == []


# A07


def paid(contract: str, borrower: str, account: str | None, **more: object) -> dict[str, Any]:
    """A loan of 10,000 yuan to the borrower; accounts that end alike differ in their hashes."""
    return {
        "contract_no": contract,
        "household_no": f"H-{contract}",
        "borrower_id_hash": borrower * 64,
        "balance": 10000,
        "payee_account": None if account is None else "****1234",
        "payee_account_hash": None if account is None else account * 8,
        **more,
    }


def test_a07_three_borrowers_share_one_account(engine: Engine, settings: Settings) -> None:
    first = [
        paid("1", "a", "11112222"),
        paid("2", "a", "11112222"),
        paid("3", "b", "11112222", town_code="441702002"),
        paid("4", "a", "33334444"),
        paid("5", "b", "33334444"),
        paid("6", "c", "33334444"),
        paid("7", "a", "55556666"),
        paid("8", "b", "55556666"),
        paid("9", "b", "55556666"),
        *(paid(f"no account {borrower}", borrower, None) for borrower in "abc"),
    ]
    second = [
        paid("1", "c", "11112222", balance="0.01", microcredit=False, category="个人消费"),
        paid("2", "c", "55556666", balance=0),
    ]
    third = [paid("1", "d", "11112222", balance=0)]
    play(engine, settings, Month({("B01", "loans"): first, ("B02", "loans"): second, ("B03", "loans"): third}))
    assert alerts(engine, "A07") == [
        ("high", "B01", "****1234-11112222", 3, 3),
        ("high", "B01", "****1234-33334444", 3, 3),
        ("high", "B02", "****1234-11112222", 3, 3),
    ]
    shared = "全市有3名借款人的贷款支付到同一收款账户****1234，涉嫌户贷企用；本行涉及"
    assert details(engine, "A07") == {
        ("B01", "****1234-11112222"): (f"{shared}2名借款人、3笔，余额3.00万元。", "441702"),
        ("B01", "****1234-33334444"): (f"{shared}3名借款人、3笔，余额3.00万元。", "441702001"),
        ("B02", "****1234-11112222"): (f"{shared}1名借款人、1笔，余额0.00万元。", "441702001"),
    }


def test_a07_two_cases_for_two_accounts_and_none_closed_without_all_ledgers(engine: Engine, settings: Settings) -> None:
    first = [paid(account + borrower, borrower, account) for account in ("11112222", "33334444") for borrower in "ab"]
    second = [paid(account, "c", account) for account in ("11112222", "33334444")]
    play(
        engine,
        settings,
        Month({("B01", "loans"): first, ("B02", "loans"): second}),
        Month({("B01", "loans"): first}, missing={("B02", "loans")}),
        Month({("B01", "loans"): first, ("B02", "loans"): second[1:]}),
    )
    everything = [
        ("high", bank, f"****1234-{account}", 3, 3) for bank in BANKS[:2] for account in ("11112222", "33334444")
    ]
    assert alerts(engine, "A07") == everything
    with engine.connect() as connection:
        cases = connection.execute(text("select count(distinct case_id) from mart.case_state where rule = 'A07'"))
        assert cases.scalar() == 4
    assert alerts(engine, "A07", FEBRUARY) == everything
    assert alerts(engine, "A07", MARCH) == [("high", bank, "****1234-33334444", 3, 3) for bank in BANKS[:2]]


def test_a07_is_closed_by_the_banks_own_ledger_whatever_another_bank_withholds(
    engine: Engine, settings: Settings
) -> None:
    first = [paid(borrower, borrower, "11112222") for borrower in "ab"]
    second = [paid("c", "c", "11112222")]
    play(
        engine,
        settings,
        Month({("B01", "loans"): first, ("B02", "loans"): second}),
        Month({("B01", "loans"): first, ("B02", "loans"): [second[0] | {"balance": 0}]}, missing={("B03", "loans")}),
    )
    assert {bank for _, bank, *_ in alerts(engine, "A07")} == {"B01", "B02"}
    assert alerts(engine, "A07", FEBRUARY) == [("high", "B01", "****1234-11112222", 3, 3)]


# A08


REGISTERS: dict[tuple[str, str], Rows] = {
    ("C01", "households"): [{"household_no": "able"}, {"household_no": "unable", "workers": 0}],
    ("C02", "households"): [
        {"household_no": "able there", "town_code": "441704001"},
        {"household_no": "unable there", "town_code": "441704001", "workers": 0},
    ],
}
EVERY_KIND_OF_HOUSEHOLD: dict[tuple[str, str], Rows] = {
    ("B01", "loans"): [
        *owed("able", 10000),
        *owed("unable", 10000, 20000, 0),
        *owed("unregistered", 10000, town_code="441702002"),
        *owed("able there", 10000),
        *owed("unable there", 10000),
    ],
    ("B02", "loans"): [
        *owed("unregistered", 0),
        *owed("unable", 10000, microcredit=False, category="个人消费"),
        {
            "contract_no": "company",
            "borrower_kind": "企业",
            "category": "产业",
            "microcredit": False,
            "household_no": None,
        },
    ],
}


def test_a08_households_not_registered_or_not_able_to_work(engine: Engine, settings: Settings) -> None:
    play(engine, settings, Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS))
    assert alerts(engine, "A08") == [
        ("medium", "B01", "unable", 30000, None),
        ("medium", "B01", "unable there", 10000, None),
        ("medium", "B01", "unregistered", 10000, None),
    ]
    assert details(engine, "A08") == {
        ("B01", "unable"): ("户unable没有劳动力，却有扶贫小额信贷2笔，余额3.00万元。", "441702001"),
        ("B01", "unable there"): ("户unable there没有劳动力，却有扶贫小额信贷1笔，余额1.00万元。", "441704001"),
        ("B01", "unregistered"): (
            "户unregistered不在任何县区的建档立卡户名册中，却有扶贫小额信贷1笔，余额1.00万元。",
            "441702002",
        ),
    }


def test_a08_not_registered_can_be_told_only_when_every_register_is_in(engine: Engine, settings: Settings) -> None:
    play(engine, settings, Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS, missing={("C02", "households")}))
    # That a household of C01's register cannot work needs no other register.
    assert alerts(engine, "A08") == [("medium", "B01", "unable", 30000, None)]


@pytest.mark.parametrize(
    "missing", [pytest.param(("C01", "households"), id="register"), pytest.param(("B01", "loans"), id="ledger")]
)
def test_a08_is_not_closed_from_a_missing_report(engine: Engine, settings: Settings, missing: tuple[str, str]) -> None:
    play(
        engine,
        settings,
        Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS),
        Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS, missing={missing}),
        Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS | {("C01", "households"): [{"household_no": "unregistered"}]}),
    )
    assert len(alerts(engine, "A08")) == 3
    assert alerts(engine, "A08", FEBRUARY) == alerts(engine, "A08")
    # Now they have found the one and lost the other two.
    assert {row[2] for row in alerts(engine, "A08", MARCH)} == {"able", "unable", "unable there"}


def test_a08_what_can_be_told_without_a_missing_register_is_told(engine: Engine, settings: Settings) -> None:
    """Without C02's register: one of C01's is able now, one has repaid; of the others nothing is known."""
    mended = {
        ("B01", "loans"): [*owed("unable", 10000), *owed("unable there", 10000), *owed("unregistered", 0)],
        ("C01", "households"): [{"household_no": "able"}, {"household_no": "unable", "workers": 1}],
    }
    play(
        engine,
        settings,
        Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS),
        Month(EVERY_KIND_OF_HOUSEHOLD | REGISTERS | mended, missing={("C02", "households")}),
    )
    assert {row[2] for row in alerts(engine, "A08")} == {"unable", "unable there", "unregistered"}
    assert alerts(engine, "A08", FEBRUARY) == [("medium", "B01", "unable there", 10000, None)]


# A09


def credit(household: str, issued_on: date, **more: object) -> dict[str, Any]:
    return {"contract_no": f"L-{household}", "household_no": household, "issued_on": issued_on, **more}


def seen(household: str, visited_on: date) -> dict[str, Any]:
    return {"household_no": household, "visited_on": visited_on}


def test_a09_microcredit_before_the_first_visit(engine: Engine, settings: Settings) -> None:
    tenth = date(2019, 1, 10)
    loans = [
        credit("seen before", tenth),
        credit("seen that day", tenth),
        credit("seen later", tenth),
        credit("seen twice", tenth),
        credit("seen by others", tenth),
        credit("never seen", date(2019, 1, 1)),
        credit("never seen and settled", date(2019, 1, 31), balance=0),
        credit("before the record", date(2018, 12, 31)),
        credit("education", tenth, microcredit=False, category="个人教育"),
    ]
    visits = [
        seen("seen before", date(2019, 1, 9)),
        seen("seen that day", tenth),
        seen("seen later", date(2019, 1, 11)),
        seen("seen twice", date(2019, 1, 5)),
        seen("seen twice", date(2019, 1, 12)),
    ]
    play(
        engine,
        settings,
        Month(
            {
                ("B01", "loans"): loans,
                ("B01", "visits"): visits,
                ("B02", "visits"): [seen("seen by others", date(2019, 1, 2))],
            }
        ),
    )
    assert alerts(engine, "A09") == [
        ("low", "B01", "L-never seen", 30, None),
        ("low", "B01", "L-never seen and settled", 0, None),
        ("low", "B01", "L-seen later", 1, None),
    ]
    found = details(engine, "A09")
    assert found[("B01", "L-never seen")] == (
        "合同L-never seen于2019年1月1日发放扶贫小额信贷3.00万元，截至2019年1月31日该户尚未走访。",
        "441702001",
    )
    assert found[("B01", "L-seen later")] == (
        "合同L-seen later于2019年1月10日发放扶贫小额信贷3.00万元，该户2019年1月11日才首次走访。",
        "441702001",
    )


def test_a09_a_visit_that_comes_late_does_not_heal_it(engine: Engine, settings: Settings) -> None:
    loans = {("B01", "loans"): [credit("H", date(2019, 1, 10))]}
    play(
        engine, settings, Month(loans), Month(loans | {("B02", "visits"): [seen("H", date(2019, 2, 3))]}), Month(loans)
    )
    assert alerts(engine, "A09") == [("low", "B01", "L-H", 21, None)]
    assert alerts(engine, "A09", FEBRUARY) == alerts(engine, "A09", MARCH) == [("low", "B01", "L-H", 24, None)]


def test_a09_a_loan_of_the_month_waits_for_every_report_of_visits(engine: Engine, settings: Settings) -> None:
    """B02's visits of January may hold one before the loan; those of February cannot."""
    loans = {("B01", "loans"): [credit("H", date(2019, 1, 10))]}
    no_visits = {("B02", "visits")}
    play(engine, settings, Month(loans, missing=no_visits), Month(loans, missing=no_visits))
    assert alerts(engine, "A09") == []
    assert alerts(engine, "A09", FEBRUARY) == [("low", "B01", "L-H", 49, None)]


def test_a09_stays_while_the_ledger_is_missing_and_closes_when_the_loan_is_no_microcredit(
    engine: Engine, settings: Settings
) -> None:
    loan = credit("H", date(2019, 1, 10))
    mended = loan | {"microcredit": False, "category": "个人教育"}
    play(
        engine,
        settings,
        Month({("B01", "loans"): [loan]}),
        Month(missing={("B01", "loans")}),
        Month({("B01", "loans"): [mended]}),
    )
    assert alerts(engine, "A09", FEBRUARY) == alerts(engine, "A09") == [("low", "B01", "L-H", 21, None)]
    assert alerts(engine, "A09", MARCH) == []
