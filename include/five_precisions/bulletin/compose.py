"""From a quarter's results to the bulletin's sections, tables and charts (docs/outputs.md#bulletin)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from five_precisions.bulletin import charts, tables
from five_precisions.bulletin.document import Block, Bulletin, Cell, Chart, Figure, Paragraph, Section, Table
from five_precisions.bulletin.prose import Quote, is_zero, numeral, render_prose
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import Assessment, Institution
from five_precisions.bulletin.wording import day_name, listing, month_name, movement, quarter_name
from five_precisions.display import Form, rounded
from five_precisions.errors import RefusedError
from five_precisions.period import SHANGHAI
from five_precisions.register import InstitutionKind
from five_precisions.reports import load_reports

_SECTIONS: Final = {
    "overview": "一、总体情况",
    "ranking": "二、考核排名",
    "progress": "三、五个精准进展",
    "problems": "四、存在问题",
    "requirements": "五、下一步要求",
}
"""The five sections: template and title."""
_APPENDICES: Final = (tables.summary, tables.banks, tables.counties, tables.league, tables.reporting)
_ROUND_REACHED: Final = Decimal(85)
_OVERDUE: Final = Decimal(3)
"""Percent; the limits in the sentences of 四、存在问题 say the same in words."""
_HALF: Final = Decimal(50)
_TOP: Final = 3
_MOST_NAMED: Final = 12
"""Whom a sentence names before it says how many they are; the tables name everyone."""
_MOST_BARS: Final = 24
"""Banks in a chart; a large area has hundreds (docs/field.md#sizes), and a picture is not parted over pages."""
_CATEGORIES: Final = {
    "产业": "loan_balance_industry",
    "个人经营": "loan_balance_operating",
    "个人教育": "loan_balance_education",
    "个人消费": "loan_balance_consumption",
}


@dataclass(frozen=True, slots=True)
class Rated:
    """A subject with the figure that it is named for."""

    code: str
    name: str
    figure: Figure
    unit: str = "%"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a document, and when; as its last footnote says it."""

    decided_by: str
    decided_at: datetime

    def __str__(self) -> str:
        at = self.decided_at.astimezone(SHANGHAI)
        return f"审批：{self.decided_by}，{day_name(at.date())}{at:%H:%M}。"


@dataclass(slots=True)
class _Numbering:
    """（一）, （二）, … for the points of a section that has any."""

    used: int = 0

    def __call__(self) -> str:
        self.used += 1
        return f"（{numeral(self.used)}）"


def compose(
    results: QuarterResults, *, remark: str = "", approval: Approval | None = None, is_demo: bool = False
) -> Bulletin:
    """The bulletin of a quarter; `remark` is what the leaders entered at approval and becomes part of section 五.

    Raises:
        RefusedError: the register has no centre that could issue it.
    """
    introduction, sections = write_sections(results, remark, _inserts(results))
    name = quarter_name(str(results.quarter))
    appendices = tuple(filter(None, (make(results) for make in _APPENDICES)))
    footnotes = _footnotes(results)
    if _has_restated([block for section in sections for block in section.blocks], appendices):
        footnotes.append("标*的数字经过重述，与此前公布的不同。")
    if approval is not None:
        footnotes.append(str(approval))
    return Bulletin(
        quarter=str(results.quarter),
        issuer=_issuer(results).name,
        number=f"〔{results.quarter.year}〕第{results.quarter.number}期",
        title=f"关于{name}金融精准扶贫工作情况的通报",
        addressees="各银行机构，各县（市、区）扶贫工作办公室：",
        introduction=introduction,
        sections=sections,
        appendices=appendices,
        issued_on=results.issued_on,
        footnotes=tuple(footnotes),
        is_demo=is_demo,
    )


def write_sections(
    results: QuarterResults, remark: str, inserts: Mapping[str, Table | Chart]
) -> tuple[Paragraph, tuple[Section, ...]]:
    """The introduction and the five sections: their sentences, and of the tables and charts those of `inserts`."""
    values = _values(results, remark)
    introduction = next(block for block in render_prose("introduction", values, {}) if isinstance(block, Paragraph))
    sections = [
        Section(title, tuple(render_prose(template, {**values, "item": _Numbering()}, inserts)))
        for template, title in _SECTIONS.items()
    ]
    return introduction, tuple(sections)


def _has_restated(blocks: Iterable[Block], appendices: Iterable[Table]) -> bool:
    figures: list[Cell] = []
    for block in (*blocks, *appendices):
        if isinstance(block, Paragraph):
            figures += block.figures
        elif isinstance(block, Table):
            figures += [cell for row in block.rows for cell in row]
    return any(isinstance(figure, Figure) and figure.restated for figure in figures)


def _issuer(results: QuarterResults) -> Institution:
    centre = next((each for each in results.at_end.institutions.values() if each.kind is InstitutionKind.CENTRE), None)
    if centre is None:
        raise RefusedError("The register has no institution of kind centre; the bulletin needs one to issue it.")
    return centre


def _inserts(results: QuarterResults) -> dict[str, Table | Chart]:
    made: dict[str, Table | Chart | None] = {
        "scores": tables.scores(results),
        "outreach": tables.outreach(results),
        "matching": tables.matching(results),
        "visits": tables.visits(results),
        "targets": tables.targets(results),
        "supervision": tables.supervision(results),
        "alerts": tables.alerts(results),
        "balances": _balances_chart(results),
        "league_chart": _league_chart(results),
        "scores_chart": _scores_chart(results),
        "outreach_chart": _outreach_chart(results),
        "matching_chart": _matching_chart(results),
        "visits_chart": _visits_chart(results),
        "pace_chart": _pace_chart(results),
        "supervision_chart": _supervision_chart(results),
    }
    return {code: insert for code, insert in made.items() if insert is not None}


def _values(results: QuarterResults, remark: str) -> dict[str, Any]:
    """What the templates can ask for."""
    at_end, city = results.at_end, results.at_end.city.code
    ranked = [assessment for assessment in at_end.assessed if assessment.rank is not None]
    last_month = results.month

    def names(rated: Sequence[Rated]) -> str:
        return listing([each.name for each in rated], limit=_MOST_NAMED)

    def of_city(ask: Callable[..., Figure]) -> Callable[..., Figure]:
        return lambda *metrics: ask(*metrics, "city", city)

    values: dict[str, Any] = {
        "quarter_name": quarter_name(str(results.quarter)),
        "month_name": f"{last_month.month}月",
        "month_end": day_name(last_month.end),
        "year_so_far": "1月" if last_month.month == 1 else f"1—{last_month.month}月",
        "compared_with": "上季末" if results.before else "上月",
        "city": of_city(results.figure),
        "quarter": of_city(results.sum_of_quarter),
        "change": of_city(results.change),
        "growth": of_city(results.growth),
        "share": of_city(results.share),
        "gap": of_city(results.gap),
        "score": results.at_end.score,
        "name": at_end.name,
        "names": names,
        "who": lambda rated: "各银行" if len(rated) == len(at_end.banks) else names(rated),
        "most_named": _MOST_NAMED,
        "some_banks": lambda rated: "各银行" if len(rated) == len(at_end.banks) else "部分银行",
        "unit": lambda metric: at_end.catalogue.find(metric).unit,
        "known": lambda metric: at_end.of_city(metric).value is not None,
        "has": lambda figure: figure.value is not None,
        "is_zero": is_zero,
        "nothing_lent_before": at_end.of_city("microcredit_ytd_amount_prior").value == 0,
        "count_of": results.count,
        "assessed": at_end.assessed,
        "ranked": ranked,
        "unranked": [
            (at_end.name(assessment.institution_code), Quote(assessment.reason or ""))
            for assessment in at_end.assessed
            if assessment.rank is None
        ],
        "grades": _grades(results, ranked),
        "top": ranked[:_TOP],
        "bottom": ranked[_TOP:][-_TOP:],
        "has_movement": any(results.movement(assessment.institution_code) is not None for assessment in ranked),
        "risers": _moved(results, ranked, rising=True),
        "fallers": _moved(results, ranked, rising=False),
        "round": at_end.visit_round,
        "round_name": tables.round_name(at_end.visit_round),
        "known_target": bool(results.target(None).value),
        "target": results.target(None),
        "completion": results.city_completion(),
        "remark": [Quote(line.strip()) for line in remark.splitlines() if line.strip()],
        "missing_loans": listing(_missing_loans(results), limit=_MOST_NAMED),
    }
    return values | _league(results) | _supervision(results) | _shortcomings(results)


def _league(results: QuarterResults) -> dict[str, Any]:
    places = results.at_end.boards.get("league_ytd_amount", ())
    own = next((place for place in places if place.subject_code == results.at_end.city.code), None)
    if own is None:
        return {"league": places, "own_place": None, "place_moved": ""}
    moved = None if own.previous_rank is None else own.previous_rank - own.rank
    phrase = movement(moved)
    return {
        "league": places,
        "own_place": results.of_place(own, "rank", Form.RANK),
        "place_moved": "" if phrase is None else f"，与上月相比{phrase}",
    }


def _supervision(results: QuarterResults) -> dict[str, Any]:
    inspections = results.at_end.inspections
    overdue = [each for each in inspections if each.is_overdue(results.month.end)]
    outlets, signed = (sum(getattr(grid, what) for grid in results.at_end.grids) for what in ("outlets", "signed"))
    return {
        "grid_outlets": Figure(outlets, Form.COUNT) if outlets else None,
        "grid_signed": Figure(signed, Form.COUNT),
        "inspections": {
            "found": results.count(inspections),
            "mended": results.count([each for each in inspections if each.mended_on is not None]),
            "overdue": results.count(overdue),
            "institutions": _named(results, [each.institution_code for each in overdue]),
        }
        if inspections
        else None,
        "inspections_received": any(
            each.report == "inspections" and each.is_received and each.period == str(results.month)
            for each in results.at_end.reporting
        ),
    }


def _shortcomings(results: QuarterResults) -> dict[str, Any]:
    """Who falls short of what, worst first."""
    at_end = results.at_end
    floor = _rounded(at_end.of_city("all_loans_growth"))
    coverage = _rounded(at_end.of_city("visit_coverage_standing"))
    visited_enough = _ROUND_REACHED if coverage is None else min(coverage, _ROUND_REACHED)

    def banks(metric: str, falls_short: Callable[[Decimal | int], bool], *, worst_is_low: bool = True) -> list[Rated]:
        return _worst(
            [Rated(bank.code, bank.short_name, results.figure(metric, "bank", bank.code)) for bank in at_end.banks],
            falls_short,
            worst_is_low=worst_is_low,
        )

    def counties(metric: str, falls_short: Callable[[Decimal | int], bool], unit: str) -> list[Rated]:
        rated = [
            Rated(each.code, each.name, results.figure(metric, "county", each.code), unit) for each in at_end.counties
        ]
        return _worst(rated, falls_short, worst_is_low=unit == "%")

    behind = banks("microcredit_completion", lambda value: value < 100)
    ahead = banks("microcredit_completion", lambda value: value >= 100, worst_is_low=False)
    needed = [Rated(each.code, each.name, results.needed(each.code), "户") for each in behind]
    without = [bank.short_name for bank in at_end.banks if not at_end.targets.get(bank.code)]
    return {
        "behind": behind,
        "ahead": ahead,
        "needed": [each for each in needed if each.figure.value is not None],
        "without_target": listing(without, limit=_MOST_NAMED),
        "slow": [] if floor is None else banks("microcredit_growth", lambda value: value <= floor),
        "overdue": banks("microcredit_overdue_ratio", lambda value: value > _OVERDUE, worst_is_low=False),
        "seldom_visited": banks("visit_coverage_standing", lambda value: value < visited_enough),
        "round_reached": visited_enough == _ROUND_REACHED,
        "match_low": banks("match_rate", lambda value: value < _HALF),
        "stale": counties("projects_stale", lambda value: value > 0, "个"),
        "unfunded": counties("fund_arrival_rate", lambda value: value < 100, "%"),
        "wanting": bool(at_end.of_city("households_wanting").value),
        "reporting_trouble": _reporting_trouble(results),
        "grave": _grave(results),
    }


def _rounded(figure: Figure) -> Decimal | None:
    return None if figure.value is None else rounded(figure.value, figure.form)


def _worst(rated: Iterable[Rated], falls_short: Callable[[Decimal | int], bool], *, worst_is_low: bool) -> list[Rated]:
    # By the figure as it is shown: 99.996 reads 100.00, which is no shortfall.
    found = [
        each
        for each in rated
        if each.figure.value is not None and falls_short(rounded(each.figure.value, each.figure.form))
    ]
    return sorted(found, key=lambda each: each.figure.value or 0, reverse=not worst_is_low)


def _reporting_trouble(results: QuarterResults) -> list[tuple[str, Figure, str]]:
    reporting = results.quarter_reporting
    kinds = {
        "迟报": [each for each in reporting if each.is_received and not each.on_time],
        "退回后重报": [each for each in reporting if each.is_received and not each.first_pass],
        "未报或未通过": [each for each in reporting if not each.is_received],
    }
    return [
        (what, results.count(found), _named(results, [each.institution_code for each in found]))
        for what, found in kinds.items()
        if found
    ]


def _named(results: QuarterResults, institutions: Iterable[str]) -> str:
    """Each institution once, in the order given."""
    return listing([results.at_end.name(code) for code in dict.fromkeys(institutions)], limit=_MOST_NAMED)


def _grave(results: QuarterResults) -> list[tuple[str, Figure, str]]:
    """Who has open cases of level high: name, how many, since which month."""
    grave = [alert for alert in results.at_end.alerts if alert.level == "high"]
    codes = dict.fromkeys(alert.institution_code for alert in grave)
    own = {code: [alert for alert in grave if alert.institution_code == code] for code in codes}
    return [
        (results.at_end.name(code), results.count(alerts), month_name(min(alert.since for alert in alerts)))
        for code, alerts in own.items()
    ]


def _grades(results: QuarterResults, ranked: Sequence[Assessment]) -> list[tuple[str, Figure, str]]:
    """Grades in the order of the ranking: name, how many banks, which."""
    grades: dict[str, list[str]] = {}
    for assessment in ranked:
        grades.setdefault(assessment.grade or "", []).append(assessment.institution_code)
    return [(grade, results.count(banks), _named(results, banks)) for grade, banks in grades.items()]


def _moved(results: QuarterResults, ranked: Sequence[Assessment], *, rising: bool) -> list[tuple[str, Figure]]:
    """Who won places, or lost them, and how many; the furthest first."""
    moves = [
        (results.at_end.name(each.institution_code), results.movement(each.institution_code) or 0) for each in ranked
    ]
    chosen = [(name, abs(places)) for name, places in moves if (places > 0 if rising else places < 0)]
    return [(name, Figure(places, Form.COUNT)) for name, places in sorted(chosen, key=lambda each: -each[1])]


def _missing_loans(results: QuarterResults) -> list[str]:
    return [
        results.at_end.name(each.institution_code)
        for each in results.at_end.reporting
        if each.period == str(results.month) and each.report == "loans" and not each.is_received
    ]


def _footnotes(results: QuarterResults) -> list[str]:
    run = results.at_end.run
    version = f"第{run.revision}次，考核方案{run.scheme_version}，数据摘要{run.input_digest}"
    notes = [f"本通报依据{month_name(run.period)}考核运行{run.run_id}（{version}）编制。"]
    titles = {code: report.title for code, report in load_reports().items()}
    missing: dict[str, list[str]] = {}
    for each in results.quarter_reporting:
        if not each.is_received:
            place = f"{results.at_end.name(each.institution_code)}（{month_name(each.period)}）"
            missing.setdefault(place, []).append(f"《{titles[each.report]}》")
    if missing:
        listed = "；".join(f"{place}：{'、'.join(reports)}" for place, reports in missing.items())
        notes.append(f"本季未取得、未计入的报表：{listed}。")
    else:
        notes.append("本季各机构应报报表均已取得。")
    return notes


def _balances_chart(results: QuarterResults) -> Chart | None:
    points = [
        charts.BalancePoint(str(month), category, Decimal(figure.value))
        for month in results.year_months
        for category, metric in _CATEGORIES.items()
        if (figure := results.at_end.of_city(metric, month)).value is not None
    ]
    if not points:
        return None
    first, last = month_name(points[0].period), month_name(points[-1].period)
    return Chart(
        code="balances",
        title="全市金融精准扶贫贷款余额（万元）",
        description=f"{first}至{last}各月末全市精准扶贫贷款余额，按产业、个人经营、个人教育、个人消费分层。",
        draw=partial(charts.balances, points),
    )


def _scores_chart(results: QuarterResults) -> Chart | None:
    ranked = _ends(
        [assessment.institution_code for assessment in results.at_end.assessed if assessment.rank is not None]
    )
    parts = [
        charts.Part(results.at_end.name(bank), name, figure.value * results.scale(bank))
        for bank in ranked
        for indicator, name in results.at_end.indicators.items()
        if (figure := results.at_end.points(bank, indicator)).value is not None
    ]
    if not parts:
        return None
    return Chart(
        code="scores_chart",
        title=f"{_of_whom(results.at_end.assessed)}考核得分构成（分，扣分前）",
        description="各银行考核得分按指标叠加，自上而下按名次排列。",
        draw=partial(charts.stacks, parts, Form.SCORE, longest=100),
    )


def _outreach_chart(results: QuarterResults) -> Chart | None:
    parts = [
        charts.Part(county.name, "本季活动", figure.value)
        for county in results.at_end.counties
        if (figure := results.sum_of_quarter("activities_month", "county", county.code)).value is not None
    ]
    if not parts:
        return None
    width = charts.width_beside([part.subject for part in parts])
    return Chart(
        code="outreach_chart",
        title="本季宣传活动（场）",
        description="各县（市、区）本季开展宣传活动的场数。",
        draw=partial(charts.stacks, parts, Form.COUNT, width=width),
        is_narrow=width == charts.NARROW,
    )


def _matching_chart(results: QuarterResults) -> Chart | None:
    parts = []
    for county in results.at_end.counties:
        projects, matched = (
            results.figure(metric, "county", county.code).value for metric in ("project_count", "projects_matched")
        )
        if projects is not None and matched is not None:
            parts += [
                charts.Part(county.name, "已对接", matched),
                charts.Part(county.name, "未对接", projects - matched),
            ]
    if not parts:
        return None
    width = charts.width_beside([part.subject for part in parts[::2]])
    return Chart(
        code="matching_chart",
        title="产业项目对接（个）",
        description="各县（市、区）项目库中已对接和未对接的项目数，末端为项目总数。",
        draw=partial(charts.stacks, parts, Form.COUNT, width=width),
        is_narrow=width == charts.NARROW,
    )


def _visits_chart(results: QuarterResults) -> Chart | None:
    rounds = {tables.ROUND_1: "visit_coverage_round_1"}
    if results.at_end.visit_round > 1:
        rounds[tables.round_name(results.at_end.visit_round)] = "visit_coverage"
    rows = [
        charts.VisitRow(county.name, name, Decimal(figure.value))
        for county in results.at_end.counties
        for name, metric in rounds.items()
        if (figure := results.figure(metric, "county", county.code)).value is not None
    ]
    if not rows:
        return None
    width = charts.width_beside([county.name for county in results.at_end.counties])
    return Chart(
        code="visits_chart",
        title="走访覆盖率（%）",
        description=f"各县（市、区）有劳动能力贫困户走访的覆盖率：{'、'.join(rounds)}。",
        draw=partial(charts.visits, rows, width=width),
        is_narrow=width == charts.NARROW,
    )


def _pace_chart(results: QuarterResults) -> Chart | None:
    reached = {
        bank.code: value
        for bank in results.at_end.banks
        if results.at_end.targets.get(bank.code)
        and (value := results.figure("microcredit_ytd_households", "bank", bank.code).value) is not None
    }
    targets = results.at_end.targets
    shown = _ends(sorted(reached, key=lambda bank: (-Decimal(reached[bank]) / targets[bank], bank)))
    if not shown:
        return None
    # Beside its table only where that is not parted over pages, so every bank counts, also those without a target.
    width = charts.width_beside([bank.short_name for bank in results.at_end.banks])
    rows = [charts.PaceRow(results.at_end.name(bank), int(reached[bank]), targets[bank]) for bank in shown]
    return Chart(
        code="pace_chart",
        title=f"{'' if len(shown) == len(reached) else _of_whom(list(reached))}全年目标完成进度（%）",
        description="各银行本年发放户数占全年目标的百分比，竖线为已过时间占全年的百分比。",
        draw=partial(charts.pace, rows, Decimal(results.month.month) / 12, width=width),
        is_narrow=width == charts.NARROW,
    )


def _supervision_chart(results: QuarterResults) -> Chart | None:
    counted = tables.count_inspections(results)
    parts = [
        charts.Part(aspect, state, number) for aspect, states in counted.items() for state, number in states.items()
    ]
    if not parts:
        return None
    width = charts.width_beside(list(counted))
    return Chart(
        code="supervision_chart",
        title="督查问题整改（个）",
        description="各督查方面发现的问题，按已整改、整改中、逾期未整改分段。",
        draw=partial(charts.stacks, parts, Form.COUNT, width=width),
        is_narrow=width == charts.NARROW,
    )


def _ends(banks: Sequence[str]) -> list[str]:
    """The banks that a chart shows: all, or of too many for a page the first and the last ones."""
    return list(banks) if len(banks) <= _MOST_BARS else [*banks[: _MOST_BARS // 2], *banks[-_MOST_BARS // 2 :]]


def _of_whom(banks: Sequence[object]) -> str:
    return "各银行" if len(banks) <= _MOST_BARS else f"前{_MOST_BARS // 2}家和后{_MOST_BARS // 2}家银行"


def _league_chart(results: QuarterResults) -> Chart | None:
    rows = [
        charts.LeagueRow(place.subject_name, place.value, place.subject_code == results.at_end.city.code)
        for place in results.at_end.boards.get("league_ytd_amount", ())
    ]
    if not rows:
        return None
    return Chart(
        code="league_chart",
        title="全省各市扶贫小额信贷本年发放额（万元）",
        description="全省各市本年扶贫小额信贷发放额，从高到低，本市以深色标出。",
        draw=partial(charts.league, rows),
    )
