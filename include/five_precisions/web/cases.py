"""The pages of cases: by aspect, level, county and age; and the history of one (docs/desk.md#pages)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from five_precisions.display import Form
from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures import Case, CaseHistory, CaseState, Decision, list_cases, read_case, set_aside, take_back
from five_precisions.figures.alerts import AlertLevel, aspects, load_alert_rules
from five_precisions.period import Period, parse_day
from five_precisions.reference import Scope, load_catalogue
from five_precisions.register import read_register
from five_precisions.web.access import ASSESSMENT, acts, sees_runs
from five_precisions.web.actions import Action, ActionKind, FormError, reason_entered
from five_precisions.web.alert_levels import ALERT_LEVEL_STYLES, ALERT_LEVEL_WORDS, alert_level_cell
from five_precisions.web.assessed import proof_href
from five_precisions.web.desk import NOTHING_ASSESSED, AtDesk, Desk, FormText
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.places import Places
from five_precisions.web.tables import Cell, Column, Table, counted

MOST_CASES: Final = 300
"""On a page; its files hold all."""
CASE_STATE_WORDS: Final = {CaseState.OPEN: "未销号", CaseState.SET_ASIDE: "已搁置", CaseState.CLOSED: "本月销号"}
_STATE_STATES: Final = {CaseState.OPEN: None, CaseState.SET_ASIDE: "faint", CaseState.CLOSED: "good"}
_EVERY_STATE: Final = "all"
CHANGE_WORDS: Final = {
    "new": "新增",
    "reopened": "再次出现",
    "worsened": "加重",
    "returned": "搁置期满或撤销",
    "lasting": "持续",
    "unjudged": "缺报表，未能判断",
    "closed": "销号",
}
_AGES: Final = {"1": "本月新增", "2": "2个月及以上", "3": "3个月及以上", "6": "6个月及以上", "12": "12个月及以上"}
"""Months for which a case has lasted: just one, or at least so many."""
_NEW: Final = "1"
_BY_ASPECT: Final = ("aspect", "level")
_BY_COUNTY: Final = ("county", "level")
"""Filters that a table of counts does not ask: it leads to each of them."""
_NOWHERE: Final = "none"
"""The county, in an address, of cases that are in none."""
_NO_COUNTY: Final = "不分县区"

router = APIRouter(prefix="/cases", dependencies=[sees_runs(ASSESSMENT)])


# All cases of a month


@dataclass(frozen=True, slots=True)
class _Filters:
    """What of the month's cases is shown; an empty word is no filter."""

    aspect: str
    level: str
    institution: str
    county: str
    state: str
    rule: str
    age: str

    def keeps(self, case: Case, county: str | None, *, but: Sequence[str] = ()) -> bool:
        """Whether a case is shown; filters named by `but` are not asked."""
        asked = {
            "aspect": self.aspect in ("", case.aspect),
            "level": self.level in ("", case.level),
            "institution": self.institution in ("", case.institution_code),
            "county": self.county in ("", county or _NOWHERE),
            "state": self.state in (_EVERY_STATE, case.state),
            "rule": self.rule in ("", case.rule),
            "age": self._keeps_age(months_lasted(case)),
        }
        return all(kept for name, kept in asked.items() if name not in but)

    def _keeps_age(self, months: int) -> bool:
        if not self.age:
            return True
        return months == 1 if self.age == _NEW else months >= int(self.age)


def months_lasted(case: Case) -> int:
    """For how many months a case has lasted, the month itself included."""
    begun, month = Period.parse(case.since_period), Period.parse(case.period)
    return 12 * (month.year - begun.year) + month.month - begun.month + 1


