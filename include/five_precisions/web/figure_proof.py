"""The page that proves a figure: formula, parts, runs, and the delivered rows behind it (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row, text

from five_precisions.display import Form, form_of, rounded, shown
from five_precisions.errors import UsageError
from five_precisions.figures import FigureExplanation, explain
from five_precisions.figures.explain import EvidenceRow, Proof, TooSlowError
from five_precisions.period import Period
from five_precisions.reference import Metric, Scope, load_catalogue
from five_precisions.reports import load_reports
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.desk import AtDesk, Desk
from five_precisions.web.figure_words import (
    LEFT_OUT,
    LEFT_OUT_WORDS,
    SCOPE_WORDS,
    Shown,
    counts_households,
    find_metric,
    find_scope,
    find_subject,
    not_assessed,
    part_form,
    read_runs,
    read_subjects,
    shown_figure,
    value_cell,
)
from five_precisions.web.limits import PROOFS, BusyError
from five_precisions.web.page import SECURITY_HEADERS, SHEET, Choice, NotThereError
from five_precisions.web.report_states import REPORT_STATE_WORDS
from five_precisions.web.tables import Cell, Column, Table, Value, table_as_csv, table_as_workbook

ROWS: Final = 50
"""Of the evidence on one page."""
MOST_SAVED: Final = {"csv": 30_000, "xlsx": 10_000}
"""Rows of the evidence that are saved from a page, by the file's ending; the command line writes any number."""
MOST_SECONDS: Final = 20
"""What a statement that looks for the rows may take: somebody waits for the page."""
_LONGEST_PAGE_NUMBER: Final = 6
_PART_WORDS: Final = {"numerator": "分子", "denominator": "分母", "both": "分子、分母"}
_NOT_DELIVERED: Final = {"register": "机构登记", "target": "年度目标"}
_TOO_SLOW: Final = (
    f"这个指标背后的行太多，{MOST_SECONDS}秒内没有查完；请稍后再试，或用命令行 five-precisions explain 查看。"
)
_GONE: Final = "现在的机构登记里没有这个对象，查不出它背后的行。"
_NO_EVIDENCE: Final = "指标目录没有为这个指标登记查证语句（evidence），查不出它背后的行。"
_FOR_OPS: Final = "这个数值涉及乡镇中1至4户，背后的行只给业务人员查看。"
_INSTITUTIONS = text("select code, short_name from mart.run_institution where run_id = :run_id")

router = APIRouter(prefix="/figures/proof", dependencies=[sees_runs(ASSESSMENT)])


@dataclass(frozen=True, slots=True)
class _Asked:
    """The figure that an address asks for."""

    metric_code: str
    metric: Metric
    scope: Scope
    subject: Row[Any]
    period: Period
    periods: Sequence[str]
    run: Row[Any]
    """The run that it is of, with the figure's value and parts."""
    revisions: Sequence[Row[Any]]
    institutions: Mapping[str, str]
    """Short names of those that the run knew, by code."""

    @property
    def shown(self) -> Shown:
        """The figure as it may be shown."""
        return shown_figure(self.metric, self.scope, self.run.value, self.run.numerator, self.run.denominator)


class _OtherMonthError(Exception):
    """The run is of another month: the picker of months was used."""


@router.get("")
def show_proof(
    desk: AtDesk, metric: str = "", scope: str = "", code: str = "", run: str = "", page: str = ""
) -> Response:
    """A figure with its formula and parts, the runs of its month, and the rows behind it."""
    number = _page_number(desk, page)
    try:
        asked = _find(desk, metric, scope, code, run)
    except _OtherMonthError:
        return RedirectResponse(desk.here(run=None, page=None), headers=dict(SECURITY_HEADERS))
    sees_rows = desk.may_act or asked.shown.is_whole
    explained, problem = _explained(desk, asked, first=ROWS if sees_rows else 0, offset=(number - 1) * ROWS)
    proof = None if explained is None else explained.proof
    rows = proof.first if proof is not None else ()
    tables = [_revisions_table(desk, asked)]
    if proof is not None and sees_rows:
        tables += [_rows_table(desk, asked, rows, _range_words(number, rows, proof)), _files_table(desk, asked, rows)]
    return desk.answer(
        "figure_proof.html",
        page="figures",
        title=f"{asked.metric.name}：{asked.subject.name}{asked.period.words}的来源",
        tables=tables,
        period=asked.period,
        periods=asked.periods,
        asked=asked,
        value=_value_words(asked),
        parts=_parts_words(asked),
        problem=problem or ("" if sees_rows else _FOR_OPS),
        note=LEFT_OUT_WORDS if counts_households(asked.metric, asked.scope) else "",
        verdict=None if explained is None else _verdict(explained),
        own_files="" if explained is None else "、".join(explained.own_files),
        comes_to="" if proof is None else _come_to(asked, proof),
        counted="" if proof is None or not sees_rows else _counted(proof),
        metric_href=desk.href(
            f"figures/{asked.metric_code}", scope=asked.scope, code=asked.subject.code, period=asked.period
        ),
        saved={
            ending: desk.href(f"figures/proof/evidence.{ending}", **_names(asked))
            for ending, most in MOST_SAVED.items()
            if proof is not None and 0 < proof.rows <= most
        },
        row_count=0 if proof is None else proof.rows,
        page_number=number,
        before=desk.here(page=number - 1) if number > 1 else None,
        after=desk.here(page=number + 1) if proof is not None and number * ROWS < proof.rows else None,
        first_page=desk.here(page=None),
    )


