"""The bulletin's tables: which figures stand in which row and column (docs/outputs.md#bulletin)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from five_precisions.bulletin.document import Cell, Figure, Table, TableColumn
from five_precisions.bulletin.prose import numeral
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.wording import listing, month_name, movement
from five_precisions.display import Form
from five_precisions.reports import load_reports

_SUMMARY: Final = (
    "loan_balance",
    "loan_balance_industry",
    "loan_balance_personal",
    "loan_balance_operating",
    "loan_balance_education",
    "loan_balance_consumption",
    "overdue_ratio",
    "project_loan_cumulative",
    "microcredit_balance",
    "microcredit_growth",
    "all_loans_growth",
    "microcredit_ytd_households",
    "microcredit_ytd_households_yoy",
    "microcredit_ytd_amount",
    "microcredit_ytd_amount_yoy",
    "microcredit_cumulative_households",
    "microcredit_cumulative_amount",
    "microcredit_overdue_ratio",
    "match_rate",
    "visit_coverage_standing",
)
"""Rows of the table of main figures."""
_STATES: Final = ("已整改", "整改中", "逾期未整改")
_MOST_NAMES: Final = 4
"""Institutions that a cell names; of more it gives the number."""
_FROM_ZERO_EACH_YEAR: Final = ("microcredit_ytd_households", "microcredit_ytd_amount")
"""What was reached by the quarter before, in the same year or the last, says nothing about growth."""


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A column that shows one metric of each row's subject."""

    header: str
    metric: str
    group: str | None = None


_BANK_COLUMNS: Final = (
    MetricColumn("合计", "loan_balance", "精准扶贫贷款余额"),
    MetricColumn("产业", "loan_balance_industry", "精准扶贫贷款余额"),
    MetricColumn("个人", "loan_balance_personal", "精准扶贫贷款余额"),
    MetricColumn("逾期率", "overdue_ratio", "精准扶贫贷款余额"),
    MetricColumn("余额", "microcredit_balance", "扶贫小额信贷"),
    MetricColumn("比年初增长", "microcredit_growth", "扶贫小额信贷"),
    MetricColumn("本年户数", "microcredit_ytd_households", "扶贫小额信贷"),
    MetricColumn("本年金额", "microcredit_ytd_amount", "扶贫小额信贷"),
    MetricColumn("逾期率", "microcredit_overdue_ratio", "扶贫小额信贷"),
    MetricColumn("对接率", "match_rate", "项目"),
    MetricColumn("覆盖率", "visit_coverage_standing", "走访"),
)
_COUNTY_COLUMNS: Final = (
    MetricColumn("合计", "loan_balance", "精准扶贫贷款余额"),
    MetricColumn("产业", "loan_balance_industry", "精准扶贫贷款余额"),
    MetricColumn("个人", "loan_balance_personal", "精准扶贫贷款余额"),
    MetricColumn("余额", "microcredit_balance", "扶贫小额信贷"),
    MetricColumn("本年户数", "microcredit_ytd_households", "扶贫小额信贷"),
    MetricColumn("本年金额", "microcredit_ytd_amount", "扶贫小额信贷"),
    MetricColumn("已到位", "fund_arrived", "担保贴息资金"),
    MetricColumn("到位率", "fund_arrival_rate", "担保贴息资金"),
)
_MATCHING_COLUMNS: Final = (
    MetricColumn("项目数", "project_count"),
    MetricColumn("资金需求", "project_demand"),
    MetricColumn("带动就业", "project_jobs"),
    MetricColumn("已对接", "projects_matched"),
    MetricColumn("对接率", "match_rate"),
    MetricColumn("党建结对", "projects_paired"),
    MetricColumn("长期未对接", "projects_stale"),
)
ROUND_1: Final = "第一轮"
_VISIT_COLUMNS: Final = (
    MetricColumn("有劳动能力户", "households_able"),
    MetricColumn("累计走访", "households_visited_cumulative"),
    MetricColumn(ROUND_1, "visit_coverage_round_1", "覆盖率"),
    MetricColumn("本轮", "visit_coverage", "覆盖率"),
    MetricColumn("已评分", "households_scored", "评分授信"),
    MetricColumn("平均分", "score_average", "评分授信"),
    MetricColumn("需求未满足户", "households_wanting"),
)


