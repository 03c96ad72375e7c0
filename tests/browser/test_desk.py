"""The pages of the desk inside Airflow's real UI: the entry, the tabs, light and dark, and for everybody to use."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import FilePayload, Frame, Page, expect

from five_precisions_demo.stack import OPS
from tests.browser.conftest import LAPTOP, Visit
from tests.packages import package, sound
from tests.replay import QUARTER, Replay

Visits = Callable[[], Visit]

PAGES = {
    "today": "今日",
    "reporting": "报送情况",
    "reporting/B01": "岭海通商 2019年3月报送",
    "ranking": "考核排名",
    "ranking/banks/B04": "穗禾兴农 2019年3月考核",
    "ranking/compare": "两行对比",
    "ranking/boards": "各类榜单",
    "ranking/scheme": "考核方案",
    "ranking/trial": "试算",
    "figures": "指标",
    "figures/loan_balance?scope=county": "金融精准扶贫贷款余额",
    "figures/proof?metric=loan_balance&scope=bank&code=B03": "金融精准扶贫贷款余额",
    "cases": "督查台账",
    "cases/inspections": "督查清单",
    "bulletins": "通报",
    "bulletins/messages": "发件箱",
    "quality": "数据质量",
    "quality/rules/X05": "X05",
    "quality/docs": "Data Docs",
    "institutions": "机构",
    "institutions/B01": "岭海通商",
    "actions": "操作记录",
    f"drafts/{QUARTER}/1": "关于2019年第一季度金融精准扶贫工作情况的通报",
}
"""Addresses below our root, and the beginning of what stands above each."""
SPOILT = package(loans=[sound("loans", annual_rate="很低")])
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_VIOLATIONS = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .map(each => [each.id, each.impact, each.nodes.map(node => node.target.join(" ")).slice(0, 5)])
"""
_BROKEN_WORDS = """
() => [...document.querySelectorAll("tbody :is(td, th):not(.long)")].filter(cell => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    return words.getBoundingClientRect().height > 30;
}).map(cell => cell.textContent)
"""
_CUT_TABLES = """
() => [...document.querySelectorAll(".scroll")].filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => each.parentElement.id)
"""


@pytest.fixture
def ops(visit: Visits, replay: Replay) -> Visit:
    """The browser of somebody of ops who has logged in."""
    visited = visit()
    visited.page.goto(f"{replay.stack.site.url}/five-precisions/reporting")
    visited.log_in(replay, OPS)
    visited.page.wait_for_url("**/five-precisions/reporting")
    visited.complaints.clear()
    return visited


def inner(page: Page) -> Frame:
    """Our page in Airflow's frame, once it is there."""
    frame = page.wait_for_selector("iframe").content_frame()
    assert frame is not None
    frame.wait_for_selector("h1")
    return frame


def run_ids(page: Page, dag: str) -> list[str]:
    """The runs of a DAG, the oldest first."""
    runs: list[str] = page.evaluate(
        "async dag => (await (await fetch(`/api/v2/dags/${dag}/dagRuns?order_by=run_after`)).json())"
        ".dag_runs.map(run => run.dag_run_id)",
        dag,
    )
    return runs


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_every_page(ops: Visit, replay: Replay, theme: str) -> None:
    page = ops.page
    page.emulate_media(color_scheme=theme)
    for path, heading in PAGES.items():
        answer = page.goto(f"{replay.stack.site.url}/five-precisions/{path}")
        assert answer is not None
        assert answer.status == 200, path
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert page.evaluate(_BROKEN_WORDS) == [], path
        # The rows behind a figure are those of a report, in full.
        assert set(page.evaluate(_CUT_TABLES)) <= {"rows"}, path
        assert_usable(page, path)
    assert ops.complaints == []