@router.get("/evidence.{ending}")
def save_evidence(
    desk: AtDesk, ending: str, metric: str = "", scope: str = "", code: str = "", run: str = ""
) -> Response:
    """All rows behind a figure as a file; who takes it is kept."""
    try:
        asked = _find(desk, metric, scope, code, run)
    except _OtherMonthError:
        raise NotThereError("这次运行不属于这个月份。", [Choice("当前运行", desk.here(run=None))]) from None
    back = [Choice("返回", desk.href("figures/proof", **_names(asked)))]
    if ending not in MOST_SAVED:
        raise NotThereError("没有这种文件，只有 CSV 和 XLSX。", back)
    if not (desk.may_act or asked.shown.is_whole):
        raise NotThereError(_FOR_OPS, back)
    explained, problem = _explained(desk, asked, first=MOST_SAVED[ending] + 1, offset=0)
    if explained is None or explained.proof is None:
        raise NotThereError(problem, back)
    rows = explained.proof.first
    if len(rows) > MOST_SAVED[ending]:
        counted = f"共{explained.proof.rows:,}行，超过{MOST_SAVED[ending]:,}行"
        words = f"{counted}；请用命令行 five-precisions explain 的 --csv 存。"
        raise NotThereError(words, back)
    table = _rows_table(desk, asked, rows, "全部行")
    name = f"{asked.metric.name}-{asked.subject.name}-{asked.run.run_id}-来源.{ending}"
    if ending == "csv":
        return desk.download(table_as_csv(table), name, "text/csv; charset=utf-8", str(asked.period))
    heading = f"{asked.metric.name}，{asked.subject.name}，{asked.period.words}，运行{asked.run.run_id}"
    return desk.download(table_as_workbook(table, heading), name, SHEET, str(asked.period))


def _page_number(desk: Desk, asked: str) -> int:
    if not asked:
        return 1
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= _LONGEST_PAGE_NUMBER and int(asked) > 0):
        raise NotThereError("网址中的页码不对。", [Choice("第1页", desk.here(page=None))])
    return int(asked)


def _find(desk: Desk, metric_code: str, scope: str, code: str, run_id: str) -> _Asked:
    """The figure that the address names.

    Raises:
        NotThereError: a part of the address names what there is not.
        _OtherMonthError: the run is of another month than the address asks for.
    """
    catalogue = load_catalogue(desk.settings)
    metric = find_metric(desk, catalogue, metric_code)
    of = find_scope(desk, metric, scope)
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            raise not_assessed(desk)
        runs = read_runs(connection, period)
        there = read_subjects(connection, runs, metric_code, of)
        subject = find_subject(desk, of, there, code)
        if subject is None:
            choices = [Choice(each.name, desk.here(code=each.code)) for each in there]
            raise NotThereError(f"要看哪一个{SCOPE_WORDS[of]}的来源？", choices)
        names = {"period": str(period), "metric": metric_code, "scope": of, "code": subject.code}
        revisions = connection.execute(load_statement("web/figure_revisions"), names).all()
        known = connection.execute(_INSTITUTIONS, {"run_id": runs.run_id})
        institutions: dict[str, str] = {row.code: row.short_name for row in known}
    wanted = run_id or runs.run_id
    found = next((each for each in revisions if each.run_id == wanted), None)
    if found is None:
        if any(wanted.startswith(f"{each}-") for each in periods if each != str(period)):
            raise _OtherMonthError
        choices = [Choice(each.run_id, desk.here(run=each.run_id, page=None)) for each in revisions]
        raise NotThereError("本月没有这次运行。", choices)
    return _Asked(metric_code, metric, of, subject, period, periods, found, revisions, institutions)