def summary(results: QuarterResults) -> Table:
    """The city's main figures, beside those of the quarter before where that was assessed."""
    city = results.at_end.city.code
    compared: tuple[TableColumn, ...] = ()
    if results.before:
        compared = (
            TableColumn("上季末", Form.AMOUNT),
            TableColumn("增减", Form.AMOUNT),
            TableColumn("增幅(%)", Form.PERCENT),
        )
    rows: list[tuple[Cell, ...]] = []
    for metric in _SUMMARY:
        declared = results.at_end.catalogue.find(metric)
        is_part = metric.startswith("loan_balance_")
        earlier: tuple[Cell, ...] = ()
        if results.before:
            grows = results.at_end.form(metric) is not Form.PERCENT and metric not in _FROM_ZERO_EACH_YEAR
            earlier = (
                results.earlier(metric, "city", city),
                results.change(metric, "city", city),
                results.growth(metric, "city", city) if grows else None,
            )
        share = results.share(metric, "loan_balance", "city", city) if is_part else None
        rows.append((declared.name, declared.unit, results.figure(metric, "city", city), share, *earlier))
    gap = results.gap("microcredit_growth", "all_loans_growth", "city", city)
    rows.append(("扶贫小额信贷增速与各项贷款增速之差", "百分点", gap, *[None] * (1 + len(compared))))
    return Table(
        code="summary",
        title="全市金融精准扶贫主要指标",
        unit="",
        columns=(
            TableColumn("指标"),
            TableColumn("单位"),
            TableColumn("本季末", Form.AMOUNT),
            TableColumn("占比(%)", Form.PERCENT),
            *compared,
        ),
        rows=tuple(rows),
        note="增减、增幅为与上季末相比；单位为%的指标，增减以百分点计。"
        if results.before
        else "上季末没有考核数据，不作比较。",
    )


def scores(results: QuarterResults) -> Table:
    """Every bank's score with its items, ranked ones first."""
    indicators = results.at_end.indicators
    rows: list[tuple[Cell, ...]] = []
    for assessment in results.at_end.assessed:
        bank = assessment.institution_code
        if assessment.rank is None:
            # The reason stands in the text; a dash in each column says that there is nothing to compare.
            rows.append(("暂不排名", results.at_end.name(bank), *[None] * (len(indicators) + 4)))
            continue
        rows.append(
            (
                results.at_end.rank(bank),
                results.at_end.name(bank),
                *(results.at_end.points(bank, indicator) for indicator in indicators),
                results.at_end.deductions(bank),
                results.at_end.score(bank),
                assessment.grade,
                movement(results.movement(bank)) or _why_no_movement(results, bank),
            )
        )
    weights = _weights(results)
    weighed = "、".join(f"{name}{weights[code]}" for code, name in indicators.items() if code in weights)
    return Table(
        code="scores",
        title="动态考核得分和排名",
        unit="分",
        columns=(
            TableColumn("名次", Form.RANK),
            TableColumn("机构"),
            *(TableColumn(name, Form.SCORE) for name in indicators.values()),
            TableColumn("扣分", Form.SCORE),
            TableColumn("总分", Form.SCORE),
            TableColumn("等次"),
            TableColumn("比上季" if results.before else "比上月"),
        ),
        rows=tuple(rows),
        note=f"各项为加权得分，权重：{weighed}。“—”为不参与考核；总分按参与考核的权重折算为百分制，再减扣分。",
    )


def _why_no_movement(results: QuarterResults, bank: str) -> str:
    months = results.at_end.assessments.items()
    if all(month >= str(results.month) or bank not in of or of[bank].rank is None for month, of in months):
        return "首次排名"
    return f"{'上季末' if results.before else '上月'}未排名"


def outreach(results: QuarterResults) -> Table:
    """Outreach by county."""
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            results.sum_of_quarter("activities_month", scope, code),
            results.figure("cadres_trained_cumulative", scope, code),
            results.figure("leaflets_cumulative", scope, code),
            results.figure("outreach_team", scope, code),
            results.figure("outreach_towns_quarter", scope, code),
            results.figure("outreach_town_coverage", scope, code),
        )
        for name, scope, code in _counties_and_city(results)
    ]
    columns = (
        TableColumn("县区"),
        TableColumn("本季活动", Form.COUNT),
        TableColumn("累计培训", Form.COUNT),
        TableColumn("发放资料", Form.COUNT),
        TableColumn("宣传队伍", Form.COUNT),
        TableColumn("覆盖乡镇", Form.COUNT),
        TableColumn("乡镇覆盖率", Form.PERCENT),
    )
    return Table(
        code="outreach",
        title="精准宣传情况",
        unit="场、人次、份、人、个、%",
        columns=columns,
        rows=tuple(rows),
        has_total=True,
    )


