"""Reminders: each once, to those that miss something, naming what.

See docs/intake.md#its-life; docs/outputs.md#messages.
"""

from __future__ import annotations

import threading
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from five_precisions.collection import collect
from five_precisions.delivery import dispatch
from five_precisions.intake import move_deadline, read_deadline
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts import post_reminders
from five_precisions.receipts.reminders import Stage, delivery_folder, stage_due
from five_precisions.settings import Settings
from tests.mail_server import MailServer
from tests.packages import JUNE, others_package, package, put, sound, sound_package

LAST_DAY = date(2019, 7, 10)
BANK_REPORTS = ("loans", "position", "visits", "outreach", "grid", "matches")


def at(day: int, hour: int = 9) -> datetime:
    """A morning in July 2019."""
    return datetime(2019, 7, day, hour, tzinfo=SHANGHAI)


@pytest.fixture
def engine(engine: Engine, settings: Settings) -> Engine:
    """June is open; B01 has everything accepted, B02 all but a rejected report and one never delivered."""
    inbox = Path(settings.inbox_address) / str(JUNE)
    put(inbox / "B01", others_package(*BANK_REPORTS))
    put(inbox / "B02" / "v1", sound_package("position", "visits", "outreach", "grid"))
    put(inbox / "B02" / "v2", package(loans=[sound("loans", category="没有的类别")]))
    collect(engine, settings, JUNE, replay=True)
    return engine


def body(mail: EmailMessage, kind: str) -> str:
    """The HTML or the text part of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def messages(engine: Engine, code: str) -> list[str]:
    """Editions of an institution's reminders."""
    query = (
        "select message_key from notify.message "
        "where kind = 'reminder' and institution_code = :code order by created_at"
    )
    with engine.connect() as connection:
        keys = connection.execute(text(query), {"code": code}).scalars().all()
    assert all(key.startswith(f"reminder/2019-06/{code}/{code.lower()}@example.test/") for key in keys)
    return [key.rpartition("/")[2] for key in keys]


@pytest.mark.parametrize(
    ("day", "stage"),
    [
        (date(2019, 7, 6), None),
        (date(2019, 7, 7), Stage.BEFORE_3),
        (date(2019, 7, 8), Stage.BEFORE_3),
        (date(2019, 7, 9), Stage.BEFORE_1),
        (date(2019, 7, 10), Stage.BEFORE_1),
        (date(2019, 7, 11), Stage.AFTER_1),
        (date(2019, 7, 17), Stage.AFTER_1),
        (date(2019, 7, 18), None),
    ],
)
def test_which_reminder_is_due(day: date, stage: Stage | None) -> None:
    assert stage_due(day, LAST_DAY) == stage


def test_each_reminder_is_posted_once_and_only_to_those_that_miss_something(engine: Engine, settings: Settings) -> None:
    assert post_reminders(engine, settings, now=at(6)) == []
    first = post_reminders(engine, settings, now=at(7))
    assert len(first) == 16
    assert {key.split("/")[2] for key in first} == {
        *(f"B{number:02d}" for number in range(2, 13)), "C01", "C02", "C03", "C04", "Z01",
    }  # fmt: skip
    # Later that day, and the next day: the same reminder.
    assert post_reminders(engine, settings, now=at(7, 23)) == []
    assert post_reminders(engine, settings, now=at(8)) == []
    assert len(post_reminders(engine, settings, now=at(9))) == 16
    assert post_reminders(engine, settings, now=at(10)) == []
    assert len(post_reminders(engine, settings, now=at(11))) == 16
    assert post_reminders(engine, settings, now=at(12)) == []
    assert messages(engine, "B02") == ["before-3-2019-07-10", "before-1-2019-07-10", "after-1-2019-07-10"]
    assert messages(engine, "B01") == []


def test_leaders_are_not_reminded(engine: Engine, settings: Settings) -> None:
    keys = post_reminders(engine, settings, now=at(7))
    assert [key for key in keys if "/Z01/" in key] == ["reminder/2019-06/Z01/z01@example.test/before-3-2019-07-10"]


def test_whoever_delivers_after_the_first_reminder_gets_no_second(engine: Engine, settings: Settings) -> None:
    post_reminders(engine, settings, now=at(7))
    put(Path(settings.inbox_address) / str(JUNE) / "B02" / "v3", sound_package("loans", "matches"))
    collect(engine, settings, JUNE, institution="B02", replay=True)
    assert not [key for key in post_reminders(engine, settings, now=at(9)) if "/B02/" in key]


def test_after_days_without_a_look_only_what_is_due_now_is_posted(engine: Engine, settings: Settings) -> None:
    post_reminders(engine, settings, now=at(10))
    post_reminders(engine, settings, now=at(14))
    assert messages(engine, "B02") == ["before-1-2019-07-10", "after-1-2019-07-10"]
    assert post_reminders(engine, settings, now=at(18)) == []


def test_two_at_once_post_each_reminder_once(engine: Engine, settings: Settings) -> None:
    found: list[str] = []
    barrier = threading.Barrier(3)

    def work() -> None:
        barrier.wait()
        found.extend(post_reminders(engine, settings, now=at(7)))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 16


