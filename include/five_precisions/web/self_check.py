"""What ops do for an institution that fills in its package: the empty template, and the self-check of its files.

See docs/intake.md#self-check. Nothing that is uploaded is kept: it lies in a folder of its own while it is checked.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as StarletteHTTPException

from five_precisions.collection import check
from five_precisions.display import Form, is_control
from five_precisions.errors import UsageError
from five_precisions.forms.template import render_template
from five_precisions.intake import Judgement, Verdict
from five_precisions.intake.level_words import REPORT_VERDICT_WORDS, SUBMISSION_VERDICT_WORDS
from five_precisions.period import Period
from five_precisions.register import Institution, load_register, read_register
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.reports.level import Level
from five_precisions.web.access import COLLECTION, acts, sees_runs
from five_precisions.web.actions import ActedBeforeError, Action, ActionKind, FormError, acting, require_key
from five_precisions.web.desk import AtDesk, Desk
from five_precisions.web.finding_tables import MOST_FINDINGS, findings_table
from five_precisions.web.institution_choice import find_institution
from five_precisions.web.institutions import MOST_FILES, largest_check_mb, months_to_fill_in, pairs_of
from five_precisions.web.limits import PACKAGES, BusyError
from five_precisions.web.page import SECURITY_HEADERS, SHEET, Choice, NotThereError, file_answer
from five_precisions.web.tables import Cell, Column, Table

_MEGABYTE: Final = 1024**2
_FOLDERS: Final = "five-precisions-check-"
"""How the names of folders begin in which files are checked."""
_LONGEST_CHECK: Final = 3600
"""Seconds, more than any check takes: an older folder belongs to a process that was killed."""
_LONGEST_NAME: Final = 240
"""Bytes of a file's name; file systems take 255, and a number may follow."""
_VERDICT_STATES: Final = {
    Verdict.ACCEPTED: "good",
    Verdict.NIL: "good",
    Verdict.PARTIAL: "warn",
    Verdict.REJECTED: "bad",
}

router = APIRouter(prefix="/institutions/{code}", dependencies=[sees_runs(COLLECTION)])


@dataclass(frozen=True, slots=True)
class _CheckedPackage:
    """What a check has found, and its findings workbook where one was wanted and there is any finding."""

    judgement: Judgement
    workbook: bytes | None


# The template


@router.get("/template")
def save_template(desk: AtDesk, code: str, period: str = "") -> Response:
    """The empty workbook that the institution fills in."""
    desk.require_own_link()
    back = Choice("返回", desk.href(f"institutions/{code}"))
    try:
        month = Period.parse(period) if period else None
    except UsageError:
        raise NotThereError("网址中的月份不对，应写作2019-06。", [back]) from None
    with desk.connect() as connection:
        find_institution(desk, read_register(connection), code)
    register = load_register(desk.settings.register_folder)
    institution = register.institution(code)
    if institution is None:
        raise NotThereError("登记文件中没有这个机构，不能生成模板；请核对 institutions.csv。", [back])
    try:
        content = render_template(register, institution, period=month)
    except UsageError:
        when = "" if month is None else month.words
        raise NotThereError(f"该机构{when}没有应报的报表，不能生成模板；请核对 obligations.csv。", [back]) from None
    named = None if month is None else str(month)
    name = "-".join(filter(None, ("报送模板", code, named))) + ".xlsx"
    action = Action(kind=ActionKind.TEMPLATE, subject=code, period=named)
    with acting(desk.engine, desk.user, secrets.token_urlsafe(24), action, f"已生成{name}"):
        pass
    return file_answer(content, name, SHEET)


# The check


@router.get("/check")
def lead_to_form(desk: AtDesk, code: str) -> Response:
    """The address of an answer leads to the form: nothing of the answer is kept."""
    return RedirectResponse(f"{desk.href(f'institutions/{code}')}#check", headers=dict(SECURITY_HEADERS))


