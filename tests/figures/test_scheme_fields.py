"""The numbers of a scheme as fields of a form: what can be changed, and the sentence for each value that cannot be."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.figures import FieldKind, Scheme, TriedSchemeError, change_scheme, list_scheme_fields, load_scheme
from five_precisions.period import Period
from five_precisions.settings import Settings

HELD = load_scheme(Settings(_env_file=None), Period(2019, 6))
PATHS = [field.path for field in list_scheme_fields(HELD)]


def sentences(**values: str) -> dict[str, str]:
    """What is said of values, by their paths written with __ for the dot."""
    with pytest.raises(TriedSchemeError) as refused:
        change_scheme(HELD, {path.replace("__", "."): value for path, value in values.items()})
    return refused.value.sentences


def test_every_number_of_the_scheme_is_a_field() -> None:
    fields = [(field.path, field.label, field.unit, str(field.value), field.kind) for field in list_scheme_fields(HELD)]
    assert fields == [
        ("weights.growth", "基础指标", "分", "20", FieldKind.WEIGHT),
        ("weights.completion", "完成率", "分", "40", FieldKind.WEIGHT),
        ("weights.matching", "项目对接", "分", "10", FieldKind.WEIGHT),
        ("weights.visits", "走访", "分", "10", FieldKind.WEIGHT),
        ("weights.quality", "资产质量", "分", "10", FieldKind.WEIGHT),
        ("weights.reporting", "报送质量", "分", "10", FieldKind.WEIGHT),
        ("overdue_ratio.full_points_up_to", "得满分的逾期率上限", "%", "1", FieldKind.OVERDUE_RATIO),
        ("overdue_ratio.no_points_from", "不得分的逾期率下限", "%", "5", FieldKind.OVERDUE_RATIO),
        ("deductions.per_overdue_finding", "每个逾期未整改的督查问题扣分", "分", "2", FieldKind.DEDUCTION),
        ("deductions.per_high_alert", "每项高级别督查事项扣分", "分", "1", FieldKind.DEDUCTION),
        ("deductions.at_most", "扣分上限", "分", "10", FieldKind.DEDUCTION),
        ("grades.0.at_least", "优秀的最低得分", "分", "90", FieldKind.GRADE),
        ("grades.1.at_least", "良好的最低得分", "分", "80", FieldKind.GRADE),
        ("grades.2.at_least", "一般的最低得分", "分", "60", FieldKind.GRADE),
        ("visit_round_reached", "完成一轮走访的覆盖率", "%", "85", FieldKind.VISIT_ROUND),
    ]
    assert [kind.heading for kind in FieldKind] == ["权重", "逾期率", "扣分", "等次", "走访轮次"]


def test_a_form_as_it_was_shown_is_the_scheme_that_holds() -> None:
    assert change_scheme(HELD, {}) == HELD
    assert change_scheme(HELD, {field.path: str(field.value) for field in list_scheme_fields(HELD)}) == HELD


def test_a_changed_number_stands_in_its_place_and_nothing_else_changes() -> None:
    changed = change_scheme(
        HELD,
        {"weights.growth": " 12.5 ", "weights.quality": "17.5", "grades.1.at_least": "75", "deductions.at_most": "0"},
    )
    assert list(changed.weights.values()) == [Decimal("12.5"), 40, 10, 10, Decimal("17.5"), 10]
    assert [grade.at_least for grade in changed.grades] == [90, 75, 60, 0]
    assert [grade.grade for grade in changed.grades] == ["优秀", "良好", "一般", "勉励"]
    assert (changed.deductions.at_most, changed.deductions.per_high_alert) == (0, 1)
    same = {"version", "valid_from", "overdue_ratio", "relending", "visit_round_reached"}
    assert changed.model_dump(include=same) == HELD.model_dump(include=same)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("weights.growth", "0", "应大于0分。"),
        ("weights.growth", "-20", "应大于0分。"),
        ("weights.growth", "100.5", "不能大于100分。"),
        ("weights.growth", "", "请填写基础指标。"),
        ("deductions.at_most", "  ", "请填写扣分上限。"),
        ("deductions.per_high_alert", "-0.5", "不能小于0分。"),
        ("visit_round_reached", "0.0", "应大于0%。"),
        ("visit_round_reached", "101", "不能大于100%。"),
        *(
            ("weights.growth", value, "请填写数字，例如12.5，不带单位和千位分隔符。")
            for value in ("二十", "20%", "1,000", "1e1", "nan", "Infinity", "0x10", "1_0", "２０", "1.", "+5", "9" * 50)
        ),
        ("overdue_ratio.full_points_up_to", "5", "应小于不得分的逾期率下限5%。"),
        ("overdue_ratio.no_points_from", "0.5", "应大于得满分的逾期率上限1%。"),
        ("grades.0.at_least", "80.0", "应高于下一等次良好的最低得分80分。"),
        ("grades.1.at_least", "90", "应低于上一等次优秀的最低得分90分。"),
        ("grades.1.at_least", "50.50", "应高于下一等次一般的最低得分60分。"),
        ("grades.2.at_least", "0", "应高于下一等次勉励的最低得分0分。"),
        ("grades.3.at_least", "5", "考核方案没有这一项。"),
        ("weights.rank", "5", "考核方案没有这一项。"),
        ("version", "2020", "考核方案没有这一项。"),
    ],
)
def test_a_value_that_cannot_be_is_said_at_its_field(path: str, value: str, sentence: str) -> None:
    with pytest.raises(TriedSchemeError) as refused:
        change_scheme(HELD, {path: value})
    assert refused.value.sentences == {path: sentence}
    assert str(refused.value) == f"{path}：{sentence}"


def test_weights_that_do_not_add_up_are_said_at_the_last_that_was_changed() -> None:
    assert sentences(weights__growth="15", weights__matching="10.00") == {
        "weights.growth": "各项权重之和应为100分，现为95分，少5分。"
    }
    assert sentences(weights__growth="25", weights__matching="10.25") == {
        "weights.matching": "各项权重之和应为100分，现为105.25分，多5.25分。"
    }


def test_what_is_wrong_is_said_at_each_field_at_once() -> None:
    found = sentences(
        weights__growth="twenty",
        weights__matching="90",
        overdue_ratio__no_points_from="-1",
        grades__0__at_least="70",
        grades__2__at_least="85",
        visit_round_reached="",
    )
    assert found == {
        # The sum of the weights and the order of the ratios are not spoken of while one of them is no number.
        "weights.growth": "请填写数字，例如12.5，不带单位和千位分隔符。",
        "overdue_ratio.no_points_from": "不能小于0%。",
        "visit_round_reached": "请填写完成一轮走访的覆盖率。",
        "grades.0.at_least": "应高于下一等次良好的最低得分80分。",
        "grades.2.at_least": "应低于上一等次良好的最低得分80分。",
    }


NUMBERS = st.one_of(
    st.text(max_size=6),
    st.decimals(min_value=-5, max_value=110, places=2).map(str),
    st.integers(min_value=-1, max_value=101).map(str),
)


@given(st.dictionaries(st.sampled_from(PATHS), NUMBERS))
def test_any_values_make_a_scheme_or_sentences_at_fields_that_were_changed(values: dict[str, str]) -> None:
    """Nothing else comes out: no error without a field, no scheme that a file could not hold."""
    changed, found = HELD, {}
    try:
        changed = change_scheme(HELD, values)
    except TriedSchemeError as refused:
        found = refused.sentences
    assert found.keys() <= values.keys()
    assert all(re.fullmatch(r"[^。]*[一-鿿][^。]*。", sentence) for sentence in found.values())
    assert Scheme.model_validate(changed.model_dump(by_alias=True) | {"from": "2016-01"}) == changed
    given_back = {field.path: field.value for field in list_scheme_fields(changed)}
    assert found or all(given_back[path] == Decimal(value.strip()) for path, value in values.items())
