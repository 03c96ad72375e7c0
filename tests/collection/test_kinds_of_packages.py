"""Packages that come as one zip, in a folder of their own, with scans, or from the wrong folder, to their receipts.

See docs/intake.md#the-package; F07, F13, K03.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
from sqlalchemy import Engine

from five_precisions.collection import close, collect
from five_precisions.intake import State, Verdict
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import SHANGHAI
from five_precisions.settings import Settings
from tests.packages import (
    JUNE,
    RESIDENT_ID,
    cover_file,
    cover_line,
    csv_bytes,
    package,
    put,
    sound,
    sound_package,
    table,
)
from tests.rows import rows


def zipped(files: Iterable[DeliveredFile]) -> DeliveredFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in files:
            # At a time of its own, for the same files zipped twice are to be the same bytes.
            archive.writestr(zipfile.ZipInfo(file.name), file.content)
    return DeliveredFile("报送包.zip", content.getvalue())


def receipt_of(settings: Settings, code: str, edition: str = "v1") -> str:
    return (Path(settings.outbox_address) / str(JUNE) / code / f"receipt-{edition}.html").read_text(encoding="utf-8")


def test_a_zip_goes_all_the_way(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [zipped(package(grid=[sound("grid", hotline="")], loans=[sound("loans")]))])
    (judgement,) = collect(engine, settings, JUNE)
    assert (judgement.verdict, [finding.file for finding in judgement.findings]) == (
        Verdict.ACCEPTED,
        ["报送包.zip/grid.csv"],
    )
    assert rows(engine, "select name from intake.file") == [("报送包.zip",)]
    assert rows(engine, "select report, file from intake.report order by 1") == [
        ("grid", "报送包.zip/grid.csv"),
        ("loans", "报送包.zip/loans.csv"),
    ]
    assert list((inbox / "B01").iterdir()) == []
    assert "报送包.zip" in receipt_of(settings, "B01")
    book = openpyxl.load_workbook(Path(settings.outbox_address) / str(JUNE) / "B01" / "findings-v1.xlsx")
    shown = [[cell.value for row in sheet.iter_rows() for cell in row] for sheet in book.worksheets[1:]]
    assert len(shown) == 3
    assert not [value for values in shown for value in values if value == RESIDENT_ID]
    # What the close finds of it shows its sheet, read from the archive.
    put(inbox / "C01", package(households=[sound("households", household_no="H-9")]))
    collect(engine, settings, JUNE)
    close(engine, settings, JUNE)
    told = "select rule, file from intake.finding where submission_id = '2019-06-B01-close'"
    assert ("X04", "报送包.zip/loans.csv") in rows(engine, told)
    book = openpyxl.load_workbook(Path(settings.outbox_address) / str(JUNE) / "B01" / "findings-close.xlsx")
    assert len(book.worksheets) == 2


def test_the_same_zip_once_more_is_the_same_delivery(engine: Engine, settings: Settings, inbox: Path) -> None:
    for expected in (Verdict.ACCEPTED, State.REPEATED):
        put(inbox / "B01", [zipped(sound_package("grid"))])
        (judgement,) = collect(engine, settings, JUNE)
        assert judgement.verdict == expected


def test_a_package_in_a_folder_of_its_own_is_told_of(engine: Engine, settings: Settings, inbox: Path) -> None:
    told = "select html from notify.message where kind = 'reminder'"
    put(inbox / "B01" / "六月报表", sound_package("grid"), datetime.now(SHANGHAI) - timedelta(minutes=29))
    (judgement,) = collect(engine, settings, JUNE)
    assert (judgement.verdict, rows(engine, told)) == (State.INCOMPLETE, [])
    put(inbox / "B01" / "六月报表", sound_package("grid"), datetime.now(SHANGHAI) - timedelta(minutes=31))
    collect(engine, settings, JUNE)
    collect(engine, settings, JUNE)
    ((html,),) = rows(engine, told)
    assert "子文件夹（六月报表）里的文件系统不读取" in html
    assert "缺少" not in html
    assert "六月报表/grid.csv" in html
    # It keeps no month open, for nothing in it can be taken in.
    close(engine, settings.model_copy(update={"first_period": JUNE}), JUNE)


def test_a_folder_beside_the_package_is_named(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    put(inbox / "B01" / "附件", sound_package("loans"))
    (judgement,) = collect(engine, settings, JUNE)
    assert [(finding.rule, finding.file) for finding in judgement.findings] == [("F07", "附件")]
    assert judgement.verdict is Verdict.ACCEPTED
    assert [path.name for path in (inbox / "B01").iterdir()] == ["附件"]
    # It was named with the package: nobody hears of it again.
    assert collect(engine, settings, JUNE) == []
    assert rows(engine, "select count(*) from notify.message where kind = 'reminder'") == [(0,)]


def test_scans_are_archived_and_all_is_accepted(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [*sound_package("grid"), DeliveredFile("盖章.pdf", b"%PDF")])
    collect(engine, settings, JUNE)
    assert rows(engine, "select name from intake.file order by 1") == [("cover.csv",), ("grid.csv",), ("盖章.pdf",)]
    receipt = receipt_of(settings, "B01")
    assert "全部接收" in receipt
    assert "盖章.pdf" in receipt


def test_leftovers_beside_a_package_stay_where_they_are(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [*sound_package("grid"), DeliveredFile("grid.csv~", b"x"), DeliveredFile("grid.bak", b"x")])
    (judgement,) = collect(engine, settings, JUNE)
    assert (judgement.verdict, judgement.findings) == (Verdict.ACCEPTED, ())
    assert sorted(path.name for path in (inbox / "B01").iterdir()) == ["grid.bak", "grid.csv~"]


def test_the_wrong_month_says_so_once_at_the_head(engine: Engine, settings: Settings, inbox: Path) -> None:
    grid, visits = [sound("grid")], [sound("visits", visited_on="2019-03-01")]
    files = [
        cover_file(cover_line("grid", grid), cover_line("visits", visits)),
        DeliveredFile("grid.csv", csv_bytes([["网格化管理责任表（2019年3月）"], *table("grid", grid)])),
        DeliveredFile("visits.csv", csv_bytes(table("visits", visits))),
    ]
    put(inbox / "B01", files)
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.verdict is Verdict.REJECTED
    assert rows(engine, "select report, rule, level from intake.finding") == [(None, "F13", "critical")]
    assert rows(engine, "select report, verdict from intake.report order by 1") == [
        ("grid", "rejected"),
        ("visits", "rejected"),
    ]
    assert rows(engine, "select count(*) from core.grid") == [(0,)]
    receipt = receipt_of(settings, "B01")
    # At the head, and once more where findings are listed.
    assert "全部退回：这像是2019年3月的报表，放进了2019年6月" in receipt.partition("报表结论")[0]
    assert receipt.count("这像是2019年3月的报表，放进了2019年6月") == 2
