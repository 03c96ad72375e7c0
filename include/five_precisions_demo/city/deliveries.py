"""What each institution delivers of a month: versions, covers, explanations, times (docs/intake.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final

from five_precisions.period import SHANGHAI, Period
from five_precisions.register import Institution
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.events import (
    FULL_WIDTH_OFFICE,
    GRID_PLANTINGS,
    LATE,
    SILENT,
    TWO_VERSIONS,
    Defect,
    TwoVersions,
)
from five_precisions_demo.city.grid import planted_row
from five_precisions_demo.city.model import City, report
from five_precisions_demo.city.tables import Cell, FilledReport, Row
from five_precisions_demo.city.territory import load_demo_register, load_institutions
from five_precisions_demo.city.timetable import deadline, delivery_days
from five_precisions_demo.city.visits import explain_visits

OPENS: Final = time(8, 30)
OFFICE_MINUTES: Final = 9 * 60
DAYS_LATE: Final = 2

_REASONS: Final = {
    "L02": "该企业营业执照为换证前旧码，已向市场监管部门核实，正在办理更换。",
    "L10": "该笔贷款于2016年按当时县级政策发放，已结清。",
    "L11": "借款人因养殖周期申请，经县扶贫小额信贷联席会议批准按38个月发放。",
    "L13": "借款人资金用途登记有误，实际用于种植，正在补正合同要素。",
    "L14": "应借款人要求追加其亲属保证，未增加借款人费用。",
    "X01": "该合同已划转省分行集中管理，不再由本行列账。",
    "X03": "上月系统误记还款，本月已冲正，贷款余额恢复。",
    "X05": "借款人为户主的家庭成员，已核对户口簿并留存复印件。",
    "G01": "网点迁址，监督电话正在办理移机。",
    "G02": "网点负责人刚调整，责任书待新负责人到岗后签订。",
    "V03": "农户暂未确定需求金额，下次走访时补充。",
}


@dataclass(frozen=True, slots=True)
class CoverRow:
    """What the cover says of one report."""

    report: str
    rows: int
    total: Decimal | None
    is_nil: bool


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """An institution's word on a warning (docs/intake.md#explanations)."""

    report: str
    rule: str
    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredVersion:
    """One version of one institution's package."""

    period: Period
    institution: Institution
    version: int | None
    """None where there is only one: its files lie directly in the package's folder."""
    tables: tuple[FilledReport, ...]
    cover: tuple[CoverRow, ...]
    explanations: tuple[ExplanationRow, ...]
    delivered_at: datetime


def deliver(city: City, institution: Institution, period: Period) -> Iterator[DeliveredVersion]:
    """The institution's versions of that month, in order; none where it is silent."""
    if (period, institution.code) in SILENT:
        return
    tables = tuple(
        _type_amount_full_width(report(city, institution, code, period))
        if institution.code == FULL_WIDTH_OFFICE and code == "households"
        else report(city, institution, code, period)
        for code in load_demo_register().owed_by(institution, period)
    )
    final = DeliveredVersion(
        period=period,
        institution=institution,
        version=None,
        tables=tables,
        cover=_cover(tables),
        explanations=tuple(_explain(city, institution.code, period)),
        delivered_at=_draw_time(city.seed, institution.code, period),
    )
    planned = _planned_versions(period, institution.code)
    if planned is None:
        yield final
        return
    first_at, second_at = _draw_two_times(city.seed, institution.code, period)
    yield replace(_spoil(final, planned), version=1, delivered_at=first_at)
    second = replace(final, version=2, delivered_at=second_at)
    yield _only(second, planned.report) if planned.second_has_only_it else second


def deliver_all(city: City, period: Period) -> Iterator[DeliveredVersion]:
    """Every institution's versions of that month."""
    for institution in load_institutions().values():
        yield from deliver(city, institution, period)


def _planned_versions(period: Period, institution: str) -> TwoVersions | None:
    return next(
        (planned for planned in TWO_VERSIONS if (planned.period, planned.institution) == (period, institution)), None
    )


def _cover(tables: Iterable[FilledReport]) -> tuple[CoverRow, ...]:
    return tuple(
        CoverRow(table.report, len(table.rows), table.control_total if table.rows else None, not table.rows)
        for table in tables
    )


def _only(delivery: DeliveredVersion, report_code: str) -> DeliveredVersion:
    return replace(
        delivery,
        tables=tuple(table for table in delivery.tables if table.report == report_code),
        cover=tuple(line for line in delivery.cover if line.report == report_code),
        explanations=(),
    )


