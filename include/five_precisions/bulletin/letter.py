"""The bulletin as a mail: the recipient's own summary, then the text of the sections (docs/outputs.md#bulletin).

Charts and wide tables are left to the attachments: a mail is read on telephones and as plain text, and holds no
pictures from elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from five_precisions.bulletin.bank_summary import (
    bank_place,
    county_places,
    next_steps,
    pace_of,
    ranked,
    reporting_words,
    strong_and_weak,
    why_unranked,
)
from five_precisions.bulletin.document import Bulletin, Chart, Heading, Paragraph, Section, Table
from five_precisions.bulletin.mail_tables import MailTable, changes_from_document, from_document
from five_precisions.bulletin.results import Results
from five_precisions.bulletin.wording import change, day_name, growth, listing
from five_precisions.display import Form
from five_precisions.errors import RefusedError
from five_precisions.period import Period, Quarter
from five_precisions.reference import load_indicators
from five_precisions.register import InstitutionKind
from five_precisions.templates import render

LARGEST: Final = 100_000
"""Bytes of a letter; longer mails are cut off by mail clients."""
_MOST_COLUMNS: Final = 6
"""What a telephone shows without scrolling sideways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSummary:
    """What a letter opens with."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    paragraphs: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    """What to do next."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a section as the template lays it out: exactly one of the three is there."""

    heading: str = ""
    paragraph: str = ""
    table: MailTable | None = None


def render_letter(bulletin: Bulletin, results: Results, institution_code: str | None) -> tuple[str, str]:
    """Subject and HTML of the bulletin's mail to an institution, or to the leaders (None).

    The largest tables give way when the mail would grow past `LARGEST`.

    Raises:
        RefusedError: there is no such institution at the end of the quarter.
    """
    tables = [block for section in bulletin.sections for block in section.blocks if isinstance(block, Table)]
    kept = {table.code: table for table in tables if len(table.columns) <= _MOST_COLUMNS}
    summary = own_summary(bulletin, results, institution_code)
    subject = f"{bulletin.title}（{bulletin.number}）"
    while True:
        html = render(
            "mail/bulletin.html",
            subject=subject,
            is_demo=bulletin.is_demo,
            bulletin=bulletin,
            summary=summary,
            sections=[(section.title, _pieces(section, kept)) for section in bulletin.sections],
            left_out=[table.title for table in [*tables, *bulletin.appendices] if table.code not in kept],
            issued_on=day_name(bulletin.issued_on),
        )
        if len(html.encode()) < LARGEST or not kept:
            return subject, html
        del kept[max(kept, key=lambda code: len(kept[code].rows) * len(kept[code].columns))]


def own_summary(bulletin: Bulletin, results: Results, institution_code: str | None) -> OwnSummary:
    """What the letter opens with: the recipient's own summary, or the city's for the leaders and the branch itself.

    Raises:
        RefusedError: there is no such institution at the end of the quarter.
    """
    if institution_code is None:
        return _of_city(bulletin, results)
    institution = results.institutions.get(institution_code)
    if institution is None:
        raise RefusedError(f"{institution_code} is not open at the end of {bulletin.quarter}; it gets no bulletin.")
    if institution.kind is InstitutionKind.BANK:
        return _of_bank(bulletin, results, institution_code)
    if institution.kind is InstitutionKind.COUNTY_OFFICE:
        county = results.county_of(institution)
        return OwnSummary(
            title=f"{county.name}在各县市区中的位次",
            facts=tuple(county_places(results, county.code)),
            paragraphs=(f"{institution.short_name}{reporting_words(results, institution_code)}",),
        )
    return _of_city(bulletin, results)


