"""The page of bulletins: quarters, drafts, deliveries, restatements, and what ops ask for (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks, Response
from sqlalchemy import Connection, Row

from five_precisions.delivery import Kind, Status
from five_precisions.display import Form
from five_precisions.errors import UsageError
from five_precisions.figures import list_left_behind
from five_precisions.period import Period, Quarter
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.locks import Lock, hold
from five_precisions.web.access import BULLETIN, RESTATEMENT, acts, may_trigger, sees_runs, triggers
from five_precisions.web.actions import Action, ActionKind, FilledForm, FormError, reason_entered
from five_precisions.web.decision_words import DECISION_WORDS
from five_precisions.web.desk import MONTHS, NOTHING_OPENED, AtDesk, Desk, FormText
from five_precisions.web.messages import STATUS_WORDS, going_words, make_due, messages_table, read_messages
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.sending import leaves_at_once, send
from five_precisions.web.tables import Cell, Column, Table, counted
from five_precisions.web.todo import APPROVALS
from five_precisions.web.triggering import open_runs, require_triggerable, start_run

_SENT_AS: Final = (Kind.BULLETIN, Kind.CORRECTION)
_MONTHS: Final = 3
"""Of a quarter."""
_BULLETIN_WORDS: Final = "季度通报"
_RESTATEMENT_WORDS: Final = "数据重述"

router = APIRouter(prefix="/bulletins", dependencies=[sees_runs(BULLETIN)])


def is_waiting(row: Row[Any]) -> bool:
    """Whether a draft of the quarter waits for a decision."""
    return row.shown_draft is not None and row.shown_draft > (row.decided_draft or 0)


def progress_of(row: Row[Any]) -> tuple[str, str | None]:
    """Where the bulletin of a quarter stands: words, and a word for the style sheet."""
    went_out = row.bulletins > 0
    if is_waiting(row):
        return f"{'更正通报' if went_out else '通报'}第{row.shown_draft}稿待审批", "warn"
    if row.newest_decision == "rejected":
        return ("已发出，更正稿已退回" if went_out else "已退回，待重新起草"), "warn"
    if went_out and row.changed:
        return "已发出，数据后来有变", "warn"
    if went_out:
        return ("已更正" if row.corrections else "已发出"), "good"
    if row.assessed == _MONTHS:
        return "待起草", "warn"
    return f"三个月中已考核{row.assessed}个月", None


@router.get("")
def show_bulletins(desk: AtDesk, quarter: str = "", status: str = "") -> Response:
    """Every quarter's bulletin, and of one quarter its drafts, deliveries and restatements."""
    return _page(desk, quarter, status)


@router.post("/draft", dependencies=[*acts(), triggers(BULLETIN)])
def draft_bulletin(desk: AtDesk, key: FormText = "", quarter: FormText = "", status: str = "") -> Response:
    """Have a bulletin, or the correction of one that went out, drafted."""
    try:
        return _draft(desk, key, quarter)
    except FormError as error:
        return _page(desk, quarter, status, ActionKind.BULLETIN, {}, error.sentences)


@router.post("/restatement", dependencies=[*acts(), triggers(RESTATEMENT)])
def ask_for_restatement(
    desk: AtDesk,
    key: FormText = "",
    quarter: FormText = "",
    month: FormText = "",
    reason: FormText = "",
    status: str = "",
) -> Response:
    """Ask for a month of the quarter to be restated."""
    try:
        return _restate(desk, key, quarter, month, reason)
    except FormError as error:
        entered = {"month": month, "reason": reason}
        return _page(desk, quarter, status, ActionKind.RESTATEMENT, entered, error.sentences)


@router.post("/resend-failed", dependencies=acts())
def resend_failed(
    desk: AtDesk, later: BackgroundTasks, key: FormText = "", quarter: FormText = "", status: str = ""
) -> Response:
    """Send every message of a quarter's bulletin again that failed; those in doubt a person looks at one by one."""
    try:
        return _resend_failed(desk, later, key, quarter)
    except FormError as error:
        return _page(desk, quarter, status, ActionKind.RESEND, {}, error.sentences)


# The page


