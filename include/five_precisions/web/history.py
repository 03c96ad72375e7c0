"""The page of who did what (docs/desk.md#pages)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from five_precisions.register.decision import storable
from five_precisions.web.access import COLLECTION, sees_runs
from five_precisions.web.actions import ActionKind, read_action_periods, read_actions
from five_precisions.web.desk import MONTHS, AtDesk
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.tables import Cell, Column, Table

_MOST_ACTIONS: Final = 200
"""Actions on one page."""
_NOTHING_YET: Final = "还没有人从页面上做过操作；催报、调整期限、搁置督查事项、重发、下载等都会记在这里。"
_COLUMNS: Final = (
    Column("acted_at", "时间"),
    Column("acted_by", "操作人"),
    Column("kind", "操作"),
    Column("subject", "对象"),
    Column("period", "月份或季度"),
    Column("reason", "理由"),
    Column("outcome", "结果"),
)

router = APIRouter(prefix="/actions", dependencies=[sees_runs(COLLECTION)])


@router.get("")
def show_actions(desk: AtDesk, kind: str = "", person: str = "", period: str = "", before: str = "") -> Response:
    """Actions on record, the newest first."""
    if kind and kind not in list(ActionKind):
        choices = [Choice(each.words, desk.here(kind=each)) for each in ActionKind]
        raise NotThereError("没有这种操作。", choices)
    number = int(before) if before.isdecimal() and len(before) < 19 else None
    with desk.connect() as connection:
        periods = read_action_periods(connection)
        if period and period not in periods:
            there = [Choice(each, desk.here(period=each, before=None)) for each in periods[:MONTHS]]
            every = Choice("全部月份和季度", desk.here(period=None, before=None))
            raise NotThereError("没有关于这个月份或季度的操作；可以选择：", [every, *there])
        actions = read_actions(
            connection,
            kind=kind or None,
            person=storable(person) or None,
            period=period or None,
            before=number,
            first=_MOST_ACTIONS,
        )
    table = Table(
        name="actions",
        title="操作记录",
        columns=_COLUMNS,
        rows=[
            (
                each.acted_at,
                Cell(value=each.acted_by, href=desk.here(person=each.acted_by, before=None), title="只看此人的操作"),
                *(each.kind.words, each.subject, each.period, each.reason, each.outcome),
            )
            for each in actions
        ],
        empty="没有符合条件的操作。" if kind or person or period or before else _NOTHING_YET,
    )
    older = desk.here(before=actions[-1].action_number) if len(actions) == _MOST_ACTIONS else None
    return desk.answer(
        "history.html",
        page="actions",
        title="操作记录",
        tables=[table],
        kinds={str(each): each.words for each in ActionKind},
        kind=kind,
        persons={person: person} if person else {},
        person=person,
        action_periods={each: each for each in periods},
        action_period=period,
        older=older,
    )
