"""The page of inspections: where next, which loans, and what became of findings (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Row

from five_precisions.display import Form
from five_precisions.errors import UsageError
from five_precisions.figures.lists import Outlet, SampledLoan, read_inspection_list
from five_precisions.period import Period
from five_precisions.reference import Scope
from five_precisions.register import InstitutionKind, read_register
from five_precisions.register.decision import storable
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.assessed import proof_href
from five_precisions.web.desk import NOTHING_ASSESSED, AtDesk, Desk
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.places import Places
from five_precisions.web.tables import Cell, Column, Table, Value, counted, tables_as_workbook

MOST_OUTLETS: Final = 100
"""On a page."""
MOST_IN_WORKBOOK: Final = 500
"""Outlets that a workbook holds, each with its loans: more than anybody inspects in a quarter."""
_FOLLOWUP_WORDS: Final = {
    "running": "整改期内",
    "overdue": "逾期未整改",
    "mended": "按期整改",
    "mended_late": "逾期整改",
    "doubtful": "整改存疑",
    "gone": "不再列出",
}
_FOLLOWUP_STATES: Final = {
    "overdue": "bad",
    "doubtful": "warn",
    "gone": "warn",
    "mended": "good",
    "mended_late": "good",
}
_DRAWN: Final = {"risk": "风险", "random": "随机"}
_LOAN_COLUMNS: Final = (
    Column("place", "样本顺序", Form.RANK),
    Column("contract_no", "合同编号"),
    Column("household_no", "户编号"),
    Column("drawn", "抽取方式"),
    Column("balance", "贷款余额", Form.AMOUNT, "元"),
    Column("overdue_days", "逾期", Form.COUNT, "天"),
    Column("risk_class", "五级分类"),
    Column("reason", "说明"),
)

router = APIRouter(prefix="/cases/inspections", dependencies=[sees_runs(ASSESSMENT)])
"""Goes before the router of cases, to which `inspections` would be a case."""


@router.get("")
def show_inspections(desk: AtDesk, institution: str = "", county: str = "", outlet: str = "") -> Response:
    """What became of earlier findings, where to inspect next, and the loans that are looked at there."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("inspections.html", page="cases", title="督查清单", empty=NOTHING_ASSESSED)
        register = read_register(connection)
        counties = Places.of(register).counties
        banks = {each.code: each.short_name for each in register.institutions if each.kind is InstitutionKind.BANK}
        _require_filters(
            desk, institution, county, {each.code: each.short_name for each in register.institutions}, counties
        )
        asked: dict[str, object] = {"period": str(period), "institution": institution or None}
        followups = connection.execute(load_statement("web/followups"), asked).all()
        is_file = "download" in desk.request.query_params
        asked |= {"county": county or None, "first": None if is_file else MOST_OUTLETS + 1}
        outlets = connection.execute(load_statement("web/outlets"), asked).all()
    chosen = _chosen_outlet(desk, period, outlet, outlets)
    return desk.answer(
        "inspections.html",
        page="cases",
        title="督查清单",
        tables=[
            _outlets_table(desk, outlets if is_file else outlets[:MOST_OUTLETS], chosen, period),
            _sample_table(chosen),
            _followups_table(desk, followups, period),
        ],
        period=period,
        periods=periods,
        institution=institution,
        county=county,
        banks=banks,
        counties=counties,
        is_cut=len(outlets) > MOST_OUTLETS,
        most=MOST_OUTLETS,
        most_in_workbook=MOST_IN_WORKBOOK,
    )


@router.get("/workbook")
def save_inspections(desk: AtDesk, institution: str = "", county: str = "") -> Response:
    """Outlets, the loans drawn in each, and what became of earlier findings, as one workbook to take along."""
    with desk.connect() as connection:
        period, _ = desk.assessed_month(connection)
        if period is None:
            raise NotThereError(NOTHING_ASSESSED)
        register = read_register(connection)
        places = Places.of(register)
        names = {each.code: each.short_name for each in register.institutions}
        _require_filters(desk, institution, county, names, places.counties)
        asked: dict[str, object] = {"period": str(period), "institution": institution or None}
        followups = connection.execute(load_statement("web/followups"), asked).all()
        asked |= {"county": county or None, "first": MOST_IN_WORKBOOK}
        rows = connection.execute(load_statement("web/outlets"), asked).all()
    is_bank = not institution or any(
        each.code == institution and each.kind is InstitutionKind.BANK for each in register.institutions
    )
    drawn = read_inspection_list(desk.engine, period, institution=institution or None) if is_bank else []
    listed = {row.place for row in rows}
    wanted = [each for each in drawn if each.place in listed]
    tables = [
        _outlets_table(desk, rows, None, period),
        _all_samples_table(wanted),
        _followups_table(desk, followups, period),
    ]
    content = tables_as_workbook(
        [(each, f"{period.words}{each.title}") for each in tables], f"{period.words}现场督查清单"
    )
    who = [names[institution] if institution else "", places.counties[county] if county else ""]
    return desk.download(content, "-".join(filter(None, ("督查清单", *who, str(period)))) + ".xlsx", period=str(period))


def _require_filters(
    desk: Desk, institution: str, county: str, institutions: Mapping[str, str], counties: Mapping[str, str]
) -> None:
    for name, value, there, sentence in (
        ("institution", institution, institutions, "没有这个机构。"),
        ("county", county, counties, "没有这个县区。"),
    ):
        if value and value not in there:
            raise NotThereError(sentence, [Choice(words, desk.here(**{name: each})) for each, words in there.items()])


