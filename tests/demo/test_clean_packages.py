"""What is finally accepted breaks no critical rule, and warns only where an incident is planted.

See docs/reports.md#rules.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stdnum.cn import ric, uscc

from five_precisions.period import Period
from five_precisions.reports import ColumnType, load_reports

MONTHS = [f"2019-0{month}" for month in range(1, 7)]
REGISTER = Path(__file__).parents[2] / "include" / "demo_register"
Accepted = Callable[[str, str], pd.DataFrame]
Found = set[tuple[str, str]]
"""Rule and institution."""


def register(name: str) -> list[dict[str, str]]:
    with (REGISTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TOWNS = {row["code"] for row in register("divisions.csv") if row["level"] == "town"}
COUNTIES = {row["code"] for row in register("divisions.csv") if row["level"] == "county"}
INSTITUTIONS = {row["code"]: row["kind"] for row in register("institutions.csv")}
BANKS = {code for code, kind in INSTITUTIONS.items() if kind == "bank"}


def is_resident_id(number: str) -> bool:
    born = number[6:14]
    return (
        len(number) == 18
        and date(int(born[:4]), int(born[4:6]), int(born[6:])) < date(2019, 1, 1)
        and number[-1] == ric.calc_check_digit(number)
    )


def cells_that_do_not_read(frame: pd.DataFrame, report: str) -> Iterator[tuple[str, str]]:
    """T01 to T05 and K01."""
    for column in load_reports()[report].columns:
        for institution, value in zip(frame.institution, frame[column.name], strict=True):
            if value is None or pd.isna(value):
                if not column.optional:
                    yield "T01", institution
                continue
            kinds: dict[ColumnType, type] = {ColumnType.DATE: date, ColumnType.INT: int}
            is_number = column.type in (ColumnType.YUAN, ColumnType.WAN, ColumnType.PCT)
            places = 4 if column.type is ColumnType.PCT else 2
            fits = isinstance(value, Decimal if is_number else kinds.get(column.type, str))
            if not fits or (is_number and value != round(value, places)):
                yield "T02", institution
            elif column.type is ColumnType.TEXT and len(value) > (column.max or 0):
                yield "T03", institution
            elif value not in {ColumnType.CHOICE: column.of, ColumnType.YESNO: ("是", "否")}.get(column.type, (value,)):
                yield "T04", institution
            elif column.type is ColumnType.INT and not column.min <= value <= (column.max or 10**6):
                yield "T05", institution
    for institution in frame[frame.duplicated(["institution", *load_reports()[report].key], keep=False)].institution:
        yield "K01", institution


def critical_of_loans(loans: pd.DataFrame, period: Period) -> Iterator[tuple[str, Any]]:
    farmer = loans.borrower_kind == "农户"
    industry = loans.category == "产业"
    micro = loans.microcredit == "是"
    yield "L01", loans.index.isin(farmer.index[farmer][~loans.borrower_id[farmer].map(is_resident_id)])
    yield "T01", farmer & loans.household_no.isna()
    yield "L03", loans.balance > loans.principal
    yield "L04", loans.matures_on <= loans.issued_on
    yield "L05", loans.issued_on.map(lambda day: not date(2016, 1, 1) <= day <= period.end)
    yield "L06", ~loans.town_code.isin(TOWNS)
    yield "L07", industry == farmer
    yield "L08", micro & ((loans.category != "个人经营") | ~farmer)
    yield "L09", loans.project_no.notna() & ~industry


def critical_of_others(report: str, frame: pd.DataFrame, period: Period) -> Iterator[tuple[str, Any]]:
    def outside(days: pd.Series) -> pd.Series:
        return days.map(lambda day: not period.begin <= day <= period.end)

    match report:
        case "position":
            yield "P01", ~frame.county_code.isin(COUNTIES)
            yield "P03", frame.microcredit_year_begin > frame.all_loans_year_begin
        case "visits":
            yield "V01", outside(frame.visited_on)
        case "outreach":
            yield "O01", outside(frame.held_on)
            yield "O02", frame.cadres > frame.attendees
            yield "L06", ~frame.town_code.isin(TOWNS)
        case "matches":
            yield "M01", (frame.status == "不予支持") & frame.reason.isna()
        case "households":
            yield "H01", frame.workers > frame.members
            yield "H02", ~frame.head_id.map(is_resident_id)
            yield "R01", ~frame.bank_code.isin(BANKS)
            yield "K02", frame.duplicated("household_no", keep=False)
            yield "L06", ~frame.town_code.isin(TOWNS)
        case "projects":
            yield "R01", frame.pushed_to.notna() & ~frame.pushed_to.isin(BANKS)
            yield "L06", ~frame.town_code.isin(TOWNS)
        case "guarantee_funds":
            yield "R01", ~frame.bank_code.isin(BANKS)
        case "inspections":
            yield "R01", ~frame.institution_code.isin(set(INSTITUTIONS))
        case "grid":
            yield "L06", ~frame.town_code.isin(TOWNS)
        case _:
            return


@pytest.mark.parametrize("month", MONTHS)
def test_nothing_accepted_breaks_a_critical_rule(accepted: Accepted, month: str) -> None:
    period = Period.parse(month)
    for report in load_reports():
        frame = accepted(report, month)
        if report != "inspections":
            assert len(frame), report
        assert list(cells_that_do_not_read(frame, report)) == []
        if frame.empty:
            continue
        broken = critical_of_loans(frame, period) if report == "loans" else critical_of_others(report, frame, period)
        for rule, rows in broken:
            assert not rows.any(), (report, rule, frame[rows].head())


def where(frame: pd.DataFrame, rule: str, rows: Any) -> Found:
    return {(rule, institution) for institution in frame[rows].institution}


def runs_longer(issued: date, due: date, years: int) -> bool:
    return (due.year, due.month, due.day) > (issued.year + years, issued.month, issued.day)


def warnings_of_loans(loans: pd.DataFrame) -> Found:
    micro = loans.microcredit == "是"
    late = pd.Series(map(runs_longer, loans.issued_on, loans.matures_on, [3] * len(loans)), index=loans.index)
    one_year = ~pd.Series(map(runs_longer, loans.issued_on, loans.matures_on, [1] * len(loans)), index=loans.index)
    benchmark = pd.Series([Decimal("4.35") if short else Decimal("4.75") for short in one_year], index=loans.index)
    overdue = loans.overdue_days
    company = loans.borrower_kind != "农户"
    return (
        where(loans, "L02", company & ~loans.borrower_id.map(uscc.is_valid))
        | where(loans, "L10", micro & (loans.principal > 50_000))
        | where(loans, "L11", micro & late)
        | where(loans, "L12", micro & (loans.annual_rate > benchmark))
        | where(loans, "L13", micro & loans.purpose.isin(["教育", "消费", "建房", "其他"]))
        | where(loans, "L14", micro & loans.security.isin(["保证", "抵押", "质押"]))
        | where(loans, "L15", ((loans.risk_class == "正常") & (overdue > 90)) | ((loans.balance == 0) & (overdue > 0)))
    )


def warnings_of_others(visits: pd.DataFrame, grid: pd.DataFrame, households: pd.DataFrame) -> Found:
    good = grid.hotline.map(lambda number: number == "12363" or (number or "").startswith("0662-3"))
    crowded = Counter(zip(visits.institution, visits.officer, visits.visited_on, strict=True))
    return (
        where(grid, "G01", ~good)
        | where(grid, "G02", grid.letter_signed_on.isna())
        | {("V02", bank) for (bank, _, _), number in crowded.items() if number > 30}
        | where(visits, "V03", (visits.wants_loan == "是") & visits.wanted_amount.isna())
        | where(households, "H03", households.duplicated("head_id", keep=False))
    )


def warnings_across_months(loans: pd.DataFrame, before: pd.DataFrame) -> Found:
    known = before.set_index("contract_no")
    now = loans.set_index("contract_no")
    gone = {contract for contract in known.index if contract not in now.index}
    still_delivering = set(loans.institution)
    both = known.merge(now, left_index=True, right_index=True, suffixes=("_before", ""))
    assert (both.principal == both.principal_before).all(), "X02"
    assert (both.issued_on == both.issued_on_before).all(), "X02"
    risen = (both.balance > both.balance_before) & (both.extended == "否")
    return {
        ("X01", known.institution[contract]) for contract in gone if known.institution[contract] in still_delivering
    } | where(both, "X03", risen)


def warnings_across_reports(
    loans: pd.DataFrame, households: pd.DataFrame, projects: pd.DataFrame, matches: pd.DataFrame
) -> Found:
    heads = dict(zip(households.household_no, households.head_id, strict=True))
    farmers = loans[loans.borrower_kind == "农户"]
    known = farmers.household_no.isin(set(heads))
    library = set(projects.project_no)
    micro = loans[(loans.microcredit == "是") & (loans.balance > 0)]
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for household, balance in zip(micro.household_no, micro.balance, strict=True):
        owed[household] += balance
    paid_into: dict[str, set[str]] = defaultdict(set)
    with_account = loans[loans.payee_account.notna()]
    for account, borrower in zip(with_account.payee_account, with_account.borrower_id, strict=True):
        paid_into[account].add(borrower)
    return (
        where(farmers, "X04", ~known)
        | where(farmers, "X05", known & (farmers.household_no.map(heads) != farmers.borrower_id))
        | where(loans, "X06", loans.project_no.notna() & ~loans.project_no.isin(library))
        | where(matches, "X06", ~matches.project_no.isin(library))
        | where(micro, "X07", micro.household_no.map(owed) > 50_000)
        | where(with_account, "X08", with_account.payee_account.map(lambda account: len(paid_into[account]) > 2))
    )


def planted(month: int) -> Found:
    """What `demo.events` says, month by month; X07 begins when the second of its two loans is issued."""
    always = {("G01", "B05"), ("G02", "B08"), ("L02", "B02"), ("L10", "B01"), ("L14", "B10")}
    always |= {("X05", bank) for bank in ("B01", "B03", "B04", "B09")}
    since: dict[int, Found] = {
        2: {("L11", "B09")},
        3: {("L12", "B07"), ("L13", "B04")},
        4: {("G01", "B02"), ("L15", "B12"), ("X04", "B12"), ("X05", "B10"), ("X08", "B04")},
        5: {("L13", "B11")},
    }
    only: dict[int, Found] = {
        1: {("G01", "B10"), ("G02", "B12")},
        2: {("G01", "B10"), ("G02", "B12"), ("V03", "B06"), ("H03", "C03")},
        3: {("G02", "B12"), ("V02", "B10"), ("V03", "B03"), ("H03", "C03"), ("X01", "B01"), ("X06", "B01")},
        4: {("X01", "B04"), ("X03", "B12")},
        5: {("X01", "B08")},
        6: {("V02", "B09"), ("V03", "B10")},
    }
    return always | only[month] | {found for begin, founds in since.items() if begin <= month for found in founds}


@pytest.mark.parametrize("month", MONTHS)
def test_warnings_are_the_planted_ones(accepted: Accepted, month: str) -> None:
    loans = accepted("loans", month)
    households = accepted("households", month)
    found = (
        warnings_of_loans(loans)
        | warnings_of_others(accepted("visits", month), accepted("grid", month), households)
        | warnings_across_reports(loans, households, accepted("projects", month), accepted("matches", month))
    )
    if month != MONTHS[0]:
        found |= warnings_across_months(loans, accepted("loans", str(Period.parse(month).previous())))
    two_banks = {("X07", "B03"), ("X07", "B10")}
    assert found & two_banks in (set(), two_banks)
    assert month != MONTHS[-1] or found >= two_banks
    assert found - two_banks == planted(int(month[-1]))
