"""The pages of bulletins and the outbox: where a quarter stands, which mails failed, what is asked for in Airflow."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from five_precisions.delivery import Kind
from five_precisions.settings import ROOT
from five_precisions.warehouse.locks import Lock, try_to_take
from five_precisions.web.messages import QUOTES, REPLIES, reply_words
from tests.delivery.conftest import message, put
from tests.mail_server import MailServer
from tests.rows import execute, rows
from tests.web.conftest import PREFIX, Login
from tests.web.pages import content_of, csv_of, form_of, forms_of, links_of, outcome_of, words_of

BULLETINS = f"{PREFIX}/bulletins"
MESSAGES = f"{BULLETINS}/messages"
PEOPLE = [f"b{number:02}@example.test" for number in range(1, 5)]
KEYS = [f"bulletin/2019-Q2/B0{number}/b0{number}@example.test/draft-1" for number in range(1, 5)]
SENT, FAILED, DOUBTED, REFUSED = KEYS


def add_run(engine: Engine, period: str, revision: int = 1) -> None:
    execute(
        engine,
        f"insert into registry.period values ('{period}', now()) on conflict do nothing",
        f"update mart.run set current = false where period = '{period}'",
        "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
        f"code_version, current) values ('{period}-r{revision}', '{period}', {revision}, clock_timestamp(), 'x', '1', "
        "'1', '1', true)",
    )


def show(engine: Engine, draft: int) -> None:
    execute(
        engine,
        "insert into notify.shown_draft (quarter, draft, digest, title, run_id) values "
        f"('2019-Q2', {draft}, 'x', '关于2019年第二季度的通报', '2019-06-r1')",
    )


def decide(engine: Engine, draft: int, decision: str, kind: str = "bulletin", remark: str = "") -> None:
    execute(
        engine,
        "insert into notify.approval (quarter, draft, run_id, shown_digest, decision, decided_by, decided_at, remark, "
        f"kind, run_ids) values ('2019-Q2', {draft}, '2019-06-r1', 'x', '{decision}', '李行长', "
        f"'2019-07-12T12:00+08', '{remark}', '{kind}', array(select run_id from mart.run where current))",
    )


def restate(engine: Engine, period: str) -> None:
    add_run(engine, period, 2)
    execute(
        engine,
        f"insert into mart.restatement values ('{period}-r2', '{period}-r1', 'B03台账更正', '业务员')",
        f"insert into mart.restated_figure values ('{period}-r2', '{period}', 'metric', 'city', '441700', 'loans', "
        "'1', '2'), "
        f"('{period}-r2', '{period}', 'metric', 'bank', 'B03', 'loans', '1', '2')",
    )


@pytest.fixture
def city(register_saved_engine: Engine) -> Engine:
    """A quarter that is assessed, of which nothing is drafted."""
    for period in ("2019-04", "2019-05", "2019-06"):
        add_run(register_saved_engine, period)
    return register_saved_engine


@pytest.fixture
def sent(city: Engine) -> Engine:
    """A quarter whose bulletin went out: one mail arrived, two failed, of one nobody knows."""
    show(city, 1)
    decide(city, 1, "approved", remark="请抓好落实。")
    put(
        city,
        *(
            message(
                address,
                kind=Kind.BULLETIN,
                period="2019-Q2",
                institution_code=f"B0{number}",
                edition="draft-1",
                subject="关于2019年第二季度的通报",
            )
            for number, address in enumerate(PEOPLE, 1)
        ),
        message(),
    )
    for key, status, reply in (
        (SENT, "sent", "taken"),
        (FAILED, "failed", "550 no such mailbox"),
        (DOUBTED, "in_doubt", "No answer to the contents of the mail: timed out"),
        (REFUSED, "failed", "554 refused"),
    ):
        execute(
            city,
            f"update notify.message set status = '{status}', reply = '{reply}', attempts = 1, "
            f"sent_at = case when '{status}' = 'sent' then now() end where message_key = '{key}'",
            "insert into notify.attempt (message_key, attempt, began_at, ended_at, outcome, reply) values "
            f"('{key}', 1, now(), now(), '{'refused' if status == 'failed' else status}', '{reply}')",
        )
    return city


@pytest.fixture
def ops(login: Login) -> TestClient:
    return login("op")


@pytest.fixture(scope="module")
def airflow_dags(api_server: Any) -> Iterator[None]:
    """Airflow knows the DAGs that ops trigger."""
    from airflow.api.common.delete_dag import delete_dag
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        DagBundlesManager().sync_bundles_to_db()
        for name in ("quarterly_bulletin", "restatement"):
            bag = DagBag(ROOT / "dags" / f"{name}.py", bundle_path=ROOT / "dags")
            assert bag.import_errors == {}
            sync_bag_to_db(bag, "dags-folder", None)
    with create_session() as session:
        for model in session.scalars(select(DagModel)):
            model.is_paused = False
    yield
    for name in ("quarterly_bulletin", "restatement"):
        delete_dag(name)


@pytest.fixture
def runs(airflow_dags: None) -> Iterator[Any]:
    """Reads the runs that Airflow has of our DAGs; there are none before and after."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    def read() -> list[tuple[str, str | None, dict[str, Any], str, str | None]]:
        with create_session() as session:
            return [
                (each.dag_id, each.partition_key, dict(each.conf or {}), str(each.state), each.triggering_user_name)
                for each in session.scalars(select(DagRun).order_by(DagRun.id))
            ]

    assert read() == []
    yield read
    with create_session() as session:
        for each in session.scalars(select(DagRun)):
            session.delete(each)


