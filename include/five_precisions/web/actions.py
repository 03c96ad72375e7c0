"""What people do from the pages: asked once, done once, and kept with who, when and why (docs/desk.md#pages).

A form bears a key that is signed for its user, its kind of action and its subject. No other site can make one, so none
can act in a user's name; and the same form sent twice acts once. The key is claimed in a transaction that stays open
while the action is done: whoever sends the form a second time waits for the first, and is told what came of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.configuration import conf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import UsageError
from five_precisions.register.decision import LONGEST_REASON, reason_of, storable
from five_precisions.reports.masking import mask_digit_runs
from five_precisions.warehouse import load_statement

_LONGEST_NUMBER: Final = 19
"""Digits of which every number fits into a bigint."""
_HOURS: Final = 12
"""For which a form stays good: a working day."""
_CLAIM = text("""
insert into registry.action (form_key, kind, subject, period, reason, outcome, acted_by)
values (:form_key, :kind, :subject, :period, :reason, :outcome, :acted_by)
on conflict (form_key) do nothing
returning action_number
""")
_READ_NUMBER = text("select action_number from registry.action where form_key = :form_key")
_READ_PERIODS = text("select distinct period from registry.action where period is not null order by period desc")
_READ_OUTCOME = text("select outcome from registry.action where action_number = :action_number")


class ActionKind(StrEnum):
    """What a person can do from a page."""

    REMINDER = "reminder"
    DEADLINE = "deadline"
    SET_ASIDE = "set_aside"
    TAKE_BACK = "take_back"
    RESEND = "resend"
    RESTATEMENT = "restatement"
    BULLETIN = "bulletin"
    CONTACT = "contact"
    CONTACT_REMOVED = "contact_removed"
    TEMPLATE = "template"
    CHECK = "check"
    DOWNLOAD = "download"

    @property
    def words(self) -> str:
        """What ops call it."""
        return _WORDS[self]


_WORDS: Final = {
    ActionKind.REMINDER: "催报",
    ActionKind.DEADLINE: "调整报送期限",
    ActionKind.SET_ASIDE: "搁置督查事项",
    ActionKind.TAKE_BACK: "撤销搁置",
    ActionKind.RESEND: "重新发送",
    ActionKind.RESTATEMENT: "申请数据重述",
    ActionKind.BULLETIN: "起草通报",
    ActionKind.CONTACT: "增加联系人",
    ActionKind.CONTACT_REMOVED: "移除联系人",
    ActionKind.TEMPLATE: "生成报送模板",
    ActionKind.CHECK: "自查",
    ActionKind.DOWNLOAD: "下载",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done, to what, and why."""

    kind: ActionKind
    subject: str
    """An institution's code, a case, a message's key, a file's name."""
    period: str | None = None
    """Month or quarter."""
    reason: str | None = None

    @property
    def recorded_subject(self) -> str:
        """The subject as it is kept: a file's name may hold an ID, while codes are digits by their nature."""
        return mask_digit_runs(self.subject) if self.kind is ActionKind.DOWNLOAD else self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAction:
    """An action on record."""

    action_number: int
    kind: ActionKind
    subject: str
    period: str | None
    reason: str | None
    outcome: str
    acted_by: str
    acted_at: datetime


class ActedBeforeError(Exception):
    """The form has been sent before: nothing is done again."""

    def __init__(self, action_number: int) -> None:
        super().__init__(f"Action {action_number} was done by the same form.")
        self.action_number = action_number


class FormError(Exception):
    """The form cannot be taken as it is: sentences by the name of the field; `""` for the form as a whole."""

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__("; ".join(sentences.values()))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class FilledForm:
    """What a form shows: its key, what was entered, and what is wrong with it, beside each field."""

    key: str
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str, default: str = "") -> str:
        """What was entered into a field."""
        return self.values.get(name, default)


def form_key(user: BaseUser, kind: ActionKind, subject: str) -> str:
    """A new key for a form that this user is shown."""
    return str(_signer().dumps([user.get_id(), kind, subject, secrets.token_urlsafe(12)]))


