"""The correction of a bulletin whose figures were restated after it went out (docs/outputs.md#messages)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from five_precisions.bulletin import decide, find_waiting, render_draft, show_draft
from five_precisions.bulletin.correction import (
    Change,
    Restated,
    compose_correction,
    find_changes,
    published_tables,
)
from five_precisions.bulletin.document import Bulletin, Figure, Table, TableColumn
from five_precisions.bulletin.pdf import render_pdf
from five_precisions.delivery import Kind, dispatch, list_messages
from five_precisions.display import Form
from five_precisions.errors import RefusedError
from five_precisions.figures.inputs import run_statement
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.bulletin.small_bulletin import SCORES, small_bulletin
from tests.bulletin.test_compose import table
from tests.bulletin.test_issue import SECOND, approval, pdf_text
from tests.mail_server import MailServer

ON = date(2019, 8, 2)
RESTATED = Restated("2019-05", "岭海通商补报三笔贷款。", datetime(2019, 8, 1, 17, tzinfo=UTC))
CASES = Table(
    code="cases",
    title="未办结事项",
    unit="",
    columns=(TableColumn("机构"), TableColumn("事项")),
    rows=(("甲行", "一"), ("甲行", "二")),
)


def with_scores(rows: tuple[tuple[Figure | str, ...], ...], *more: Table) -> Bulletin:
    return small_bulletin(replace(SCORES, code="listed", rows=rows), *more)


def row(place: int, name: str, score: str, grade: str, *, restated: bool = False) -> tuple[Figure | str, ...]:
    return Figure(place, Form.RANK), name, Figure(Decimal(score), Form.SCORE, restated=restated), grade


BEFORE = with_scores((row(1, "漠岸农商", "99.08", "优秀"), row(2, "渔光村镇", "98.745", "优秀")), CASES)


def test_each_cell_that_reads_otherwise_is_a_change() -> None:
    now = with_scores(
        (row(1, "渔光村镇", "99.5", "优秀"), row(2, "漠岸农商", "89.999", "良好"), row(3, "新桥开拓", "60", "一般")),
        CASES,
    )
    changes, lists = find_changes(published_tables(BEFORE), now)
    title = SCORES.title
    assert changes == [
        Change(title, "渔光村镇", "位次", "2", "1"),
        Change(title, "渔光村镇", "得分", "98.75", "99.50"),
        Change(title, "漠岸农商", "位次", "1", "2"),
        Change(title, "漠岸农商", "得分", "99.08", "90.00"),
        Change(title, "漠岸农商", "等级", "优秀", "良好"),
        Change(title, "新桥开拓", "位次", "—", "3"),
        Change(title, "新桥开拓", "银行", "—", "新桥开拓"),
        Change(title, "新桥开拓", "得分", "—", "60.00"),
        Change(title, "新桥开拓", "等级", "—", "一般"),
    ]
    assert lists == []


def test_a_mark_and_what_rounds_to_the_same_are_no_change() -> None:
    now = with_scores(
        (row(1, "漠岸农商", "99.0801", "优秀", restated=True), row(2, "渔光村镇", "98.745", "优秀")), CASES
    )
    assert find_changes(published_tables(BEFORE), now) == ([], [])


def test_a_list_of_cases_is_named_as_a_whole() -> None:
    rows = (row(1, "漠岸农商", "99.08", "优秀"), row(2, "渔光村镇", "98.745", "优秀"))
    longer = replace(CASES, rows=(*CASES.rows, ("乙行", "三")))
    assert find_changes(published_tables(BEFORE), with_scores(rows, longer)) == ([], ["未办结事项"])
    assert find_changes(published_tables(BEFORE), with_scores(rows)) == ([], ["未办结事项"])


def test_what_was_published_survives_the_database() -> None:
    stored = json.loads(json.dumps(published_tables(BEFORE)))
    assert find_changes(stored, BEFORE) == ([], [])


def test_the_document_says_why_and_what() -> None:
    change = Change(SCORES.title, "漠岸农商", "得分", "99.08", "90.00")
    document = compose_correction(
        BEFORE, [change], ["未办结事项"], [RESTATED], number=1, issued_on=ON, remark="请核对。"
    )
    words = pdf_text(render_pdf(document))
    assert "关于更正2019年第二季度金融精准扶贫工作情况通报的通报" in words
    assert f"{BEFORE.number}（更正）" in words
    assert "2019年5月数据于2019年8月2日重述，原因：岭海通商补报三笔贷款。" in words
    assert "共更正1项数字" in words
    assert "漠岸农商得分99.0890.00" in words
    assert "《未办结事项》的内容有增减" in words
    assert "请核对。" in words
    assert [table.code for table in document.tables] == ["changes", "scores"]
    second = compose_correction(BEFORE, [change], [], [], number=2, issued_on=ON)
    assert second.number == f"{BEFORE.number}（更正2）"


def restate_june(engine: Engine) -> None:
    """June once more as its second revision: B05 with 1 万元 more, in every sum of it, and with a lower score."""
    with engine.begin() as connection:
        tables = connection.execute(
            text(
                "select table_name from information_schema.columns where table_schema = 'mart' "
                "and column_name = 'run_id' and table_name not like 'current%' and table_name <> 'run' "
                "and table_name not in ('restatement', 'restated_figure') order by table_name"
            )
        ).scalars()
        connection.execute(text("update mart.run set current = false where run_id = '2019-06-r1'"))
        connection.execute(
            text(
                'insert into mart.run select (jsonb_populate_record(run, \'{"run_id": "2019-06-r2", '
                '"revision": 2, "current": true}\'::jsonb)).* from mart.run where run_id = \'2019-06-r1\''
            )
        )
        for name in tables.all():
            connection.execute(
                text(
                    f"insert into mart.{name} select (jsonb_populate_record(old, "
                    f"'{{\"run_id\": \"2019-06-r2\"}}'::jsonb)).* from mart.{name} as old where run_id = '2019-06-r1'"
                )
            )
        connection.execute(
            text(
                "update mart.metric set value = value + 1 where run_id = '2019-06-r2' and metric in "
                "('loan_balance', 'loan_balance_industry') and scope_code in ('B05', '441700')"
            )
        )
        connection.execute(
            text("update mart.assessment set score = 44.5 where run_id = '2019-06-r2' and institution_code = 'B05'")
        )
        connection.execute(
            text("insert into mart.restatement values ('2019-06-r2', '2019-06-r1', '碧澜开拓补报一笔贷款', 'ops')")
        )
        runs = {"run_id": "2019-06-r2", "replaced_run_id": "2019-06-r1", "period": "2019-06", "city": "441700"}
        run_statement(connection, "restatement/figures", runs)


def test_a_restated_quarter_is_corrected_once(golden_copy: Settings, tmp_path: Path) -> None:
    with open_warehouse(golden_copy) as engine, MailServer(tmp_path / "mails") as server:
        shown = render_draft(engine, golden_copy, SECOND)
        assert shown.kind is Kind.BULLETIN
        assert show_draft(engine, shown) == 1
        decide(engine, golden_copy, SECOND, approval(shown))
        with pytest.raises(RefusedError, match="2019-Q2 went out as draft 1, and nothing in it has changed"):
            render_draft(engine, golden_copy, SECOND)

        restate_june(engine)
        correction = render_draft(engine, golden_copy, SECOND)
        assert correction.kind is Kind.CORRECTION
        assert show_draft(engine, correction) == 2
        assert [each.draft for each in find_waiting(engine, golden_copy, datetime.now(UTC).date())] == [2]
        words = pdf_text(correction.pdf)
        assert "原因：碧澜开拓补报一笔贷款。" in words
        assert "53,430.3253,431.32" in words
        assert correction.full is not None
        [row] = [row for row in table(correction.full.bulletin, "scores").rows if row[1] == "碧澜开拓"]
        assert [str(cell) for cell in row if str(cell).endswith("*")] == ["44.50*"]
        decision = approval(correction, draft=2, remark="请相互转告。")
        keys = decide(engine, golden_copy, SECOND, decision)
        assert decide(engine, golden_copy, SECOND, decision) == []
        assert len(keys) == 18
        assert {key.split("/")[0] for key in keys} == {"correction"}
        assert {key.rpartition("/")[2] for key in keys} == {"draft-2"}
        with pytest.raises(RefusedError, match="2019-Q2 went out as draft 2, and nothing in it has changed"):
            render_draft(engine, golden_copy, SECOND)
        assert find_waiting(engine, golden_copy, datetime.now(UTC).date()) == []

        settings = golden_copy.model_copy(update={"mail": SecretStr(server.url)})
        dispatch(engine, settings, keys=keys)
        assert len(list_messages(engine, kind=Kind.CORRECTION)) == len(server.mails()) == 18
        mail = next(mail for mail in server.mails() if mail["To"] == "b05@example.test")
    assert mail["Subject"].startswith("[演示] 关于更正2019年第二季度金融精准扶贫工作情况通报的通报")
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "金融精准扶贫工作通报2019年第2期更正.pdf",
        "更正后全文：金融精准扶贫工作通报2019年第2期.pdf",
        "更正后金融精准扶贫工作通报2019年第2期附表.xlsx",
    ]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "请相互转告。" in plain.get_content()
