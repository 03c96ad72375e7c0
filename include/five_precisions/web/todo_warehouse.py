"""What the warehouse knows that wants a human: packages, reports, messages, restatements, findings, the register."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Row, text

from five_precisions.bulletin import WaitingDraft
from five_precisions.delivery import LONGEST_UNSENT, Kind, Status
from five_precisions.figures import list_left_behind
from five_precisions.housekeeping import LEAST_SHARE
from five_precisions.intake import FailedPackage, ReportState, read_deadlines, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_wording import deadline_words
from five_precisions.register import describe_open_deadlines, find_undecided
from five_precisions.register.deadlines import is_workday, last_day_of, load_holidays
from five_precisions.warehouse import load_statement
from five_precisions.web.access import RESTATEMENT
from five_precisions.web.desk import Desk
from five_precisions.web.messages import MESSAGE_KIND_WORDS, STATUS_WORDS
from five_precisions.web.report_states import IN_HAND
from five_precisions.web.todo import Link, Urgency, WaitingItem, airflow_href
from five_precisions.web.todo_airflow import AirflowState, asked_quarters
from five_precisions.web.todo_inbox import RECENTLY

MOST_LINKS: Final = 24
"""Institutions that an item names; its page shows all."""
_LAST_DAYS: Final = 1
"""Working days before a deadline on which what is missing cannot wait."""
_NEAR_DAYS: Final = 3
_GIGABYTE: Final = 1024**3
_ALMOST_NOTHING: Final = 0.03
_OPEN = text("""
select period from registry.period
where not exists (select from intake.close where close.period = period.period)
order by period
""")
_NEXT_DEADLINE = text("""
select deadline.deadline_at, deadline.period from registry.deadline
where deadline.deadline_at > :now and not exists (select from intake.close where close.period = deadline.period)
order by deadline.deadline_at limit 1
""")
_NEWEST_ASSESSED = text("select max(period) from mart.current_run")
_REQUESTED = text("select request, period from registry.restatement_request where request = any(:requests)")


# Packages


def read_failed_packages(desk: Desk) -> list[FailedPackage]:
    """Packages that we failed to check, as the ledger has them."""
    with desk.connect() as connection:
        rows = connection.execute(load_statement("intake/failed_packages"), {"period": None}).mappings()
        return [FailedPackage(**row) for row in rows]


def rejected_items(desk: Desk, now: datetime) -> list[WaitingItem]:
    """Packages that were rejected, whose institution has delivered nothing better since."""
    with desk.connect() as connection:
        rows = connection.execute(load_statement("web/rejected_packages"), {"recently": RECENTLY}).all()
    holidays = load_holidays(desk.settings) if rows else {}
    items = []
    for row in rows:
        what = "被退回" if row.verdict == "rejected" else "部分被退回"
        reports = f"（{row.reports}张报表）" if row.reports else ""
        late = "，报来时本月已关闭" if row.closed_at is not None else ""
        urgency = Urgency.SOON if row.closed_at is not None else _urgency(now, row.deadline_at, holidays)
        items.append(
            WaitingItem(
                words=(
                    f"{row.short_name}{Period.parse(row.period).words}第{row.version}版{what}{reports}{late}，"
                    "还没有报来更正。"
                ),
                href=desk.href(f"reporting/{row.institution_code}", period=row.period),
                urgency=min(urgency, Urgency.SOON),
                since=row.received_at,
            )
        )
    return items


# Reports that are missing


def missing_items(desk: Desk, now: datetime) -> list[WaitingItem]:
    """What is missing of months that are open: an item for each day on which deadlines end."""
    with desk.connect() as connection:
        open_periods = [Period.parse(each) for each in connection.execute(_OPEN).scalars()]
    items = []
    for period in open_periods:
        if period > Period.current():
            continue
        missing = _missing_by_institution(read_status(desk.engine, period))
        with desk.connect() as connection:
            deadlines = {each.institution_code: each.deadline_at for each in read_deadlines(connection, period)}
        by_deadline: dict[datetime, list[str]] = defaultdict(list)
        for code in missing:
            by_deadline[deadlines[code]].append(code)
        for deadline_at, codes in by_deadline.items():
            items.append(_missing_item(desk, now, period, deadline_at, {code: missing[code] for code in codes}))
    return items


def _missing_by_institution(states: Sequence[ReportState]) -> dict[str, list[ReportState]]:
    found: dict[str, list[ReportState]] = defaultdict(list)
    for each in states:
        if each.state not in IN_HAND:
            found[each.institution_code].append(each)
    return found


def _missing_item(
    desk: Desk, now: datetime, period: Period, deadline_at: datetime, missing: Mapping[str, Sequence[ReportState]]
) -> WaitingItem:
    holidays = load_holidays(desk.settings)
    links = []
    for code, states in list(missing.items())[:MOST_LINKS]:
        rejected = sum(each.state == "rejected" for each in states)
        counts = (f"缺{len(states) - rejected}" if len(states) > rejected else "", f"退{rejected}" if rejected else "")
        links.append(
            Link(
                words=f"{states[0].short_name} {'、'.join(filter(None, counts))}",
                href=desk.href(f"reporting/{code}", period=period),
            )
        )
    return WaitingItem(
        words=f"{period.words}还有{len(missing)}家机构没有报齐，{_deadline_sentence(now, deadline_at, holidays)}",
        href=desk.href("reporting", period=period, only="missing"),
        urgency=_urgency(now, deadline_at, holidays),
        since=deadline_at if now >= deadline_at else None,
        links=links,
    )


def _deadline_sentence(now: datetime, deadline_at: datetime, holidays: Mapping[date, bool]) -> str:
    words = deadline_words(deadline_at)
    if now >= deadline_at:
        return f"{words}已截止，等待关闭。"
    today = now.astimezone(SHANGHAI).date()
    if last_day_of(deadline_at) == today:
        return f"今天（{words}）截止。"
    return f"{words}截止，还剩{workdays_left(now, deadline_at, holidays)}个工作日。"


def workdays_left(now: datetime, deadline_at: datetime, holidays: Mapping[date, bool]) -> int:
    """Working days after today that are in time."""
    today, last = now.astimezone(SHANGHAI).date(), last_day_of(deadline_at)
    days = (today + timedelta(days=number) for number in range(1, (last - today).days + 1))
    return sum(is_workday(day, holidays) for day in days)


def _urgency(now: datetime, deadline_at: datetime, holidays: Mapping[date, bool]) -> Urgency:
    left = 0 if now >= deadline_at else workdays_left(now, deadline_at, holidays)
    if left <= _LAST_DAYS:
        return Urgency.NOW
    return Urgency.SOON if left <= _NEAR_DAYS else Urgency.LATER


# Restatements


def restatement_items(desk: Desk, state: AirflowState | None) -> list[WaitingItem]:
    """Late versions on which nobody has decided, and months that stand on figures that were restated.

    What a restatement has shown, whether it still waits for its answer or was sent back, is decided or is asked for.
    """
    with desk.connect() as connection:
        late = connection.execute(load_statement("web/late_versions")).all()
        shown = _shown_at(connection.execute(_REQUESTED, {"requests": _asked(state)}).all(), state) if late else {}
    by_period: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in late:
        if row.period not in shown or row.recorded_at > shown[row.period]:
            by_period[row.period].append(row)
    items = [
        WaitingItem(
            words=(
                f"{Period.parse(period).words}关闭后又收到{len(rows)}家机构的迟报数据"
                f"（{sum(each.reports for each in rows)}张报表），没有计入考核；是否重述，请决定。"
            ),
            href=_bulletins(desk, period),
            urgency=Urgency.SOON,
            since=min(each.received_at for each in rows),
            links=[
                Link(
                    words=f"{each.short_name} {each.reports}张",
                    href=desk.href(f"reporting/{each.institution_code}", period=period),
                )
                for each in rows[:MOST_LINKS]
            ],
        )
        for period, rows in by_period.items()
    ]
    items += [
        WaitingItem(
            words=(
                f"{Period.parse(row.period).words}已重述，以后的月份还是按旧数据算的；请依次重述："
                f"{'、'.join(row.later_periods)}。"
            ),
            href=_bulletins(desk, row.later_periods[0]),
            urgency=Urgency.SOON,
            since=row.restated_at,
        )
        for row in list_left_behind(desk.engine)
    ]
    return items


def _asked(state: AirflowState | None) -> list[str]:
    return [] if state is None else [each.run_id for each in state.approvals if each.dag_id == RESTATEMENT]


def _shown_at(requests: Sequence[Row[Any]], state: AirflowState | None) -> dict[str, datetime]:
    """When a restatement of the month was last shown to a person, by month."""
    asked_at = {} if state is None else {each.run_id: each.asked_at for each in state.approvals}
    shown: dict[str, datetime] = {}
    for row in requests:
        shown[row.period] = max(asked_at[row.request], shown.get(row.period, asked_at[row.request]))
    return shown


def _bulletins(desk: Desk, period: str) -> str:
    return desk.href("bulletins", quarter=Period.parse(period).quarter)


# Drafts, messages, cases


def draft_items(desk: Desk, drafts: Collection[WaitingDraft], state: AirflowState | None) -> list[WaitingItem]:
    """Drafts that nobody has decided on and that no task asks about; where Airflow cannot be read, all."""
    asked = set() if state is None else asked_quarters(state)
    return [
        WaitingItem(
            words=(
                f"{each.quarter}通报第{each.draft}稿等待审批，已等{each.workdays}个工作日。"
                if state is None
                else f"{each.quarter}通报第{each.draft}稿没有审批结果，审批任务也不在等待；请重新起草。"
            ),
            href=desk.href("bulletins", quarter=each.quarter),
            urgency=Urgency.NOW if each.is_overdue else Urgency.SOON,
            since=each.shown_at,
        )
        for each in drafts
        if each.quarter not in asked
    ]


def message_items(desk: Desk) -> list[WaitingItem]:
    """Messages that failed, are in doubt, or have waited for a day."""
    with desk.connect() as connection:
        rows = connection.execute(load_statement("web/undelivered"), {"longest_unsent": LONGEST_UNSENT}).all()
    words = {
        Status.FAILED: f"{STATUS_WORDS[Status.FAILED]}，请核对地址后重发。",
        Status.IN_DOUBT: f"发送{STATUS_WORDS[Status.IN_DOUBT]}，可能收到也可能没有，请核实后决定是否重发。",
        Status.PENDING: "放入发件箱一天以上还没有发出，请核对邮件服务器。",
    }
    return [
        WaitingItem(
            words=f"{row.period}{MESSAGE_KIND_WORDS[Kind(row.kind)]}有{row.messages}封{words[Status(row.status)]}",
            href=desk.href("bulletins/messages", status=row.status, kind=row.kind, period=row.period),
            urgency=Urgency.SOON,
            since=row.created_at,
        )
        for row in rows
    ]


def case_items(desk: Desk, now: datetime) -> list[WaitingItem]:
    """Findings of inspections past their date, and cases whose setting aside has run out.

    In a replay no time passes: the day is the end of the newest month.
    """
    with desk.connect() as connection:
        newest = connection.execute(_NEWEST_ASSESSED).scalar()
        if newest is None:
            return []
        day = Period.parse(newest).end if desk.settings.replay else now.astimezone(SHANGHAI).date()
        findings = connection.execute(load_statement("web/overdue_findings"), {"day": day}).all()
        ended = connection.execute(load_statement("web/ended_set_asides"), {"day": day}).all()
    items = [
        WaitingItem(
            words=(
                f"{row.short_name}的督查问题 {row.finding_no}（{row.aspect}，{row.severity}）整改期限{row.due_on}，"
                f"已逾期{(day - row.due_on).days}天，没有整改完成。"
            ),
            href=desk.href("cases/inspections", period=row.period),
            urgency=Urgency.SOON,
            since=_end_of(row.due_on),
        )
        for row in findings
    ]
    items += [
        WaitingItem(
            words=f"{row.short_name}的督查事项 {row.case_id}（{row.aspect}）搁置期{row.until}已满，下次考核起计入。",
            href=desk.href(f"cases/{row.case_id}"),
            urgency=Urgency.LATER,
            since=_end_of(row.until),
        )
        for row in ended
    ]
    return items


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


# The register, deadlines, the disk


def register_items(desk: Desk) -> list[WaitingItem]:
    """Institutions whose end nobody has decided, and deadlines that rest on days off not announced yet."""
    items = [
        WaitingItem(
            words=(
                f"{each.short_name}（{each.code}）已不在机构名册中，仍按应报机构催报和考核："
                "请重新写入 institutions.csv，或登记关闭日期。"
            ),
            href=desk.href(f"institutions/{each.code}"),
            urgency=Urgency.SOON,
        )
        for each in find_undecided(desk.engine)
    ]
    items += [
        WaitingItem(words=words, href=desk.href("institutions"), urgency=Urgency.LATER)
        for words in describe_open_deadlines(desk.engine, desk.settings)
    ]
    return items


def disk_items(desk: Desk) -> list[WaitingItem]:
    """Whether the disk that holds `var` is nearly full."""
    folder = desk.settings.var.resolve()
    usage = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists()))
    urgency = short_of_disk(usage.free, usage.total)
    if urgency is None:
        return []
    free, share = usage.free / _GIGABYTE, 100 * usage.free / usage.total
    words = f"磁盘只剩{free:.1f} GB（{share:.0f}%），请清理或扩容；写满后不能收取报表。"
    return [WaitingItem(words=words, href=airflow_href("dags", "housekeeping"), urgency=urgency)]


def short_of_disk(free: int, total: int) -> Urgency | None:
    """How urgent it is that so many bytes are left; None where there is room."""
    if free < _GIGABYTE or free < total * _ALMOST_NOTHING:
        return Urgency.NOW
    return Urgency.SOON if free < 5 * _GIGABYTE or free < total * LEAST_SHARE else None


def next_deadline(desk: Desk, now: datetime) -> tuple[datetime, Period] | None:
    """The next moment at which a deadline ends, and of which month."""
    with desk.connect() as connection:
        row = connection.execute(_NEXT_DEADLINE, {"now": now}).first()
    return None if row is None else (row.deadline_at, Period.parse(row.period))
