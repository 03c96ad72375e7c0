"""The pages of institutions: who they are, who is reached there, what they owe and until when (docs/desk.md#pages).

What stands in the register's files is shown with the name of its file, and changed there. Deadlines are moved here, and
contacts added beside those of the files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, text

from five_precisions.delivery import recipient_of
from five_precisions.display import Form, is_control
from five_precisions.errors import RefusedError, UsageError
from five_precisions.intake import Deadline, move_deadline, read_deadlines
from five_precisions.intake.deadlines import latest_day
from five_precisions.period import SHANGHAI, Period, parse_day
from five_precisions.register import (
    Contact,
    ContactRole,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
    RegisteredContact,
    add_contact,
    last_day_of,
    list_institutions,
    read_contacts,
    read_register,
    remove_contact,
)
from five_precisions.register.addresses import is_mailbox, is_service, why_unreachable, without_token
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement
from five_precisions.web.access import COLLECTION, acts, sees_runs
from five_precisions.web.actions import Action, ActionKind, FilledForm, FormError, reason_entered, reason_error
from five_precisions.web.desk import MONTHS, AtDesk, Desk, FormText
from five_precisions.web.institution_choice import INSTITUTION_KIND_WORDS, find_institution, require_kind
from five_precisions.web.tables import Cell, Column, Table, counted

MOST_FILES: Final = 40
"""Of one self-check."""
_LARGEST_FILES: Final = 4
"""The files of a self-check together are as large as so many of the largest that a delivery may have."""
EVERYBODY: Final = "全部机构"
"""The subject of a deadline that is moved for all."""
ROLE_WORDS: Final = {ContactRole.CONTACT: "联系人", ContactRole.LEADER: "领导"}
_OPEN_MONTHS = text("""
select period from registry.period
where not exists (select from intake.close where close.period = period.period)
order by period desc
""")

router = APIRouter(prefix="/institutions", dependencies=[sees_runs(COLLECTION)])


@dataclass(frozen=True, slots=True)
class _Refused:
    """A form that was not taken: what was entered, and what is wrong with it."""

    kind: ActionKind
    values: Mapping[str, str]
    errors: Mapping[str, str]


def _form(desk: Desk, kind: ActionKind, subject: str, refused: _Refused | None) -> FilledForm:
    if refused is None or refused.kind is not kind:
        return desk.form(kind, subject)
    return desk.form(kind, subject, refused.values, refused.errors)


def _deadline_form(desk: Desk, subject: str, period: Period | None, refused: _Refused | None) -> FilledForm:
    """The form that moves a deadline, at first that of the chosen month."""
    form = _form(desk, ActionKind.DEADLINE, subject, refused)
    return form if form.values else dataclasses.replace(form, values={"deadline_period": str(period or "")})


# All institutions


@router.get("")
def show_institutions(desk: AtDesk, kind: str = "") -> Response:
    """Every institution of the register."""
    return _list_page(desk, kind)


@router.post("/deadline", dependencies=acts())
def move_for_all(
    desk: AtDesk,
    key: FormText = "",
    deadline_period: FormText = "",
    deadline_day: FormText = "",
    deadline_reason: FormText = "",
) -> Response:
    """Move a month's deadline for every institution."""
    values = {"deadline_period": deadline_period, "deadline_day": deadline_day, "deadline_reason": deadline_reason}
    try:
        return _move(desk, key, None, values)
    except FormError as error:
        return _list_page(
            desk, desk.request.query_params.get("kind", ""), _Refused(ActionKind.DEADLINE, values, error.sentences)
        )


def _list_page(desk: Desk, kind: str, refused: _Refused | None = None) -> Response:
    require_kind(desk, kind)
    with desk.connect() as connection:
        period, periods = desk.opened_month(connection)
        rows = connection.execute(load_statement("web/institutions"), {"code": None}).all()
        deadlines = [] if period is None else read_deadlines(connection, period)
        moves = _read_moves(connection, None, period)
        open_months = _read_open_months(connection)
        register = read_register(connection)
    shown = [row for row in rows if kind in ("", row.kind)]
    return desk.answer(
        "institutions.html",
        page="institutions",
        title="机构",
        tables=[_institutions_table(desk, shown, register, deadlines, period), _moves_table(moves)],
        period=period,
        periods=periods,
        errors=None if refused is None else refused.errors,
        kinds=INSTITUTION_KIND_WORDS,
        kind=kind,
        open_months=pairs_of(open_months),
        deadline_form=_deadline_form(desk, EVERYBODY, period, refused),
    )


