"""What Airflow knows that wants a human: approvals, runs and tasks that failed, DAGs that do not run, its own state.

It is read from Airflow's metadata, as its API server does. Only DAGs with our tag count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.api.common.airflow_health import HEALTHY, get_airflow_health
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.errors import ParseImportError
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import func, select

from five_precisions.bulletin import WaitingDraft
from five_precisions.web.access import BULLETIN, RESTATEMENT
from five_precisions.web.desk import Desk
from five_precisions.web.todo import Link, Urgency, WaitingItem, airflow_href

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

OUR_TAG: Final = "five-precisions"
_RECENTLY: Final = timedelta(days=7)
"""How long a failed run is shown that nothing has made up for."""
_WAITING: Final = (TaskInstanceState.AWAITING_INPUT, TaskInstanceState.DEFERRED)
_COMPONENTS: Final = {
    "scheduler": "Airflow 调度器没有心跳，所有任务都停着，请让运维人员查看。",
    "dag_processor": "Airflow 任务解析器没有心跳，任务文件的改动不会生效，请让运维人员查看。",
    "triggerer": "Airflow 触发器没有心跳，等待报送包的任务都停着，请让运维人员查看。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OurDag:
    """A DAG of ours that Airflow has parsed."""

    dag_id: str
    title: str
    is_paused: bool
    next_at: datetime | None
    """When its next run is due, by the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedApproval:
    """A question that a task asks a person."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    subject: str
    partition_key: str | None
    asked_at: datetime
    is_waiting: bool
    """Whether nobody has answered yet."""

    @property
    def href(self) -> str:
        """Where it is answered."""
        mapped = () if self.map_index < 0 else ("mapped", str(self.map_index))
        return airflow_href(
            "dags", self.dag_id, "runs", self.run_id, "tasks", self.task_id, *mapped, "required_actions"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that failed and that no later one of the same month, quarter or purpose has made up for."""

    dag_id: str
    run_id: str
    subject: str | None
    """Its month or quarter."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """A task that failed, or was not run for that, in a run that goes on."""

    dag_id: str
    run_id: str
    task_id: str
    title: str
    subject: str | None
    is_upstream: bool
    """Whether it was not run because one before it failed."""
    count: int
    is_mapped: bool
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowState:
    """Airflow as it is now."""

    dags: Mapping[str, OurDag]
    approvals: Sequence[AskedApproval]
    """Those that wait, and of restatements also those that were answered."""
    failed_runs: Sequence[FailedRun]
    failed_tasks: Sequence[FailedTask]
    broken_files: Sequence[tuple[str, datetime | None]]
    """Files of DAGs that cannot be imported, and since when."""
    dead: Sequence[str]
    """Components without a heartbeat."""

    def title(self, dag_id: str) -> str:
        """What ops call a DAG."""
        return self.dags[dag_id].title if dag_id in self.dags else dag_id


def read_airflow(now: datetime) -> AirflowState:
    """Read all of it, in one session.

    Args:
        now: The moment.

    Raises:
        SQLAlchemyError: the database of Airflow does not answer.
    """
    health = get_airflow_health()
    dead = [name for name in _COMPONENTS if health[name]["status"] != HEALTHY]
    with create_session() as session:
        rows = session.scalars(
            select(DagModel)
            .join(DagTag, DagTag.dag_id == DagModel.dag_id)
            .where(DagTag.name == OUR_TAG, ~DagModel.is_stale)
            .order_by(DagModel.dag_id)
        ).all()
        dags = {
            row.dag_id: OurDag(
                dag_id=row.dag_id,
                # The Chinese half of 月度考核 · monthly assessment.
                title=str(row.dag_display_name).partition(" · ")[0],
                is_paused=row.is_paused,
                next_at=row.next_dagrun_create_after,
            )
            for row in rows
        }
        return AirflowState(
            dags=dags,
            approvals=_read_approvals(session, list(dags)),
            failed_runs=_read_failed_runs(session, list(dags), now - _RECENTLY),
            failed_tasks=_read_failed_tasks(session, list(dags)),
            broken_files=_read_broken_files(session, {row.bundle_name for row in rows}),
            dead=dead,
        )


def _read_approvals(session: Session, dag_ids: Sequence[str]) -> list[AskedApproval]:
    is_waiting = HITLDetail.responded_at.is_(None) & TaskInstance.state.in_(_WAITING)
    rows = session.execute(
        select(
            TaskInstance.dag_id,
            TaskInstance.run_id,
            TaskInstance.task_id,
            TaskInstance.map_index,
            HITLDetail.subject,
            HITLDetail.created_at,
            DagRun.partition_key,
            is_waiting.label("is_waiting"),
        )
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .join(DagRun, (DagRun.dag_id == TaskInstance.dag_id) & (DagRun.run_id == TaskInstance.run_id))
        .where(TaskInstance.dag_id.in_(dag_ids))
        .where(is_waiting | ((TaskInstance.dag_id == RESTATEMENT) & HITLDetail.responded_at.is_not(None)))
        .order_by(HITLDetail.created_at)
    ).all()
    return [
        AskedApproval(
            dag_id=row.dag_id,
            run_id=row.run_id,
            task_id=row.task_id,
            map_index=row.map_index,
            subject=row.subject,
            partition_key=row.partition_key,
            asked_at=row.created_at,
            is_waiting=bool(row.is_waiting),
        )
        for row in rows
    ]


def _read_failed_runs(session: Session, dag_ids: Sequence[str], since: datetime) -> list[FailedRun]:
    rows = session.execute(
        select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.partition_key, DagRun.conf, DagRun.end_date)
        .where(DagRun.dag_id.in_(dag_ids), DagRun.state.in_((DagRunState.FAILED, DagRunState.SUCCESS)))
        .where(DagRun.end_date >= since)
        .order_by(DagRun.end_date, DagRun.id)
    ).all()
    failed: dict[tuple[str, str | None], FailedRun] = {}
    for row in rows:
        subject = _subject(row.partition_key, row.conf)
        if row.state == DagRunState.SUCCESS:
            failed.pop((row.dag_id, subject), None)
        else:
            failed[row.dag_id, subject] = FailedRun(
                dag_id=row.dag_id, run_id=row.run_id, subject=subject, ended_at=row.end_date
            )
    return list(failed.values())


def _subject(partition_key: str | None, conf: Any) -> str | None:
    """The month or quarter of a run; of a restatement, what ops have asked for."""
    asked = conf.get("period") if isinstance(conf, dict) else None
    return partition_key or (asked if isinstance(asked, str) else None)


def _read_failed_tasks(session: Session, dag_ids: Sequence[str]) -> list[FailedTask]:
    rows = session.execute(
        select(
            TaskInstance.dag_id,
            TaskInstance.run_id,
            TaskInstance.task_id,
            TaskInstance.state,
            DagRun.partition_key,
            func.max(TaskInstance.task_display_name).label("title"),
            func.count().label("how_many"),
            func.max(TaskInstance.map_index).label("last_index"),
            func.min(TaskInstance.end_date).label("ended_at"),
        )
        .join(DagRun, (DagRun.dag_id == TaskInstance.dag_id) & (DagRun.run_id == TaskInstance.run_id))
        .where(TaskInstance.dag_id.in_(dag_ids), DagRun.state == DagRunState.RUNNING)
        .where(TaskInstance.state.in_((TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED)))
        .group_by(
            TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state, DagRun.partition_key
        )
    ).all()
    return [
        FailedTask(
            dag_id=row.dag_id,
            run_id=row.run_id,
            task_id=row.task_id,
            title=str(row.title or row.task_id).partition(" · ")[0],
            subject=row.partition_key,
            is_upstream=row.state == TaskInstanceState.UPSTREAM_FAILED,
            count=row.how_many,
            is_mapped=row.last_index >= 0,
            ended_at=row.ended_at,
        )
        for row in rows
    ]


def _read_broken_files(session: Session, bundles: set[str]) -> list[tuple[str, datetime | None]]:
    """Those of the bundles that hold DAGs of ours; where Airflow knows none of ours, any may be."""
    wanted = select(ParseImportError.filename, ParseImportError.timestamp).order_by(ParseImportError.id)
    if bundles:
        wanted = wanted.where(ParseImportError.bundle_name.in_(bundles))
    return [(str(row.filename).rpartition("/")[2], row.timestamp) for row in session.execute(wanted)]


# As items


def approval_items(desk: Desk, state: AirflowState, drafts: Mapping[str, WaitingDraft]) -> list[WaitingItem]:
    """What waits for an answer, with how long a draft has waited.

    Args:
        desk: Of the request.
        state: Of Airflow.
        drafts: Drafts of bulletins that nobody has decided on, by quarter.
    """
    items = []
    for each in state.approvals:
        if not each.is_waiting:
            continue
        draft = drafts.get(each.partition_key or "") if each.dag_id == BULLETIN else None
        waited = f"，已等{draft.workdays}个工作日" if draft is not None and draft.workdays else ""
        links = []
        if draft is not None:
            links.append(Link(words="看稿件", href=desk.href(f"drafts/{draft.quarter}/{draft.draft}")))
        items.append(
            WaitingItem(
                words=f"{state.title(each.dag_id)}等待审批：{each.subject}{waited}",
                href=each.href,
                urgency=Urgency.NOW,
                since=each.asked_at,
                links=links,
            )
        )
    return items


def asked_quarters(state: AirflowState) -> set[str]:
    """Quarters whose draft is waited for in Airflow."""
    return {each.partition_key or "" for each in state.approvals if each.is_waiting and each.dag_id == BULLETIN}


def system_items(state: AirflowState) -> list[WaitingItem]:
    """What keeps everything else from running."""
    items = [WaitingItem(words=_COMPONENTS[name], href=airflow_href(), urgency=Urgency.NOW) for name in state.dead]
    items += [
        WaitingItem(
            words=f"任务文件 {name} 有错误，Airflow 无法读取，请让运维人员查看。",
            href=airflow_href(),
            urgency=Urgency.NOW,
            since=since,
        )
        for name, since in state.broken_files
    ]
    if not state.dags:
        words = "Airflow 里没有本系统的任务：任务文件没有放对地方，或者还没有读取。"
        items.append(WaitingItem(words=words, href=airflow_href("dags"), urgency=Urgency.NOW))
    items += [
        WaitingItem(
            words=f"“{each.title}”任务已停用，不会自动运行；需要时请在 Airflow 中启用。",
            href=airflow_href("dags", each.dag_id),
            urgency=Urgency.SOON,
        )
        for each in state.dags.values()
        if each.is_paused
    ]
    return items


def failed_items(state: AirflowState) -> list[WaitingItem]:
    """Runs that failed, and tasks of runs that go on."""
    items = [
        WaitingItem(
            words=f"{_run_words(state, each.dag_id, each.subject)}运行失败：请看失败任务的日志，处理后清除它重跑。",
            href=airflow_href("dags", each.dag_id, "runs", each.run_id),
            urgency=Urgency.NOW,
            since=each.ended_at,
        )
        for each in state.failed_runs
    ]
    for each in state.failed_tasks:
        what = "因前面的任务失败没有执行" if each.is_upstream else "失败"
        mapped = ("mapped",) if each.is_mapped else ()
        count = f"（{each.count}行）" if each.is_mapped else ""
        items.append(
            WaitingItem(
                words=f"{_run_words(state, each.dag_id, each.subject)}正在运行，其中“{each.title}”{what}{count}。",
                href=airflow_href("dags", each.dag_id, "runs", each.run_id, "tasks", each.task_id, *mapped),
                urgency=Urgency.LATER if each.is_upstream else Urgency.SOON,
                since=each.ended_at,
            )
        )
    return items


def _run_words(state: AirflowState, dag_id: str, subject: str | None) -> str:
    return f"“{state.title(dag_id)}”" + (f"{subject}的" if subject else "的")


def next_runs(state: AirflowState, now: datetime) -> list[tuple[datetime, OurDag]]:
    """When DAGs of ours run next by the clock, the soonest first; those that are paused do not."""
    planned = [(each.next_at, each) for each in state.dags.values() if each.next_at is not None and not each.is_paused]
    return sorted(((at, each) for at, each in planned if at > now), key=lambda pair: (pair[0], pair[1].dag_id))
