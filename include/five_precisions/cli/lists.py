"""Commands of the lists that people work from: households, projects, outlets, and the league's own row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from five_precisions.cli.console import (
    JsonOption,
    PeriodArgument,
    check_name,
    out,
    parse_path,
    print_json,
    print_table,
    write_csv,
)
from five_precisions.display import Form, rounded
from five_precisions.installation import open_installation

if TYPE_CHECKING:
    from five_precisions.figures.lists import HouseholdLead, LeagueFigure, Outlet, ProjectLead

app = typer.Typer()
lists_app = typer.Typer(
    help="Lists that people work from, of a month's newest run: whom to visit, which projects to take up, "
    "where to inspect, and the league's own row.",
    no_args_is_help=True,
)
app.add_typer(lists_app, name="lists")

InstitutionOption = Annotated[
    str | None, typer.Option("--institution", metavar="CODE", callback=check_name, help="Only of this bank.")
]
TownOption = Annotated[
    str | None, typer.Option("--town", metavar="CODE", callback=check_name, help="Only in this town.")
]
CsvOption = Annotated[
    Path | None,
    typer.Option("--csv", parser=parse_path, metavar="FILE", help="Write all rows as CSV with Chinese headings."),
]

Value = str | int | Decimal | date | None
Row = Sequence[Value]
Entry = TypeVar("Entry")

_SHOWN_ROWS: Final = 50
"""Rows that a terminal shows of a long list."""

_VISIT_HEADINGS: Final = (
    "责任银行代码", "责任银行", "乡镇代码", "乡镇", "顺序", "户编号", "村名", "户主姓名", "本轮未走访",
    "有贷款需求未满足", "评级高未贷款", "最近走访日期", "需求金额（元）", "评分", "等级", "可授信额度（元）", "原因",
)  # fmt: skip
_MATCHING_HEADINGS: Final = (
    "县区代码", "项目编号", "项目名称", "乡镇代码", "乡镇", "产业类别", "运营主体", "资金需求（万元）", "入库日期",
    "银行代码", "银行", "名次", "契合度", "已推送本行", "本行答复", "说明",
)  # fmt: skip
_INSPECTION_HEADINGS: Final = (
    "顺序", "银行代码", "银行", "乡镇代码", "乡镇", "网点", "风险分", "预警权重", "本镇预警", "全行或全县区预警",
    "贷款余额（万元）", "最近督查日期", "网点说明", "抽样种子", "样本顺序", "合同编号", "户编号", "抽取方式", "抽签值",
    "贷款余额（元）", "逾期天数", "五级分类", "样本说明",
)  # fmt: skip
_LEAGUE_HEADINGS: Final = ("指标", "台账计算", "全省通报", "相差")
_LEAGUE_NAMES: Final = {
    "ytd_households": "本年新发放户数",
    "ytd_amount": "本年新发放金额（万元）",
    "balance": "余额（万元）",
}
_DRAWN: Final = {"risk": "风险", "random": "随机"}


@lists_app.command()
def visits(
    period: PeriodArgument,
    institution: InstitutionOption = None,
    town: TownOption = None,
    csv_file: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """Households able to work that their bank should see: whom first, and why."""
    from five_precisions.figures.lists import read_visit_list

    def shown(lead: HouseholdLead) -> Row:
        return lead.bank, lead.town, lead.place, lead.household_no, lead.village, lead.score, lead.reason

    with open_installation() as (engine, _):
        leads = read_visit_list(engine, period, institution=institution, town=town)
    _write(csv_file, _VISIT_HEADINGS, map(_visit_row, leads))
    _show(leads, ("bank", "town", "", "household", "village", "score", "why"), shown, csv_file, as_json=as_json)


@lists_app.command()
def matching(
    period: PeriodArgument,
    institution: InstitutionOption = None,
    town: TownOption = None,
    csv_file: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """Projects that nobody has taken up, and the banks that fit best; of one bank, what is open for it."""
    from five_precisions.figures.lists import read_matching_list

    def shown(lead: ProjectLead) -> Row:
        project = (lead.project_no, lead.name, lead.industry, lead.demand, lead.town)
        return *project, lead.place, lead.bank, lead.fit, lead.reason

    with open_installation() as (engine, _):
        leads = read_matching_list(engine, period, institution=institution, town=town)
    _write(csv_file, _MATCHING_HEADINGS, map(_matching_row, leads))
    headings = ("project", "", "industry", "demand, 万元", "town", "place", "bank", "fit", "why")
    _show(leads, headings, shown, csv_file, as_json=as_json)


@lists_app.command()
def inspection(
    period: PeriodArgument,
    institution: InstitutionOption = None,
    town: TownOption = None,
    csv_file: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """Outlets (bank and town) for the next on-site inspection, by risk; --csv and --json also give the loans drawn."""
    from five_precisions.figures.lists import read_inspection_list

    def shown(outlet: Outlet) -> Row:
        named = (outlet.place, outlet.bank, outlet.town, outlet.outlet_name)
        return *named, outlet.risk, len(outlet.sample), outlet.reason

    with open_installation() as (engine, _):
        outlets = read_inspection_list(engine, period, institution=institution, town=town)
    _write(csv_file, _INSPECTION_HEADINGS, (row for outlet in outlets for row in _inspection_rows(outlet)))
    headings = ("place", "bank", "town", "outlet", "risk", "loans drawn", "why")
    _show(outlets, headings, shown, csv_file, as_json=as_json)


@lists_app.command()
def league(period: PeriodArgument, csv_file: CsvOption = None, as_json: JsonOption = False) -> None:
    """The own row of the league beside the figures computed from the ledgers."""
    from five_precisions.figures.lists import read_league

    def shown(figure: LeagueFigure) -> Row:
        return figure.figure, *_compared(figure)

    with open_installation() as (engine, _):
        figures = read_league(engine, period)
    rows = ([_LEAGUE_NAMES[figure.figure], *_compared(figure)] for figure in figures)
    _write(csv_file, _LEAGUE_HEADINGS, rows)
    _show(figures, ("figure", "computed", "league", "difference"), shown, csv_file, as_json=as_json)


def _visit_row(lead: HouseholdLead) -> Row:
    return (
        *(lead.bank_code, lead.bank, lead.town_code, lead.town, lead.place, lead.household_no, lead.village),
        *(lead.head_name, _yes(lead.not_visited), _yes(lead.wants_loan), _yes(lead.scored_high)),
        *(lead.last_visited_on, lead.wanted_amount, lead.score, lead.tier, lead.credit_limit, lead.reason),
    )


def _matching_row(lead: ProjectLead) -> Row:
    return (
        *(lead.county_code, lead.project_no, lead.name, lead.town_code, lead.town, lead.industry),
        *(lead.operator, lead.demand, lead.entered_on, lead.bank_code, lead.bank, lead.place, lead.fit),
        *(None if lead.offered is None else _yes(lead.offered), lead.answer, lead.reason),
    )


def _inspection_rows(outlet: Outlet) -> Iterable[Row]:
    """A row for each loan drawn, the outlet repeated; one row for an outlet without loans."""
    own: tuple[Value, ...] = (
        *(outlet.place, outlet.bank_code, outlet.bank, outlet.town_code, outlet.town, outlet.outlet_name, outlet.risk),
        *(outlet.weight, outlet.open_alerts, outlet.shared_alerts, outlet.balance, outlet.last_inspected_on),
        *(outlet.reason, outlet.seed),
    )
    for loan in outlet.sample:
        drawn = (loan.place, loan.contract_no, loan.household_no, _DRAWN[loan.drawn], loan.draw, loan.balance)
        yield (*own, *drawn, loan.overdue_days, loan.risk_class, loan.reason)
    if not outlet.sample:
        yield (*own, *[None] * (len(_INSPECTION_HEADINGS) - len(own)))


def _compared(figure: LeagueFigure) -> Row:
    """Households are counted, amounts have two decimals."""
    values = (figure.computed, figure.reported, figure.difference)
    if figure.figure == "ytd_households":
        return [None if value is None else int(value) for value in values]
    return values


def _yes(value: bool) -> str:
    return "是" if value else "否"


def _write(path: Path | None, headings: Sequence[str], rows: Iterable[Row]) -> None:
    """The rows as CSV, where a file is asked for; amounts with two decimals."""
    if path is not None:
        write_csv(path, headings, (map(_rounded, row) for row in rows))


def _show(
    entries: Sequence[Entry],
    headings: Sequence[str],
    shown: Callable[[Entry], Row],
    csv_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """The list as JSON, or its first rows, with a word on where the others are."""
    if as_json:
        print_json(entries)
        return
    if not entries:
        out.print("Nothing in this list; `five-precisions status PERIOD` shows which reports are missing.")
        return
    print_table(headings, (map(_rounded, shown(entry)) for entry in entries[:_SHOWN_ROWS]))
    if len(entries) > _SHOWN_ROWS and csv_file is None:
        out.print(f"… and {len(entries) - _SHOWN_ROWS} more; --csv FILE writes them all.")
    if csv_file is not None:
        out.print(f"written: {csv_file}", markup=False, soft_wrap=True)


def _rounded(value: Value) -> Value:
    return rounded(value, Form.AMOUNT) if isinstance(value, Decimal) else value
