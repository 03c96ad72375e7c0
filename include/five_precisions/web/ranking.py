"""The pages of the ranking: banks with their indicators, boards, and the scheme that held (docs/desk.md#pages)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Row, text

from five_precisions.display import Form, form_of
from five_precisions.figures import Scheme, load_scheme
from five_precisions.figures.inputs import digest_of
from five_precisions.figures.scheme import UNRANKED as NO_GRADE
from five_precisions.period import Period
from five_precisions.reference import Board, Scope, load_boards, load_catalogue, load_indicators
from five_precisions.reference.catalogue import MADE_BY_THE_ASSESSMENT
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.assessed import (
    UNRANKED,
    AssessedBank,
    AssessedMonth,
    bank_href,
    indicator_column,
    movement_cell,
    plain,
    proof_href,
    read_assessed_month,
    won_cell,
)
from five_precisions.web.charts import Bar, bar_chart
from five_precisions.web.desk import NOTHING_ASSESSED, AtDesk, Desk
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.tables import Cell, Column, Table, Value

FIRST_PLACES: Final = 10
"""Of each board, where all are shown."""
_ALL_PLACES: Final = 1_000_000
_MOST_BARS: Final = 40
"""A chart of more is no picture."""
_ASSESSED_BOARDS: Final = {"bank_score": ("考核得分", "分"), "league_ytd_amount": ("本年发放扶贫小额信贷金额", "万元")}
"""What boards that rank no metric are called."""
_OF_WHOM: Final = {Scope.BANK: "各银行", Scope.COUNTY: "各县市区", Scope.TOWN: "各乡镇", Scope.CITY: "全市"}
_CITY = text("select code from registry.division where level = 'city'")

router = APIRouter(prefix="/ranking", dependencies=[sees_runs(ASSESSMENT)])


# The ranking


@router.get("")
def show_ranking(desk: AtDesk) -> Response:
    """Every bank of a month: rank, score, indicators, grade; who is unranked; advice on relending."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("ranking.html", page="ranking", title="考核排名", empty=NOTHING_ASSESSED)
        month = read_assessed_month(connection, period)
    return desk.answer(
        "ranking.html",
        page="ranking",
        title="考核排名",
        tables=[_ranking_table(desk, month), _unranked_table(desk, month), _advice_table(desk, month)],
        period=period,
        periods=periods,
        month=month,
        grades=_count_grades(month),
    )


def _ranking_table(desk: Desk, month: AssessedMonth) -> Table:
    weights = month.weights
    return Table(
        name="ranking",
        title=f"{month.period.words}考核排名",
        columns=[
            Column("rank", "名次", Form.RANK),
            Column("movement", "比上月"),
            Column("bank", "银行"),
            Column("score", "得分", Form.SCORE),
            *(indicator_column(indicator, weight) for indicator, weight in weights.items()),
            Column("deductions", "扣分", Form.SCORE),
            Column("grade", "等次"),
        ],
        rows=[
            (
                bank.rank,
                movement_cell(bank.rank, bank.previous_rank),
                Cell(value=bank.short_name, href=bank_href(desk, bank.code, month.period), is_head=True),
                Cell(value=bank.score, href=f"{bank_href(desk, bank.code, month.period)}#indicators"),
                *(won_cell(desk, month.indicators[bank.code].get(each), month.period) for each in weights),
                _deductions_cell(desk, bank, month),
                bank.grade,
            )
            for bank in month.ranked
        ],
        empty="本月没有参加排名的银行；原因见下表。",
        note="得分＝各指标得分之和÷参加考核的权重之和×100－扣分。点银行看原因，点指标得分看依据。",
    )


def _deductions_cell(desk: Desk, bank: AssessedBank, month: AssessedMonth) -> Cell:
    href = f"{bank_href(desk, bank.code, month.period)}#deductions" if bank.deductions else None
    return Cell(value=bank.deductions, href=href)


def _unranked_table(desk: Desk, month: AssessedMonth) -> Table:
    return Table(
        name="unranked",
        title="暂不排名的银行",
        columns=[Column("bank", "银行"), Column("previous_rank", "上月名次", Form.RANK), Column("reason", "原因")],
        rows=[
            (
                Cell(value=bank.short_name, href=bank_href(desk, bank.code, month.period), is_head=True),
                bank.previous_rank,
                Cell(value=bank.why, href=desk.href(f"reporting/{bank.code}", period=month.period)),
            )
            for bank in month.banks.values()
            if bank.rank is None
        ],
        empty="本月各银行都参加了排名。",
    )