def _of_bank(bulletin: Bulletin, results: Results, bank: str) -> OwnSummary:
    name = results.name(bank)
    facts = bank_place(results, bank, Quarter.parse(bulletin.quarter).previous().last_month)
    if facts is None:
        return OwnSummary(title=f"{name}的考核情况", paragraphs=why_unranked(results, bank))
    strong, weak = strong_and_weak(results, bank)
    paragraphs = [pace_of(results, bank).words()]
    if not weak:
        paragraphs.append("各项考核指标得分率均在90%以上，请继续保持。")
    elif strong:
        names = listing([load_indicators()[item.indicator].name for item in strong], limit=len(strong))
        paragraphs.append(f"做得好的：{names}，得分率{'均' if len(strong) > 1 else ''}在90%以上。")
    return OwnSummary(
        title=f"{name}的考核情况",
        facts=tuple(facts),
        paragraphs=tuple(paragraphs),
        steps=tuple(next_steps(results, bank)),
    )


def _of_city(bulletin: Bulletin, results: Results) -> OwnSummary:
    """Three sentences: what was lent, how the banks stand, what remains to be done."""
    before = Quarter.parse(bulletin.quarter).previous().last_month
    sentences = (_lending(results, before), _assessment(results), _precision(results))
    return OwnSummary(title="全市情况", paragraphs=tuple(sentence for sentence in sentences if sentence))


def _lending(results: Results, quarter_before: Period) -> str:
    balance = results.of_city("loan_balance")
    amount = results.of_city("microcredit_ytd_amount")
    households = results.of_city("microcredit_ytd_households")
    rise = growth(results.of_city("microcredit_ytd_amount_yoy").value)
    rank = results.of_city("province_rank")
    parts = []
    if balance.value is not None:
        earlier = results.of_city("loan_balance", quarter_before).value
        moved = change(balance.value, earlier, Form.AMOUNT, "万元", than="上季末")
        parts.append(f"全市金融精准扶贫贷款余额{balance}万元{f'，{moved}' if moved else ''}")
    if amount.value is not None and households.value is not None:
        lent = f"本年向{households}户发放扶贫小额信贷{amount}万元"
        parts.append(
            lent + (f"，同比{rise}" if rise else "") + (f"，居全省第{rank}位" if rank.value is not None else "")
        )
    return f"{results.month.month}月末，{'；'.join(parts)}。" if parts else ""


def _assessment(results: Results) -> str:
    best = ranked(results)
    if not best:
        return "本季末没有银行参加排名。"
    grades = [f"{grade}{count}家" for grade, count in _count_grades(results).items()]
    first = listing([results.name(each.institution_code) for each in best if each.rank == 1])
    unranked = len(results.assessed) - len(best)
    return f"{len(best)}家银行参评，{'、'.join(grades)}，{first}居首位{f'；{unranked}家暂不排名' if unranked else ''}。"


def _count_grades(results: Results) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in ranked(results):
        counts[each.grade or ""] = counts.get(each.grade or "", 0) + 1
    return counts


def _precision(results: Results) -> str:
    names = {"visit_coverage_standing": "走访覆盖率", "match_rate": "项目对接率", "fund_arrival_rate": "资金到位率"}
    rates = {name: results.of_city(metric) for metric, name in names.items()}
    parts = ["，".join(f"{name}{rate}%" for name, rate in rates.items() if rate.value is not None)]
    if results.alerts:
        grave = sum(alert.level == "high" for alert in results.alerts)
        parts.append(f"未办结督查事项{len(results.alerts)}项{f'，其中高级别{grave}项' if grave else ''}")
    sentence = "；".join(filter(None, parts))
    return f"{sentence}。" if sentence else ""


def _pieces(section: Section, kept: Collection[str]) -> list[_Piece]:
    parts = []
    for block in section.blocks:
        match block:
            case Paragraph():
                parts += [_Piece(paragraph=line) for line in block.text.split("\n") if line]
            case Heading():
                parts.append(_Piece(heading=block.text))
            case Table(code="changes") if block.code in kept:
                parts.append(_Piece(table=changes_from_document(block)))
            case Table() if block.code in kept:
                parts.append(_Piece(table=from_document(block)))
            case Table():
                parts.append(_Piece(paragraph=f"（《{block.title}》见附件。）"))
            case Chart():
                continue
    return parts
