"""The golden city's bulletins from the warehouse to the mailbox: rendered, shown, decided, posted, sent."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pypdf
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from five_precisions.bulletin import DraftDecision, Rendered, decide, render, write
from five_precisions.bulletin.document import Paragraph
from five_precisions.bulletin.invariants import UnsoundBulletinError
from five_precisions.bulletin.pdf import render_pdf
from five_precisions.delivery import Kind, Status, dispatch, list_messages
from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import SHANGHAI, Quarter
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.e2e.nothing_in_clear import Walker, sought_in
from tests.mail_server import MailServer

FIRST, SECOND = Quarter(2019, 1), Quarter(2019, 2)
NOON = datetime(2019, 7, 12, 12, tzinfo=SHANGHAI)
CENTRE = "Z01"


@pytest.fixture(scope="module")
def rendered(golden_settings: Settings) -> dict[Quarter, Rendered]:
    with open_warehouse(golden_settings) as engine:
        return {quarter: render(engine, golden_settings, quarter) for quarter in (FIRST, SECOND)}


def approval(shown: Rendered, **changes: object) -> DraftDecision:
    decision = DraftDecision(draft=1, shown_digest=shown.digest, approved=True, decided_by="approver", decided_at=NOON)
    return replace(decision, **changes)  # type: ignore[arg-type]


def pdf_text(pdf: bytes) -> str:
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return "".join("".join(page.split()) for page in pages)


def test_no_borrower_stands_in_a_bulletin(rendered: dict[Quarter, Rendered], golden_settings: Settings) -> None:
    walker = Walker(sought_in(Path(golden_settings.inbox_address) / "2019-06").without_public())
    for shown in rendered.values():
        walker.content("bulletin.pdf", shown.pdf)
        walker.content("bulletin.xlsx", shown.workbook)
        for institution in (None, "B01", "C01"):
            walker.text("letter", "\n".join(shown.letter(institution)))
    assert walker.walk.looked_at["pdf"] == walker.walk.looked_at["workbook"] == 2
    assert walker.walk.leaks == []


def test_published_figures_stand_in_the_pdf(rendered: dict[Quarter, Rendered]) -> None:
    text = pdf_text(rendered[SECOND].pdf)
    for sentence in (
        "全市金融精准扶贫贷款余额53,430.32万元",
        "产业精准扶贫贷款余额34,238.57万元",
        "个人精准扶贫贷款余额19,191.75万元",
        "发放扶贫小额信贷596户、2,024.39万元，户数同比增长514.43%，金额同比增长625.25%",
        "历年累计发放1,428户、4,493.00万元",
        "在全省14个市中居第7位",
        "累计走访12,600户",
        "演示数据",
    ):
        assert sentence in text


def test_the_body_takes_two_to_six_pages(rendered: dict[Quarter, Rendered]) -> None:
    """The leaders read two to six pages (docs/field.md); also with what an approval adds."""
    for quarter in (FIRST, SECOND):
        bulletin = rendered[quarter].bulletin
        [*others, last] = bulletin.sections
        approved = replace(
            bulletin,
            sections=(*others, replace(last, blocks=(*last.blocks, Paragraph("各单位要压实责任，逐户核实。" * 20)))),
            footnotes=(*bulletin.footnotes, "审批：值班员，2019年7月10日09:30。"),
        )
        for pdf in (rendered[quarter].pdf, render_pdf(approved)):
            reader = pypdf.PdfReader(io.BytesIO(pdf))
            first = next(entry for entry in reader.outline if "附表1" in str(getattr(entry, "title", "")))
            assert 2 <= (reader.get_destination_page_number(first) or 0) <= 6  # type: ignore[arg-type]


def test_a_bank_missing_in_the_quarter_is_named(rendered: dict[Quarter, Rendered]) -> None:
    assert "鹭屿城市（2019年2月）" in rendered[FIRST].bulletin.footnotes[1]
    assert "《金融精准扶贫贷款台账》" in rendered[FIRST].bulletin.footnotes[1]
    assert "2019-03-r1" in pdf_text(rendered[FIRST].pdf)


def test_the_workbook_holds_the_pdf_s_tables(rendered: dict[Quarter, Rendered]) -> None:
    bulletin = rendered[SECOND].bulletin
    workbook = openpyxl.load_workbook(io.BytesIO(rendered[SECOND].workbook))
    assert len(workbook.sheetnames) == len(bulletin.tables) + 2
    numbers = {cell.value for sheet in workbook for row in sheet.iter_rows() for cell in row}
    assert {53430.32, 34238.57, 2024.39, 99.08} <= numbers


def test_a_replay_is_dated_by_its_deadline(rendered: dict[Quarter, Rendered]) -> None:
    assert rendered[SECOND].bulletin.issued_on == date(2019, 7, 10)


def test_rendered_twice_it_is_the_same(
    golden_city: Engine, golden_settings: Settings, rendered: dict[Quarter, Rendered]
) -> None:
    again = render(golden_city, golden_settings, SECOND)
    assert (again.digest, again.pdf, again.workbook) == (
        rendered[SECOND].digest, rendered[SECOND].pdf, rendered[SECOND].workbook,
    )  # fmt: skip


def test_files_written(rendered: dict[Quarter, Rendered], tmp_path: Path) -> None:
    paths = [Path(path) for path in write(rendered[SECOND], str(tmp_path / "new"), "folder")]
    assert [path.relative_to(tmp_path / "new" / "folder").name for path in paths] == [
        "bulletin-2019-Q2.pdf", "bulletin-2019-Q2.xlsx", "bulletin-2019-Q2.html",
    ]  # fmt: skip
    assert paths[0].read_bytes().startswith(b"%PDF")


def test_a_quarter_not_yet_assessed_is_refused(golden_city: Engine, golden_settings: Settings) -> None:
    with pytest.raises(RefusedError, match="2019-09 has not been assessed"):
        render(golden_city, golden_settings, Quarter(2019, 3))


def test_results_that_contradict_themselves_stop_it(golden_copy: Settings) -> None:
    with open_warehouse(golden_copy) as engine:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "update mart.metric set value = value + 0.01 "
                    "where run_id = '2019-06-r1' and metric = 'loan_balance' and scope = 'bank' and scope_code = 'B01'"
                )
            )
        with pytest.raises(UnsoundBulletinError, match="loan_balance of bank B01 is not the sum") as stopped:
            render(engine, golden_copy, SECOND)
    assert "loan_balance of the banks does not add up to the city's" in str(stopped.value)


def test_approved_it_is_posted_once_and_sent_once(
    golden_copy: Settings, rendered: dict[Quarter, Rendered], tmp_path: Path
) -> None:
    decision = approval(rendered[SECOND], remark="请各行主要负责人亲自抓落实。")
    with open_warehouse(golden_copy) as engine, MailServer(tmp_path / "mails") as server:
        keys = decide(engine, golden_copy, SECOND, decision)
        assert decide(engine, golden_copy, SECOND, decision) == []
        posted = list_messages(engine, kind=Kind.BULLETIN)
        assert sorted(message.message_key for message in posted) == sorted(keys)
        institutions = [message.institution_code for message in posted]
        assert sorted(institutions) == sorted(
            [*(f"B{number:02}" for number in range(1, 13)), "C01", "C02", "C03", "C04", CENTRE, CENTRE]
        )
        settings = golden_copy.model_copy(update={"mail": SecretStr(server.url)})
        dispatch(engine, settings, keys=keys)
        dispatch(engine, settings, keys=keys)
        assert {message.status for message in list_messages(engine, kind=Kind.BULLETIN)} == {Status.SENT}
        assert sorted(server.keys()) == sorted(keys)
        own = next(mail for mail in server.mails() if mail["To"] == "b05@example.test")
        with engine.connect() as connection:
            stored = connection.execute(text("select * from notify.approval")).mappings().one()
    assert (stored["decision"], stored["decided_by"], stored["run_id"]) == ("approved", "approver", "2019-06-r1")
    assert stored["shown_digest"] == rendered[SECOND].digest
    assert own["Subject"] == "[演示] 关于2019年第二季度金融精准扶贫工作情况的通报（〔2019〕第2期）"
    parts = [part for part in own.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts[:2]] == ["text/plain", "text/html"]
    for part in parts[:2]:
        assert "请各行主要负责人亲自抓落实。" in part.get_content()
        assert "碧澜开拓" in part.get_content()
    names = [part.get_filename() for part in own.iter_attachments()]
    assert names == ["金融精准扶贫工作通报2019年第2期.pdf", "金融精准扶贫工作通报2019年第2期附表.xlsx"]
    pdf = next(part for part in own.iter_attachments() if str(part.get_filename()).endswith(".pdf"))
    assert "请各行主要负责人亲自抓落实。" in pdf_text(pdf.get_content())
    assert "审批：approver，2019年7月12日12:00。" in pdf_text(pdf.get_content())
    assert "审批：" not in pdf_text(rendered[SECOND].pdf)
    assert len(parts[1].get_content().encode()) < 100_000


def test_ops_are_told_whom_a_bulletin_cannot_reach(
    golden_copy: Settings, rendered: dict[Quarter, Rendered], caplog: pytest.LogCaptureFixture
) -> None:
    with open_warehouse(golden_copy) as engine:
        with engine.begin() as connection:
            connection.execute(text("delete from registry.contact where institution_code = 'B05'"))
        keys = decide(engine, golden_copy, SECOND, approval(rendered[SECOND]))
    assert not any("/b05@" in key for key in keys)
    assert "2019-06: B05 has no contact, nobody gets its bulletin" in caplog.messages


def test_sent_back_it_is_recorded_and_nothing_is_posted(
    golden_copy: Settings, rendered: dict[Quarter, Rendered]
) -> None:
    back = approval(rendered[FIRST], approved=False, remark="请核实三月末余额")
    with open_warehouse(golden_copy) as engine:
        assert decide(engine, golden_copy, FIRST, back) == []
        with pytest.raises(RefusedError, match="Draft 1 of 2019-Q1 was rejected by approver"):
            decide(engine, golden_copy, FIRST, approval(rendered[FIRST]))
        assert list_messages(engine, kind=Kind.BULLETIN) == []
        assert len(decide(engine, golden_copy, FIRST, approval(rendered[FIRST], draft=2))) == 18


def test_an_approved_quarter_is_not_approved_again(golden_copy: Settings, rendered: dict[Quarter, Rendered]) -> None:
    with open_warehouse(golden_copy) as engine:
        assert len(decide(engine, golden_copy, FIRST, approval(rendered[FIRST]))) == 18
        with pytest.raises(RefusedError, match="2019-Q1 went out as draft 1"):
            decide(engine, golden_copy, FIRST, approval(rendered[FIRST], draft=2, remark="再发一次"))
        with pytest.raises(RefusedError, match="Draft 1 of 2019-Q1 was approved by approver"):
            decide(engine, golden_copy, FIRST, approval(rendered[FIRST], remark="另一个批示"))
        assert len(list_messages(engine, kind=Kind.BULLETIN)) == 18


def test_two_approvals_at_once_post_once(golden_copy: Settings, rendered: dict[Quarter, Rendered]) -> None:
    with open_warehouse(golden_copy) as engine, ThreadPoolExecutor(2) as pool:
        decision = approval(rendered[FIRST])
        posted = list(pool.map(lambda _: len(decide(engine, golden_copy, FIRST, decision)), range(2)))
        assert sorted(posted) == [0, 18]


def test_what_was_not_shown_is_not_approved(golden_copy: Settings, rendered: dict[Quarter, Rendered]) -> None:
    other = approval(rendered[FIRST], shown_digest=rendered[SECOND].digest)
    with open_warehouse(golden_copy) as engine:
        with pytest.raises(RefusedError, match="not those that were shown"):
            decide(engine, golden_copy, FIRST, other)
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from notify.approval")).scalar_one() == 0


def test_a_remark_with_an_id_in_it_stops_everything(golden_copy: Settings, rendered: dict[Quarter, Rendered]) -> None:
    decision = approval(rendered[FIRST], remark="请核实441702199001011234的贷款")
    with open_warehouse(golden_copy) as engine:
        with pytest.raises(UnsoundBulletinError, match="as long as an ID"):
            decide(engine, golden_copy, FIRST, decision)
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from notify.approval")).scalar_one() == 0


def test_a_remark_too_long_is_refused(rendered: dict[Quarter, Rendered]) -> None:
    with pytest.raises(UsageError, match="2001 characters"):
        approval(rendered[FIRST], remark="好" * 2001)
