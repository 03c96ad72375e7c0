"""What a page of ours is in HTTP: HTML from a template that loads nothing, runs nothing and is kept nowhere."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from fastapi.responses import HTMLResponse

from five_precisions.templates import render

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    # A draft is for those who decide on it, and may be replaced by the next.
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of everything that is answered."""


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of include/templates/web.

    Args:
        template: Its name, e.g. `draft.html`.
        status: Of HTTP.
        values: What the template asks for; it is given `nonce` for its own style sheet, too.
    """
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; frame-src 'self'; frame-ancestors 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
    content = render(f"web/{template}", nonce=nonce, **values)
    return HTMLResponse(content, status, headers={**SECURITY_HEADERS, "Content-Security-Policy": policy})


def sentence_page(words: str, status: int) -> HTMLResponse:
    """A page that says one sentence: what is not there, or what has to be done."""
    return page("sentence.html", status, words=words)
