"""What an institution reads of itself in its own mails: place, score, pace and next steps; a county's places.

Every function describes one institution only; of the others it gives no more than how many they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from five_precisions.bulletin.document import Figure
from five_precisions.bulletin.results import Assessment, Item, Reporting, Results
from five_precisions.bulletin.wording import change, listing, movement_since
from five_precisions.display import Form, rounded, shown
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.reports import load_reports

NOT_OBTAINED: Final = "未取得"
"""What stands for a figure whose report is missing; never 0 (docs/figures.md)."""
_GOOD_FROM: Final = Decimal("0.9")
"""Share of an indicator's points from which on it counts as good."""
_STEPS: Final = 3
"""How many weak indicators get a next step."""
_LAST_MONTH: Final = 12
_COUNTY_BOARDS: Final = {
    "county_microcredit_ytd_amount": "microcredit_ytd_amount",
    "county_visit_coverage": "visit_coverage_standing",
    "county_match_rate": "match_rate",
    "county_fund_arrival_rate": "fund_arrival_rate",
}
"""Metric by board (include/reference/boards.yaml), in the order of the mail."""
_BASES: Final = {
    "microcredit_ytd_amount": "microcredit_ytd_households",
    "visit_coverage_standing": "households_able",
    "match_rate": "project_count",
    "fund_arrival_rate": "fund_due",
}
"""What a county's figure is taken over: where that is 0 there is none, and nothing is missing."""


def figure_text(figure: Figure, unit: str = "", base: Figure | None = None) -> str:
    """A figure with its unit; 未取得 where it has no value, or 无 where it is a ratio over nothing.

    Args:
        figure: what is shown.
        unit: put behind it.
        base: what the ratio is taken over, if it is one: with a value of 0 the ratio has none, and nothing is missing.
    """
    if figure.value is not None:
        return f"{figure}{unit}"
    return "无" if base is not None and base.value == 0 else NOT_OBTAINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far a bank is on its way to the year's target of households (docs/figures.md#assessment)."""

    month: Period
    households: Figure
    """Reached this year."""
    amount: Figure
    """Lent to them, 万元."""
    target: int
    completion: Figure
    """In percent of the target in proportion to the months gone by."""
    needed_per_month: Decimal | None
    forecast: Decimal | None
    """Both as the run has them: mart.pace."""

    @property
    def months_left(self) -> int:
        """Of the year, after this one."""
        return _LAST_MONTH - self.month.month

    @property
    def needed(self) -> int | None:
        """Households a month for the rest of the year, rounded up; None without figures, and when the year is over."""
        if self.needed_per_month is None:
            return None
        return int(self.needed_per_month.to_integral_value(ROUND_CEILING))

    def words(self) -> str:
        """All of it in sentences."""
        value = self.households.value
        if value is None:
            target = f"，全年目标{shown(self.target, Form.COUNT)}户" if self.target else ""
            return f"本年扶贫小额信贷发放户数{NOT_OBTAINED}{target}。"
        reached = f"本年已发放扶贫小额信贷{self.households}户" if value else "本年尚未发放扶贫小额信贷"
        if value and self.amount.value is not None:
            reached += f"、{self.amount}万元"
        if not self.target:
            return f"{reached}；未分配全年目标，完成率不考核。"
        known = f"{reached}，全年目标{shown(self.target, Form.COUNT)}户"
        if self.completion.value is not None:
            known += f"，按序时进度完成{self.completion}%"
        if not self.months_left:
            return f"{known}，{_against(int(value), self.target, '全年目标')}。"
        if self.needed_per_month is None or self.forecast is None:
            return f"{known}。"
        if self.needed:
            missing = shown(self.target - int(value), Form.COUNT)
            months = "12月" if self.months_left == 1 else f"今后{self.months_left}个月每月至少"
            ahead = f"距全年目标还差{missing}户，{months}需发放{shown(self.needed, Form.COUNT)}户。"
        else:
            ahead = "已提前完成全年目标。"
        outcome = int(rounded(self.forecast, Form.COUNT))
        forecast = (
            f"按目前进度，预计全年发放{shown(outcome, Form.COUNT)}户，{_against(outcome, self.target, '全年目标')}。"
        )
        return f"{known}。{ahead}{forecast}"


