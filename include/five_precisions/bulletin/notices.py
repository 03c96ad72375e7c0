"""The monthly notice 月度动态考核 to every bank and county office (docs/outputs.md#messages).

A bank's notice has its own score and figures, and of the others what everyone may know: the top and the bottom of the
table. A county's has the county's. A household or a contract is named only by its number, in an alert of one's own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from five_precisions.bulletin.bank_summary import (
    NOT_OBTAINED,
    bank_place,
    county_places,
    figure_text,
    pace_of,
    points_won,
    ranked,
    reporting_of,
    reporting_words,
    why_unranked,
)
from five_precisions.bulletin.document import Figure
from five_precisions.bulletin.mail_tables import MailTable, mail_table
from five_precisions.bulletin.results import Alert, Institution, NextStep, Results, read_results
from five_precisions.bulletin.supervision import read_grave_cases, supervision_notices
from five_precisions.bulletin.wording import difference, growth, month_name
from five_precisions.delivery import Kind, Message, post
from five_precisions.display import NOTHING, Form, shown
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.register import ContactRole, InstitutionKind, Register, read_register
from five_precisions.settings import Settings
from five_precisions.templates import render

logger = logging.getLogger(__name__)

_KEY_FIGURES: Final = {
    "loan_balance": None,
    "microcredit_balance": None,
    "microcredit_month_households": None,
    "microcredit_month_amount": None,
    "overdue_ratio": "loan_balance",
    "microcredit_overdue_ratio": "microcredit_balance",
    "match_rate": "projects_offered",
    "visit_coverage_standing": "households_able",
    "households_wanting": None,
}
"""Figures of a bank that are set beside last month's; of a ratio, what it is taken over."""
_ENDS: Final = 3
"""How many banks of the top, and of the bottom, of the table everyone sees."""
_MOST_ALERTS: Final = 20
"""Alerts that a notice lists; a notice is no ledger."""
_WHAT_A_STEP_IS: Final = (
    "按本月口径测算，其他指标和其他银行不变。一步指单靠该指标能够提升名次的最少数量；"
    "单靠该指标不能提升名次的，指使该指标得满分所需的数量。"
)
_FULL: Final = "参加考核的各项指标均已得满分，请继续保持。"
_LEVELS: Final = {"high": "高", "medium": "中", "low": "低"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BankNotice:
    """What a bank's notice says; the template lays it out."""

    place: tuple[tuple[str, str], ...]
    """Rank, score, grade; empty if it is not ranked."""
    unranked: tuple[str, ...]
    """Why it is not ranked and what to do; empty if it is."""
    items: MailTable | None
    steps: MailTable | None
    """What one step better in each indicator gives; None where it is not ranked, or has full points in all."""
    nothing_to_win: str
    """Said in place of the steps where it has full points in all that is assessed."""
    pace: str
    figures: MailTable
    alerts: MailTable | None
    alerts_left_out: int
    reporting: str
    """What went wrong in its reporting; empty if nothing did."""
    table: MailTable
    """Top and bottom of the ranking, with its own row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyNotice:
    """What a county office's notice says."""

    county: str
    places: tuple[tuple[str, str], ...]
    progress: tuple[tuple[str, str], ...]
    """A line of words for each field of work."""
    alerts: MailTable | None
    alerts_left_out: int
    reporting: str


def post_notices(engine: Engine, settings: Settings, period: Period) -> list[str]:
    """Lay the notices of an assessed month, and the supervision notices that it causes, into the outbox.

    Returns:
        The keys of the new messages; none where this revision's were posted before.

    Raises:
        RefusedError: the month has not been assessed.
    """
    with engine.begin() as connection:
        results = read_results(connection, settings, period, first=period.previous())
        register = read_register(connection)
        messages = notices(results, register, is_demo=settings.is_demo)
        cases = read_grave_cases(connection, results.run.run_id)
        messages += supervision_notices(results, cases, register, is_demo=settings.is_demo)
        return post(connection, messages)


def notices(results: Results, register: Register, *, is_demo: bool) -> list[Message]:
    """A message for each contact of each bank and county office that is open at the end of the month."""
    contacts = [contact for contact in register.contacts if contact.role is ContactRole.CONTACT]
    messages = []
    for contact in contacts:
        institution = results.institutions.get(contact.institution_code)
        if institution is None or institution.kind is InstitutionKind.CENTRE:
            continue
        subject = f"{month_name(results.month)}金融精准扶贫动态考核通知（{institution.short_name}）"
        is_bank = institution.kind is InstitutionKind.BANK
        html = render(
            "mail/notice-bank.html" if is_bank else "mail/notice-county.html",
            subject=subject,
            is_demo=is_demo,
            institution=institution,
            month=month_name(results.month),
            notice=bank_notice(results, institution) if is_bank else county_notice(results, institution),
            run=results.run,
            restated=_restated(results),
        )
        messages.append(
            Message(
                kind=Kind.MONTHLY_NOTICE,
                period=str(results.month),
                institution_code=institution.code,
                address=contact.address,
                edition=f"r{results.run.revision}",
                subject=subject,
                html=html,
                run_id=results.run.run_id,
            )
        )
    warn_of_unreached(results, register, "notices")
    return messages


def warn_of_unreached(results: Results, register: Register, what: str) -> None:
    """Tell ops which bank or county office has no contact that a message could go to."""
    reached = {contact.institution_code for contact in register.contacts if contact.role is ContactRole.CONTACT}
    for institution in results.institutions.values():
        if institution.kind is not InstitutionKind.CENTRE and institution.code not in reached:
            logger.warning("%s: %s has no contact, nobody gets its %s", results.month, institution.code, what)


def bank_notice(results: Results, bank: Institution) -> BankNotice:
    """What the notice says to one bank, from its own figures."""
    place = bank_place(results, bank.code)
    steps = _steps(results, bank.code) if place else None
    alerts, left_out = _alerts(results, bank.code)
    has_trouble = any(
        not (record.is_received and record.on_time and record.first_pass) for record in reporting_of(results, bank.code)
    )
    return BankNotice(
        place=tuple(place or ()),
        unranked=() if place else why_unranked(results, bank.code),
        items=_items(results, bank.code) if place else None,
        steps=steps,
        nothing_to_win=_FULL if place and steps is None and results.items.get(bank.code) else "",
        pace=pace_of(results, bank.code).words(),
        figures=_key_figures(results, bank.code),
        alerts=alerts,
        alerts_left_out=left_out,
        reporting=reporting_words(results, bank.code) if has_trouble else "",
        table=_ends_of_table(results, bank.code),
    )


def county_notice(results: Results, office: Institution) -> CountyNotice:
    """What the notice says to one county office, from its county's figures."""
    county = results.county_of(office)
    alerts, left_out = _alerts(results, office.code)
    progress = {
        "政府担保贴息资金": _funds,
        "产业项目": _projects,
        "走访": _visits,
        "扶贫小额信贷": _microcredit,
        "宣传培训": _outreach,
        "贷款需求": _wanting,
    }
    return CountyNotice(
        county=county.name,
        places=tuple(county_places(results, county.code)),
        progress=tuple((name, words(results, county.code)) for name, words in progress.items()),
        alerts=alerts,
        alerts_left_out=left_out,
        reporting=reporting_words(results, office.code),
    )


def _items(results: Results, bank: str) -> MailTable:
    items = results.items.get(bank, {})
    rows = [
        (indicator.name, f"{items[code].weight.normalize():f}", points_won(results, items[code]), items[code].note)
        for code, indicator in load_indicators().items()
        if code in items
    ]
    is_partial = any(item.points is None for item in items.values())
    return mail_table(
        ("指标", "权重", "得分", "说明"),
        rows,
        numbers=("权重", "得分"),
        note="不考核的指标不计权重，总分按其余指标的权重折算为百分制。" if is_partial else "",
    )


def _steps(results: Results, bank: str) -> MailTable | None:
    """What one step better gives, the most rewarding first; those that win a place stand out."""
    steps = results.next_steps.get(bank, ())
    if not steps:
        return None
    return mail_table(
        ("指标", "再进一步", "得分", "名次和等级"),
        [
            (
                load_indicators()[step.indicator].name,
                step.action,
                f"+{shown(step.score_after - step.score_before, Form.SCORE)}",
                _place_after(step),
            )
            for step in steps
        ],
        numbers=("得分",),
        strong=[index for index, step in enumerate(steps) if step.places_won],
        note=_WHAT_A_STEP_IS,
    )


def _place_after(step: NextStep) -> str:
    place = f"{step.rank_before}→{step.rank_after}" if step.places_won else "不变"
    return place if step.grade_after == step.grade_before else f"{place}，升为{step.grade_after}"


def _key_figures(results: Results, bank: str) -> MailTable:
    before = results.month.previous()
    rows = []
    for metric, over in _KEY_FIGURES.items():
        entry = results.catalogue.find(metric)
        now = results.of_bank(metric, bank)
        earlier = results.of_bank(metric, bank, before)

        def cell(figure: Figure, month: Period, over: str | None = over) -> str:
            return figure_text(figure, base=None if over is None else results.of_bank(over, bank, month))

        row = [f"{entry.name}（{entry.unit}）", cell(now, results.month)]
        if results.has(before):
            moved = difference(now.value, earlier.value, now.form, entry.unit)
            row += [cell(earlier, before), moved or NOTHING]
        rows.append(row)
    months = ("本月", "上月", "变化") if results.has(before) else ("本月",)
    return mail_table(("指标", *months), rows, numbers=months)


def _ends_of_table(results: Results, bank: str) -> MailTable:
    """The first and the last banks, each once, and the bank's own row where it lies between them."""
    best = ranked(results)
    seen = [
        each
        for index, each in enumerate(best)
        if index < _ENDS or index >= len(best) - _ENDS or each.institution_code == bank
    ]
    unranked = len(results.assessed) - len(best)
    return mail_table(
        ("名次", "银行", "得分"),
        [(f"第{each.rank}名", results.name(each.institution_code), shown(each.score, Form.SCORE)) for each in seen],
        numbers=("得分",),
        strong=[index for index, each in enumerate(seen) if each.institution_code == bank],
        note=f"另有{unranked}家暂不排名。" if unranked else "",
    )


def _alerts(results: Results, institution: str) -> tuple[MailTable | None, int]:
    """The institution's own open alerts, the gravest first, and how many more there are."""
    own = [alert for alert in results.alerts if alert.institution_code == institution]
    if not own:
        return None, 0
    rows = [
        (_LEVELS.get(alert.level, alert.level), alert.aspect, _subject(results, alert), alert.detail)
        for alert in own[:_MOST_ALERTS]
    ]
    return mail_table(("级别", "方面", "对象", "情况"), rows), len(own) - len(rows)


def _subject(results: Results, alert: Alert) -> str:
    """An alert's subject; where it begins with an institution, as that of A01 does, with the name in its place."""
    first, slash, rest = alert.subject.partition("/")
    return f"{results.names.get(first, first)}{slash}{rest}"


def _restated(results: Results) -> str:
    """What to know when figures of the notice were restated; empty when none was."""
    before = results.runs.get(str(results.month.previous()))
    if results.run.revision > 1:
        return "本月数据已重述（带“*”），以本通知为准。"
    return "上月数据已重述（带“*”）。" if before is not None and before.revision > 1 else ""


def _sentence(parts: Sequence[str]) -> str:
    return f"{'，'.join(part for part in parts if part)}。"


def _funds(results: Results, county: str) -> str:
    due = results.of_county("fund_due", county)
    arrived = results.of_county("fund_arrived", county)
    if due.value is None or arrived.value is None:
        return f"{NOT_OBTAINED}。"
    if not due.value:
        return "尚无到期应到位的资金。"
    missing = difference(due.value, arrived.value, Form.AMOUNT, "万元") or ""
    return _sentence(
        [
            f"到期应到位{due}万元",
            f"已到位{arrived}万元",
            f"到位率{figure_text(results.of_county('fund_arrival_rate', county), '%')}",
            f"尚有{missing.removeprefix('增加')}未到位" if missing.startswith("增加") else "已全部到位",
        ]
    )


def _projects(results: Results, county: str) -> str:
    count = results.of_county("project_count", county)
    if count.value is None:
        return f"{NOT_OBTAINED}。"
    if not count.value:
        return "项目库中没有项目。"
    stale = results.of_county("projects_stale", county)
    return _sentence(
        [
            f"项目库共{count}个",
            f"已对接{figure_text(results.of_county('projects_matched', county), '个')}",
            f"对接率{figure_text(results.of_county('match_rate', county), '%', count)}",
            f"入库超过90天仍未对接{figure_text(stale, '个')}" if stale.value != 0 else "没有入库超过90天仍未对接的项目",
        ]
    )


def _visits(results: Results, county: str) -> str:
    able = results.of_county("households_able", county)
    if able.value is None:
        return f"{NOT_OBTAINED}。"
    if not able.value:
        return "没有有劳动能力贫困户。"
    return _sentence(
        [
            f"有劳动能力贫困户{able}户",
            f"第{results.visit_round}轮走访覆盖率{figure_text(results.of_county('visit_coverage', county), '%')}",
            f"考核按本轮与上一轮中较高者计，为{figure_text(results.of_county('visit_coverage_standing', county), '%')}",
        ]
    )


def _microcredit(results: Results, county: str) -> str:
    households = results.of_county("microcredit_ytd_households", county)
    amount = results.of_county("microcredit_ytd_amount", county)
    if households.value is None or amount.value is None:
        return f"{NOT_OBTAINED}。"
    if not households.value:
        return "本年尚未发放。"
    rise = growth(results.of_county("microcredit_ytd_amount_yoy", county).value)
    return _sentence([f"本年向{households}户发放{amount}万元", f"金额同比{rise}" if rise else ""])


def _outreach(results: Results, county: str) -> str:
    towns = results.of_county("outreach_towns_quarter", county)
    if towns.value is None:
        return f"{NOT_OBTAINED}。"
    if not towns.value:
        return "本季度尚未在任何乡镇开展活动。"
    coverage = results.of_county("outreach_town_coverage", county)
    return _sentence([f"本季度已在{towns}个乡镇开展活动", f"占全部乡镇的{figure_text(coverage, '%')}"])


def _wanting(results: Results, county: str) -> str:
    wanting = results.of_county("households_wanting", county)
    if wanting.value is None:
        return f"{NOT_OBTAINED}。"
    if not wanting.value:
        return "走访中提出贷款需求的贫困户均已满足。"
    return f"走访中提出贷款需求、尚未满足的贫困户{wanting}户。"