def _advice_table(desk: Desk, month: AssessedMonth) -> Table:
    return Table(
        name="relending",
        title="支农再贷款建议（地方法人机构）",
        columns=[
            Column("bank", "银行"),
            Column("grade", "等次"),
            Column("issue", "新增"),
            Column("extension", "展期"),
            Column("reason", "理由"),
        ],
        rows=[
            (
                Cell(value=bank.short_name, href=bank_href(desk, bank.code, month.period), is_head=True),
                *(bank.grade, bank.issue, bank.extension, bank.advice_reason),
            )
            for bank in month.banks.values()
            if bank.issue is not None
        ],
        empty="登记文件中没有地方法人机构。",
    )


def _count_grades(month: AssessedMonth) -> list[tuple[str, int]]:
    """How many banks have which grade, the best first."""
    counted: dict[str, int] = defaultdict(int)
    for bank in month.banks.values():
        counted[bank.grade or UNRANKED] += 1
    return list(counted.items())


# Boards


@router.get("/boards")
def show_boards(desk: AtDesk, board: str = "") -> Response:
    """Who stands where on the boards of a month: the first places of each, or one in full."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("boards.html", page="ranking", title="各类榜单", empty=NOTHING_ASSESSED)
        names = board_names(desk)
        if board and board not in names:
            raise NotThereError("没有这个榜单。", [Choice(name, desk.here(board=each)) for each, name in names.items()])
        asked = {"period": str(period), "board": board or None, "first": _ALL_PLACES if board else FIRST_PLACES}
        places = connection.execute(load_statement("web/boards"), asked).all()
        city = connection.execute(_CITY).scalar_one_or_none()
    by_board: dict[str, list[Row[Any]]] = defaultdict(list)
    for place in places:
        by_board[place.board].append(place)
    shown = [board] if board else list(names)
    tables = [_board_table(desk, each, names[each], by_board[each], period, city) for each in shown]
    return desk.answer(
        "boards.html",
        page="ranking",
        title=f"榜单：{names[board]}" if board else "各类榜单",
        tables=tables,
        period=period,
        periods=periods,
        names=names,
        board=board,
        chart=_board_chart(desk, board, by_board[board]) if board else "",
    )


def board_names(desk: Desk) -> dict[str, str]:
    """What every board is called: those of counties first, for the banks have the ranking; the league last."""
    catalogue = load_catalogue(desk.settings)
    boards = load_boards(desk.settings, catalogue)
    score, league = MADE_BY_THE_ASSESSMENT
    ranked = sorted(boards.items(), key=lambda each: list(Scope).index(each[1].scope))
    return {
        **{code: f"{_OF_WHOM[board.scope]}{catalogue.metrics[board.metric].name}" for code, board in ranked},
        score: f"{_OF_WHOM[Scope.BANK]}{_ASSESSED_BOARDS[score][0]}",
        league: f"全省各市{_ASSESSED_BOARDS[league][0]}",
    }


def _board_unit(desk: Desk, code: str) -> tuple[Board | None, str]:
    if code in _ASSESSED_BOARDS:
        return None, _ASSESSED_BOARDS[code][1]
    catalogue = load_catalogue(desk.settings)
    board = load_boards(desk.settings, catalogue)[code]
    return board, catalogue.metrics[board.metric].unit


def _board_table(
    desk: Desk, code: str, name: str, places: Sequence[Row[Any]], period: Period, city: str | None
) -> Table:
    board, unit = _board_unit(desk, code)
    cut = bool(places) and places[0].subjects > len(places)
    return Table(
        name=code,
        title=f"{name}前{len(places)}位" if cut else name,
        columns=[
            Column("rank", "位次", Form.RANK),
            Column("movement", "比上月"),
            Column("subject", "对象"),
            Column("value", "数值", form_of(unit), unit),
            Column("previous_rank", "上月位次", Form.RANK),
        ],
        rows=[
            (
                _rank_cell(desk, code, place, period, city),
                movement_cell(place.rank, place.previous_rank),
                Cell(value=place.subject_name, href=_subject_href(desk, code, board, place, period), is_head=True),
                Cell(value=place.value, href=_value_href(desk, code, board, place, period)),
                place.previous_rank,
            )
            for place in places
        ],
        empty="本月没有数值，没有位次；请核对相关报表是否已报送。",
    )


def _rank_cell(desk: Desk, code: str, place: Row[Any], period: Period, city: str | None) -> Value | Cell:
    """Of the league the own city's place is a metric."""
    if code == "league_ytd_amount" and city is not None and place.subject_code == city:
        return Cell(value=place.rank, href=proof_href(desk, "province_rank", Scope.CITY, city, period), state="chosen")
    return int(place.rank)


