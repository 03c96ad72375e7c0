"""The page of a draft and its approval as a person sees them: Airflow's real server and login, a real browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from five_precisions.bulletin.invariants import CHECKS
from five_precisions_demo.stack import OPS
from tests.browser.conftest import LAPTOP, Visit
from tests.replay import QUARTER, Replay

PAGE = f"/five-precisions/drafts/{QUARTER}/1"
TITLE = "关于2019年第一季度金融精准扶贫工作情况的通报"

SCROLLING_SIDEWAYS = """
[...document.querySelectorAll("body *")]
    .filter(each => each.scrollWidth > each.clientWidth)
    .filter(each => ["auto", "scroll"].includes(getComputedStyle(each).overflowX))
    .map(each => each.tagName)
"""

Visits = Callable[[], Visit]


def open_draft(visit: Visit, replay: Replay) -> Page:
    """Ask for the page, be sent to the login, log in, be led back."""
    visit.page.goto(replay.stack.site.url + PAGE)
    visit.log_in(replay, OPS)
    visit.page.wait_for_url(f"**{PAGE}")
    return visit.page


@pytest.fixture
def draft(visit: Visits, replay: Replay) -> Visit:
    """The page of the draft, in the browser of somebody who has logged in."""
    visited = visit()
    open_draft(visited, replay)
    visited.hosts.clear()
    visited.complaints.clear()
    visited.page.reload(wait_until="networkidle")
    return visited


def test_who_is_not_logged_in_is_led_to_the_login_and_back(visit: Visits, replay: Replay) -> None:
    visited = visit()
    answers: list[tuple[str, int]] = []
    visited.page.on("response", lambda answer: answers.append((urlsplit(answer.url).path, answer.status)))
    visited.page.goto(replay.stack.site.url + PAGE)
    assert [status for path, status in answers if path == PAGE] == [307]
    assert TITLE not in visited.page.content()
    visited.page.fill("input[name=username]", OPS)
    visited.page.fill("input[name=password]", "wrong")
    # Until the server has answered, the form takes no second attempt.
    with visited.page.expect_response(lambda answer: answer.request.method == "POST") as refusal:
        visited.page.keyboard.press("Enter")
    assert refusal.value.status == 401
    expect(visited.page.locator("button[type=submit]")).to_be_enabled()
    assert urlsplit(visited.page.url).path != PAGE
    visited.log_in(replay, OPS)
    visited.page.wait_for_url(f"**{PAGE}")
    assert TITLE in visited.page.content()


def test_the_page_shows_what_is_decided_on(draft: Visit) -> None:
    page = draft.page
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    for check in CHECKS:
        expect(page.get_by_text(check, exact=False).first).to_be_visible()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_text("2019年第一季度").first).to_be_visible()
    assert draft.complaints == []


def test_the_pdf_opens_in_the_browser_and_the_workbook_is_saved(draft: Visit) -> None:
    page = draft.page
    with page.expect_popup() as opened:
        page.get_by_role("link", name="通报 PDF").click()
    pdf = opened.value
    pdf.wait_for_load_state()
    assert urlsplit(pdf.url).path == f"{PAGE}/files/bulletin-{QUARTER}.pdf"
    fetched = page.request.get(pdf.url)
    assert (fetched.headers["content-type"], fetched.body()[:5]) == ("application/pdf", b"%PDF-")
    with page.expect_download() as saved:
        page.get_by_role("link", name="附表（Excel）").click()
    assert saved.value.suggested_filename == f"bulletin-{QUARTER}.xlsx"
    assert saved.value.path().read_bytes()[:2] == b"PK"
    assert draft.complaints == []


def test_it_fits_a_laptop_and_asks_nobody_else(draft: Visit, replay: Replay) -> None:
    assert draft.page.evaluate("document.documentElement.scrollWidth") <= LAPTOP["width"]
    assert draft.page.evaluate("document.documentElement.scrollHeight") <= LAPTOP["height"]
    # Nor does anything in it scroll sideways.
    assert draft.page.evaluate(SCROLLING_SIDEWAYS) == []
    assert draft.hosts == {urlsplit(replay.stack.site.url).netloc}
    assert draft.complaints == []


def test_by_keyboard_everything_is_reached_in_the_order_it_stands(draft: Visit) -> None:
    page = draft.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "跳到正文"
    # Past the navigation.
    page.keyboard.press("Enter")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", reached
    assert reached[:3] == ["通报 PDF", "通报 附表（Excel）", "通报 邮件（致领导）"]
    assert reached[3].endswith("待审批事项")
    # Last comes the mail, which is scrolled like any page; in a process of its own it takes the focus a moment later.
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.tagName === 'IFRAME'")
    [mail] = [frame for frame in page.frames if frame is not page.main_frame]
    assert mail.evaluate("document.scrollingElement.scrollTop") == 0
    page.keyboard.press("PageDown")
    for _ in range(50):
        # It may run no script, so that nothing in it can wait.
        page.wait_for_timeout(100)
        if scrolled := mail.evaluate("document.scrollingElement.scrollTop"):
            break
    assert scrolled > 0
    page.keyboard.press("Shift+Tab")
    page.wait_for_function("document.activeElement.tagName === 'A'")
    with page.expect_popup() as opened:
        for _ in range(3):
            page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
    assert urlsplit(opened.value.url).path.endswith(".pdf")
