"""A bulletin approved in Airflow's own pages, as a person does it: found, read, its draft looked at, decided on."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import expect

from five_precisions.bulletin import LONGEST_REMARK
from five_precisions_demo.stack import APPROVER
from tests.browser.conftest import Visit
from tests.replay import QUARTER, Replay

TITLE = "关于2019年第一季度金融精准扶贫工作情况的通报"


def test_a_bulletin_is_read_approved_without_a_remark_and_delivered(visit: Callable[[], Visit], replay: Replay) -> None:
    visited = visit()
    page = visited.page
    page.goto(f"{replay.stack.site.url}/required_actions?response_received=false")
    visited.log_in(replay, APPROVER)
    page.get_by_role("link", name=TITLE).first.click()
    remark, approve = page.get_by_role("textbox").last, page.get_by_role("button", name="Approve")
    expect(page.get_by_text(f"不超过{LONGEST_REMARK}字")).to_be_visible()
    expect(remark).to_have_value("")
    # Its first line leads to the draft, behind the same login.
    draft = page.context.new_page()
    draft.goto(f"{replay.stack.site.url}/{page.get_by_role('link', name='查看稿件').get_attribute('href')}")
    expect(draft.get_by_text("等待审批")).to_be_visible()

    # "May enter a remark": nobody has to.
    expect(approve).to_be_enabled()
    approve.click()
    decided = f"select count(*) from notify.approval where quarter = '{QUARTER}' and decision = 'approved'"
    replay.wait("the decision", lambda: replay.count(decided) == 1)
    of_quarter = f"select count(*) from notify.message where kind = 'bulletin' and period = '{QUARTER}'"
    replay.wait("every bulletin", lambda: replay.count(f"{of_quarter} and status = 'sent'") == 12 + 4 + 2)
    assert replay.count(of_quarter) == 12 + 4 + 2
    succeeded = "select count(*) from dag_run where dag_id = 'quarterly_bulletin' and state = 'success'"
    replay.wait("the end of the run", lambda: replay.count_in_airflow(succeeded) == 1)

    draft.reload()
    expect(draft.get_by_text(f"批准：{APPROVER}")).to_be_visible()
    expect(draft.get_by_text("等待审批")).to_be_hidden()
    assert visited.hosts == {urlsplit(replay.stack.site.url).netloc}
