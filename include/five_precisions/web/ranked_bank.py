"""A bank's own page of the ranking, and two banks side by side: why each stands there (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, text

from five_precisions.bulletin.wording import change, movement
from five_precisions.display import Form, rounded, shown
from five_precisions.figures import load_scheme
from five_precisions.figures.alerts import AlertLevel
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.reports import load_reports
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.alert_levels import alert_level_cell
from five_precisions.web.assessed import (
    NOT_ASSESSED,
    UNRANKED,
    AssessedBank,
    AssessedMonth,
    BankIndicator,
    bank_href,
    find_bank,
    indicator_column,
    indicator_proof,
    movement_cell,
    plain,
    proof_href,
    raw_proof,
    read_assessed_month,
    won_cell,
)
from five_precisions.web.charts import Series, line_chart
from five_precisions.web.desk import MONTHS, NOTHING_ASSESSED, AtDesk, Desk, months_until
from five_precisions.web.page import NotThereError
from five_precisions.web.report_states import report_state_cell
from five_precisions.web.reported_months import COUNTED_REPORTS, by_month, counted_reports
from five_precisions.web.tables import Cell, Column, Table, Value, counted

_LAST_MONTH: Final = 12
_REASONS: Final = 3
"""How many causes of a distance to the bank above are named."""
_STEPS = text("""
select step.indicator, step.sentence, step.score_after, step.rank_after, step.grade_after
from mart.current_run inner join mart.next_step as step on current_run.run_id = step.run_id
where current_run.period = :period and step.institution_code = :code
order by step.rank_after, step.score_after desc, step.indicator
""")

router = APIRouter(prefix="/ranking", dependencies=[sees_runs(ASSESSMENT)])


# One bank


@router.get("/banks/{code}")
def show_bank(desk: AtDesk, code: str) -> Response:
    """Why a bank stands where it does, how it came there, and what would move it."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            raise NotThereError(NOTHING_ASSESSED)
        month = read_assessed_month(connection, period)
        bank = find_bank(desk, month, code)
        asked = _asked(period, [code])
        months = connection.execute(load_statement("web/assessed_months"), asked).all()
        items = connection.execute(load_statement("web/indicator_months"), asked).all()
        paces = connection.execute(load_statement("web/pace_months"), asked | _this_year(period)).all()
        steps = connection.execute(_STEPS, asked).all()
        tables = _tables_of_duties(desk, connection, asked, period)
    indicator_months = _by_indicator(items)
    return desk.answer(
        "ranked_bank.html",
        page="ranking",
        title=f"{bank.short_name} {period.words}考核",
        tables=[
            _indicators_table(desk, month, bank),
            _steps_table(steps),
            _pace_table(desk, code, paces),
            _months_table(desk, code, months, indicator_months),
            *tables,
        ],
        period=period,
        periods=periods,
        month=month,
        bank=bank,
        facts=_facts(month, bank),
        above=_neighbour(month, bank, -1),
        below=_neighbour(month, bank, 1),
        distance=_distance(month, bank),
        rank_chart=_rank_chart(bank, months),
        indicator_chart=_indicator_chart(months, indicator_months),
        pace_chart=_pace_chart(period, paces),
        pace_words=_pace_words(period, paces),
    )


def _asked(period: Period, codes: Sequence[str]) -> dict[str, object]:
    return months_until(period) | {"code": codes[0], "codes": list(codes)}


def _this_year(period: Period) -> dict[str, object]:
    return months_until(period, period.month)


def _by_indicator(rows: Sequence[Row[Any]]) -> dict[str, dict[str, Row[Any]]]:
    """By month and indicator."""
    return {month: {row.indicator: row for row in own} for month, own in by_month(rows).items()}


def _facts(month: AssessedMonth, bank: AssessedBank) -> list[tuple[str, str]]:
    """Names and words at the top of the page."""
    if bank.rank is None:
        facts = [("名次", UNRANKED), ("原因", bank.why)]
    else:
        moved = movement(None if bank.previous_rank is None else bank.previous_rank - bank.rank)
        since = f"，比上月{moved}" if moved else "，上月没有位次"
        gained = change(bank.score, bank.previous_score, Form.SCORE)
        facts = [
            ("名次", f"{bank.place}（{len(month.ranked)}家参加排名）{since}"),
            ("得分", f"{shown(bank.score, Form.SCORE)}分{f'，{gained}' if gained else ''}"),
            ("怎么算", _sum_in_words(month, bank)),
            ("等次", bank.grade or ""),
        ]
    if bank.issue is not None:
        facts.append(("支农再贷款", f"新增：{bank.issue}；展期：{bank.extension}。{bank.advice_reason}"))
    return facts


