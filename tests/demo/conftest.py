"""The demo inbox read back without the intake code: calamine or csv, the declared headers, and nothing else.

And signals as a terminal gives them.
"""

from __future__ import annotations

import csv
import re
import signal
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from five_precisions.reports import Column, ColumnType, load_reports

COVER_HEADERS = ["报表", "行数", "合计金额", "零报送", "报送人", "联系电话"]
EXPLANATION_HEADERS = ["报表", "规则", "主键", "说明"]
DATE = re.compile(r"(\d{4})[-/年](\d{2})[-/月](\d{2})日?")


@dataclass(frozen=True)
class Version:
    """One delivered version: its folder, and what its files hold."""

    folder: Path
    frames: dict[str, pd.DataFrame]
    totals: dict[str, dict[str, Decimal]]
    """Per report with a total row: the filled sums by column name."""
    cover: dict[str, dict[str, Any]]
    explanations: list[tuple[str, str, str]]
    says_demo: bool


def read_value(cell: object, column: Column) -> object:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    match column.type:
        case ColumnType.DATE:
            if isinstance(cell, datetime):
                return cell.date()
            if isinstance(cell, date):
                return cell
            found = DATE.fullmatch(str(cell))
            return date(*map(int, found.groups())) if found else str(cell)
        case ColumnType.YUAN | ColumnType.WAN | ColumnType.PCT | ColumnType.INT:
            text = unicodedata.normalize("NFKC", str(cell)).replace(",", "")
            if not re.fullmatch(r"\d+(\.\d+)?", text):
                return text
            number = Decimal(text)
            return int(number) if column.type is ColumnType.INT else number
        case _:
            assert isinstance(cell, str), f"{column.header} holds {cell!r}, which is no text"
            return cell


def read_sheets(folder: Path) -> dict[str, list[list[Any]]]:
    """Every sheet or CSV file of a version by name; files named for a report under that name."""
    sheets: dict[str, list[list[Any]]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".xlsx":
            workbook = CalamineWorkbook.from_path(str(path))
            for name in workbook.sheet_names:
                rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
                sheets[path.stem if path.stem in load_reports() else name] = rows
        else:
            raw = path.read_bytes()
            text = raw.decode("utf-8-sig") if raw.startswith(b"\xef\xbb\xbf") else raw.decode("gb18030")
            delimiter = max(",;\t", key=text.splitlines()[-1].count)
            sheets[path.stem] = [list(row) for row in csv.reader(text.splitlines(), delimiter=delimiter)]
    return sheets


def body_below(rows: list[list[Any]], headers: list[str]) -> list[list[Any]]:
    at = next(i for i, row in enumerate(rows[:10]) if set(headers) <= set(row))
    order = [rows[at].index(header) for header in headers]
    return [[row[i] for i in order] for row in rows[at + 1 :]]


def read_version(folder: Path) -> Version:
    frames: dict[str, pd.DataFrame] = {}
    totals: dict[str, dict[str, Decimal]] = {}
    cover: dict[str, dict[str, Any]] = {}
    explanations: list[tuple[str, str, str]] = []
    codes = {report.title: code for code, report in load_reports().items()} | {code: code for code in load_reports()}
    sheets = read_sheets(folder)
    for name, rows in sheets.items():
        if name in ("报送说明", "cover"):
            for title, count, total, nil, *_ in body_below(rows, COVER_HEADERS):
                amount = Decimal(str(total).replace(",", "")) if str(total) else None
                cover[codes[title]] = {"rows": int(count), "total": amount, "nil": nil == "是"}
        elif name in ("情况说明", "explanations"):
            explanations += [(codes[a], b, c) for a, b, c, _ in body_below(rows, EXPLANATION_HEADERS)]
        elif name in codes:
            report = load_reports()[codes[name]]
            try:
                body = body_below(rows, [column.header for column in report.columns])
            except StopIteration:
                continue
            names = [column.name for column in report.columns]
            if body and body[-1][0] == "合计":
                *body, last = body
                totals[report.code] = {
                    name: Decimal(str(cell).replace(",", ""))
                    for name, cell in zip(names[1:], last[1:], strict=True)
                    if str(cell)
                }
            values = [
                [read_value(cell, column) for cell, column in zip(row, report.columns, strict=True)] for row in body
            ]
            frames[report.code] = pd.DataFrame(values, columns=names, dtype=object)
    says_demo = any("演示数据" in str(cell) for rows in sheets.values() for row in rows[:3] for cell in row)
    return Version(folder, frames, totals, cover, explanations, says_demo)


@pytest.fixture
def heard_signals() -> Iterator[tuple[signal.Signals, ...]]:
    """Signals as in a terminal, for this process and those it starts: they inherit what a background job ignores."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield tuple(usual)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def versions(golden_inbox: Path) -> Callable[[str, str], list[Version]]:
    """The versions of a period and institution, in order."""

    @cache
    def read(period: str, institution: str) -> list[Version]:
        package = golden_inbox / period / institution
        if not package.exists():
            return []
        folders = sorted(package.glob("v[0-9]")) or [package]
        return [read_version(folder) for folder in folders]

    return read


@pytest.fixture(scope="session")
def accepted(golden_inbox: Path, versions: Callable[[str, str], list[Version]]) -> Callable[[str, str], pd.DataFrame]:
    """One report of a period over all institutions, each by its newest version, with a column `institution`."""

    @cache
    def gather(report: str, period: str) -> pd.DataFrame:
        parts = []
        for package in sorted((golden_inbox / period).iterdir()):
            having = [v.frames[report] for v in versions(period, package.name) if len(v.frames.get(report, ()))]
            if having:
                parts.append(having[-1].assign(institution=package.name))
        columns = [column.name for column in load_reports()[report].columns]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*columns, "institution"])

    return gather
