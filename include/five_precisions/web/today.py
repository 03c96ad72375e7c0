"""The page of today: what waits for a human, most urgent first, each one click from where it is mended.

See docs/desk.md#pages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from fastapi import APIRouter, Response

from five_precisions.bulletin import WaitingDraft, find_waiting
from five_precisions.period import SHANGHAI
from five_precisions.receipts.receipt_wording import deadline_words
from five_precisions.templates import moment_words
from five_precisions.warehouse import read_clock
from five_precisions.web import todo_airflow, todo_housekeeping, todo_inbox, todo_warehouse
from five_precisions.web.access import COLLECTION, sees_runs
from five_precisions.web.desk import AtDesk, Desk
from five_precisions.web.tables import Cell, Column, Table
from five_precisions.web.todo import APPROVALS, Group, WaitingItem, airflow_href, group_of

logger = logging.getLogger(__name__)

_NEXT_RUNS = 3
"""Runs that are named as what comes next."""

Read = TypeVar("Read")

router = APIRouter(prefix="/today", dependencies=[sees_runs(COLLECTION)])


@dataclass(slots=True)
class _Sources:
    """Reads one source after the other; one that fails leaves a sentence, and the others are read."""

    unread: list[str] = field(default_factory=list)

    def read(self, words: str, read: Callable[[], Read]) -> Read | None:
        """What a source gives; None where it cannot be read, and then `words` says so."""
        try:
            return read()
        except todo_inbox.InboxUnreadError as error:
            self.unread.append(str(error))
        except Exception as error:  # noqa: BLE001 - whatever breaks one source, ops see the others
            logger.error("%s: %s: %s", words, type(error).__name__, error)  # noqa: TRY400
            self.unread.append(words)
        return None

    def take(self) -> list[str]:
        """The sentences since the last call."""
        taken, self.unread = self.unread, []
        return taken


@router.get("")
def show_today(desk: AtDesk) -> Response:
    """Everything that waits for a human, and what comes next."""
    # Without the warehouse there is no page at all.
    with desk.connect() as connection:
        now = read_clock(connection)
    sources = _Sources()
    airflow = sources.read("Airflow 的数据暂时读不到。", lambda: todo_airflow.read_airflow(now))
    airflow_unread = sources.take()
    groups = [each for each in _groups(desk, now, sources, airflow, airflow_unread) if each.items or each.unread]
    # What is equally urgent keeps the order of the kinds.
    groups.sort(key=lambda group: group.urgency)
    coming = _coming(desk, now, sources, airflow)
    count = sum(len(each.items) for each in groups)
    return desk.answer(
        "today.html",
        page="today",
        title=f"今日：{count}件事等您处理" if count else "今日",
        tables=[_table(groups), coming],
        groups=groups,
        shown_at=now,
    )


def _groups(
    desk: Desk,
    now: datetime,
    sources: _Sources,
    airflow: todo_airflow.AirflowState | None,
    airflow_unread: Sequence[str],
) -> list[Group]:
    drafts = (
        sources.read("等待审批的稿件暂时读不到。", lambda: find_waiting(desk.engine, desk.settings, now.date())) or []
    )
    approvals = [] if airflow is None else todo_airflow.approval_items(desk, airflow, _by_quarter(drafts))
    approvals += todo_warehouse.draft_items(desk, drafts, airflow)
    groups = [
        group_of(
            "approvals",
            "审批",
            APPROVALS,
            approvals,
            [*airflow_unread, *sources.take()],
        )
    ]

    def add(name: str, title: str, href: str, *reads: tuple[str, Callable[[], list[WaitingItem]]]) -> None:
        items = [item for words, read in reads for item in sources.read(words, read) or []]
        groups.append(group_of(name, title, href, items, sources.take()))

    system = [] if airflow is None else todo_airflow.system_items(airflow)
    groups.append(group_of("system", "任务调度", airflow_href(), system))
    inbox = sources.read("收件箱暂时读不到。", lambda: todo_inbox.newest_findings(desk.engine, desk.settings))
    inbox_unread = sources.take()
    add(
        "packages",
        "报送包",
        desk.href("reporting"),
        (
            "没有核对的报送包暂时读不到。",
            lambda: todo_inbox.failed_items(desk, todo_warehouse.read_failed_packages(desk), inbox),
        ),
        ("被退回的报送包暂时读不到。", lambda: todo_warehouse.rejected_items(desk, now)),
        ("没有报送说明的文件暂时读不到。", lambda: [] if inbox is None else todo_inbox.lying_items(desk, inbox, now)),
    )
    add(
        "missing",
        "没有报齐",
        desk.href("reporting", only="missing"),
        ("报送情况暂时读不到。", lambda: todo_warehouse.missing_items(desk, now)),
    )
    add(
        "restatements",
        "数据重述",
        desk.href("bulletins"),
        ("迟报的数据暂时读不到。", lambda: todo_warehouse.restatement_items(desk, airflow)),
    )
    add("cases", "督查", desk.href("cases"), ("督查台账暂时读不到。", lambda: todo_warehouse.case_items(desk, now)))
    add(
        "messages",
        "邮件和消息",
        desk.href("bulletins/messages"),
        ("发件箱暂时读不到。", lambda: todo_warehouse.message_items(desk)),
    )
    failed = [] if airflow is None else todo_airflow.failed_items(airflow)
    groups.append(group_of("runs", "失败的任务", airflow_href("dags"), failed))
    folders = [] if inbox is None else todo_inbox.folder_items(desk, inbox)
    groups.append(group_of("inbox", "收件箱", desk.href("reporting"), folders, inbox_unread))
    add(
        "register",
        "机构和期限",
        desk.href("institutions"),
        ("机构和期限暂时读不到。", lambda: todo_warehouse.register_items(desk)),
    )
    add(
        "upkeep",
        "磁盘和备份",
        todo_housekeeping.DAG,
        ("磁盘暂时读不到。", lambda: todo_warehouse.disk_items(desk)),
        ("备份情况暂时读不到。", lambda: todo_housekeeping.housekeeping_items(desk)),
    )
    return groups


def _by_quarter(drafts: Sequence[WaitingDraft]) -> dict[str, WaitingDraft]:
    return {each.quarter: each for each in drafts}


def _coming(desk: Desk, now: datetime, sources: _Sources, airflow: todo_airflow.AirflowState | None) -> Table:
    """What comes next by itself: the next deadline, and the next runs by the clock."""
    rows: list[tuple[datetime, Cell, str]] = []
    deadline = sources.read("下一个期限暂时读不到。", lambda: todo_warehouse.next_deadline(desk, now))
    if deadline is not None:
        deadline_at, period = deadline
        words = f"{period.words}报送截止（{deadline_words(deadline_at)}）"
        rows.append((deadline_at, Cell(value=words, href=desk.href("reporting", period=period)), "报送期限"))
    if airflow is not None:
        for at, dag in todo_airflow.next_runs(airflow, now)[:_NEXT_RUNS]:
            rows.append((at, Cell(value=dag.title, href=airflow_href("dags", dag.dag_id)), "定时任务"))
    rows.sort(key=lambda row: row[0])
    empty = "没有排定的任务和期限。"
    if desk.settings.replay:
        empty = "重放不按时钟运行：没有排定的任务和期限。"
    return Table(
        name="coming",
        title="接下来",
        columns=[Column("at", "时间"), Column("what", "事项"), Column("kind", "类别")],
        rows=[(moment_words(at), what, kind) for at, what, kind in rows],
        empty="".join([empty, *sources.take()]),
    )


def _table(groups: Sequence[Group]) -> Table:
    """All of it as a file."""
    return Table(
        name="todo",
        title="待办事项",
        columns=[
            Column("urgency", "紧急程度"),
            Column("kind", "类别"),
            Column("what", "事项"),
            Column("since", "自"),
            Column("about", "涉及"),
        ],
        rows=[
            (
                item.urgency.words,
                group.title,
                item.words,
                None if item.since is None else item.since.astimezone(SHANGHAI),
                "、".join(link.words for link in item.links),
            )
            for group in groups
            for item in group.items
        ],
        empty="没有需要您处理的事。",
    )