def _sum_in_words(month: AssessedMonth, bank: AssessedBank) -> str:
    """How the score comes from the indicators."""
    own = [each for each in month.indicators[bank.code].values() if each.won is not None]
    won = sum((each.won or Decimal(0) for each in own), Decimal(0))
    weight = sum((each.weight for each in own), Decimal(0))
    return (
        f"各指标得分之和{shown(won, Form.SCORE)}÷参加考核的权重{plain(weight)}×100"
        f"－扣分{shown(bank.deductions, Form.SCORE)}＝{shown(bank.score, Form.SCORE)}"
    )


def _neighbour(month: AssessedMonth, bank: AssessedBank, step: int) -> AssessedBank | None:
    """The bank before it in the ranking, or the one after it."""
    place = next((place for place, each in enumerate(month.ranked) if each.code == bank.code), None)
    if place is None or not 0 <= place + step < len(month.ranked):
        return None
    return month.ranked[place + step]


def _distance(month: AssessedMonth, bank: AssessedBank) -> str:
    """What the bank lacks to the one before it, the most first."""
    above = _neighbour(month, bank, -1)
    if above is None or above.score is None or bank.score is None:
        return ""
    shortfalls, is_alike = [((bank.deductions or Decimal(0)) - (above.deductions or Decimal(0)), "扣分", "多")], True
    for indicator in month.weights:
        ours, theirs = _won(month, bank, indicator), _won(month, above, indicator)
        if ours is not None and theirs is not None:
            shortfalls.append((theirs - ours, load_indicators()[indicator].name, "少"))
        is_alike &= (ours is None) == (theirs is None)
    worst = [each for each in sorted(shortfalls, reverse=True) if rounded(each[0], Form.SCORE) > 0][:_REASONS]
    named = "、".join(f"{name}{word}{shown(size, Form.SCORE)}分" for size, name, word in worst)
    size = above.score - bank.score
    lower = f"低{shown(size, Form.SCORE)}分" if size else "得分相同"
    scaled = "" if is_alike else "两行参加考核的指标不同，得分按参加考核的权重折算。"
    return f"{'比' if size else '与'}{above.place}{above.short_name}{lower}{f'：{named}' if named else ''}。{scaled}"


def _won(month: AssessedMonth, bank: AssessedBank, indicator: str) -> Decimal | None:
    found = month.indicators[bank.code].get(indicator)
    return None if found is None else found.won


def _indicators_table(desk: Desk, month: AssessedMonth, bank: AssessedBank) -> Table:
    own = month.indicators[bank.code]
    return Table(
        name="indicators",
        title="本月各指标",
        columns=[
            Column("indicator", "指标"),
            Column("weight", "权重", Form.SCORE, "分"),
            Column("raw", "指标值", Form.PERCENT, "%"),
            Column("won", "得分", Form.SCORE),
            Column("lost", "失分", Form.SCORE),
            Column("average", "各行平均得分", Form.SCORE),
            Column("note", "说明"),
        ],
        rows=[
            (
                Cell(value=load_indicators()[code].name, is_head=True),
                own[code].weight,
                Cell(value=own[code].raw, href=raw_proof(desk, own[code], month.period)),
                *_won_and_lost(own[code]),
                Cell(value=month.average(code), href=f"{desk.href('ranking', period=month.period)}#ranking"),
                own[code].note,
            )
            for code in month.weights
            if code in own
        ],
        empty=f"本月{UNRANKED}，没有指标得分：{bank.why}。",
    )


def _won_and_lost(found: BankIndicator) -> tuple[Value | Cell, Value | Cell]:
    if found.won is None:
        return Cell(value=NOT_ASSESSED, state="faint"), None
    return found.won, found.weight - found.won


def _steps_table(steps: Sequence[Row[Any]]) -> Table:
    return Table(
        name="steps",
        title="下一步",
        columns=[
            Column("indicator", "指标"),
            Column("sentence", "再进一步"),
            Column("score", "得分将为", Form.SCORE),
            Column("rank", "名次将为", Form.RANK),
            Column("grade", "等次将为"),
        ],
        rows=[
            (
                Cell(value=load_indicators()[row.indicator].name, is_head=True),
                *(row.sentence, row.score_after, row.rank_after, row.grade_after),
            )
            for row in steps
        ],
        empty="没有再进一步能提高得分的指标，或者本月暂不排名。",
    )


