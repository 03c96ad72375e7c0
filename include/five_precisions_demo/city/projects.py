"""The library of industry projects and the banks' answers to it (reports `projects`, `matches`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from five_precisions.period import Period
from five_precisions_demo.city import published
from five_precisions_demo.city.allotment import WAN, apportion
from five_precisions_demo.city.draws import draw_workday, shuffled, stream
from five_precisions_demo.city.identity import IdentityRegistry
from five_precisions_demo.city.loans import Loan
from five_precisions_demo.city.profiles import BANKS, BankProfile
from five_precisions_demo.city.territory import (
    JIANGCHENG,
    YANGCHUN,
    YANGDONG,
    YANGXI,
    county_of,
    load_demo_register,
    towns_of,
)
from five_precisions_demo.city.timetable import FIRST, LAST

FIRST_LENDING: Final = date(2016, 12, 1)
OLD_BEFORE: Final = date(2017, 9, 1)
"""Projects entered before may be finished (已完成) by now."""
LIBRARY_OF_JIANGCHENG_BEGINS: Final = Period(2019, 2)
"""Until then the urban county has no projects, and says so (nil return)."""

_FUNDED: Final = {JIANGCHENG: 10, YANGDONG: 36, YANGXI: 35, YANGCHUN: 74}
"""Projects that banks lend to."""
_UNFUNDED_OLD: Final = {JIANGCHENG: 2, YANGDONG: 4, YANGXI: 4, YANGCHUN: 10}
_UNFUNDED_NEW: Final = {JIANGCHENG: 2, YANGDONG: 4, YANGXI: 4, YANGCHUN: 6}
"""Entered from April 2019: not matched yet, not stale yet (A13)."""
_GONE: Final = {JIANGCHENG: 0, YANGDONG: 2, YANGXI: 1, YANGCHUN: 3}
_GRANTED_OF_FIVE: Final = frozenset({0, 1})
"""Of five old projects that no bank lends to, those that hold a credit line (已授信); the others are stale (A13)."""

_FUNDED_ENTRIES = (
    (FIRST_LENDING, date(2017, 12, 28)),
    (date(2017, 3, 1), date(2018, 6, 28)),
    (date(2017, 9, 1), date(2018, 12, 28)),
    (date(2018, 3, 1), date(2019, 3, 28)),
)
_INDUSTRIES = {
    "种植": ("春砂仁种植", "荔枝标准园", "蚕桑基地", "火龙果种植", "优质稻示范", "益智种植", "马水桔种植"),
    "养殖": ("黄鬃鹅养殖", "生蚝养殖", "山羊养殖", "肉牛养殖", "罗非鱼养殖", "林下养鸡"),
    "加工": ("豆豉加工", "农产品烘干", "水产品加工", "竹木加工"),
    "旅游": ("乡村民宿", "农家乐集群"),
    "光伏": ("村级光伏电站", "屋顶光伏"),
    "电商": ("电商服务站", "农产品网销"),
    "其他": ("扶贫车间", "冷链仓储"),
}
_INDUSTRY_WEIGHTS = (36, 28, 14, 6, 8, 5, 3)
_OPERATOR_WORDS = ("绿岭", "丰禾", "海韵", "山泉", "金穗", "兴岭", "百果", "旺源", "春晖", "恒达", "联农", "众富")
_REFUSALS = (
    "经营主体有未结清的逾期贷款",
    "项目用地手续未办妥",
    "经营主体未能提供财务资料",
    "项目规模与市场销路不匹配",
    "所在镇非本行服务区域，建议由驻镇网点对接",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project of the library; demand in fen."""

    project_no: str
    name: str
    town_code: str
    industry: str
    operator: str
    is_cooperative: bool
    operator_id: str
    shows_operator_id: bool
    entered_on: date
    demand: int
    households: int
    jobs: int
    pushed_to: str | None
    funded: bool
    finished_in: Period | None
    left_in: Period | None

    @property
    def county(self) -> str:
        """Code of the county in whose library it stands."""
        return county_of(self.town_code)

    def status_in(self, period: Period, *, lent: bool) -> str:
        """状态 in that month; money makes a project start."""
        if self.left_in is not None and self.left_in <= period:
            return "退出"
        if self.finished_in is not None and self.finished_in <= period:
            return "已完成"
        return "实施中" if lent else "在库"

    def offered_to(self, bank: str, bank_counties: Iterable[str]) -> bool:
        """Whether the bank should answer: pushed to it, or to all banks of a county it works in."""
        return self.pushed_to == bank or (self.pushed_to is None and self.county in bank_counties)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One bank's answer to one project; credit line in fen."""

    bank: str
    project_no: str
    matched_on: date
    granted_on: date | None
    lent_on: date | None
    credit_line: int
    paired: bool
    refusal: str | None

    def status_in(self, period: Period) -> str:
        """对接状态 in that month."""
        if self.refusal is not None:
            return "不予支持"
        if self.lent_on is not None and self.lent_on <= period.end:
            return "已放款"
        if self.granted_on is not None and self.granted_on <= period.end:
            return "已授信"
        return "已接触"