def _href(desk: Desk, code: str) -> str:
    """The page of an institution, with the month that this one shows."""
    return desk.href(f"institutions/{code}", period=desk.asked_period)


def _institutions_table(
    desk: Desk, rows: Sequence[Row[Any]], register: Register, deadlines: Sequence[Deadline], period: Period | None
) -> Table:
    until = {each.institution_code: each for each in deadlines}
    month = period or Period.current()
    owed = {each.code: len(register.owed_by(each, month)) for each in register.institutions}
    return Table(
        name="institutions",
        title="登记的机构",
        columns=[
            Column("code", "代码"),
            Column("short_name", "简称"),
            Column("name", "名称"),
            Column("kind", "类别"),
            Column("division", "所在区划"),
            Column("opened_on", "开业"),
            Column("closed_on", "关闭"),
            Column("owed", "应报报表", Form.COUNT, "张"),
            Column("deadline", "报送期限"),
            Column("contacts", "联系人", Form.COUNT, "个"),
            Column("leaders", "领导", Form.COUNT, "个"),
            Column("state", "状态"),
        ],
        rows=[
            (
                Cell(value=row.code, href=_href(desk, row.code), is_head=True),
                *(row.short_name, row.name, INSTITUTION_KIND_WORDS[InstitutionKind(row.kind)], row.division_name),
                *(row.opened_on, row.closed_on),
                counted(owed[row.code], f"{_href(desk, row.code)}#obligations"),
                _deadline_cell(until.get(row.code)),
                Cell(
                    value=row.contacts,
                    href=f"{_href(desk, row.code)}#contacts",
                    state=None if row.contacts else "warn",
                    title=_added_words(row.added),
                ),
                counted(row.leaders, f"{_href(desk, row.code)}#contacts"),
                _state_cell(row),
            )
            for row in rows
        ],
        empty="没有这类机构；机构在登记文件 institutions.csv 中增加，然后执行 five-precisions init。",
        note="机构、区划、报送义务在登记文件 institutions.csv、divisions.csv、obligations.csv 中修改，"
        "然后执行 five-precisions init。应报报表、报送期限是所选月份的。",
    )


def _deadline_cell(deadline: Deadline | None) -> Cell:
    """Until when an institution may deliver for the month; None where it owes nothing then."""
    if deadline is None or deadline.moved_at is None:
        return Cell(value=None if deadline is None else deadline.last_day)
    return Cell(value=deadline.last_day, state="warn", title=f"调整过：{deadline.reason}")


def _added_words(added: int) -> str | None:
    return f"其中{added}个是页面增加的" if added else None


def _state_cell(row: Row[Any]) -> Cell:
    today = datetime.now(SHANGHAI).date()
    if row.closed_on is not None:
        return Cell(value="已关闭" if row.closed_on <= today else "将关闭", state="faint")
    if row.left_files_at is not None:
        return Cell(
            value="登记文件中已没有",
            state="bad",
            title="仍按原义务报送；请补回 institutions.csv，或用 five-precisions register close 关闭",
        )
    return Cell(value="在册", state="good") if row.opened_on <= today else Cell(value="尚未开业", state="faint")


# One institution


@router.get("/{code}")
def show_institution(desk: AtDesk, code: str) -> Response:
    """What the register says of an institution, and what can be done for it."""
    return _institution_page(desk, code)


@router.post("/{code}/deadline", dependencies=acts())
def move_for_one(
    desk: AtDesk,
    code: str,
    key: FormText = "",
    deadline_period: FormText = "",
    deadline_day: FormText = "",
    deadline_reason: FormText = "",
) -> Response:
    """Move a month's deadline for one institution."""
    values = {"deadline_period": deadline_period, "deadline_day": deadline_day, "deadline_reason": deadline_reason}
    with desk.connect() as connection:
        institution = find_institution(desk, read_register(connection), code)
    try:
        return _move(desk, key, institution, values)
    except FormError as error:
        return _institution_page(desk, code, _Refused(ActionKind.DEADLINE, values, error.sentences))


