"""What became of an institution's reports, month by month: it proves how often it was late, or passed at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from five_precisions.display import Form
from five_precisions.reports import load_reports
from five_precisions.web.desk import MONTHS, NOTHING_ASSESSED, Desk
from five_precisions.web.report_states import IN_HAND, REPORT_STATE_STYLES, REPORT_STATE_WORDS
from five_precisions.web.tables import Cell, Column, Table, Value

COUNTED_REPORTS: Final = (
    Column("owed", "应报", Form.COUNT, "张"),
    Column("received", "已接收", Form.COUNT, "张"),
    Column("on_time", "按时", Form.COUNT, "张"),
    Column("first_pass", "一次通过", Form.COUNT, "张"),
)
_RECEIVED_WORDS: Final = {
    ("accepted", True): "一次通过",
    ("accepted", False): "更正后接收",
    ("nil", True): "零报送",
    ("nil", False): "更正后零报送",
}
"""By status, and whether it was so at the first delivery."""


def by_month(rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Rows by their month, in the order in which the months come."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.period].append(row)
    return found


def counted_reports(rows: Sequence[Row[Any]]) -> tuple[int, int, int, int]:
    """How many of the reports were owed, received, on time, and passed at once (`COUNTED_REPORTS`)."""
    return (
        len(rows),
        sum(row.status in IN_HAND for row in rows),
        sum(row.on_time for row in rows),
        sum(row.first_pass for row in rows),
    )


def reported_months_table(desk: Desk, code: str, rows: Sequence[Row[Any]]) -> Table:
    """Months of an institution against its reports, the newest month first."""
    owed = {row.report for row in rows}
    reports = [(report, declared.title) for report, declared in load_reports().items() if report in owed]
    lines: list[list[Value | Cell]] = []
    for month, own in reversed(by_month(rows).items()):
        href = desk.href(f"reporting/{code}", period=month)
        became = {row.report: row for row in own}
        cells = [_cell(became.get(report), f"{href}#versions") for report, _ in reports]
        lines.append([Cell(value=month, href=href, is_head=True), *counted_reports(own), *cells])
    return Table(
        name="months",
        title=f"近{MONTHS}个月报送（考核所用）",
        columns=[Column("period", "月份"), *COUNTED_REPORTS, *(Column(report, title) for report, title in reports)],
        rows=lines,
        empty=NOTHING_ASSESSED,
        note="首次报送即被接收的为一次通过，零报送在内；标“迟”的未按时。",
    )


def _cell(row: Row[Any] | None, href: str) -> Cell:
    if row is None:
        return Cell(value="", state="nothing", title="不需报送")
    if row.status not in IN_HAND:
        return Cell(value=REPORT_STATE_WORDS[row.status], state=REPORT_STATE_STYLES[row.status], href=href)
    words, is_late = _RECEIVED_WORDS[row.status, row.first_pass], not row.on_time
    return Cell(value=f"{words} 迟" if is_late else words, state="warn" if is_late else None, href=href)
