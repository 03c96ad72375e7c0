"""The template and the self-check of the institutions' pages: what is found, what is refused, what is not kept."""

from __future__ import annotations

import csv
import html
import os
import re
import shutil
import tempfile
import time
from base64 import b64decode
from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from openpyxl import load_workbook
from sqlalchemy import Engine, text

from five_precisions.intake.package import DeliveredFile
from five_precisions.settings import DEMO_REGISTER
from five_precisions.settings import PREFIX as ENVIRONMENT
from tests.packages import ACCOUNT, package, sound, sound_package
from tests.rows import rows
from tests.web.conftest import PREFIX, Login
from tests.web.pages import key_of, table_of, workbook_of

PAGE = f"{PREFIX}/institutions/B01"
FOLDERS = "five-precisions-check-"
SPOILT = package(loans=[sound("loans", annual_rate="很低")])


@pytest.fixture
def register(register_saved_engine: Engine) -> Engine:
    """The demo's register, with June open."""
    with register_saved_engine.begin() as connection:
        connection.execute(text("insert into registry.period values ('2019-06', '2019-07-11T00:00+08')"))
    return register_saved_engine


@pytest.fixture
def op(login: Login) -> TestClient:
    return login("op")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie for a while."""
    made = tmp_path / "uploads"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def check(op: TestClient, files: Sequence[DeliveredFile], **values: str) -> Response:
    key = key_of(op.get(PAGE).text, "/check")
    parts = [("files", (file.name, file.content)) for file in files]
    return op.post(f"{PAGE}/check", data={"key": key, "check_period": "2019-06", **values}, files=parts)


def test_findings_are_those_of_the_check_and_nothing_is_kept(register: Engine, op: TestClient, folder: Path) -> None:
    answer = check(op, SPOILT)
    assert answer.status_code == 200
    assert "2019-06 全部退回：错误1个，警告0个" in answer.text
    assert "<td>T02</td>" in answer.text
    assert "金融精准扶贫贷款台账" in answer.text
    assert ACCOUNT not in answer.text
    assert list(folder.iterdir()) == []
    assert rows(register, "select count(*) from intake.submission") == [(0,)]
    acted = "select kind, subject, period, outcome from registry.action"
    assert rows(register, acted) == [("check", "B01", "2019-06", "全部退回：错误1个，警告0个")]


def test_what_a_killed_check_has_left_is_removed_by_the_next(register: Engine, op: TestClient, folder: Path) -> None:
    left, running, other = (folder / name for name in (f"{FOLDERS}killed", f"{FOLDERS}running", "other"))
    for each in (left, running, other):
        (each / "package").mkdir(parents=True)
        (each / "package" / "loans.csv").write_text("x")
    long_ago = time.time() - 2 * 3600
    for each in (left, other):
        os.utime(each, (long_ago, long_ago))
    assert check(op, SPOILT).status_code == 200
    assert sorted(folder.iterdir()) == [running, other]


def test_the_answer_carries_the_files_of_its_tables(register: Engine, op: TestClient, folder: Path) -> None:
    page = check(op, SPOILT).text
    files = {
        html.unescape(name): b64decode(content)
        for content, name in re.findall(r'<a href="data:[^",]+;base64,([^"]+)" download="([^"]+)"', page)
    }
    stems = [f"自查-B01-2019-06-{title}" for title in ("各表结果", "发现的问题")]
    assert list(files) == [f"{stem}.{ending}" for stem in stems for ending in ("csv", "xlsx")]
    for table, stem in zip(("reports", "findings"), stems, strict=True):
        shown = [[cell.replace("—", "") for cell in row] for row in table_of(page, table)]
        assert len(shown) > 1
        assert list(csv.reader(StringIO(files[f"{stem}.csv"].decode("utf-8-sig")))) == shown
        [sheet] = load_workbook(BytesIO(files[f"{stem}.xlsx"])).worksheets
        cells = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
        assert cells[0][0] == stem
        assert [row[:2] for row in cells[1:]] == [row[:2] for row in shown]
        assert ACCOUNT not in str(cells)


def test_a_sound_package_is_accepted(register: Engine, op: TestClient) -> None:
    answer = check(op, sound_package("loans"))
    assert "2019-06 全部接收：错误0个" in answer.text
    refused = check(op, sound_package("visits"), answer="workbook")
    assert refused.status_code == 422
    assert "没有发现问题，所以没有问题清单" in refused.text


def test_the_findings_workbook_is_a_download(register: Engine, op: TestClient, folder: Path) -> None:
    answer = check(op, SPOILT, answer="workbook")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    book = workbook_of(answer)
    cells = [
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None
    ]
    assert any("很低" in cell for cell in cells)
    assert not any(ACCOUNT in cell for cell in cells)
    assert list(folder.iterdir()) == []


def test_a_name_with_folders_stays_in_the_folder(register: Engine, op: TestClient, folder: Path) -> None:
    loans, cover = SPOILT[1], SPOILT[0]
    names = ("../../loans.csv", "..\\loans.csv", "长" * 300 + ".csv", "..")
    answer = check(op, [cover, *(DeliveredFile(name, loans.content) for name in names)])
    assert answer.status_code == 200
    assert "loans.csv" in answer.text
    assert list(folder.parent.rglob("loans.csv")) == []


@pytest.mark.parametrize(
    ("values", "files", "words"),
    [
        ({"check_period": "junk"}, SPOILT, "请选择月份"),
        ({"check_period": "2999-01"}, SPOILT, "请选择月份"),
        ({"check_period": "2009-12"}, SPOILT, "该机构本月不需报送"),
        ({}, [], "请选择要检查的文件"),
        ({"key": "forged"}, SPOILT, "表单已失效"),
    ],
)
def test_what_cannot_be_checked_is_asked_again(
    register: Engine, op: TestClient, values: dict[str, str], files: Sequence[DeliveredFile], words: str
) -> None:
    answer = check(op, files, **values)
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(register, "select count(*) from registry.action") == [(0,)]


def test_what_is_too_large_or_too_many_is_refused(
    register: Engine, op: TestClient, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    many = [DeliveredFile(f"{number}.csv", b"x") for number in range(41)]
    assert "多于40个" in check(op, many).text
    monkeypatch.setenv(ENVIRONMENT + "MAX_FILE_MB", "1")
    answer = check(op, [DeliveredFile("large.csv", bytes(5 * 1024**2 + 1))])
    assert answer.status_code == 422
    assert "文件合计不能超过4MB" in answer.text
    assert list(folder.iterdir()) == []


def test_only_ops_check(register: Engine, login: Login, stranger: TestClient) -> None:
    viewer = login("viewer")
    assert viewer.post(f"{PAGE}/check", files={"files": ("loans.csv", b"x")}).status_code == 403
    assert viewer.get(f"{PAGE}/check").headers["location"] == f"{PAGE}#check"
    assert stranger.post(f"{PAGE}/check", files={"files": ("loans.csv", b"x")}).status_code in (303, 401)


def test_the_template_is_a_workbook_for_the_month(register: Engine, login: Login) -> None:
    viewer = login("viewer")
    answer = viewer.get(f"{PAGE}/template", params={"period": "2019-06"})
    assert answer.status_code == 200
    cover = workbook_of(answer).worksheets[0]
    cells = [cell for row in cover.iter_rows(values_only=True) for cell in row]
    assert "2019年6月" in cells
    assert rows(register, "select kind, subject, period from registry.action") == [("template", "B01", "2019-06")]
    assert viewer.get(f"{PAGE}/template", params={"period": "junk"}).status_code == 404
    assert viewer.get(f"{PREFIX}/institutions/B99/template").status_code == 404


def test_a_month_for_which_nothing_is_owed_has_no_template(
    register: Engine, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(DEMO_REGISTER, tmp_path / "own"))
    head, *lines = (folder / "obligations.csv").read_text(encoding="utf-8").splitlines()
    dated = "\n".join([f"{head},from", *(f"{line},2019-06" for line in lines)])
    (folder / "obligations.csv").write_text(dated, encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT + "REGISTER", str(folder))
    viewer = login("viewer")
    refused = viewer.get(f"{PAGE}/template", params={"period": "2019-05"})
    assert (refused.status_code, "该机构2019年5月没有应报的报表" in refused.text) == (404, True)
    assert viewer.get(f"{PAGE}/template", params={"period": "2019-06"}).status_code == 200
    assert rows(register, "select kind, subject, period from registry.action") == [("template", "B01", "2019-06")]