def progress(client: TestClient) -> str:
    """Where the second quarter stands, as the page's table says."""
    [row] = [row for row in csv_of(client, "bulletins", "quarters")[1:] if row[0] == "2019-Q2"]
    return row[1]


def post_form(client: TestClient, action: str, page: str = BULLETINS, **entered: str) -> Any:
    form = form_of(client.get(page).text, action)
    assert form is not None, f"no form leads to {action}"
    return client.post(f"{BULLETINS}{action}", data={**form, **entered})


# Quarters


def test_where_a_quarter_stands(register_saved_engine: Engine, ops: TestClient) -> None:
    engine = register_saved_engine
    assert "还没有打开过任何月份。" in ops.get(BULLETINS).text
    for period in ("2019-04", "2019-05"):
        add_run(engine, period)
    assert progress(ops) == "三个月中已考核2个月"
    add_run(engine, "2019-06")
    assert progress(ops) == "待起草"
    show(engine, 1)
    assert progress(ops) == "通报第1稿待审批"
    decide(engine, 1, "rejected", remark="附表有误")
    assert progress(ops) == "已退回，待重新起草"
    show(engine, 2)
    decide(engine, 2, "approved")
    assert progress(ops) == "已发出"
    restate(engine, "2019-05")
    assert progress(ops) == "已发出，数据后来有变"
    show(engine, 3)
    assert progress(ops) == "更正通报第3稿待审批"
    decide(engine, 3, "approved", "correction")
    assert progress(ops) == "已更正"


def test_drafts_with_what_was_decided(city: Engine, ops: TestClient) -> None:
    show(city, 1)
    decide(city, 1, "rejected", remark="附表有误")
    show(city, 2)
    page = ops.get(BULLETINS)
    assert page.status_code == 200
    assert [row[:1] + row[2:4] + row[5:7] for row in csv_of(ops, "bulletins", "drafts")[1:]] == [
        ["第2稿", "等待审批", "", "", "关于2019年第二季度的通报"],
        ["第1稿", "退回", "李行长", "附表有误", "关于2019年第二季度的通报"],
    ]
    links = links_of(page.text)
    assert "/required_actions?response_received=false" in links
    for draft in (1, 2):
        assert f"{PREFIX}/drafts/2019-Q2/{draft}" in links
        assert ops.get(f"{PREFIX}/drafts/2019-Q2/{draft}").status_code == 200
    assert "第2稿正在等待审批：先点稿次预览" in words_of(page.text)


def test_which_mails_failed_takes_one_click(sent: Engine, ops: TestClient) -> None:
    page = ops.get(BULLETINS)
    [failed] = [each for each in links_of(page.text) if "status=failed" in each]
    answer = ops.get(failed)
    assert answer.status_code == 200
    assert [address for address in PEOPLE if address in answer.text] == [PEOPLE[1], PEOPLE[3]]
    assert "550 no such mailbox" in answer.text
    listed = csv_of(ops, "bulletins", "deliveries", quarter="2019-Q2")[1:]
    assert [(row[1], row[3]) for row in listed] == list(
        zip(PEOPLE, ("已发出", "发送失败", "结果存疑", "发送失败"), strict=True)
    )
    assert [row[7] for row in listed] == [
        "已接收", "550 no such mailbox", "交出正文后没有得到答复：timed out", "554 refused",
    ]  # fmt: skip
    for each in (each for each in links_of(answer.text) if each.startswith(BULLETINS)):
        assert ops.get(each).status_code == 200, each