def _pace_table(desk: Desk, code: str, paces: Sequence[Row[Any]]) -> Table:
    return Table(
        name="pace",
        title="本年进度和全年预计",
        columns=[
            Column("period", "月份"),
            Column("target", "全年目标", Form.COUNT, "户"),
            Column("due", "按序时应达", Form.COUNT, "户"),
            Column("reached", "本年已发放", Form.COUNT, "户"),
            Column("completion", "完成率", Form.PERCENT, "%"),
            Column("needed", "以后每月需", Form.COUNT, "户"),
            Column("forecast", "全年预计", Form.COUNT, "户"),
        ],
        rows=[
            (
                Cell(value=row.period, is_head=True),
                _figure(desk, "microcredit_completion", code, row.period, row.target),
                _figure(desk, "microcredit_completion", code, row.period, row.due),
                _figure(desk, "microcredit_ytd_households", code, row.period, row.reached),
                _figure(desk, "microcredit_completion", code, row.period, row.completion),
                _figure(desk, "microcredit_completion", code, row.period, _rounded_up(row.needed_per_month)),
                _figure(desk, "microcredit_ytd_households", code, row.period, row.forecast),
            )
            for row in reversed(paces)
        ],
        empty="本年没有分给该行的目标，不考核完成率。",
        note="按序时应达＝全年目标×月份÷12；以后每月需＝（全年目标－本年已发放）÷剩余月数；"
        "全年预计＝本年已发放÷月份×12。",
    )


def _figure(desk: Desk, metric: str, code: str, period: str, value: Value) -> Cell:
    return Cell(value=value, href=None if value is None else proof_href(desk, metric, "bank", code, period))


def _rounded_up(value: Decimal | None) -> int | None:
    return None if value is None else int(value.to_integral_value(ROUND_CEILING))


def _pace_words(period: Period, paces: Sequence[Row[Any]]) -> str:
    """Where the pace leads, at the end of the month."""
    now = paces[-1] if paces and paces[-1].period == str(period) else None
    if now is None or now.forecast is None:
        return ""
    outcome = int(rounded(now.forecast, Form.COUNT))
    missing = now.target - outcome
    against = (
        f"比全年目标少{missing}户" if missing > 0 else f"比全年目标多{-missing}户" if missing else "正好达到全年目标"
    )
    needed = _rounded_up(now.needed_per_month)
    rest = f"；要完成目标，以后每月需{needed}户" if needed else ""
    return f"按目前进度全年预计{outcome}户，{against}{rest}。"


def _pace_chart(period: Period, paces: Sequence[Row[Any]]) -> str:
    """Reached so far, what was due, and the forecast up to December."""
    if not paces or paces[-1].period != str(period):
        return ""
    known, now = {row.period: row for row in paces}, paces[-1]
    places = [str(Period(period.year, number)) for number in range(1, _LAST_MONTH + 1)]
    due = [
        (place, known[place].due if place in known else Decimal(now.target * number) / _LAST_MONTH)
        for number, place in enumerate(places, 1)
    ]
    reached = [(place, known[place].reached if place in known else None) for place in places]
    ahead = [
        (place, None if now.forecast is None or number < period.month else now.forecast * number / _LAST_MONTH)
        for number, place in enumerate(places, 1)
    ]
    names = {place: f"{number}月" for number, place in enumerate(places, 1)}
    series = {"已发放": reached, "按序时应达": due, "按目前进度": ahead}
    return line_chart(
        [Series(name, [(names[place], value) for place, value in points]) for name, points in series.items()], unit="户"
    )