def test_reminders_follow_the_deadline_that_moves(engine: Engine, settings: Settings) -> None:
    post_reminders(engine, settings, now=at(7))
    move_deadline(engine, settings, JUNE, date(2019, 7, 15), "系统升级", institution="B02")
    for day in (9, 11, 12, 14, 16):
        post_reminders(engine, settings, now=at(day))
    assert messages(engine, "B02") == [
        "before-3-2019-07-10", "before-3-2019-07-15", "before-1-2019-07-15", "after-1-2019-07-15",
    ]  # fmt: skip
    assert messages(engine, "B03") == ["before-3-2019-07-10", "before-1-2019-07-10", "after-1-2019-07-10"]
    # Moved and moved back: what was sent for that day is not sent again.
    move_deadline(engine, settings, JUNE, date(2019, 7, 20), "延期", institution="B03")
    move_deadline(engine, settings, JUNE, LAST_DAY, "恢复", institution="B03")
    assert not [key for key in post_reminders(engine, settings, now=at(12)) if "/B03/" in key]


def test_the_day_after_the_month_is_closed_already_and_what_is_missing_is_told_all_the_same(
    engine: Engine, settings: Settings
) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into intake.close (period, closed_at) values ('2019-06', now())"))
    assert post_reminders(engine, settings, now=at(7)) == []
    assert len(post_reminders(engine, settings, now=at(11))) == 16


def test_months_long_over_and_replays_remind_nobody(engine: Engine, settings: Settings) -> None:
    assert post_reminders(engine, settings) == []
    assert post_reminders(engine, settings.model_copy(update={"replay": True}), now=at(7)) == []
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from notify.message where kind = 'reminder'")).scalar_one() == 0


def test_two_months_that_are_open_at_once_are_both_reminded(engine: Engine, settings: Settings) -> None:
    read_deadline(engine, settings, Period(2019, 7), "B01")
    move_deadline(engine, settings, Period(2019, 7), date(2019, 8, 2), "提前")
    move_deadline(engine, settings, JUNE, date(2019, 8, 1), "延期")
    keys = post_reminders(engine, settings, now=datetime(2019, 7, 31, 9, tzinfo=SHANGHAI))
    assert {(key.split("/")[1], key.rpartition("/")[2]) for key in keys} == {
        ("2019-06", "before-1-2019-08-01"),
        ("2019-07", "before-3-2019-08-02"),
    }


def test_an_institution_without_a_contact_stops_nobody_else(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from registry.contact where institution_code = 'B05'"))
    assert len(post_reminders(engine, settings, now=at(7))) == 15
    assert "B05 has no contact" in caplog.text


def test_the_mail_names_what_is_missing_until_when_and_how_to_deliver(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    move_deadline(engine, settings, JUNE, date(2019, 7, 12), "系统升级", institution="B03")
    keys = post_reminders(engine, settings, now=at(9)) + post_reminders(engine, settings, now=at(11))
    with MailServer(tmp_path / "mails") as server:
        sent = dispatch(engine, settings.model_copy(update={"mail": SecretStr(server.url)}), keys=keys)
        assert sent.sent == len(keys)
        mails = {str(mail["X-Message-Key"]): mail for mail in server.mails()}
    assert sorted(mails) == sorted(keys)

    mail = mails["reminder/2019-06/B02/b02@example.test/before-1-2019-07-10"]
    assert mail["To"] == "b02@example.test"
    assert mail["Subject"] == "[演示] 【催报】2019年6月 南屿实业 尚缺2张报表，2019年7月10日 24:00截止"
    told = body(mail, "plain")
    assert "本期应报6张报表，尚缺2张，请于2019年7月10日 24:00前报送。" in told
    assert "截止时间：2019年7月10日 24:00，还剩1天15小时" in told
    lines = [line.strip() for line in told.splitlines()]
    assert "金融精准扶贫贷款台账 | 未通过，被回执 2019-06-B02-2 退回" in lines
    assert "产业项目对接表 | 尚未报送（可零报送）" in lines
    assert not [line for line in lines if line.startswith("网格化管理")]
    assert "把报表文件连同报送说明放入报送目录的 2019-06/B02 文件夹" in told
    assert "零报送“是”" in told
    assert "已接收的报表不必重报" in told
    assert "【演示数据】" in told
    html = body(mail, "html")
    assert "<script" not in html
    assert "2019-06-B02-2" in html

    late = body(mails["reminder/2019-06/B02/b02@example.test/after-1-2019-07-10"], "plain")
    assert "报送已于2019年7月10日 24:00截止，请尽快补报" in late
    assert "已逾期9小时" in late
    moved = body(mails["reminder/2019-06/B03/b03@example.test/before-3-2019-07-12"], "plain")
    assert "截止时间：2019年7月12日 24:00（已调整，原为2019年7月10日 24:00），还剩3天15小时" in moved
    assert "不必重报" not in moved


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("/srv/inbox", "2019-06/B01"),
        ("s3://bucket/inbox/", "2019-06/B01"),
        ("s3://bucket/{period}/in", "2019-06/in/B01"),
        ("s3://bucket/{period}", "2019-06/B01"),
        ("sftp://host/home/{institution}/{period}", "2019-06"),
        ("sftp://host/home/{institution}/upload/{period}", "upload/2019-06"),
        ("sftp://host/home/{institution}", "2019-06"),
    ],
)
def test_the_folder_is_named_as_the_institution_sees_it(address: str, folder: str) -> None:
    assert delivery_folder(address, JUNE, "B01") == folder
