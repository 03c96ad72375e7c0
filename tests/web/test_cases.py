"""The pages of cases and inspections: what is open where, what became of one, setting aside, and the workbook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.rows import rows
from tests.web.conftest import PREFIX, Login
from tests.web.pages import csv_of, form_of, links_of, outcome_of, words_of, workbook_of

CASES = f"{PREFIX}/cases"
CASE = "A01-C02-5d18365b1757"
PAGE = f"{CASES}/{CASE}"


@pytest.fixture
def city(golden_copy: Settings) -> Iterator[Engine]:
    with open_warehouse(golden_copy) as engine:
        yield engine


@pytest.fixture
def ops(city: Engine, login: Login) -> TestClient:
    return login("op")


def shown(client: TestClient, **asked: str) -> list[str]:
    """The cases that the page lists."""
    return [row[0] for row in csv_of(client, "cases", "cases", **asked)[1:]]


def set_aside(client: TestClient, reason: str = "已约谈，等待拨付", until: str = "2019-12-31") -> dict[str, str]:
    form = form_of(client.get(PAGE).text, "/set-aside")
    assert form is not None
    return {**form, "reason": reason, "until": until}


def test_which_cases_are_open_in_a_county_takes_one_choice(city: Engine, ops: TestClient) -> None:
    wanted = [
        case
        for (case,) in rows(
            city,
            "select case_id from mart.case_state where period = '2019-06' and state = 'open' "
            "and coalesce(left(division_code, 6), case institution_code when 'C02' then '441704' end) = '441704'",
        )
    ]
    assert len(wanted) > 10
    page = ops.get(CASES)
    assert '<option value="441704">阳东区</option>' in page.text
    assert sorted(shown(ops, county="441704")) == sorted(wanted)
    # The table of counties leads there, too.
    [everything] = [each for each in links_of(page.text) if each.endswith("?county=441704#cases")]
    answer = ops.get(everything)
    assert answer.status_code == 200
    assert all(case in answer.text for case in wanted)


def test_filters_keep_each_other(city: Engine, ops: TestClient) -> None:
    asked = {"county": "441704", "aspect": "贷款质量和用途真实性", "level": "high"}
    cases = shown(ops, **asked)
    assert cases == ["A10-B08-8d1a7fc32d64"]
    page = ops.get(CASES, params=asked)
    assert '<option value="441704" selected>' in page.text
    assert '<option value="high" selected>' in page.text
    # A link to other levels of the same aspect keeps the county.
    assert any("county=441704" in each and "level=medium" in each for each in links_of(page.text))
    assert shown(ops, **asked, institution="B01") == []
    assert "没有符合条件的事项；可以放宽上面的条件" in ops.get(CASES, params={**asked, "institution": "B01"}).text


def test_counts_are_those_of_the_list(city: Engine, ops: TestClient) -> None:
    listed = csv_of(ops, "cases", "cases")[1:]
    counts = {row[0]: row[1:] for row in csv_of(ops, "cases", "aspects")[1:]}
    assert counts["合计"] == [str(sum(row[1] == level for row in listed)) for level in "高中低"] + [str(len(listed))]
    for aspect in {row[2] for row in listed}:
        assert int(counts[aspect][-1]) == sum(row[2] == aspect for row in listed)
    by_county = csv_of(ops, "cases", "counties")[1:]
    assert sum(int(row[-1]) for row in by_county) == len(listed)


def test_age_state_rule_and_month(city: Engine, ops: TestClient) -> None:
    since = dict(rows(city, "select case_id, since_period from mart.case_state where period = '2019-06'"))
    new, old = shown(ops, age="1"), shown(ops, age="6")
    assert new
    assert {since[each] for each in new} == {"2019-06"}
    assert old
    assert {since[each] for each in old} == {"2019-01"}
    assert {each[:3] for each in shown(ops, rule="A13")} == {"A13"}
    assert shown(ops, state="closed") == []
    assert len(shown(ops, state="closed", period="2019-05")) == 3
    assert len(shown(ops, state="all", period="2019-05")) == 53


def test_what_became_of_a_case(city: Engine, ops: TestClient) -> None:
    answer = ops.get(PAGE)
    assert answer.status_code == 200
    words = words_of(answer.text)
    assert "2019-04首次出现，自2019-04起持续3个月，共出现1次" in words
    assert "2019-06考核后：未销号" in words
    assert [row[:5] for row in csv_of(ops, f"cases/{CASE}", "history")[1:]] == [
        ["2019-06", "2019-06-r1", "高", "未销号", "持续"],
        ["2019-05", "2019-05-r1", "高", "未销号", "加重"],
        ["2019-04", "2019-04-r1", "中", "未销号", "新增"],
    ]
    for link in ("的督查事项", "的报送", "全部督查事项"):
        assert link in answer.text
    for path in [each for each in links_of(answer.text) if "/cases" in each or "/reporting/" in each]:
        assert ops.get(path).status_code == 200, path


def test_a_double_click_sets_aside_once(city: Engine, ops: TestClient) -> None:
    form = set_aside(ops)
    first, second = ops.post(f"{PAGE}/set-aside", data=form), ops.post(f"{PAGE}/set-aside", data=form)
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, second) == "已搁置至2019-12-31：从下一次考核起不再计入，已考核的月份不变。"
    kept = rows(city, "select case_id, from_period, until, reason, decided_by from registry.case_set_aside")
    [(case, month, until, reason, person)] = kept
    assert (case, month, str(until), reason, person) == (CASE, "2019-06", "2019-12-31", "已约谈，等待拨付", "reader")
    acted = rows(city, "select kind, subject, period, reason, acted_by from registry.action where kind <> 'download'")
    assert acted == [("set_aside", CASE, "2019-06", "已约谈，等待拨付", "reader")]
    [row] = [row for row in csv_of(ops, "cases", "cases")[1:] if row[0] == CASE]
    assert row[-2:] == ["未销号", "搁置至2019-12-31（下次考核起生效）"]


def test_it_is_taken_back_once(city: Engine, ops: TestClient) -> None:
    assert form_of(ops.get(PAGE).text, "/take-back") is None
    ops.post(f"{PAGE}/set-aside", data=set_aside(ops))
    form = form_of(ops.get(PAGE).text, "/take-back")
    assert form is not None
    form |= {"why": "资金仍未到位"}
    first, second = ops.post(f"{PAGE}/take-back", data=form), ops.post(f"{PAGE}/take-back", data=form)
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, first) == "已撤销搁置：从下一次考核起重新计入，已考核的月份不变。"
    assert rows(city, "select until, reason from registry.case_set_aside order by decision_number")[1:] == [
        (None, "资金仍未到位")
    ]
    assert [row[2] for row in csv_of(ops, f"cases/{CASE}", "decisions")[1:]] == ["撤销搁置", "搁置至2019-12-31"]
    # Another form for what is not set aside any more.
    later = form_of(ops.get(PAGE).text, "/take-back")
    assert later is None


def test_what_is_not_set_aside_is_not_taken_back(city: Engine, ops: TestClient) -> None:
    ops.post(f"{PAGE}/set-aside", data=set_aside(ops))
    forms = [form_of(ops.get(PAGE).text, "/take-back") for _ in range(2)]
    answers = [ops.post(f"{PAGE}/take-back", data={**(form or {}), "why": "重新核实"}) for form in forms]
    assert [each.status_code for each in answers] == [303, 422]
    assert "该事项现在没有被搁置，不需要撤销。" in answers[1].text


@pytest.mark.parametrize(
    ("reason", "until", "sentence"),
    [
        ("", "2019-12-31", "请填写理由。"),
        ("理" * 501, "2019-12-31", "理由有501字，最多500字。"),
        ("\u200b", "2019-12-31", "理由里没有文字，或有看不见的字符；请改后再提交。"),
        ("已核实\x07", "2019-12-31", "理由里没有文字，或有看不见的字符；请改后再提交。"),
        ("已核实", "", "请填写搁置到哪一天。"),
        ("已核实", "明天", "请写明搁置到哪一天，写作2019-12-31。"),
        ("已核实", "2019-02-30", "请写明搁置到哪一天，写作2019-12-31。"),
        ("已核实", "9999-12-31", "请写明搁置到哪一天，写作2019-12-31。"),
        ("已核实", "2019-06-29", "2019年6月已经考核，搁置的日期不能早于2019-06-30。"),
    ],
)
def test_nonsense_in_the_form_loses_nothing(
    city: Engine, ops: TestClient, reason: str, until: str, sentence: str
) -> None:
    answer = ops.post(f"{PAGE}/set-aside", data=set_aside(ops, reason, until))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert reason.strip() in answer.text
    assert f'value="{until}"' in answer.text
    assert rows(city, "select 1 from registry.case_set_aside") == []
    assert rows(city, "select 1 from registry.action") == []


def test_a_reason_does_not_keep_an_account_number(city: Engine, ops: TestClient) -> None:
    ops.post(f"{PAGE}/set-aside", data=set_aside(ops, "账户6222021234567890123已核实"))
    for table in ("registry.case_set_aside", "registry.action"):
        [(reason,)] = rows(city, f"select reason from {table}")
        assert "6222021234567890123" not in reason
        assert reason.endswith("已核实")


def test_a_closed_case_is_not_set_aside(city: Engine, ops: TestClient) -> None:
    [(closed,), *_] = rows(city, "select case_id from mart.case_state where period = '2019-05' and state = 'closed'")
    answer = ops.get(f"{CASES}/{closed}")
    assert answer.status_code == 200
    assert "2019-05考核后：本月销号" in words_of(answer.text)
    assert form_of(answer.text, "/set-aside") is None


def test_a_form_of_another_case_is_not_taken(city: Engine, ops: TestClient) -> None:
    form = set_aside(ops)
    answer = ops.post(f"{CASES}/A01-C03-4e9fffcd7c17/set-aside", data=form)
    assert answer.status_code == 422
    assert "表单已失效，没有执行" in answer.text
    assert rows(city, "select 1 from registry.case_set_aside") == []


def test_who_only_sees_has_no_forms_and_cannot_act(
    city: Engine, ops: TestClient, login: Login, stranger: TestClient
) -> None:
    viewer = login("viewer")
    for path in ("", f"/{CASE}", "/inspections", "/inspections/workbook"):
        assert viewer.get(f"{CASES}{path}").status_code == 200, path
        assert login(None).get(f"{CASES}{path}").status_code == 403, path
        assert stranger.get(f"{CASES}{path}").status_code == 307, path
    assert '<form method="post"' not in viewer.get(PAGE).text
    form = set_aside(ops)
    for action in ("set-aside", "take-back"):
        assert viewer.post(f"{PAGE}/{action}", data=form).status_code == 403
        foreign = ops.post(f"{PAGE}/{action}", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
    assert rows(city, "select 1 from registry.case_set_aside") == []


NONSENSE = ("x", "'; drop table mart.run; --", "\u202e", "<script>", "１", "%00", "9" * 40)


@pytest.mark.parametrize("name", ["period", "aspect", "level", "institution", "county", "state", "rule", "age"])
def test_nonsense_in_the_address_is_said_with_what_there_is(city: Engine, ops: TestClient, name: str) -> None:
    for value in NONSENSE:
        answer = ops.get(CASES, params={name: value})
        assert answer.status_code == 404, (name, value)
        assert "<script>" not in answer.text
        choices = [each for each in links_of(answer.text) if f"{name}=" in each]
        assert choices
    assert ops.get(choices[0]).status_code == 200


def test_a_case_that_is_not(city: Engine, ops: TestClient) -> None:
    for case in ("A01-C02-000000000000", "x", "'", "%00", "A" * 300):
        for answer in (ops.get(f"{CASES}/{case}"), ops.post(f"{CASES}/{case}/set-aside", data={"key": "x"})):
            assert answer.status_code == 404
            assert "没有这个督查事项。" in answer.text
            assert f"{PREFIX}/cases" in links_of(answer.text)


def test_before_anything_is_assessed_the_pages_say_what_to_wait_for(engine: Engine, login: Login) -> None:
    for path in ("", "/inspections"):
        answer = login("viewer").get(f"{CASES}{path}")
        assert answer.status_code == 200
        assert "还没有考核过的月份。月份关闭后，“月度考核”任务自动考核" in answer.text


def test_where_to_inspect_next_and_which_loans(city: Engine, ops: TestClient) -> None:
    answer = ops.get(f"{CASES}/inspections")
    assert answer.status_code == 200
    words = words_of(answer.text)
    assert "只列出前100个网点；工作簿里有前500个，连同抽样贷款。" in words
    assert "抽样贷款：云帆储蓄 合山镇" in words
    outlets = csv_of(ops, "cases/inspections", "outlets")
    assert len(outlets) - 1 == rows(city, "select count(*) from mart.inspection_outlet where period = '2019-06'")[0][0]
    loans = csv_of(ops, "cases/inspections", "sample", outlet="B10-441704107")[1:]
    drawn = rows(
        city,
        "select contract_no from mart.inspection_sample where period = '2019-06' and institution_code = 'B10' "
        "and town_code = '441704107' order by place",
    )
    assert [row[1] for row in loans] == [contract for (contract,) in drawn]
    assert len(loans) == 10
    followups = csv_of(ops, "cases/inspections", "followups")[1:]
    assert [(row[0], row[7]) for row in followups][:2] == [("DC2019-001", "逾期未整改"), ("DC2019-004", "逾期未整改")]
    for path in (each for each in links_of(answer.text) if "/cases?" in each):
        assert ops.get(path).status_code == 200


def test_the_workbook_to_take_along(city: Engine, ops: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    book = workbook_of(ops.get(f"{CASES}/inspections/workbook", params={"county": "441704", "institution": "B10"}))
    assert book.sheetnames == ["下次督查网点", "抽样贷款", "督查问题整改跟踪"]
    [(outlets, loans)] = rows(
        city,
        "select count(distinct outlet.town_code), count(sample.contract_no) from mart.inspection_outlet as outlet "
        "left join mart.inspection_sample as sample using (run_id, institution_code, town_code) "
        "where outlet.period = '2019-06' and outlet.institution_code = 'B10' and outlet.town_code like '441704%'",
    )
    assert outlets > 1
    assert book["下次督查网点"].max_row == outlets + 2
    assert book["抽样贷款"].max_row == loans + 2
    assert {row[1].value for row in book["抽样贷款"].iter_rows(min_row=3)} == {"紫萝信用社"}
    assert book["督查问题整改跟踪"].max_row == 3
    [(name, period, person)] = rows(city, "select subject, period, acted_by from registry.action")
    assert (name, period, person) == ("督查清单-紫萝信用社-阳东区-2019-06.xlsx", "2019-06", "reader")
    monkeypatch.setattr("five_precisions.web.inspections.MOST_IN_WORKBOOK", 2)
    short = workbook_of(ops.get(f"{CASES}/inspections/workbook"))
    assert [row[0].value for row in short["下次督查网点"].iter_rows(min_row=3)] == [1, 2]
    assert {row[0].value for row in short["抽样贷款"].iter_rows(min_row=3)} == {1, 2}
    # A county office has findings, and no loans.
    office = workbook_of(ops.get(f"{CASES}/inspections/workbook", params={"institution": "C02"}))
    assert office["抽样贷款"].max_row == 2
    assert office["督查问题整改跟踪"].max_row == 3


def test_nonsense_in_the_address_of_inspections(city: Engine, ops: TestClient) -> None:
    for path in ("/inspections", "/inspections/workbook"):
        for name in ("institution", "county", "period"):
            for value in NONSENSE:
                assert ops.get(f"{CASES}{path}", params={name: value}).status_code == 404
    for value in NONSENSE:
        answer = ops.get(f"{CASES}/inspections", params={"outlet": value})
        assert (answer.status_code, "没有这个网点。" in answer.text) == (404, True)
    # An outlet of another month is no mistake.
    missing = ops.get(f"{CASES}/inspections", params={"outlet": "B12-441702001"})
    assert missing.status_code == 200


def test_files_hold_what_the_page_cuts_off(city: Engine, ops: TestClient) -> None:
    with city.begin() as connection:
        connection.exec_driver_sql(
            "insert into mart.case_state select run_id, period, concat(case_id, '-', number), rule, aspect, level, "
            "institution_code, division_code, concat(subject, number), measure, threshold, detail, state, change, "
            "first_period, since_period, times from mart.case_state cross join generate_series(1, 5) as number "
            "where period = '2019-06'"
        )
    page = ops.get(CASES)
    assert "共372项，本页只列出前300项；下载的文件里是全部。" in words_of(page.text)
    assert len(shown(ops)) == 372
