"""Texts that a spreadsheet could run, and those that it could not (docs/intake.md#the-receipt)."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from five_precisions.cli.console import write_csv
from five_precisions.display import inert


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx"),
        *("＝1+1", "＋1", "－2", "＠SUM(A1)", "﹦1", "﹢1", "﹣1", "﹫1"),
        *(" =1", "\u3000＝1", "\u00a0=1", "\ufeff=1", "\u200b=1", "\n=1", " \r\n ＝1", "\x1f=1"),
    ],
)
def test_what_could_run_stands_in_quotation_marks(text: str) -> None:
    assert inert(text) == f"“{text}”"


@pytest.mark.parametrize("text", ["", " ", "甲=1", "1-2", "—", "（-）", "　甲", "2019-06", "a@example.test", "'=1"])
def test_what_could_not_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_in_a_csv_file_no_text_runs_and_numbers_stay_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", ["＝head"], [["\n=1"], [Decimal("-1.50")], [None], [-3]])
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["“＝head”"], ["“\n=1”"], ["-1.50"], [""], ["-3"]]
