"""An assessed month made by hand: few institutions, figures as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from five_precisions.bulletin.document import Source
from five_precisions.bulletin.results import (
    Alert,
    Assessment,
    BoardPlace,
    Division,
    Institution,
    Item,
    NextStep,
    PaceFigures,
    Reporting,
    Results,
    Run,
)
from five_precisions.period import Period
from five_precisions.reference import load_catalogue
from five_precisions.register import InstitutionKind
from five_precisions.settings import Settings

CITY, COUNTY = "441700", "441702"
BANK, OFFICE, CENTRE = "B01", "C01", "Z01"
JUNE = Period(2019, 6)

Standing = tuple[int, str] | str | None
"""A rank and a score; or the reason why there is none; or no assessment at all."""


def grade_of(score: str) -> str:
    floors = {"优秀": 90, "良好": 80, "一般": 60, "勉励": 0}
    return next(grade for grade, floor in floors.items() if Decimal(score) >= floor)


def assessed(
    period: Period, bank: str, standing: Standing, *, before: Standing = None, deductions: str = "0"
) -> Assessment:
    previous_rank, previous_score = (before[0], Decimal(before[1])) if isinstance(before, tuple) else (None, None)
    if not isinstance(standing, tuple):
        return Assessment(
            str(period), bank, None, None, None, None, previous_rank, standing, previous_score=previous_score
        )
    rank, score = standing
    return Assessment(
        str(period),
        bank,
        Decimal(score),
        Decimal(deductions),
        grade_of(score),
        rank,
        previous_rank,
        None,
        previous_score=previous_score,
    )


def stepped(indicator: str, action: str, score: tuple[str, str], rank: tuple[int, int]) -> NextStep:
    """What one step better would give B01: its score and its rank, before and after."""
    grades = tuple(grade_of(each) for each in score)
    before, after = map(Decimal, score)
    moved = f"{rank[0]}→{rank[1]}" if rank[0] != rank[1] else f"不变（第{rank[1]}名）"
    sentence = f"{action}，得分+{after - before}，名次{moved}。"
    return NextStep(BANK, indicator, before, after, *grades, *rank, action, sentence)


def pace_of_bank(month: Period, target: int, reached: int | str | None) -> PaceFigures:
    """The row of mart.pace of a bank that has reached so many households."""
    if reached is None:
        return PaceFigures(BANK, None, None)
    left = 12 - month.month
    needed = Decimal(max(0, target - int(reached))) / left if left else None
    return PaceFigures(BANK, needed, Decimal(reached) * 12 / month.month)


def run_of(period: Period, revision: int = 1) -> Run:
    return Run(
        f"{period}-r{revision}", str(period), revision, datetime(2019, 7, 12, tzinfo=UTC), "d" * 64, "2016", "2016", "0"
    )


def small_results(
    *,
    month: Period = JUNE,
    now: Standing = (2, "88.45"),
    before: Standing = None,
    others: Sequence[tuple[int, str]] = ((1, "99.08"), (3, "70")),
    bank_figures: Mapping[str, int | str] | None = None,
    bank_figures_before: Mapping[str, int | str] | None = None,
    county_figures: Mapping[str, int | str] | None = None,
    city_figures: Mapping[str, int | str] | None = None,
    items: Mapping[str, tuple[int, str | None, str]] | None = None,
    target: int = 60,
    places: Sequence[BoardPlace] = (),
    reporting: Sequence[Reporting] = (),
    alerts: Sequence[Alert] = (),
    revision: int = 1,
    is_first_month: bool = False,
    deductions: str = "0",
    short_name: str = "岭海通商",
    earlier: Mapping[Period, Standing] | None = None,
    steps: Sequence[NextStep] = (),
) -> Results:
    """The bank B01 beside others, an office of the county 江城区, the centre.

    Args:
        month: the one that is assessed.
        now: where B01 stands.
        before: where it stood the month before.
        others: ranks and scores of the other ranked banks.
        bank_figures: B01's metrics of the month; of the month before, of the county, of the city likewise.
        bank_figures_before: see there.
        county_figures: see there.
        city_figures: see there.
        items: B01's weight, points and note by indicator.
        target: B01's of the year.
        places: by which the boards are filled.
        reporting: of the month.
        alerts: of the month.
        revision: of the month's run.
        is_first_month: whether no month before was assessed.
        deductions: from B01's score.
        short_name: B01's.
        earlier: where B01 stood in other months.
        steps: what one step better would give B01.
    """
    previous = month.previous()
    kinds = InstitutionKind
    institutions = {BANK: Institution(BANK, f"{short_name}银行阳江分行", short_name, kinds.BANK, CITY)}
    for number, _ in enumerate(others, start=2):
        code = f"B{number:02d}"
        institutions[code] = Institution(code, f"第{number}银行股份有限公司", f"第{number}银行", kinds.BANK, CITY)
    institutions[OFFICE] = Institution(OFFICE, "江城区扶贫工作办公室", "江城扶贫办", kinds.COUNTY_OFFICE, COUNTY)
    institutions[CENTRE] = Institution(CENTRE, "演示市中心支行", "中心支行", kinds.CENTRE, CITY)
    assessments = [assessed(month, f"B{number:02d}", standing) for number, standing in enumerate(others, start=2)]
    if now is not None:
        assessments.append(assessed(month, BANK, now, before=before, deductions=deductions))
    by_period = {
        str(month): {each.institution_code: each for each in sorted(assessments, key=lambda each: each.rank or 99)}
    }
    if not is_first_month:
        by_period[str(previous)] = {} if before is None else {BANK: assessed(previous, BANK, before)}
    for period, standing in (earlier or {}).items():
        by_period[str(period)] = {BANK: assessed(period, BANK, standing)}
    values = {}
    for scope, code, period, figures in (
        ("bank", BANK, month, bank_figures),
        ("bank", BANK, previous, bank_figures_before),
        ("county", COUNTY, month, county_figures),
        ("city", CITY, month, city_figures),
    ):
        for metric, value in (figures or {}).items():
            values[Source(metric, scope, code, str(period))] = Decimal(value)
    boards: dict[str, list[BoardPlace]] = {}
    for place in places:
        boards.setdefault(place.board, []).append(place)
    return Results(
        month=month,
        first=previous,
        runs={str(month): run_of(month, revision)} | ({} if is_first_month else {str(previous): run_of(previous)}),
        catalogue=load_catalogue(Settings.load()),
        city=Division(CITY, "阳江市", "city"),
        counties=[Division(COUNTY, "江城区", "county")],
        institutions=institutions,
        names={code: each.short_name for code, each in institutions.items()},
        values=values,
        restated=set(values) if revision > 1 else set(),
        assessments=by_period,
        items={
            BANK: {
                code: Item(BANK, code, Decimal(weight), None, None if points is None else Decimal(points), note)
                for code, (weight, points, note) in (items or {}).items()
            }
        },
        boards=boards,
        targets={BANK: target},
        paces={BANK: pace_of_bank(month, target, (bank_figures or {}).get("microcredit_ytd_households"))}
        if target
        else {},
        next_steps={BANK: steps} if steps else {},
        reporting=reporting,
        alerts=alerts,
        inspections=(),
        grids=(),
        visit_round=2,
    )


def reported(
    report: str, status: str, *, on_time: bool = True, first_pass: bool = True, who: str = OFFICE
) -> Reporting:
    """How a report of June was delivered."""
    version = None if status == "missing" else 1
    return Reporting(str(JUNE), who, report, status, version, on_time, first_pass, 0, 0)