def test_a_quarter_that_is_not(sent: Engine, ops: TestClient) -> None:
    for asked, sentence in (
        ({"quarter": "2019-Q3"}, "没有2019年第3季度的数据。"),
        ({"quarter": "2019-Q5"}, "网址中的季度不对，应写作2019-Q2。"),
        ({"quarter": "'; --"}, "网址中的季度不对，应写作2019-Q2。"),
        ({"quarter": "2019-Q2", "status": "lost"}, "没有这种发送状态。"),
        ({"quarter": "2019-Q2", "download": "x.csv"}, "本页没有这个文件。"),
    ):
        answer = ops.get(BULLETINS, params=asked)
        assert (answer.status_code, sentence in answer.text) == (404, True), asked
        assert any("quarter=2019-Q2" in each for each in links_of(answer.text))


def test_the_choice_of_a_quarter_keeps_the_rest(sent: Engine, ops: TestClient) -> None:
    add_run(sent, "2019-03")
    asked = {"quarter": "2019-Q2", "status": "failed"}
    page = ops.get(BULLETINS, params=asked).text
    assert "<option selected>2019-Q2</option>" in page
    earlier = f"{BULLETINS}?quarter=2019-Q1&status=failed"
    assert links_of(page).count(earlier) == 2, "from the picker and from the table"
    shown = ops.get(earlier).text
    assert "<option selected>2019-Q1</option>" in shown
    assert '<option value="failed" selected>' in shown
    answer = ops.get(BULLETINS, params={**asked, "quarter": "2019-Q3"})
    assert earlier in links_of(answer.text)


# The outbox