def _months_table(
    desk: Desk, code: str, months: Sequence[Row[Any]], indicator_months: dict[str, dict[str, Row[Any]]]
) -> Table:
    used = {indicator for own in indicator_months.values() for indicator in own}
    indicators = [each for each in load_indicators() if each in used]
    return Table(
        name="months",
        title=f"近{MONTHS}个月",
        columns=[
            Column("period", "月份"),
            Column("rank", "名次", Form.RANK),
            Column("score", "得分", Form.SCORE),
            *(indicator_column(each) for each in indicators),
            Column("deductions", "扣分", Form.SCORE),
            Column("grade", "等次"),
        ],
        rows=[
            (
                Cell(value=row.period, href=bank_href(desk, code, row.period), is_head=True),
                UNRANKED if row.rank is None else row.rank,
                _of_page(desk, code, row, row.score, "indicators"),
                *(_won_of(desk, code, indicator_months.get(row.period, {}).get(each)) for each in indicators),
                *(_of_page(desk, code, row, row.deductions, "deductions"), row.grade),
            )
            for row in reversed(months)
        ],
        empty=NOTHING_ASSESSED,
    )


def _of_page(desk: Desk, code: str, row: Row[Any], value: Value, table: str) -> Cell:
    """A number that a table of the bank's page of that month comes to."""
    return Cell(value=value, href=None if value is None else f"{bank_href(desk, code, row.period)}#{table}")


def _won_of(desk: Desk, code: str, row: Row[Any] | None) -> Cell:
    if row is None:
        return Cell(value=None)
    if row.points is None:
        return Cell(value=NOT_ASSESSED, state="faint")
    return Cell(value=row.weight * row.points, href=indicator_proof(desk, row.indicator, code, row.period))


def _rank_chart(bank: AssessedBank, months: Sequence[Row[Any]]) -> str:
    return line_chart([Series(bank.short_name, [(row.period, row.rank) for row in months])], unit="名次", is_rank=True)


def _indicator_chart(months: Sequence[Row[Any]], indicator_months: dict[str, dict[str, Row[Any]]]) -> str:
    return line_chart(
        [
            Series(
                indicator.name,
                [(row.period, _percent(indicator_months.get(row.period, {}).get(code))) for row in months],
            )
            for code, indicator in load_indicators().items()
            if any(code in own for own in indicator_months.values())
        ],
        unit="得分率（%）",
    )


def _percent(row: Row[Any] | None) -> Decimal | None:
    return None if row is None or row.points is None else row.points * 100


# Of one bank: what is taken off, cases, deliveries


def _tables_of_duties(desk: Desk, connection: Connection, asked: dict[str, object], period: Period) -> list[Table]:
    cases = connection.execute(load_statement("web/open_cases"), asked).all()
    findings = connection.execute(load_statement("web/overdue_findings_of_bank"), asked).all()
    reported = connection.execute(load_statement("web/reported_months"), asked | _this_year(period)).all()
    code = str(asked["code"])
    return [
        _deductions_table(desk, cases, findings, period),
        _cases_table(desk, cases, period),
        _delivered_table(desk, code, [row for row in reported if row.period == str(period)], period),
        _reported_table(desk, code, reported),
    ]


def _deductions_table(desk: Desk, cases: Sequence[Row[Any]], findings: Sequence[Row[Any]], period: Period) -> Table:
    deductions = load_scheme(desk.settings, period).deductions
    grave = [
        (
            "高级别督查事项",
            Cell(value=row.case_id, href=desk.href(f"cases/{row.case_id}", period=period), is_head=True),
            row.detail,
            deductions.per_high_alert,
        )
        for row in cases
        if row.level == "high"
    ]
    overdue = [
        ("逾期未整改的督查问题", Cell(value=row.finding_no, is_head=True), row.remark, deductions.per_overdue_finding)
        for row in findings
    ]
    return Table(
        name="deductions",
        title="扣分事项",
        columns=[
            Column("kind", "类别"),
            Column("subject", "编号"),
            Column("detail", "说明"),
            Column("points", "按方案扣", Form.SCORE, "分"),
        ],
        rows=[*overdue, *grave],
        empty="本月没有扣分事项。",
        note=f"合计最多扣{plain(deductions.at_most)}分。",
    )


def _cases_table(desk: Desk, cases: Sequence[Row[Any]], period: Period) -> Table:
    return Table(
        name="cases",
        title="未办结督查事项",
        columns=[
            Column("level", "级别"),
            Column("case", "事项"),
            Column("aspect", "方面"),
            Column("since", "自"),
            Column("detail", "说明"),
        ],
        rows=[
            (
                alert_level_cell(AlertLevel(row.level)),
                Cell(value=row.case_id, href=desk.href(f"cases/{row.case_id}", period=period), is_head=True),
                *(row.aspect, Cell(value=row.since, state="short"), row.detail),
            )
            for row in cases
        ],
        empty="本月没有未办结的督查事项。",
    )


