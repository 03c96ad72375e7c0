"""The page of the trial: what the ranking of a month would be by another scheme (docs/figures.md#trial).

A trial changes nothing and keeps nothing, so it is asked by GET: its address can be sent to a colleague, its tables can
be saved, and the picker of months keeps what was entered. It takes a while, so only ops may ask, and one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from threading import Lock
from typing import Final

from fastapi import APIRouter, Response

from five_precisions.display import Form, shown
from five_precisions.errors import RefusedError
from five_precisions.figures import (
    Scheme,
    SchemeField,
    Trial,
    TriedBank,
    TriedIndicator,
    TriedSchemeError,
    change_scheme,
    list_scheme_fields,
    load_scheme,
    try_scheme,
)
from five_precisions.period import Period
from five_precisions.web.access import ASSESSMENT, is_of_ops, sees_runs
from five_precisions.web.actions import FilledForm
from five_precisions.web.assessed import NOT_ASSESSED, UNRANKED, bank_href, movement_cell, plain
from five_precisions.web.desk import NOTHING_ASSESSED, AtDesk, Desk
from five_precisions.web.tables import Cell, Column, Table, Value

MOST_SECONDS_WAITING: Final = 5
"""For the trial of somebody else to end."""
_BUSY: Final = "另一个试算正在进行，请稍后再试；填写的内容还在。"
_NOT_ENDED: Final = "试算没有完成：数据库正忙，用时过长。请稍后再试；填写的内容还在。"
_one_at_a_time = Lock()

router = APIRouter(prefix="/ranking", dependencies=[sees_runs(ASSESSMENT), is_of_ops()])


@router.get("/trial")
def show_trial(desk: AtDesk) -> Response:
    """The numbers of the scheme to be changed; where the address holds some, old and new rank side by side."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
    if period is None:
        return desk.answer("scheme_trial.html", page="ranking", title="试算", empty=NOTHING_ASSESSED)
    held = load_scheme(desk.settings, period)
    fields = list_scheme_fields(held)
    entered = {field.path: desk.request.query_params[field.path] for field in fields if _is_entered(desk, field)}
    trial, errors = _try(desk, period, held, entered) if entered else (None, {})
    return desk.answer(
        "scheme_trial.html",
        page="ranking",
        title="试算",
        tables=[] if trial is None else [_banks_table(desk, trial), _indicators_table(trial), _rounds_table(trial)],
        period=period,
        periods=periods,
        errors=errors,
        # A trial is asked by GET, which wants no key.
        form=FilledForm("", {field.path: plain(field.value) for field in fields} | entered, errors),
        groups=[(kind.heading, list(each)) for kind, each in groupby(fields, key=lambda field: field.kind)],
        held=held,
        trial=trial,
        changes=[] if trial is None else _changes(held, trial.tried),
        words=None if trial is None else _outcome(trial),
    )


def _is_entered(desk: Desk, field: SchemeField) -> bool:
    return field.path in desk.request.query_params


def _try(desk: Desk, period: Period, held: Scheme, entered: dict[str, str]) -> tuple[Trial | None, dict[str, str]]:
    """What comes of it, or the sentences beside the fields."""
    try:
        tried = change_scheme(held, entered)
    except TriedSchemeError as error:
        return None, error.sentences
    if not _one_at_a_time.acquire(timeout=MOST_SECONDS_WAITING):
        return None, {"": _BUSY}
    try:
        return try_scheme(desk.engine, desk.settings, period, tried), {}
    except RefusedError:
        return None, {"": _NOT_ENDED}
    finally:
        _one_at_a_time.release()


def _changes(held: Scheme, tried: Scheme) -> list[str]:
    """What was changed: 完成率40→30分."""
    new = {field.path: field.value for field in list_scheme_fields(tried)}
    return [
        f"{field.label}{plain(field.value)}→{plain(new[field.path])}{field.unit}"
        for field in list_scheme_fields(held)
        if new[field.path] != field.value
    ]