def test_the_outbox_is_filtered_and_turned_page_by_page(
    sent: Engine, ops: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recipients(**asked: str) -> list[str]:
        return [row[1] for row in csv_of(ops, "bulletins/messages", "messages", **asked)[1:]]

    assert len(recipients()) == 5
    assert recipients(kind="receipt") == ["b01@example.test"]
    assert sorted(recipients(period="2019-Q2", status="failed")) == [PEOPLE[1], PEOPLE[3]]
    assert recipients(status="sending") == []
    monkeypatch.setattr("five_precisions.web.messages._MOST_MESSAGES", 2)
    seen: list[str] = []
    path: str | None = MESSAGES
    while path is not None:
        page = ops.get(path)
        assert page.status_code == 200
        # A message has two links: its recipient, and how often it was sent.
        seen += dict.fromkeys(each for each in links_of(page.text) if "message=" in each)
        older = re.search(r'<a href="([^"]+)">更早的邮件</a>', page.text)
        path = None if older is None else html.unescape(older[1])
        assert len(seen) <= 5
    assert len(seen) == len(set(seen)) == 5
    for name in ("status", "kind", "period"):
        for value in ("x", "'", "2019-Q9", "\u202e"):
            answer = ops.get(MESSAGES, params={name: value})
            assert answer.status_code == 404
            assert ops.get(links_of(answer.text)[0]).status_code == 200
    for value in ("x", "'", "\x00", "９" * 400):
        assert ops.get(MESSAGES, params={"before": value}).status_code == 200
        assert ops.get(MESSAGES, params={"message": value or "x"}).status_code == 404


def test_a_double_click_sends_once(sent: Engine, ops: TestClient, mail_server: MailServer) -> None:
    page = ops.get(MESSAGES, params={"message": FAILED})
    assert "历次发送" in page.text
    assert "可能会收到两次" not in page.text
    form = form_of(page.text, "/resend")
    assert form is not None
    first, second = (ops.post(f"{MESSAGES}/resend", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, second) == "已放回发件箱，正在发出，请稍后刷新。"
    assert [mail["To"] for mail in mail_server.mails()] == [PEOPLE[1]]
    query = f"select status, attempts from notify.message where message_key = '{FAILED}'"
    assert rows(sent, query) == [("sent", 2)]
    acted = rows(sent, "select kind, subject, period, acted_by from registry.action")
    assert acted == [("resend", FAILED, "2019-Q2", "reader")]


def test_one_in_doubt_is_sent_again_after_a_warning(sent: Engine, ops: TestClient, mail_server: MailServer) -> None:
    page = ops.get(MESSAGES, params={"message": DOUBTED})
    assert "不知道对方收到没有，再发一次对方可能会收到两次" in page.text
    form = form_of(page.text, "/resend")
    assert form is not None
    assert ops.post(f"{MESSAGES}/resend", data=form).status_code == 303
    assert [mail["To"] for mail in mail_server.mails()] == [PEOPLE[2]]


def test_what_was_sent_is_not_sent_again(sent: Engine, ops: TestClient, mail_server: MailServer) -> None:
    forms = [form_of(ops.get(MESSAGES, params={"message": FAILED}).text, "/resend") for _ in range(2)]
    assert form_of(ops.get(MESSAGES, params={"message": SENT}).text, "/resend") is None
    answers = [ops.post(f"{MESSAGES}/resend", data=form) for form in forms]
    assert [each.status_code for each in answers] == [303, 422]
    assert "这封邮件已经发出，不再发第二次。" in answers[1].text
    assert len(mail_server.mails()) == 1
    # One that another process hands over at this moment.
    form = form_of(ops.get(MESSAGES, params={"message": DOUBTED}).text, "/resend")
    with sent.connect() as sender:
        assert try_to_take(sender, Lock.MESSAGE, DOUBTED)
        answer = ops.post(f"{MESSAGES}/resend", data=form)
    assert (answer.status_code, "这封邮件正在发送，请稍后刷新本页再看结果。" in answer.text) == (422, True)
    assert len(rows(sent, "select 1 from registry.action")) == 1
    assert ops.post(f"{MESSAGES}/resend", data={"key": "x", "message": "x"}).status_code == 404


def test_a_form_keeps_the_filters(sent: Engine, ops: TestClient, mail_server: MailServer) -> None:
    filters = {"period": "2019-Q2", "kind": "bulletin", "status": "failed"}
    listed = ops.get(MESSAGES, params=filters)
    [address] = {each for each in links_of(listed.text) if "B02" in each}
    page = ops.get(address.partition("#")[0])
    action = next(each for each in forms_of(page.text) if "/resend" in each)
    form = forms_of(page.text)[action]
    refused = ops.post(action, data={**form, "key": "x"})
    answers = [refused, ops.get(ops.post(action, data=form).headers["location"].partition("#")[0])]
    assert [each.status_code for each in answers] == [422, 200]
    for answer in (page, *answers):
        for value in filters.values():
            assert f'<option value="{value}" selected>' in answer.text
        assert "历次发送" in answer.text
        assert PEOPLE[0] not in content_of(answer.text), "it was sent at once"
    # A browser that asks for the address of the answer anew is led to the page.
    again = ops.get(action)
    assert again.headers["location"] == action.replace("/resend", "")
    # On the page of the quarter likewise.
    page = ops.get(BULLETINS, params={"quarter": "2019-Q2", "status": "failed"})
    action = next(each for each in forms_of(page.text) if "/resend-failed" in each)
    form = forms_of(page.text)[action]
    answers = [ops.post(action, data={**form, "key": "x"})]
    answers.append(ops.get(ops.post(action, data=form).headers["location"].partition("#")[0]))
    assert [each.status_code for each in answers] == [422, 200]
    for answer in answers:
        assert '<option value="failed" selected>' in answer.text


def test_all_that_failed_is_sent_again_and_nothing_in_doubt(
    sent: Engine, ops: TestClient, mail_server: MailServer
) -> None:
    form = form_of(ops.get(BULLETINS).text, "/resend-failed")
    assert form is not None
    first, second = (ops.post(f"{BULLETINS}/resend-failed", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, second) == "2封发送失败的邮件已放回发件箱，正在发出，请稍后刷新。"
    assert sorted(str(mail["To"]) for mail in mail_server.mails()) == [PEOPLE[1], PEOPLE[3]]
    assert rows(sent, f"select status from notify.message where message_key = '{DOUBTED}'") == [("in_doubt",)]
    assert form_of(ops.get(BULLETINS).text, "/resend-failed") is None


def test_without_a_mail_server_of_its_own_the_page_says_who_sends(sent: Engine, ops: TestClient) -> None:
    answer = post_form(ops, "/resend-failed")
    assert outcome_of(ops, answer) == "2封发送失败的邮件已放回发件箱，由每小时一次的“迟报收集”任务发出。"
    assert len(rows(sent, "select 1 from notify.message where status = 'pending' and kind = 'bulletin'")) == 2


def test_every_reply_of_ours_has_chinese_words() -> None:
    delivery = ROOT / "include" / "five_precisions" / "delivery"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(delivery.glob("*.py")))
    for beginning in (*REPLIES, *QUOTES):
        assert f'"{beginning}' in source, beginning
    assert reply_words("A part was taken, and then: No answer from the service: ReadTimeout") == (
        "只接收了一部分：对方的服务没有答复：ReadTimeout"
    )
    assert reply_words("550 5.1.1 unknown") == "550 5.1.1 unknown"
    assert reply_words(None) is None


# What is asked for in Airflow


def test_a_double_click_starts_one_run(city: Engine, ops: TestClient, runs: Any) -> None:
    form = form_of(ops.get(BULLETINS).text, "/draft")
    assert form is not None
    first, second = (ops.post(f"{BULLETINS}/draft", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, second) == "已开始起草通报，起草完成后列在“稿件”里等待审批。"
    assert runs() == [("quarterly_bulletin", "2019-Q2", {}, "queued", "reader")]
    acted = rows(city, "select kind, subject, period, acted_by from registry.action where kind <> 'download'")
    assert acted == [("bulletin", "2019-Q2", "2019-Q2", "reader")]
    # While it runs the page leads to it, and another form starts nothing.
    page = ops.get(BULLETINS)
    assert "本季度的“季度通报”正在运行" in page.text
    assert any(each.startswith("/dags/quarterly_bulletin/runs/desk__") for each in links_of(page.text))
    assert form_of(page.text, "/draft") is None


def test_two_people_start_one_run(city: Engine, ops: TestClient, runs: Any) -> None:
    forms = [form_of(ops.get(BULLETINS).text, "/draft") for _ in range(2)]
    answers = [ops.post(f"{BULLETINS}/draft", data=form) for form in forms]
    assert [each.status_code for each in answers] == [303, 422]
    assert "本季度已有一次“季度通报”运行尚未结束，没有再次起草。" in answers[1].text
    assert len(runs()) == 1


def test_a_correction_is_drafted_once_something_was_restated(sent: Engine, ops: TestClient, runs: Any) -> None:
    assert form_of(ops.get(BULLETINS).text, "/draft") is None
    restate(sent, "2019-05")
    page = ops.get(BULLETINS)
    assert "2019-06仍按重述前的数字考核；如需更正，请依次申请重述。" in words_of(page.text)
    [row] = csv_of(ops, "bulletins", "restatements")[1:]
    assert [row[0], row[1], row[4], row[5], row[7]] == ["2019-05", "2019-05-r2", "2", "通报发出之后", "B03台账更正"]
    answer = post_form(ops, "/draft")
    assert outcome_of(ops, answer) == "已开始起草更正通报，起草完成后列在“稿件”里等待审批。"
    assert [(dag, key) for dag, key, *_ in runs()] == [("quarterly_bulletin", "2019-Q2")]


def test_nothing_is_drafted_that_needs_no_draft(city: Engine, ops: TestClient, runs: Any) -> None:
    form = form_of(ops.get(BULLETINS).text, "/draft")
    show(city, 1)
    waiting = ops.post(f"{BULLETINS}/draft", data=form)
    assert (waiting.status_code, "第1稿正在等待审批，不需要再起草。" in waiting.text) == (422, True)
    decide(city, 1, "approved")
    unchanged = ops.post(f"{BULLETINS}/draft", data=form)
    assert (unchanged.status_code, "通报发出后数据没有变化，不需要更正" in unchanged.text) == (422, True)
    assert runs() == []
    assert rows(city, "select 1 from registry.action") == []


def test_a_month_is_asked_to_be_restated(city: Engine, ops: TestClient, runs: Any) -> None:
    form = form_of(ops.get(BULLETINS).text, "/restatement")
    assert form is not None
    form |= {"month": "2019-05", "reason": "B03台账更正，账号6222021234567890123"}
    first, second = (ops.post(f"{BULLETINS}/restatement", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert outcome_of(ops, second) == "已申请重述2019-05：先计算会有哪些变化，再等待审批，批准后才生效。"
    [(dag, key, conf, state, person)] = runs()
    assert (dag, key, state, person) == ("restatement", None, "queued", "reader")
    assert conf["period"] == "2019-05"
    assert conf["reason"].startswith("B03台账更正")
    assert "6222021234567890123" not in conf["reason"]
    again = post_form(ops, "/restatement", month="2019-05", reason="再来一次")
    assert (again.status_code, "2019-05已有一次重述尚未结束" in again.text) == (422, True)
    assert post_form(ops, "/restatement", month="2019-04", reason="B03台账更正").status_code == 303
    assert len(runs()) == 2


def test_nonsense_in_the_request_loses_nothing(city: Engine, ops: TestClient, runs: Any) -> None:
    for month, reason, sentence in (
        ("", "台账更正", "请选择一个已经考核的月份。"),
        ("2019-07", "台账更正", "请选择一个已经考核的月份。"),
        ("x'", "台账更正", "请选择一个已经考核的月份。"),
        ("2019-05", " ", "请填写理由。"),
        ("2019-05", "<b>理</b>\x07", "理由里没有文字，或有看不见的字符；请改后再提交。"),
    ):
        answer = post_form(ops, "/restatement", month=month, reason=reason)
        assert (answer.status_code, sentence in answer.text) == (422, True), (month, reason)
        assert "<b>" not in answer.text
        if month == "2019-05":
            assert "<option selected>2019-05</option>" in answer.text
        else:
            assert ">台账更正</textarea>" in answer.text
    for action in ("draft", "restatement", "resend-failed"):
        assert ops.post(f"{BULLETINS}/{action}", data={"key": "x", "quarter": "2019-Q9"}).status_code == 404
        assert ops.post(f"{BULLETINS}/{action}").status_code == 404
        stale = ops.post(
            f"{BULLETINS}/{action}", data={"key": "x", "quarter": "2019-Q2", "month": "2019-05", "reason": "y"}
        )
        assert (stale.status_code, "表单已失效，没有执行" in stale.text) == (422, True)
    assert runs() == []


def test_a_dag_that_airflow_does_not_have_or_that_is_paused(city: Engine, ops: TestClient, runs: Any) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    def change(**values: bool) -> None:
        with create_session() as session:
            for model in session.scalars(select(DagModel)):
                for name, value in values.items():
                    setattr(model, name, value)

    try:
        change(is_stale=True)
        answer = post_form(ops, "/draft")
        assert (answer.status_code, "Airflow 现在没有可用的“季度通报”任务" in answer.text) == (422, True)
        assert rows(city, "select 1 from registry.action") == []
        change(is_stale=False, is_paused=True)
        answer = post_form(ops, "/draft")
        assert "“季度通报”任务现在是暂停的，在 Airflow 里恢复后才会运行" in outcome_of(ops, answer)
    finally:
        change(is_stale=False, is_paused=False)


def test_who_only_sees_has_no_forms_and_cannot_act(
    sent: Engine, ops: TestClient, login: Login, stranger: TestClient, runs: Any
) -> None:
    restate(sent, "2019-05")
    viewer = login("viewer")
    for path in (BULLETINS, MESSAGES):
        assert viewer.get(path).status_code == 200
        assert login(None).get(path).status_code == 403
        assert stranger.get(path).status_code == 307
    for page in (viewer.get(BULLETINS), viewer.get(MESSAGES, params={"message": FAILED})):
        assert page.status_code == 200
        assert 'method="post"' not in page.text
    for action in ("draft", "restatement", "resend-failed", "messages/resend"):
        page = f"{MESSAGES}?message={FAILED}" if action.startswith("messages") else BULLETINS
        form = form_of(ops.get(page).text, f"/{action}")
        assert form is not None, action
        for role in ("viewer", "user"):
            assert login(role).post(f"{BULLETINS}/{action}", data=form).status_code == 403
        foreign = ops.post(f"{BULLETINS}/{action}", data=form, headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
    assert runs() == []
    assert rows(sent, "select 1 from registry.action") == []