def _delivered_table(desk: Desk, code: str, delivered: Sequence[Row[Any]], period: Period) -> Table:
    reports = load_reports()
    order = {report: place for place, report in enumerate(reports)}
    href = desk.href(f"reporting/{code}", period=period)
    return Table(
        name="delivered",
        title="本月报送（考核所用）",
        columns=[
            Column("report", "报表"),
            Column("state", "状态"),
            Column("version", "版本", Form.COUNT),
            Column("on_time", "是否按时"),
            Column("first_pass", "一次通过"),
            Column("errors", "错误", Form.COUNT),
            Column("warnings", "警告", Form.COUNT),
        ],
        rows=[
            (
                Cell(value=reports[row.report].title if row.report in reports else row.report, href=href, is_head=True),
                report_state_cell(row.status),
                row.version,
                Cell(value="按时" if row.on_time else "未按时", state=None if row.on_time else "warn"),
                Cell(value="是" if row.first_pass else "否", state=None if row.first_pass else "warn"),
                *(
                    counted(each, f"{href}&version={period}-{code}-{row.version}#findings")
                    for each in (row.errors, row.warnings)
                ),
            )
            for row in sorted(delivered, key=lambda row: order.get(row.report, len(order)))
        ],
        empty="该行本月不需报送。",
    )


def _reported_table(desk: Desk, code: str, reported: Sequence[Row[Any]]) -> Table:
    return Table(
        name="months_reported",
        title="本年各月报送",
        columns=[Column("period", "月份"), *COUNTED_REPORTS],
        rows=[
            (
                Cell(value=month, href=f"{desk.href(f'reporting/{code}', period=month)}#months", is_head=True),
                *counted_reports(rows),
            )
            for month, rows in reversed(by_month(reported).items())
        ],
        empty="本年还没有考核过的月份。",
        note="报送质量得分由本年各月合计：按时÷应报占一半，一次通过÷已接收占一半。",
    )


# Two banks


