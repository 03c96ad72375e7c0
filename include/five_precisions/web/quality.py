"""The pages of data quality: what passes at once, which rules fail most, and the Data Docs (docs/desk.md#pages)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, text

from five_precisions.data_docs import read_page
from five_precisions.display import Form
from five_precisions.period import Period
from five_precisions.register.decision import storable
from five_precisions.reports import load_reports
from five_precisions.reports.level import Level
from five_precisions.warehouse import load_statement
from five_precisions.web.access import COLLECTION, sees_runs
from five_precisions.web.charts import Bar, bar_chart
from five_precisions.web.desk import MONTHS, NOTHING_ASSESSED, NOTHING_OPENED, AtDesk, Desk, months_until
from five_precisions.web.finding_tables import level_cell
from five_precisions.web.page import SECURITY_HEADERS, Choice, NotThereError
from five_precisions.web.rule_words import rule_words
from five_precisions.web.tables import Cell, Column, Table, counted, percent_of

_DOCS_POLICY: Final = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
)
"""The Data Docs bear their style in place and run nothing; their links lead on with the login that a browser has."""
_BY_INSTITUTION: Final = "first_pass_institutions"
_MOST_WORDS: Final = 2
"""Sentences about one rule in a table."""
_WINDOW = text("select period from registry.period where period <= :period order by period desc limit :months")

router = APIRouter(prefix="/quality", dependencies=[sees_runs(COLLECTION)])


@dataclass(slots=True)
class _FailingRule:
    """A rule at one of its levels, over the months that are looked at."""

    rule: str
    level: Level
    findings: dict[str, int] = field(default_factory=dict)
    """By month."""
    institutions: dict[str, int] = field(default_factory=dict)
    """How many of them, by month."""

    def since(self, window: Sequence[str]) -> str:
        """The first of the months without a gap up to the newest; the window ends there."""
        first = window[0]
        for month in window:
            if month not in self.findings:
                break
            first = month
        return f"{first}或更早" if first == window[-1] and len(window) == MONTHS else first


@router.get("")
def show_quality(desk: AtDesk) -> Response:
    """Rates of first passes, and the rules that fail most in a month."""
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
        if period is None:
            return desk.answer("quality.html", page="quality", title="数据质量", empty=NOTHING_OPENED)
        rates = connection.execute(load_statement("web/first_pass"), months_until(period)).all()
        window = _read_window(connection, period)
        rules = _read_rules(connection, period)
    return desk.answer(
        "quality.html",
        page="quality",
        title="数据质量",
        tables=[_rules_table(desk, rules, window), _report_table(desk, rates), _institution_table(desk, rates, period)],
        period=period,
        periods=periods,
        chart=bar_chart([Bar(title, share) for title, share in _shares(rates)], unit="%"),
    )


@router.get("/rules/{rule}")
def show_rule(desk: AtDesk, rule: str) -> Response:
    """Whom a rule has told something for a month, and in which of the months before."""
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
        if period is None:
            raise NotThereError(NOTHING_OPENED)
        window = _read_window(connection, period)
        found = _read_rules(connection, period, rule)
        if not found and rule not in rule_words():
            there = _read_rules(connection, period)
            raise NotThereError(
                "没有这条规则。",
                [Choice(each, desk.href(f"quality/rules/{each}", period=period)) for each in _codes(there)],
            )
        receipts = connection.execute(
            load_statement("web/rule_receipts"),
            {"period": str(period), "rule": storable(rule)},
        ).all()
    return desk.answer(
        "quality_rule.html",
        page="quality",
        title=f"规则 {rule}",
        tables=[_receipts_table(desk, receipts, period), _months_table(desk, found, window)],
        period=period,
        periods=periods,
        words=_words(rule),
    )


@router.get("/docs")
def show_docs(desk: AtDesk) -> Response:
    """The Data Docs of a month, with our navigation around them."""
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
    index = None if period is None else f"{period}/index.html"
    is_there = index is not None and read_page(desk.settings, index) is not None
    return desk.answer(
        "data_docs.html",
        page="quality",
        title="Data Docs" if period is None else f"{period.words} Data Docs",
        period=period,
        periods=periods,
        index=index if is_there else None,
        empty=NOTHING_OPENED if period is None else "本月还没有 Data Docs；月份关闭时生成。",
    )


@router.get("/docs/{path:path}")
def show_docs_page(desk: AtDesk, path: str) -> Response:
    """One page of the Data Docs as it was written when the month was closed."""
    content = read_page(desk.settings, path)
    if content is None:
        raise NotThereError("Data Docs 中没有这一页；月份重新关闭后，请从首页进入。", [_docs_choice(desk)])
    headers = {**SECURITY_HEADERS, "Content-Security-Policy": _DOCS_POLICY}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


def _docs_choice(desk: Desk) -> Choice:
    return Choice("Data Docs", desk.href("quality/docs"))


# Reading


def _asked(period: Period, rule: str | None = None) -> dict[str, object]:
    return {"period": str(period), "months": MONTHS, "rule": None if rule is None else storable(rule)}


def _read_window(connection: Connection, period: Period) -> list[str]:
    """The months that are looked at, the newest first."""
    return list(connection.execute(_WINDOW, {"period": str(period), "months": MONTHS}).scalars())


def _read_rules(connection: Connection, period: Period, rule: str | None = None) -> list[_FailingRule]:
    found: dict[tuple[str, Level], _FailingRule] = {}
    for row in connection.execute(load_statement("web/rule_months"), _asked(period, rule)):
        level = Level(row.level)
        own = found.setdefault((row.rule, level), _FailingRule(row.rule, level))
        own.findings[row.period] = int(row.findings)
        own.institutions[row.period] = row.institutions
    return list(found.values())


def _codes(rules: Sequence[_FailingRule]) -> list[str]:
    return sorted({each.rule for each in rules})


def _words(rule: str) -> tuple[str, ...]:
    return rule_words().get(rule, ("现行规则中已没有这一条。",))


def _short_words(rule: str) -> str:
    """What a rule asks, in a table; where it asks much, the page of the rule says all."""
    words = _words(rule)
    return " ".join(words) if len(words) <= _MOST_WORDS else f"{words[0]}（另有{len(words) - 1}条）"


# Tables


def _rules_table(desk: Desk, rules: Sequence[_FailingRule], window: Sequence[str]) -> Table:
    month = window[0]

    def rule_page(of: _FailingRule) -> str:
        return desk.href(f"quality/rules/{of.rule}", period=month)

    failing = [each for each in rules if month in each.findings]
    order = list(Level)
    failing.sort(key=lambda each: (-each.findings[month], order.index(each.level), each.rule))
    return Table(
        name="rules",
        title=f"{Period.parse(month).words}发现问题最多的规则",
        columns=[
            Column("rule", "规则"),
            Column("words", "内容"),
            Column("level", "级别"),
            Column("findings", "问题", Form.COUNT, "个"),
            Column("institutions", "机构", Form.COUNT, "家"),
            Column("months", f"近{MONTHS}个月出现", Form.COUNT, "个月"),
            Column("since", "连续自"),
        ],
        rows=[
            (
                Cell(value=each.rule, href=rule_page(each), is_head=True),
                *(_short_words(each.rule), level_cell(each.level)),
                *(
                    Cell(value=count, href=f"{rule_page(each)}#receipts")
                    for count in (each.findings[month], each.institutions[month])
                ),
                *(Cell(value=len(each.findings), href=f"{rule_page(each)}#months"), each.since(window)),
            )
            for each in failing
        ],
        empty="本月各版报送和跨表核对都没有发现问题；尚未收到报送的月份也是这样。",
        note="本月各版报送和跨表核对发现的问题都计入，更正后不再出现的也在内。",
    )


def _by_report(rates: Sequence[Row[Any]]) -> list[tuple[str, int, int]]:
    """Title, received and passed at once, of each report that anybody owes."""
    counted: dict[str, tuple[int, int]] = {}
    for row in rates:
        received, passed = counted.get(row.report, (0, 0))
        counted[row.report] = received + row.received, passed + row.first_passed
    return [(report.title, *counted[code]) for code, report in load_reports().items() if code in counted]


def _shares(rates: Sequence[Row[Any]]) -> list[tuple[str, Decimal | None]]:
    return [(title, percent_of(passed, received)) for title, received, passed in _by_report(rates)]


def _report_table(desk: Desk, rates: Sequence[Row[Any]]) -> Table:
    by_institution = f"{desk.here()}#{_BY_INSTITUTION}"
    return Table(
        name="first_pass_reports",
        title=f"近{MONTHS}个月各报表一次通过率",
        columns=[
            Column("report", "报表"),
            Column("received", "已接收", Form.COUNT, "张"),
            Column("first_passed", "一次通过", Form.COUNT, "张"),
            Column("share", "一次通过率", Form.PERCENT, "%"),
        ],
        rows=[
            (
                Cell(value=title, is_head=True),
                *(Cell(value=each, href=by_institution) for each in (received, passed, percent_of(passed, received))),
            )
            for title, received, passed in _by_report(rates)
        ],
        empty=NOTHING_ASSESSED,
        note="首次报送即被接收的为一次通过；占已接收的报表的比例。",
    )


def _institution_table(desk: Desk, rates: Sequence[Row[Any]], period: Period) -> Table:
    owed_reports = {row.report for row in rates}
    reports = [(code, report.title) for code, report in load_reports().items() if code in owed_reports]
    cells: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    names: dict[str, str] = {}
    for row in rates:
        cells[row.institution_code][row.report] = row.first_passed, row.received
        names[row.institution_code] = row.short_name
    whole = {
        code: percent_of(sum(passed for passed, _ in own.values()), sum(received for _, received in own.values()))
        for code, own in cells.items()
    }
    rows = []
    for code in sorted(cells, key=lambda each: (whole[each] or Decimal(0), each)):
        name = Cell(value=names[code], href=desk.href(f"reporting/{code}", period=period), is_head=True)
        # There each month says what became of each report.
        months = f"{name.href}#months"
        shares = [_rate_cell(cells[code].get(report), months) for report, _ in reports]
        rows.append((name, Cell(value=whole[code], href=months), *shares))
    return Table(
        name=_BY_INSTITUTION,
        title=f"近{MONTHS}个月各机构一次通过率",
        columns=[
            Column("institution", "机构"),
            Column("all", "全部", Form.PERCENT, "%"),
            *(Column(code, title, Form.PERCENT, "%") for code, title in reports),
        ],
        rows=rows,
        empty=NOTHING_ASSESSED,
        note="由低到高排列；“—”表示期间没有接收过这张报表。",
    )


def _rate_cell(counted: tuple[int, int] | None, href: str) -> Cell:
    if counted is None:
        return Cell(value="", state="nothing", title="不需报送")
    passed, received = counted
    return Cell(value=percent_of(passed, received), href=href, title=f"已接收{received}张，其中一次通过{passed}张")


def _receipts_table(desk: Desk, receipts: Sequence[Row[Any]], period: Period) -> Table:
    reports = load_reports()
    rows = []
    for row in receipts:
        page = desk.href(f"reporting/{row.institution_code}", period=period, version=row.submission_id)
        rows.append(
            (
                Cell(
                    value=row.short_name,
                    href=desk.href(f"reporting/{row.institution_code}", period=period),
                    is_head=True,
                ),
                Cell(value="跨表核对" if row.version is None else f"第{row.version}版", href=f"{page}#findings"),
                *(reports[row.report].title if row.report in reports else "整个报送包", level_cell(Level(row.level))),
                *(counted(row.findings, f"{page}#findings"), row.told_at),
            )
        )
    return Table(
        name="receipts",
        title=f"{period.words}发现这类问题的机构和版本",
        columns=[
            Column("institution", "机构"),
            Column("version", "版本"),
            Column("report", "报表"),
            Column("level", "级别"),
            Column("findings", "问题", Form.COUNT, "个"),
            Column("told_at", "告知时间"),
        ],
        rows=rows,
        empty="本月没有发现这类问题；可以换一个月份看看。",
    )


def _months_table(desk: Desk, found: Sequence[_FailingRule], window: Sequence[str]) -> Table:
    rows = [
        (
            Cell(value=month, href=desk.here(period=month), is_head=True),
            level_cell(each.level),
            *(
                Cell(value=count, href=f"{desk.here(period=month)}#receipts")
                for count in (each.findings[month], each.institutions[month])
            ),
        )
        for month in window
        for each in found
        if month in each.findings
    ]
    return Table(
        name="months",
        title=f"近{MONTHS}个月",
        columns=[
            Column("period", "月份"),
            Column("level", "级别"),
            Column("findings", "问题", Form.COUNT, "个"),
            Column("institutions", "机构", Form.COUNT, "家"),
        ],
        rows=rows,
        empty=f"近{MONTHS}个月都没有发现这类问题。",
    )
