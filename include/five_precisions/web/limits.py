"""How much the pages do at once, and forms larger than ours, which are refused unread (docs/desk.md#limits).

FastAPI reads a form before it asks who sends it: without this, anybody could fill the server's memory or disk.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from fastapi import status

from five_precisions.web.page import sentence_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST_FORM: Final = 64 * 1024
"""Bytes."""
_TAKES_FILES: Final = "/check"
"""The end of the one address that takes files; it looks at who sends them, and at their size, by itself."""


class RequestLimits:
    """Refuses forms that are too large; everything else passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        refused = _refusal(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> Response | None:
    root = scope.get("root_path", "")
    if scope["method"] != "POST" or scope["path"].endswith(_TAKES_FILES):
        return None
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    if len(lengths) != 1 or not lengths[0].isdigit():
        return sentence_page("没有写明表单有多大，没有执行。", status.HTTP_411_LENGTH_REQUIRED, root)
    if int(lengths[0]) > LARGEST_FORM:
        return sentence_page("表单太大，没有执行。", status.HTTP_413_CONTENT_TOO_LARGE, root)
    return None


class BusyError(Exception):
    """Others have the server do as much of this as it does at once; the message is the sentence for the page."""


class SharedWork:
    """So many at once, and a short wait for the others: what costs the server seconds or much memory."""

    def __init__(self, most: int, patience: float, sentence: str) -> None:
        """Begin with all turns free.

        Args:
            most: How many at once.
            patience: Seconds that one waits for a turn.
            sentence: What whoever has waited in vain is told, in Chinese.
        """
        self._free = BoundedSemaphore(most)
        self._patience = patience
        self._sentence = sentence

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have a turn for the block.

        Raises:
            BusyError: none has become free.
        """
        if not self._free.acquire(timeout=self._patience):
            raise BusyError(self._sentence)
        try:
            yield
        finally:
            self._free.release()


PACKAGES: Final = SharedWork(1, 30, "服务器正在读取另一个报送包，请稍后再试。")
"""To read a delivered package takes seconds and hundreds of megabytes (docs/performance.md#reading-and-loading)."""
PROOFS: Final = SharedWork(2, 5, "服务器正在为他人查找数字的来源，请稍后再试。")
"""To find the rows behind a figure copies what its run used into temporary tables."""