def _chosen_outlet(desk: Desk, period: Period, outlet: str, outlets: Sequence[Row[Any]]) -> Outlet | None:
    """The outlet whose loans are shown: as the address asks, else the first; None where the month has it not."""
    if not outlet and not outlets:
        return None
    bank, _, town = storable(outlet or _outlet_key(outlets[0])).partition("-")
    try:
        found = read_inspection_list(desk.engine, period, institution=bank, town=town)
    except UsageError:
        choices = [Choice(f"{each.bank} {each.town}", desk.here(outlet=_outlet_key(each))) for each in outlets[:12]]
        raise NotThereError("没有这个网点。", choices) from None
    return found[0] if found else None


def _outlet_key(row: Any) -> str:
    return f"{row.bank_code}-{row.town_code}"


def _outlets_table(desk: Desk, outlets: Sequence[Row[Any]], chosen: Outlet | None, period: Period) -> Table:
    return Table(
        name="outlets",
        title="下次督查网点",
        columns=[
            Column("place", "顺序", Form.RANK),
            Column("bank", "银行"),
            Column("county", "县区"),
            Column("town", "乡镇"),
            Column("outlet", "网点"),
            Column("risk", "风险分", Form.SCORE),
            Column("open_alerts", "本镇预警", Form.COUNT, "项"),
            Column("shared_alerts", "全行或全县区预警", Form.COUNT, "项"),
            Column("balance", "贷款余额", Form.AMOUNT, "万元"),
            Column("last_inspected_on", "最近督查"),
            Column("loans", "抽样贷款", Form.COUNT, "笔"),
            Column("reason", "说明"),
        ],
        rows=[
            (
                Cell(
                    value=row.place,
                    href=f"{desk.here(outlet=_outlet_key(row))}#sample",
                    title="看这个网点的抽样贷款",
                    is_head=True,
                    state="chosen" if chosen is not None and _outlet_key(chosen) == _outlet_key(row) else None,
                ),
                *(row.bank, row.county, row.town, row.outlet_name or None, row.risk),
                counted(
                    row.open_alerts,
                    desk.href("cases", period=period, institution=row.bank_code, county=row.county_code),
                ),
                counted(row.shared_alerts, desk.href("cases", period=period, institution=row.bank_code)),
                Cell(
                    value=row.balance,
                    href=proof_href(desk, "loan_balance", Scope.BANK, row.bank_code, period),
                    title="该行贷款余额的来源，其中有这个乡镇的贷款",
                ),
                row.last_inspected_on,
                counted(row.loans, f"{desk.here(outlet=_outlet_key(row))}#sample"),
                row.reason,
            )
            for row in outlets
        ],
        empty="本月没有可督查的网点：贷款台账和网格化管理责任表都没有报送，或不符合上面的条件。",
        note="按风险分从高到低；点顺序号看该网点抽到的贷款。",
    )


def _sample_table(outlet: Outlet | None) -> Table:
    """The loans drawn in one outlet."""
    named = "" if outlet is None else f"：{outlet.bank} {outlet.town}"
    return Table(
        name="sample",
        title=f"抽样贷款{named}",
        columns=_LOAN_COLUMNS,
        rows=[] if outlet is None else [_loan_cells(loan) for loan in outlet.sample],
        empty="没有抽到贷款：这个网点没有贷款，或者不在本月的督查清单里。",
        note="抽样种子和抽签值在工作簿里，可以凭它们验算。",
    )


def _all_samples_table(outlets: Sequence[Outlet]) -> Table:
    """The loans drawn in every outlet, with what the draw can be checked by."""
    return Table(
        name="samples",
        title="抽样贷款",
        columns=[
            *(Column("outlet", "网点顺序", Form.RANK), Column("bank", "银行"), Column("town", "乡镇")),
            *(*_LOAN_COLUMNS, Column("seed", "抽样种子"), Column("draw", "抽签值")),
        ],
        rows=[
            (outlet.place, outlet.bank, outlet.town, *_loan_cells(loan), outlet.seed, loan.draw)
            for outlet in outlets
            for loan in outlet.sample
        ],
        empty="没有抽到贷款。",
    )


def _loan_cells(loan: SampledLoan) -> Sequence[Value | Cell]:
    return (
        *(Cell(value=loan.place, is_head=True), loan.contract_no, loan.household_no, _DRAWN[loan.drawn]),
        *(loan.balance, loan.overdue_days, loan.risk_class, loan.reason),
    )


def _followups_table(desk: Desk, rows: Sequence[Row[Any]], period: Period) -> Table:
    return Table(
        name="followups",
        title="督查问题整改跟踪",
        columns=[
            Column("finding_no", "问题编号"),
            Column("institution", "机构"),
            Column("aspect", "督查方面"),
            Column("severity", "严重程度"),
            Column("inspected_on", "督查日期"),
            Column("due_on", "整改期限"),
            Column("mended_on", "整改日期"),
            Column("state", "状态"),
            Column("open_alerts", "同方面预警", Form.COUNT, "项"),
            Column("remark", "说明"),
        ],
        rows=[
            (
                *(Cell(value=row.finding_no, is_head=True), row.short_name, row.aspect, row.severity),
                *(row.inspected_on, row.due_on, row.mended_on),
                Cell(value=_FOLLOWUP_WORDS[row.state], state=_FOLLOWUP_STATES.get(row.state)),
                counted(
                    row.open_alerts,
                    desk.href("cases", period=period, institution=row.institution_code, aspect=row.aspect),
                ),
                row.remark,
            )
            for row in rows
        ],
        empty="本月没有需要跟踪的督查问题；督查台账由中心支行报送。",
    )