def assert_usable(page: Page, what: str) -> None:
    """Nothing serious is in the way of anybody, and nobody has to scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth") <= LAPTOP["width"], what
    page.evaluate(AXE)
    violations: list[list[Any]] = page.evaluate(_VIOLATIONS)
    assert [each for each in violations if each[1] in ("serious", "critical")] == [], what


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_what_answers_and_what_is_refused(ops: Visit, replay: Replay, theme: str) -> None:
    page, root = ops.page, f"{replay.stack.site.url}/five-precisions"
    page.emulate_media(color_scheme=theme)
    page.goto(f"{root}/institutions/B01")
    files = [FilePayload(name=each.name, mimeType="text/csv", buffer=each.content) for each in SPOILT]
    page.get_by_label("文件").set_input_files(files)
    page.get_by_role("button", name="检查", exact=True).click()
    expect(page.get_by_role("heading", name="发现的问题")).to_be_visible()
    assert_usable(page, "the answer of a self-check")
    with page.expect_download() as saved:
        page.get_by_role("link", name="发现的问题，下载CSV").click()
    assert saved.value.suggested_filename.endswith("-发现的问题.csv")

    page.goto(f"{root}/bulletins/messages")
    page.locator("#messages td a").first.click()
    expect(page.get_by_role("heading", name="历次发送")).to_be_visible()
    assert_usable(page, "one message")

    page.goto(f"{root}/cases")
    page.locator("#cases tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("督查事项")
    assert_usable(page, "a case")
    page.get_by_text("搁置这个事项").click()
    page.get_by_role("button", name="搁置").click()
    assert_refused(page, "a case that is set aside")

    page.goto(f"{root}/institutions/B01")
    page.get_by_text("增加联系人").click()
    page.get_by_role("button", name="增加", exact=True).click()
    assert_refused(page, "a contact")

    page.goto(f"{root}/bulletins")
    page.get_by_text("申请数据重述").click()
    page.get_by_role("button", name="申请重述").click()
    assert_refused(page, "a restatement")

    page.goto(f"{root}/ranking/trial")
    page.locator(".trial .field input").first.fill("x")
    page.get_by_role("button", name="试算").click()
    assert_refused(page, "a trial")

    for path in ("institutions/B99", "reporting?period=2019-09", "nonsense"):
        answer = page.goto(f"{root}/{path}")
        assert answer is not None
        assert answer.status == 404, path
        assert_usable(page, path)
    # A browser notes every answer that is no success.
    assert [each for each in ops.complaints if "the server responded with a status of 4" not in each] == []


def assert_refused(page: Page, what: str) -> None:
    """The form has come back with sentences, each tied to its field."""
    expect(page.get_by_role("alert").first).to_be_visible()
    fields = page.locator("[aria-invalid]")
    assert fields.count() > 0, what
    for field in fields.all():
        expect(page.locator(f"[id='{field.get_attribute('aria-describedby')}']")).to_have_text(re.compile("。$"))
    assert_usable(page, what)


def test_the_entry_in_airflow_leads_to_the_desk_and_its_address_can_be_sent(ops: Visit, replay: Replay) -> None:
    page, url = ops.page, replay.stack.site.url
    page.goto(url)
    page.get_by_role("link", name="五个精准").click()
    expect(inner(page).get_by_role("heading", level=1)).to_contain_text("今日")
    frame = inner(page)
    frame.get_by_role("link", name="报送情况").first.click()
    page.wait_for_url(f"{url}/plugin/five-precisions/five-precisions/reporting**")
    inner(page).get_by_role("link", name="岭海通商").first.click()
    page.wait_for_url(f"{url}/plugin/five-precisions/five-precisions/reporting/B01**")
    # Whoever is sent the address sees the same.
    page.goto(page.url)
    expect(inner(page).get_by_role("heading", level=1)).to_contain_text("岭海通商")


def test_the_tab_of_a_row_is_the_page_of_its_institution(ops: Visit, replay: Replay) -> None:
    page, url = ops.page, replay.stack.site.url
    # Our own pages may ask nobody for anything.
    page.goto(url)
    run = quote(run_ids(page, "monthly_collection")[0], safe="")
    page.goto(f"{url}/dags/monthly_collection/runs/{run}/tasks/collect/mapped/1/plugin/five-precisions-task")
    expect(inner(page).get_by_role("heading", level=1)).to_contain_text("南屿实业 2019年1月报送")
    page.goto(f"{url}/dags/monthly_collection/runs/{run}/plugin/five-precisions-run")
    expect(inner(page).get_by_role("heading", level=1)).to_contain_text("报送情况")
    assert "period=2019-01" in inner(page).url


def test_the_pages_follow_airflow_into_the_dark(ops: Visit, replay: Replay) -> None:
    page = ops.page
    page.goto(f"{replay.stack.site.url}/plugin/five-precisions/five-precisions/reporting")
    assert inner(page).evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("document.documentElement.classList.replace('light', 'dark')")
    inner(page).wait_for_function("document.documentElement.dataset.theme === 'dark'")
    ground = inner(page).evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(17, 17, 19)"


def test_a_link_to_airflow_leads_out_of_the_frame(ops: Visit, replay: Replay) -> None:
    page, url = ops.page, replay.stack.site.url
    page.goto(f"{url}/plugin/five-precisions/five-precisions/drafts/{QUARTER}/1")
    with page.context.expect_page() as opened:
        inner(page).get_by_role("link", name="通报 PDF").click()
    assert opened.value.url.endswith(f"bulletin-{QUARTER}.pdf")
    inner(page).get_by_role("link", name="待审批事项").click()
    page.wait_for_url(f"{url}/required_actions**")


def test_a_choice_of_a_month_keeps_the_rest(ops: Visit, replay: Replay) -> None:
    page = ops.page
    page.goto(f"{replay.stack.site.url}/five-precisions/reporting?kind=bank&only=missing")
    page.locator("select[name=period]").select_option("2019-02")
    page.wait_for_url("**period=2019-02**")
    assert "kind=bank" in page.url
    assert "only=missing" in page.url
    expect(page.get_by_role("table").first).to_contain_text("鹭屿城市")


def test_heads_and_first_column_stay_in_sight_in_a_wide_table(ops: Visit, replay: Replay) -> None:
    page = ops.page
    page.goto(f"{replay.stack.site.url}/five-precisions/figures/proof?metric=loan_balance&scope=bank&code=B03")
    region = page.locator("#rows .scroll")
    head, first = region.locator("thead th").first, region.locator("tbody tr").nth(20).locator("> *").first
    heights, widths = head.bounding_box(), first.bounding_box()
    assert region.evaluate("each => { each.scrollTo(600, 300); return [each.scrollLeft, each.scrollTop]; }") == [
        600,
        300,
    ]
    assert head.bounding_box() == heights
    moved = first.bounding_box()
    assert moved is not None
    assert widths is not None
    assert (moved["x"], moved["y"]) == (widths["x"], widths["y"] - 300)


def test_paper_is_light_and_says_its_month(ops: Visit, replay: Replay) -> None:
    page = ops.page
    page.goto(f"{replay.stack.site.url}/five-precisions/reporting?period=2019-02&only=missing")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    month = page.get_by_label("月份", exact=True)
    expect(month).to_have_value("2019-02")
    expect(month).to_be_visible()
    expect(page.get_by_label("范围")).to_be_visible()
    assert page.get_by_role("button").all() == []
    # Nothing of a table is left behind its edge.
    assert {each.evaluate("each => getComputedStyle(each).overflow") for each in page.locator(".scroll").all()} == {
        "visible"
    }


FOCUSED = """
() => {
  const [element, style] = [document.activeElement, getComputedStyle(document.activeElement)];
  const label = element.labels?.length ? element.labels[0].firstChild.textContent : element.innerText;
  const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [(element.getAttribute("aria-label") || label).trim(), outline];
}
"""


def test_who_has_delivered_is_seen_and_asked_by_keyboard_alone(ops: Visit, replay: Replay) -> None:
    page = ops.page

    def tab(times: int) -> list[str]:
        """What has the focus after each Tab, all of it seen to have it."""
        reached = []
        for _ in range(times):
            page.keyboard.press("Tab")
            words, has_outline = page.evaluate(FOCUSED)
            assert has_outline, words
            reached.append(words)
        return reached

    # In February one bank misses everything.
    page.goto(f"{replay.stack.site.url}/five-precisions/reporting?period=2019-02&only=missing")
    assert tab(1) == ["跳到正文"]
    page.keyboard.press("Enter")
    reached = tab(3)
    while not reached[-1].endswith("可滚动"):
        reached += tab(1)
    # The counts of each state are links, too.
    assert [each for each in reached if not each.isdecimal()] == [
        *("上一个月", "月份", "下一个月", "机构类别", "范围", "催报全部未报齐的机构（1家）"),
        *(f"2019年2月报送情况表，{each}" for each in ("下载CSV", "下载XLSX", "可滚动")),
    ]
    assert tab(1) == ["鹭屿城市"]
    # The way back, to a form that the server refuses: a reminder would leave.
    page.evaluate("document.querySelector('.act [name=key]').value = 'x'")
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("表单已失效")
    # Arrows step through the list of months, Enter takes one, and the rest is kept.
    assert tab(1) == ["跳到正文"]
    page.keyboard.press("Enter")
    assert tab(2) == ["上一个月", "月份"]
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**period=2019-03**")
    assert "only=missing" in page.url
