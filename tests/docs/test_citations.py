"""What code, statements, templates, settings and pages cite is there: the page, and the heading."""

from __future__ import annotations

import re

import pytest

from five_precisions.settings import ROOT
from tests.docs.tracked import text_files
from tests.test_pages import slugs

_CITATION = re.compile(
    r"(?<![\w/])(docs/[\w./-]+\.(?:md|py|png)|CONTRIBUTING\.md|README(?:\.zh-CN)?\.md)(?:#([\w-]+))?"
)
_EXAMPLE = "docs/PAGE.md"
_GONE = re.compile("|".join(["spec" + r"/0\d", "(?<![a-z.-])design" + "/"]))
"""What a clone does not hold, in two parts so that this file may say it."""


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    found = list(text_files())
    assert len(found) > 700
    return found


def lost(text: str) -> list[str]:
    """Citations of a text that lead nowhere."""
    return [
        match[0]
        for match in _CITATION.finditer(text)
        if match[1] != _EXAMPLE
        and not ((page := ROOT / match[1]).is_file() and (match[2] is None or match[2] in slugs(page)))
    ]


def test_every_citation_leads_to_a_page_and_a_heading(texts: list[tuple[str, str]]) -> None:
    cited = [match[0] for _, text in texts for match in _CITATION.finditer(text)]
    assert len(cited) > 400
    assert any("#" in each for each in cited)
    assert [(path, each) for path, text in texts for each in lost(text)] == []


def test_a_citation_that_leads_nowhere_is_found() -> None:
    page = "docs" + "/intake.md"
    cited = [f"{page}#bad-input", f"{page}#no-such-heading", "docs" + "/nothing.md", "CONTRIBUTING" + ".md#nothing"]
    assert lost(" ".join(cited)) == cited[1:]


def test_nothing_cites_what_a_clone_does_not_hold(texts: list[tuple[str, str]]) -> None:
    assert _GONE.search("see " + "spec" + "/03 and " + "design" + "/style.md")
    assert [(path, match[0]) for path, text in texts for match in _GONE.finditer(text)] == []