def draw_projects(seed: int, identities: IdentityRegistry) -> tuple[Project, ...]:
    """The library as of June 2019: the published number of projects and jobs, and a few projects that have left.

    The demand is settled later, when it is known what was lent (`with_demand`).
    """
    rng = stream(seed, "projects")
    projects: list[Project] = []
    for county in _FUNDED:
        fates = shuffled(
            rng,
            ["funded"] * _FUNDED[county]
            + ["old"] * _UNFUNDED_OLD[county]
            + ["new"] * _UNFUNDED_NEW[county]
            + ["gone"] * _GONE[county],
        )
        entries = [(fate, _draw_entry(rng, county, fate)) for fate in fates]
        entries.sort(key=lambda entry: entry[1])
        projects += [
            _draw_project(rng, identities, county, f"XM{county}-{serial:03d}", fate, entered_on)
            for serial, (fate, entered_on) in enumerate(entries, start=1)
        ]
    staying = [project for project in projects if project.left_in is None]
    if len(staying) != published.PROJECTS:
        raise AssertionError(f"{len(staying)} projects are not the published number")
    # A poverty project employs few people: half of them nobody, some a handful.
    jobs = apportion(published.PROJECT_JOBS, [rng.choice((0, 0, 0, 1, 1, 2, 3, 4)) for _ in staying])
    jobs_of = dict(zip((project.project_no for project in staying), jobs, strict=True))
    return tuple(replace(project, jobs=jobs_of.get(project.project_no, 1)) for project in projects)


def _draw_entry(rng: Random, county: str, fate: str) -> date:
    if fate == "new":
        return draw_workday(rng, date(2019, 4, 8), date(2019, 5, 31))
    if county == JIANGCHENG:
        begin = LIBRARY_OF_JIANGCHENG_BEGINS.begin
        return draw_workday(rng, begin + timedelta(days=10), begin + timedelta(days=40))
    if fate == "funded":
        return draw_workday(rng, *rng.choice(_FUNDED_ENTRIES))
    return draw_workday(rng, date(2017, 3, 1), date(2018, 12, 20))


def _draw_project(
    rng: Random, identities: IdentityRegistry, county: str, project_no: str, fate: str, entered_on: date
) -> Project:
    town = rng.choice(towns_of(county))
    industry = rng.choices(list(_INDUSTRIES), weights=_INDUSTRY_WEIGHTS)[0]
    kind = rng.choice(_INDUSTRIES[industry])
    is_cooperative = rng.random() < 0.55
    place = town.name.removesuffix("街道").removesuffix("镇")
    name = rng.choice(_OPERATOR_WORDS)
    county_name = next(division.name for division in load_demo_register().divisions if division.code == county)
    operator = (
        f"{county_name}{place}{name}{kind[:2]}专业合作社" if is_cooperative else f"阳江{name}{place}农业发展有限公司"
    )
    at_work = [profile.code for profile in BANKS if county in profile.shares]
    is_old = fate == "funded" and entered_on < OLD_BEFORE
    return Project(
        project_no=project_no,
        name=f"{town.name}{kind}项目（{project_no[-3:]}）",
        town_code=town.code,
        industry=industry,
        operator=operator,
        is_cooperative=is_cooperative,
        operator_id=identities.social_credit_code(county, is_cooperative=is_cooperative),
        shows_operator_id=rng.random() < 0.9,
        entered_on=entered_on,
        demand=rng.randrange(20, 300) * WAN,
        households=rng.randrange(4, 60),
        jobs=0,
        pushed_to=rng.choice(at_work) if rng.random() < 0.6 else None,
        funded=fate == "funded",
        finished_in=Period(2019, rng.randrange(1, 7)) if is_old and rng.random() < 0.3 else None,
        left_in=rng.choice((FIRST, Period(2019, 3))) if fate == "gone" else None,
    )


