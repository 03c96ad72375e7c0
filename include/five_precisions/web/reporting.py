"""The pages of reporting: who has delivered what, and everything of one institution's month (docs/desk.md#pages)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection, Row, text

from five_precisions.delivery import Message, post
from five_precisions.display import Form
from five_precisions.intake import ReportState, Verdict, read_deadlines, read_status
from five_precisions.intake.level_words import SUBMISSION_VERDICT_WORDS
from five_precisions.period import Period
from five_precisions.receipts import asked_reminders, read_written_workbook
from five_precisions.receipts.receipt_wording import Medium, render_cross_receipt, render_receipt, workbook_name
from five_precisions.receipts.receipt_workbooks import read_findings_workbook, read_place
from five_precisions.receipts.receipts import read_cross_receipts, read_receipt
from five_precisions.reference import Scope
from five_precisions.register import read_register
from five_precisions.register.decision import storable
from five_precisions.reports import load_reports
from five_precisions.warehouse import load_statement
from five_precisions.web.access import COLLECTION, acts, sees_runs
from five_precisions.web.actions import Action, ActionKind, FormError
from five_precisions.web.assessed import proof_href
from five_precisions.web.charts import Series, line_chart
from five_precisions.web.desk import MONTHS, NOTHING_ASSESSED, NOTHING_OPENED, AtDesk, Desk, FormText, months_until
from five_precisions.web.finding_tables import MOST_FINDINGS, findings_table
from five_precisions.web.institution_choice import INSTITUTION_KIND_WORDS, find_institution, require_kind
from five_precisions.web.limits import PACKAGES
from five_precisions.web.messages import STATUS_WORDS, going_words
from five_precisions.web.page import MAIL_POLICY, SECURITY_HEADERS, Choice, NotThereError
from five_precisions.web.report_states import IN_HAND, REPORT_STATE_STYLES, REPORT_STATE_WORDS, report_state_cell
from five_precisions.web.reported_months import reported_months_table
from five_precisions.web.sending import leaves_at_once, not_posted, send
from five_precisions.web.tables import Cell, Column, Table, Value, counted, percent_of

_OWNED = text("""
select period, institution_code from intake.submission where submission_id = :number
union all
select period, institution_code from intake.cross_check where submission_id = :number
""")
_EVENTS: Final = {
    "seen": "收到报送包，尚未核对",
    "received": "收到报送包",
    "judged": "核对完毕",
    "checked": "跨表核对",
    **{f"message_{message_status}": words for message_status, words in STATUS_WORDS.items()},
    "deadline": "报送期限调整为",
    "closed": "本月关闭",
    "reopened": "重新打开本月",
}

router = APIRouter(prefix="/reporting", dependencies=[sees_runs(COLLECTION)])


# All institutions


@router.get("")
def show_matrix(desk: AtDesk, kind: str = "", only: str = "") -> Response:
    """Institutions and their reports of a month."""
    return _matrix(desk, kind, only)


@router.post("/remind", dependencies=acts())
def remind_all(desk: AtDesk, later: BackgroundTasks, key: FormText = "", period: FormText = "") -> Response:
    """Remind every institution that misses something of the month."""
    try:
        return _remind(desk, later, key, _opened(desk, period), None)
    except FormError as error:
        asked = desk.request.query_params
        return _matrix(desk, asked.get("kind", ""), asked.get("only", ""), errors=error.sentences)


def _matrix(desk: Desk, kind: str, only: str, errors: dict[str, str] | None = None) -> Response:
    require_kind(desk, kind)
    if only not in ("", "missing"):
        raise NotThereError("没有这种范围。", [Choice("全部机构", desk.here(only=None))])
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
        if period is None:
            return desk.answer("reporting.html", page="reporting", title="报送情况", empty=NOTHING_OPENED)
        register = read_register(connection)
        trend = connection.execute(load_statement("web/reporting_trend"), months_until(period)).all()
        often_late = connection.execute(load_statement("web/often_late"), months_until(period)).all()
    states = read_status(desk.engine, period)
    kinds = {each.code: each.kind for each in register.institutions}
    shown = [each for each in states if kind in ("", kinds[each.institution_code])]
    matrix = _matrix_table(desk, shown, period, only_missing=only == "missing")
    missing = {each.institution_code for each in states if each.state not in IN_HAND}
    form = desk.form(ActionKind.REMINDER, str(period), errors=errors)
    return desk.answer(
        "reporting.html",
        page="reporting",
        title="报送情况",
        tables=[matrix, _trend_table(desk, trend), _often_late_table(desk, often_late, period)],
        period=period,
        periods=periods,
        errors=errors,
        form=form if missing or errors else None,
        missing_count=len(missing),
        counts=_counts(desk, states),
        kinds=INSTITUTION_KIND_WORDS,
        kind=kind,
        only=only,
        trend=_trend_chart(trend),
        closed_at=states[0].closed_at if states else None,
    )


def _counts(desk: Desk, states: Sequence[ReportState]) -> list[tuple[str, int, str, str]]:
    """How many reports are in which state: words, count, word for the style sheet, and where they stand."""
    counted: dict[str, int] = defaultdict(int)
    for each in states:
        counted[each.state] += 1
    late = sum(each.late for each in states)
    everybody, some = f"{desk.here(only=None)}#matrix", f"{desk.here(only='missing')}#matrix"
    found = [
        (REPORT_STATE_WORDS[state], counted[state], REPORT_STATE_STYLES[state], everybody if state in IN_HAND else some)
        for state in REPORT_STATE_WORDS
        if counted[state]
    ]
    return [*found, ("其中迟报", late, "warn", everybody)] if late else found


def _matrix_table(desk: Desk, states: Sequence[ReportState], period: Period, *, only_missing: bool) -> Table:
    owed = {each.report for each in states}
    reports = [code for code in load_reports() if code in owed]
    by_institution: dict[str, dict[str, ReportState]] = defaultdict(dict)
    names: dict[str, str] = {}
    for each in states:
        by_institution[each.institution_code][each.report] = each
        names[each.institution_code] = each.short_name
    rows = []
    for code, own in by_institution.items():
        if only_missing and all(each.state in IN_HAND for each in own.values()):
            continue
        href = desk.href(f"reporting/{code}", period=period)
        cells = [_state_cell(own.get(report), href) for report in reports]
        rows.append([Cell(value=names[code], href=href, is_head=True), *cells])
    return Table(
        name="matrix",
        title=f"{period.words}报送情况表",
        columns=[Column("institution", "机构"), *(Column(each, load_reports()[each].title) for each in reports)],
        rows=rows,
        empty="没有符合条件的机构。" if only_missing else "本月没有应报送的机构；请核对机构登记文件。",
    )


def _state_cell(state: ReportState | None, href: str) -> Cell:
    if state is None:
        return Cell(value="", state="nothing", title="不需报送")
    words = REPORT_STATE_WORDS[state.state]
    if state.version is not None and state.version > 1:
        words += f" v{state.version}"
    if state.late:
        words += " 迟"
    if state.state in IN_HAND and state.newest_verdict == "rejected":
        words += "，后一版退回"
    what = [f"{state.errors}个错误" if state.errors else "", f"{state.warnings}个警告" if state.warnings else ""]
    return Cell(
        value=words,
        href=href,
        state="warn" if state.late else REPORT_STATE_STYLES[state.state],
        title="，".join(filter(None, what)) or None,
    )


def _trend_table(desk: Desk, trend: Sequence[Row[Any]]) -> Table:
    def figure(row: Row[Any], metric: str, value: Value) -> Cell:
        return Cell(value=value, href=proof_href(desk, metric, Scope.CITY, None, row.period))

    def undelivered(row: Row[Any]) -> list[Cell]:
        href = f"{desk.href('reporting', period=row.period, only='missing')}#matrix"
        return [counted(each, href) for each in (row.rejected, row.missing)]

    return Table(
        name="trend",
        title=f"近{MONTHS}个月报送质量",
        columns=[
            Column("period", "月份"),
            Column("owed", "应报", Form.COUNT, "张"),
            Column("accepted", "已接收", Form.COUNT, "张"),
            Column("on_time_share", "按时率", Form.PERCENT, "%"),
            Column("first_pass_share", "一次通过率", Form.PERCENT, "%"),
            Column("rejected", "退回未补", Form.COUNT, "张"),
            Column("missing", "缺报", Form.COUNT, "张"),
        ],
        rows=[
            (
                Cell(value=row.period, href=desk.href("reporting", period=row.period), is_head=True),
                figure(row, "reports_expected", row.owed),
                figure(row, "reports_received", row.accepted),
                # What passed at once is a share of what was accepted (docs/figures.md#reporting).
                figure(row, "on_time_rate", percent_of(row.on_time, row.owed)),
                figure(row, "first_pass_rate", percent_of(row.first_pass, row.accepted)),
                *undelivered(row),
            )
            for row in reversed(trend)
        ],
        empty=NOTHING_ASSESSED,
    )


def _trend_chart(trend: Sequence[Row[Any]]) -> str:
    return line_chart(
        [
            Series("按时率", [(row.period, percent_of(row.on_time, row.owed)) for row in trend]),
            Series("一次通过率", [(row.period, percent_of(row.first_pass, row.accepted)) for row in trend]),
        ],
        unit="%",
    )


def _often_late_table(desk: Desk, rows: Sequence[Row[Any]], period: Period) -> Table:
    def counts(row: Row[Any]) -> list[Cell]:
        months = f"{desk.href(f'reporting/{row.code}', period=period)}#months"
        found = (row.late_months, row.missing_months, row.late_reports, row.missing_reports)
        return [counted(each, months) for each in found]

    return Table(
        name="often_late",
        title=f"近{MONTHS}个月迟报、缺报较多的机构",
        columns=[
            Column("institution", "机构"),
            Column("late_months", "有迟报的月数", Form.COUNT),
            Column("missing_months", "有缺报的月数", Form.COUNT),
            Column("late_reports", "迟报", Form.COUNT, "张"),
            Column("missing_reports", "缺报", Form.COUNT, "张"),
            Column("last_period", "最近一次"),
        ],
        rows=[
            (
                Cell(
                    value=row.short_name, href=desk.href(f"reporting/{row.code}", period=row.last_period), is_head=True
                ),
                *(*counts(row), row.last_period),
            )
            for row in rows
        ],
        empty="没有机构迟报或缺报。",
    )


# One institution


@router.get("/{code}")
def show_institution(desk: AtDesk, code: str, version: str = "") -> Response:
    """Versions, findings, receipts and the story of an institution's month."""
    if _is_of_another_month(desk, code, version):
        # The picker of months keeps the rest of the address.
        return RedirectResponse(desk.here(version=None), headers=dict(SECURITY_HEADERS))
    return _institution_page(desk, code, version)


