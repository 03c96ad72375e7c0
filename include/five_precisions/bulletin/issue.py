"""Issuing a quarter's bulletin: rendered, held against the invariants, shown, and once approved put into the outbox."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from five_precisions.bulletin.compose import Approval, compose
from five_precisions.bulletin.correction import Restated, compose_correction, find_changes, published_tables
from five_precisions.bulletin.document import Bulletin, Heading, Paragraph
from five_precisions.bulletin.invariants import CHECKS, require_sound
from five_precisions.bulletin.letter import render_letter
from five_precisions.bulletin.notices import warn_of_unreached
from five_precisions.bulletin.pdf import render_pdf
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import read_results
from five_precisions.bulletin.workbook import render_workbook
from five_precisions.delivery import Attachment, Kind, Message, post
from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import SHANGHAI, Period, Quarter
from five_precisions.register import Contact, ContactRole, InstitutionKind, Register, read_register
from five_precisions.register.deadlines import is_workday, load_holidays
from five_precisions.register.decision import readable
from five_precisions.settings import Settings
from five_precisions.storage import write_into
from five_precisions.warehouse.locks import Lock, hold
from five_precisions.warehouse.statements import load_statement

_LONGEST_WAIT: Final = 2
"""Working days that a draft may wait for its decision."""
LONGEST_REMARK: Final = 2000
"""Characters (docs/outputs.md#bulletin)."""
_READ_RUNS = text("select run_id from mart.run where run_id = any(:runs) and current for share")
_COUNT_DRAFTS = text("select coalesce(max(draft), 0) from notify.approval where quarter = :quarter")
_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]<>#|~]")
"""What Markdown would read as layout."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A quarter's bulletin, or the correction of one, in its forms."""

    results: QuarterResults
    bulletin: Bulletin
    pdf: bytes
    workbook: bytes
    full: Rendered | None = None
    """Of a correction: the whole bulletin as it is now."""

    @property
    def kind(self) -> Kind:
        """What its messages are."""
        return Kind.BULLETIN if self.full is None else Kind.CORRECTION

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What goes with its messages."""
        if self.full is None:
            return (
                Attachment(f"{self.file_name}.pdf", self.pdf),
                Attachment(f"{self.file_name}附表.xlsx", self.workbook),
            )
        whole, tables = self.full.attachments
        return (
            Attachment(f"{self.file_name}.pdf", self.pdf),
            Attachment(f"更正后全文：{whole.name}", whole.content),
            Attachment(f"更正后{tables.name}", tables.content),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, whatever its date: what an approver saw differs in it from what changed since."""
        content = asdict(self.bulletin, dict_factory=_as_read) | {"charts": [each.svg for each in self.bulletin.charts]}
        plain = json.dumps(content, default=_plain, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        """Its files' name, without an ending."""
        quarter = self.results.quarter
        name = f"金融精准扶贫工作通报{quarter.year}年第{quarter.number}期"
        return name if self.full is None else f"{name}更正"

    def letter(self, institution_code: str | None) -> tuple[str, str]:
        """Subject and HTML of the mail, opening with the recipient's own summary; None = the leaders."""
        return render_letter(self.bulletin, self.results.at_end, institution_code)


def _as_read(fields: Iterable[tuple[str, object]]) -> dict[str, object]:
    # How a chart is drawn is a function: its name is another one in each process, and what it draws is compared.
    return {name: value for name, value in fields if name not in ("issued_on", "draw")}


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no text that is the same in each process")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDecision:
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
        readable(self.remark, "The remark")


def render(engine: Engine, settings: Settings, quarter: Quarter, *, remark: str = "") -> Rendered:
    """Render a quarter's bulletin from the newest runs of its months.

    Raises:
        RefusedError: a month of the quarter has not been assessed, or the results contradict themselves.
    """
    return _rendered(_read_quarter(engine, settings, quarter), settings, remark)


def write(rendered: Rendered, address: str, folder: str = "", options: Mapping[str, Any] | None = None) -> list[str]:
    """Write PDF, workbook and the leaders' mail into a folder; the files' addresses.

    Args:
        rendered: The bulletin.
        address: An fsspec address, or a path.
        folder: Below it, if need be.
        options: fsspec's storage options, where the address needs any.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: nothing can be written there.
    """
    files: dict[str, bytes] = {}
    for each in (rendered, rendered.full):
        if each is None:
            continue
        stem = f"{folder}/" * bool(folder) + f"{each.kind}-{each.results.quarter}"
        files |= {f"{stem}.pdf": each.pdf, f"{stem}.xlsx": each.workbook}
        files[f"{stem}.html"] = each.letter(None)[1].encode()
    return write_into("folder", address, files, options)


def render_draft(engine: Engine, settings: Settings, quarter: Quarter) -> Rendered:
    """Render what is to be decided on: the bulletin, or, of a quarter whose bulletin went out, its correction.

    Raises:
        RefusedError: a month of the quarter has not been assessed, the results contradict themselves, or the bulletin
            went out and nothing in it has changed since.
    """
    with engine.connect() as connection:
        decided = _read_decisions(connection, quarter)
    return _drafted(engine, settings, _read_quarter(engine, settings, quarter), decided)


def show_draft(engine: Engine, rendered: Rendered) -> int:
    """Put on record that a person is asked to decide; the draft's number, one more than those decided on."""
    shown = {
        "quarter": str(rendered.results.quarter),
        "digest": rendered.digest,
        "title": rendered.bulletin.title,
        "run_id": rendered.results.at_end.run.run_id,
        # A draft of which one does not hold is never rendered.
        "checks": list(CHECKS),
    }
    with engine.begin() as connection:
        draft = int(connection.execute(_COUNT_DRAFTS, {"quarter": shown["quarter"]}).scalar_one()) + 1
        connection.execute(load_statement("bulletin/record_shown_draft"), {**shown, "draft": draft})
    return draft


@dataclass(frozen=True, slots=True)
class WaitingDraft:
    """A draft that nobody has decided on yet."""

    quarter: str
    draft: int
    shown_at: datetime
    workdays: int
    """Working days that have passed since the day it was shown."""

    @property
    def is_overdue(self) -> bool:
        """Whether ops are told of it (docs/outputs.md#what-ops-are-told)."""
        return self.workdays > _LONGEST_WAIT


def find_waiting(engine: Engine, settings: Settings, today: date) -> list[WaitingDraft]:
    """The drafts that wait for a decision, by quarter."""
    holidays = load_holidays(settings)
    with engine.connect() as connection:
        rows = connection.execute(load_statement("bulletin/waiting_drafts")).all()
    waiting = []
    for row in rows:
        since = row.shown_at.astimezone(SHANGHAI).date()
        days = (since + timedelta(days=number) for number in range(1, (today - since).days + 1))
        passed = sum(is_workday(day, holidays) for day in days)
        waiting.append(WaitingDraft(row.quarter, row.draft, row.shown_at, passed))
    return waiting


def preview(rendered: Rendered, page: str) -> str:
    """What an approver reads before deciding, as Markdown: the run, what was checked, the page's link, the whole text.

    Args:
        rendered: The draft.
        page: Address of the page that shows its PDF, workbook and mail.
    """
    lines = [
        f"**[查看稿件：PDF、附表、邮件]({page})**",
        f"考核运行：**{rendered.results.at_end.run.run_id}**　稿件摘要：{rendered.digest}",
        f"勾稽关系检查：全部通过（{'；'.join(CHECKS)}）",
    ]
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


def decide(engine: Engine, settings: Settings, quarter: Quarter, decision: DraftDecision) -> list[str]:
    """Record a decision and, if it is an approval, post the bulletin to every bank, county office and leader.

    One transaction: the approval stands with its messages or not at all. The same decision once more changes nothing.
    A quarter's bulletin is approved once: a correction says what changes afterwards, and is decided on alike.

    Returns:
        Keys of the new messages.

    Raises:
        RefusedError: the draft was decided differently, another draft went out, or the figures are not those shown.
    """
    with engine.connect() as connection:
        decided = _read_decisions(connection, quarter)
    if _is_repeated(decided, quarter, decision):
        return []
    results = _read_quarter(engine, settings, quarter)
    shown = _drafted(engine, settings, results, decided)
    final = _drafted(engine, settings, results, decided, decision) if decision.approved else shown
    with engine.begin() as connection:
        hold(connection, Lock.BULLETIN, quarter)
        meanwhile = _read_decisions(connection, quarter)
        if _is_repeated(meanwhile, quarter, decision):
            return []
        runs = {run.run_id for run in results.at_end.runs.values()}
        current = set(connection.execute(_READ_RUNS, {"runs": list(runs)}).scalars())
        went_out = _newest_approved(meanwhile) != _newest_approved(decided)
        if shown.digest != decision.shown_digest or current != runs or went_out:
            raise RefusedError(f"The figures of {quarter} are not those that were shown; show a new draft.")
        whole = final.full or final
        connection.execute(
            load_statement("bulletin/record_decision"),
            {
                "quarter": str(quarter),
                "draft": decision.draft,
                "run_id": results.at_end.run.run_id,
                "shown_digest": decision.shown_digest,
                "decision": decision.word,
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "remark": decision.remark,
                "kind": final.kind,
                "run_ids": sorted(runs),
                "published": json.dumps(published_tables(whole.bulletin)) if decision.approved else None,
            },
        )
        if not decision.approved:
            return []
        register = read_register(connection)
        warn_of_unreached(results.at_end, register, final.kind)
        return post(connection, _messages(final, register, decision.draft))


def _read_decisions(connection: Connection, quarter: Quarter) -> list[Any]:
    return list(connection.execute(load_statement("bulletin/decisions"), {"quarter": str(quarter)}))


def _newest_approved(decided: Sequence[Any]) -> Any | None:
    return next((each for each in reversed(decided) if each.decision == "approved"), None)


def _is_repeated(decided: Sequence[Any], quarter: Quarter, decision: DraftDecision) -> bool:
    """Whether just this was decided of the draft before.

    Raises:
        RefusedError: something else was decided of it.
    """
    stored = next((each for each in decided if each.draft == decision.draft), None)
    if stored is None:
        return False
    if (stored.decision, stored.shown_digest, stored.remark) == decision.content:
        return True
    raise RefusedError(f"Draft {stored.draft} of {quarter} was {stored.decision} by {stored.decided_by}.")


def _read_quarter(engine: Engine, settings: Settings, quarter: Quarter) -> QuarterResults:
    # One snapshot: a restatement that commits in between must not give half of each revision.
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        at_end = read_results(connection, settings, quarter.last_month, Period(quarter.year - 1, 12))
        replayed_on = connection.execute(
            load_statement("bulletin/issue_date"), {"period": str(quarter.last_month)}
        ).scalar_one()
    return QuarterResults(quarter, at_end, replayed_on or datetime.now(SHANGHAI).date())


def _drafted(
    engine: Engine,
    settings: Settings,
    results: QuarterResults,
    decided: Sequence[Any],
    approving: DraftDecision | None = None,
) -> Rendered:
    """The bulletin while none went out; then the correction of the one that did. Approved, it says by whom."""
    remark = "" if approving is None else approving.remark
    approval = None if approving is None else Approval(approving.decided_by, approving.decided_at)
    approved = _newest_approved(decided)
    if approved is None:
        return _rendered(results, settings, remark, approval)
    full = _rendered(results, settings)
    changes, lists = find_changes(approved.published, full.bulletin)
    if not changes and not lists:
        raise RefusedError(
            f"{results.quarter} went out as draft {approved.draft}, and nothing in it has changed since."
        )
    with engine.connect() as connection:
        rows = connection.execute(
            load_statement("bulletin/restatements"), {"published_runs": list(approved.run_ids)}
        ).all()
    document = compose_correction(
        full.bulletin,
        changes,
        lists,
        [Restated(row.period, row.reason, row.decided_at) for row in rows],
        number=1 + sum(each.decision == "approved" and each.kind == "correction" for each in decided),
        issued_on=datetime.now(SHANGHAI).date(),
        remark=remark,
        approval=approval,
    )
    require_sound(document, results)
    return Rendered(results, document, render_pdf(document), render_workbook(document), full)


def _rendered(
    results: QuarterResults, settings: Settings, remark: str = "", approval: Approval | None = None
) -> Rendered:
    bulletin = compose(results, remark=remark, approval=approval, is_demo=settings.is_demo)
    require_sound(bulletin, results)
    return Rendered(results, bulletin, render_pdf(bulletin), render_workbook(bulletin))


def _messages(final: Rendered, register: Register, draft: int) -> Iterator[Message]:
    run = final.results.at_end.run
    attachments = final.attachments
    for contact in register.contacts:
        reader = _reader(final, contact)
        if reader is None:
            continue
        subject, html = final.letter(None if reader is InstitutionKind.CENTRE else contact.institution_code)
        yield Message(
            kind=final.kind,
            period=str(final.results.quarter),
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
    institution = final.results.at_end.institutions.get(contact.institution_code)
    if institution is None:
        return None
    role = ContactRole.LEADER if institution.kind is InstitutionKind.CENTRE else ContactRole.CONTACT
    return institution.kind if contact.role is role else None