def require_key(key: str, user: BaseUser, kind: ActionKind, subject: str) -> None:
    """Refuse a form that was not made for this user, this kind of action and this subject, or is too old.

    Raises:
        FormError: so it is.
    """
    try:
        made_for = _signer().loads(key, max_age=_HOURS * 3600)[:3]
    except BadSignature:
        made_for = None
    if made_for != [user.get_id(), str(kind), subject]:
        raise FormError({"": "表单已失效，没有执行；填写的内容还在，请再提交一次。"})


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="five-precisions-form")


@dataclass(frozen=True, slots=True)
class Claimed:
    """An action that is being done."""

    connection: Connection
    """What is done by it stands or falls with the record."""
    action_number: int


@contextmanager
def acting(engine: Engine, user: BaseUser, key: str, action: Action, outcome: str) -> Iterator[Claimed]:
    """Do something in the block, once for each key, and keep who did it.

    If the block raises, nothing is recorded and the form can be sent again.

    Args:
        engine: Of the warehouse.
        user: Who does it.
        key: Of the form; `require_key` has let it pass.
        action: What is done.
        outcome: What comes of it, in Chinese: what the page says, now and to whoever sends the form again.

    Raises:
        ActedBeforeError: the form has been sent before.
    """
    with engine.begin() as connection:
        claimed = connection.execute(
            _CLAIM,
            {
                "form_key": key,
                "kind": action.kind,
                "subject": storable(action.recorded_subject),
                "period": action.period,
                "reason": None if action.reason is None else storable(action.reason),
                "outcome": storable(outcome),
                "acted_by": storable(user.get_name()),
            },
        ).first()
        if claimed is None:
            raise ActedBeforeError(connection.execute(_READ_NUMBER, {"form_key": key}).scalar_one())
        yield Claimed(connection, claimed.action_number)


def read_outcome(connection: Connection, action_number: str) -> str | None:
    """What came of an action, for the page that is shown after it; None where there is none of that number."""
    if not (action_number.isdecimal() and len(action_number) < _LONGEST_NUMBER):
        return None
    outcome: str | None = connection.execute(_READ_OUTCOME, {"action_number": int(action_number)}).scalar_one_or_none()
    return outcome


def record_download(engine: Engine, user: BaseUser, name: str, period: str | None) -> None:
    """Keep who has taken which file."""
    action = Action(kind=ActionKind.DOWNLOAD, subject=name, period=period)
    with acting(engine, user, secrets.token_urlsafe(24), action, "已下载"):
        pass


def read_actions(
    connection: Connection,
    *,
    kind: str | None,
    person: str | None,
    period: str | None,
    before: int | None,
    first: int,
) -> list[RecordedAction]:
    """Actions on record, the newest first.

    Args:
        connection: To the warehouse.
        kind: Of this kind only.
        person: Of this user only.
        period: About this month or quarter only.
        before: Only those before this number.
        first: How many at most.
    """
    asked = {"kind": kind, "person": person, "period": period, "before": before, "first": first}
    rows = connection.execute(load_statement("web/actions"), asked).mappings()
    return [RecordedAction(**{**row, "kind": ActionKind(row["kind"])}) for row in rows]


def read_action_periods(connection: Connection) -> list[str]:
    """The months and quarters that actions on record are about, the newest first."""
    return list(connection.execute(_READ_PERIODS).scalars())


def reason_error(words: str) -> str | None:
    """What is wrong with a reason as a person entered it; None where it can be taken."""
    said = " ".join(words.split())
    if not said:
        return "请填写理由。"
    if len(said) > LONGEST_REASON:
        return f"理由有{len(said)}字，最多{LONGEST_REASON}字。"
    try:
        reason_of(words, "")
    except UsageError:
        return "理由里没有文字，或有看不见的字符；请改后再提交。"
    return None


def reason_entered(words: str, field: str = "reason") -> str:
    """A reason as it is kept: on one line, long runs of digits masked.

    Args:
        words: As a person entered it.
        field: That it was entered into.

    Raises:
        FormError: it cannot be taken.
    """
    if (error := reason_error(words)) is not None:
        raise FormError({field: error})
    return reason_of(words, "There is no reason")
