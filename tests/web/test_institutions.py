"""The pages of institutions: what the files say, deadlines moved, contacts added and taken away, and by whom."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, text

from five_precisions.register import load_register, save_register
from five_precisions.settings import Settings
from tests.rows import rows
from tests.web.conftest import PREFIX, Login
from tests.web.pages import by_head, csv_of, forms_of, links_of, outcome_of

PAGE = f"{PREFIX}/institutions"
TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


@pytest.fixture
def register(register_saved_engine: Engine) -> Engine:
    """The demo's register, May closed and June open."""
    with register_saved_engine.begin() as connection:
        connection.execute(
            text(
                "insert into registry.period values ('2019-05', '2019-06-14T00:00+08', now()), "
                "('2019-06', '2019-07-11T00:00+08', now())"
            )
        )
        connection.execute(text("insert into intake.close values ('2019-05', now())"))
    return register_saved_engine


@pytest.fixture
def op(login: Login) -> TestClient:
    return login("op")


def keys_of(page: str) -> dict[str, str]:
    """The key of each form of a page, by where it is sent."""
    return {address.removeprefix(PAGE): fields["key"] for address, fields in forms_of(page).items()}


def send(browser: TestClient, page: str, path: str, **values: str) -> Response:
    """Fill in the form of a page and send it."""
    key = keys_of(browser.get(f"{PAGE}{page}").text)[path]
    return browser.post(f"{PAGE}{path}", data={"key": key, **values})


FORMS_OF_DEADLINES = [("", "/deadline"), ("/B01", "/B01/deadline")]
"""The pages with such a form, and where it is sent."""
MOVED = {"deadline_period": "2019-06", "deadline_day": "2019-07-15", "deadline_reason": "系统升级"}


def test_the_list_names_the_files(register: Engine, login: Login) -> None:
    viewer = login("viewer")
    page = viewer.get(PAGE).text
    assert "institutions.csv、divisions.csv、obligations.csv" in page
    assert keys_of(page).keys() == set()
    lines = viewer.get(PAGE, params={"download": "institutions.csv", "kind": "county_office"}).text.splitlines()
    assert len(lines) == 1 + 4
    assert "县扶贫办" in lines[1]
    [address] = re.findall(r'href="([^"]+/institutions/B01)"', page)
    own = viewer.get(address).text
    assert "b01@example.test" in own
    assert "contacts.csv，在文件中修改" in own
    assert "obligations.csv" in own
    assert "2019-07-10" in own
    assert keys_of(own).keys() == set()


def test_the_chosen_month_is_kept_and_its_deadlines_are_shown(register: Engine, op: TestClient) -> None:
    assert send(op, "/B01", "/B01/deadline", **MOVED).status_code == 303
    of_month = {
        month: by_head(csv_of(op, "institutions", "institutions", period=month)) for month in ("2019-05", "2019-06")
    }
    assert {month: each[0]["报送期限"] for month, each in of_month.items()} == {
        "2019-05": "2019-06-13",
        "2019-06": "2019-07-15",
    }
    page = op.get(PAGE, params={"period": "2019-05", "kind": "bank"}).text
    assert f"{PAGE}?period=2019-06&kind=bank" in links_of(page)
    [own] = {each.partition("#")[0] for each in links_of(page) if each.startswith(f"{PAGE}/B01")}
    assert own == f"{PAGE}/B01?period=2019-05"
    assert "<option selected>2019-05</option>" in op.get(own).text
    # June is open still; of the closed months those up to the chosen one are listed.
    assert [row[0] for row in csv_of(op, "institutions/B01", "deadlines", period="2019-05")[1:]] == [
        "2019-06",
        "2019-05",
    ]
    june = op.get(f"{PAGE}/B01", params={"period": "2019-06"}).text
    assert '<option value="2019-06" selected>2019-06</option>' in june
    for path in ("", "/B01"):
        answer = op.get(PAGE + path, params={"period": "2019-07"})
        assert (answer.status_code, "没有2019年7月的数据。" in answer.text) == (404, True)
        assert f"{PAGE}{path}?period=2019-06" in links_of(answer.text)