@router.get("")
def show_cases(
    desk: AtDesk,
    aspect: str = "",
    level: str = "",
    institution: str = "",
    county: str = "",
    state: str = "",
    rule: str = "",
    age: str = "",
) -> Response:
    """The cases of a month; those that are open, unless another state is asked for."""
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        register = read_register(connection)
    if period is None:
        return desk.answer("cases.html", page="cases", title="督查台账", empty=NOTHING_ASSESSED)
    places = Places.of(register)
    cases = list_cases(desk.engine, period=period)
    rules = sorted({*(each.rule for each in load_alert_rules()), *(each.rule for each in cases)})
    institutions = {each.code: each.short_name for each in register.institutions}
    choices = {
        "aspect": ("没有这个督查方面。", {each: each for each in aspects()}),
        "level": ("没有这个级别。", {str(each): words for each, words in ALERT_LEVEL_WORDS.items()}),
        "county": ("没有这个县区。", {**places.counties, _NOWHERE: _NO_COUNTY}),
        "institution": ("没有这个机构。", institutions),
        "state": (
            "没有这种状态。",
            {**{str(each): words for each, words in CASE_STATE_WORDS.items()}, _EVERY_STATE: "全部"},
        ),
        "age": ("持续时间只能从列出的里面选。", _AGES),
        "rule": ("没有这条规则。", {each: each for each in rules}),
    }
    asked = {
        "aspect": aspect, "level": level, "institution": institution, "county": county,
        "state": state or CaseState.OPEN, "rule": rule, "age": age,
    }  # fmt: skip
    for name, value in asked.items():
        sentence, there = choices[name]
        if value and value not in there:
            raise NotThereError(sentence, [Choice(words, desk.here(**{name: each})) for each, words in there.items()])
    filters = _Filters(**asked)
    shown = [each for each in cases if filters.keeps(each, places.county(each))]
    # A file holds all that the page cuts off.
    is_file = "download" in desk.request.query_params
    return desk.answer(
        "cases.html",
        page="cases",
        title="督查台账",
        tables=[
            _aspects_table(desk, [each for each in cases if filters.keeps(each, places.county(each), but=_BY_ASPECT)]),
            _counties_table(
                desk, [each for each in cases if filters.keeps(each, places.county(each), but=_BY_COUNTY)], places
            ),
            _cases_table(desk, shown if is_file else shown[:MOST_CASES], places, period),
        ],
        period=period,
        periods=periods,
        count=len(shown),
        most=MOST_CASES,
        asked=asked,
        choices={name: there for name, (_, there) in choices.items()},
        is_filtered=any(value for name, value in asked.items() if name != "state"),
    )


def _count_cells(desk: Desk, levels: Counter[str], **of_row: str | None) -> list[Cell]:
    """Counts of each level and of all, each leading to those cases."""
    of_levels = [(str(each), levels[each]) for each in AlertLevel]
    return [
        counted(count, f"{desk.here(**of_row, level=level)}#cases")
        for level, count in (*of_levels, (None, levels.total()))
    ]


def _level_columns() -> list[Column]:
    own = [Column(str(each), f"{words}级", Form.COUNT, "项") for each, words in ALERT_LEVEL_WORDS.items()]
    return [*own, Column("all", "合计", Form.COUNT, "项")]


def _aspects_table(desk: Desk, cases: Sequence[Case]) -> Table:
    counted = {each: Counter(case.level for case in cases if case.aspect == each) for each in aspects()}
    rows: list[list[Cell]] = [
        [Cell(value=each, is_head=True), *_count_cells(desk, levels, aspect=each)]
        for each, levels in counted.items()
        if levels
    ]
    if rows:
        everything = Counter(case.level for case in cases)
        rows.append([Cell(value="合计", is_head=True), *_count_cells(desk, everything, aspect=None)])
    return Table(
        name="aspects",
        title="按督查方面和级别",
        columns=[Column("aspect", "督查方面"), *_level_columns()],
        rows=rows,
        empty="没有符合条件的事项。",
    )


def _counties_table(desk: Desk, cases: Sequence[Case], places: Places) -> Table:
    levels: dict[str | None, Counter[str]] = {each: Counter() for each in (*places.counties, None)}
    for case in cases:
        levels[places.county(case)][case.level] += 1
    rows = [
        [Cell(value=places.counties[code], is_head=True), *_count_cells(desk, levels[code], county=code)]
        for code in places.counties
    ]
    if levels[None]:
        rows.append([Cell(value=_NO_COUNTY, is_head=True), *_count_cells(desk, levels[None], county=_NOWHERE)])
    return Table(
        name="counties",
        title="按县区和级别",
        columns=[Column("county", "县区"), *_level_columns()],
        rows=rows if cases else [],
        empty="没有符合条件的事项。",
    )


def _cases_table(desk: Desk, cases: Iterable[Case], places: Places, period: Period) -> Table:
    measures = _Measures(desk, places)
    return Table(
        name="cases",
        title=f"{period.words}督查事项",
        columns=[
            Column("case", "编号"),
            Column("level", "级别"),
            Column("aspect", "督查方面"),
            Column("institution", "机构"),
            Column("place", "县区、乡镇"),
            Column("subject", "对象"),
            Column("since", "起始月份"),
            Column("months", "持续", Form.COUNT, "月"),
            Column("times", "出现", Form.COUNT, "次"),
            Column("measure", "实测值", Form.AMOUNT),
            Column("threshold", "界限", Form.AMOUNT),
            Column("detail", "情况"),
            Column("state", "状态"),
            Column("decision", "搁置决定"),
        ],
        rows=[
            (
                Cell(value=case.case_id, href=desk.href(f"cases/{case.case_id}"), is_head=True),
                alert_level_cell(AlertLevel(case.level)),
                case.aspect,
                Cell(
                    value=case.short_name, href=desk.here(institution=case.institution_code), title="只看这个机构的事项"
                ),
                *(places.words(case) or _NO_COUNTY, case.subject, case.since_period),
                *(Cell(value=each, href=_history_href(desk, case)) for each in (months_lasted(case), case.times)),
                *(measures.cell(case), _number_cell(case.threshold), case.detail),
                _state_cell(case),
                _decision_words(case),
            )
            for case in cases
        ],
        empty="没有符合条件的事项；可以放宽上面的条件，或者换一个月份。",
    )


