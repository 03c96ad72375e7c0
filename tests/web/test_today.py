"""The page of today: each thing that wants a human is made, found on the page, and gone when it is mended."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.collection import collect
from five_precisions.figures import set_aside
from five_precisions.housekeeping import Task, TaskOutcome, record
from five_precisions.intake import move_deadline
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register, open_period, save_register
from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from five_precisions.web import todo_inbox
from five_precisions.web.todo import Urgency
from five_precisions.web.todo_inbox import forget_looks
from five_precisions.web.todo_warehouse import short_of_disk, workdays_left
from tests import rows
from tests.packages import JUNE, OTHER_RESIDENT_ID, cover_file, cover_line, package, put, report_file, sound
from tests.web.conftest import PREFIX, Login

pytestmark = pytest.mark.integration

PAGE = f"{PREFIX}/today"
NOTHING = "没有需要您处理的事。"
DAGS = {
    "monthly_collection": "月度收集 · monthly collection",
    "monthly_assessment": "月度考核 · monthly assessment",
    "quarterly_bulletin": "季度通报 · quarterly bulletin",
    "restatement": "数据重述 · restatement",
}
RUN = "manual__2019-08-01T00:00:00+08:00"
QUOTED_RUN = "manual__2019-08-01T00%3A00%3A00%2B08%3A00"


class Airflow:
    """The metadata of a healthy Airflow with DAGs of ours, to be spoilt by a test."""

    def __init__(self) -> None:
        from airflow.jobs.job import Job
        from airflow.models.dag import DagModel, DagTag
        from airflow.models.dagbundle import DagBundleModel
        from airflow.utils.session import create_session

        self.now = datetime.now(UTC)
        self._session = create_session
        with self._session() as session:
            session.add(DagBundleModel(name="ours"))
            session.flush()
            for dag_id, title in DAGS.items():
                dag = DagModel(dag_id=dag_id, bundle_name="ours", is_stale=False, is_paused=False)
                dag._dag_display_property_value = title
                session.add(dag)
                session.flush()
                session.add(DagTag(name="five-precisions", dag_id=dag_id))
            for kind in ("SchedulerJob", "TriggererJob", "DagProcessorJob"):
                session.add(Job(job_type=kind, state="running", start_date=self.now, latest_heartbeat=self.now))

    def execute(self, statement: str, **values: Any) -> None:
        with self._session() as session:
            session.execute(text(statement), values)

    def run(self, dag_id: str, state: str, run_id: str = RUN, *, key: str | None = None, ago: timedelta) -> None:
        from airflow.models.dagrun import DagRun

        with self._session() as session:
            run = DagRun(dag_id, run_id, run_after=self.now, state=state, run_type="manual", partition_key=key)
            session.add(run)
            session.flush()
            run.end_date = self.now - ago

    def task(self, dag_id: str, task_id: str, state: str, *, index: int = -1, run_id: str = RUN) -> str:
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import insert

        number = uuid4()
        values = {"id": number, "dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": index}
        with self._session() as session:
            session.execute(insert(TaskInstance).values(**values, state=state, pool="default_pool", end_date=self.now))
        return str(number)

    def ask(self, dag_id: str, subject: str, *, run_id: str = RUN, at: datetime | None = None) -> str:
        """A task that waits for an answer."""
        from uuid import UUID

        from airflow.models.hitl import HITLDetail

        number = self.task(dag_id, "approve", "awaiting_input", run_id=run_id)
        with self._session() as session:
            session.add(
                HITLDetail(
                    ti_id=UUID(number),
                    options=["Approve", "Reject"],
                    subject=subject,
                    params={},
                    params_input={},
                    created_at=at or self.now,
                )
            )
        return number

    def answer(self, number: str) -> None:
        from uuid import UUID

        from airflow.models.hitl import HITLDetail
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import update

        with self._session() as session:
            session.execute(
                update(HITLDetail)
                .where(HITLDetail.ti_id == UUID(number))
                .values(responded_at=self.now, chosen_options=["Reject"])
            )
            session.execute(update(TaskInstance).where(TaskInstance.id == UUID(number)).values(state="success"))

    def clean(self) -> None:
        for table in ("hitl_detail", "task_instance", "dag_run", "job", "dag_tag", "import_error", "dag", "dag_bundle"):
            self.execute(f"delete from {table}")


@pytest.fixture
def airflow(api_server: FastAPI) -> Iterator[Airflow]:
    """Airflow in which nothing wants a human."""
    assert api_server
    made = Airflow()
    yield made
    made.clean()
    forget_looks()


@pytest.fixture(autouse=True)
def _backed_up(request: pytest.FixtureRequest) -> None:
    """A backup of last night, and a restore of it, wherever a test has a warehouse."""
    if "golden_copy" in request.fixturenames:
        with open_warehouse(request.getfixturevalue("golden_copy")) as engine:
            back_up_now(engine)
    elif {"engine", "settings"}.intersection(request.fixturenames):
        back_up_now(request.getfixturevalue("engine"))


@pytest.fixture(autouse=True)
def _roomy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """How full this machine's disk is, is no matter of the tests."""
    roomy = shutil.disk_usage("/")._replace(total=100 * 2**30, free=90 * 2**30)
    monkeypatch.setattr("five_precisions.web.todo_warehouse.shutil.disk_usage", lambda _: roomy)


