"""Debian's chromium, driven by Playwright, with people logged in at the replay's Airflow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.replay import Replay
from tests.waiting import LONGEST_SECONDS

LAPTOP = {"width": 1366, "height": 768}
"""What the branch's people have (docs/desk.md#pages)."""
CHROMIUM = shutil.which("chromium")
_LONGEST_MILLISECONDS = LONGEST_SECONDS * 1000
LACKING = "Chromium is not installed, and pages are tested in a real browser: apt-get install chromium, or run .ci/run"


@dataclass
class Visit:
    """One person's browser, and what it has done besides showing pages."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """What stands in its console as an error, and scripts that broke off."""
    hosts: set[str] = field(default_factory=set)
    """Whom it has asked for anything; what a page brings along itself (`data:`) asks nobody."""

    def log_in(self, replay: Replay, user: str) -> None:
        """Fill in Airflow's form, which the browser shows."""
        self.page.fill("input[name=username]", user)
        self.page.fill("input[name=password]", replay.stack.site.password(user))
        self.page.keyboard.press("Enter")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Where there is no browser the tests are skipped; on a build machine, which sets CI, they fail. Before Airflow."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(LACKING)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; no longer than its tests, for Playwright's event loop lets no other run in this process."""
    expect.set_options(timeout=_LONGEST_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[[], Visit]]:
    """Opens the browser of one more person, in which nobody is logged in."""
    opened = []

    def open_browser() -> Visit:
        context = chromium.new_context(viewport=LAPTOP, locale="zh-CN", timezone_id="Asia/Shanghai")
        opened.append(context)
        visit = Visit(context.new_page())
        visit.page.set_default_timeout(_LONGEST_MILLISECONDS)
        context.on("request", lambda request: visit.hosts.update(filter(None, [urlsplit(request.url).netloc])))
        context.on("console", lambda said: said.type == "error" and visit.complaints.append(said.text))
        context.on("weberror", lambda broken: visit.complaints.append(str(broken.error)))
        return visit

    yield open_browser
    for context in opened:
        context.close()
