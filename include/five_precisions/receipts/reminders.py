"""Reminders to institutions that still miss something: before the deadline, and the day after.

See docs/intake.md#its-life.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from sqlalchemy import Engine

from five_precisions.delivery import Kind, Message, post
from five_precisions.intake.deadlines import Deadline, read_deadlines
from five_precisions.intake.failed_packages import read_failed
from five_precisions.intake.status import ReportState, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_wording import deadline_words, time_left_words
from five_precisions.register import ContactRole, Institution, Obligation, Register, open_period, read_register
from five_precisions.settings import Settings
from five_precisions.templates import moment_words, render
from five_precisions.warehouse import load_statement, read_clock

logger = logging.getLogger(__name__)

LONGEST_AFTER: Final = timedelta(days=7)
"""How long after the deadline the reminder of the day after is made up for; later it would only puzzle."""
_FIRST_BEFORE: Final = timedelta(days=3)
_SECOND_BEFORE: Final = timedelta(days=1)


class Stage(StrEnum):
    """Which of the three reminders it is; part of what makes it one (`notify.message.message_key`)."""

    BEFORE_3 = "before-3"
    BEFORE_1 = "before-1"
    AFTER_1 = "after-1"


@dataclass(frozen=True, slots=True)
class MissingReport:
    """A report that is owed and of which nothing is accepted."""

    title: str
    nil_allowed: bool
    receipt: str | None
    """Number of the newest receipt that rejected it; None where it was never delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """What one institution is reminded of."""

    period: Period
    institution: Institution
    stage: Stage
    deadline: Deadline
    owed_count: int
    missing: tuple[MissingReport, ...]
    unchecked_at: datetime | None = None
    """When a package was received that we failed to check so far; None without one."""
    asked_on: date | None = None
    """The day in Shanghai on which ops ask for it; None where the calendar does."""

    @property
    def edition(self) -> str:
        """The same reminder of the same deadline is one message; when the deadline moves, it is another.

        One that ops ask for is one a day.
        """
        return f"{self.stage}-{self.deadline.last_day}" if self.asked_on is None else f"asked-{self.asked_on}"

    @property
    def month(self) -> str:
        """The period in words."""
        return self.period.words

    @property
    def subject(self) -> str:
        """The subject of its mail: what is missing, and until when."""
        what = f"{self.month} {self.institution.short_name} 尚缺{len(self.missing)}张报表"
        if self.stage is Stage.AFTER_1:
            return f"【逾期催报】{what}，已过截止时间"
        return f"【催报】{what}，{deadline_words(self.deadline.deadline_at)}截止"


def stage_due(today: date, last_day: date) -> Stage | None:
    """The reminder that is due on a day, of days in Shanghai; one that was missed is due until the next one is.

    The first is due three days before the last day that is in time, the second on its eve, the third on the day after.
    """
    if today > last_day:
        return Stage.AFTER_1 if today - last_day <= LONGEST_AFTER else None
    if today >= last_day - _SECOND_BEFORE:
        return Stage.BEFORE_1
    return Stage.BEFORE_3 if today >= last_day - _FIRST_BEFORE else None


def post_reminders(engine: Engine, settings: Settings, *, now: datetime | None = None) -> list[str]:
    """Lay the reminders that are due today into the outbox, for the contacts of those that still miss something.

    Each is posted once, however often and by however many this is called: its key holds the stage and the deadline.
    After days without a call only the one that is due now is posted. A replay reminds nobody.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        now: As of when; the database's time unless given.

    Returns:
        The keys of the messages that are new.
    """
    if settings.replay:
        return []
    with engine.connect() as connection:
        now = now or read_clock(connection)
        window = {
            "earliest": now - LONGEST_AFTER - timedelta(days=1),
            "latest": now + _FIRST_BEFORE + timedelta(days=1),
        }
        periods = connection.execute(load_statement("receipts/periods_to_remind"), window).all()
    keys: list[str] = []
    for row in periods:
        keys += _post_of_period(engine, settings, Period.parse(row.period), now, is_closed=row.is_closed)
    return keys