@router.post("/check", dependencies=acts())
async def check_files(request: Request, desk: AtDesk, code: str) -> Response:
    """What the intake finds in the files; or the same as a findings workbook."""
    institution = await run_in_threadpool(_find, desk, code)
    values: dict[str, str] = {}
    try:
        # The body is read here, where it is known who sends it and how much it is.
        await _require_small(request, desk)
        try:
            form = await request.form(max_files=MOST_FILES, max_fields=10)
        except StarletteHTTPException:
            raise FormError({"files": f"文件没有收全，或者多于{MOST_FILES}个，请重新选择。"}) from None
        try:
            values = {name: words for name, words in form.multi_items() if isinstance(words, str)}
            files = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
            return await run_in_threadpool(_answer, desk, institution, values, files)
        finally:
            await form.close()
    except FormError as error:
        return await run_in_threadpool(_page, desk, institution, values, None, error.sentences)


def _find(desk: Desk, code: str) -> Institution:
    with desk.connect() as connection:
        return find_institution(desk, read_register(connection), code)


async def _require_small(request: Request, desk: Desk) -> None:
    """Refuse a body that is too large, before anything of it is kept.

    Raises:
        FormError: so it is, or it does not say how large it is.
    """
    most = largest_check_mb(desk.settings)
    length = request.headers.get("content-length", "")
    # The form itself takes less than a megabyte.
    if length.isdecimal() and int(length) <= (most + 1) * _MEGABYTE:
        return
    # A browser shows no answer before it has sent all.
    async for _ in request.stream():
        pass
    raise FormError({"files": f"文件合计不能超过{most}MB，请分几次检查。"})


def _answer(desk: Desk, institution: Institution, values: Mapping[str, str], files: Sequence[UploadFile]) -> Response:
    code = institution.code
    require_key(values.get("key", ""), desk.user, ActionKind.CHECK, code)
    period = _period_of(desk, institution, values.get("check_period", ""))
    if not files:
        raise FormError({"files": "请选择要检查的文件。"})
    wants_workbook = values.get("answer") == "workbook"
    checked = _check(desk, institution, period, files, wants_workbook=wants_workbook)
    action = Action(kind=ActionKind.CHECK, subject=code, period=str(period))
    try:
        with acting(desk.engine, desk.user, values["key"], action, _outcome(checked.judgement)):
            pass
    except ActedBeforeError:
        # Who has sent the form twice sees the findings twice; on record it is one check.
        pass
    if not wants_workbook:
        return _page(desk, institution, values, checked.judgement)
    if checked.workbook is None:
        raise FormError({"files": "没有发现问题，所以没有问题清单。"})
    return desk.download(checked.workbook, f"自查问题清单-{code}-{period}.xlsx", period=str(period))


def _period_of(desk: Desk, institution: Institution, words: str) -> Period:
    """The month that the files are for.

    Raises:
        FormError: there is none of that name, or the institution is not in the files or not open then.
    """
    try:
        period = Period.parse(words)
        period.require_begun()
    except UsageError:
        raise FormError({"check_period": "请选择月份。"}) from None
    named = load_register(desk.settings.register_folder).institution(institution.code)
    if named is None:
        raise FormError({"": "登记文件中没有这个机构，不能自查；请核对 institutions.csv。"})
    if not named.is_open_in(period):
        raise FormError({"check_period": "该机构本月不需报送。"})
    return period


def _check(
    desk: Desk, institution: Institution, period: Period, files: Sequence[UploadFile], *, wants_workbook: bool
) -> _CheckedPackage:
    """Check the files in a folder that nobody else can read, and that is gone afterwards.

    Raises:
        FormError: there is nothing to check, or another check takes too long.
    """
    try:
        with PACKAGES.turn(), tempfile.TemporaryDirectory(prefix=_FOLDERS) as folder:
            _remove_leftovers()
            package, workbook = Path(folder, "package"), Path(folder, "findings.xlsx")
            package.mkdir()
            _lay(files, package)
            try:
                judgement = check(
                    desk.settings,
                    package,
                    institution.code,
                    period,
                    workbook=workbook if wants_workbook else None,
                )
            except UsageError:
                raise FormError({"files": "其中没有可以检查的文件，请选择报送包里的文件。"}) from None
            return _CheckedPackage(judgement, workbook.read_bytes() if workbook.exists() else None)
    except BusyError as error:
        raise FormError({"": str(error)}) from None