def _state_cell(case: Case) -> Cell:
    return Cell(value=CASE_STATE_WORDS[case.state], state=_STATE_STATES[case.state])


def _number_cell(value: Decimal | None) -> Cell:
    """A value of any unit: a whole number without decimals."""
    is_whole = value is not None and value == value.to_integral_value()
    return Cell(value=value, form=Form.COUNT if is_whole else Form.AMOUNT)


class _Measures:
    """What cases measure, each leading to the rows that it is made from."""

    def __init__(self, desk: Desk, places: Places) -> None:
        self._desk, self._places = desk, places
        self._metrics = {each.rule: each.metric for each in load_alert_rules()}
        self._catalogue = load_catalogue(desk.settings)

    def cell(self, case: Case) -> Cell:
        """The measure of a case."""
        return replace(_number_cell(case.measure), href=None if case.measure is None else self._proof(case))

    def _proof(self, case: Case) -> str:
        """Of the metric that the rule names, else what the institution delivered for the month."""
        code = self._metrics.get(case.rule)
        if code is None or code not in self._catalogue.metrics:
            return f"{self._desk.href(f'reporting/{case.institution_code}', period=case.period)}#versions"
        scopes, is_bank = self._catalogue.metrics[code].scopes, case.institution_code in self._places.banks
        subjects = {
            Scope.BANK: case.institution_code if is_bank else None,
            Scope.COUNTY: self._places.county(case),
        }
        found = [each for each, subject in subjects.items() if subject is not None and each in scopes]
        scope = found[0] if found else Scope.CITY
        run_id = None if case.is_current else case.run_id
        return proof_href(self._desk, code, scope, subjects.get(scope), case.period, run_id)


def _history_href(desk: Desk, case: Case) -> str:
    return f"{desk.href(f'cases/{case.case_id}')}#history"


def _decision_words(case: Case) -> str | None:
    decision = case.decision
    if decision is None:
        return None
    words = "已撤销搁置" if decision.until is None else f"搁置至{decision.until}"
    return f"{words}（下次考核起生效）" if case.is_decided_since else words


# One case


@router.get("/{case_id}")
def show_case(desk: AtDesk, case_id: str) -> Response:
    """What became of a case from run to run, and what was decided on it."""
    return _case_page(desk, case_id)


@router.post("/{case_id}/set-aside", dependencies=acts())
def set_case_aside(
    desk: AtDesk, case_id: str, key: FormText = "", reason: FormText = "", until: FormText = ""
) -> Response:
    """Set a case aside for a reason, up to a day."""
    try:
        return _set_aside(desk, _find_case(desk, case_id), key, reason, until)
    except FormError as error:
        entered = {"reason": reason, "until": until}
        return _case_page(desk, case_id, ActionKind.SET_ASIDE, entered, error.sentences)


@router.post("/{case_id}/take-back", dependencies=acts())
def take_case_back(desk: AtDesk, case_id: str, key: FormText = "", why: FormText = "") -> Response:
    """Take back that a case was set aside, for a reason."""
    try:
        return _take_back(desk, _find_case(desk, case_id), key, why)
    except FormError as error:
        return _case_page(desk, case_id, ActionKind.TAKE_BACK, {"why": why}, error.sentences)


def _find_case(desk: Desk, case_id: str) -> CaseHistory:
    try:
        return read_case(desk.engine, case_id)
    except UsageError:
        raise NotThereError("没有这个督查事项。", [Choice("看督查台账", desk.href("cases"))]) from None


def _newest(history: CaseHistory) -> Case:
    """As the newest month that stands has left it; where only older revisions know it, as the last of them did."""
    return next((each for each in reversed(history.states) if each.is_current), history.states[-1])


