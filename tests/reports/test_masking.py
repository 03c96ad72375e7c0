"""Masking and the keyed hash (docs/reports.md#sensitive-columns)."""

from __future__ import annotations

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.reports import Sensitivity, load_reports
from five_precisions.reports.masking import kept, keyed_hash, mask, mask_digit_runs

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
        ("2019-06-30 2019-07-01 08:00", "2019-06-30 2019-07-01 08:00"),
        ("证4417 0219 9001 0112 34号", "证4417**********1234号"),
        ("4417021990010112\u00a03x", "4417**********123x"),
        ("卡6228\u30004800\u30000000\u30000005678", "卡6228***********5678"),
        ("138 1234 0000", "1**********"),
        ("138-1234-0000", "1**********"),
        ("138－1234－0000", "1**********"),
        ("441702-19900101-123X", "4417**********123X"),
        ("１３８　１２３４　００００", "１**********"),
        ("400-800-1234", "400-800-1234"),
        ("0662-3211234", "0662-3211234"),
        ("分别为12 345 6789元", "分别为12 345 6789元"),
        ("无", "无"),
        ("", ""),
    ],
)
def test_runs_of_eleven_digits_are_masked(text: str, shown: str) -> None:
    assert mask_digit_runs(text) == shown


@given(st.text(st.sampled_from("0123456789０９٣ -Xx证"), max_size=60))
def test_no_run_of_eleven_digits_is_left(text: str) -> None:
    assert not re.search(r"\d{11}", mask_digit_runs(text))


@pytest.mark.parametrize("written", ["6228 4800 0000 0005 678", "6228-4800-0000-0005-678", "6228\u00a0480000000005678"])
def test_an_account_is_the_same_in_groups(written: str) -> None:
    assert keyed_hash(written, KEY) == keyed_hash("6228480000000005678", KEY)


def test_signs_alone_are_not_all_the_same() -> None:
    assert keyed_hash("-", KEY) != keyed_hash("—", KEY)


COLUMNS = {column.name: column for report in load_reports().values() for column in report.columns}


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("borrower_name", "陈大文", "陈*"),
        ("village", "那蓬13812340000", "那蓬1**********"),
        ("reason", "户主441702199001011234", "户主4417**********1234"),
        ("operator_id", "441702199001011234", "4417**********1234"),
        ("contract_no", "201906300000000001", "201906300000000001"),
        ("hotline", "13812340000", "13812340000"),
        ("village", "那蓬村", "那蓬村"),
    ],
)
def test_what_the_warehouse_keeps_of_a_text(column: str, value: str, shown: str) -> None:
    assert kept(value, COLUMNS[column]) == shown


def test_the_hash_joins_and_reveals_nothing() -> None:
    digest = keyed_hash("44170219900101123X", KEY)
    assert digest == hmac.digest(KEY, b"44170219900101123X", "sha256").hex()
    assert digest == keyed_hash("44170219900101123x", KEY)
    assert digest != keyed_hash("441702199001011231", KEY)
    assert digest != keyed_hash("44170219900101123X", KEY[::-1])
    assert re.fullmatch("[0-9a-f]{64}", digest)


def test_the_hash_does_not_change_from_version_to_version() -> None:
    # HMAC-SHA256 by openssl: the warehouse of years joins by it.
    assert keyed_hash("x", b"key") == "58d02b562bf8f55d1d9deedaf6b191d5ef27850eb62c99da9f07f28394414b7a"
