"""Receipts: what an institution reads of each judged version, as mail and as file (docs/intake.md#the-receipt)."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import shutil
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from apprise import NotifyFormat
from apprise.conversion import convert_between
from sqlalchemy import Engine, text

from five_precisions.collection import collect
from five_precisions.errors import SetupError
from five_precisions.intake import State
from five_precisions.intake.findings import Finding
from five_precisions.intake.ledger import save_cross_checks
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.period import SHANGHAI
from five_precisions.receipts import receipt_files, receipt_workbooks
from five_precisions.receipts import receipts as receipts_module
from five_precisions.receipts.finding_groups import group_findings, rows_in_words, shorten
from five_precisions.receipts.receipt_files import write_missing_receipts, write_receipts
from five_precisions.receipts.receipt_wording import (
    LARGEST_MAIL,
    Medium,
    deadline_words,
    render_receipt,
    time_left_words,
)
from five_precisions.receipts.receipt_workbooks import CrossWorkbooks, read_cross_findings
from five_precisions.receipts.receipts import (
    post_cross_receipts,
    read_receipt,
)
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.warehouse import read_clock
from tests.packages import (
    ACCOUNT,
    CREDIT_CODE,
    JUNE,
    PHONE,
    RESIDENT_ID,
    Cells,
    cover_file,
    cover_line,
    package,
    put,
    report_file,
    sound,
    sound_package,
    table,
    workbook,
)
from tests.rows import rows

BAD_LOAN = sound("loans", balance="60000")
LATE = datetime(2019, 7, 12, 9, 30, tzinfo=SHANGHAI)
IN_TIME = datetime(2019, 7, 8, 10, 15, tzinfo=SHANGHAI)


@pytest.fixture
def outbox(settings: Settings) -> Path:
    return Path(settings.outbox_address) / "2019-06"


def keys(engine: Engine) -> list[str]:
    return [row[0] for row in rows(engine, "select message_key from notify.message order by created_at, message_key")]


def mail(engine: Engine, edition: str) -> tuple[str, str, str]:
    """Subject, HTML and text part of a message."""
    (found,) = [
        (subject, html)
        for key, subject, html in rows(engine, "select message_key, subject, html from notify.message")
        if key.endswith(f"/{edition}")
    ]
    return (*found, as_text(found[1]))


def as_text(html: str) -> str:
    return re.sub(r"\n\s*\n", "\n", convert_between(NotifyFormat.HTML, NotifyFormat.TEXT, html))


def replay(engine: Engine, settings: Settings, code: str = "B01") -> list[str]:
    return [str(each.verdict) for each in collect(engine, settings, JUNE, institution=code, replay=True)]


# What it says


def test_accepted(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    put(
        inbox / "B01",
        package(
            loans=[sound("loans", principal="50000.5", balance="12345.6")],
            position=[sound("position", all_loans="1234567.8")],
            grid=[sound("grid")],
            visits=[],
            outreach=[],
            matches=[],
        ),
        IN_TIME,
    )
    assert replay(engine, settings) == ["accepted"]
    assert rows(
        engine, "select message_key, kind, period, recipient, institution_code, status, subject from notify.message"
    ) == [
        (
            "receipt/2019-06/B01/b01@example.test/v1",
            "receipt",
            "2019-06",
            "b01@example.test",
            "B01",
            "pending",
            "【回执】2019年6月 岭海通商 第1版：全部接收（2019-06-B01-1）",
        )
    ]
    _, html, words = mail(engine, "v1")
    assert words.splitlines()[:3] == [
        "【演示数据】机构、人员和数字均为虚构。",
        "2019年6月报送回执（第1版）",
        "全部接收：本次报送的6张报表均已接收，有1处警告请核实。",
    ]
    for line in (
        "回执编号：2019-06-B01-1",
        "报送机构：岭海通商银行阳江分行（B01）",
        "报送人：李某",
        "收到时间：2019年7月8日 10:15（补录，按文件时间计）",
        "截止时间：2019年7月10日 24:00，收到时还剩2天13小时",
        "金融精准扶贫贷款台账 | 1 | 12,345.60 元 | 接收 | 警告1",
        "宣传培训活动 | 0 | — | 接收（零报送） | 无",
        "贷款与再贷款月报 | 1 | 1,234,567.80 万元 | 接收 | 无",
        "贫困户走访存档 | 0 | 0.00 元 | 接收（零报送） | 无",
        "本期应报的6张报表均已接收。",
    ):
        assert line in words.splitlines()
    assert "尚缺报表" not in words
    assert "迟报" not in words
    (attached,) = [line for line in words.splitlines() if line.startswith("问题清单见")]
    assert attached.startswith("问题清单见附件 findings-v1.xlsx：逐条列出全部1处问题，")
    file = as_text((outbox / "B01" / "receipt-v1.html").read_text(encoding="utf-8"))
    (beside,) = [line for line in file.splitlines() if line.startswith("问题清单见")]
    assert beside.startswith("问题清单见同一文件夹中的 findings-v1.xlsx：逐条列出全部1处问题，")
    assert file.replace(beside, attached) == words
    assert sorted(path.name for path in (outbox / "B01").iterdir()) == ["findings-v1.xlsx", "receipt-v1.html"]
    assert len(html.encode()) < 20_000


def test_partial_names_what_comes_again_what_is_missing_and_where(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    put(inbox / "B01", package(loans=[sound("loans"), BAD_LOAN | {"contract_no": "HT-9"}], grid=[sound("grid")]), LATE)
    assert replay(engine, settings) == ["partial"]
    subject, _, words = mail(engine, "v1")
    assert subject == "【回执】2019年6月 岭海通商 第1版：部分接收，迟报（2019-06-B01-1）"
    lines = words.splitlines()
    for line in (
        "部分接收：“金融精准扶贫贷款台账”被退回，须更正后重报；其余1张报表已接收。",
        "收到时间：2019年7月12日 09:30（补录，按文件时间计），迟报",
        "截止时间：2019年7月10日 24:00，收到时已逾期1天9小时",
        "本次报送晚于截止时间，记为迟报。数据照常核对入库；已公布的本期数据不因此改变，是否重算另行决定。",
        "金融精准扶贫贷款台账 | 2 | 110,000.00 元 | 退回 | 错误1",
        "网格化管理责任表 | 1 | — | 接收 | 无",
        "本期应报6张，截至本版仍有5张未接收：",
        "金融精准扶贫贷款台账 | 未通过（第1版被退回）",
        "贷款与再贷款月报 | 尚未报送",
        "贫困户走访存档 | 尚未报送（可零报送）",
        "错误（1条，须更正后重报）",
        "金融精准扶贫贷款台账 · 贷款余额（规则L03）",
        "位置：loans.csv",
        "单元格：L3",
        "主键：HT-9",
        "报送值：60000",
        "期望：不大于发放金额",
    ):
        assert line in lines
    (first_step,) = [line for line in lines if line.startswith("1. ")]
    assert first_step == (
        "1. 截止时间已过，请尽快更正退回的报表，重新报送整张报表，并附只列这些报表的报送说明。已接收的报表不必重报。"
    )


def test_rejected_says_what_stands(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01" / "v1", sound_package("loans", "grid"))
    put(inbox / "B01" / "v2", package(loans=[BAD_LOAN]), IN_TIME)
    assert replay(engine, settings) == ["accepted", "rejected"]
    subject, _, words = mail(engine, "v2")
    assert subject.endswith("第2版：全部退回（2019-06-B01-2）")
    assert "全部退回：“金融精准扶贫贷款台账”未接收，须更正后重报。" in words
    assert "“金融精准扶贫贷款台账”此前已接收的第1版仍然有效，不受本次退回影响。" in words
    owed = words.partition("尚缺报表")[2].partition("下一步")[0]
    assert "金融精准扶贫贷款台账" not in owed
    assert "网格化管理责任表" not in owed
    assert owed.count("尚未报送") == 4


def test_package_in_which_nothing_can_be_read(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [DeliveredFile("本月.xlsx", b"garbage")])
    assert replay(engine, settings) == ["rejected"]
    words = mail(engine, "v1")[2]
    assert "全部退回：未能从报送包中读出任何报表，须更正后重报。" in words
    assert "报表结论" not in words, "no empty table"
    assert "位置：本月.xlsx" in words
    assert "请于2019年7月10日 24:00前按下列错误更正后重新报送，并附报送说明。" in words


def test_error_of_no_report_beside_accepted_ones(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [*sound_package("grid"), DeliveredFile("别的.xlsx", b"garbage")])
    assert replay(engine, settings) == ["partial"]
    words = mail(engine, "v1")[2]
    assert "部分接收：识别出的1张报表已接收；报送包中有1处错误不属于任何一张报表，须更正后重报。" in words


def test_files_with_size_and_hash(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    files = sound_package("grid", "position")
    put(inbox / "B01", files)
    replay(engine, settings)
    words, html = mail(engine, "v1")[2], (outbox / "B01" / "receipt-v1.html").read_text(encoding="utf-8")
    assert len(files) == 3
    for file in files:
        assert f"{file.name}（{len(file.content):,}字节）" in words
        assert hashlib.sha256(file.content).hexdigest() in words
        assert hashlib.sha256(file.content).hexdigest() in html


def test_real_city_is_not_marked_as_demo(engine: Engine, settings: Settings, inbox: Path, tmp_path: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    own = settings.model_copy(update={"register_folder": tmp_path})
    assert (settings.is_demo, own.is_demo) == (True, False)
    replay(engine, own)
    assert "演示数据" not in mail(engine, "v1")[1]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (3 * 1440 + 5 * 60 + 59, "还剩3天5小时"),
        (2 * 1440 + 59, "还剩2天"),
        (5 * 60 + 20, "还剩5小时20分钟"),
        (60, "还剩1小时"),
        (0.5, "还剩不足1分钟"),
        (0, "已逾期不足1分钟"),
        (-2 * 1440, "已逾期2天"),
    ],
)
def test_time_left(minutes: float, words: str) -> None:
    deadline = datetime(2019, 7, 11, tzinfo=SHANGHAI)
    assert time_left_words(deadline - timedelta(minutes=minutes), deadline) == words


def test_deadline_is_told_as_the_day_it_ends() -> None:
    assert deadline_words(datetime(2019, 7, 11, tzinfo=SHANGHAI)) == "2019年7月10日 24:00"
    assert deadline_words(datetime(2019, 7, 11, 16, 30, tzinfo=SHANGHAI)) == "2019年7月11日 16:30"


# Hostile and sensitive content


def test_delivered_text_is_escaped_and_does_not_run(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path
) -> None:
    name = "<img src=x onerror=alert(1)>" + "长" * 60 + ".xlsx"
    loan = sound("loans", project_no="=HYPERLINK(1)", contract_no="<script>alert(1)</script>")
    put(inbox / "B01", [*package(loans=[loan, loan]), DeliveredFile(name, b"x"), DeliveredFile("=1+1.xlsx", b"y")])
    assert replay(engine, settings) == ["rejected"]
    for html in (mail(engine, "v1")[1], (outbox / "B01" / "receipt-v1.html").read_text(encoding="utf-8")):
        assert "&lt;script&gt;alert(1)" in html
        assert "&lt;img src=x onerror" in html
        assert "<script" not in html
        assert "<img" not in html
        assert "“=HYPERLINK(1)”" in html
        assert "“=1+1.xlsx”" in html
        assert ">=" not in html


def test_nothing_sensitive_in_the_clear(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    cover = cover_line("loans", [BAD_LOAN] * 2)
    cover[5] = PHONE
    bad = [
        sound("loans", borrower_id=RESIDENT_ID[:17] + "0", payee_account=ACCOUNT * 3, borrower_name="陈大文" * 30),
        sound("loans", contract_no="HT-2", project_no=RESIDENT_ID, town_code=PHONE, balance="60000"),
    ]
    grid = [sound("grid", head_phone=PHONE * 3, hotline=ACCOUNT)]
    put(
        inbox / "B01",
        [cover_file(cover, cover_line("grid", grid)), report_file("loans", bad), report_file("grid", grid)],
    )
    replay(engine, settings)
    findings = rows(engine, "select rule from intake.finding")
    assert {"L01", "T03", "L09", "G01"} <= {rule for (rule,) in findings}
    for html in (mail(engine, "v1")[1], (outbox / "B01" / "receipt-v1.html").read_text(encoding="utf-8")):
        assert "4417**********" in html
        for secret in (RESIDENT_ID, RESIDENT_ID[:17], PHONE, ACCOUNT, "陈大文"):
            assert secret not in html


# Many findings


def test_mail_stays_small_and_the_file_lists_all(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    loans: Sequence[Cells] = [
        sound(
            "loans",
            contract_no=f"HT-{number:05}",
            balance="60000",
            issued_on="没有日期" if number % 3 == 0 else "2019-03-15",
        )
        for number in range(5_000)
    ]
    put(inbox / "B01", package(loans=loans))
    assert replay(engine, settings) == ["rejected"]
    ((count,),) = rows(engine, "select count(*) from intake.finding")
    assert count == 5_000 + 1_667
    _, html, words = mail(engine, "v1")
    assert len(html.encode()) < LARGEST_MAIL
    assert "错误（6,667条，须更正后重报）" in words
    shown_cells = len(re.findall(r"(?m)^[A-Z]+\d+ \| HT-", words))
    assert 20 < shown_cells < 200
    (rest,) = [line for line in words.splitlines() if line.startswith("本项共5,000处")]
    assert re.fullmatch(
        r"本项共5,000处，以上列出(\d+)处；其余([\d,]+)处，在第\d+—5001行，见附件 findings-v1.xlsx。", rest
    )
    file = (outbox / "B01" / "receipt-v1.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<td>HT-\d{5}", file)) == count
    assert len(file.encode()) < 1_000_000
    assert "见回执文件" not in file


def test_mail_stays_small_whatever_the_names_and_shapes(engine: Engine, settings: Settings, inbox: Path) -> None:
    # Each file is a finding of its own, with a name of the longest kind that swells when escaped.
    files = [DeliveredFile("<>&\"'" * 40 + f"{number}.xlsx", b"x") for number in range(300)]
    put(inbox / "B01", [*sound_package("grid"), *files])
    replay(engine, settings)
    _, html, words = mail(engine, "v1")
    assert len(html.encode()) < LARGEST_MAIL
    assert "个文件见回执文件 receipt-v1.html。" in words


def test_the_file_says_when_it_does_not_list_all() -> None:
    def finding(number: int, rule: str = "L03", level: Level = Level.CRITICAL) -> Finding:
        return Finding(report="loans", rule=rule, level=level, message="m", row_number=number, column_number=1)

    notice, *errors = (finding(1, "F05", Level.NOTICE), *(finding(number) for number in range(2, 52)))
    groups = group_findings([notice, *errors], listed=20)
    assert [(group.first.rule, group.count, len(group.findings)) for group in groups] == [
        ("L03", 50, 19),
        ("F05", 1, 1),
    ]
    assert [len(group.findings) for group in shorten(groups, 5)] == [4, 1]
    assert [len(group.findings) for group in shorten(groups, 1)] == [1]
    assert shorten(groups, 0) == []


def test_messages_that_differ_in_numbers_make_one_group() -> None:
    found = [
        Finding(
            report="visits", rule="V02", level=Level.WARNING, message=f"当日走访{count}户，超过30户", header="信贷员"
        )
        for count in (33, 41, 33)
    ]
    (group,) = group_findings(found)
    assert group.count == 3


def test_rows_in_words() -> None:
    assert rows_in_words([18, 12, 15, 16, 17, 40]) == "第12、15—18、40行"
    assert rows_in_words([12, 13], are_all=False) == "第12—13等行"
    assert rows_in_words(range(0, 100, 2)).endswith("、36、38等行")


# The findings workbook


def attachments(engine: Engine, edition: str) -> list[tuple[str, bytes]]:
    return [
        (name, bytes(content))
        for name, content in rows(
            engine,
            "select name, content from notify.message_attachment inner join notify.attachment using (sha256)"
            f" where message_key like '%/{edition}'",
        )
    ]


def listed_findings(content: bytes) -> list[tuple[Any, ...]]:
    _, *found = openpyxl.load_workbook(io.BytesIO(content))["问题清单"].iter_rows(values_only=True)
    return [tuple(row) for row in found]


def test_workbook_lies_beside_the_receipt_and_goes_with_the_mail(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path
) -> None:
    loans = table("loans", [sound("loans"), BAD_LOAN | {"contract_no": "HT-9"}])
    cover = [list(COVER_HEADERS), cover_line("loans", [BAD_LOAN] * 2), cover_line("grid", [BAD_LOAN])]
    cover[1][2] = "110000"
    book = workbook(报送说明=cover, 金融精准扶贫贷款台账=[["标题"], ["单位：元"], *loans])
    put(inbox / "B01", [DeliveredFile("本月.xlsx", book), report_file("grid", [sound("grid", hotline="12")])])
    assert replay(engine, settings) == ["partial"]
    content = (outbox / "B01" / "findings-v1.xlsx").read_bytes()
    assert attachments(engine, "v1") == [("findings-v1.xlsx", content)]
    assert [(row[2], row[6]) for row in listed_findings(content)] == [("G01", "I2"), ("L03", "L5")]
    read = openpyxl.load_workbook(io.BytesIO(content))
    assert read.sheetnames == ["问题清单", "grid.csv", "报送说明", "金融精准扶贫贷款台账"]
    assert read["金融精准扶贫贷款台账"]["L5"].comment.text.startswith("错误 L03：")
    assert read["grid.csv"]["I2"].comment.text.startswith("警告 G01：")
    assert read["报送说明"]["F2"].value == "066****4567"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            for secret in (RESIDENT_ID, PHONE, ACCOUNT, "陈大文"):
                assert secret not in archive.read(name).decode()
    (outbox / "B01" / "findings-v1.xlsx").unlink()
    write_missing_receipts(engine, settings, JUNE, "B01")
    assert (outbox / "B01" / "findings-v1.xlsx").read_bytes() == content, "made again it is the same"


def test_without_findings_there_is_no_workbook(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    replay(engine, settings)
    assert attachments(engine, "v1") == []
    assert "问题清单" not in mail(engine, "v1")[2]
    assert [path.name for path in (outbox / "B01").iterdir()] == ["receipt-v1.html"]


def test_ended_between_ledger_and_workbook(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox / "B01", package(loans=[BAD_LOAN]))
    write = receipt_files.write_whole

    def end_before_the_receipt(files: Any, path: str, content: bytes) -> None:
        if path.endswith(".html"):
            raise KeyboardInterrupt
        write(files, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(receipt_files, "write_whole", end_before_the_receipt)
        with pytest.raises(KeyboardInterrupt):
            collect(engine, settings, JUNE, institution="B01")
    assert [path.name for path in (outbox / "B01").iterdir()] == ["findings-v1.xlsx"], "the workbook comes first"
    assert len(list((inbox / "B01").iterdir())) == 2
    collect(engine, settings, JUNE, institution="B01")
    assert sorted(path.name for path in (outbox / "B01").iterdir()) == ["findings-v1.xlsx", "receipt-v1.html"]
    assert len(attachments(engine, "v1")) == 1


def test_large_workbook_goes_as_its_list_then_as_a_part_of_it(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loans = [sound("loans", contract_no=f"HT-{number}", balance="60000") for number in range(60)]
    put(inbox / "B01" / "v1", package(loans=loans))
    monkeypatch.setattr(receipt_workbooks, "LARGEST_ATTACHMENT", 13_000)
    replay(engine, settings)
    ((name, content),) = attachments(engine, "v1")
    assert (name, len(content) <= 13_000) == ("findings-v1.xlsx", True)
    assert (len(listed_findings(content)), len(openpyxl.load_workbook(io.BytesIO(content)).sheetnames)) == (60, 1)
    assert "标出单元格的工作表过大，未随信附上。" in mail(engine, "v1")[2]
    put(inbox / "B01" / "v2", package(loans=loans[1:]), IN_TIME)
    monkeypatch.setattr(receipt_workbooks, "LARGEST_ATTACHMENT", 8_600)
    replay(engine, settings)
    ((_, content),) = attachments(engine, "v2")
    assert len(content) <= 8_600
    assert 0 < len(listed_findings(content)) < 59
    assert "因邮件大小所限只列出前面一部分" in mail(engine, "v2")[2]
    assert len(listed_findings((outbox / "B01" / "findings-v2.xlsx").read_bytes())) == 59


def test_archive_past_its_retention_leaves_the_list(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(inbox / "B01", package(loans=[BAD_LOAN]))
    replay(engine, settings)
    shutil.rmtree(settings.archive_address)
    workbook_file = outbox / "B01" / "findings-v1.xlsx"
    workbook_file.unlink()
    with caplog.at_level(logging.WARNING):
        write_receipts(engine, settings, {"2019-06-B01-1": None})
    assert openpyxl.load_workbook(workbook_file).sheetnames == ["问题清单"]
    assert len([each for each in caplog.messages if "is not repeated in the findings workbook" in each]) == 2


# Explained warnings


def test_explained_warning_asks_for_nothing_and_is_counted_apart(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path
) -> None:
    put(inbox / "B01", package(grid=[sound("grid", hotline=""), sound("grid", outlet_code="W2", hotline="12")]))
    replay(engine, settings)
    with engine.begin() as connection:
        connection.execute(text("update intake.finding set explanation = '=电话正在装' where value is null"))
    with engine.connect() as connection:
        receipt = read_receipt(connection, "2019-06-B01-1")
    words = as_text(render_receipt(receipt, Medium.MAIL, is_demo=True))
    for line in (
        "网格化管理责任表 | 2 | — | 接收 | 警告2（其中已说明1）",
        "警告（2条，其中已说明1条，不影响接收，请核实）",
        "贵单位说明：“=电话正在装”",
    ):
        assert line in words.splitlines()
    assert "有1处警告请核实" in words
    assert words.index("报送值：12") < words.index("，已说明）") < words.index("收到的文件")
    with engine.begin() as connection:
        connection.execute(text("update intake.finding set explanation = '已联系' where value is not null"))
    with engine.connect() as connection:
        words = as_text(render_receipt(read_receipt(connection, "2019-06-B01-1"), Medium.FILE, is_demo=True))
    assert "警告（2条，均已说明）" in words.splitlines()
    assert "警告请逐条核实" not in words
    assert "处警告请核实" not in words
    (outbox / "B01" / "findings-v1.xlsx").unlink()
    write_receipts(engine, settings, {"2019-06-B01-1": None})
    found = listed_findings((outbox / "B01" / "findings-v1.xlsx").read_bytes())
    assert [(row[3], row[10].partition("\n")[2]) for row in found] == [
        ("警告\n（已说明）", "已说明：=电话正在装"),
        ("警告\n（已说明）", "已说明：已联系"),
    ]


# Checks across reports and institutions


def tell_across(engine: Engine, settings: Settings, edition: str, *findings: Finding) -> str:
    with engine.begin() as connection:
        numbers = save_cross_checks(connection, JUNE, {("B01", edition): findings}, read_clock(connection))
        found = read_cross_findings(connection, numbers)
        [number] = post_cross_receipts(connection, settings, found, CrossWorkbooks(settings))
    return number


def cross_finding(**changes: Any) -> Finding:
    own: dict[str, Any] = {
        "report": "loans",
        "rule": "X04",
        "level": Level.WARNING,
        "message": "户编号不在任何县区的建档立卡户名册中，请核对。",
        "file": "loans.csv",
        "row_number": 2,
        "column_number": 5,
        "header": "户编号",
        "key": "HT-001",
        "value": "H-1",
    }
    return Finding(**{**own, **changes})


def test_cross_check_has_a_receipt_and_a_workbook_of_what_stood(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path
) -> None:
    put(inbox / "B01" / "v1", sound_package("loans", "grid"))
    replay(engine, settings)
    number = tell_across(engine, settings, "x1", cross_finding())
    assert number == "2019-06-B01-x1"
    # What comes later is not what was checked.
    put(inbox / "B01" / "v2", package(loans=[sound("loans", contract_no="HT-2")]), IN_TIME)
    put(inbox / "B01" / "v3", package(loans=[BAD_LOAN]), IN_TIME + timedelta(hours=1))
    assert replay(engine, settings) == ["repeated", "accepted", "rejected"]
    folder = outbox / "B01"
    assert {"receipt-x1.html", "findings-x1.xlsx"} <= {path.name for path in folder.iterdir()}, "by the next look"
    subject, _, words = mail(engine, "x1")
    assert subject == "【回执】2019年6月 岭海通商 跨报表核对：1处警告请核实（2019-06-B01-x1）"
    for line in (
        "贵单位的报表与其他报表、其他机构的报表核对，有1处警告请核实。",
        "本次核对不退回任何报表：贵单位已接收的报表照旧有效。",
        "回执编号：2019-06-B01-x1",
        "核对内容：跨报表、跨机构核对（核对时各机构已接收的报表）",
        "金融精准扶贫贷款台账 | 第1版 | loans.csv | 警告1",
        "金融精准扶贫贷款台账 · 户编号（规则X04）",
        "单元格：E2",
        "主键：HT-001",
    ):
        assert line in words.splitlines()
    assert "确属实的，在“情况说明”工作表中写明报表、规则、主键和说明，随下次报送提交。" in words
    content = (folder / "findings-x1.xlsx").read_bytes()
    assert attachments(engine, "x1") == [("findings-x1.xlsx", content)]
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["问题清单", "loans.csv"]
    assert book["loans.csv"]["A2"].value == "HT-001"
    assert book["loans.csv"]["E2"].comment.text.startswith("警告 X04：")
    assert book["loans.csv"]["D2"].value == "4417**********0017"
    file = (folder / "receipt-x1.html").read_text(encoding="utf-8")
    assert hashlib.sha256(sound_package("loans")[1].content).hexdigest() in file


def test_receipt_of_the_close_speaks_of_what_was_frozen(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path
) -> None:
    put(inbox / "B01" / "v1", sound_package("loans", "grid"))
    replay(engine, settings)
    with engine.begin() as connection:
        connection.execute(text("insert into intake.close values ('2019-06', now())"))
        connection.execute(text("insert into intake.frozen_report values ('2019-06', 'B01', 'loans', '2019-06-B01-1')"))
    put(inbox / "B01" / "v2", package(loans=[sound("loans", contract_no="HT-2")]), LATE)
    replay(engine, settings)
    explained = cross_finding(rule="X05", explanation="由其子代为办理", row_number=None)
    notice = cross_finding(rule="X10", level=Level.NOTICE, report=None, file=None, row_number=None)
    number = tell_across(engine, settings, "close", cross_finding(), explained, notice)
    write_receipts(engine, settings, {number: None})
    assert (outbox / "B01" / "receipt-close.html").exists()
    subject, _, words = mail(engine, "close")
    assert subject == "【回执】2019年6月 岭海通商 截止核对：1处警告请核实（2019-06-B01-close）"
    assert "，有1处警告请核实，1处警告已有说明，1处提示。" in words
    assert "金融精准扶贫贷款台账 | 第1版 | loans.csv | 警告2（其中已说明1）" in words.splitlines()
    assert "更正或说明请至迟随下一期报表一并提交" in words
    book = openpyxl.load_workbook(outbox / "B01" / "findings-close.xlsx")
    assert book["loans.csv"]["A2"].value == "HT-001"
    assert len(listed_findings((outbox / "B01" / "findings-close.xlsx").read_bytes())) == 3


def test_cross_check_that_asks_for_nothing_says_so(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("loans"))
    replay(engine, settings)
    tell_across(engine, settings, "x1", cross_finding(explanation="已核实"))
    subject, _, words = mail(engine, "x1")
    assert subject.endswith("跨报表核对：无需处理（2019-06-B01-x1）")
    assert "无需其他操作，请留存本回执。" in words


# Its life


def test_no_contact_has_no_mail_and_ops_are_told(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        connection.execute(text("update registry.contact set role = 'leader' where institution_code = 'B01'"))
    put(inbox / "B01", sound_package("grid"))
    with caplog.at_level(logging.WARNING):
        replay(engine, settings)
    assert keys(engine) == []
    assert [each.getMessage() for each in caplog.records] == ["2019-06: B01 has no contact, nobody gets its receipt"]
    assert (outbox / "B01" / "receipt-v1.html").is_file()


def test_every_contact_gets_it(engine: Engine, settings: Settings, inbox: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into registry.contact values ('B01', 'second@example.test', 'contact')"))
    put(inbox / "B01", sound_package("grid"))
    replay(engine, settings)
    assert keys(engine) == ["receipt/2019-06/B01/b01@example.test/v1", "receipt/2019-06/B01/second@example.test/v1"]


def test_ended_between_ledger_and_file(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox / "B01", sound_package("grid"))

    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(receipt_files, "write_whole", fail)
        [judgement] = collect(engine, settings, JUNE, institution="B01")
        assert (judgement.verdict, judgement.remark) == (
            State.FAILED,
            "The outbox cannot be written to: Permission denied, so its receipt is written at the next look",
        )
    assert keys(engine) == ["receipt/2019-06/B01/b01@example.test/v1"]
    assert len(list((inbox / "B01").iterdir())) == 2, "not taken out without its receipt"
    assert not outbox.exists()
    assert collect(engine, settings, JUNE, institution="B01") == [], "it is on record, and no delivery any more"
    assert [path.name for path in (outbox / "B01").iterdir()] == ["receipt-v1.html"]
    assert keys(engine) == ["receipt/2019-06/B01/b01@example.test/v1"]
    assert list((inbox / "B01").iterdir()) == []


def test_version_and_message_stand_or_fall_together(
    engine: Engine, settings: Settings, inbox: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox / "B01", sound_package("grid"))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(receipts_module, "post", die)
        with pytest.raises(KeyboardInterrupt):
            replay(engine, settings)
    assert rows(engine, "select count(*) from intake.submission") == [(0,)]
    assert not outbox.exists()
    assert replay(engine, settings) == ["accepted"]
    assert len(keys(engine)) == 1


def test_receipt_made_again_is_the_same(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    put(inbox / "B01" / "v1", package(loans=[BAD_LOAN], grid=[sound("grid", hotline="")]))
    put(inbox / "B01" / "v2", sound_package("loans"))
    replay(engine, settings)
    file = outbox / "B01" / "receipt-v1.html"
    before = file.read_bytes()
    file.unlink()
    write_receipts(engine, settings, {"2019-06-B01-1": None})
    assert file.exists()
    assert file.read_bytes() == before
    with engine.connect() as connection:
        again = render_receipt(read_receipt(connection, "2019-06-B01-1"), Medium.MAIL, is_demo=True)
    assert again == mail(engine, "v1")[1]


def test_replay_run_twice_sends_nothing_again(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    put(inbox / "B01" / "v1", package(loans=[BAD_LOAN]), IN_TIME)
    put(inbox / "B01" / "v2", sound_package("loans"), IN_TIME + timedelta(hours=1))
    put(inbox / "B01" / "v3", package(loans=[BAD_LOAN]), IN_TIME + timedelta(hours=2))
    assert replay(engine, settings) == ["rejected", "accepted", "repeated"]
    first = keys(engine)
    assert first == [
        "receipt/2019-06/B01/b01@example.test/v1",
        "receipt/2019-06/B01/b01@example.test/v2",
        "receipt/2019-06/B01/b01@example.test/v1-again-20190708T121500",
    ]
    files = {path.name: path.stat().st_mtime_ns for path in (outbox / "B01").iterdir()}
    assert set(files) == {"findings-v1.xlsx", "receipt-v1.html", "receipt-v2.html"}
    assert replay(engine, settings) == ["repeated"] * 3
    assert keys(engine) == first
    assert {path.name: path.stat().st_mtime_ns for path in (outbox / "B01").iterdir()} == files

    subject, _, words = mail(engine, "v1-again-20190708T121500")
    assert subject == "【重发】【回执】2019年6月 岭海通商 第1版：全部退回（2019-06-B01-1）"
    assert "2019年7月8日 12:15再次收到与第1版完全相同的文件，不产生新的版本，结论不变。" in words
    assert "最新的是第2版，结论照旧，不受本次报送影响" in words
    assert "全部退回：“金融精准扶贫贷款台账”未接收，须更正后重报。" in words
    assert "收到时间：2019年7月8日 10:15" in words
    assert "再次收到时还剩2天11小时" in words


def test_same_bytes_delivered_once_more(engine: Engine, settings: Settings, inbox: Path, outbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    collect(engine, settings, JUNE, institution="B01")
    receipt = (outbox / "B01" / "receipt-v1.html").read_bytes()
    for count in (1, 2):
        # The file times are kept, as by many programs: it is delivered again all the same.
        put(inbox / "B01", sound_package("grid"), IN_TIME)
        (judgement,) = collect(engine, settings, JUNE, institution="B01")
        assert (judgement.verdict, judgement.submission_id) == ("repeated", "2019-06-B01-1")
        assert list((inbox / "B01").iterdir()) == []
        first, *again = keys(engine)
        assert first == "receipt/2019-06/B01/b01@example.test/v1"
        assert len(again) == count
    assert (outbox / "B01" / "receipt-v1.html").read_bytes() == receipt
    for key in again:
        subject, _, words = mail(engine, key.rpartition("/")[2])
        assert subject == "【重发】【回执】2019年6月 岭海通商 第1版：全部接收，迟报（2019-06-B01-1）"
        assert "再次收到与第1版完全相同的文件" in words
        assert "最新的是" not in words


def test_live_receipt_is_not_marked_as_replayed(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    collect(engine, settings, JUNE, institution="B01")
    words = mail(engine, "v1")[2]
    assert "补录" not in words
    assert "迟报" in words, "2019 is over"


def test_outbox_that_means_nothing_is_our_error(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    with pytest.raises(SetupError, match="outbox"):
        collect(engine, settings.model_copy(update={"outbox": "nosuch://user:secret@host/x"}), JUNE)
    assert rows(engine, "select count(*) from intake.submission") == [(0,)]


def test_receipt_in_another_kind_of_outbox(engine: Engine, settings: Settings, inbox: Path) -> None:
    import fsspec

    put(inbox / "B01", sound_package("grid"))
    own = settings.model_copy(update={"outbox": "memory://receipts"})
    replay(engine, own)
    files = fsspec.filesystem("memory")
    found = files.find("/receipts")
    files.rm("/receipts", recursive=True)
    assert found == ["/receipts/2019-06/B01/receipt-v1.html"]


def test_league_of_the_centre_is_in_wan(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "Z01", package(league=[sound("league")], inspections=[]))
    replay(engine, settings, "Z01")
    assert "省内地市扶贫小额信贷情况 | 1 | 480.00 万元 | 接收 | 无" in mail(engine, "v1")[2]


def test_hostile_credit_code_is_shown_masked_only(engine: Engine, settings: Settings, inbox: Path) -> None:
    loan = sound(
        "loans",
        borrower_kind="企业",
        category="产业",
        household_no="",
        microcredit="否",
        borrower_id=CREDIT_CODE[:-1] + "1",
    )
    put(inbox / "B01", package(loans=[loan]))
    replay(engine, settings)
    words = mail(engine, "v1")[2]
    assert "（规则L02）" in words
    assert CREDIT_CODE[:12] not in words