@router.post("/{code}/contacts", dependencies=acts())
def add_one_contact(
    desk: AtDesk,
    code: str,
    key: FormText = "",
    contact_role: FormText = "",
    contact_address: FormText = "",
    contact_fallback: FormText = "",
    contact_reason: FormText = "",
) -> Response:
    """Add a contact beside those of contacts.csv."""
    values = {
        "contact_role": contact_role,
        "contact_address": contact_address,
        "contact_fallback": contact_fallback,
        "contact_reason": contact_reason,
    }
    with desk.connect() as connection:
        institution = find_institution(desk, read_register(connection), code)
    try:
        return _add(desk, key, institution, values)
    except FormError as error:
        return _institution_page(desk, code, _Refused(ActionKind.CONTACT, values, error.sentences))


@router.post("/{code}/contacts/remove", dependencies=acts())
def remove_one_contact(
    desk: AtDesk, code: str, key: FormText = "", removed_contact: FormText = "", removed_reason: FormText = ""
) -> Response:
    """Take away a contact that was added here."""
    values = {"removed_contact": removed_contact, "removed_reason": removed_reason}
    with desk.connect() as connection:
        institution = find_institution(desk, read_register(connection), code)
    try:
        return _remove(desk, key, institution, values)
    except FormError as error:
        return _institution_page(desk, code, _Refused(ActionKind.CONTACT_REMOVED, values, error.sentences))


def months_to_fill_in(opened: Sequence[str]) -> list[str]:
    """The months that a package may be for: this one, and those that were opened last, the newest first.

    Args:
        opened: Months that were opened, the newest first.
    """
    now = Period.current()
    after = [Period.parse(opened[0]).next()] if opened else []
    months = {now, *after, *map(Period.parse, opened[:MONTHS])}
    return [str(each) for each in sorted(months, reverse=True) if each <= now]


def pairs_of(values: Sequence[str]) -> list[tuple[str, str]]:
    """Choices that are called as they are written."""
    return [(each, each) for each in values]


def largest_check_mb(settings: Settings) -> int:
    """Megabytes of all files of a self-check together."""
    return _LARGEST_FILES * settings.max_file_mb


def _institution_page(desk: Desk, code: str, refused: _Refused | None = None) -> Response:
    with desk.connect() as connection:
        register = read_register(connection)
        institution = find_institution(desk, register, code)
        period, periods = desk.opened_month(connection)
        row = connection.execute(load_statement("web/institutions"), {"code": code}).one()
        contacts = read_contacts(connection, code)
        deadlines = connection.execute(load_statement("web/institution_deadlines"), _window(code, period)).all()
        moves = _read_moves(connection, code, period)
        open_months = [each for each in _read_open_months(connection) if institution.is_open_in(Period.parse(each))]
    months = pairs_of(months_to_fill_in(periods))
    closings = next(each.closings for each in list_institutions(desk.engine) if each.code == code)
    return desk.answer(
        "institution.html",
        page="institutions",
        title=institution.short_name,
        tables=[
            _contacts_table(contacts, has_left=row.left_files_at is not None),
            _obligations_table(register, institution, period or Period.current()),
            _deadlines_table(desk, institution, deadlines, period),
            _moves_table(moves),
        ],
        period=period,
        periods=periods,
        errors=None if refused is None else refused.errors,
        institution=institution,
        row=row,
        kind=INSTITUTION_KIND_WORDS[institution.kind],
        state=_state_cell(row),
        closings=closings,
        roles=[(each, ROLE_WORDS[each]) for each in _roles(institution)],
        added=[
            (_name_of(each), f"{ROLE_WORDS[each.role]} {_shown(each.address)}") for each in contacts if each.is_added
        ],
        open_months=pairs_of(open_months),
        month_choices=months,
        is_in_files=row.left_files_at is None,
        most_files=MOST_FILES,
        most_mb=largest_check_mb(desk.settings),
        deadline_form=_deadline_form(desk, code, period, refused),
        contact_form=_form(desk, ActionKind.CONTACT, code, refused),
        removal_form=_form(desk, ActionKind.CONTACT_REMOVED, code, refused),
        check_form=desk.form(ActionKind.CHECK, code, {"check_period": str(period or "")}),
    )