def _names(asked: _Asked) -> dict[str, object]:
    """What names the figure in an address; the run only where it is not the current one."""
    return {
        "metric": asked.metric_code,
        "scope": asked.scope,
        "code": asked.subject.code,
        "period": asked.period,
        "run": None if asked.run.is_current else asked.run.run_id,
    }


def _explained(desk: Desk, asked: _Asked, *, first: int, offset: int) -> tuple[FigureExplanation | None, str]:
    """The figure with its rows; or why there are none, in Chinese."""
    try:
        with PROOFS.turn():
            explained = explain(
                desk.engine,
                desk.settings,
                asked.metric_code,
                scope=asked.scope,
                code=asked.subject.code,
                period=asked.period,
                run_id=asked.run.run_id,
                first=first,
                offset=offset,
                most_seconds=MOST_SECONDS,
            )
    except BusyError as error:
        return None, str(error)
    except TooSlowError:
        return None, _TOO_SLOW
    except UsageError:
        # All else that it refuses was looked at before: the register has changed since the run.
        return None, _GONE
    return explained, "" if explained.proof is not None else _NO_EVIDENCE


# What is said


def _value_words(asked: _Asked) -> str:
    said, unit = asked.shown, asked.metric.unit
    if said.value is None:
        return "没有数值：所需的报表缺报，或者分母为零"
    if isinstance(said.value, str):
        return said.value if said.value == LEFT_OUT else f"{said.value} {unit}"
    form = form_of(unit)
    words = f"{shown(asked.run.value, form)} {unit}"
    return (
        words if rounded(asked.run.value, form) == asked.run.value else f"{words}（未取舍：{_exact(asked.run.value)}）"
    )


def _exact(value: Decimal) -> str:
    words = f"{value:,f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def _parts_words(asked: _Asked) -> list[tuple[str, str]]:
    said = asked.shown
    if said.numerator is None and said.denominator is None:
        return []
    return [
        (words, each if isinstance(each, str) else shown(each, part_form([each])))  # type: ignore[arg-type]
        for words, each in (("分子", said.numerator), ("分母", said.denominator))
    ]


def _verdict(explained: FigureExplanation) -> tuple[str, str] | None:
    """Whether the rows prove the figure: a word for the style sheet, and the sentence."""
    if explained.proof is None:
        return None
    if explained.is_proved is None:
        return "notice", "没有数值，所以没有要证明的。"
    if explained.is_proved:
        return "done", "逐行重新计算，与这个数值完全一致。"
    return "error", "逐行重新计算，与这个数值不一致：登记的数据在运行之后被改动过，请查明原因。"


def _come_to(asked: _Asked, proof: Proof) -> str:
    if proof.denominator is None:
        again = shown_figure(asked.metric, asked.scope, proof.numerator)
        return _plain(again.value)
    again = shown_figure(asked.metric, asked.scope, None, proof.numerator, proof.denominator)
    return f"分子{_plain(again.numerator)}，分母{_plain(again.denominator)}"


def _plain(value: Value) -> str:
    return _exact(value) if isinstance(value, Decimal) else str(value)


def _counted(proof: Proof) -> str:
    if proof.denominator is None:
        return f"{proof.rows:,}行"
    return f"{proof.rows:,}行，其中分子{proof.rows_of_numerator:,}行，分母{proof.rows_of_denominator:,}行"


def _range_words(number: int, rows: Sequence[EvidenceRow], proof: Proof) -> str:
    if not rows:
        return "背后的行"
    begin = (number - 1) * ROWS + 1
    return f"背后的行：第{begin:,}至{begin + len(rows) - 1:,}行，共{proof.rows:,}行"


# Tables


def _revisions_table(desk: Desk, asked: _Asked) -> Table:
    return Table(
        name="revisions",
        title=f"{asked.period.words}的各次运行",
        columns=[
            Column("run", "运行"),
            Column("is_current", "状态"),
            Column("value", "数值", form_of(asked.metric.unit), asked.metric.unit),
            Column("reason", "重述理由"),
            Column("closed_at", "数据截止"),
            Column("digest", "依据摘要"),
        ],
        rows=[
            [
                Cell(
                    value=row.run_id,
                    href=desk.here(run=None if row.is_current else row.run_id, page=None),
                    is_head=True,
                    state="chosen" if row.run_id == asked.run.run_id else None,
                ),
                Cell(value="当前" if row.is_current else "已被重述替换"),
                value_cell(
                    asked.metric,
                    shown_figure(asked.metric, asked.scope, row.value, row.numerator, row.denominator).value,
                    desk.here(run=None if row.is_current else row.run_id, page=None),
                ),
                Cell(value=row.reason, href=desk.href("figures/restated", run=row.run_id) if row.reason else None),
                *(row.closed_at, row.input_digest),
            ]
            for row in asked.revisions
        ],
        empty="本月没有运行。",
    )