def back_up_now(engine: Engine) -> None:
    for task in (Task.BACKUP, Task.RESTORE_TEST):
        record(engine, task, "Done.")


@pytest.fixture
def ops(airflow: Airflow, login: Login) -> TestClient:
    """Somebody of ops, with a healthy Airflow."""
    assert airflow
    return login("op")


def show(client: TestClient) -> str:
    """The page, looked at anew."""
    forget_looks()
    answer = client.get(PAGE)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def words(page: str) -> list[str]:
    """What the page says, part by part; before an item stands how urgent it is."""
    body = page.partition("<main")[2]
    plain = re.sub(r"<[^>]+>", "\x00", body)
    return [unescape(" ".join(each.split())) for each in plain.split("\x00") if each.strip()]


def found(page: str, part: str) -> str:
    """The only sentence with those words."""
    [only] = [each for each in words(page) if part in each]
    return only


def urgency(page: str, part: str) -> str:
    said = words(page)
    return said[said.index(found(page, part)) - 1]


def href(page: str, part: str) -> str:
    """Where the sentence with those words leads."""
    [address] = re.findall(rf'<a href="([^"]*)"[^>]*>[^<]*{re.escape(part)}', page)
    return unescape(address)


def execute(settings: Settings, *statements: str) -> None:
    with open_warehouse(settings) as engine:
        rows.execute(engine, *statements)


# The page itself


def test_where_nothing_waits_the_page_says_so_and_what_comes_next(
    ops: TestClient, airflow: Airflow, register_saved_engine: Engine
) -> None:
    assert register_saved_engine
    tomorrow = airflow.now + timedelta(days=1)
    airflow.execute("update dag set next_dagrun_create_after = :at where dag_id = 'monthly_collection'", at=tomorrow)
    page = show(ops)
    assert NOTHING in page
    assert "<h1>今日</h1>" in page
    at = tomorrow.astimezone(SHANGHAI)
    assert f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}" in page
    assert href(page, "月度收集") == "/dags/monthly_collection"


def test_without_schedule_and_deadline_it_says_that_nothing_comes(ops: TestClient, engine: Engine) -> None:
    assert engine
    assert "没有排定的任务和期限。" in show(ops)


@pytest.mark.parametrize(("role", "status"), [("viewer", 200), ("op", 200), ("admin", 200), (None, 403)])
def test_who_may_see_runs_may_see_what_waits(
    airflow: Airflow, engine: Engine, login: Login, role: str | None, status: int
) -> None:
    assert airflow
    assert engine
    assert login(role).get(PAGE).status_code == status


def test_a_stranger_is_led_to_the_login(stranger: TestClient) -> None:
    answer = stranger.get(PAGE)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (307, "/api/v2/auth/login")