def pace_of(results: Results, bank: str) -> Pace:
    """A bank's pace at the end of the month."""
    pace = results.paces.get(bank)
    return Pace(
        month=results.month,
        households=results.of_bank("microcredit_ytd_households", bank),
        amount=results.of_bank("microcredit_ytd_amount", bank),
        target=results.targets.get(bank, 0),
        completion=results.of_bank("microcredit_completion", bank),
        needed_per_month=None if pace is None else pace.needed_per_month,
        forecast=None if pace is None else pace.forecast,
    )


def _against(value: int, target: int, name: str) -> str:
    if value == target:
        return f"正好达到{name}"
    return f"{'超过' if value > target else '低于'}{name}{shown(abs(value - target), Form.COUNT)}户"


def ranked(results: Results) -> list[Assessment]:
    """The month's assessments that have a rank, the best first."""
    return [assessment for assessment in results.assessed if assessment.rank is not None]


def bank_place(results: Results, bank: str, quarter_before: Period | None = None) -> list[tuple[str, str]] | None:
    """A bank's place, score and grade, as pairs of a name and words; None if it is not ranked.

    Args:
        results: the month's.
        bank: its code.
        quarter_before: the last month of the quarter before, to compare with that too where it is known.
    """
    now = results.assessments[str(results.month)].get(bank)
    if now is None or now.rank is None or now.score is None:
        return None
    before = results.assessments.get(str(results.month.previous()), {}).get(bank)
    place = [f"第{results.rank(bank)}名（共{len(ranked(results))}家参评）"]
    score = [f"{results.score(bank)}分"]
    if now.previous_rank is not None:
        place.append(movement_since(now.movement) or "")
        score.append(change(now.score, now.previous_score, Form.SCORE) or "")
    else:
        place.append("首次参评" if before is None else "上月暂不排名")
    earlier = results.assessments.get(str(quarter_before), {}).get(bank)
    if earlier is not None and earlier.rank is not None:
        place.append(movement_since(earlier.rank - now.rank, "上季末") or "")
        score.append(change(now.score, earlier.score, Form.SCORE, than="上季末") or "")
    facts = [("名次", place), ("得分", score), ("等级", [now.grade or ""])]
    if now.deductions:
        facts.append(("扣分", [f"{results.deductions(bank)}分，已从得分中扣除"]))
    return [(name, "，".join(filter(None, words))) for name, words in facts]


def why_unranked(results: Results, bank: str) -> tuple[str, str]:
    """Why a bank is not ranked, and what it is to deliver: two sentences or more each."""
    assessment = results.assessments[str(results.month)].get(bank)
    reason = assessment.reason if assessment is not None and assessment.reason else "本月未参加考核"
    missing = [each for each in reporting_of(results, bank) if not each.is_received]
    steps = [
        f"请{verb}{listing([_title(each) for each in missing if each.status == status], limit=len(missing))}。"
        for status, verb in (("rejected", "更正后重新报送"), ("missing", "尽快补报"))
        if any(each.status == status for each in missing)
    ]
    return f"本月{reason.removeprefix('本月')}。", f"{''.join(steps)}下月请在截止时间前报送各项报表，以恢复参加排名。"


def strong_and_weak(results: Results, bank: str) -> tuple[list[Item], list[Item]]:
    """A ranked bank's good indicators, and those where it loses points, the dearest first."""
    items = results.items.get(bank, {})
    assessed = [items[code] for code in load_indicators() if code in items and items[code].points is not None]
    strong = [item for item in assessed if _share(item) >= _GOOD_FROM]
    weak = [item for item in assessed if _share(item) < _GOOD_FROM]
    return strong, sorted(weak, key=lambda item: item.weight * (_share(item) - 1))


