"""What lies in the inbox that wants a human, looked at beside the pages: an inbox may be slow, or never answer.

A look is made in a thread of its own, at most once a minute. A page takes the newest one that is there, and waits a
moment where there is none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from sqlalchemy import Engine

from five_precisions.collection.deliveries import COVER_WAIT
from five_precisions.intake import (
    FailedPackage,
    LyingFiles,
    UnknownFolder,
    Unread,
    find_lying,
    find_unknown_folders,
    read_failed,
)
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from five_precisions.web.desk import Desk
from five_precisions.web.todo import Urgency, WaitingItem

logger = logging.getLogger(__name__)

RECENTLY: Final = timedelta(days=31)
"""How long after its close what comes for a month is still looked at."""
_FRESH_SECONDS: Final = 60.0
"""How old a look may be before the next one is made."""
_STALE_SECONDS: Final = 600.0
"""How old a look may be that a page shows."""
_PATIENCE_SECONDS: Final = 1.0
"""How long a page waits for a look where there is none to show."""
_STUCK_SECONDS: Final = 90.0
"""After which a look that has not ended counts as failed."""
_UNTAKEN: Final = timedelta(hours=2)
"""After which files that nobody has taken in want a human: of closed months they are taken in every hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFindings:
    """What one look has found."""

    unknown: Collection[UnknownFolder]
    lying: Collection[LyingFiles]
    notified: Mapping[tuple[str, str], datetime]
    """When we last wrote that files lack a cover, by month and institution."""
    failed: Collection[FailedPackage]
    """Packages that we failed to check and that lie there still."""


class InboxUnreadError(Exception):
    """The inbox could not be looked at; the message is a sentence for ops."""


@dataclass(slots=True)
class _Look:
    settings: Settings
    begun: float = field(default_factory=monotonic)
    ended: Event = field(default_factory=Event)
    findings: InboxFindings | None = None

    @property
    def age(self) -> float:
        """Seconds since it was begun."""
        return monotonic() - self.begun

    def run(self, engine: Engine) -> None:
        """Look; what goes wrong is logged, for it may name addresses."""
        try:
            self.findings = look_into_inbox(engine, self.settings)
        except Exception as error:  # noqa: BLE001 - a thread of its own: whatever it is, the page says that it failed
            logger.error("The inbox cannot be looked into: %s: %s", type(error).__name__, error)  # noqa: TRY400
        finally:
            self.ended.set()


_lock = Lock()
_looks: list[_Look] = []
"""The newest that has ended, and the one that is being made."""


def look_into_inbox(engine: Engine, settings: Settings) -> InboxFindings:
    """Look at names and times in the inbox.

    Raises:
        SetupError: the inbox cannot be used.
        UnreachableError: the inbox, or the warehouse, does not answer.
    """
    lying: list[LyingFiles] = []
    notified: dict[tuple[str, str], datetime] = {}
    # In a replay the files stay where they lie.
    if not settings.replay:
        with engine.connect() as connection:
            months = connection.execute(load_statement("web/months_to_watch"), {"recently": RECENTLY}).scalars().all()
            rows = connection.execute(load_statement("web/missing_cover_notices"), {"periods": months})
            notified = {(row.period, row.institution_code): row.notified_at for row in rows}
        lying = find_lying(engine, settings, [Period.parse(each) for each in months])
    return InboxFindings(
        unknown=find_unknown_folders(engine, settings),
        lying=lying,
        notified=notified,
        failed=read_failed(engine, settings),
    )


def forget_looks() -> None:
    """The next page looks anew."""
    with _lock:
        _looks.clear()


