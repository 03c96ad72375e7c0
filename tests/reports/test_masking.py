"""Masking and the keyed hash (spec/02, Sensitive columns)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.reports import Sensitivity
from five_precisions.reports.masking import keyed_hash, mask, mask_digit_runs

KEY = b"a key of the tests, 32 bytes long"


@pytest.mark.parametrize(
    ("value", "sensitivity", "shown"),
    [
        ("441702199001011234", Sensitivity.ID, "4417**********1234"),
        ("44170219900101123X", Sensitivity.ID, "4417**********123X"),
        ("91441700MA4UL1234X", Sensitivity.ID, "9144**********234X"),
        ("441702900101123", Sensitivity.ID, "4417*******1123"),
        ("44170219900", Sensitivity.ID, "4**********"),
        ("1", Sensitivity.ID, "1"),
        ("6228480000000005678", Sensitivity.ACCOUNT, "****5678"),
        ("12345678", Sensitivity.ACCOUNT, "****5678"),
        ("1234567", Sensitivity.ACCOUNT, "****"),
        ("13812340000", Sensitivity.PHONE, "138****0000"),
        ("0662-1234567", Sensitivity.PHONE, "066****4567"),
        ("33123456", Sensitivity.PHONE, "****3456"),
        ("12363", Sensitivity.PHONE, "****"),
        ("陈大文", Sensitivity.NAME, "陈*"),
        ("陈", Sensitivity.NAME, "陈*"),
        ("欧阳大文", Sensitivity.NAME, "欧*"),
        ("𠮷田", Sensitivity.NAME, "𠮷*"),
        ("", Sensitivity.NAME, ""),
    ],
)
def test_only_so_much_is_shown(value: str, sensitivity: Sensitivity, shown: str) -> None:
    assert mask(value, sensitivity) == shown


@pytest.mark.parametrize("sensitivity", list(Sensitivity))
@given(value=st.text("0123456789", min_size=4, max_size=30))
def test_at_most_eight_digits_and_never_all_are_shown(value: str, sensitivity: Sensitivity) -> None:
    shown = mask(value, sensitivity).replace("*", "")
    assert len(shown) <= 8
    assert len(value) - len(shown) >= 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("身份证441702199001011234，请核对", "身份证4417**********1234，请核对"),
        ("44170219900101123x", "4417**********123x"),
        ("44170219900101123X", "4417**********123X"),
        ("电话13812340000", "电话1**********"),
        ("编号1234567890", "编号1234567890"),
        ("2019-06-30 与 20190630", "2019-06-30 与 20190630"),
        ("无", "无"),
        ("", ""),
    ],
)
def test_runs_of_eleven_digits_are_masked(text: str, shown: str) -> None:
    assert mask_digit_runs(text) == shown


@given(st.text(st.sampled_from("0123456789０９٣ -Xx证"), max_size=60))
def test_no_run_of_eleven_digits_is_left(text: str) -> None:
    assert not re.search(r"\d{11}", mask_digit_runs(text))


def test_the_hash_joins_and_reveals_nothing() -> None:
    digest = keyed_hash("44170219900101123X", KEY)
    assert digest == keyed_hash("44170219900101123x", KEY)
    assert digest != keyed_hash("441702199001011231", KEY)
    assert digest != keyed_hash("44170219900101123X", KEY[::-1])
    assert re.fullmatch("[0-9a-f]{64}", digest)


def test_the_hash_does_not_change_from_version_to_version() -> None:
    # HMAC-SHA256 by openssl: the warehouse of years joins by it.
    assert keyed_hash("x", b"key") == "58d02b562bf8f55d1d9deedaf6b191d5ef27850eb62c99da9f07f28394414b7a"