def _spoil(delivery: DeliveredVersion, planned: TwoVersions) -> DeliveredVersion:
    """The first version: the one report as it was before someone looked at it again."""
    tables = tuple(
        _spoil_table(table, planned) if table.report == planned.report else table for table in delivery.tables
    )
    cover = _cover(tables)
    if planned.defect is Defect.UNPARSABLE_AMOUNT:
        cover = delivery.cover
    if planned.defect is Defect.WRONG_CONTROL_TOTAL:
        cover = tuple(
            replace(line, total=_swap_digits(line.total))
            if line.report == planned.report and line.total is not None
            else line
            for line in cover
        )
    return replace(delivery, tables=tables, cover=cover)


def _spoil_table(table: FilledReport, planned: TwoVersions) -> FilledReport:
    rows = table.rows
    match planned.defect:
        case Defect.UNPARSABLE_AMOUNT:
            return _change_row(table, len(rows) // 3, {"principal": "3.2万元"})
        case Defect.BALANCE_OVER_PRINCIPAL:
            owing = next(i for i, row in enumerate(rows) if row["balance"] == row["principal"])
            return _change_row(table, owing, {"balance": _amount(rows[owing]["principal"]) + 1000})
        case Defect.DUPLICATE_CONTRACT:
            twice = len(rows) // 2
            return replace(table, rows=(*rows[: twice + 1], rows[twice], *rows[twice + 1 :]))
        case Defect.VISIT_OUTSIDE_MONTH:
            day = planned.period.begin - timedelta(days=2)
            return _change_row(table, len(rows) // 2, {"visited_on": day})
        case Defect.WORKERS_OVER_MEMBERS:
            alone = next(i for i, row in enumerate(rows) if row["members"] == row["workers"] == 1)
            return _change_row(table, alone, {"workers": 2})
        case Defect.MISSPELT_HEADER:
            return replace(table, misspelt={"letter_signed_on": "责任书签定日期"})
        case Defect.YUAN_FOR_WAN:
            amounts = ("all_loans", "all_loans_year_begin")
            return replace(
                table, rows=tuple({**row, **{name: _amount(row[name]) * 10_000 for name in amounts}} for row in rows)
            )
        case Defect.ARRIVAL_FORGOTTEN:
            arrived = next(i for i, row in enumerate(rows) if row["arrived_on"] is not None)
            return _change_row(table, arrived, {"arrived_amount": Decimal(0), "arrived_on": None})
        case Defect.WRONG_CONTROL_TOTAL:
            return table


def _change_row(table: FilledReport, place: int, changed: Row) -> FilledReport:
    return replace(table, rows=tuple({**row, **changed} if i == place else row for i, row in enumerate(table.rows)))


def _amount(cell: Cell) -> Decimal:
    if not isinstance(cell, Decimal):
        raise TypeError(f"{cell!r} is no amount")
    return cell


def _swap_digits(total: Decimal) -> Decimal:
    """The total with its first two different neighbouring digits swapped, as a tired clerk copies it."""
    digits = str(total)
    place = next(i for i in range(len(digits) - 1) if digits[i] != digits[i + 1] and "." not in digits[i : i + 2])
    return Decimal(digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :])


def _type_amount_full_width(table: FilledReport) -> FilledReport:
    """The first income in full-width digits, which the rules accept."""
    income = int(_amount(table.rows[0]["income_per_head"]))
    full_width = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in str(income))
    return _change_row(table, 0, {"income_per_head": full_width})


def _explain(city: City, institution: str, period: Period) -> Iterator[ExplanationRow]:
    for planted in city.ledgers.planted:
        planting = planted.planting
        if planting.bank == institution and planting.explained_in == period:
            yield ExplanationRow("loans", planting.rule, planted.contract_no, _REASONS[planting.rule])
    for grid_planting in GRID_PLANTINGS:
        if grid_planting.bank == institution and grid_planting.explained_in == period:
            key = planted_row(city.grid, grid_planting).key
            yield ExplanationRow("grid", grid_planting.rule, key, _REASONS[grid_planting.rule])
    for rule, key in explain_visits(city.visits, institution, period):
        yield ExplanationRow("visits", rule, key, _REASONS[rule])


def _draw_time(seed: int, institution: str, period: Period) -> datetime:
    rng = stream(seed, "delivery", institution, str(period))
    day = rng.choice(delivery_days(period))
    if (period, institution) in LATE:
        day = deadline(period) + timedelta(days=DAYS_LATE)
    return datetime.combine(day, OPENS, SHANGHAI) + timedelta(minutes=rng.randrange(OFFICE_MINUTES))


def _draw_two_times(seed: int, institution: str, period: Period) -> tuple[datetime, datetime]:
    """The first version in the morning of the first day, the second on the last, both before the deadline."""
    rng = stream(seed, "two deliveries", institution, str(period))
    days = delivery_days(period)
    morning, afternoon = (rng.randrange(60 * half, 60 * half + 150) for half in (0, 5))
    first = datetime.combine(days[0], OPENS, SHANGHAI) + timedelta(minutes=morning)
    second = datetime.combine(rng.choice(days[1:]), OPENS, SHANGHAI) + timedelta(minutes=afternoon)
    return first, second