def _page(
    desk: Desk,
    asked: str,
    message_status: str,
    sent: ActionKind | None = None,
    entered: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    if message_status and message_status not in list(Status):
        choices = [Choice(words, desk.here(status=each)) for each, words in STATUS_WORDS.items()]
        raise NotThereError("没有这种发送状态。", choices)
    with desk.connect() as connection:
        quarters = _read_quarters(connection)
        if not quarters:
            return desk.answer("bulletins.html", page="bulletins", title="通报", row=None, empty=NOTHING_OPENED)
        row = _chosen(desk, quarters, asked)
        drafts = connection.execute(load_statement("web/quarter_drafts"), {"quarter": row.quarter}).all()
        messages = read_messages(connection, kinds=_SENT_AS, period=row.quarter, message_status=message_status or None)
        restatements = _read_restatements(connection, row)
        months = _months_of(row, desk.assessed_periods(connection))
    runs = [each for each in open_runs(BULLETIN) if each.partition_key == row.quarter]

    def form(kind: ActionKind, *, is_possible: bool) -> FilledForm | None:
        if kind is sent:
            return desk.form(kind, row.quarter, entered, errors)
        return desk.form(kind, row.quarter) if is_possible and desk.may_act else None

    return desk.answer(
        "bulletins.html",
        page="bulletins",
        title="通报",
        tables=[
            _quarters_table(desk, quarters, row),
            _drafts_table(desk, row, drafts),
            messages_table(
                desk,
                sorted(messages, key=lambda each: (each.kind, each.institution_code, each.recipient)),
                name="deliveries",
                title=f"{row.quarter}送达情况",
                empty=_no_deliveries(row, message_status),
                note="点收件人看这封邮件的历次发送，失败或存疑的在那里重发。",
            ),
            _restatements_table(desk, row, restatements),
        ],
        errors=errors,
        row=row,
        quarters=[each.quarter for each in quarters],
        words=Quarter.parse(row.quarter).words,
        progress=progress_of(row)[0],
        is_waiting=is_waiting(row),
        approvals=desk.airflow + APPROVALS.removeprefix("airflow:"),
        runs=runs,
        left_behind=_left_behind(desk, restatements, row),
        message_status=message_status,
        statuses={str(each): words for each, words in STATUS_WORDS.items()},
        months=months,
        draft_words=_draft_words(row),
        draft_form=form(
            ActionKind.BULLETIN,
            is_possible=not runs and _why_no_draft(row) is None and may_trigger(desk.user, BULLETIN),
        ),
        restatement_form=form(ActionKind.RESTATEMENT, is_possible=bool(months) and may_trigger(desk.user, RESTATEMENT)),
        resend_form=form(ActionKind.RESEND, is_possible=row.failed > 0),
    )


def _read_quarters(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(load_statement("web/quarters")).all()


def _chosen(desk: Desk, quarters: Sequence[Row[Any]], asked: str) -> Row[Any]:
    """The quarter that is asked for; else the newest that has come as far as a bulletin, or the newest of all."""
    if not asked:
        far = (each for each in quarters if each.assessed == _MONTHS or each.shown_draft is not None)
        return next(far, quarters[0])
    found = next((each for each in quarters if each.quarter == asked), None)
    if found is None:
        try:
            words = f"没有{Quarter.parse(asked).words}的数据。"
        except UsageError:
            words = "网址中的季度不对，应写作2019-Q2。"
        choices = [
            Choice(Quarter.parse(each.quarter).words, desk.keeping("bulletins", quarter=each.quarter))
            for each in quarters
        ]
        raise NotThereError(words, choices[:MONTHS])
    return found


def _quarters_table(desk: Desk, quarters: Sequence[Row[Any]], chosen: Row[Any]) -> Table:
    def count(row: Row[Any], value: int, message_status: Status, state: str | None = None) -> Cell:
        href = f"{desk.href('bulletins', quarter=row.quarter, status=message_status)}#deliveries"
        return replace(counted(value, href), state=state if value else None)

    def progress(row: Row[Any]) -> Cell:
        words, state = progress_of(row)
        return Cell(value=words, state=state)

    return Table(
        name="quarters",
        title="各季度通报",
        columns=[
            Column("quarter", "季度"),
            Column("progress", "进展"),
            Column("assessed", "已考核", Form.COUNT, "月"),
            Column("drafts", "稿件", Form.COUNT, "稿"),
            Column("approved_at", "最近批准"),
            Column("corrections", "更正", Form.COUNT, "次"),
            Column("sent", STATUS_WORDS[Status.SENT], Form.COUNT, "封"),
            Column("waiting", "待发送", Form.COUNT, "封"),
            Column("failed", STATUS_WORDS[Status.FAILED], Form.COUNT, "封"),
            Column("in_doubt", STATUS_WORDS[Status.IN_DOUBT], Form.COUNT, "封"),
        ],
        rows=[
            (
                Cell(
                    value=row.quarter,
                    href=desk.keeping("bulletins", quarter=row.quarter),
                    is_head=True,
                    state="chosen" if row.quarter == chosen.quarter else None,
                ),
                *(progress(row), row.assessed),
                counted(row.shown_draft or 0, f"{desk.href('bulletins', quarter=row.quarter)}#drafts"),
                *(row.approved_at, row.corrections),
                *(count(row, row.sent, Status.SENT), count(row, row.waiting, Status.PENDING)),
                *(count(row, row.failed, Status.FAILED, "bad"), count(row, row.in_doubt, Status.IN_DOUBT, "warn")),
            )
            for row in quarters
        ],
        empty=NOTHING_OPENED,
    )


def _drafts_table(desk: Desk, row: Row[Any], drafts: Sequence[Row[Any]]) -> Table:
    return Table(
        name="drafts",
        title=f"{row.quarter}稿件",
        columns=[
            Column("draft", "稿次"),
            Column("shown_at", "提交审批"),
            Column("decision", "审批结果"),
            Column("decided_by", "审批人"),
            Column("decided_at", "审批时间"),
            Column("remark", "批示或退回理由"),
            Column("title", "标题"),
            Column("run", "考核运行"),
        ],
        rows=[
            (
                Cell(value=f"第{each.draft}稿", href=desk.href(f"drafts/{row.quarter}/{each.draft}"), is_head=True),
                each.shown_at,
                _decision_cell(row, each),
                *(each.decided_by, each.decided_at, each.remark or None, each.title, each.run_id),
            )
            for each in drafts
        ],
        empty="本季度还没有起草通报；三个月都考核后“季度通报”会自动起草，并等待审批。",
        note="点稿次预览正文、附表和邮件。" if drafts else "",
    )


def _decision_cell(row: Row[Any], draft: Row[Any]) -> Cell:
    if draft.decision is not None:
        return Cell(value=DECISION_WORDS[draft.decision], state="good" if draft.decision == "approved" else "bad")
    if draft.draft == row.shown_draft:
        return Cell(value="等待审批", href=APPROVALS, state="warn", title="到 Airflow 的待审批事项")
    return Cell(value="没有审批")


def _no_deliveries(row: Row[Any], message_status: str) -> str:
    if message_status:
        return f"没有{STATUS_WORDS[Status(message_status)]}的邮件。"
    return "本季度的通报还没有发出；审批通过后邮件会列在这里。" if not row.bulletins else "没有邮件。"


def _read_restatements(connection: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    quarter = Quarter.parse(row.quarter)
    asked = {
        # A bulletin compares with the end of the year before.
        "first_period": str(Period(quarter.year - 1, 12)),
        "last_period": str(quarter.last_month),
        "approved_run_ids": row.approved_run_ids,
    }
    return connection.execute(load_statement("web/restatements"), asked).all()


def _restatements_table(desk: Desk, row: Row[Any], restatements: Sequence[Row[Any]]) -> Table:
    return Table(
        name="restatements",
        title=f"{row.quarter}通报所用月份的数据重述",
        columns=[
            Column("period", "月份"),
            Column("run", "新的考核运行"),
            Column("replaced", "被取代的运行"),
            Column("closed_at", "重述时间"),
            Column("figures", "变化的数字", Form.COUNT, "项"),
            Column("since", "与通报"),
            Column("decided_by", "批准人"),
            Column("reason", "理由"),
        ],
        rows=[
            (
                *(Cell(value=each.period, is_head=True), each.run_id, each.replaced_run_id, each.closed_at),
                counted(each.figures, desk.href("figures/restated", run=each.run_id)),
                _since_cell(row, each),
                *(each.decided_by, each.reason),
            )
            for each in restatements
        ],
        empty="这些月份没有重述过。",
    )


def _since_cell(row: Row[Any], restatement: Row[Any]) -> Cell:
    """Whether the newest bulletin that went out knows the restatement."""
    if not row.bulletins:
        return Cell(value="通报还没有发出")
    return Cell(value="通报发出之后", state="warn") if restatement.is_after else Cell(value="已写入通报")


def _left_behind(desk: Desk, restatements: Sequence[Row[Any]], row: Row[Any]) -> list[str]:
    """Months up to the quarter's end that still stand on an older run of a restated one."""
    last = str(Quarter.parse(row.quarter).last_month)
    restated = {each.period for each in restatements if each.is_current}
    behind = [each for each in list_left_behind(desk.engine) if each.period in restated]
    return sorted({later for each in behind for later in each.later_periods if later <= last})


def _draft_words(row: Row[Any]) -> str:
    if row.bulletins:
        return "起草更正通报"
    return "起草通报" if row.shown_draft is None else "重新起草通报"


def _why_no_draft(row: Row[Any]) -> str | None:
    """Why no draft can be made of the quarter now; None where one can."""
    if row.assessed < _MONTHS:
        return "本季度的三个月还没有全部考核，不能起草通报。"
    if is_waiting(row):
        return f"第{row.shown_draft}稿正在等待审批，不需要再起草。"
    if row.bulletins and not row.changed:
        return "通报发出后数据没有变化，不需要更正；数据有误的，请先申请数据重述。"
    return None


# What ops ask for


def _find(desk: Desk, connection: Connection, quarter: str) -> Row[Any]:
    quarters = _read_quarters(connection)
    if not quarters or not quarter:
        raise NotThereError("没有这个季度。", [Choice("看通报", desk.href("bulletins"))])
    return _chosen(desk, quarters, quarter)


def _draft(desk: Desk, key: str, quarter: str) -> Response:
    """Start a run of `quarterly_bulletin`.

    Raises:
        FormError: there is nothing to draft, or a run of the quarter is open.
    """
    with desk.connect() as connection:
        row = _find(desk, connection, quarter)
    begins = require_triggerable(BULLETIN, _BULLETIN_WORDS)

    def do(connection: Connection) -> None:
        # Two people who ask at once by two forms start one run.
        hold(connection, Lock.BULLETIN, row.quarter)
        why = _why_no_draft(_find(desk, connection, row.quarter))
        if why is not None:
            raise FormError({"": why})
        if any(each.partition_key == row.quarter for each in open_runs(BULLETIN)):
            raise FormError({"": "本季度已有一次“季度通报”运行尚未结束，没有再次起草。"})
        start_run(BULLETIN, desk.user, key, partition_key=row.quarter)

    action = Action(kind=ActionKind.BULLETIN, subject=row.quarter, period=row.quarter)
    outcome = f"已开始{_draft_words(row)}，起草完成后列在“稿件”里等待审批{_begins_words(_BULLETIN_WORDS, begins)}。"
    return desk.act(key, action, outcome, desk.keeping("bulletins", quarter=row.quarter), do)


def _restate(desk: Desk, key: str, quarter: str, month: str, reason: str) -> Response:
    """Start a run of `restatement`.

    Raises:
        FormError: the month or the reason cannot be taken, or a restatement of the month is open.
    """
    with desk.connect() as connection:
        row = _find(desk, connection, quarter)
        there = _months_of(row, desk.assessed_periods(connection))
    errors: dict[str, str] = {}
    said = ""
    if month not in there:
        errors["month"] = "请选择一个已经考核的月份。"
    try:
        said = reason_entered(reason)
    except FormError as error:
        errors |= error.sentences
    if errors:
        raise FormError(errors)
    begins = require_triggerable(RESTATEMENT, _RESTATEMENT_WORDS)

    def do(connection: Connection) -> None:
        hold(connection, Lock.RESTATEMENT_REQUEST)
        if any(each.conf.get("period") == month for each in open_runs(RESTATEMENT)):
            raise FormError({"month": f"{month}已有一次重述尚未结束，请先在 Airflow 里审批或结束它。"})
        start_run(RESTATEMENT, desk.user, key, conf={"period": month, "reason": said})

    action = Action(kind=ActionKind.RESTATEMENT, subject=row.quarter, period=month, reason=said)
    outcome = (
        f"已申请重述{month}：先计算会有哪些变化，再等待审批，批准后才生效{_begins_words(_RESTATEMENT_WORDS, begins)}。"
    )
    return desk.act(key, action, outcome, desk.keeping("bulletins", quarter=row.quarter), do)


def _begins_words(words: str, begins: bool) -> str:
    return "" if begins else f"；“{words}”任务现在是暂停的，在 Airflow 里恢复后才会运行"


def _months_of(row: Row[Any], assessed: Sequence[str]) -> list[str]:
    return [str(each) for each in Quarter.parse(row.quarter).months if str(each) in assessed]


def _resend_failed(desk: Desk, later: BackgroundTasks, key: str, quarter: str) -> Response:
    """Make the failed messages of a quarter due, and send them once the page is answered.

    Raises:
        FormError: none has failed.
    """
    with desk.connect() as connection:
        row = _find(desk, connection, quarter)
    due: list[str] = []

    def do(connection: Connection) -> None:
        failed = read_messages(connection, kinds=_SENT_AS, period=row.quarter, message_status=Status.FAILED)
        for each in failed:
            try:
                make_due(connection, each.message_key)
            except FormError:
                # Somebody else sends it at this moment.
                continue
            due.append(each.message_key)
        if not due:
            raise FormError({"": "现在没有发送失败的邮件，没有重发。"})

    action = Action(kind=ActionKind.RESEND, subject=row.quarter, period=row.quarter)
    outcome = f"{row.failed}封发送失败的邮件已放回发件箱，{going_words(desk)}。"
    back = f"{desk.keeping('bulletins', quarter=row.quarter)}#deliveries"
    answered = desk.act(key, action, outcome, back, do)
    if due and leaves_at_once(desk.settings):
        later.add_task(send, desk.engine, desk.settings, due)
    return answered