def _remove_leftovers() -> None:
    """Remove what killed processes have left of their checks."""
    for each in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        # Another process removes its own, or the same one.
        with suppress(FileNotFoundError):
            if time.time() - each.lstat().st_mtime > _LONGEST_CHECK:
                shutil.rmtree(each, ignore_errors=True)


def _lay(files: Sequence[UploadFile], folder: Path) -> None:
    for number, each in enumerate(files, 1):
        path = folder / _file_name(each.filename or "")
        while path.exists():
            path = folder / f"{path.stem}({number}){path.suffix}"
        with path.open("xb") as target:
            shutil.copyfileobj(each.file, target)


def _file_name(given: str) -> str:
    """A name that lies in the folder, whatever the browser says: without folders and what no file system takes."""
    last = given.replace("\\", "/").rpartition("/")[2]
    name = PurePath("".join(each for each in last if not is_control(each)).strip())
    if name.name in ("", ".", ".."):
        return "未命名"
    ending = name.suffix[:10]
    # File systems count bytes.
    stem = name.stem.encode()[: _LONGEST_NAME - len(ending.encode())].decode(errors="ignore")
    return f"{stem}{ending}"


def _outcome(judgement: Judgement) -> str:
    counted = {level: sum(each.level is level for each in judgement.findings) for level in Level}
    return f"{_verdict_words(judgement)}：错误{counted[Level.CRITICAL]}个，警告{counted[Level.WARNING]}个"


def _verdict_words(judgement: Judgement) -> str:
    verdict = judgement.verdict
    return SUBMISSION_VERDICT_WORDS[verdict] if isinstance(verdict, Verdict) else str(verdict)


def _page(
    desk: Desk,
    institution: Institution,
    values: Mapping[str, str],
    judgement: Judgement | None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """What was found, and the form for another check."""
    with desk.connect() as connection:
        months = months_to_fill_in(desk.opened_periods(connection))
    tables: list[Table] = []
    if judgement is not None:
        findings = findings_table(judgement.findings, "自查")
        stem = f"自查-{institution.code}-{judgement.period}"
        tables = [
            dataclasses.replace(each, title=title, carried_as=f"{stem}-{title}")
            for each, title in ((_reports_table(judgement), "各表结果"), (findings, "发现的问题"))
        ]
    return desk.answer(
        "self_check.html",
        page="institutions",
        title=f"{institution.short_name}自查",
        tables=tables,
        errors=errors,
        institution=institution,
        judgement=judgement,
        verdict=None if judgement is None else _outcome(judgement),
        is_accepted=judgement is not None and judgement.verdict is Verdict.ACCEPTED,
        is_cut=judgement is not None and len(judgement.findings) > MOST_FINDINGS,
        most=MOST_FINDINGS,
        left_out="、".join(sorted({each.rule for each in load_cross_rules()})),
        month_choices=pairs_of(months),
        most_files=MOST_FILES,
        most_mb=largest_check_mb(desk.settings),
        check_form=desk.form(ActionKind.CHECK, institution.code, values, errors),
    )


def _reports_table(judgement: Judgement) -> Table:
    reports = load_reports()
    return Table(
        name="reports",
        title="各表结果",
        columns=[
            Column("report", "报表"),
            Column("verdict", "结论"),
            Column("rows", "行数", Form.COUNT),
            Column("errors", "错误", Form.COUNT),
            Column("warnings", "警告", Form.COUNT),
        ],
        rows=[
            (
                Cell(value=reports[each.report].title, is_head=True),
                Cell(value=REPORT_VERDICT_WORDS[each.verdict], state=_VERDICT_STATES[each.verdict]),
                *(each.rows, each.errors, each.warnings),
            )
            for each in judgement.reports
        ],
        empty="文件中没有认出报表；请核对工作表的名称，或使用报送模板。",
    )
