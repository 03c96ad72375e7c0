"""Issuing a quarter's bulletin: rendered, held against the invariants, shown, and once approved put into the outbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.document import Bulletin
from five_precisions.bulletin.invariants import require_sound
from five_precisions.bulletin.letter import render_letter
from five_precisions.bulletin.pdf import render_pdf
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import read_results
from five_precisions.bulletin.workbook import render_workbook
from five_precisions.delivery import Attachment, Kind, Message, post
from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import SHANGHAI, Period, Quarter
from five_precisions.register import Contact, ContactRole, InstitutionKind, Register, read_register
from five_precisions.settings import Settings
from five_precisions.warehouse.statements import load_statement

LONGEST_REMARK: Final = 2000
"""Characters (spec/05, Bulletin)."""
_RECORD = text("""
insert into notify.approval (quarter, draft, run_id, shown_digest, decision, decided_by, decided_at, remark)
values (:quarter, :draft, :run_id, :shown_digest, :decision, :decided_by, :decided_at, :remark)
on conflict (quarter, draft) do nothing
""")
_READ = text("""
select decision, shown_digest, decided_by from notify.approval where quarter = :quarter and draft = :draft
""")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A quarter's bulletin in its forms."""

    told: QuarterResults
    bulletin: Bulletin
    pdf: bytes
    workbook: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, whatever its date: what an approver saw is told from what changed since."""
        content = {name: value for name, value in asdict(self.bulletin).items() if name != "issued_on"}
        plain = json.dumps(content, default=str, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        """Its files' name, without an ending."""
        quarter = self.told.quarter
        return f"金融精准扶贫工作通报{quarter.year}年第{quarter.number}期"

    def letter(self, institution_code: str | None) -> tuple[str, str]:
        """Subject and HTML of the mail, opening with the recipient's own standing; None = the leaders."""
        return render_letter(self.bulletin, self.told.results, institution_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided on a draft that was shown."""

    draft: int
    """From 1; a bulletin sent back comes again as the next draft."""
    shown_digest: str
    """`Rendered.digest` of what the person saw, without a remark."""
    approved: bool
    decided_by: str
    decided_at: datetime
    remark: str = ""
    """Approved: becomes part of section 五. Sent back: the reason."""

    def __post_init__(self) -> None:
        if len(self.remark) > LONGEST_REMARK:
            raise UsageError(f"The remark has {len(self.remark)} characters; {LONGEST_REMARK} are the most.")


def render(engine: Engine, settings: Settings, quarter: Quarter, *, remark: str = "") -> Rendered:
    """Render a quarter's bulletin from the newest runs of its months.

    Raises:
        RefusedError: a month of the quarter has not been assessed, or the results contradict themselves.
    """
    with engine.connect() as connection:
        return _render(connection, settings, quarter, remark)


def write(rendered: Rendered, folder: Path) -> list[Path]:
    """Write PDF, workbook and the leaders' mail into a folder; the files' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"bulletin-{rendered.told.quarter}"
    contents = {".pdf": rendered.pdf, ".xlsx": rendered.workbook, ".html": rendered.letter(None)[1].encode()}
    paths = []
    for ending, content in contents.items():
        path = folder / f"{stem}{ending}"
        path.write_bytes(content)
        paths.append(path)
    return paths


def decide(engine: Engine, settings: Settings, quarter: Quarter, decision: Decision) -> list[str]:
    """Record a decision and, if it is an approval, post the bulletin to every bank, county office and leader.

    One transaction: the approval stands with its messages or not at all. The same decision once more changes nothing.

    Returns:
        Keys of the new messages.

    Raises:
        RefusedError: the draft was decided differently before, or the figures are not those that were shown.
    """
    with engine.begin() as connection:
        shown = _render(connection, settings, quarter, "")
        if shown.digest != decision.shown_digest:
            raise RefusedError(f"The figures of {quarter} are not those that were shown; show a new draft.")
        _record(connection, shown, decision)
        if not decision.approved:
            return []
        final = _render(connection, settings, quarter, decision.remark) if decision.remark else shown
        return post(connection, _messages(final, read_register(connection)))


def _render(connection: Connection, settings: Settings, quarter: Quarter, remark: str) -> Rendered:
    results = read_results(connection, settings, quarter.last_month, Period(quarter.year - 1, 12))
    replayed_on = connection.execute(
        load_statement("bulletin/issue_date"), {"period": str(quarter.last_month)}
    ).scalar_one()
    told = QuarterResults(quarter, results, replayed_on or datetime.now(SHANGHAI).date())
    bulletin = compose(told, remark=remark, is_demo=settings.is_demo)
    require_sound(bulletin, told)
    return Rendered(told, bulletin, render_pdf(bulletin), render_workbook(bulletin))


def _record(connection: Connection, shown: Rendered, decision: Decision) -> None:
    quarter, word = str(shown.told.quarter), "approved" if decision.approved else "rejected"
    connection.execute(
        _RECORD,
        {
            "quarter": quarter,
            "draft": decision.draft,
            "run_id": shown.told.results.run.run_id,
            "shown_digest": decision.shown_digest,
            "decision": word,
            "decided_by": decision.decided_by,
            "decided_at": decision.decided_at,
            "remark": decision.remark,
        },
    )
    stands = connection.execute(_READ, {"quarter": quarter, "draft": decision.draft}).one()
    if (stands.decision, stands.shown_digest) != (word, decision.shown_digest):
        raise RefusedError(f"Draft {decision.draft} of {quarter} was {stands.decision} by {stands.decided_by} before.")


def _messages(final: Rendered, register: Register) -> Iterator[Message]:
    run = final.told.results.run
    attachments = (
        Attachment(f"{final.file_name}.pdf", final.pdf),
        Attachment(f"{final.file_name}附表.xlsx", final.workbook),
    )
    for contact in register.contacts:
        reader = _reader(final, contact)
        if reader is None:
            continue
        subject, html = final.letter(None if reader is InstitutionKind.CENTRE else contact.institution_code)
        yield Message(
            kind=Kind.BULLETIN,
            period=str(final.told.quarter),
            institution_code=contact.institution_code,
            address=contact.address,
            edition=f"r{run.revision}",
            subject=subject,
            html=html,
            attachments=attachments,
            run_id=run.run_id,
        )


def _reader(final: Rendered, contact: Contact) -> InstitutionKind | None:
    """As what a contact gets the bulletin: banks and county offices by their contacts, the centre by its leaders."""
    institution = final.told.results.institutions.get(contact.institution_code)
    if institution is None:
        return None
    role = ContactRole.LEADER if institution.kind is InstitutionKind.CENTRE else ContactRole.CONTACT
    return institution.kind if contact.role is role else None
