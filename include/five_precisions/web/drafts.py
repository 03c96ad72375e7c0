"""The page that shows a draft of a bulletin to who decides on it, and the draft's files (docs/outputs.md#bulletin).

The warehouse says what was shown and what was decided; the files lie in the outbox, under `<quarter>/draft-<n>/`, as
`orchestration.publication` has laid them there. The settings are the environment's: Airflow's connections, which tasks
use, say nothing that a page needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import APIRouter, Depends, HTTPException, Response, status
from sqlalchemy import Engine

from five_precisions.delivery import Kind
from five_precisions.errors import UsageError
from five_precisions.period import Quarter
from five_precisions.settings import Settings
from five_precisions.storage import list_files, read_file
from five_precisions.warehouse.statements import load_statement
from five_precisions.web.access import BULLETIN
from five_precisions.web.actions import record_download
from five_precisions.web.decision_words import DECISION_WORDS
from five_precisions.web.desk import AtDesk
from five_precisions.web.page import MAIL_POLICY, SHEET, file_answer

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format in which a draft is laid into the outbox."""

    name: str
    media_type: str
    is_shown: bool
    """Whether the browser opens it in place of saving it."""
    policy: str | None = None
    """Content-Security-Policy, where the browser reads it as a document."""


FORMATS: Final = {
    "pdf": FileFormat("PDF", "application/pdf", is_shown=True),
    "xlsx": FileFormat("附表（Excel）", SHEET, is_shown=False),
    "html": FileFormat("邮件（致领导）", "text/html; charset=utf-8", is_shown=True, policy=MAIL_POLICY),
}
"""By the ending of the file's name."""
_DOCUMENTS: Final = {Kind.CORRECTION: "更正通报", Kind.BULLETIN: "通报"}
"""What a draft holds; of a correction the whole bulletin as it is now, too."""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file of a draft."""

    name: str
    title: str
    """What it is: `更正通报 PDF`."""
    ending: str
    size: int
    """Bytes."""

    @property
    def format(self) -> FileFormat:
        """How it is served."""
        return FORMATS[self.ending]


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """What is on record of a draft."""

    title: str
    run_id: str | None
    digest: str
    checks: list[str]
    """The invariants that were checked before it was shown; all held."""
    shown_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that the address names; whether it was ever shown, the warehouse says."""

    quarter: Quarter
    number: int

    @property
    def folder(self) -> str:
        """Where its files lie in the outbox."""
        return f"{self.quarter}/draft-{self.number}"

    def files(self, settings: Settings) -> list[DraftFile]:
        """Its files that are there, the correction's before the bulletin's.

        Raises:
            SetupError: the outbox cannot be read.
        """
        there = list_files("outbox", settings.outbox_address, self.folder, settings.storage_options("outbox"))
        kinds = [kind for kind in _DOCUMENTS if f"{kind}-{self.quarter}.pdf" in there]
        found = []
        for kind in kinds:
            document = "更正后的通报" if kind is not kinds[0] else _DOCUMENTS[kind]
            for ending, file_format in FORMATS.items():
                name = f"{kind}-{self.quarter}.{ending}"
                if name in there:
                    found.append(DraftFile(name, f"{document} {file_format.name}", ending, there[name]))
        return found


def named_draft(quarter: str, draft: str) -> Draft:
    """The draft that a path names.

    Raises:
        HTTPException: 404, it is no draft's name.
    """
    try:
        parsed = Quarter.parse(quarter)
    except UsageError:
        raise _not_found("网址中的季度不对，应写作2019-Q2。") from None
    if _NUMBER.fullmatch(draft) is None:
        raise _not_found("网址中的稿次不对，应为1、2、3……")
    return Draft(parsed, int(draft))


NamedDraft = Annotated[Draft, Depends(named_draft)]

router = APIRouter(
    prefix="/drafts",
    # Whoever may read the approval may read what it is about.
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.HITL_DETAIL, BULLETIN))],
)


@router.get("/{quarter}/{draft}")
def show_draft(desk: AtDesk, draft: NamedDraft) -> Response:
    """The page of a draft."""
    record = _read(desk.engine, draft)
    files = draft.files(desk.settings)
    return desk.answer(
        "draft.html",
        page="bulletins",
        title=record.title or _title_of(draft),
        draft=draft,
        record=record,
        decision=None if record.decision is None else DECISION_WORDS[record.decision],
        files=files,
        mail=next((file for file in files if file.ending == "html"), None),
    )


@router.get("/{quarter}/{draft}/files/{name}")
def serve_file(desk: AtDesk, draft: NamedDraft, name: str, *, framed: bool = False) -> Response:
    """A file of a draft.

    Args:
        desk: Of the request.
        draft: Whose.
        name: Of the file.
        framed: Whether it stands in our page. A browser passes by a frame in which nothing can have the focus, so that
            nobody could scroll the mail by keyboard.
    """
    settings = desk.settings
    _read(desk.engine, draft)
    file = next((file for file in draft.files(settings) if file.name == name), None)
    content = None
    if file is not None:
        path = f"{draft.folder}/{file.name}"
        content = read_file("outbox", settings.outbox_address, path, settings.storage_options("outbox"))
    if file is None or content is None:
        raise _not_found(f"{_title_of(draft)}没有这个文件。")
    if not file.format.is_shown:
        desk.require_own_link()
        record_download(desk.engine, desk.user, file.name, str(draft.quarter))
    if framed and file.ending == "html":
        content = content.replace(b"<body ", b'<body tabindex="0" ', 1)
    return file_answer(
        content, file.name, file.format.media_type, is_shown=file.format.is_shown, policy=file.format.policy
    )


def _read(engine: Engine, draft: Draft) -> DraftRecord:
    with engine.connect() as connection:
        row = connection.execute(
            load_statement("web/draft"), {"quarter": str(draft.quarter), "draft": draft.number}
        ).one_or_none()
    if row is None:
        raise _not_found(f"没有{_title_of(draft)}。")
    return DraftRecord(*row)


def _title_of(draft: Draft) -> str:
    return f"{draft.quarter.words}通报第{draft.number}稿"


def _not_found(words: str) -> HTTPException:
    return HTTPException(status.HTTP_404_NOT_FOUND, words)