def _obligations_table(register: Register, institution: Institution, period: Period) -> Table:
    """What its kind owes: first what the institution owes for the month, then what it owes for others only."""
    owed = register.owed_by(institution, period)
    lines = [
        (report, each, owed.get(report) == each)
        for report, obligations in register.obligations_of(institution.kind).items()
        for each in obligations
    ]
    return Table(
        name="obligations",
        title="报送义务",
        columns=[
            Column("report", "报表"),
            Column("nil_allowed", "可否零报送"),
            Column("months", "应报月份"),
            Column("this_month", "所选月份"),
            Column("source", "来源"),
        ],
        rows=[
            (
                Cell(value=load_reports()[report].title, is_head=True),
                *("可以" if each.nil_allowed else "不可以", _months_owed(each, institution)),
                Cell(value="应报") if is_owed else Cell(value="不需报送", state="faint"),
                "obligations.csv",
            )
            for report, each, is_owed in sorted(lines, key=lambda line: not line[2])
        ],
        empty="这类机构没有报送义务；在 obligations.csv 中增加。",
    )


def _months_owed(obligation: Obligation, institution: Institution) -> str:
    """The months for which the institution owes a report, in words."""
    first, last = obligation.first_period_of(institution), obligation.until_period
    if last is not None and last < first:
        return "不适用"
    begin = "" if obligation.from_period is None else f"{first.words}起"
    if obligation.from_month > 1 and first == institution.month(obligation.from_month):
        begin = f"{first.words}（开业第{obligation.from_month}个月）起"
    return "，".join(filter(None, [begin, "" if last is None else f"{last.words}止"])) or "每月"


def _contacts_table(contacts: Sequence[RegisteredContact], *, has_left: bool) -> Table:
    in_files = "原 contacts.csv，机构已不在登记文件中" if has_left else "contacts.csv，在文件中修改"
    return Table(
        name="contacts",
        title="联系人",
        columns=[
            Column("role", "身份"),
            Column("address", "地址"),
            Column("fallback_address", "备用邮箱"),
            Column("source", "来源"),
            Column("added_by", "增加人"),
            Column("added_at", "增加时间"),
            Column("reason", "理由"),
        ],
        rows=[
            (
                Cell(value=ROLE_WORDS[each.role], is_head=True),
                *(_shown(each.address), each.fallback_address, "页面增加" if each.is_added else in_files),
                *(each.added_by, each.added_at, each.reason),
            )
            for each in contacts
        ],
        empty="没有联系人，回执和催报无人接收；请在下面增加，或写入 contacts.csv 后执行 five-precisions init。",
        note="聊天服务的地址含令牌，只显示服务名。",
    )


def _shown(address: str) -> str:
    return without_token(address)


def _deadlines_table(desk: Desk, institution: Institution, rows: Sequence[Row[Any]], chosen: Period | None) -> Table:
    own = [row for row in rows if institution.is_open_in(Period.parse(row.period))]
    return Table(
        name="deadlines",
        title="报送期限",
        columns=[
            Column("period", "月份"),
            Column("last_day", "报送期限"),
            Column("by_calendar", "按日历应为"),
            Column("scope", "调整范围"),
            Column("reason", "调整理由"),
            Column("state", "月份状态"),
        ],
        rows=[
            (
                Cell(
                    value=row.period,
                    href=desk.href(f"reporting/{institution.code}", period=row.period),
                    is_head=True,
                    state="chosen" if row.period == str(chosen) else None,
                ),
                Cell(value=last_day_of(row.deadline_at), state="warn" if row.moved_at else None),
                last_day_of(row.by_calendar_at),
                None if row.moved_at is None else ("本机构" if row.is_own else EVERYBODY),
                row.reason,
                "未关闭" if row.closed_at is None else "已关闭",
            )
            for row in own
        ],
        empty="还没有需要该机构报送的月份。",
        note=f"未关闭的月份，和到所选月份为止的{MONTHS}个月；期限为当日24时。",
    )


