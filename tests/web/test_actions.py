"""What people do from the pages: only ops, only from a page of ours, once for each form, and kept for good."""

from __future__ import annotations

import re
import threading

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from five_precisions.intake import read_status
from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import Settings
from five_precisions.web import actions
from five_precisions.web.actions import Action, ActionKind, FormError, acting, form_key, require_key
from tests.mail_server import MailServer
from tests.rows import rows
from tests.web.conftest import PREFIX, Login
from tests.web.pages import csv_of, key_of, links_of, words_of

OPS = SimpleAuthManagerUser(username="reader", role="op")
PAGE = f"{PREFIX}/reporting?period=2019-06"
REMIND = f"{PREFIX}/reporting/remind?period=2019-06"
_VERSION = (
    "insert into intake.submission (submission_id, period, institution_code, version, received_at, replayed, digest, "
    "verdict) values (:number, '2019-06', :code, 1, now(), false, 'x', 'accepted') on conflict do nothing"
)
_REPORT = (
    "insert into intake.report (submission_id, report, rows, verdict, errors, warnings) "
    "values (:number, :report, 1, 'accepted', 0, 0)"
)


@pytest.fixture
def opened(register_saved_engine: Engine, settings: Settings) -> Engine:
    """A month that is open, and for which nobody has delivered anything."""
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, Period(2019, 6))
    return register_saved_engine