def asked_reminders(
    engine: Engine, settings: Settings, period: Period, institution_code: str | None = None
) -> list[Message]:
    """The reminders that ops ask for now: for the contacts of those that miss something, or of one of them.

    To be posted by the caller. They are one a day: on the same day the outbox takes no second one.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: An opened month.
        institution_code: The only institution that is reminded; None for all.

    Raises:
        UsageError: the period has not been opened.
        UnreachableError: the inbox cannot be read.
    """
    states = [each for each in read_status(engine, period) if institution_code in (None, each.institution_code)]
    unchecked = {each.institution_code: each.seen_at for each in read_failed(engine, settings, period)}
    with engine.connect() as connection:
        now = read_clock(connection)
        register = read_register(connection)
        deadlines = read_deadlines(connection, period)
    today = now.astimezone(SHANGHAI).date()
    return [
        message
        for each in _reminders(register, period, deadlines, states, lambda day: _stage_asked(today, day))
        for reminder in [replace(each, asked_on=today, unchecked_at=unchecked.get(each.institution.code))]
        for message in _messages(register, reminder, settings, now)
    ]


def _stage_asked(today: date, last_day: date) -> Stage:
    """Which of the three a reminder reads like that ops ask for."""
    return Stage.AFTER_1 if today > last_day else Stage.BEFORE_1


def _post_of_period(engine: Engine, settings: Settings, period: Period, now: datetime, *, is_closed: bool) -> list[str]:
    with engine.begin() as connection:
        # Else they would name a day that the calendar has put off since.
        open_period(connection, settings, period)
    states = read_status(engine, period)
    unchecked = {each.institution_code: each.seen_at for each in read_failed(engine, settings, period)}
    with engine.begin() as connection:
        register = read_register(connection)
        reminders = due_reminders(register, period, read_deadlines(connection, period), states, now)
        # A month that a replay has closed before its deadline asks nothing of anybody any more.
        return post(
            connection,
            [
                message
                for each in reminders
                for reminder in [replace(each, unchecked_at=unchecked.get(each.institution.code))]
                if reminder.stage is Stage.AFTER_1 or not is_closed
                for message in _messages(register, reminder, settings, now)
            ],
        )


def due_reminders(
    register: Register, period: Period, deadlines: Sequence[Deadline], states: Sequence[ReportState], now: datetime
) -> Iterator[Reminder]:
    """Whom to remind as of now, and of what, by institution."""
    today = now.astimezone(SHANGHAI).date()
    return _reminders(register, period, deadlines, states, lambda last_day: stage_due(today, last_day))


def _reminders(
    register: Register,
    period: Period,
    deadlines: Sequence[Deadline],
    states: Sequence[ReportState],
    stage_of: Callable[[date], Stage | None],
) -> Iterator[Reminder]:
    by_code = {deadline.institution_code: deadline for deadline in deadlines}
    for code, rows in groupby(states, key=lambda row: row.institution_code):
        own = list(rows)
        institution = register.institution(code)
        if institution is None or code not in by_code:
            continue
        stage = stage_of(by_code[code].last_day)
        missing = _missing(register.owed_by(institution, period), institution, own)
        if stage is not None and missing:
            yield Reminder(
                period=period,
                institution=institution,
                stage=stage,
                deadline=by_code[code],
                owed_count=len(own),
                missing=missing,
            )


def _missing(
    owed: Mapping[str, Obligation], institution: Institution, own: Sequence[ReportState]
) -> tuple[MissingReport, ...]:
    return tuple(
        MissingReport(
            title=row.title,
            nil_allowed=owed[row.report].nil_allowed,
            receipt=None if row.newest_version is None else f"{row.period}-{institution.code}-{row.newest_version}",
        )
        for row in own
        if row.state not in ("accepted", "nil")
    )