@router.post("/{code}/remind", dependencies=acts())
def remind_one(desk: AtDesk, later: BackgroundTasks, code: str, key: FormText = "", period: FormText = "") -> Response:
    """Remind one institution of what it misses of the month."""
    try:
        return _remind(desk, later, key, _opened(desk, period), code)
    except FormError as error:
        return _institution_page(desk, code, "", errors=error.sentences)


@router.get("/{code}/receipts/{number}")
def show_receipt(desk: AtDesk, code: str, number: str) -> Response:
    """A receipt as the institution has it."""
    with desk.connect() as connection:
        _require_own(desk, connection, code, number)
        if read_place(connection, number).is_cross:
            receipt = read_cross_receipts(connection, [number])[number]
            shown = render_cross_receipt(receipt, Medium.FILE, is_demo=desk.settings.is_demo)
        else:
            shown = render_receipt(read_receipt(connection, number), Medium.FILE, is_demo=desk.settings.is_demo)
    headers = {**SECURITY_HEADERS, "Content-Security-Policy": MAIL_POLICY}
    return Response(shown, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/{code}/workbooks/{number}")
def save_workbook(desk: AtDesk, code: str, number: str) -> Response:
    """The findings workbook of a receipt, as the institution has it."""
    with desk.connect() as connection:
        _require_own(desk, connection, code, number)
        place = read_place(connection, number)
    content = read_written_workbook(desk.settings, place) if place.has_findings else None
    if content is None:
        # What left the outbox is made anew, for which the archive and its key are wanted.
        with PACKAGES.turn(), desk.connect() as connection:
            content = read_findings_workbook(connection, desk.settings, number)
    if content is None:
        raise NotThereError(
            "这一版没有发现问题，所以没有问题清单。",
            [Choice("返回", desk.href(f"reporting/{code}", period=place.period))],
        )
    return desk.download(content, f"{number}-{workbook_name(place.edition)}", period=place.period)


def _require_own(desk: Desk, connection: Connection, code: str, number: str) -> None:
    owner = connection.execute(_OWNED, {"number": storable(number)}).first()
    if owner is None or owner.institution_code != code:
        raise NotThereError("该机构没有这个回执。", [Choice("返回", desk.href(f"reporting/{code}"))])


def _institution_page(desk: Desk, code: str, version: str, errors: dict[str, str] | None = None) -> Response:
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
        institution = find_institution(desk, read_register(connection), code, "reporting")
        if period is None:
            raise NotThereError(NOTHING_OPENED)
        names = {"period": str(period), "institution_code": code}
        versions = connection.execute(load_statement("web/versions"), names).all()
        checks = connection.execute(load_statement("web/cross_checks"), names).all()
        events = connection.execute(load_statement("web/package_events"), names).all()
        number = _chosen_number(desk, version, [each.submission_id for each in (*versions, *checks)])
        findings: Sequence[Row[Any]] = []
        if number is not None:
            asked = {"submission_id": number, "first": MOST_FINDINGS + 1}
            findings = connection.execute(load_statement("web/findings"), asked).all()
        reported = connection.execute(
            load_statement("web/reported_months"), months_until(period) | {"code": code}
        ).all()
        deadline = next((each for each in read_deadlines(connection, period) if each.institution_code == code), None)
    states = [each for each in read_status(desk.engine, period) if each.institution_code == code]
    is_missing = any(each.state not in IN_HAND for each in states)
    return desk.answer(
        "institution_month.html",
        page="reporting",
        title=f"{institution.short_name} {period.words}报送",
        tables=[
            _states_table(desk, states),
            _versions_table(desk, code, versions, number),
            _checks_table(desk, code, checks, number),
            findings_table(findings, number),
            _events_table(events),
            reported_months_table(desk, code, reported),
        ],
        period=period,
        periods=periods,
        errors=errors,
        institution=institution,
        kind=INSTITUTION_KIND_WORDS[institution.kind],
        deadline=deadline,
        number=number,
        is_cut=len(findings) > MOST_FINDINGS,
        most=MOST_FINDINGS,
        form=desk.form(ActionKind.REMINDER, f"{period}/{code}", errors=errors) if is_missing or errors else None,
    )


def _chosen_number(desk: Desk, version: str, numbers: Sequence[str]) -> str | None:
    """The receipt number whose findings are shown: as the address asks, else of the newest version."""
    if not version:
        return numbers[0] if numbers else None
    if version not in numbers:
        raise NotThereError("该机构本月没有这一版。", [Choice(each, desk.here(version=each)) for each in numbers])
    return version


def _is_of_another_month(desk: Desk, code: str, version: str) -> bool:
    """Whether the institution's receipt number is one of a month that is not shown."""
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
    month, owner = version[:7], version[7:]
    return month in periods and owner.startswith(f"-{code}-") and month != str(period)


def _states_table(desk: Desk, states: Sequence[ReportState]) -> Table:
    def of_version(state: ReportState, count: int) -> Cell:
        number = f"{state.period}-{state.institution_code}-{state.version or state.newest_version}"
        return counted(count, f"{desk.here(version=number)}#findings")

    return Table(
        name="reports",
        title="各表现状",
        columns=[
            Column("report", "报表"),
            Column("state", "状态"),
            Column("version", "版本", Form.COUNT),
            Column("rows", "行数", Form.COUNT),
            Column("errors", "错误", Form.COUNT),
            Column("warnings", "警告", Form.COUNT),
            Column("received_at", "收到时间"),
            Column("on_time", "是否按时"),
        ],
        rows=[
            (
                *(Cell(value=each.title, is_head=True), report_state_cell(each.state)),
                *(each.version, each.rows),
                *(of_version(each, each.errors), of_version(each, each.warnings), each.received_at),
                {None: None, True: "按时", False: "迟报"}[each.on_time],
            )
            for each in states
        ],
        empty="该机构本月不需报送。",
    )


def _versions_table(desk: Desk, code: str, versions: Sequence[Row[Any]], number: str | None) -> Table:
    return Table(
        name="versions",
        title="报送版本",
        columns=[
            Column("version", "版本", Form.COUNT),
            Column("received_at", "收到时间"),
            Column("on_time", "是否按时"),
            Column("verdict", "结论"),
            Column("errors", "错误", Form.COUNT),
            Column("warnings", "警告", Form.COUNT),
            Column("files", "文件", Form.COUNT, "个"),
            Column("submitted_by", "报送人"),
            Column("receipt", "回执"),
            Column("workbook", "问题清单"),
        ],
        rows=[
            (
                Cell(
                    value=row.version,
                    href=f"{desk.here(version=row.submission_id)}#findings",
                    is_head=True,
                    state="chosen" if row.submission_id == number else None,
                ),
                *(row.received_at, "按时" if row.on_time else "迟报"),
                Cell(
                    value=SUBMISSION_VERDICT_WORDS[Verdict(row.verdict)],
                    state={"accepted": "good", "partial": "warn", "rejected": "bad"}[row.verdict],
                ),
                *(
                    counted(each, f"{desk.here(version=row.submission_id)}#findings")
                    for each in (row.errors, row.warnings)
                ),
                *(row.files, row.submitted_by),
                Cell(value=row.submission_id, href=desk.href(f"reporting/{code}/receipts/{row.submission_id}")),
                _workbook_cell(desk, code, row.submission_id, has_findings=row.has_findings),
            )
            for row in versions
        ],
        empty="本月还没有收到报送包。",
    )


def _workbook_cell(desk: Desk, code: str, number: str, *, has_findings: bool) -> Cell:
    if not has_findings:
        return Cell(value="无")
    return Cell(value="下载", href=desk.href(f"reporting/{code}/workbooks/{number}"))


def _checks_table(desk: Desk, code: str, checks: Sequence[Row[Any]], number: str | None) -> Table:
    return Table(
        name="checks",
        title="跨表核对回执",
        columns=[
            Column("edition", "核对"),
            Column("checked_at", "时间"),
            Column("findings", "问题", Form.COUNT, "个"),
            Column("receipt", "回执"),
            Column("workbook", "问题清单"),
        ],
        rows=[
            (
                Cell(
                    value="关闭时核对" if row.edition.startswith("close") else "他行数据到达后核对",
                    href=f"{desk.here(version=row.submission_id)}#findings",
                    is_head=True,
                    state="chosen" if row.submission_id == number else None,
                ),
                row.checked_at,
                counted(row.findings, f"{desk.here(version=row.submission_id)}#findings"),
                Cell(value=row.submission_id, href=desk.href(f"reporting/{code}/receipts/{row.submission_id}")),
                _workbook_cell(desk, code, row.submission_id, has_findings=row.findings > 0),
            )
            for row in checks
        ],
        empty="没有跨表核对的回执。",
    )


def _events_table(events: Sequence[Row[Any]]) -> Table:
    return Table(
        name="events",
        title="经过",
        columns=[
            Column("happened_at", "时间"),
            Column("event", "事项"),
            Column("subject", "对象"),
            Column("detail", "说明"),
        ],
        rows=[(row.happened_at, _EVENTS.get(row.event, row.event), row.subject, _detail(row)) for row in events],
        empty="本月还没有发生任何事。",
    )


def _detail(row: Row[Any]) -> str | None:
    if row.event == "judged":
        return SUBMISSION_VERDICT_WORDS[Verdict(row.detail)]
    if row.event == "seen" and row.detail:
        return f"因本系统故障未能核对：{row.detail}"
    return None if row.detail is None else str(row.detail)


# Reminding


def _opened(desk: Desk, period: str) -> Period:
    with desk.connect() as connection:
        there = desk.opened_periods(connection)
    if period not in there:
        raise NotThereError(
            "没有这个月份。", [Choice(each, desk.href("reporting", period=each)) for each in there[:MONTHS]]
        )
    return Period.parse(period)


def _remind(desk: Desk, later: BackgroundTasks, key: str, period: Period, code: str | None) -> Response:
    """Post the reminders, once a day.

    Raises:
        FormError: nobody misses anything, or everyone has been reminded today.
    """
    messages = asked_reminders(desk.engine, desk.settings, period, code)
    if not messages:
        raise FormError({"": "没有需要催报的机构，或者它们没有登记联系人；联系人在“机构”页登记。"})
    with desk.connect() as connection:
        new = not_posted(connection, messages)
    back = desk.href("reporting" if code is None else f"reporting/{code}", period=period)
    action = Action(
        kind=ActionKind.REMINDER, subject=str(period) if code is None else f"{period}/{code}", period=str(period)
    )
    keys: list[str] = []
    answered = desk.act(
        key, action, _outcome(desk, messages, new), back, lambda connection: keys.extend(post(connection, new))
    )
    if keys and leaves_at_once(desk.settings):
        later.add_task(send, desk.engine, desk.settings, keys)
    return answered


def _outcome(desk: Desk, messages: Sequence[Message], new: Sequence[Message]) -> str:
    if not new:
        return "今天已经催报过，没有重复发送；明天可以再催。"
    institutions = len({each.institution_code for each in new})
    before = len(messages) - len(new)
    rest = f"；另有{before}封今天已经发过，没有重复" if before else ""
    return f"已向{institutions}家机构催报，{len(new)}封邮件放入发件箱，{going_words(desk)}{rest}。"
