"""The pages of reporting on six months of the demo city: what ops see, and where each link leads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.intake import ReportState, read_status
from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.web.conftest import PREFIX, Login
from tests.web.pages import content_of, key_of, links_of, rows_of, table_of, workbook_of

REPORTING = f"{PREFIX}/reporting"


@pytest.fixture
def viewer(golden_copy: Settings, login: Login) -> TestClient:
    """Somebody who sees six months of the demo city."""
    return login("viewer")


def test_the_matrix_of_a_month(viewer: TestClient) -> None:
    page = viewer.get(f"{REPORTING}?period=2019-02")
    assert page.status_code == 200
    head, *rows = table_of(page.text, "matrix")
    assert (head[0], len(head), len(rows)) == ("机构", 12, 17)
    states = {row[0]: row[1:] for row in rows}
    # Of February one bank is missing altogether, and a bank owes six of the eleven reports.
    assert states["鹭屿城市"] == ["缺报"] * 6 + [""] * 5
    assert states["岭海通商"][:6] == ["已接收"] * 6
    assert re.search(r'缺报</span><b><a href="[^"]*only=missing#matrix">6</a></b>', page.text)


def test_the_newest_month_is_shown_unless_another_is_asked_for(viewer: TestClient) -> None:
    page = viewer.get(REPORTING).text
    assert "<option selected>2019-06</option>" in page
    assert rows_of(page, "trend")[0][0] == "2019-06"
    # The picker keeps the rest of what is shown.
    chosen = viewer.get(f"{REPORTING}?period=2019-03&kind=bank&only=missing").text
    assert '<input type="hidden" name="kind" value="bank">' in chosen
    assert f"{REPORTING}?period=2019-02&kind=bank&only=missing" in links_of(chosen)


def test_the_cells_of_the_matrix_say_version_lateness_and_what_came_after(
    viewer: TestClient, golden_copy: Settings
) -> None:
    with open_warehouse(golden_copy) as engine, engine.begin() as connection:
        # After its second, sound version B10 delivers a third one that is rejected.
        connection.execute(text(_REJECTED_VERSION))
        connection.execute(text(_REJECTED_REPORT))
    for month in (Period(2019, 4), Period(2019, 6)):
        page = viewer.get(f"{REPORTING}?period={month}").text
        head, *lines = table_of(page, "matrix")
        shown = {(line[0], title): cell for line in lines for title, cell in zip(head[1:], line[1:], strict=True)}
        with open_warehouse(golden_copy) as engine:
            states = read_status(engine, month)
        assert {place for place, cell in shown.items() if cell} == {(each.short_name, each.title) for each in states}
        for each in states:
            words = {"accepted": "已接收", "nil": "零报送", "rejected": "已退回", "missing": "缺报"}[each.state]
            words += f" v{each.version}" if (each.version or 1) > 1 else ""
            words += " 迟" if each.late else ""
            words += "，后一版退回" if each.state != "rejected" and each.newest_verdict == "rejected" else ""
            assert shown[each.short_name, each.title] == words
        if month == Period(2019, 4):
            late = {place for place, cell in shown.items() if cell.endswith(" 迟")}
            assert {name for name, _ in late} == {"丹荔信义"}
            assert len(late) == 6
        else:
            assert "已接收 v2，后一版退回" in shown.values()
            assert {name for (name, _), cell in shown.items() if " v2" in cell} == {_name_of(states, "B10")}
            titles = re.findall(r'title="(\d+个(?:错误|警告)[^"]*)"', page)
            expected = [
                "，".join(
                    [f"{each.errors}个错误"] * bool(each.errors) + [f"{each.warnings}个警告"] * bool(each.warnings)
                )
                for each in states
                if each.errors or each.warnings
            ]
            assert expected
            assert titles == expected


def _name_of(states: list[ReportState], code: str) -> str:
    return next(each.short_name for each in states if each.institution_code == code)


_REJECTED_VERSION = (
    "insert into intake.submission (submission_id, period, institution_code, version, received_at, replayed, digest, "
    "verdict) values ('2019-06-B10-3', '2019-06', 'B10', 3, now(), false, 'x', 'partial')"
)
_REJECTED_REPORT = (
    "insert into intake.report (submission_id, report, rows, verdict, errors, warnings) "
    "values ('2019-06-B10-3', 'loans', 1, 'rejected', 2, 0)"
)


def test_the_trend_is_that_of_the_figures_of_each_month(viewer: TestClient, golden_copy: Settings) -> None:
    with open_warehouse(golden_copy) as engine, engine.begin() as connection:
        found = connection.execute(
            text("select period, metric, value from mart.current_metric where scope = 'city' and metric = any(:codes)"),
            {"codes": ["reports_expected", "reports_received", "on_time_rate", "first_pass_rate"]},
        ).all()
    figures = {(row.period, row.metric): row.value for row in found}
    trend = rows_of(viewer.get(REPORTING).text, "trend")
    assert [line[0] for line in trend] == [f"2019-0{number}" for number in (6, 5, 4, 3, 2, 1)]
    for month, *cells in trend:
        owed, accepted = figures[month, "reports_expected"], figures[month, "reports_received"]
        on_time, first_pass = figures[month, "on_time_rate"], figures[month, "first_pass_rate"]
        assert cells[:4] == [f"{owed:.0f}", f"{accepted:.0f}", f"{on_time:.2f}", f"{first_pass:.2f}"]
        assert sum(map(int, cells[1:2] + cells[4:])) == owed
    assert len({tuple(cells) for _, *cells in trend}) > 2


def test_the_trend_counts_what_was_rejected_and_never_corrected(register_saved_engine: Engine, login: Login) -> None:
    became = [
        # Status, on time, first pass.
        ("B01", "accepted", True, True),
        ("B02", "nil", True, True),
        ("B03", "accepted", False, True),
        ("B04", "accepted", True, False),
        ("B05", "rejected", False, False),
        ("B06", "missing", False, False),
        ("B07", "missing", False, False),
    ]
    with register_saved_engine.begin() as connection:
        connection.execute(text("insert into registry.period values ('2019-06', now())"))
        connection.execute(text(_RUN))
        for code, status, on_time, first_pass in became:
            connection.execute(
                text(
                    "insert into mart.reporting values ('2019-06-r1', '2019-06', :code, 'loans', :status, null, "
                    ":on_time, :first_pass, 0, 0)"
                ),
                {"code": code, "status": status, "on_time": on_time, "first_pass": first_pass},
            )
    # Of seven that are owed four came, three of them on time; three of the four passed at once.
    page = login("viewer").get(f"{REPORTING}?period=2019-06").text
    assert rows_of(page, "trend") == [["2019-06", "7", "4", "42.86", "75.00", "1", "2"]]


_RUN = (
    "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
    "code_version, current) values ('2019-06-r1', '2019-06', 1, now(), 'x', '1', '1', '1', true)"
)


def test_filters_leave_out_what_is_not_wanted(viewer: TestClient) -> None:
    banks = rows_of(viewer.get(f"{REPORTING}?period=2019-02&kind=bank").text, "matrix")
    assert len(banks) == 12
    missing = rows_of(viewer.get(f"{REPORTING}?period=2019-02&only=missing").text, "matrix")
    assert [row[0] for row in missing] == ["鹭屿城市"]
    assert "没有符合条件的机构。" in viewer.get(f"{REPORTING}?period=2019-01&only=missing").text


def test_who_is_late_again_and_again(viewer: TestClient) -> None:
    rows = rows_of(viewer.get(f"{REPORTING}?period=2019-06").text, "often_late")
    assert rows == [
        ["鹭屿城市", "0", "1", "0", "6", "2019-02"],
        ["丹荔信义", "1", "0", "6", "0", "2019-04"],
    ]
    before = rows_of(viewer.get(f"{REPORTING}?period=2019-03").text, "often_late")
    assert [row[0] for row in before] == ["鹭屿城市"]


def test_every_link_of_the_matrix_leads_to_a_page(viewer: TestClient) -> None:
    links = {
        each for each in links_of(content_of(viewer.get(f"{REPORTING}?period=2019-02").text)) if "download=" not in each
    }
    assert len(links) >= 17
    for link in links:
        assert viewer.get(link).status_code == 200, link


def test_the_page_of_an_institution_tells_the_whole_story(viewer: TestClient) -> None:
    page = viewer.get(f"{REPORTING}/B10?period=2019-06").text
    versions = rows_of(page, "versions")
    assert [(row[0], row[3]) for row in versions] == [("2", "全部接收"), ("1", "部分接收")]
    events = [row[1] for row in rows_of(page, "events")]
    for event in ("收到报送包", "核对完毕", "本月关闭"):
        assert event in events
    # The findings are those of the newest version; the first one is one click away.
    first = viewer.get(f"{REPORTING}/B10?period=2019-06&version=2019-06-B10-1").text
    assert any(row[0] == "错误" for row in rows_of(first, "findings"))
    assert not any(row[0] == "错误" for row in rows_of(page, "findings"))


def test_the_picker_of_months_leads_from_a_version_to_the_other_month(viewer: TestClient) -> None:
    page = viewer.get(f"{REPORTING}/B10?period=2019-06&version=2019-06-B10-1").text
    [before] = [each for each in links_of(page) if "period=2019-05&version=" in each]
    moved = viewer.get(before)
    assert (moved.status_code, moved.headers["location"]) == (307, f"{REPORTING}/B10?period=2019-05")
    assert viewer.get(moved.headers["location"]).status_code == 200


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
    assert len(workbook_of(answer).worksheets) >= 1
    with open_warehouse(golden_copy) as engine, engine.connect() as connection:
        found = connection.execute(text("select kind, subject, period, acted_by from registry.action")).all()
    assert [(row.kind, row.period, row.acted_by) for row in found] == [("download", "2019-06", "reader")]
    assert found[0].subject.startswith("2019-06-B10-1")


def test_a_workbook_of_the_outbox_is_saved_without_the_archive(
    golden_copy: Settings, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API server of docker-compose.yaml has neither the archive nor its key."""
    number, place = "2019-06-B10-1", Path(golden_copy.outbox_address, "2019-06", "B10", "findings-v1.xlsx")
    assert not place.exists()
    made = login("op").get(f"{REPORTING}/B10/workbooks/{number}")
    assert made.status_code == 200
    place.parent.mkdir(parents=True)
    place.write_bytes(made.content)
    monkeypatch.delenv(ENVIRONMENT + "ARCHIVE_KEY")
    taken = login("op").get(f"{REPORTING}/B10/workbooks/{number}")
    assert (taken.status_code, taken.content) == (200, made.content)
    place.unlink()
    assert login("op").get(f"{REPORTING}/B10/workbooks/{number}").status_code == 503


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
    choices = links_of(content_of(answer.text))
    assert choices
    assert {choice: viewer.get(choice).status_code for choice in choices} == dict.fromkeys(choices, 200)


def test_an_installation_without_any_month_says_what_to_do(register_saved_engine: Engine, login: Login) -> None:
    answer = login("viewer").get(REPORTING)
    assert answer.status_code == 200
    assert "还没有打开过任何月份" in answer.text


def test_one_institution_is_reminded_alone(register_saved_engine: Engine, settings: Settings, login: Login) -> None:
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, Period(2019, 6))
    ops = login("op")
    page = ops.get(f"{REPORTING}/B01?period=2019-06").text
    key = key_of(page, "/remind?period=2019-06")
    answer = ops.post(f"{REPORTING}/B01/remind?period=2019-06", data={"key": key, "period": "2019-06"})
    assert answer.status_code == 303
    with register_saved_engine.connect() as connection:
        messages = connection.execute(text("select institution_code, subject from notify.message")).all()
    assert [(row.institution_code, row.subject) for row in messages] == [
        ("B01", "【逾期催报】2019年6月 岭海通商 尚缺6张报表，已过截止时间")
    ]
    # Where the mail server is not known to the pages, the hourly DAG sends it.
    assert "由每小时一次的“迟报收集”任务发出" in ops.get(answer.headers["location"]).text
