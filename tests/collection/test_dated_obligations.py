"""Reports that are owed from a month on, or until one: what institutions are asked for, told, and reminded of.

See docs/own-city.md#obligationscsv.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import check, close, collect, collect_late
from five_precisions.errors import RefusedError, UsageError
from five_precisions.forms import write_template
from five_precisions.intake import read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts import asked_reminders
from five_precisions.register import load_register, save_register
from five_precisions.settings import DEMO_REGISTER, PREFIX, Settings
from tests.command_line import assert_one_sentence, run
from tests.packages import JUNE, package, put, sound, sound_package
from tests.rows import rows

MAY, JULY = JUNE.previous(), JUNE.next()
GRID_ONLY = ["kind,report,nil_allowed,from,until,from_month", "county_office,households,0", "centre,league,0"]
TAKE_OUT = "请从报送包和报送说明中删除。"
Owing = Callable[..., Settings]


@pytest.fixture
def owing(engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owing:
    """Have banks owe what these lines say; where a day is given, B02 opens on it."""
    folder = Path(shutil.copytree(DEMO_REGISTER, tmp_path / "register"))
    monkeypatch.setenv(PREFIX + "REGISTER", str(folder))

    def say(*lines: str, b02_opened_on: str = "2010-01-01") -> Settings:
        (folder / "obligations.csv").write_text("\n".join([*GRID_ONLY, *lines]), encoding="utf-8")
        text_of = (DEMO_REGISTER / "institutions.csv").read_text(encoding="utf-8")
        changed = re.sub(r"(?m)^(B02,.*),2010-01-01,", rf"\1,{b02_opened_on},", text_of)
        (folder / "institutions.csv").write_text(changed, encoding="utf-8")
        with engine.begin() as connection:
            save_register(connection, load_register(folder))
        return settings.model_copy(update={"register_folder": folder, "first_period": MAY})

    return say


def deliver(settings: Settings, period: Period, code: str, *reports: str) -> None:
    at = datetime.fromtimestamp(time.time() - 60, SHANGHAI)
    put(Path(settings.inbox_address) / str(period) / code, sound_package(*reports), at=at)


def owed(engine: Engine, period: Period, code: str) -> dict[str, str]:
    """The reports that an institution owes for a month, and how they stand."""
    return {each.report: each.state for each in read_status(engine, period) if each.institution_code == code}


def mails(engine: Engine, key: str) -> list[str]:
    return [html for (html,) in rows(engine, f"select html from notify.message where message_key like '%{key}%'")]


def test_the_matrix_the_receipt_and_the_reminder_ask_for_what_is_owed(engine: Engine, owing: Owing) -> None:
    settings = owing("bank,grid,0", "bank,outreach,1,2019-07", "bank,matches,1,,,2", b02_opened_on="2019-06-28")
    for month, code in ((MAY, "B01"), (JUNE, "B01"), (JUNE, "B02"), (JULY, "B01"), (JULY, "B02")):
        deliver(settings, month, code, "grid")
        assert [str(each.verdict) for each in collect(engine, settings, month, institution=code)] == ["accepted"]
    asked = [(month, code) for month in (MAY, JUNE, JULY) for code in ("B01", "B02")]
    found = {(str(month), code): list(owed(engine, month, code)) for month, code in asked}
    assert found == {
        ("2019-05", "B01"): ["grid", "matches"],
        ("2019-05", "B02"): [],
        ("2019-06", "B01"): ["grid", "matches"],
        ("2019-06", "B02"): ["grid"],
        ("2019-07", "B01"): ["outreach", "grid", "matches"],
        ("2019-07", "B02"): ["outreach", "grid", "matches"],
    }
    [june] = mails(engine, "2019-06/B02/")
    assert "本期应报的1张报表均已接收。" in june
    [july] = mails(engine, "2019-07/B02/")
    assert "本期应报3张，截至本版仍有2张未接收：" in july
    assert [each.institution_code for each in asked_reminders(engine, settings, JUNE, "B02")] == []
    [reminder] = asked_reminders(engine, settings, JUNE, "B01")
    assert "本期应报2张报表，尚缺1张" in reminder.html
    assert "宣传培训活动" not in reminder.html
    [reminder] = asked_reminders(engine, settings, JULY, "B01")
    assert "本期应报3张报表，尚缺2张" in reminder.html
    assert "宣传培训活动" in reminder.html


def test_a_missing_cover_names_what_is_owed_for_the_month(engine: Engine, owing: Owing) -> None:
    settings = owing("bank,grid,0", "bank,outreach,1,2019-07", "bank,loans,0")
    for month in (JUNE, JULY):
        folder = Path(settings.inbox_address) / str(month) / "B01"
        put(folder, package(grid=[sound("grid")])[1:], at=datetime.fromtimestamp(time.time() - 3600, SHANGHAI))
        assert collect(engine, settings, month, institution="B01")
    [june], [july] = mails(engine, "2019-06/B01/"), mails(engine, "2019-07/B01/")
    assert "还有1张报表既未接收，也未在这些文件中找到：金融精准扶贫贷款台账。" in june
    assert "还有2张报表既未接收，也未在这些文件中找到：金融精准扶贫贷款台账、宣传培训活动。" in july


def test_a_late_package_of_an_older_month_is_held_against_what_that_month_owes(engine: Engine, owing: Owing) -> None:
    """In July outreach is owed, in June it was not: a package of June that comes late leaves it out."""
    settings = owing("bank,grid,0", "bank,outreach,1,2019-07")
    for month in (MAY, JUNE, JULY):
        close(engine, settings, month, replay=True)
    for month in (JUNE, JULY):
        own = package(grid=[sound("grid")], outreach=[sound("outreach", held_on=str(month.end))])
        put(
            Path(settings.inbox_address) / str(month) / "B01",
            own,
            at=datetime.fromtimestamp(time.time() - 60, SHANGHAI),
        )
    judged = {each.period: each for each in collect_late(engine, settings)}
    assert {period: [report.report for report in each.reports] for period, each in judged.items()} == {
        "2019-06": ["grid"],
        "2019-07": ["outreach", "grid"],
    }
    [left_out] = [finding.message for finding in judged["2019-06"].findings]
    assert left_out == f"“宣传培训活动”自2019年7月起由贵单位报送，2019年6月不需报送，已略过，{TAKE_OUT}"
    assert owed(engine, JUNE, "B01") == {"grid": "accepted"}
    [receipt] = mails(engine, "2019-06/B01/")
    assert left_out.removesuffix("。") in receipt
    assert rows(engine, "select left(submission_id, 7), report from intake.report order by 1, 2") == [
        ("2019-06", "grid"),
        ("2019-07", "grid"),
        ("2019-07", "outreach"),
    ]


def test_the_self_check_and_the_template_are_of_the_month(owing: Owing, tmp_path: Path) -> None:
    settings = owing("bank,grid,0", "bank,outreach,1,2019-07", "bank,matches,1,,2019-06")
    for month in (JUNE, JULY):
        own = package(grid=[sound("grid")], outreach=[sound("outreach", held_on=str(month.end))])
        put(tmp_path / str(month), own)
    june, july = (check(settings, tmp_path / str(month), "B01", month) for month in (JUNE, JULY))
    assert [finding.rule for finding in june.findings] == ["F10"]
    assert july.findings == ()

    def sheets(period: Period | None) -> list[str]:
        path = tmp_path / f"{period}.xlsx"
        write_template(settings, "B01", path, period)
        return [each for each in openpyxl.load_workbook(path).sheetnames if each[0] in "网宣产"]

    assert sheets(JUNE) == ["网格化管理责任表", "产业项目对接表"]
    assert sheets(JULY) == ["宣传培训活动", "网格化管理责任表"]
    assert sheets(None) == ["宣传培训活动", "网格化管理责任表", "产业项目对接表"]


def test_a_month_for_which_an_institution_owes_nothing_has_no_template(owing: Owing, tmp_path: Path) -> None:
    settings = owing("bank,grid,0,,,2", b02_opened_on="2019-06-28")
    for month, says in ((JUNE, "obligations.csv says for which months it does"), (MAY, "it is not open then")):
        with pytest.raises(UsageError, match=rf"^B02 owes no report for {month}[;:] {says}\.$"):
            write_template(settings, "B02", tmp_path / "B02.xlsx", month)
    answered = run("template", "--institution", "B02", "--period", "2019-06", "--out", str(tmp_path / "B02.xlsx"))
    assert_one_sentence(answered, 2, "B02 owes no report for 2019-06; obligations.csv says for which months it does.")
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []


def test_who_owes_nothing_for_the_month_is_told_so_and_holds_nobody_up(engine: Engine, owing: Owing) -> None:
    settings = owing("bank,grid,0,,,2", b02_opened_on="2019-06-28")
    deliver(settings, JUNE, "B02", "grid")
    [judged] = collect(engine, settings, JUNE, institution="B02")
    assert (str(judged.verdict), [finding.rule for finding in judged.findings]) == ("rejected", ["F09", "F10"])
    assert owed(engine, JUNE, "B02") == {}
    assert asked_reminders(engine, settings, JUNE, "B02") == []
    close(engine, settings, MAY, replay=True)
    assert close(engine, settings, JUNE, replay=True).is_new


def test_a_month_for_which_nobody_owes_anything_is_not_closed(engine: Engine, owing: Owing) -> None:
    settings = owing("bank,grid,0")
    with engine.begin() as connection:
        connection.execute(text("update registry.obligation set from_period = '2019-06'"))
    with pytest.raises(RefusedError) as refused:
        close(engine, settings, MAY)
    assert str(refused.value) == (
        "2019-05 cannot be closed: obligations.csv has no report that is owed for it; if the month is right, mend from "
        "and until there and run: five-precisions init"
    )
    with engine.begin() as connection:
        connection.execute(text("update registry.obligation set from_period = null, from_month = 99"))
        connection.execute(text("update registry.institution set opened_on = '2019-03-01'"))
    with pytest.raises(RefusedError, match="no institution that owes a report was open in it"):
        close(engine, settings, MAY)
    assert rows(engine, "select * from intake.close") == []


def test_init_says_a_mistake_and_changes_nothing(engine: Engine, owing: Owing) -> None:
    settings = owing("bank,grid,0")
    file = settings.register_folder / "obligations.csv"
    file.write_text("\n".join([*GRID_ONLY, "bank,grid,0,2019-07,2019-06"]), encoding="utf-8")
    assert_one_sentence(run("init"), 2, f"Line 4 of {file}: until is 2019-06, which lies before from, 2019-07.")
    assert rows(engine, "select count(*) from registry.obligation where until_period is not null") == [(0,)]
