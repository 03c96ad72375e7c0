"""The pages of the outbox: its messages, one with its attempts, and sending it again (docs/outputs.md#messages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks, Response
from sqlalchemy import Connection, Row, text

from five_precisions.delivery import Kind, Status, resend
from five_precisions.display import Form
from five_precisions.errors import RefusedError
from five_precisions.period import Period
from five_precisions.warehouse import load_statement
from five_precisions.web.access import BULLETIN, acts, sees_runs
from five_precisions.web.actions import Action, ActionKind, FormError
from five_precisions.web.desk import AtDesk, Desk, FormText
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.sending import leaves_at_once, send
from five_precisions.web.tables import Cell, Column, Table, counted

_PATH: Final = "bulletins/messages"
"""Of the outbox, below our root."""
_MOST_MESSAGES: Final = 200
"""Messages on one page."""
MESSAGE_KIND_WORDS: Final = {
    Kind.RECEIPT: "回执",
    Kind.REMINDER: "催报",
    Kind.MONTHLY_NOTICE: "月度动态考核",
    Kind.SUPERVISION_NOTICE: "督办单",
    Kind.BULLETIN: "季度通报",
    Kind.CORRECTION: "更正通报",
}
STATUS_WORDS: Final = {
    Status.PENDING: "等待发送",
    Status.SENDING: "正在发送",
    Status.SENT: "已发出",
    Status.FAILED: "发送失败",
    Status.IN_DOUBT: "结果存疑",
}
_STATUS_STATES: Final = {Status.SENT: "good", Status.FAILED: "bad", Status.IN_DOUBT: "warn", Status.SENDING: "warn"}
_OUTCOME_WORDS: Final = {
    "sent": "对方已接收",
    "refused_for_now": "暂时被拒",
    "refused": "被拒",
    "in_doubt": STATUS_WORDS[Status.IN_DOUBT],
}
REPLIES: Final = {
    "taken": "已接收",
    "The sender ended between handing the message over": "发送程序交出邮件后中断，没有记下结果",
    "The register no longer names this recipient": "登记的联系人里已没有这个收件人",
    "The register's address is none that Apprise can send to": "登记的地址不能用来发送",
    "The register's address has several recipients": "登记的地址含有多个收件人，请分开登记",
    "Apprise reports a failure, and not which": "发送失败，原因不明",
    "No connection to the service": "连不上对方的服务",
}
"""How replies of our own begin (delivery/transport.py), in the words of ops."""
QUOTES: Final = {
    "No answer from the service: ": "对方的服务没有答复：",
    "The mail server let nobody in: ": "邮件服务器不让登录：",
    "It cannot be made into a mail: ": "不能做成邮件：",
    "The connection was lost before DATA: ": "交出正文前连接中断：",
    "No answer to the contents of the mail: ": "交出正文后没有得到答复：",
    "A part was taken, and then: ": "只接收了一部分：",
}
"""What stands before words of the other side, which stay as they are."""
_READ_STATUS = text("select status from notify.message where message_key = :message_key")

router = APIRouter(prefix="/bulletins/messages", dependencies=[sees_runs(BULLETIN)])


def reply_words(reply: str | None) -> str | None:
    """What came of an attempt, in the words of ops; what a server said stays as it is."""
    if reply is None:
        return None
    for beginning, words in QUOTES.items():
        if reply.startswith(beginning):
            return f"{words}{reply_words(reply.removeprefix(beginning))}"
    return next((words for beginning, words in REPLIES.items() if reply.startswith(beginning)), reply)


def read_messages(
    connection: Connection,
    *,
    kinds: Sequence[Kind] | None = None,
    period: str | None = None,
    message_status: str | None = None,
    message_key: str | None = None,
    before: str | None = None,
    first: int | None = None,
) -> Sequence[Row[Any]]:
    """Messages of the outbox, the newest first.

    Args:
        connection: To the warehouse.
        kinds: Of these only.
        period: Of this month or quarter only.
        message_status: That stand so only.
        message_key: This one only.
        before: Only those that stand below this one.
        first: How many at most.
    """
    asked = {
        "kinds": None if kinds is None else list(kinds),
        "period": period,
        "status": message_status,
        "message_key": message_key,
        "before": before,
        "first": first,
    }
    return connection.execute(load_statement("web/messages"), asked).all()


def message_href(desk: Desk, message_key: str) -> str:
    """Where one message stands with its attempts, in the outbox as it is filtered."""
    if desk.request.url.path.startswith(desk.href(_PATH)):
        return f"{desk.keeping(_PATH, message=message_key)}#message"
    return f"{desk.href(_PATH, message=message_key)}#message"


def messages_table(desk: Desk, rows: Sequence[Row[Any]], *, name: str, title: str, empty: str, note: str = "") -> Table:
    """Messages with their recipients, how they stand, and what the other side said."""
    return Table(
        name=name,
        title=title,
        columns=[
            Column("institution", "收件机构"),
            Column("recipient", "收件人"),
            Column("kind", "种类"),
            Column("status", "状态"),
            Column("period", "月份或季度"),
            Column("subject", "标题"),
            Column("attempts", "已发", Form.COUNT, "次"),
            Column("reply", "对方答复"),
            Column("created_at", "起草时间"),
            Column("sent_at", "发出时间"),
        ],
        rows=[
            (
                Cell(value=row.short_name, is_head=True),
                Cell(value=row.recipient, href=message_href(desk, row.message_key)),
                MESSAGE_KIND_WORDS[Kind(row.kind)],
                Cell(value=STATUS_WORDS[Status(row.status)], state=_STATUS_STATES.get(Status(row.status))),
                *(row.period, row.subject, counted(row.attempts, message_href(desk, row.message_key))),
                *(reply_words(row.reply), row.created_at, row.sent_at),
            )
            for row in rows
        ],
        empty=empty,
        note=note,
    )


@router.get("")
def show_messages(
    desk: AtDesk,
    status: str = "",
    kind: str = "",
    period: str = "",
    before: str = "",
    message: str = "",
) -> Response:
    """The outbox, the newest first; and one message of it where the address names one."""
    return _page(desk, {"status": status, "kind": kind, "period": period}, before, message)


@router.post("/resend", dependencies=acts())
def resend_message(
    desk: AtDesk,
    later: BackgroundTasks,
    key: FormText = "",
    message: FormText = "",
    status: str = "",
    kind: str = "",
    period: str = "",
    before: str = "",
) -> Response:
    """Send a message again that failed, is in doubt, or waits; the outbox stays filtered as it was."""
    try:
        return _resend(desk, later, key, message)
    except FormError as error:
        asked = {"status": status, "kind": kind, "period": period}
        return _page(desk, asked, before, message, errors=error.sentences)


def _page(
    desk: Desk, asked: Mapping[str, str], before: str, message: str, errors: Mapping[str, str] | None = None
) -> Response:
    with desk.connect() as connection:
        choices = {
            "status": {str(each): words for each, words in STATUS_WORDS.items()},
            "kind": {str(each): words for each, words in MESSAGE_KIND_WORDS.items()},
            "period": {each: each for each in _periods(desk.opened_periods(connection))},
        }
        for name, value in asked.items():
            if value and value not in choices[name]:
                there = [Choice(words, desk.here(**{name: each})) for each, words in choices[name].items()]
                raise NotThereError("没有这样的邮件；可以选择：", there)
        kinds = [Kind(asked["kind"])] if asked.get("kind") else None
        rows = read_messages(
            connection,
            kinds=kinds,
            period=asked.get("period") or None,
            message_status=asked.get("status") or None,
            before=_storable(before) or None,
            first=_MOST_MESSAGES,
        )
        one, attempts = (None, []) if not message else _read_one(desk, connection, message)
    tables = [
        messages_table(
            desk,
            rows,
            name="messages",
            title="发件箱",
            empty="没有符合条件的邮件。",
        )
    ]
    if one is not None:
        tables.append(_attempts_table(attempts))
    is_resent = one is not None and one.status != Status.SENT
    return desk.answer(
        "messages.html",
        page="bulletins",
        title="发件箱",
        tables=tables,
        errors=errors,
        choices=choices,
        asked={name: asked.get(name, "") for name in choices},
        older=desk.here(before=rows[-1].message_key, message=None) if len(rows) == _MOST_MESSAGES else None,
        message=one,
        kind=None if one is None else MESSAGE_KIND_WORDS[Kind(one.kind)],
        message_status=None if one is None else STATUS_WORDS[Status(one.status)],
        quarter=None if one is None or one.kind not in (Kind.BULLETIN, Kind.CORRECTION) else one.period,
        reply=None if one is None else reply_words(one.reply),
        form=desk.form(ActionKind.RESEND, message, errors=errors) if is_resent or errors else None,
    )


def _storable(words: str) -> str:
    """What PostgreSQL can be asked for."""
    return words.replace("\x00", "")


def _periods(months: Sequence[str]) -> list[str]:
    """The months that were opened, each quarter before its months, the newest first."""
    found: dict[str, None] = {}
    for each in months:
        found[str(Period.parse(each).quarter)] = None
        found[each] = None
    return list(found)


def _read_one(desk: Desk, connection: Connection, message: str) -> tuple[Row[Any], Sequence[Row[Any]]]:
    found = read_messages(connection, message_key=_storable(message), first=1)
    if not found:
        raise NotThereError("发件箱里没有这封邮件。", [Choice("看发件箱", desk.href(_PATH))])
    attempts = connection.execute(load_statement("web/attempts"), {"message_key": found[0].message_key}).all()
    return found[0], attempts


def _attempts_table(rows: Sequence[Row[Any]]) -> Table:
    return Table(
        name="attempts",
        title="历次发送",
        columns=[
            Column("attempt", "次序", Form.RANK),
            Column("began_at", "开始"),
            Column("ended_at", "结束"),
            Column("outcome", "结果"),
            Column("reply", "对方答复"),
        ],
        rows=[
            (
                *(Cell(value=row.attempt, is_head=True), row.began_at, row.ended_at),
                "没有记下" if row.outcome is None else _OUTCOME_WORDS[row.outcome],
                reply_words(row.reply),
            )
            for row in rows
        ],
        empty="还没有发送过。",
    )


# Sending again


def going_words(desk: Desk) -> str:
    """When messages leave that are due now."""
    return "正在发出，请稍后刷新" if leaves_at_once(desk.settings) else "由每小时一次的“迟报收集”任务发出"


def make_due(connection: Connection, message_key: str) -> None:
    """Make a message due now.

    Raises:
        FormError: it was sent, or is being handed over at this moment.
    """
    try:
        resend(connection, message_key)
    except RefusedError:
        message_status = connection.execute(_READ_STATUS, {"message_key": message_key}).scalar_one()
        if message_status == Status.SENT:
            raise FormError({"": "这封邮件已经发出，不再发第二次。"}) from None
        raise FormError({"": "这封邮件正在发送，请稍后刷新本页再看结果。"}) from None


def _resend(desk: Desk, later: BackgroundTasks, key: str, message: str) -> Response:
    """Make the message due, and send it once the page is answered.

    Raises:
        FormError: it was sent, or is being handed over at this moment.
    """
    with desk.connect() as connection:
        one, _ = _read_one(desk, connection, message)
    due: list[str] = []

    def do(connection: Connection) -> None:
        make_due(connection, one.message_key)
        due.append(one.message_key)

    action = Action(kind=ActionKind.RESEND, subject=one.message_key, period=one.period)
    outcome = f"已放回发件箱，{going_words(desk)}。"
    answered = desk.act(key, action, outcome, message_href(desk, one.message_key), do)
    if due and leaves_at_once(desk.settings):
        later.add_task(send, desk.engine, desk.settings, due)
    return answered