def _outcome(trial: Trial) -> str:
    """How much would move."""
    moved = sum(bool(bank.movement) for bank in trial.banks)
    regraded = sum(bank.before.grade != bank.after.grade for bank in trial.banks)
    if not moved and not regraded:
        return "各银行名次、等次都不变。"
    return f"{moved}家银行名次变化，{regraded}家银行等次变化。"


def _banks_table(desk: Desk, trial: Trial) -> Table:
    return Table(
        name="tried",
        title=f"{trial.period.words}试算结果",
        columns=[
            Column("rank_after", "新名次", Form.RANK),
            Column("rank_before", "现名次", Form.RANK),
            Column("movement", "名次变化"),
            Column("bank", "银行"),
            Column("score_after", "新得分", Form.SCORE),
            Column("score_before", "现得分", Form.SCORE),
            Column("score_difference", "得分变化", Form.SCORE),
            Column("deductions_after", "新扣分", Form.SCORE),
            Column("deductions_before", "现扣分", Form.SCORE),
            Column("grade_after", "新等次"),
            Column("grade_before", "现等次"),
        ],
        rows=[_bank_row(desk, trial, bank) for bank in trial.banks],
        empty="本月没有考核的银行。",
    )


def _bank_row(desk: Desk, trial: Trial, bank: TriedBank) -> Sequence[Value | Cell]:
    before, after = bank.before, bank.after
    name = Cell(value=bank.short_name, href=bank_href(desk, bank.code, trial.period), is_head=True, title=bank.reason)
    return (
        UNRANKED if after.rank is None else after.rank,
        UNRANKED if before.rank is None else before.rank,
        movement_cell(after.rank, before.rank),
        name,
        *(after.score, before.score, _difference(after.score, before.score), after.deductions, before.deductions),
        Cell(value=after.grade, state="warn" if after.grade != before.grade else None),
        before.grade,
    )


def _difference(after: Decimal | None, before: Decimal | None) -> Decimal | None:
    return None if after is None or before is None else after - before


def _indicators_table(trial: Trial) -> Table:
    return Table(
        name="tried_indicators",
        title="各银行指标得分",
        columns=[
            Column("rank_after", "新名次", Form.RANK),
            Column("bank", "银行"),
            Column("indicator", "指标"),
            Column("raw", "指标值", Form.PERCENT, "%"),
            Column("weight_after", "新权重", Form.SCORE, "分"),
            Column("weight_before", "现权重", Form.SCORE, "分"),
            Column("won_after", "新得分", Form.SCORE),
            Column("won_before", "现得分", Form.SCORE),
            Column("difference", "得分变化", Form.SCORE),
        ],
        rows=[
            (bank.after.rank, Cell(value=bank.short_name, is_head=True), *_indicator_cells(each))
            for bank in trial.banks
            for each in bank.indicators
        ],
        empty="本月没有参加排名的银行。",
    )


def _indicator_cells(tried: TriedIndicator) -> Sequence[Value]:
    before, after = tried.before, tried.after
    won = [
        None if each.points is None or each.weight is None else each.weight * each.points for each in (after, before)
    ]
    return (
        *(tried.name, after.raw, after.weight, before.weight),
        *(NOT_ASSESSED if each is None else each for each in won),
        _difference(*won),
    )


def _rounds_table(trial: Trial) -> Table:
    return Table(
        name="tried_rounds",
        title="走访轮次",
        columns=[
            Column("round", "轮次", Form.RANK),
            Column("visited", "已走访", Form.COUNT, "户"),
            Column("households", "有劳动能力", Form.COUNT, "户"),
            Column("after", "按试算方案"),
            Column("before", "按现行方案"),
        ],
        rows=[
            (
                Cell(value=each.round, is_head=True),
                *(each.visited, each.households_able, _reached(each.reached_after), _reached(each.reached_before)),
            )
            for each in trial.visit_rounds
        ],
        empty="还没有走访过。",
        note=f"覆盖率达到{shown(trial.tried.visit_round_reached, Form.PERCENT)}%为完成一轮；"
        "完成之后的月份才计下一轮，本月名次不受影响。",
    )


def _reached(is_reached: bool) -> str:
    return "已完成" if is_reached else "未完成"