def _moves_table(moves: Sequence[Row[Any]]) -> Table:
    return Table(
        name="moves",
        title="期限调整记录",
        columns=[
            Column("period", "月份"),
            Column("scope", "范围"),
            Column("last_day", "调整为"),
            Column("reason", "理由"),
            Column("moved_at", "时间"),
        ],
        rows=[
            (
                Cell(value=row.period, is_head=True),
                EVERYBODY if row.institution_code is None else row.short_name,
                *(last_day_of(row.deadline_at), row.reason, row.moved_at),
            )
            for row in moves
        ],
        empty="没有调整过期限。",
    )


def _window(code: str | None, period: Period | None) -> dict[str, object]:
    """The months that are looked at, up to the chosen one; there is none before the first is opened."""
    return {"code": code, "period": None if period is None else str(period), "months": MONTHS}


def _read_moves(connection: Connection, code: str | None, period: Period | None) -> Sequence[Row[Any]]:
    return connection.execute(load_statement("web/deadline_moves"), _window(code, period)).all()


def _read_open_months(connection: Connection) -> list[str]:
    """Months that are opened and not closed, the newest first."""
    return list(connection.execute(_OPEN_MONTHS).scalars())


# Moving a deadline


def _move(desk: Desk, key: str, institution: Institution | None, values: Mapping[str, str]) -> Response:
    """Move a deadline, once.

    Raises:
        FormError: a field cannot be taken, or the month is closed by now.
    """
    day_words, reason = values["deadline_day"].strip(), values["deadline_reason"]
    errors: dict[str, str] = {}
    with desk.connect() as connection:
        open_months = _read_open_months(connection)
        period = Period.parse(values["deadline_period"]) if values["deadline_period"] in open_months else None
        deadlines = [] if period is None else read_deadlines(connection, period)
    if period is None:
        errors["deadline_period"] = "请选择一个已打开、未关闭的月份；关闭后的期限不再调整。"
    elif institution is not None and not institution.is_open_in(period):
        errors["deadline_period"] = "该机构本月不需报送。"
    day = _day(day_words)
    if day is None:
        errors["deadline_day"] = "请填写日期，写作2019-07-15。"
    elif period is not None and day <= period.end:
        errors["deadline_day"] = f"期限应在{period.words}结束之后。"
    elif period is not None and day > latest_day(period):
        errors["deadline_day"] = f"最晚可以调整到{latest_day(period)}。"
    if (wrong := reason_error(reason)) is not None:
        errors["deadline_reason"] = wrong
    if errors or period is None or day is None:
        raise FormError(errors)
    code = None if institution is None else institution.code
    ended = [
        f"{each.short_name}（原为{each.last_day}）"
        for each in deadlines
        if code is None and each.is_own and each.last_day != day
    ]
    rest = f"；单独调整过的随之改变：{'、'.join(ended)}" if ended else ""
    who = EVERYBODY if institution is None else institution.short_name
    return _act(
        desk,
        key,
        Action(kind=ActionKind.DEADLINE, subject=code or EVERYBODY, period=str(period), reason=reason_entered(reason)),
        f"{who}{period.words}的报送期限已调整为{day}{rest}。",
        desk.keeping("institutions" if code is None else f"institutions/{code}"),
        lambda connection: move_deadline(connection, desk.settings, period, day, reason, institution=code),
        refused="这个月刚刚关闭，期限没有调整。",
    )


def _day(words: str) -> date | None:
    try:
        return parse_day(words)
    except UsageError:
        return None


def _act(
    desk: Desk,
    key: str,
    action: Action,
    outcome: str,
    back: str,
    do: Callable[[Connection], object],
    *,
    refused: str,
) -> Response:
    """As `Desk.act`, with the sentence for what the domain does not allow."""
    try:
        return desk.act(key, action, outcome, back, do)
    except RefusedError:
        raise FormError({"": refused}) from None
    except UsageError:
        raise FormError({"": "没有执行：所填内容不在本系统的处理范围内，请核对月份、机构和文字。"}) from None