def test_without_the_warehouse_there_is_one_sentence(
    ops: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings
    monkeypatch.setenv(f"{ENVIRONMENT}WAREHOUSE", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    answer = ops.get(PAGE)
    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text


def test_nonsense_in_the_address_changes_nothing(ops: TestClient, engine: Engine) -> None:
    assert engine
    assert ops.get(f"{PAGE}?period=nonsense&done=x&a=%00").status_code == 200
    assert ops.get(f"{PAGE}?download=other.csv").status_code == 404


def test_a_source_that_cannot_be_read_hides_no_other(ops: TestClient, airflow: Airflow, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("alter table notify.message rename to gone"))
    airflow.execute("update dag set is_paused = true where dag_id = 'monthly_collection'")
    page = show(ops)
    assert found(page, "发件箱暂时读不到")
    assert found(page, "“月度收集”任务已停用")
    assert NOTHING not in page


def test_where_airflow_cannot_be_read_the_warehouse_is_shown(
    ops: TestClient, airflow: Airflow, settings: Settings, register_saved_engine: Engine
) -> None:
    assert register_saved_engine
    execute(settings, "update registry.institution set left_files_at = now() where code = 'B02'")
    airflow.execute("alter table import_error rename to gone")
    try:
        page = show(ops)
    finally:
        airflow.execute("alter table gone rename to import_error")
    assert found(page, "Airflow 的数据暂时读不到")
    assert found(page, "已不在机构名册中")


# What Airflow knows


def test_an_approval_waits_with_its_draft(ops: TestClient, airflow: Airflow, settings: Settings) -> None:
    execute(settings, "insert into registry.period values ('2019-06', now())", A_RUN, A_DRAFT)
    airflow.run("quarterly_bulletin", "running", key="2019-Q2", ago=timedelta())
    number = airflow.ask("quarterly_bulletin", "关于2019年第二季度的通报（第1稿）")
    page = show(ops)
    assert urgency(page, "季度通报等待审批：关于2019年第二季度的通报（第1稿）") == "马上办"
    address = f"/dags/quarterly_bulletin/runs/{QUOTED_RUN}/tasks/approve/required_actions"
    assert href(page, "季度通报等待审批") == address
    assert href(page, "看稿件") == f"{PREFIX}/drafts/2019-Q2/1"
    assert ops.get(href(page, "看稿件")).status_code == 200
    assert "没有审批结果" not in page, "the same draft is one thing"
    airflow.answer(number)
    page = show(ops)
    assert "季度通报等待审批" not in page
    assert found(page, "2019-Q2通报第1稿没有审批结果，审批任务也不在等待")
    assert href(page, "2019-Q2通报第1稿") == f"{PREFIX}/bulletins?quarter=2019-Q2"


def test_a_failed_run_stands_until_another_makes_up_for_it(ops: TestClient, airflow: Airflow, engine: Engine) -> None:
    assert engine
    airflow.run("monthly_assessment", "failed", key="2019-06", ago=timedelta(hours=2))
    page = show(ops)
    assert urgency(page, "“月度考核”2019-06的运行失败") == "马上办"
    assert href(page, "“月度考核”2019-06的运行失败") == f"/dags/monthly_assessment/runs/{QUOTED_RUN}"
    airflow.run("monthly_assessment", "success", "other", key="2019-05", ago=timedelta(hours=1))
    assert "运行失败" in show(ops), "another month's"
    airflow.run("monthly_assessment", "success", "again", key="2019-06", ago=timedelta(hours=1))
    assert NOTHING in show(ops)


def test_a_run_that_failed_long_ago_is_no_news(ops: TestClient, airflow: Airflow, engine: Engine) -> None:
    assert engine
    airflow.run("monthly_assessment", "failed", key="2019-06", ago=timedelta(days=8))
    assert NOTHING in show(ops)


def test_failed_tasks_of_a_run_that_goes_on(ops: TestClient, airflow: Airflow, engine: Engine) -> None:
    assert engine
    airflow.run("monthly_collection", "running", key="2019-06", ago=timedelta())
    for index, state in enumerate(("failed", "failed", "success")):
        airflow.task("monthly_collection", "collect", state, index=index)
    airflow.task("monthly_collection", "close", "upstream_failed")
    page = show(ops)
    assert urgency(page, "其中“collect”失败（2行）") == "待办"
    tasks = f"/dags/monthly_collection/runs/{QUOTED_RUN}/tasks"
    assert href(page, "其中“collect”失败") == f"{tasks}/collect/mapped"
    assert href(page, "其中“close”因前面的任务失败没有执行") == f"{tasks}/close"
    airflow.execute("update dag_run set state = 'success'")
    assert NOTHING in show(ops), "the run has ended well"


def test_what_keeps_airflow_from_running(ops: TestClient, airflow: Airflow, engine: Engine) -> None:
    assert engine
    airflow.execute("insert into import_error (bundle_name, filename) values ('ours', 'sub/restatement.py')")
    airflow.execute("insert into import_error (bundle_name, filename) values ('theirs', 'other.py')")
    airflow.execute("update job set latest_heartbeat = '2019-07-01 00:00:00' where job_type = 'TriggererJob'")
    page = show(ops)
    assert "任务文件 restatement.py 有错误" in page
    assert "other.py" not in page, "another project's"
    assert "Airflow 触发器没有心跳" in page
    assert "Airflow 调度器没有心跳" not in page
    airflow.execute("delete from dag_tag")
    assert "Airflow 里没有本系统的任务" in show(ops)


# Packages and reports


def test_a_rejected_package_waits_until_a_better_one_comes(
    ops: TestClient, register_saved_engine: Engine, settings: Settings
) -> None:
    place = Path(settings.inbox_address) / str(JUNE) / "B01"
    put(place, package(loans=[sound("loans", balance="60000")], grid=[sound("grid")]))
    collect(register_saved_engine, settings, JUNE)
    page = show(ops)
    sentence = "2019年6月第1版部分被退回（1张报表），还没有报来更正。"
    assert urgency(page, sentence) == "马上办", "its deadline is over"
    answer = ops.get(href(page, sentence))
    assert (answer.status_code, "2019-06-B01-1" in answer.text) == (200, True)
    put(place, package(loans=[sound("loans")]))
    collect(register_saved_engine, settings, JUNE)
    page = show(ops)
    assert "被退回" not in page
    assert found(page, "2019年6月还有")


def test_files_without_a_cover_wait_until_it_comes(
    ops: TestClient, register_saved_engine: Engine, settings: Settings
) -> None:
    place = Path(settings.inbox_address) / str(JUNE) / "B01"
    files = [report_file("grid", [sound("grid")])]
    put(place, files, datetime.now(SHANGHAI) - timedelta(minutes=40))
    collect(register_saved_engine, settings, JUNE)
    page = show(ops)
    assert urgency(page, "2019年6月的文件缺少报送说明") == "待办"
    assert ops.get(href(page, "2019年6月的文件缺少报送说明")).status_code == 200
    put(place, [cover_file(cover_line("grid", [sound("grid")]))])
    collect(register_saved_engine, settings, JUNE)
    assert "缺少报送说明" not in show(ops)


def test_files_that_nobody_takes_in(ops: TestClient, register_saved_engine: Engine, settings: Settings) -> None:
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, JUNE)
    place = Path(settings.inbox_address) / str(JUNE) / "B01"
    put(place, [report_file("grid", [sound("grid")])], datetime.now(SHANGHAI) - timedelta(minutes=50))
    assert "放在收件箱里没有收取" not in show(ops)
    put(place, [report_file("grid", [sound("grid")])], datetime.now(SHANGHAI) - timedelta(minutes=150))
    assert found(show(ops), "2019年6月的文件放在收件箱里没有收取")


def test_a_package_that_we_failed_to_check(ops: TestClient, register_saved_engine: Engine, settings: Settings) -> None:
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, JUNE)
        connection.execute(
            text(
                "insert into intake.seen_package "
                "values ('2019-06', 'B01', 'x', now(), now() - interval '1 day', 'KeyError')"
            )
        )
    place = Path(settings.inbox_address) / str(JUNE) / "B01"
    put(place, [report_file("grid", [sound("grid")])])
    page = show(ops)
    assert urgency(page, "2019年6月的报送包因本系统出错没有核对（KeyError）") == "马上办"
    assert "放在收件箱里没有收取" not in page, "the same files are one thing"
    shutil.rmtree(place)
    assert "因本系统出错" not in show(ops), "the institution has taken it back"


