"""Small packages: one sound row per report, to be spoilt by a test."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.period import SHANGHAI, Period
from five_precisions.reports import Column, Report, load_forms, load_reports

JUNE = Period(2019, 6)
RESIDENT_ID = "441702198001010017"
OTHER_RESIDENT_ID = "44170219750505019X"
CREDIT_CODE = "91350100M000100Y43"
PHONE = "13812345678"
ACCOUNT = "6222021234567890123"

Cells = dict[str, str]

_SOUND: dict[str, Cells] = {
    "loans": {
        "contract_no": "HT-001",
        "borrower_kind": "农户",
        "borrower_name": "陈大文",
        "borrower_id": RESIDENT_ID,
        "household_no": "H-1",
        "category": "个人经营",
        "microcredit": "是",
        "town_code": "441702100",
        "issued_on": "2019-03-15",
        "matures_on": "2022-03-15",
        "principal": "50000",
        "balance": "50000",
        "annual_rate": "4.75",
        "purpose": "养殖",
        "security": "信用",
        "subsidised": "是",
        "risk_class": "正常",
        "overdue_days": "0",
        "extended": "否",
        "project_no": "",
        "payee_account": ACCOUNT,
    },
    "position": {
        "county_code": "441702",
        "all_loans": "1000",
        "all_loans_year_begin": "900",
        "microcredit_year_begin": "900",
        "relending": "0",
        "relending_extended": "0",
        "new_products": "0",
    },
    "visits": {
        "household_no": "H-1",
        "visited_on": "2019-06-01",
        "round": "1",
        "officer": "李四",
        "cadre": "",
        "wants_loan": "是",
        "wanted_amount": "0",
        "filed": "是",
        "conduct": "5",
    },
    "outreach": {
        "held_on": "2019-06-30",
        "town_code": "441702100",
        "village": "",
        "kind": "培训",
        "round": "",
        "attendees": "20",
        "cadres": "20",
        "leaflets": "0",
        "team_size": "",
    },
    "grid": {
        "outlet_code": "W1",
        "outlet_name": "埠场支行",
        "town_code": "441702100",
        "village": "",
        "head": "王五",
        "head_phone": PHONE,
        "resident_cadre": "",
        "letter_signed_on": "2019-01-02",
        "hotline": "0662-3211234",
    },
    "matches": {
        "project_no": "XM-1",
        "status": "已授信",
        "matched_on": "2019-05-01",
        "credit_line": "12.5",
        "paired": "是",
        "reason": "",
    },
    "households": {
        "household_no": "H-1",
        "head_name": "陈大文",
        "head_id": RESIDENT_ID,
        "town_code": "441702100",
        "village": "那蓬村",
        "members": "4",
        "workers": "4",
        "income_per_head": "5,200.50",
        "debts": "0",
        "has_business": "是",
        "trained": "否",
        "status": "未脱贫",
        "bank_code": "B01",
    },
    "projects": {
        "project_no": "XM-1",
        "name": "罗非鱼养殖",
        "town_code": "441702100",
        "industry": "养殖",
        "operator": "漠阳合作社",
        "operator_id": CREDIT_CODE,
        "demand": "80",
        "entered_on": "2019-01-10",
        "status": "在库",
        "households": "10",
        "jobs": "20",
        "pushed_to": "",
    },
    "guarantee_funds": {
        "bank_code": "B01",
        "kind": "风险补偿金",
        "year": "2019",
        "due_amount": "100",
        "due_on": "2019-03-31",
        "arrived_amount": "60",
        "arrived_on": "2019-03-20",
    },
    "league": {
        "city_code": "441700",
        "city": "阳江市",
        "ytd_households": "100",
        "ytd_amount": "480",
        "balance": "900",
    },
    "inspections": {
        "finding_no": "DC-1",
        "institution_code": "C01",
        "inspected_on": "2019-05-01",
        "aspect": "产品创新",
        "finding": "无新产品",
        "severity": "一般",
        "due_on": "2019-07-01",
        "mended_on": "",
        "remedy": "",
    },
}


def sound(report: str, **changes: str) -> Cells:
    """A row without fault, but for the changes."""
    assert set(changes) <= set(_SOUND[report]), changes
    return {**_SOUND[report], **changes}


def declared(report: str) -> Report:
    """The report's declaration."""
    return load_reports()[report]


def csv_bytes(rows: Iterable[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def table(report: str, rows: Sequence[Cells]) -> list[list[str]]:
    """Header row and data rows, in the form of June."""
    columns = load_forms(JUNE)[report].columns
    return [[column.header for column in columns], *([_cell(row, column) for column in columns] for row in rows)]


def _cell(row: Cells, column: Column) -> str:
    return row.get(column.name, "") if column.optional else row[column.name]


def report_file(report: str, rows: Sequence[Cells]) -> DeliveredFile:
    """`<code>.csv`."""
    return DeliveredFile(f"{report}.csv", csv_bytes(table(report, rows)))


def cover_line(report: str, rows: Sequence[Cells], *, nil: bool = False) -> list[str]:
    """What the cover rightly says of the rows."""
    control = declared(report).control
    total = ""
    if control and not nil:
        try:
            total = str(sum(Decimal(row[control].replace(",", "") or 0) for row in rows))
        except ArithmeticError:
            total = "0"
    return [report, str(len(rows)), total, "是" if nil else "否", "李某", "0662-1234567"]


def cover_file(*lines: Sequence[str]) -> DeliveredFile:
    """`cover.csv`."""
    return DeliveredFile("cover.csv", csv_bytes([COVER_HEADERS, *lines]))


def package(**reports: Sequence[Cells]) -> list[DeliveredFile]:
    """CSV files of the reports and their cover; a report without rows is a nil return."""
    files = [cover_file(*(cover_line(report, rows, nil=not rows) for report, rows in reports.items()))]
    return files + [report_file(report, rows) for report, rows in reports.items() if rows]


def sound_package(*reports: str) -> list[DeliveredFile]:
    """A package with one sound row in each report."""
    return package(**{report: [sound(report)] for report in reports})


_OTHERS: dict[str, Cells] = {
    "loans": {"contract_no": "HT-900", "household_no": "H-900"},
    "position": {"all_loans": "1001"},
    "visits": {"officer": "赵六"},
    "outreach": {"attendees": "21"},
    "grid": {"head": "赵六"},
    "matches": {"credit_line": "13"},
}


def others_package(*reports: str) -> list[DeliveredFile]:
    """A package as sound, of another bank: the same bytes are one bank's only (K03)."""
    return package(**{report: [sound(report, **_OTHERS[report])] for report in reports})


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    """An xlsx with these sheets; a text that begins with `=` is a formula."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell not in (None, ""):
                        sheet.write(number, column, cell)
    return content.getvalue()


def put(folder: Path, files: Iterable[DeliveredFile], at: datetime = datetime(2019, 7, 3, 10, tzinfo=SHANGHAI)) -> None:
    """Lay files into an inbox folder, last changed at that time."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        path = folder / file.name
        path.write_bytes(file.content)
        os.utime(path, (at.timestamp(), at.timestamp()))