@router.get("/compare")
def compare_banks(desk: AtDesk, first: str = "", second: str = "") -> Response:
    """Two banks of a month side by side; without an address of its own, the first two of the ranking."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("compared_banks.html", page="ranking", title="两行对比", empty=NOTHING_ASSESSED)
        month = read_assessed_month(connection, period)
        pair = _pair(desk, month, first, second)
        asked = _asked(period, [bank.code for bank in pair]) if pair else {}
        months = connection.execute(load_statement("web/assessed_months"), asked).all() if pair else []
    if pair is None:
        return desk.answer(
            "compared_banks.html", page="ranking", title="两行对比", empty="本月考核的银行不足两家，无法对比。"
        )
    return desk.answer(
        "compared_banks.html",
        page="ranking",
        title="两行对比",
        tables=[_compared_table(desk, month, *pair), _compared_months_table(desk, months, *pair)],
        period=period,
        periods=periods,
        month=month,
        first=pair[0],
        second=pair[1],
        chart=line_chart(
            [
                Series(
                    bank.short_name, [(row.period, row.score) for row in months if row.institution_code == bank.code]
                )
                for bank in dict.fromkeys(pair)
            ],
            unit="得分",
        ),
    )


def _pair(desk: Desk, month: AssessedMonth, first: str, second: str) -> tuple[AssessedBank, AssessedBank] | None:
    if len(month.banks) < 2:
        return None
    left = find_bank(desk, month, first) if first else next(iter(month.banks.values()))
    others = (each for each in month.banks.values() if each.code != left.code)
    return left, find_bank(desk, month, second) if second else next(others)


def _compared_table(desk: Desk, month: AssessedMonth, left: AssessedBank, right: AssessedBank) -> Table:
    pair = (left, right)
    rows: list[Sequence[Value | Cell]] = [
        (Cell(value="名次", is_head=True), *(_place_cell(desk, bank, month) for bank in pair), _places_between(*pair)),
        (
            Cell(value="比上月", is_head=True),
            *(movement_cell(bank.rank, bank.previous_rank) for bank in pair),
            Cell(value=""),
        ),
        (
            Cell(value="得分", is_head=True),
            *(Cell(value=bank.score, href=f"{bank_href(desk, bank.code, month.period)}#indicators") for bank in pair),
            _between(left.score, right.score),
        ),
        (
            Cell(value="扣分", is_head=True),
            *(
                Cell(value=bank.deductions, href=f"{bank_href(desk, bank.code, month.period)}#deductions")
                for bank in pair
            ),
            _between(right.deductions, left.deductions, is_taken_off=True),
        ),
        (Cell(value="等次", is_head=True), left.grade, right.grade, Cell(value="")),
    ]
    for code, weight in month.weights.items():
        found = [month.indicators[bank.code].get(code) for bank in pair]
        won = [None if each is None else each.won for each in found]
        name = load_indicators()[code].name
        rows.append(
            (
                Cell(value=f"{name}得分（满分{plain(weight)}）", is_head=True),
                *(won_cell(desk, each, month.period) for each in found),
                _between(*won),
            )
        )
        rows.append(
            (
                Cell(value=f"{name}：{load_indicators()[code].measure}（%）", is_head=True),
                *(_raw_cell(desk, each, month.period) for each in found),
                Cell(value=""),
            )
        )
    return Table(
        name="compared",
        title=f"{month.period.words}：{left.short_name}和{right.short_name}",
        columns=[
            Column("item", "项目"),
            Column("first", left.short_name, Form.SCORE),
            Column("second", right.short_name, Form.SCORE),
            Column("difference", f"{left.short_name}领先", Form.SCORE),
        ],
        rows=rows,
        empty="",
        note=f"差额为正，是{left.short_name}得分高；扣分一行为正，是它扣得少。",
    )


def _place_cell(desk: Desk, bank: AssessedBank, month: AssessedMonth) -> Cell:
    return Cell(value=bank.place, href=bank_href(desk, bank.code, month.period), title=bank.why or None)


def _raw_cell(desk: Desk, found: BankIndicator | None, period: Period) -> Cell:
    if found is None:
        return Cell(value=None)
    return Cell(value=found.raw, href=raw_proof(desk, found, period), form=Form.PERCENT, title=found.note)


def _places_between(left: AssessedBank, right: AssessedBank) -> Cell:
    if left.rank is None or right.rank is None:
        return Cell(value=None)
    places = right.rank - left.rank
    words = f"领先{places}位" if places > 0 else f"落后{-places}位" if places else "并列"
    return Cell(value=words, state="good" if places > 0 else "bad" if places < 0 else None)


def _between(left: Decimal | None, right: Decimal | None, *, is_taken_off: bool = False) -> Cell:
    """How much the first has more; of what is taken off, how much less."""
    if left is None or right is None:
        return Cell(value=None)
    more = left - right
    less = "多扣" if is_taken_off else "落后"
    title = f"{'领先' if more > 0 else less}{shown(abs(more), Form.SCORE)}分" if rounded(more, Form.SCORE) else "相同"
    return Cell(value=more, state="good" if more > 0 else "bad" if more < 0 else None, title=title)


def _compared_months_table(desk: Desk, months: Sequence[Row[Any]], left: AssessedBank, right: AssessedBank) -> Table:
    found = {(row.period, row.institution_code): row for row in months}
    periods = sorted({row.period for row in months}, reverse=True)
    rows = []
    for period in periods:
        one, other = found.get((period, left.code)), found.get((period, right.code))
        rows.append(
            (
                Cell(value=period, href=desk.here(period=period), is_head=True),
                *(_rank_words(one), _score_of(desk, left.code, one)),
                *(_rank_words(other), _score_of(desk, right.code, other)),
                _between(None if one is None else one.score, None if other is None else other.score),
            )
        )
    return Table(
        name="compared_months",
        title=f"近{MONTHS}个月",
        columns=[
            Column("period", "月份"),
            Column("first_rank", f"{left.short_name}名次", Form.RANK),
            Column("first_score", f"{left.short_name}得分", Form.SCORE),
            Column("second_rank", f"{right.short_name}名次", Form.RANK),
            Column("second_score", f"{right.short_name}得分", Form.SCORE),
            Column("difference", "得分差", Form.SCORE),
        ],
        rows=rows,
        empty=NOTHING_ASSESSED,
    )


def _score_of(desk: Desk, code: str, row: Row[Any] | None) -> Cell:
    return Cell(value=None) if row is None else _of_page(desk, code, row, row.score, "indicators")


def _rank_words(row: Row[Any] | None) -> Value:
    if row is None:
        return None
    rank: Value = UNRANKED if row.rank is None else row.rank
    return rank