def newest_findings(engine: Engine, settings: Settings) -> InboxFindings:
    """What the newest look has found; a new one is begun where it is not fresh.

    Raises:
        InboxUnreadError: the newest look failed or hangs, or none has ended yet.
    """
    with _lock:
        _looks[:] = [each for each in _looks if each.settings == settings]
        if not _looks or (_looks[-1].ended.is_set() and _looks[-1].age > _FRESH_SECONDS):
            look = _Look(settings)
            _looks[:] = [*_looks[-1:], look]
            Thread(target=look.run, args=(engine,), name="inbox-look", daemon=True).start()
        newest, usable = _looks[-1], [each for each in _looks if each.ended.is_set() and each.age < _STALE_SECONDS]
    if newest.ended.wait(0 if usable else _PATIENCE_SECONDS):
        usable = [newest]
    if not newest.ended.is_set() and newest.age > _STUCK_SECONDS:
        raise InboxUnreadError("收件箱暂时读不到：没有回应，原因请让运维人员查看。")
    if not usable:
        raise InboxUnreadError("正在查看收件箱，请稍后刷新本页。")
    if usable[-1].findings is None:
        raise InboxUnreadError("收件箱暂时读不到，原因记在 API 服务器的日志里，请让运维人员查看。")
    return usable[-1].findings


# As items


def folder_items(desk: Desk, findings: InboxFindings) -> list[WaitingItem]:
    """Folders that nobody will ever look into."""
    return [
        WaitingItem(
            words=_folder_words(each),
            href=desk.href("institutions" if each.why is Unread.NO_INSTITUTION else "reporting"),
            urgency=Urgency.SOON,
        )
        for each in findings.unknown
    ]


def _folder_words(folder: UnknownFolder) -> str:
    if folder.why is Unread.NO_MONTH:
        return f"收件箱里的文件夹“{folder.name}”没人收取：名字不是月份（如2019-06），请改名或移走。"
    if folder.why is Unread.NO_INSTITUTION:
        return f"收件箱{folder.period}里的文件夹“{folder.name}”没人收取：当月没有这个机构，请改名或移走。"
    is_ahead = folder.period is not None and folder.period > Period.current()
    why = "这个月还没有开始" if is_ahead else "本系统不处理这个月"
    return f"收件箱里的文件夹“{folder.name}”没人收取：{why}，请移走。"


def lying_items(desk: Desk, findings: InboxFindings, now: datetime) -> list[WaitingItem]:
    """Files that lack a cover, or that nobody has taken in for long."""
    failed = {(each.period, each.institution_code) for each in findings.failed}
    items = []
    for each in findings.lying:
        place = (str(each.period), each.institution.code)
        words = _lying_words(each, findings.notified.get(place), now)
        if place in failed or words is None:
            continue
        items.append(
            WaitingItem(
                words=f"{each.institution.short_name}{each.period.words}{words}",
                href=desk.href(f"reporting/{each.institution.code}", period=each.period),
                urgency=Urgency.SOON,
                since=each.newest_at,
            )
        )
    return items


def _lying_words(lying: LyingFiles, notified_at: datetime | None, now: datetime) -> str | None:
    """What is wrong with the files; None where they have only just come."""
    if lying.newest_at is None:
        return "的收件箱文件夹没有读取权限，请让运维人员查看。"
    lies_for = now - lying.newest_at
    if notified_at is not None and notified_at >= lying.newest_at and lies_for >= COVER_WAIT:
        return "的文件缺少报送说明，没有收取；已发信告知，请催其补上。"
    if lies_for >= _UNTAKEN:
        return "的文件放在收件箱里没有收取：可能缺少报送说明，也可能收集任务没有运行。"
    return None


def failed_items(desk: Desk, failed: Collection[FailedPackage], findings: InboxFindings | None) -> list[WaitingItem]:
    """Packages that we failed to check; those that the institution has taken back since are left out."""
    items = []
    there = None if findings is None else {(each.period, each.institution_code) for each in findings.failed}
    for each in failed:
        place = (each.period, each.institution_code)
        if there is not None and place not in there and not _is_new(each):
            continue
        items.append(
            WaitingItem(
                words=(
                    f"{each.short_name}{Period.parse(each.period).words}的报送包因本系统出错没有核对"
                    f"（{each.failure}）；机构不必重报，请让运维人员按日志修复。"
                ),
                href=desk.href(f"reporting/{each.institution_code}", period=each.period),
                urgency=Urgency.NOW,
                since=each.failed_at,
            )
        )
    return items


def _is_new(failed: FailedPackage) -> bool:
    """Whether the newest look may not know of it."""
    return datetime.now(SHANGHAI) - failed.failed_at < timedelta(seconds=_STALE_SECONDS)