def test_what_is_missing_by_the_day_of_its_deadline(
    ops: TestClient, register_saved_engine: Engine, settings: Settings
) -> None:
    today = datetime.now(SHANGHAI).date()
    month = Period.of(today).previous()
    move_deadline(register_saved_engine, settings, month, today + timedelta(days=40), "节日")
    move_deadline(register_saved_engine, settings, month, today, "停电", institution="B01")
    page = show(ops)
    assert urgency(page, f"{month.words}还有1家机构没有报齐，今天（") == "马上办"
    assert urgency(page, "个工作日。") == "留意"
    first, rest = page.index("还有1家机构"), page.index("个工作日。")
    assert first < rest, "the most urgent first"
    assert ops.get(href(page, "还有1家机构")).status_code == 200
    [name] = re.findall(r'<a href="[^"]*/reporting/B01\?period=[^"]*">([^<]*) 缺\d+</a>', page)
    assert name
    execute(settings, f"insert into intake.close (period, closed_at) values ('{month}', now())")
    assert "没有报齐" not in show(ops)


def test_the_next_deadline_stands_below(ops: TestClient, register_saved_engine: Engine, settings: Settings) -> None:
    month = Period.of(datetime.now(SHANGHAI).date()).previous()
    day = datetime.now(SHANGHAI).date() + timedelta(days=20)
    move_deadline(register_saved_engine, settings, month, day, "节日")
    assert f"{month.words}报送截止（{day.year}年{day.month}月{day.day}日 24:00）" in show(ops)


