"""What of housekeeping waits for a human: backups that are old, nights that went wrong, disks that fill.

See docs/operations.md#housekeeping.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from five_precisions.housekeeping import LONGEST_PAUSE, Disk, Task, TaskOutcome, TaskState, read_housekeeping
from five_precisions.templates import moment_words
from five_precisions.warehouse import read_clock
from five_precisions.web.desk import Desk
from five_precisions.web.todo import Urgency, WaitingItem, airflow_href

DAG: Final = airflow_href("dags", "housekeeping")
_GIGABYTE: Final = 2**30
_SOON_FULL: Final = 7
"""Days."""
_NAMES: Final = {
    Task.RETENTION: "日志和旧文件清理",
    Task.AIRFLOW_CLEAN: "Airflow 数据库清理",
    Task.PARTITIONS: "预建分区",
    Task.BACKUP: "备份",
    Task.RESTORE_TEST: "备份的恢复试验",
    Task.DISK: "磁盘检查",
}


def housekeeping_items(desk: Desk) -> list[WaitingItem]:
    """Backups and restores that are old, tasks that failed last, disks that are forecast to be full."""
    with desk.connect() as connection:
        now = read_clock(connection)
        states = read_housekeeping(connection)
    items = [item for task in (Task.BACKUP, Task.RESTORE_TEST) for item in _age(desk, task, states.get(task), now)]
    items += [
        WaitingItem(
            words=f"“{_NAMES[task]}”上次没有成功，原因在该任务的日志里。",
            href=DAG,
            urgency=Urgency.SOON,
            since=state.done_at,
        )
        for task, state in states.items()
        if state.outcome is TaskOutcome.FAILED
    ]
    items += [
        WaitingItem(
            words=f"“{_NAMES[task]}”已{(now - state.done_at).days}天没有运行，请看“每日维护”是否停用。",
            href=DAG,
            urgency=Urgency.SOON,
            since=state.done_at,
        )
        for task, state in states.items()
        # Airflow's database is cleaned only where a setting names it.
        if not (task is Task.AIRFLOW_CLEAN and desk.settings.airflow_database is None)
        and task not in (Task.BACKUP, Task.RESTORE_TEST)
        and now - state.done_at > LONGEST_PAUSE
    ]
    lost = states[Task.BACKUP].detail.get("lost", 0) if Task.BACKUP in states else 0
    if lost:
        words = f"存档里缺少{lost}个有记录的文件，请用 five-precisions verify 查明。"
        items.append(WaitingItem(words=words, href=DAG, urgency=Urgency.NOW, since=states[Task.BACKUP].done_at))
    if Task.DISK in states:
        items += _filling(desk, states[Task.DISK])
    return items


def _age(desk: Desk, task: Task, state: TaskState | None, now: datetime) -> list[WaitingItem]:
    succeeded_at = None if state is None else state.succeeded_at
    if succeeded_at is None:
        # A replay has no nights; what it holds can be replayed again.
        if desk.settings.replay:
            return []
        words = f"还没有成功做过{_NAMES[task]}；“每日维护”任务每天凌晨两点做，也可以现在触发。"
        return [WaitingItem(words=words, href=DAG, urgency=Urgency.SOON)]
    if now - succeeded_at <= LONGEST_PAUSE:
        return []
    words = f"上一次成功的{_NAMES[task]}是{moment_words(succeeded_at)}的，已过{(now - succeeded_at).days}天。"
    return [WaitingItem(words=words, href=DAG, urgency=Urgency.NOW, since=succeeded_at)]


def _filling(desk: Desk, state: TaskState) -> list[WaitingItem]:
    items = []
    for disk in (Disk(**each) for each in state.detail.get("disks", [])):
        if disk.wants_room and disk.days_left is None and disk.folder != str(desk.settings.var.resolve()):
            # How full the disk of `var` is, is looked at now.
            share = 100 * disk.free / disk.size
            words = f"另一块存放数据的磁盘只剩{disk.free / _GIGABYTE:.1f} GB（{share:.0f}%），请清理或扩容。"
            items.append(WaitingItem(words=words, href=DAG, urgency=Urgency.SOON, since=state.done_at))
        elif disk.wants_room and disk.days_left is not None:
            urgency = Urgency.NOW if disk.days_left < _SOON_FULL else Urgency.SOON
            words = f"照目前的速度，磁盘约{disk.days_left}天后写满，请清理或扩容。"
            items.append(WaitingItem(words=words, href=DAG, urgency=urgency, since=state.done_at))
    return items
