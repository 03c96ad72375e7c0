"""Sentences about figures: rise, fall, unchanged, none (docs/outputs.md#bulletin)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from five_precisions.bulletin.wording import (
    change,
    day_name,
    difference,
    growth,
    listing,
    month_name,
    movement,
    movement_since,
    quarter_name,
)
from five_precisions.display import Form
from five_precisions.errors import UsageError
from five_precisions.period import Period


@pytest.mark.parametrize(
    ("now", "before", "form", "unit", "words"),
    [
        ("112.30", "100", Form.AMOUNT, "万元", "比上月增加12.30万元"),
        ("100", "1334.5", Form.AMOUNT, "万元", "比上月减少1,234.50万元"),
        ("100", "100", Form.AMOUNT, "万元", "与上月持平"),
        ("100.005", "100", Form.AMOUNT, "万元", "比上月增加0.01万元"),  # half up
        ("100", "100.005", Form.AMOUNT, "万元", "比上月减少0.01万元"),
        ("100.0049", "100", Form.AMOUNT, "万元", "与上月持平"),  # never 增加0.00
        (12, 9, Form.COUNT, "户", "比上月增加3户"),
        (9, 1209, Form.COUNT, "户", "比上月减少1,200户"),
        ("85.4", "84.2", Form.PERCENT, "%", "比上月上升1.20个百分点"),
        ("-5", "1", Form.PERCENT, "%", "比上月下降6.00个百分点"),
        ("88.45", "80.1", Form.SCORE, "", "比上月提高8.35分"),
        ("80.1", "80.10", Form.SCORE, "", "与上月持平"),
    ],
)
def test_a_change_is_told_without_a_sign(now: str | int, before: str | int, form: Form, unit: str, words: str) -> None:
    assert change(Decimal(now), Decimal(before), form, unit) == words


def test_a_change_names_what_it_is_compared_with() -> None:
    assert change(3, 1, Form.COUNT, "家", than="上季末") == "比上季末增加2家"
    assert change(1, 1, Form.COUNT, "家", than="年初") == "与年初持平"


def test_a_difference_leaves_open_what_it_is_compared_with() -> None:
    assert difference(3, 1, Form.COUNT, "家") == "增加2家"
    assert difference(1, 3, Form.PERCENT) == "下降2.00个百分点"
    assert difference(1, 1, Form.COUNT, "家") == "持平"
    assert difference(None, 1, Form.COUNT, "家") is None


@pytest.mark.parametrize(("now", "before"), [(None, 1), (1, None), (None, None)])
def test_nothing_is_said_of_a_change_without_both_values(now: int | None, before: int | None) -> None:
    assert change(now, before, Form.COUNT, "户") is None


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        ("12.345", "增长12.35%"),
        ("-3.2", "下降3.20%"),
        ("-5", "下降5.00%"),
        ("0", "持平"),
        ("-0.004", "持平"),
        ("-0.005", "下降0.01%"),
        ("1234.5", "增长1,234.50%"),
    ],
)
def test_growth_is_told_without_a_sign(percent: str, words: str) -> None:
    assert growth(Decimal(percent)) == words


def test_nothing_is_said_of_growth_without_a_value() -> None:
    assert growth(None) is None


@pytest.mark.parametrize(
    ("places", "words"), [(2, "上升2位"), (-1, "下降1位"), (-3, "下降3位"), (0, "位次不变"), (None, None)]
)
def test_movement_is_told_without_a_sign(places: int | None, words: str | None) -> None:
    assert movement(places) == words


def test_movement_names_what_it_is_compared_with() -> None:
    assert movement_since(2) == "比上月上升2位"
    assert movement_since(-1, "上季末") == "比上季末下降1位"
    assert movement_since(0) == "位次与上月相同"
    assert movement_since(None) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("", ""),
        ("甲", "甲"),
        ("甲乙", "甲和乙"),
        ("甲乙丙", "甲、乙和丙"),
        ("甲乙丙丁戊", "甲、乙、丙、丁和戊"),
        ("甲乙丙丁戊己", "甲、乙、丙、丁、戊等6家"),
    ],
)
def test_names_are_listed(names: str, words: str) -> None:
    assert listing(list(names)) == words


def test_a_listing_has_a_limit_and_a_measure_word() -> None:
    assert listing(["东镇", "西镇", "南镇"], limit=2, counter="个乡镇") == "东镇、西镇等3个乡镇"


def test_periods_and_days_are_named() -> None:
    assert month_name("2019-06") == month_name(Period(2019, 6)) == "2019年6月"
    assert [quarter_name(f"2019-Q{number}") for number in range(1, 5)] == [
        "2019年第一季度",
        "2019年第二季度",
        "2019年第三季度",
        "2019年第四季度",
    ]
    assert day_name(date(2019, 7, 5)) == "2019年7月5日"


@pytest.mark.parametrize("text", ["2019-Q5", "2019-Q0", "2019Q1", "2019-02", " 2019-Q1", "2019-Q1\n"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a quarter"):
        quarter_name(text)


def test_what_is_no_month_is_refused() -> None:
    with pytest.raises(UsageError, match="not a period"):
        month_name("2019-Q1")