def _messages(register: Register, reminder: Reminder, settings: Settings, now: datetime) -> list[Message]:
    code = reminder.institution.code
    addresses = sorted(
        contact.address
        for contact in register.contacts
        if contact.institution_code == code and contact.role is ContactRole.CONTACT
    )
    if not addresses:
        logger.warning("%s: %s has no contact, nobody gets its reminder", reminder.period, code)
        return []
    html = render_reminder(reminder, settings, now)
    return [
        Message(
            kind=Kind.REMINDER,
            period=str(reminder.period),
            institution_code=code,
            address=address,
            edition=reminder.edition,
            subject=reminder.subject,
            html=html,
        )
        for address in addresses
    ]


# Wording


def render_reminder(reminder: Reminder, settings: Settings, now: datetime) -> str:
    """The reminder as a mail's HTML."""
    return render(
        "mail/reminder.html",
        subject=reminder.subject,
        is_demo=settings.is_demo,
        reminder=reminder,
        is_late=reminder.stage is Stage.AFTER_1,
        headline=headline(reminder),
        deadline=_deadline_text(reminder.deadline),
        time_left=time_left_words(now, reminder.deadline.deadline_at),
        rows=[[report.title, situation(report)] for report in reminder.missing],
        steps=next_steps(reminder, delivery_folder(settings.inbox_address, reminder.period, reminder.institution.code)),
    )


def headline(reminder: Reminder) -> str:
    """The one sentence on top: how much is missing, and until when."""
    missing = f"本期应报{reminder.owed_count}张报表，尚缺{len(reminder.missing)}张"
    deadline = deadline_words(reminder.deadline.deadline_at)
    if reminder.stage is Stage.AFTER_1:
        return f"{missing}，报送已于{deadline}截止，请尽快补报。"
    return f"{missing}，请于{deadline}前报送。"


def situation(report: MissingReport) -> str:
    """How a missing report stands."""
    if report.receipt is not None:
        return f"未通过，被回执 {report.receipt} 退回"
    return "尚未报送" + ("（可零报送）" if report.nil_allowed else "")


def next_steps(reminder: Reminder, folder: str) -> list[str]:
    """What to do, in a few plain sentences."""
    steps: list[str] = []
    if reminder.unchecked_at is not None:
        steps.append(
            f"{moment_words(reminder.unchecked_at)}收到的文件因本系统故障尚未核对，不必重新报送，以该收到时间为准；"
            "这些文件中已有的报表，请等待回执。"
        )
    if any(report.receipt is not None for report in reminder.missing):
        steps.append("被退回的报表：按回执列出的错误更正，重新报送整张报表。")
    steps.append(
        f"把报表文件连同报送说明放入报送目录的 {folder} 文件夹；报送说明可以是工作簿中的“报送说明”工作表，"
        "也可以是文件 cover.csv，只列本次报送的报表。"
    )
    if any(report.nil_allowed for report in reminder.missing):
        steps.append("可零报送而本期确无数据的报表：在报送说明中填行数0、零报送“是”，不必附文件。")
    if len(reminder.missing) < reminder.owed_count:
        steps.append("已接收的报表不必重报。")
    if reminder.stage is Stage.AFTER_1:
        steps.append("补报的数据照常核对入库，记为迟报；已公布的本期数据不因此改变。")
    steps.append("每次报送后都会收到回执，以回执的结论为准。")
    return steps


def delivery_folder(address: str, period: Period, institution_code: str) -> str:
    """The folder for a period as the institution sees it, from the inbox's address (docs/intake.md#the-package).

    An account of its own begins at the institution's folder, which it does not see by name.
    """
    layout = address[address.index("{") :] if "{" in address else ""
    for placeholder in ("{period}", "{institution}"):
        if placeholder not in layout:
            layout = f"{layout}/{placeholder}".lstrip("/")
    return (
        layout.removeprefix("{institution}/")
        .replace("{period}", str(period))
        .replace("{institution}", institution_code)
    )


def _deadline_text(deadline: Deadline) -> str:
    words = deadline_words(deadline.deadline_at)
    if deadline.deadline_at == deadline.by_calendar_at:
        return words
    return f"{words}（已调整，原为{deadline_words(deadline.by_calendar_at)}）"