def matching(results: QuarterResults) -> Table:
    """Projects by county."""
    return _by_county(results, "matching", "产业扶贫项目对接情况", "个、万元、人、%", _MATCHING_COLUMNS)


def visits(results: QuarterResults) -> Table:
    """Visits and scoring by county; in the first round of visits that round alone."""
    current = results.at_end.visit_round
    columns = [
        replace(column, header=round_name(current)) if column.metric == "visit_coverage" else column
        for column in _VISIT_COLUMNS
        if column.metric != "visit_coverage" or current > 1
    ]
    return _by_county(results, "visits", "走访和评分授信情况", "户、%、分", columns)


def round_name(number: int) -> str:
    """A round of visits: 第二轮."""
    return f"第{numeral(number)}轮"


def targets(results: QuarterResults) -> Table:
    """Each bank's target of households and what it has reached."""
    rows: list[tuple[Cell, ...]] = [
        (
            bank.short_name,
            results.target(bank.code),
            results.figure("microcredit_ytd_households", "bank", bank.code),
            results.figure("microcredit_completion", "bank", bank.code),
            results.needed(bank.code),
        )
        for bank in results.at_end.banks
    ]
    city = results.at_end.city.code
    rows.append(
        (
            "全市",
            results.target(None),
            results.figure("microcredit_ytd_households", "city", city),
            results.city_completion(),
            None,
        )
    )
    return Table(
        code="targets",
        title="扶贫小额信贷目标完成情况",
        unit="户、%",
        columns=(
            TableColumn("机构"),
            TableColumn("全年目标", Form.COUNT),
            TableColumn("本年发放", Form.COUNT),
            TableColumn("完成率", Form.PERCENT),
            TableColumn("月均还需", Form.COUNT),
        ),
        rows=tuple(rows),
        has_total=True,
        note="完成率为按序时进度计算；月均还需为年内剩余月份每月至少应发放的户数。"
        "同一农户在两家银行都有贷款的，全市只计一户。",
    )


def count_inspections(results: QuarterResults) -> dict[str, dict[str, int]]:
    """Findings of on-site inspections on record, by aspect, then by what has become of them."""
    counted: dict[str, dict[str, int]] = {}
    for inspection in results.at_end.inspections:
        states = counted.setdefault(inspection.aspect, dict.fromkeys(_STATES, 0))
        if inspection.mended_on is not None:
            states["已整改"] += 1
        else:
            states["逾期未整改" if inspection.is_overdue(results.month.end) else "整改中"] += 1
    return {aspect: counted[aspect] for aspect in sorted(counted, key=_place_of_aspect)}


def supervision(results: QuarterResults) -> Table | None:
    """Findings of on-site inspections by aspect; None where there are none on record."""
    counted = count_inspections(results)
    if not counted:
        return None
    total = {state: sum(states[state] for states in counted.values()) for state in _STATES}
    return Table(
        code="supervision",
        title="专项督查发现问题整改情况",
        unit="个",
        columns=(
            TableColumn("督查方面"),
            TableColumn("发现问题", Form.COUNT),
            *(TableColumn(state, Form.COUNT) for state in _STATES),
        ),
        rows=tuple(
            (aspect, *map(_count, (sum(states.values()), *states.values())))
            for aspect, states in (counted | {"合计": total}).items()
        ),
        has_total=True,
    )


def reporting(results: QuarterResults) -> Table | None:
    """Institutions whose reports were late, sent back or missing in the quarter; None where all were in order."""
    late, returned, missing = Counter[str](), Counter[str](), Counter[str]()
    for each in results.quarter_reporting:
        late[each.institution_code] += each.is_received and not each.on_time
        returned[each.institution_code] += each.is_received and not each.first_pass
        missing[each.institution_code] += not each.is_received
    troubled = sorted(code for code in late if late[code] or returned[code] or missing[code])
    if not troubled:
        return None
    rows: list[tuple[Cell, ...]] = [
        (results.at_end.name(code), *map(_count, (late[code], returned[code], missing[code]))) for code in troubled
    ]
    return Table(
        code="reporting",
        title="本季报送质量问题",
        unit="张次",
        columns=(
            TableColumn("机构"),
            TableColumn("迟报", Form.COUNT),
            TableColumn("退回后重报", Form.COUNT),
            TableColumn("未报或未通过", Form.COUNT),
        ),
        rows=tuple(rows),
    )