def test_what_is_owed_is_that_of_the_chosen_month(register: Engine, op: TestClient) -> None:
    """Outreach from June on; matches from a bank's second month on, and B02 opens in May; visits no longer in June."""
    with register.begin() as connection:
        for change in (
            "update registry.obligation set from_period = '2019-06' where report = 'outreach'",
            "update registry.obligation set from_month = 2 where report = 'matches'",
            "update registry.obligation set until_period = '2019-05' where report = 'visits'",
            "update registry.institution set opened_on = '2019-05-20' where code = 'B02'",
        ):
            connection.execute(text(change))
    counted = {
        month: {
            row["代码"]: row["应报报表（张）"]
            for row in by_head(csv_of(op, "institutions", "institutions", period=month))
        }
        for month in ("2019-05", "2019-06")
    }
    assert {month: (each["B01"], each["B02"], each["C01"]) for month, each in counted.items()} == {
        "2019-05": ("5", "4", "3"),
        "2019-06": ("5", "5", "4"),
    }
    listed = {
        (code, month): csv_of(op, f"institutions/{code}", "obligations", period=month)
        for code in ("B01", "B02")
        for month in ("2019-05", "2019-06")
    }
    assert listed["B02", "2019-05"] == [
        ["报表", "可否零报送", "应报月份", "所选月份", "来源"],
        ["金融精准扶贫贷款台账", "不可以", "每月", "应报", "obligations.csv"],
        ["贷款与再贷款月报", "不可以", "每月", "应报", "obligations.csv"],
        ["贫困户走访存档", "可以", "2019年5月止", "应报", "obligations.csv"],
        ["网格化管理责任表", "不可以", "每月", "应报", "obligations.csv"],
        ["宣传培训活动", "可以", "2019年6月起", "不需报送", "obligations.csv"],
        ["产业项目对接表", "可以", "2019年6月（开业第2个月）起", "不需报送", "obligations.csv"],
    ]
    assert [row[2:4] for row in listed["B01", "2019-05"] if row[0] == "产业项目对接表"] == [
        ["2010年2月（开业第2个月）起", "应报"]
    ]
    of_june = {row[0]: row[3] for row in listed["B02", "2019-06"]}
    assert (of_june["贫困户走访存档"], of_june["产业项目对接表"]) == ("不需报送", "应报")
    for (code, month), rows_of in listed.items():
        assert str(sum(row[3] == "应报" for row in rows_of)) == counted[month][code]


@pytest.mark.parametrize(("page", "path"), FORMS_OF_DEADLINES)
def test_a_form_keeps_the_view(register: Engine, op: TestClient, page: str, path: str) -> None:
    asked = "?kind=bank&period=2019-05"
    key = keys_of(op.get(PAGE + page + asked).text)[path + asked]
    refused = op.post(PAGE + path + asked, data={"key": key, **MOVED, "deadline_day": "15.7.2019"})
    assert refused.status_code == 422
    assert "<option selected>2019-05</option>" in refused.text
    assert path + asked in keys_of(refused.text)
    answer = op.post(PAGE + path + asked, data={"key": key, **MOVED})
    assert answer.headers["location"].startswith(f"{PAGE}{page}{asked}&done=")


def test_who_left_the_files_is_named(register: Engine, settings: Settings, op: TestClient) -> None:
    saved = load_register(settings.register_folder)
    from tests.register.test_tables import without

    with register.begin() as connection:
        save_register(connection, without(saved, "B02"))
    assert "登记文件中已没有" in op.get(PAGE).text
    own = op.get(f"{PAGE}/B02").text
    assert "请补回 institutions.csv" in own
    assert "原 contacts.csv" in own


def test_a_deadline_is_moved_once_for_one_and_for_all(register: Engine, op: TestClient) -> None:
    key = keys_of(op.get(f"{PAGE}/B01").text)["/B01/deadline"]
    answers = [op.post(f"{PAGE}/B01/deadline", data={"key": key, **MOVED}) for _ in range(2)]
    assert {outcome_of(op, answer) for answer in answers} == {"岭海通商2019年6月的报送期限已调整为2019-07-15。"}
    moves = "select institution_code, period, reason from registry.deadline_move order by move_number"
    assert rows(register, moves) == [("B01", "2019-06", "系统升级")]
    answer = send(op, "", "/deadline", **{**MOVED, "deadline_day": "2019-07-16"})
    words = "全部机构2019年6月的报送期限已调整为2019-07-16；单独调整过的随之改变：岭海通商（原为2019-07-15）。"
    assert outcome_of(op, answer) == words
    assert rows(register, moves)[1:] == [(None, "2019-06", "系统升级")]
    acted = "select kind, subject, period, reason, acted_by from registry.action order by action_number"
    assert rows(register, acted) == [
        ("deadline", "B01", "2019-06", "系统升级", "reader"),
        ("deadline", "全部机构", "2019-06", "系统升级", "reader"),
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"deadline_period": "2019-05"}, "请选择一个已打开、未关闭的月份"),
        ({"deadline_period": "junk"}, "请选择一个已打开、未关闭的月份"),
        ({"deadline_day": "15.7.2019"}, "请填写日期"),
        ({"deadline_day": "2019-06-30"}, "期限应在2019年6月结束之后"),
        ({"deadline_day": "2999-01-01"}, "最晚可以调整到"),
        ({"deadline_reason": " "}, "请填写理由"),
        ({"deadline_reason": "一\x07二"}, "理由里没有文字，或有看不见的字符"),
        ({"deadline_reason": "长" * 501}, "最多500字"),
    ],
)
def test_a_deadline_that_cannot_be_is_asked_again(
    register: Engine, op: TestClient, changed: dict[str, str], words: str
) -> None:
    values = {**MOVED, **changed}
    for page, path in FORMS_OF_DEADLINES:
        answer = send(op, page, path, **values)
        assert answer.status_code == 422
        assert words in answer.text
        # What else was entered is still there.
        for name in MOVED.keys() - changed.keys() - {"deadline_period"}:
            assert values[name] in answer.text
    assert rows(register, "select 1 from registry.deadline_move union all select 1 from registry.action") == []