def first_match_day(bank: BankProfile) -> date:
    """The day before which the bank answers no project and lends to none."""
    return bank.first_matches.begin if bank.first_matches > FIRST else FIRST_LENDING


def with_demand(projects: Iterable[Project], loans: Sequence[Loan]) -> tuple[Project, ...]:
    """The projects, none of them lent more than it asked for."""
    lent: dict[str, int] = {}
    for loan in loans:
        if loan.project_no is not None:
            lent[loan.project_no] = lent.get(loan.project_no, 0) + loan.principal
    return tuple(replace(project, demand=max(project.demand, lent.get(project.project_no, 0))) for project in projects)


def answer_projects(seed: int, projects: Sequence[Project], loans: Sequence[Loan]) -> tuple[Match, ...]:
    """Every bank's answers up to June, each bank answering the share that its profile says."""
    rng = stream(seed, "matches")
    lent: dict[tuple[str, str], list[Loan]] = {}
    for loan in loans:
        if loan.project_no is not None:
            lent.setdefault((loan.bank, loan.project_no), []).append(loan)
    granted_by = _grant_some(rng, projects)
    matches: list[Match] = []
    for bank in BANKS:
        offered = [
            project for project in projects if project.left_in is None and project.offered_to(bank.code, bank.counties)
        ]
        bound = [
            project
            for project in offered
            if (bank.code, project.project_no) in lent or granted_by.get(project.project_no) == bank.code
        ]
        free = shuffled(rng, [project for project in offered if project not in bound])
        number = max(0, len(offered) * bank.answer_rate // 100 - len(bound))
        for project in sorted([*bound, *free[:number]], key=lambda project: project.project_no):
            own = lent.get((bank.code, project.project_no), [])
            granted = granted_by.get(project.project_no) == bank.code
            matches.append(_draw_match(rng, bank.code, project, own, first_match_day(bank), granted=granted))
    return tuple(matches)


def _grant_some(rng: Random, projects: Sequence[Project]) -> dict[str, str]:
    """Credit lines to some of the old projects that no bank lends to: project and bank."""
    waiting = [
        project
        for project in projects
        if not project.funded and project.left_in is None and project.entered_on < date(2019, 4, 1)
    ]
    granted: dict[str, str] = {}
    for i, project in enumerate(waiting):
        at_work = [
            bank.code for bank in BANKS if bank.first_matches == FIRST and project.offered_to(bank.code, bank.counties)
        ]
        if at_work and i % 5 in _GRANTED_OF_FIVE:
            granted[project.project_no] = rng.choice(at_work)
    return granted


def _draw_match(
    rng: Random, bank: str, project: Project, own: Sequence[Loan], first_day: date, *, granted: bool
) -> Match:
    earliest = max(project.entered_on, first_day)
    if own:
        lent_on = min(loan.issued_on for loan in own)
        matched_on = draw_workday(rng, earliest, lent_on)
        return Match(
            bank=bank,
            project_no=project.project_no,
            matched_on=matched_on,
            granted_on=draw_workday(rng, matched_on, lent_on),
            lent_on=lent_on,
            credit_line=sum(loan.principal for loan in own),
            paired=rng.random() < 0.4,
            refusal=None,
        )
    matched_on = draw_workday(rng, earliest, min(max(earliest + timedelta(days=240), date(2019, 2, 20)), LAST.end))
    if granted:
        matched_on = min(matched_on, max(earliest, date(2019, 2, 28)))
    # A project that no bank lends to stays without a credit line elsewhere, or it would not be stale (A13).
    also_grants = granted or (project.funded and rng.random() < 0.3)
    return Match(
        bank=bank,
        project_no=project.project_no,
        matched_on=matched_on,
        granted_on=matched_on + timedelta(days=rng.randrange(7, 40)) if also_grants else None,
        lent_on=None,
        credit_line=rng.randrange(10, 120) * WAN if also_grants else 0,
        paired=also_grants and rng.random() < 0.4,
        refusal=None if also_grants or rng.random() < 0.75 else rng.choice(_REFUSALS),
    )
