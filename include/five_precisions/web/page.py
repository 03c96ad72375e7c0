"""What an answer of ours is in HTTP: a page from a template, a sentence, a file; what a browser may do with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import HTMLResponse

from five_precisions.templates import TEMPLATE_FOLDER, render

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    # A page is for those who may see it now, and says what holds now.
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of everything that is answered."""
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
"""Content-Security-Policy of every page: nothing inline runs, nothing comes from elsewhere, only Airflow frames it."""
MAIL_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
"""Content-Security-Policy of a mail: it styles its elements in place, and shows nothing from elsewhere."""
SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that every page loads."""

    content: bytes
    media_type: str
    digest: str
    """Part of its address, so that a browser keeps it until it changes."""


@cache
def assets() -> dict[str, Asset]:
    """The style sheet and the script, by name."""
    found = {}
    for name in ("desk.css", "desk.js"):
        content = (TEMPLATE_FOLDER / "web" / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[name] = Asset(content, _MEDIA_TYPES[name.rpartition(".")[2]], digest)
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that there is, where what was asked for is not."""

    label: str
    href: str


class NotThereError(Exception):
    """The address names something that there is not: the page says so, and what there is."""

    def __init__(self, words: str, choices: Sequence[Choice] = ()) -> None:
        super().__init__(words)
        self.words = words
        self.choices = choices


class FollowedFromElsewhereError(Exception):
    """A page of another site leads to a file whose saving is on record: the person is asked first."""


def html(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of include/templates/web.

    Args:
        template: Its name, e.g. `draft.html`.
        status: Of HTTP.
        values: What the template asks for.
    """
    content = render(f"web/{template}", assets=assets(), **values)
    return HTMLResponse(content, status, headers={**SECURITY_HEADERS, "Content-Security-Policy": PAGE_POLICY})


def sentence_page(words: str, status: int, root: str, choices: Sequence[Choice] = ()) -> HTMLResponse:
    """A page that says one sentence: what is not there, or what has to be done; and where to go on.

    Args:
        words: The sentence.
        status: Of HTTP.
        root: The path of our pages on the server.
        choices: What there is instead.
    """
    return html("sentence.html", status, words=words, root=root, choices=choices)


def file_answer(
    content: bytes, name: str, media_type: str, *, is_shown: bool = False, policy: str | None = None
) -> Response:
    """A file, to be saved or shown.

    Args:
        content: Of the file.
        name: That it is saved by.
        media_type: Of its content.
        is_shown: Whether the browser opens it in place of saving it.
        policy: Content-Security-Policy, where the browser reads it as a document.
    """
    disposition, quoted = "inline" if is_shown else "attachment", quote(name)
    named = f'filename="{name}"' if quoted == name else f"filename*=UTF-8''{quoted}"
    headers = {**SECURITY_HEADERS, "Content-Disposition": f"{disposition}; {named}"}
    if policy is not None:
        headers["Content-Security-Policy"] = policy
    return Response(content, media_type=media_type, headers=headers)
