"""The pages of reporting on six months of the demo city: what ops see, and where each link leads."""

from __future__ import annotations

import html
import re
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import Engine, text

from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.web.conftest import PREFIX, Login

REPORTING = f"{PREFIX}/reporting"


@pytest.fixture
def viewer(golden_copy: Settings, login: Login) -> TestClient:
    """Somebody who sees six months of the demo city."""
    return login("viewer")


def rows_of(page: str, table: str) -> list[list[str]]:
    """The words of a table's cells."""
    [section] = re.findall(rf'<section class="table" id="{table}".*?</section>', page, flags=re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", section, flags=re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def links_of(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'<a href="([^"]+)"', page[page.index("<main") :])]


def test_the_matrix_of_a_month(viewer: TestClient) -> None:
    page = viewer.get(f"{REPORTING}?period=2019-02")
    assert page.status_code == 200
    head, *rows = rows_of(page.text, "matrix")
    assert (head[0], len(head), len(rows)) == ("机构", 12, 17)
    states = {row[0]: row[1:] for row in rows}
    # Of February one bank is missing altogether, and a bank owes six of the eleven reports.
    assert states["鹭屿城市"] == ["缺报"] * 6 + [""] * 5
    assert states["岭海通商"][:6] == ["已接收"] * 6
    assert "缺报</span><b>6</b>" in page.text


def test_the_newest_month_is_shown_unless_another_is_asked_for(viewer: TestClient) -> None:
    page = viewer.get(REPORTING).text
    assert "<option selected>2019-06</option>" in page
    assert rows_of(page, "trend")[1][0] == "2019-06"
    # The picker keeps the rest of what is shown.
    chosen = viewer.get(f"{REPORTING}?period=2019-03&kind=bank&only=missing").text
    assert '<input type="hidden" name="kind" value="bank">' in chosen
    assert f"{REPORTING}?period=2019-02&kind=bank&only=missing" in links_of(chosen)


def test_filters_leave_out_what_is_not_wanted(viewer: TestClient) -> None:
    banks = rows_of(viewer.get(f"{REPORTING}?period=2019-02&kind=bank").text, "matrix")
    assert len(banks) == 1 + 12
    missing = rows_of(viewer.get(f"{REPORTING}?period=2019-02&only=missing").text, "matrix")
    assert [row[0] for row in missing[1:]] == ["鹭屿城市"]
    assert "没有符合条件的机构。" in viewer.get(f"{REPORTING}?period=2019-01&only=missing").text


def test_who_is_late_again_and_again(viewer: TestClient) -> None:
    rows = rows_of(viewer.get(f"{REPORTING}?period=2019-06").text, "often_late")
    assert rows[1:] == [
        ["鹭屿城市", "0", "1", "0", "6", "2019-02"],
        ["丹荔信义", "1", "0", "6", "0", "2019-04"],
    ]
    before = rows_of(viewer.get(f"{REPORTING}?period=2019-03").text, "often_late")
    assert [row[0] for row in before[1:]] == ["鹭屿城市"]


def test_every_link_of_the_matrix_leads_to_a_page(viewer: TestClient) -> None:
    links = {each for each in links_of(viewer.get(f"{REPORTING}?period=2019-02").text) if "download=" not in each}
    assert len(links) >= 17
    for link in links:
        assert viewer.get(link).status_code == 200, link


def test_the_page_of_an_institution_tells_the_whole_story(viewer: TestClient) -> None:
    page = viewer.get(f"{REPORTING}/B10?period=2019-06").text
    versions = rows_of(page, "versions")[1:]
    assert [(row[0], row[3]) for row in versions] == [("2", "全部接收"), ("1", "部分接收")]
    events = [row[1] for row in rows_of(page, "events")[1:]]
    for event in ("收到报送包", "核对完毕", "本月关闭"):
        assert event in events
    # The findings are those of the newest version; the first one is one click away.
    first = viewer.get(f"{REPORTING}/B10?period=2019-06&version=2019-06-B10-1").text
    assert any(row[0] == "错误" for row in rows_of(first, "findings")[1:])
    assert not any(row[0] == "错误" for row in rows_of(page, "findings")[1:])


def test_a_receipt_is_shown_as_the_institution_has_it(viewer: TestClient) -> None:
    answer = viewer.get(f"{REPORTING}/B10/receipts/2019-06-B10-1")
    assert answer.status_code == 200
    assert "2019-06-B10-1" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    close = viewer.get(f"{REPORTING}/B01/receipts/2019-03-B01-close")
    assert "2019-03-B01-close" in close.text


def test_the_findings_workbook_is_saved_and_that_is_recorded(golden_copy: Settings, login: Login) -> None:
    answer = login("op").get(f"{REPORTING}/B10/workbooks/2019-06-B10-1")
    assert answer.status_code == 200
    assert len(load_workbook(BytesIO(answer.content)).worksheets) >= 1
    with open_warehouse(golden_copy) as engine, engine.connect() as connection:
        found = connection.execute(text("select kind, subject, period, acted_by from registry.action")).all()
    assert [(row.kind, row.period, row.acted_by) for row in found] == [("download", "2019-06", "reader")]
    assert found[0].subject.startswith("2019-06-B10-1")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("?period=2031-01", "没有2031年1月的数据。"),
        ("?period=nonsense", "网址中的月份不对，应写作2019-06。"),
        ("?kind=nonsense", "没有这类机构。"),
        ("?download=secret.csv", "本页没有这个文件。"),
        ("?download=matrix.exe", "本页没有这个文件。"),
        ("/X99?period=2019-06", "没有这个机构。"),
        ("/B01?period=2019-06&version=2019-06-B02-1", "该机构本月没有这一版。"),
        ("/B01/receipts/2019-06-B02-1", "该机构没有这个回执。"),
        ("/B01/workbooks/nonsense", "该机构没有这个回执。"),
    ],
)
def test_what_is_not_there_says_so_and_what_there_is(viewer: TestClient, path: str, words: str) -> None:
    answer = viewer.get(REPORTING + path)
    assert answer.status_code == 404
    assert words in answer.text
    [*choices] = links_of(answer.text)
    assert choices
    assert viewer.get(choices[0]).status_code in (200, 404)


def test_an_installation_without_any_month_says_what_to_do(register_saved_engine: Engine, login: Login) -> None:
    answer = login("viewer").get(REPORTING)
    assert answer.status_code == 200
    assert "还没有打开过任何月份" in answer.text


def test_one_institution_is_reminded_alone(register_saved_engine: Engine, settings: Settings, login: Login) -> None:
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, Period(2019, 6))
    ops = login("op")
    page = ops.get(f"{REPORTING}/B01?period=2019-06").text
    [key] = re.findall(r'name="key" value="([^"]+)"', page)
    answer = ops.post(f"{REPORTING}/B01/remind?period=2019-06", data={"key": key, "period": "2019-06"})
    assert answer.status_code == 303
    with register_saved_engine.connect() as connection:
        messages = connection.execute(text("select institution_code, subject from notify.message")).all()
    assert [(row.institution_code, row.subject) for row in messages] == [
        ("B01", "【逾期催报】2019年6月 岭海通商 尚缺6张报表，已过截止时间")
    ]
    # Where the mail server is not known to the pages, the hourly DAG sends it.
    assert "由每小时一次的“迟报收集”任务发出" in ops.get(answer.headers["location"]).text