ADDED = {"contact_role": "contact", "contact_address": "second@example.test", "contact_reason": "轮岗"}


def test_a_contact_is_added_once_and_taken_away_again(register: Engine, op: TestClient) -> None:
    key = keys_of(op.get(f"{PAGE}/B01").text)["/B01/contacts"]
    answers = [op.post(f"{PAGE}/B01/contacts", data={"key": key, **ADDED}) for _ in range(2)]
    assert {outcome_of(op, answer) for answer in answers} == {"已为岭海通商增加联系人 second@example.test。"}
    contacts = "select address, added_by, reason from registry.contact where institution_code = 'B01' order by address"
    there = [("b01@example.test", None, None), ("second@example.test", "reader", "轮岗")]
    assert rows(register, contacts) == there
    again = send(op, "/B01", "/B01/contacts", **{**ADDED, "contact_address": "Second@example.test"})
    assert again.status_code == 422
    assert "已经登记了这个地址和身份" in again.text
    assert 'value="Second@example.test"' in again.text
    page = op.get(f"{PAGE}/B01").text
    assert re.findall(r'<option value="(contact/[^"]+)"', page) == ["contact/second@example.test"]
    removal = {"removed_contact": "contact/second@example.test", "removed_reason": "调离"}
    key = keys_of(page)["/B01/contacts/remove"]
    answers = [op.post(f"{PAGE}/B01/contacts/remove", data={"key": key, **removal}) for _ in range(2)]
    assert {outcome_of(op, answer) for answer in answers} == {"已移除岭海通商的联系人 second@example.test。"}
    assert rows(register, contacts) == there[:1]
    assert rows(register, "select kind, reason from registry.action order by action_number") == [
        ("contact", "轮岗"),
        ("contact_removed", "调离"),
    ]


def test_what_the_files_name_is_not_taken_away_here(register: Engine, op: TestClient) -> None:
    send(op, "/B01", "/B01/contacts", **ADDED)
    removal = {"removed_contact": "contact/b01@example.test", "removed_reason": "调离"}
    answer = send(op, "/B01", "/B01/contacts/remove", **removal)
    assert answer.status_code == 422
    assert "须在文件中修改" in answer.text
    nobody = send(op, "/B01", "/B01/contacts/remove", removed_contact="", removed_reason="")
    assert "请选择要移除的联系人" in nobody.text
    assert "请填写理由" in nobody.text
    assert rows(register, "select count(*) from registry.contact where institution_code = 'B01'") == [(2,)]


def test_a_chats_token_is_never_shown(register: Engine, op: TestClient) -> None:
    address = f"dingtalk://{TOKEN}"
    answer = send(op, "/B01", "/B01/contacts", **{**ADDED, "contact_address": address, "contact_fallback": "x@y.test"})
    assert outcome_of(op, answer) == "已为岭海通商增加联系人 dingtalk://…。"
    page = op.get(f"{PAGE}/B01").text
    assert "dingtalk://…" in page
    assert TOKEN not in page
    assert TOKEN not in op.get(f"{PAGE}/B01", params={"download": "contacts.csv"}).text
    [chosen] = re.findall(r'<option value="(contact/dingtalk#[^"]+)"', page)
    answer = send(op, "/B01", "/B01/contacts/remove", removed_contact=chosen, removed_reason="调离")
    assert outcome_of(op, answer) == "已移除岭海通商的联系人 dingtalk。"
    assert rows(register, "select outcome from registry.action where outcome like '%0123%'") == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"contact_address": ""}, "请填写邮箱或 Apprise 地址"),
        ({"contact_address": "张三 <a@b.test>"}, "应是一个邮箱"),
        ({"contact_address": "nosuch://token"}, "这个 Apprise 地址用不了"),
        ({"contact_address": "a\x00@b.test"}, "地址中有控制字符"),
        ({"contact_fallback": "junk"}, "备用地址应是一个邮箱"),
        ({"contact_fallback": "x@y.test"}, "备用邮箱只用于 Apprise 地址"),
        ({"contact_role": "leader"}, "领导只登记在中心支行名下"),
        ({"contact_reason": ""}, "请填写理由"),
    ],
)
def test_a_contact_that_cannot_be_is_asked_again(
    register: Engine, op: TestClient, changed: dict[str, str], words: str
) -> None:
    answer = send(op, "/B01", "/B01/contacts", **{**ADDED, **changed})
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(register, "select count(*) from registry.contact where institution_code = 'B01'") == [(1,)]


