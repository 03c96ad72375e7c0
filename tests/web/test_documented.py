"""Every page is explained in docs/desk.md#addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi.routing import APIRoute

from five_precisions.settings import ROOT
from five_precisions.web.app import app
from tests.web.conftest import PREFIX


def unexplained(paths: Iterable[str], page: str) -> list[str]:
    """Paths of routes of which the page gives no example, from the server's root."""
    examples = re.findall(r"^\| `(/[^`]+)`", page, re.MULTILINE)
    escaped = {path: re.sub(r"\\{\w+:path\\}", ".+", re.escape(PREFIX + path)) for path in paths}
    patterns = {path: re.sub(r"\\{\w+\\}", "[^/]+", pattern) for path, pattern in escaped.items()}
    return [path for path, pattern in patterns.items() if not any(re.fullmatch(pattern, each) for each in examples)]


def test_every_page_is_explained() -> None:
    paths = [route.path for route in app.routes if isinstance(route, APIRoute)]
    page = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
    assert len(paths) >= 2
    assert unexplained(paths, page) == []
    assert unexplained(["/made-up/{code}", "/made-up/{path:path}"], page) == ["/made-up/{code}", "/made-up/{path:path}"]