# Contacts


def _roles(institution: Institution) -> list[ContactRole]:
    """Leaders are the centre's (docs/own-city.md#register-files)."""
    return list(ContactRole) if institution.kind is InstitutionKind.CENTRE else [ContactRole.CONTACT]


def _name_of(contact: RegisteredContact) -> str:
    """A contact as a form names it: an Apprise URL's token has no place there."""
    return f"{contact.role}/{recipient_of(contact.address)}"


def _add(desk: Desk, key: str, institution: Institution, values: Mapping[str, str]) -> Response:
    """Add a contact, once.

    Raises:
        FormError: a field cannot be taken, or the contact is there already.
    """
    address, fallback = values["contact_address"].strip(), values["contact_fallback"].strip()
    reason = values["contact_reason"]
    errors: dict[str, str] = {}
    if values["contact_role"] not in _roles(institution):
        errors["contact_role"] = "请选择身份；领导只登记在中心支行名下。"
    if (wrong := _address_error(address)) is not None:
        errors["contact_address"] = wrong
    if fallback and not is_mailbox(fallback):
        errors["contact_fallback"] = "备用地址应是一个邮箱，如 name@example.cn。"
    elif fallback and not is_service(address):
        errors["contact_fallback"] = "备用邮箱只用于 Apprise 地址；地址本身是邮箱的不填。"
    if (wrong := reason_error(reason)) is not None:
        errors["contact_reason"] = wrong
    if errors:
        raise FormError(errors)
    role = ContactRole(values["contact_role"])
    contact = Contact(institution.code, address, role, fallback or None)
    return _act(
        desk,
        key,
        Action(kind=ActionKind.CONTACT, subject=institution.code, reason=reason_entered(reason)),
        f"已为{institution.short_name}增加{ROLE_WORDS[role]} {_shown(address)}。",
        f"{desk.keeping(f'institutions/{institution.code}')}#contacts",
        lambda connection: add_contact(connection, contact, reason=reason, added_by=desk.user.get_name()),
        refused="该机构已经登记了这个地址和身份，没有重复增加。",
    )


def _address_error(address: str) -> str | None:
    if not address:
        return "请填写邮箱或 Apprise 地址。"
    if any(map(is_control, address)):
        return "地址中有控制字符，请重新填写。"
    if why_unreachable(address) is None:
        return None
    if is_service(address):
        return "这个 Apprise 地址用不了：服务名不对、缺少必要的部分，或者写了不止一个接收人。"
    return "应是一个邮箱，如 name@example.cn，前后不带姓名；或者一个 Apprise 地址。"


def _remove(desk: Desk, key: str, institution: Institution, values: Mapping[str, str]) -> Response:
    """Take away a contact that was added here, once.

    Raises:
        FormError: a field cannot be taken, or there is no such contact any more.
    """
    chosen, reason = values["removed_contact"], values["removed_reason"]
    errors: dict[str, str] = {}
    role, slash, recipient = chosen.partition("/")
    if not slash or role not in list(ContactRole) or not recipient:
        errors["removed_contact"] = "请选择要移除的联系人。"
    if (wrong := reason_error(reason)) is not None:
        errors["removed_reason"] = wrong
    if errors:
        raise FormError(errors)

    def take_away(connection: Connection) -> None:
        for each in read_contacts(connection, institution.code):
            if _name_of(each) == chosen:
                remove_contact(connection, each.contact)
                return
        raise RefusedError(f"{institution.code} has no such contact.")

    return _act(
        desk,
        key,
        Action(kind=ActionKind.CONTACT_REMOVED, subject=institution.code, reason=reason_entered(reason)),
        f"已移除{institution.short_name}的{ROLE_WORDS[ContactRole(role)]} {recipient.partition('#')[0]}。",
        f"{desk.keeping(f'institutions/{institution.code}')}#contacts",
        take_away,
        refused="没有移除：该联系人已经不在，或者写在 contacts.csv 中，须在文件中修改。",
    )