def _subject_href(desk: Desk, code: str, board: Board | None, place: Row[Any], period: Period) -> str | None:
    if code == "bank_score" or (board is not None and board.scope is Scope.BANK):
        return bank_href(desk, place.subject_code, period)
    return None


def _value_href(desk: Desk, code: str, board: Board | None, place: Row[Any], period: Period) -> str | None:
    if board is not None:
        return proof_href(desk, board.metric, board.scope, place.subject_code, period)
    if code == "bank_score":
        return f"{bank_href(desk, place.subject_code, period)}#indicators"
    # The rows of the whole league stand behind the own city's place.
    return proof_href(desk, "province_rank", Scope.CITY, None, period)


def _board_chart(desk: Desk, code: str, places: Sequence[Row[Any]]) -> str:
    if len(places) > _MOST_BARS:
        return ""
    return bar_chart([Bar(place.subject_name, place.value) for place in places], unit=_board_unit(desk, code)[1])


# The scheme


@router.get("/scheme")
def show_scheme(desk: AtDesk) -> Response:
    """The scheme by which a month was assessed."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("scheme.html", page="ranking", title="考核方案", empty=NOTHING_ASSESSED)
        month = read_assessed_month(connection, period)
    scheme = load_scheme(desk.settings, period)
    return desk.answer(
        "scheme.html",
        page="ranking",
        title="考核方案",
        tables=[_weights_table(desk, scheme), _grades_table(scheme)],
        period=period,
        periods=periods,
        month=month,
        scheme=scheme,
        is_of_run=month.scheme_digest in (None, digest_of(scheme.model_dump())),
        words=_rules_in_words(scheme),
    )


def _weights_table(desk: Desk, scheme: Scheme) -> Table:
    indicators = load_indicators()
    metrics = load_catalogue(desk.settings).metrics
    return Table(
        name="weights",
        title="指标和权重",
        columns=[
            Column("indicator", "指标"),
            Column("weight", "权重", Form.SCORE, "分"),
            Column("measure", "衡量"),
            Column("formula", "指标值（%）怎么算"),
        ],
        rows=[
            (
                Cell(value=indicators[code].name, is_head=True),
                *(weight, indicators[code].measure, _formula(metrics, indicators[code].metric)),
            )
            for code, weight in scheme.weights.items()
        ],
        empty="考核方案没有指标。",
    )


def _formula(metrics: Any, metric: str | None) -> str:
    return metrics[metric].formula if metric in metrics else "见各银行考核页的说明"


def _grades_table(scheme: Scheme) -> Table:
    advised = {advice.grade: advice for advice in scheme.relending}
    named = [(grade.grade, grade.grade, grade.at_least) for grade in scheme.grades]
    return Table(
        name="grades",
        title="等次和支农再贷款建议",
        columns=[
            Column("grade", "等次"),
            Column("at_least", "得分不低于", Form.SCORE, "分"),
            Column("issue", "新增支农再贷款"),
            Column("extension", "展期"),
        ],
        rows=[
            (Cell(value=words, is_head=True), at_least, advised[grade].issue, advised[grade].extension)
            for grade, words, at_least in [*named, (NO_GRADE, UNRANKED, None)]
        ],
        empty="考核方案没有等次。",
    )


def _rules_in_words(scheme: Scheme) -> list[tuple[str, str]]:
    ratio, deductions = scheme.overdue_ratio, scheme.deductions
    findings = f"每个逾期未整改的督查问题{plain(deductions.per_overdue_finding)}分"
    alerts = f"每项未办结的高级别督查事项{plain(deductions.per_high_alert)}分"
    full, none = plain(ratio.full_points_up_to), plain(ratio.no_points_from)
    return [
        ("资产质量", f"逾期率不高于{full}%得满分，达到{none}%不得分，其间按比例"),
        ("扣分", f"{findings}，{alerts}，合计最多{plain(deductions.at_most)}分"),
        ("走访轮次", f"全市有劳动能力户走访覆盖率达到{plain(scheme.visit_round_reached)}%，转入下一轮"),
    ]