def next_steps(results: Results, bank: str) -> list[str]:
    """What a bank should do next, in sentences for each of its weakest indicators, with what one step would give."""
    _, weak = strong_and_weak(results, bank)
    gains = {step.indicator: step.sentence for step in results.next_steps.get(bank, ())}
    return [
        f"{load_indicators()[item.indicator].name}（得{points_won(results, item)}分，满分{_weight(item)}分）："
        f"{item.note}。{_next_step(results, bank, item.indicator)}{gains.get(item.indicator, '')}"
        for item in weak[:_STEPS]
    ]


def points_won(results: Results, item: Item) -> str:
    """Weight × points of an indicator, shown; 不考核 where it is not assessed."""
    return "不考核" if item.points is None else str(results.points(item.institution_code, item.indicator))


def _weight(item: Item) -> str:
    return f"{item.weight.normalize():f}"


def _share(item: Item) -> Decimal:
    return item.points if item.points is not None else Decimal(0)


def _next_step(results: Results, bank: str, indicator: str) -> str:
    if advice := load_indicators()[indicator].advice:
        return advice
    pace = pace_of(results, bank)
    if pace.needed is None:
        return "请提前安排下一年度投放，按月均衡推进。"
    months = "12月" if pace.months_left == 1 else f"今后{pace.months_left}个月每月至少"
    return f"本年已发放{pace.households}户，{months}需发放{shown(pace.needed, Form.COUNT)}户，请按月分解任务。"


def county_places(results: Results, county: str) -> list[tuple[str, str]]:
    """A county's places on the boards of the counties, as pairs of a name and words."""
    facts = []
    for board, metric in _COUNTY_BOARDS.items():
        name, unit = results.catalogue.find(metric).name, results.catalogue.find(metric).unit
        places = results.boards.get(board, [])
        place = next((place for place in places if place.subject_code == county), None)
        if place is None:
            figure, base = results.of_county(metric, county), results.of_county(_BASES[metric], county)
            facts.append((name, f"{figure_text(figure, unit, base)}，不参加排位"))
            continue
        words = [f"{results.of_county(metric, county)}{unit}", f"第{place.rank}位（共{len(places)}个县市区）"]
        if place.previous_rank is not None:
            words.append(movement_since(place.previous_rank - place.rank) or "")
        elif results.has(results.month.previous()):
            words.append("上月没有位次")
        facts.append((name, "，".join(words)))
    return facts


def reporting_of(results: Results, institution: str) -> list[Reporting]:
    """How an institution reported in the month, in the order of the declared reports."""
    found = {
        each.report: each
        for each in results.reporting
        if each.period == str(results.month) and each.institution_code == institution
    }
    return [found[report] for report in load_reports() if report in found]


def reporting_words(results: Results, institution: str) -> str:
    """How an institution reported in the month, in sentences; what was late, rejected or missing by its title."""
    records = reporting_of(results, institution)
    if not records:
        return "本月没有应报报表。"
    received = [each for each in records if each.is_received]
    sentence = (
        f"本月应报{len(records)}份，收到{len(received)}份，按时{sum(each.on_time for each in records)}份，"
        f"一次通过{sum(each.first_pass for each in received)}份"
    )
    troubles = [
        ("迟报", [each for each in received if not each.on_time]),
        ("被退回、尚未更正", [each for each in records if each.status == "rejected"]),
        ("未报送", [each for each in records if each.status == "missing"]),
        ("首次报送被退回、已更正", [each for each in received if not each.first_pass]),
    ]
    parts = [
        f"{listing([_title(each) for each in which], limit=len(which))}{what}" for what, which in troubles if which
    ]
    return "；".join([sentence, *parts]) + "。"


def _title(record: Reporting) -> str:
    return f"《{load_reports()[record.report].title}》"
