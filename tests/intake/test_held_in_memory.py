"""What is held in memory of a package, and of one file, is bounded before it is read (docs/intake.md#bad-input)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from five_precisions.collection.selfcheck import check
from five_precisions.errors import UsageError
from five_precisions.intake.package import ChangedWhileReadError, DeliveredFile, load_files
from five_precisions.intake.reading.biff_records import cell_records
from five_precisions.intake.reading.files import Limits, UnreadableFileError, read_file
from five_precisions.intake.ruleset import Ruleset
from five_precisions.settings import Settings
from tests.fixtures.workbooks import xls
from tests.intake.test_packages import judge
from tests.packages import JUNE, csv_bytes, sound_package

MEGABYTE = 1024**2
ROWS = [["a", "b"], ["c", 1.5]]
HYPERLINK, PASSED_OVER, SHEET, END = b"\xb8\x01", b"\xff\xff", b"\x85\x00", b"\x0a\x00\x00\x00"


def test_no_more_bytes_than_one_file_may_have_are_held_of_a_package() -> None:
    contents = {"a": b"x" * 600, "b": b"y" * 600, "c": b"z" * 300, "d": b"w" * 2000}
    ways = [(name, partial(iter, [own[:9], own[9:]])) for name, own in contents.items()]
    files = list(load_files(ways, held=1000))
    assert [len(file.content) for file in files] == [600, 0, 300, 0]
    assert {file.name: file.read(1000) for file in files} == {**contents, "d": b"w" * 1001}
    assert [file.sha256 for file in files] == [DeliveredFile("", own).sha256 for own in contents.values()]
    assert [file.size for file in files] == [600, 600, 300, 2000]


def test_a_file_that_is_read_again_is_the_same_or_none() -> None:
    now = [b"first"]
    (file,) = load_files([("a", lambda: iter(now))], held=0)
    assert file.read(10) == b"first"
    now[0] = b"other"
    with pytest.raises(ChangedWhileReadError):
        file.read(10)


@pytest.mark.integration
def test_a_package_of_many_large_files_takes_little_memory(tmp_path: Path) -> None:
    folder = tmp_path / "inbox" / "2019-06" / "B01"
    folder.mkdir(parents=True)
    for number in range(20):
        with (folder / f"{number}.pdf").open("wb") as file:
            file.truncate(40 * MEGABYTE)
    program = f"""
from five_precisions.intake.inbox import Inbox
from five_precisions.period import Period
from tests.memory import peak_megabytes
inbox = Inbox({str(tmp_path / "inbox")!r}, largest={50 * MEGABYTE})
before = peak_megabytes()
[delivery] = inbox.deliveries(Period(2019, 6), "B01", replay=False)
files = inbox.read(delivery)
print(len(files), sum(len(file.read({50 * MEGABYTE})) for file in files), round(peak_megabytes() - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    files, size, grown = map(int, done.stdout.split())
    assert (files, size) == (20, 800 * MEGABYTE)
    assert grown < 250, "megabytes"


def test_cells_of_a_package_are_counted_together(ruleset: Ruleset) -> None:
    files = [DeliveredFile(f"{number}.csv", csv_bytes([["x"] * 10] * 10)) for number in range(3)]
    limited = replace(ruleset, limits=Limits(cells=280))
    (finding,) = [each for each in judge(files, limited).findings if each.rule == "F01"]
    assert finding.file == "2.csv"
    assert "连同报送包中排在它前面的文件" in finding.message
    assert "F01" not in [each.rule for each in judge(files, ruleset).findings]
    alone = replace(ruleset, limits=Limits(cells=99))
    assert "文件中的单元格超过" in judge(files[:1], alone).findings[0].message


def test_texts_of_a_package_are_counted_together(ruleset: Ruleset) -> None:
    files = [DeliveredFile(f"{number}.csv", csv_bytes([["x" * 100_000]])) for number in range(3)]
    limited = replace(ruleset, limits=Limits(unpacked_bytes=4 * 250_000))
    content = [each.file for each in judge(files, limited).findings if each.rule == "F01"]
    assert content == ["2.csv"]


# .xls


def test_a_link_of_an_xls_is_passed_over() -> None:
    # The record of the sheet's extent becomes a link without contents, over which the library would stumble.
    content = xls({"a": ROWS})
    extent = b"\x00\x02\x0e\x00"
    assert content.count(extent) == 1
    at = content.index(extent)
    linked = content[:at] + HYPERLINK + content[at + 2 :]
    assert read_file("a.xls", linked, known_headers=())[0].rows == ROWS
    assert PASSED_OVER + b"\x0e\x00" in cell_records(linked, Limits()).stream


def test_sheets_of_an_xls_that_share_their_records_are_refused() -> None:
    content = xls({"a": ROWS, "b": ROWS})
    first, second = (at for at in range(len(content)) if content[at : at + 4] == SHEET + b"\x0a\x00")
    shared = content[: second + 4] + content[first + 4 : first + 8] + content[second + 8 :]
    assert [sheet.rows for sheet in read_file("a.xls", content, known_headers=())] == [ROWS, ROWS]
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read_file("a.xls", shared, known_headers=())


def test_cells_of_an_xls_are_counted_before_they_are_read() -> None:
    content = xls({"a": ROWS, "b": ROWS})
    assert cell_records(content, Limits(cells=8)).stream
    with pytest.raises(UnreadableFileError, match="单元格超过"):
        cell_records(content, Limits(cells=7))


# The self-check


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_the_self_check_takes_files_and_folders_only(make: object, tmp_path: Path) -> None:
    thing = tmp_path / "loans.csv"
    make(thing)  # type: ignore[operator]
    with pytest.raises(UsageError, match="is neither a file nor a folder"):
        check(Settings(), thing, "B01", JUNE)


@pytest.mark.slow
def test_the_self_check_names_what_is_no_file_and_does_not_open_it(tmp_path: Path) -> None:
    for file in sound_package("grid"):
        (tmp_path / file.name).write_bytes(file.content)
    os.mkfifo(tmp_path / "管道.csv")
    (tmp_path / "loans.csv").symlink_to("/dev/zero")
    (tmp_path / "v1").mkdir()
    judgement = check(Settings(), tmp_path, "B01", JUNE)
    assert judgement.verdict == "accepted"
    assert [(each.rule, each.level, each.file) for each in judgement.findings] == [
        ("F07", "notice", "loans.csv"),
        ("F07", "notice", "v1"),
        ("F07", "notice", "管道.csv"),
    ]
    says = ["不是普通文件", "是文件夹", "不是普通文件"]
    assert all(words in each.message for words, each in zip(says, judgement.findings, strict=True))


@pytest.mark.integration
def test_the_self_check_of_a_file_of_a_gigabyte_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "loans.csv").open("wb") as file:
        file.truncate(1200 * MEGABYTE)
    program = f"""
from pathlib import Path
from five_precisions.collection.selfcheck import check
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.memory import peak_megabytes
before = peak_megabytes()
judged = check(Settings(), Path({str(tmp_path)!r}), "B01", Period(2019, 6))
print(*(finding.rule for finding in judged.findings), round(peak_megabytes() - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    notice, rule, grown = done.stdout.split()
    assert (notice, rule) == ("F08", "F01")
    assert int(grown) < 250, "megabytes"
