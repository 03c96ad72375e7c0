"""The sheets that were judged are shown as those that are read back from the archive (docs/intake.md#the-receipt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import pytest

from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.reading.files import UnreadableFileError, read_file
from five_precisions.intake.reading.sheet import Limits, Sheet
from five_precisions.intake.ruleset import Ruleset
from five_precisions.receipts.findings_workbook import MaskedSheet, mask_sheets
from five_precisions.receipts.receipt_workbooks import JudgedSheets
from tests.fixtures.hostile.make import HERE, SMALL
from tests.packages import csv_bytes, package, sound, table


def judged_sheets(files: Sequence[DeliveredFile], ruleset: Ruleset) -> Sequence[MaskedSheet]:
    bank = ruleset.register.institution("B01")
    assert bank is not None
    return JudgedSheets(files, judge_package(files, bank, ruleset), ruleset.limits).masked()


def read_back(files: Sequence[DeliveredFile], limits: Limits) -> Sequence[MaskedSheet]:
    """As of a version whose receipt is written again: each file by itself."""

    def sheets(file: DeliveredFile) -> list[Sheet]:
        try:
            return read_file(file.name, file.content, known_headers=known_headers(), limits=limits)
        except UnreadableFileError:
            return []

    return mask_sheets(chain.from_iterable(map(sheets, files)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SMALL if not name.startswith("bomb")])
def test_judging_changes_no_sheet(name: str, ruleset: Ruleset) -> None:
    files = [DeliveredFile(file.name, file.read_bytes()) for file in sorted((HERE / name).iterdir())]
    found = judged_sheets(files, ruleset)
    assert [sheet.file for sheet in found].count("cover.csv") == 1
    assert repr(found) == repr(read_back(files, ruleset.limits))


def test_a_file_without_room_beside_the_others_is_shown_all_the_same(ruleset: Ruleset) -> None:
    files = package(loans=[sound("loans")], grid=[sound("grid")])
    cells = {file.name: sum(map(len, sheet.rows)) for file in files for sheet in read_alone(file)}
    narrow = replace(ruleset, limits=replace(ruleset.limits, cells=cells["cover.csv"] + cells["loans.csv"] + 1))
    bank = ruleset.register.institution("B01")
    assert bank is not None
    judged = judge_package(files, bank, narrow)
    assert judged.crowded_out == {"grid.csv"}
    assert [sheet.file for sheet in judged.sheets] == ["cover.csv", "loans.csv"]
    found = judged_sheets(files, narrow)
    assert [sheet.file for sheet in found] == ["cover.csv", "loans.csv", "grid.csv"]
    assert repr(found) == repr(read_back(files, narrow.limits))


def test_a_sheet_too_large_to_be_shown_is_not_kept(ruleset: Ruleset) -> None:
    rows = [sound("loans", contract_no=f"HT-{number}") for number in range(20_001)]
    files = [DeliveredFile("loans.csv", csv_bytes(table("loans", rows))), *package(grid=[sound("grid")])]
    bank = ruleset.register.institution("B01")
    assert bank is not None
    sheets = JudgedSheets(files, judge_package(files, bank, ruleset, cover_wanted=False), ruleset.limits)
    assert set(sheets._delivered) == {"cover.csv", "grid.csv"}
    assert [sheet.file for sheet in sheets.masked()] == ["cover.csv", "grid.csv"]
    assert sheets._delivered == {}, "what was delivered is let go when it is masked"


def read_alone(file: DeliveredFile) -> list[Sheet]:
    return read_file(file.name, file.content, known_headers=known_headers())