def recorded(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select kind, subject, acted_by from registry.action order by action_number"))
        return [tuple(row) for row in rows]


def reminders(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("select count(*) from notify.message where kind = 'reminder'")).scalar_one()


def test_a_form_acts_once_however_often_it_is_sent(opened: Engine, login: Login) -> None:
    ops = login("op")
    form = {"key": key_of(ops.get(PAGE).text, "/remind"), "period": "2019-06"}
    first, second = ops.post(REMIND, data=form), ops.post(REMIND, data=form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert recorded(opened) == [("reminder", "2019-06", "reader")]
    posted = reminders(opened)
    assert posted >= 15
    shown = ops.get(first.headers["location"]).text
    assert f"已向{posted}家机构催报，{posted}封邮件放入发件箱" in shown


def test_two_clicks_at_once_act_once(opened: Engine, login: Login) -> None:
    ops = login("op")
    form = {"key": key_of(ops.get(PAGE).text, "/remind"), "period": "2019-06"}
    answers: list[int] = []
    clicks = [
        threading.Thread(target=lambda: answers.append(ops.post(REMIND, data=form).status_code)) for _ in range(4)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert answers == [303] * 4
    assert len(recorded(opened)) == 1


def test_a_second_reminder_on_the_same_day_sends_nothing(opened: Engine, login: Login) -> None:
    ops = login("op")
    for _ in range(2):
        answer = ops.post(REMIND, data={"key": key_of(ops.get(PAGE).text, "/remind"), "period": "2019-06"})
    assert "今天已经催报过，没有重复发送" in ops.get(answer.headers["location"]).text
    with opened.connect() as connection:
        keys = connection.execute(text("select message_key from notify.message")).scalars().all()
    assert len(keys) == reminders(opened) >= 15
    assert all(re.search(r"/asked-\d{4}-\d{2}-\d{2}$", key) for key in keys)
    assert len(recorded(opened)) == 2


def test_a_reminder_when_nobody_misses_anything_any_more(opened: Engine, login: Login) -> None:
    ops = login("op")
    places = {"": PAGE, "/B01": f"{PREFIX}/reporting/B01?period=2019-06"}
    keys = {place: key_of(ops.get(page).text, "/remind") for place, page in places.items()}
    with opened.begin() as connection:
        # As if everything had come in since the pages were shown.
        for each in read_status(opened, Period(2019, 6)):
            number = {"number": f"2019-06-{each.institution_code}-1", "code": each.institution_code}
            connection.execute(text(_VERSION), number)
            connection.execute(text(_REPORT), number | {"report": each.report})
    for place, page in places.items():
        assert 'name="key"' not in ops.get(page).text, "nobody is there to be reminded"
        address = f"{PREFIX}/reporting{place}/remind?period=2019-06"
        answer = ops.post(address, data={"key": keys[place], "period": "2019-06"})
        assert answer.status_code == 422
        assert "没有需要催报的机构" in answer.text
        assert key_of(answer.text, "/remind") != keys[place]
    assert recorded(opened) == []
    assert reminders(opened) == 0


def test_a_reminder_leaves_at_once_where_the_mail_server_is_known(
    opened: Engine, login: Login, mail_server: MailServer
) -> None:
    ops = login("op")
    page = f"{PREFIX}/reporting/B01?period=2019-06"
    form = {"key": key_of(ops.get(page).text, "/remind"), "period": "2019-06"}
    answers = [ops.post(f"{PREFIX}/reporting/B01/remind?period=2019-06", data=form) for _ in range(2)]
    shown = ops.get(answers[0].headers["location"]).text
    assert "已向1家机构催报，1封邮件放入发件箱，正在发出，请稍后刷新。" in shown
    assert [mail["To"] for mail in mail_server.mails()] == ["b01@example.test"], "sent once, however often it is asked"
    assert "【逾期催报】2019年6月" in str(mail_server.mails()[0]["Subject"])
    assert rows(opened, "select kind, institution_code, status from notify.message") == [("reminder", "B01", "sent")]


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_is_not_of_ops_sees_no_form_and_may_not_act(opened: Engine, login: Login, role: str) -> None:
    page = login(role).get(PAGE)
    assert page.status_code == 200
    assert 'method="post"' not in page.text
    key = key_of(login("op").get(PAGE).text, "/remind")
    answer = login(role).post(REMIND, data={"key": key, "period": "2019-06"})
    assert answer.status_code == 403
    assert "您没有查看或操作这个页面的权限" in answer.text
    assert recorded(opened) == []


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.example"}],
)
def test_what_another_site_sends_is_refused(opened: Engine, login: Login, headers: dict[str, str]) -> None:
    ops = login("op")
    form = {"key": key_of(ops.get(PAGE).text, "/remind"), "period": "2019-06"}
    answer = ops.post(REMIND, data=form, headers=headers)
    assert answer.status_code == 403
    assert "这个请求不是从本系统的页面发出的，没有执行。" in answer.text
    assert recorded(opened) == []
    assert ops.post(REMIND, data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


@pytest.mark.parametrize(
    ("path", "kind"),
    [("reporting?period=2019-06&download=matrix.csv", "download"), ("institutions/B01/template", "template")],
)
def test_a_link_of_another_site_puts_no_download_on_record(opened: Engine, login: Login, path: str, kind: str) -> None:
    viewer = login("viewer")
    for site in ("cross-site", "same-site"):
        page = viewer.get(f"{PREFIX}/{path}", headers={"Sec-Fetch-Site": site})
        assert page.status_code == 200
        assert "这个文件还没有下载" in page.text
        assert links_of(page.text)[0] == f"{PREFIX}/{path}"
    assert recorded(opened) == []
    # From that page, from a bookmark, or by a browser that says nothing.
    for site in ("same-origin", "none", ""):
        answer = viewer.get(links_of(page.text)[0], headers={"Sec-Fetch-Site": site} if site else {})
        assert answer.headers["content-disposition"].startswith("attachment")
    assert [each for each, _, _ in recorded(opened)] == [kind] * 3


def test_a_form_that_is_none_of_ours_does_nothing_and_is_shown_again(opened: Engine, login: Login) -> None:
    ops = login("op")
    good = key_of(ops.get(PAGE).text, "/remind")
    for key in ("", "x", good[:-1], good.replace(".", ""), form_key(OPS, ActionKind.REMINDER, "2019-05")):
        answer = ops.post(REMIND, data={"key": key, "period": "2019-06"})
        assert answer.status_code == 422, key
        assert "表单已失效，没有执行" in answer.text
        assert key_of(answer.text, "/remind") != good
    assert recorded(opened) == []


def test_a_key_is_for_its_user_its_kind_and_its_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    key = form_key(OPS, ActionKind.SET_ASIDE, "case")
    require_key(key, OPS, ActionKind.SET_ASIDE, "case")
    other = SimpleAuthManagerUser(username="another", role="op")
    for refused in (
        lambda: require_key(key, other, ActionKind.SET_ASIDE, "case"),
        lambda: require_key(key, OPS, ActionKind.TAKE_BACK, "case"),
        lambda: require_key(key, OPS, ActionKind.SET_ASIDE, "other"),
    ):
        with pytest.raises(FormError):
            refused()
    monkeypatch.setattr(actions, "_HOURS", -1)
    with pytest.raises(FormError):
        require_key(key, OPS, ActionKind.SET_ASIDE, "case")


def test_what_fails_is_not_recorded_and_can_be_sent_again(engine: Engine) -> None:
    action = Action(kind=ActionKind.CONTACT, subject="B01")
    with pytest.raises(ValueError, match="broken"), acting(engine, OPS, "key", action, "done"):
        raise ValueError("broken")
    assert recorded(engine) == []
    with acting(engine, OPS, "key", action, "done") as claimed:
        assert claimed.action_number > 0
    assert recorded(engine) == [("contact", "B01", "reader")]


def test_long_numbers_are_masked_in_the_record(engine: Engine) -> None:
    with acting(engine, OPS, "key", Action(kind=ActionKind.DOWNLOAD, subject="440981197001011234.xlsx"), "done"):
        pass
    [(_, subject, _)] = recorded(engine)
    assert "19700101" not in subject


@pytest.mark.parametrize(
    "change",
    [
        "update registry.action set acted_by = 'nobody'",
        "delete from registry.action",
        "truncate registry.action",
    ],
)
def test_nobody_changes_the_record(engine: Engine, change: str) -> None:
    with acting(engine, OPS, "key", Action(kind=ActionKind.DOWNLOAD, subject="file"), "done"):
        pass
    with pytest.raises(DBAPIError, match=r"registry\.action is only added to"), engine.begin() as connection:
        connection.execute(text(change))
    assert len(recorded(engine)) == 1


def test_the_page_of_who_did_what(opened: Engine, login: Login) -> None:
    ops = login("op")
    assert "还没有人从页面上做过操作" in ops.get(f"{PREFIX}/actions").text
    ops.post(REMIND, data={"key": key_of(ops.get(PAGE).text, "/remind"), "period": "2019-06"})
    assert ops.get(f"{PAGE}&download=matrix.csv").status_code == 200
    viewer = login("viewer")
    words = words_of(viewer.get(f"{PREFIX}/actions").text)
    assert "催报" in words
    assert "2019年6月报送情况表-2019-06.csv" in words
    only = viewer.get(f"{PREFIX}/actions?kind=download").text
    assert "2019年6月报送情况表-2019-06.csv" in only
    assert "封邮件放入发件箱" not in only
    assert viewer.get(f"{PREFIX}/actions?kind=nonsense").status_code == 404
    assert viewer.get(f"{PREFIX}/actions?before=nonsense").status_code == 200


def test_actions_are_found_by_month_and_person(engine: Engine, login: Login) -> None:
    viewer = login("viewer")
    assert viewer.get(f"{PREFIX}/actions?period=2019-06").status_code == 404
    for number, (period, person) in enumerate(
        (("2019-05", "reader"), ("2019-Q2", "reader"), (None, "reader"), ("2019-05", "张三"), ("2019-05", "reader"))
    ):
        user = SimpleAuthManagerUser(username=person, role="op")
        with acting(engine, user, f"key-{number}", Action(kind=ActionKind.CHECK, subject="B01", period=period), "完成"):
            pass

    def found(**asked: str) -> list[tuple[str, str]]:
        return [(row[4], row[1]) for row in csv_of(viewer, "actions", "actions", kind="check", **asked)[1:]]

    assert len(found()) == 5
    assert found(period="2019-Q2") == [("2019-Q2", "reader")]
    assert found(period="2019-05", person="张三") == [("2019-05", "张三")]
    page = viewer.get(f"{PREFIX}/actions", params={"kind": "check", "period": "2019-05"}).text
    [of_one] = {each for each in links_of(page) if "person=%E5" in each}
    assert {"kind=check", "period=2019-05"} <= set(of_one.partition("?")[2].split("&"))
    only = viewer.get(of_one).text
    assert '<option value="张三" selected>张三</option>' in only
    assert '<option value="2019-05" selected>2019-05</option>' in only
    answer = viewer.get(f"{PREFIX}/actions?kind=check&period=2019-04")
    assert (answer.status_code, "没有关于这个月份或季度的操作" in answer.text) == (404, True)
    assert f"{PREFIX}/actions?kind=check&period=2019-Q2" in links_of(answer.text)


@pytest.mark.parametrize("number", ["1", "-1", "nonsense", "99999999999999999999999"])
def test_the_number_of_an_action_that_there_is_not_says_nothing(opened: Engine, login: Login, number: str) -> None:
    answer = login("viewer").get(f"{PAGE}&done={number}")
    assert answer.status_code == 200
    assert 'role="status"' not in answer.text