def alerts(results: QuarterResults) -> Table | None:
    """Standing alerts by aspect: how many of each level, whose, and since when; None where there are none."""
    if not results.at_end.alerts:
        return None
    levels = {"high": "高", "medium": "中", "low": "低"}
    rows: list[tuple[Cell, ...]] = []
    for aspect in sorted({alert.aspect for alert in results.at_end.alerts}, key=_place_of_aspect):
        own = [alert for alert in results.at_end.alerts if alert.aspect == aspect]
        counted = Counter(alert.level for alert in own)
        names = list(dict.fromkeys(results.at_end.name(alert.institution_code) for alert in own))
        since = month_name(min(alert.since for alert in own))
        rows.append((aspect, *(_count(counted[level]) for level in levels), listing(names, limit=_MOST_NAMES), since))
    return Table(
        code="alerts",
        title="督查预警情况",
        unit="项",
        columns=(
            TableColumn("方面"),
            *(TableColumn(f"{name}级", Form.COUNT) for name in levels.values()),
            TableColumn("涉及机构"),
            TableColumn("最早发现"),
        ),
        rows=tuple(rows),
    )


def banks(results: QuarterResults) -> Table:
    """Appendix: banks × indicators."""
    subjects = [(bank.short_name, "bank", bank.code) for bank in results.at_end.banks]
    subjects.append(("全市", "city", results.at_end.city.code))
    return _of_metrics(results, "banks", "各银行金融精准扶贫主要指标", "万元、户、%", "机构", _BANK_COLUMNS, subjects)


def counties(results: QuarterResults) -> Table:
    """Appendix: counties × indicators."""
    return _by_county(results, "counties", "各县（市、区）金融精准扶贫主要指标", "万元、户、%", _COUNTY_COLUMNS)


def league(results: QuarterResults) -> Table | None:
    """Appendix: the cities of the province by what they lent this year; None without the league's report."""
    places = results.at_end.boards.get("league_ytd_amount", ())
    if not places:
        return None
    rows: list[tuple[Cell, ...]] = [
        (
            results.of_place(place, "rank", Form.RANK),
            place.subject_name,
            results.of_place(place, "value", Form.AMOUNT),
            "首次" if place.previous_rank is None else movement(place.previous_rank - place.rank),
        )
        for place in places
    ]
    return Table(
        code="league",
        title="全省各市扶贫小额信贷本年发放额",
        unit="万元",
        columns=(
            TableColumn("位次", Form.RANK),
            TableColumn("市"),
            TableColumn("本年发放额", Form.AMOUNT),
            TableColumn("比上月"),
        ),
        rows=tuple(rows),
    )


def _by_county(results: QuarterResults, code: str, title: str, unit: str, columns: Sequence[MetricColumn]) -> Table:
    return _of_metrics(results, code, title, unit, "县区", columns, _counties_and_city(results))


def _of_metrics(
    results: QuarterResults,
    code: str,
    title: str,
    unit: str,
    first_header: str,
    columns: Sequence[MetricColumn],
    subjects: Sequence[tuple[str, str, str]],
) -> Table:
    return Table(
        code=code,
        title=title,
        unit=unit,
        columns=(
            TableColumn(first_header),
            *(TableColumn(column.header, results.at_end.form(column.metric), column.group) for column in columns),
        ),
        rows=tuple(
            (name, *(results.figure(column.metric, scope, subject) for column in columns))
            for name, scope, subject in subjects
        ),
        has_total=True,
    )


def _counties_and_city(results: QuarterResults) -> list[tuple[str, str, str]]:
    counties_ = [(county.name, "county", county.code) for county in results.at_end.counties]
    return [*counties_, ("全市", "city", results.at_end.city.code)]


def _weights(results: QuarterResults) -> dict[str, str]:
    return {
        item.indicator: f"{item.weight.normalize():f}"
        for items in results.at_end.items.values()
        for item in items.values()
    }


def _place_of_aspect(aspect: str) -> int:
    """The five aspects in the order in which they are declared; one of a rule of another aspect comes last."""
    [aspects] = [column.of for column in load_reports()["inspections"].columns if column.name == "aspect"]
    return aspects.index(aspect) if aspect in aspects else len(aspects)


def _count(number: int) -> Figure:
    return Figure(number, Form.COUNT)
