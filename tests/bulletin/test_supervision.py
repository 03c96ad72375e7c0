"""The supervision notice 督办单 (docs/outputs.md#messages)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from five_precisions.bulletin import post_notices
from five_precisions.bulletin.supervision import GraveCase, supervision_notices
from five_precisions.delivery import Kind, Message, message_key
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.bulletin.small_results import small_results
from tests.bulletin.test_notices import BANK, OFFICE, put_month, register_of, text_of

JUNE = Period(2019, 6)


def case(institution: str = BANK, **changes: str) -> GraveCase:
    values: dict[str, Any] = {
        "case_id": f"A06-{institution}-1a2b3c4d",
        "aspect": "小额信贷管理",
        "institution_code": institution,
        "subject": "441702001-0007",
        "detail": "该户扶贫小额信贷余额合计超过5万元。",
        "change": "new",
        "first_period": "2019-06",
    }
    return GraveCase(**values | changes)


def notices_of(*cases: GraveCase, **changes: Any) -> list[Message]:
    register = register_of((BANK, "b01@example.test"), ("B02", "b02@example.test"), (OFFICE, "c01@example.test"))
    return list(supervision_notices(small_results(**changes), cases, register, is_demo=True))


def test_each_institution_reads_of_its_own_cases_only() -> None:
    bank, office = notices_of(case(), case(subject="H2"), case(OFFICE, subject="B05/贷款贴息/2019"))
    assert [message_key(message) for message in (bank, office)] == [
        "supervision_notice/2019-06/B01/b01@example.test/r1",
        "supervision_notice/2019-06/C01/c01@example.test/r1",
    ]
    assert bank.kind is Kind.SUPERVISION_NOTICE
    assert bank.subject == "督办单：2019年6月岭海通商2项高等级事项"
    assert "贷款贴息" not in bank.html
    assert "441702001-0007" not in office.html


def test_it_says_what_holds_since_when_and_what_to_do() -> None:
    [message] = notices_of(case(), case(subject="H2", change="reopened", first_period="2019-02"))
    words = text_of(message)
    assert "督办〔2019〕06-B01-1" in words
    assert "A06-B01-1a2b3c4d | 新增 | 小额信贷管理 | 441702001-0007 | 该户扶贫小额信贷余额合计超过5万元。" in words
    assert "再次出现（首次发现于2019年2月）" in words
    assert "在2019年7月报表中反映整改结果" in words
    assert "在动态考核中扣分" in words


def test_a_county_office_is_not_scored() -> None:
    [message] = notices_of(case(OFFICE))
    assert "自动办结。" in text_of(message)
    assert "扣分" not in message.html


def test_hostile_texts_are_escaped() -> None:
    [message] = notices_of(case(detail="<script>alert(1)</script>"))
    assert "<script" not in message.html


def put_case(connection: Connection, run_id: str, change: str, level: str = "high", state: str = "open") -> None:
    connection.execute(
        text(
            "insert into mart.case_state (run_id, period, case_id, rule, aspect, level, institution_code, subject, "
            "detail, state, change, first_period, since_period, times) values (:run_id, '2019-06', 'A06-B01-1', 'A06', "
            "'小额信贷管理', :level, 'B01', 'H1', '余额超限。', :state, :change, '2019-06', '2019-06', 1)"
        ),
        {"run_id": run_id, "change": change, "level": level, "state": state},
    )


@pytest.mark.parametrize(
    ("change", "level", "state", "is_told"),
    [
        ("new", "high", "open", True),
        ("reopened", "high", "open", True),
        ("returned", "high", "open", True),
        ("worsened", "high", "open", True),
        ("lasting", "high", "open", False),
        ("unjudged", "high", "open", False),
        ("new", "medium", "open", False),
        ("new", "high", "set_aside", False),
        ("closed", "high", "closed", False),
    ],
)
def test_what_is_new_or_worse_and_grave_is_told(
    register_saved_engine: Engine, settings: Settings, change: str, level: str, state: str, *, is_told: bool
) -> None:
    with register_saved_engine.begin() as connection:
        put_month(connection, small_results(others=()))
        put_case(connection, "2019-06-r1", change, level, state)
    keys = post_notices(register_saved_engine, settings, JUNE)
    expected = ["supervision_notice/2019-06/B01/b01@example.test/r1"] if is_told else []
    assert [key for key in keys if key.startswith("supervision_notice")] == expected


def test_a_restatement_does_not_tell_of_the_same_case_again(register_saved_engine: Engine, settings: Settings) -> None:
    for revision in (1, 2):
        with register_saved_engine.begin() as connection:
            put_month(connection, small_results(others=(), revision=revision))
            put_case(connection, f"2019-06-r{revision}", "new")
        keys = post_notices(register_saved_engine, settings, JUNE)
        assert any(key.startswith("supervision_notice") for key in keys) is (revision == 1)