def test_working_days_left_do_not_count_today() -> None:
    friday = datetime(2019, 7, 5, 10, tzinfo=SHANGHAI)
    wednesday = datetime(2019, 7, 11, tzinfo=SHANGHAI)
    assert workdays_left(friday, wednesday, {}) == 3
    assert workdays_left(friday, wednesday, {date(2019, 7, 6): True}) == 4


# The inbox


def test_folders_that_nobody_looks_into(ops: TestClient, register_saved_engine: Engine, settings: Settings) -> None:
    assert register_saved_engine
    for folder in ("2019-06/X99", "2019-6", "2999-01", OTHER_RESIDENT_ID):
        (Path(settings.inbox_address) / folder).mkdir(parents=True)
    page = show(ops)
    assert urgency(page, "收件箱2019-06里的文件夹“X99”没人收取：当月没有这个机构") == "待办"
    assert found(page, "文件夹“2019-6”没人收取：名字不是月份")
    assert found(page, "文件夹“2999-01”没人收取：这个月还没有开始")
    assert OTHER_RESIDENT_ID not in page
    assert not re.search(r"Nobody|belongs", page)


def test_an_inbox_that_does_not_answer_hides_nothing_else(
    ops: TestClient, register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(settings, "update registry.institution set left_files_at = now() where code = 'B02'")
    monkeypatch.setenv(f"{ENVIRONMENT}INBOX", "sftp://127.0.0.1:1/inbox")
    page = show(ops)
    for _ in range(100):
        if "正在查看收件箱" not in page:
            break
        page = ops.get(PAGE).text
    assert found(page, "收件箱暂时读不到")
    assert "127.0.0.1" not in page
    assert found(page, "已不在机构名册中")


def test_an_inbox_that_keeps_silent_holds_no_page_up(
    ops: TestClient, register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(settings, "update registry.institution set left_files_at = now() where code = 'B02'")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv(f"{ENVIRONMENT}INBOX", f"sftp://127.0.0.1:{port}/inbox")
        begun = monotonic()
        page = show(ops)
        took = monotonic() - begun
        assert found(page, "正在查看收件箱，请稍后刷新本页。")
        assert found(page, "已不在机构名册中")
        # The page waits a second for the look; the rest is the machine's.
        assert 1 <= took < 10
        assert [each.name for each in threading.enumerate()].count("inbox-look") == 1
        page = str(ops.get(PAGE).text)
        assert found(page, "正在查看收件箱")
        assert [each.name for each in threading.enumerate()].count("inbox-look") == 1, "no second look beside it"
        monkeypatch.setattr(todo_inbox, "_STUCK_SECONDS", 0)
        assert found(str(ops.get(PAGE).text), "收件箱暂时读不到：没有回应")


# Restatements, cases, messages


A_RUN = (
    "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
    "code_version, current) values ('2019-06-r1', '2019-06', 1, now(), 'x', '1', '1', '1', true)"
)
A_DRAFT = (
    "insert into notify.shown_draft (quarter, draft, digest, title, run_id, checks) "
    "values ('2019-Q2', 1, 'x', '关于2019年第二季度的通报', '2019-06-r1', '{}')"
)
A_LATE_VERSION = (
    "insert into intake.submission (submission_id, period, institution_code, version, received_at, replayed, digest, "
    "verdict, recorded_at) values ('2019-06-B01-9', '2019-06', 'B01', 9, now(), false, 'x', 'accepted', now())"
)
ITS_REPORT = (
    "insert into intake.report (submission_id, report, rows, verdict, errors, warnings) "
    "values ('2019-06-B01-9', 'loans', 1, 'accepted', 0, 0)"
)


def test_a_late_version_waits_for_a_decision(ops: TestClient, airflow: Airflow, golden_copy: Settings) -> None:
    assert "迟报数据" not in show(ops)
    execute(golden_copy, A_LATE_VERSION, ITS_REPORT)
    page = show(ops)
    sentence = "2019年6月关闭后又收到1家机构的迟报数据（1张报表），没有计入考核"
    assert urgency(page, sentence) == "待办"
    assert href(page, sentence) == f"{PREFIX}/bulletins?quarter=2019-Q2"
    assert f"{PREFIX}/reporting/B01?period=2019-06" in page
    execute(golden_copy, f"insert into registry.restatement_request values ('{RUN}', '2019-06')")
    airflow.run("restatement", "running", ago=timedelta())
    number = airflow.ask("restatement", "重述2019-06", at=airflow.now + timedelta(minutes=5))
    page = show(ops)
    assert found(page, "数据重述等待审批：重述2019-06")
    assert "迟报数据" not in page, "what is asked for already is one thing"
    airflow.answer(number)
    assert "迟报数据" not in show(ops), "it was shown, and the answer was no"


def test_a_version_that_is_in_the_run_is_not_late(ops: TestClient, golden_copy: Settings) -> None:
    execute(golden_copy, A_LATE_VERSION, ITS_REPORT)
    assert "迟报数据" in show(ops)
    execute(
        golden_copy,
        "update mart.run_input set submission_id = '2019-06-B01-9' "
        "where run_id = '2019-06-r1' and period = '2019-06' and institution_code = 'B01' and report = 'loans'",
    )
    assert "迟报数据" not in show(ops)


def test_months_that_stand_on_figures_restated_since(ops: TestClient, golden_copy: Settings) -> None:
    execute(
        golden_copy,
        "update mart.run set current = false where run_id = '2019-04-r1'",
        "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
        "code_version, current) values ('2019-04-r2', '2019-04', 2, now(), 'x', '1', '1', '1', true)",
    )
    page = show(ops)
    assert found(page, "2019年4月已重述，以后的月份还是按旧数据算的；请依次重述：2019-05、2019-06。")


def test_findings_past_their_date(ops: TestClient, golden_copy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert golden_copy
    page = show(ops)
    assert page.count("的督查问题 DC2019-") == 5
    assert href(page, "DC2019-001") == f"{PREFIX}/cases/inspections?period=2019-06"
    monkeypatch.setenv(f"{ENVIRONMENT}REPLAY", "true")
    page = show(ops)
    assert page.count("的督查问题 DC2019-") == 3, "in a replay no time passes"
    assert found(page, "DC2019-001（主体责任落实，较重）整改期限2019-04-30，已逾期61天")


def test_a_case_whose_setting_aside_has_run_out(ops: TestClient, golden_copy: Settings) -> None:
    with open_warehouse(golden_copy) as engine:
        with engine.begin() as connection:
            case_id = connection.execute(
                text("select case_id from mart.case_state where run_id = '2019-06-r1' and state = 'open' limit 1")
            ).scalar_one()
        set_aside(engine, case_id, reason="核实中", until=date(2019, 7, 31), decided_by="张三")
        with engine.begin() as connection:
            assert "已到期" not in show(ops), "no run has set it aside"
            connection.execute(
                text("update mart.case_state set state = 'set_aside' where run_id = '2019-06-r1' and case_id = :case"),
                {"case": case_id},
            )
    page = show(ops)
    assert urgency(page, f"{case_id}（") == "留意"
    assert "搁置期2019-07-31已满" in page


def post(settings: Settings, key: str, status: str, created_at: str = "now()", fallback_of: str = "null") -> None:
    execute(
        settings,
        "insert into notify.message (message_key, kind, period, recipient, status, created_at, institution_code, "
        f"subject, html, fallback_of) values ('{key}', 'receipt', '2019-06', 'a@example.test', '{status}', "
        f"{created_at}, 'B01', 'x', 'x', {fallback_of})",
    )


def test_messages_that_did_not_arrive(ops: TestClient, register_saved_engine: Engine, settings: Settings) -> None:
    assert register_saved_engine
    post(settings, "sent", "sent")
    post(settings, "new", "pending")
    assert NOTHING in show(ops)
    post(settings, "failed", "failed")
    post(settings, "failed too", "failed")
    post(settings, "doubt", "in_doubt")
    post(settings, "old", "pending", "now() - interval '25 hours'")
    page = show(ops)
    assert found(page, "2019-06回执有2封发送失败")
    assert found(page, "2019-06回执有1封发送结果存疑")
    assert found(page, "2019-06回执有1封放入发件箱一天以上还没有发出")
    failed = f"{PREFIX}/bulletins/messages?status=failed&kind=receipt&period=2019-06"
    assert href(page, "2封发送失败") == failed
    post(settings, "stand-in", "sent", fallback_of="'failed'")
    assert found(show(ops), "2019-06回执有1封发送失败"), "where a mail stands in for it, that one counts"


def test_more_than_a_page_holds_is_counted_and_saved(ops: TestClient, golden_copy: Settings) -> None:
    for number in range(10):
        post(golden_copy, f"failed-{number}", "failed")
        execute(
            golden_copy,
            f"update notify.message set period = '2018-{number + 1:02d}' where message_key = 'failed-{number}'",
        )
    page = show(ops)
    assert page.count("封发送失败") == 8
    assert href(page, "还有2件") == f"{PREFIX}/bulletins/messages"
    assert "<h1>今日：15件事等您处理</h1>" in page
    saved = ops.get(f"{PAGE}?download=todo.csv")
    assert saved.status_code == 200
    lines = saved.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "紧急程度,类别,事项,自,涉及"
    assert len(lines) == 16
    assert ops.get(f"{PAGE}?download=todo.xlsx").content.startswith(b"PK")


# The register, the disk


def test_the_register_and_deadlines_that_want_a_decision(
    ops: TestClient, register_saved_engine: Engine, settings: Settings
) -> None:
    register = load_register(settings.register_folder)
    kept = tuple(each for each in register.institutions if each.code != "B02")
    contacts = tuple(each for each in register.contacts if each.institution_code != "B02")
    with register_saved_engine.begin() as connection:
        save_register(connection, type(register)(kept, register.divisions, contacts, register.obligations))
        connection.execute(text("insert into registry.period values ('2029-01', '2029-02-20T00:00+08')"))
    page = show(ops)
    assert urgency(page, "（B02）已不在机构名册中") == "待办"
    assert href(page, "（B02）已不在机构名册中") == f"{PREFIX}/institutions/B02"
    assert urgency(page, "2029年放假安排尚未公布") == "留意"


@pytest.mark.parametrize(
    ("free", "total", "expected"),
    [(20, 100, None), (6, 50, None), (9, 100, Urgency.SOON), (4, 20, Urgency.SOON), (2, 100, Urgency.NOW)],
)
def test_a_disk_that_fills(free: int, total: int, expected: Urgency | None) -> None:
    assert short_of_disk(free * 1024**3, total * 1024**3) is expected


# Housekeeping


def test_a_backup_that_nobody_has_made(ops: TestClient, engine: Engine) -> None:
    rows.rewrite(engine, "delete from registry.housekeeping")
    page = show(ops)
    assert urgency(page, "还没有成功做过备份；") == "待办"
    assert urgency(page, "还没有成功做过备份的恢复试验；") == "待办"
    assert href(page, "还没有成功做过备份；") == "/dags/housekeeping"


def test_a_replay_has_no_nights(ops: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{ENVIRONMENT}REPLAY", "true")
    rows.rewrite(engine, "delete from registry.housekeeping")
    assert "备份" not in show(ops)


def test_a_backup_that_is_too_old(ops: TestClient, engine: Engine) -> None:
    rows.rewrite(engine, "update registry.housekeeping set done_at = now() - interval '3 days' where task = 'backup'")
    record(engine, Task.BACKUP, "The disk is full.", outcome=TaskOutcome.FAILED)
    page = show(ops)
    assert urgency(page, "上一次成功的备份是") == "马上办"
    assert "已过3天" in found(page, "上一次成功的备份是")
    assert urgency(page, "“备份”上次没有成功") == "待办"
    back_up_now(engine)
    assert NOTHING in show(ops)


def test_a_disk_that_will_be_full(ops: TestClient, engine: Engine) -> None:
    disk = {"folder": "/data", "size": 100, "free": 50, "days_left": 31}
    record(engine, Task.DISK, "Looked at.", {"disks": [disk]})
    assert NOTHING in show(ops)
    record(engine, Task.DISK, "Looked at.", {"disks": [disk | {"days_left": 20}, disk | {"days_left": 6}]})
    page = show(ops)
    assert urgency(page, "磁盘约20天后写满") == "待办"
    assert urgency(page, "磁盘约6天后写满") == "马上办"
    assert "/data" not in page


def test_another_disk_that_is_nearly_full_without_a_forecast(
    ops: TestClient, engine: Engine, settings: Settings
) -> None:
    nearly_full = {"folder": "/backups", "size": 100 * 2**30, "free": 2 * 2**30, "days_left": None}
    ours = nearly_full | {"folder": str(settings.var.resolve())}
    record(engine, Task.DISK, "Looked at.", {"disks": [nearly_full | {"free": 50 * 2**30}, ours]})
    assert "另一块存放数据的磁盘" not in show(ops), "one has room, and how full the other is, is looked at now"
    record(engine, Task.DISK, "Looked at.", {"disks": [nearly_full]})
    page = show(ops)
    assert urgency(page, "另一块存放数据的磁盘只剩2.0 GB（2%），请清理或扩容。") == "待办"
    assert href(page, "另一块存放数据的磁盘") == "/dags/housekeeping"
    assert "/backups" not in page


def test_files_that_the_archive_has_lost(ops: TestClient, engine: Engine) -> None:
    record(engine, Task.BACKUP, "Done.", {"lost": 0})
    assert NOTHING in show(ops)
    record(engine, Task.BACKUP, "Done.", {"lost": 3})
    page = show(ops)
    assert urgency(page, "存档里缺少3个有记录的文件") == "马上办"
    assert "five-precisions verify" in found(page, "存档里缺少3个有记录的文件")
    record(engine, Task.BACKUP, "Done.", {"lost": 0})
    assert NOTHING in show(ops)


def test_a_task_that_has_not_run_for_days(ops: TestClient, engine: Engine) -> None:
    for task in (Task.PARTITIONS, Task.RETENTION):
        record(engine, task, "Done.")
    for task, age in ((Task.PARTITIONS, "3 days 1 hour"), (Task.RETENTION, "47 hours")):
        older = "update registry.housekeeping set done_at = now() - cast(:age as interval) where task = :task"
        rows.rewrite(engine, older, age=age, task=task)
    page = show(ops)
    assert urgency(page, "“预建分区”已3天没有运行，请看“每日维护”是否停用。") == "待办"
    assert "日志和旧文件清理" not in page, "one night may go wrong"
    record(engine, Task.PARTITIONS, "Done.")
    assert NOTHING in show(ops)
