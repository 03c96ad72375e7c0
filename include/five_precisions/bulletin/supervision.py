"""The supervision notice 督办单: who has a new or worsened case of level high learns of it at once.

See docs/outputs.md#messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection

from five_precisions.bulletin.mail_tables import MailTable, mail_table
from five_precisions.bulletin.results import Institution, Results
from five_precisions.bulletin.wording import month_name
from five_precisions.delivery import Kind, Message
from five_precisions.register import ContactRole, InstitutionKind, Register
from five_precisions.templates import render
from five_precisions.warehouse import load_statement

_CHANGES: Final = {"new": "新增", "reopened": "再次出现", "returned": "恢复督办", "worsened": "加重"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraveCase:
    """A case of level high that is new, has come back, or has become worse."""

    case_id: str
    aspect: str
    institution_code: str
    subject: str
    detail: str
    change: str
    first_period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionNotice:
    """What a notice says; the template lays it out."""

    number: str
    institution: str
    month: str
    opening: str
    cases: MailTable
    requirements: tuple[str, ...]
    run_id: str


def read_grave_cases(connection: Connection, run_id: str) -> list[GraveCase]:
    """Cases that a run has to report, by institution, without those that an earlier revision of the month reported."""
    rows: Sequence[Any] = (
        connection.execute(load_statement("bulletin/supervision"), {"run_id": run_id}).mappings().all()
    )
    return [GraveCase(**row) for row in rows]


def supervision_notices(
    results: Results, cases: Sequence[GraveCase], register: Register, *, is_demo: bool
) -> Iterator[Message]:
    """A message for each contact of each bank and county office that has such cases."""
    for code, own in groupby(cases, key=lambda case: case.institution_code):
        institution = results.institutions.get(code)
        if institution is None or institution.kind is InstitutionKind.CENTRE:
            continue
        notice = supervision_notice(results, institution, list(own))
        subject = f"督办单：{notice.month}{institution.short_name}{len(notice.cases.rows)}项高等级事项"
        html = render("mail/supervision.html", subject=subject, is_demo=is_demo, notice=notice)
        for contact in register.contacts:
            if contact.institution_code == code and contact.role is ContactRole.CONTACT:
                yield Message(
                    kind=Kind.SUPERVISION_NOTICE,
                    period=str(results.month),
                    institution_code=code,
                    address=contact.address,
                    edition=f"r{results.run.revision}",
                    subject=subject,
                    html=html,
                    run_id=results.run.run_id,
                )


def supervision_notice(results: Results, institution: Institution, cases: Sequence[GraveCase]) -> SupervisionNotice:
    """What is said to one institution of its own cases."""
    month, following = results.month, results.month.next()
    rows = [
        (case.case_id, _CHANGES[case.change] + _since(case), case.aspect, case.subject, case.detail) for case in cases
    ]
    return SupervisionNotice(
        number=f"督办〔{month.year}〕{month.month:02d}-{institution.code}-{results.run.revision}",
        institution=institution.name,
        month=month_name(month),
        opening=(
            f"根据你单位{month_name(month)}报送的数据，系统发现{len(rows)}项新增或者加重的高等级事项，请负责人牵头立即核实。"
        ),
        cases=mail_table(("事项编号", "性质", "方面", "对象", "情况"), rows),
        requirements=(
            "属实的立即整改；不属实的更正台账，重新报送。",
            f"在{month_name(following)}报表中反映整改结果，确有正当理由的在“情况说明”中逐项说明。",
            "后续报送的数据表明事项已经消除的，自动办结"
            + ("；未办结之前，按考核方案在动态考核中扣分。" if institution.kind is InstitutionKind.BANK else "。"),
        ),
        run_id=results.run.run_id,
    )


def _since(case: GraveCase) -> str:
    return f"（首次发现于{month_name(case.first_period)}）" if case.change != "new" else ""
