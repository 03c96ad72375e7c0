"""Issuing a quarter's bulletin: rendered, held against the invariants, shown, and once approved put into the outbox."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, text

from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.document import Bulletin, Heading, Paragraph
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
from five_precisions.storage import write_into
from five_precisions.warehouse.statements import load_statement

LONGEST_REMARK: Final = 2000
"""Characters (spec/05, Bulletin)."""
_LOCK_SPACE: Final = 5_201_904
"""First key of the advisory lock of a quarter's decisions; the second is a hash of the quarter."""
_LOCK = text("select pg_advisory_xact_lock(:space, hashtext(:quarter))")
_RECORD = text("""
insert into notify.approval (quarter, draft, run_id, shown_digest, decision, decided_by, decided_at, remark)
values (:quarter, :draft, :run_id, :shown_digest, :decision, :decided_by, :decided_at, :remark)
""")
_READ_RUNS = text("select run_id from mart.run where run_id = any(:runs) and current for share")
_COUNT_DRAFTS = text("select coalesce(max(draft), 0) from notify.approval where quarter = :quarter")
_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]<>#|~]")
"""What Markdown would read as layout."""
_READ = text("""
select draft, decision, shown_digest, decided_by, remark from notify.approval where quarter = :quarter order by draft
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

    @property
    def word(self) -> str:
        """As the table of approvals has it."""
        return "approved" if self.approved else "rejected"

    @property
    def content(self) -> tuple[str, str, str]:
        """What makes two decisions the same."""
        return self.word, self.shown_digest, self.remark

    def __post_init__(self) -> None:
        if len(self.remark) > LONGEST_REMARK:
            raise UsageError(f"The remark has {len(self.remark)} characters; {LONGEST_REMARK} are the most.")


def render(engine: Engine, settings: Settings, quarter: Quarter, *, remark: str = "") -> Rendered:
    """Render a quarter's bulletin from the newest runs of its months.

    Raises:
        RefusedError: a month of the quarter has not been assessed, or the results contradict themselves.
    """
    return _rendered(_read_quarter(engine, settings, quarter), settings, remark)


def write(rendered: Rendered, address: str, folder: str = "") -> list[str]:
    """Write PDF, workbook and the leaders' mail into a folder; the files' addresses.

    Args:
        rendered: The bulletin.
        address: An fsspec address, or a path.
        folder: Below it, if need be.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: nothing can be written there.
    """
    stem = f"{folder}/" * bool(folder) + f"bulletin-{rendered.told.quarter}"
    contents = {".pdf": rendered.pdf, ".xlsx": rendered.workbook, ".html": rendered.letter(None)[1].encode()}
    return write_into("folder", address, {f"{stem}{ending}": content for ending, content in contents.items()})


def next_draft(engine: Engine, quarter: Quarter) -> int:
    """The number of the draft to show next: one more than those decided on."""
    with engine.connect() as connection:
        return int(connection.execute(_COUNT_DRAFTS, {"quarter": str(quarter)}).scalar_one()) + 1


def preview(rendered: Rendered, files: Sequence[str]) -> str:
    """What an approver reads before deciding, as Markdown: the run, where the draft's files lie, and the whole text."""
    lines = [f"考核运行：**{rendered.told.results.run.run_id}**　稿件摘要：{rendered.digest}"]
    lines += [f"- {_markdown(file)}" for file in files]
    lines.append(_markdown(rendered.bulletin.introduction.text))
    for section in rendered.bulletin.sections:
        lines.append(f"## {_markdown(section.title)}")
        for block in section.blocks:
            if isinstance(block, Heading):
                lines.append(f"### {_markdown(block.text)}")
            elif isinstance(block, Paragraph):
                lines.append(_markdown(block.text))
    return "\n\n".join([*lines, *map(_markdown, rendered.bulletin.footnotes)])


def _markdown(words: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", words)


def decide(engine: Engine, settings: Settings, quarter: Quarter, decision: Decision) -> list[str]:
    """Record a decision and, if it is an approval, post the bulletin to every bank, county office and leader.

    One transaction: the approval stands with its messages or not at all. The same decision once more changes nothing.
    A quarter is approved once: what changes afterwards is told by a correction.

    Returns:
        Keys of the new messages.

    Raises:
        RefusedError: the draft was decided differently, another draft went out, or the figures are not those shown.
    """
    told = _read_quarter(engine, settings, quarter)
    shown = _rendered(told, settings, "")
    final = _rendered(told, settings, decision.remark) if decision.approved and decision.remark else shown
    with engine.begin() as connection:
        connection.execute(_LOCK, {"space": _LOCK_SPACE, "quarter": str(quarter)})
        for stored in connection.execute(_READ, {"quarter": str(quarter)}):
            if stored.draft == decision.draft:
                if (stored.decision, stored.shown_digest, stored.remark) == decision.content:
                    return []
                raise RefusedError(f"Draft {stored.draft} of {quarter} was {stored.decision} by {stored.decided_by}.")
            if decision.approved and stored.decision == "approved":
                raise RefusedError(f"{quarter} went out as draft {stored.draft}; a change is told by a correction.")
        runs = {run.run_id for run in told.results.runs.values()}
        current = set(connection.execute(_READ_RUNS, {"runs": list(runs)}).scalars())
        if shown.digest != decision.shown_digest or current != runs:
            raise RefusedError(f"The figures of {quarter} are not those that were shown; show a new draft.")
        connection.execute(
            _RECORD,
            {
                "quarter": str(quarter),
                "draft": decision.draft,
                "run_id": told.results.run.run_id,
                "shown_digest": decision.shown_digest,
                "decision": decision.word,
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "remark": decision.remark,
            },
        )
        if not decision.approved:
            return []
        return post(connection, _messages(final, read_register(connection), decision.draft))


def _read_quarter(engine: Engine, settings: Settings, quarter: Quarter) -> QuarterResults:
    # One snapshot: a restatement that commits in between must not give half of each revision.
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        results = read_results(connection, settings, quarter.last_month, Period(quarter.year - 1, 12))
        replayed_on = connection.execute(
            load_statement("bulletin/issue_date"), {"period": str(quarter.last_month)}
        ).scalar_one()
    return QuarterResults(quarter, results, replayed_on or datetime.now(SHANGHAI).date())


def _rendered(told: QuarterResults, settings: Settings, remark: str) -> Rendered:
    bulletin = compose(told, remark=remark, is_demo=settings.is_demo)
    require_sound(bulletin, told)
    return Rendered(told, bulletin, render_pdf(bulletin), render_workbook(bulletin))


def _messages(final: Rendered, register: Register, draft: int) -> Iterator[Message]:
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
            edition=f"draft-{draft}",
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