def _case_page(
    desk: Desk,
    case_id: str,
    sent: ActionKind | None = None,
    entered: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    history = _find_case(desk, case_id)
    with desk.connect() as connection:
        assessed = desk.assessed_periods(connection)
        places = Places.of(read_register(connection))
    newest, measures = _newest(history), _Measures(desk, places)
    last = Period.parse(assessed[0])
    decision = history.decisions[-1] if history.decisions else None
    is_aside = decision is not None and decision.until is not None and decision.until >= last.end

    def form(kind: ActionKind, *, is_possible: bool) -> Any:
        if not is_possible and kind is not sent:
            return None
        return desk.form(kind, case_id, *((entered, errors) if kind is sent else ()))

    return desk.answer(
        "case.html",
        page="cases",
        title=f"督查事项 {case_id}",
        tables=[_history_table(history.states, measures), _decisions_table(history.decisions)],
        period=Period.parse(newest.period),
        errors=errors,
        case=newest,
        level=ALERT_LEVEL_WORDS[AlertLevel(newest.level)],
        level_state=ALERT_LEVEL_STYLES[AlertLevel(newest.level)] or "",
        state=CASE_STATE_WORDS[newest.state],
        place=places.words(newest),
        months=months_lasted(newest),
        measure=measures.cell(newest),
        threshold=_number_cell(newest.threshold),
        decided=_decision_words(newest),
        decision=decision,
        last=last,
        aside=form(ActionKind.SET_ASIDE, is_possible=newest.state is not CaseState.CLOSED),
        back=form(ActionKind.TAKE_BACK, is_possible=is_aside),
    )


def _history_table(states: Sequence[Case], measures: _Measures) -> Table:
    return Table(
        name="history",
        title="历次考核",
        columns=[
            Column("period", "月份"),
            Column("run", "考核运行"),
            Column("level", "级别"),
            Column("state", "状态"),
            Column("change", "变化"),
            Column("measure", "实测值", Form.AMOUNT),
            Column("threshold", "界限", Form.AMOUNT),
            Column("detail", "情况"),
        ],
        rows=[
            (
                *(
                    Cell(value=each.period, is_head=True),
                    each.run_id if each.is_current else f"{each.run_id}（已被取代）",
                ),
                alert_level_cell(AlertLevel(each.level)),
                *(_state_cell(each), CHANGE_WORDS[each.change]),
                *(measures.cell(each), _number_cell(each.threshold), each.detail),
            )
            for each in reversed(states)
        ],
        empty="还没有考核过。",
    )


def _decisions_table(decisions: Sequence[Decision]) -> Table:
    return Table(
        name="decisions",
        title="搁置决定",
        columns=[
            Column("decided_at", "时间"),
            Column("decided_by", "决定人"),
            Column("decision", "决定"),
            Column("from_period", "决定时的月份"),
            Column("last_period", "最后不计的月份"),
            Column("reason", "理由"),
        ],
        rows=[
            (
                *(each.decided_at, each.decided_by),
                "撤销搁置" if each.until is None else f"搁置至{each.until}",
                *(each.from_period, each.last_period, each.reason),
            )
            for each in reversed(decisions)
        ],
        empty="没有人搁置过这个事项。",
    )


# Deciding


def _set_aside(desk: Desk, history: CaseHistory, key: str, reason: str, until: str) -> Response:
    """Set a case aside.

    Raises:
        FormError: the reason or the day cannot be taken, or the data have closed the case.
    """
    with desk.connect() as connection:
        last = Period.parse(desk.assessed_periods(connection)[0])
    errors: dict[str, str] = {}
    said, day = "", last.end
    try:
        said = reason_entered(reason)
    except FormError as error:
        errors |= error.sentences
    try:
        day = parse_day(until.strip())
    except UsageError:
        errors["until"] = "请写明搁置到哪一天，写作2019-12-31。" if until.strip() else "请填写搁置到哪一天。"
    else:
        if day < last.end:
            errors["until"] = f"{last.words}已经考核，搁置的日期不能早于{last.end}。"
    if errors:
        raise FormError(errors)

    def do(connection: Connection) -> None:
        try:
            set_aside(connection, history.case_id, reason=said, until=day, decided_by=desk.user.get_name())
        except RefusedError:
            raise FormError({"": "该事项已由报送数据销号，不需要搁置。"}) from None

    action = Action(kind=ActionKind.SET_ASIDE, subject=history.case_id, period=str(last), reason=said)
    outcome = f"已搁置至{day}：从下一次考核起不再计入，已考核的月份不变。"
    return desk.act(key, action, outcome, desk.href(f"cases/{history.case_id}"), do)


def _take_back(desk: Desk, history: CaseHistory, key: str, why: str) -> Response:
    """Take back that a case was set aside.

    Raises:
        FormError: the reason cannot be taken, or the case is not set aside.
    """
    said = reason_entered(why, "why")
    with desk.connect() as connection:
        last = desk.assessed_periods(connection)[0]

    def do(connection: Connection) -> None:
        try:
            take_back(connection, history.case_id, reason=said, decided_by=desk.user.get_name())
        except RefusedError:
            raise FormError({"": "该事项现在没有被搁置，不需要撤销。"}) from None

    action = Action(kind=ActionKind.TAKE_BACK, subject=history.case_id, period=last, reason=said)
    outcome = "已撤销搁置：从下一次考核起重新计入，已考核的月份不变。"
    return desk.act(key, action, outcome, desk.href(f"cases/{history.case_id}"), do)