def _rows_table(desk: Desk, asked: _Asked, rows: Sequence[EvidenceRow], title: str) -> Table:
    headers = list(dict.fromkeys(header for row in rows for header in row.content))
    numeric = {
        header
        for header in headers
        if all(isinstance(row.content.get(header), int | float | Decimal | None) for row in rows)
    }
    is_added = any(row.numerator is not None or row.denominator is not None for row in rows)
    return Table(
        name="rows",
        title=title,
        columns=[
            Column("part", "用于"),
            Column("counted", "计数对象"),
            *([Column("numerator", "计入分子", Form.EXACT), Column("denominator", "计入分母", Form.EXACT)] * is_added),
            Column("report", "报表"),
            Column("institution", "机构"),
            Column("delivered_for", "报送月份"),
            Column("version", "版本", Form.RANK),
            Column("file", "文件"),
            Column("sheet", "工作表"),
            Column("row", "行号", Form.RANK),
            *(
                Column(f"said_{number}", header, Form.EXACT if header in numeric else Form.TEXT)
                for number, header in enumerate(headers)
            ),
            Column("sha256", "文件SHA-256"),
        ],
        rows=[
            [
                *(_PART_WORDS[row.part], _counted_once(row)),
                *([_number(row.numerator), _number(row.denominator)] * is_added),
                _report_words(row.report),
                *_delivery_cells(desk, asked, row),
                *(row.file, row.sheet, row.row),
                *(_said(header, row.content.get(header)) for header in headers),
                row.sha256,
            ]
            for row in rows
        ],
        empty="没有更多的行。" if asked.run.value is not None else "没有行：本月没有报送。",
        note="敏感栏目已脱敏；计数对象相同的几行只计一次。",
    )


def _files_table(desk: Desk, asked: _Asked, rows: Sequence[EvidenceRow]) -> Table:
    files: dict[tuple[str | None, str | None, int | None, str, str | None], tuple[EvidenceRow, int]] = {}
    for row in rows:
        if row.file is not None:
            place = (row.institution_code, row.delivered_for, row.version, row.file, row.sha256)
            files[place] = (row, files[place][1] + 1 if place in files else 1)
    return Table(
        name="files",
        title="这些行所在的文件",
        columns=[
            Column("institution", "机构"),
            Column("delivered_for", "报送月份"),
            Column("version", "版本", Form.RANK),
            Column("file", "文件"),
            Column("rows", "本页行数", Form.COUNT),
            Column("sha256", "SHA-256"),
        ],
        rows=[[*_delivery_cells(desk, asked, row), row.file, count, row.sha256] for row, count in files.values()],
        empty="这些行不在报送文件里。",
    )


def _delivery_cells(desk: Desk, asked: _Asked, row: EvidenceRow) -> list[Value | Cell]:
    """Who delivered the row, for which month, in which version: a click shows that delivery."""
    if row.institution_code is None:
        return [None, None, None]
    href = f"{desk.href(f'reporting/{row.institution_code}', period=row.delivered_for)}#versions"
    return [
        Cell(value=f"{row.institution_code} {asked.institutions.get(row.institution_code, '')}".strip(), href=href),
        row.delivered_for,
        row.version,
    ]


def _report_words(code: str) -> str:
    reports = load_reports()
    return reports[code].title if code in reports else _NOT_DELIVERED.get(code, code)


def _counted_once(row: EvidenceRow) -> str | None:
    """What is counted once; of a report that is owed, the report by its name."""
    if row.counted is None:
        return None
    return "/".join(load_reports()[each].title if each in load_reports() else each for each in row.counted.split("/"))


def _said(header: str, value: object) -> Value | Cell:
    """What a row says under a header; the states and reports that our own statements name are put into words."""
    if header == "报表" and isinstance(value, str):
        return _report_words(value)
    if header == "状态" and isinstance(value, str):
        return REPORT_STATE_WORDS.get(value, value)
    if value is None or isinstance(value, str | date):
        return value
    return _number(value)


def _number(value: object) -> Cell | None:
    """A number as it is on record; whole ones without separators, for a year is one too."""
    if value is None:
        return None
    number = value if isinstance(value, int | Decimal) else Decimal(str(value))
    return Cell(value=number, form=Form.RANK if isinstance(number, int) else Form.EXACT)