def test_long_numbers_in_reasons_are_masked_in_the_record(register: Engine, op: TestClient) -> None:
    reason = "账号6217003980001234567有误"
    assert send(op, "/B01", "/B01/deadline", **{**MOVED, "deadline_reason": reason}).status_code == 303
    assert send(op, "/B01", "/B01/contacts", **{**ADDED, "contact_reason": reason}).status_code == 303
    removal = {"removed_contact": "contact/second@example.test", "removed_reason": reason}
    assert send(op, "/B01", "/B01/contacts/remove", **removal).status_code == 303
    kept = dict(rows(register, "select kind, reason from registry.action"))
    assert kept.keys() == {"deadline", "contact", "contact_removed"}
    moves = [tuple(row) for row in rows(register, "select reason from registry.deadline_move")]
    for words in (*kept.values(), *(each for (each,) in moves)):
        assert words.startswith("账号")
        assert words.endswith("有误")
        assert "*" in words
        assert "7003980001" not in words
    page = op.get(f"{PREFIX}/actions").text
    assert page.count("有误") >= 3
    assert "7003980001" not in page + op.get(f"{PAGE}/B01").text


def test_a_form_whose_month_was_just_closed_is_shown_again(register: Engine, op: TestClient) -> None:
    keys = {path: keys_of(op.get(f"{PAGE}{page}").text)[path] for page, path in FORMS_OF_DEADLINES}
    with register.begin() as connection:
        connection.execute(text("insert into intake.close values ('2019-06', now())"))
    for page, path in FORMS_OF_DEADLINES:
        assert path not in keys_of(op.get(f"{PAGE}{page}").text)
        answer = op.post(f"{PAGE}{path}", data={"key": keys[path], **MOVED})
        assert answer.status_code == 422
        assert "请选择一个已打开、未关闭的月份" in answer.text
        assert path in keys_of(answer.text)
        for name in ("deadline_day", "deadline_reason"):
            assert MOVED[name] in answer.text
    assert rows(register, "select 1 from registry.deadline_move union all select 1 from registry.action") == []


def test_a_leader_is_added_at_the_centre(register: Engine, op: TestClient) -> None:
    values = {**ADDED, "contact_role": "leader"}
    assert outcome_of(op, send(op, "/Z01", "/Z01/contacts", **values)) == "已为中心支行增加领导 second@example.test。"


def test_nothing_is_changed_by_who_may_only_see(register: Engine, login: Login, op: TestClient) -> None:
    viewer = login("viewer")
    keys = keys_of(op.get(f"{PAGE}/B01").text)
    assert keys.keys() == {"/B01/contacts", "/B01/deadline", "/B01/check"}
    for path, key in keys.items():
        assert viewer.post(f"{PAGE}{path}", data={"key": key, **MOVED, **ADDED}).status_code == 403
    # A key is for one person, one kind of action and one institution.
    foreign = op.post(f"{PAGE}/B02/contacts", data={"key": keys["/B01/contacts"], **ADDED})
    assert foreign.status_code == 422
    assert "表单已失效" in foreign.text
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    key = keys["/B01/contacts"]
    assert op.post(f"{PAGE}/B01/contacts", data={"key": key, **ADDED}, headers=elsewhere).status_code == 403
    assert rows(register, "select count(*) from registry.contact where added_at is not null") == [(0,)]


def test_an_unknown_institution_or_kind_says_what_there_is(register: Engine, op: TestClient) -> None:
    answer = op.get(f"{PAGE}/B99")
    assert answer.status_code == 404
    assert f'href="{PAGE}/B01"' in answer.text
    assert op.get(PAGE, params={"kind": "junk"}).status_code == 404
    for path in ("/B99/deadline", "/B99/contacts", "/B99/contacts/remove", "/B99/check"):
        assert op.post(f"{PAGE}{path}", data={}).status_code == 404, path
