"""What an installation keeps is its owner's to read, whatever umask it is called with.

See docs/reports.md#sensitive-columns.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions import rights
from five_precisions.rights import as_asked_for, close_folder, keep_private, make_private_folder, private
from five_precisions.settings import Settings
from tests.command_line import COMMAND
from tests.packages import JUNE, put, sound_package

pytestmark = pytest.mark.integration

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("before", [0o755, 0o777, 0o750, 0o701, 0o711])
def test_a_folder_of_an_older_installation_is_closed(tmp_path: Path, before: int) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(before)
    assert Settings.load().var == folder
    assert mode(folder) == 0o700


def test_a_folder_that_many_share_stays_open(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    close_folder(shared)
    close_folder(tmp_path / "nowhere")
    assert mode(shared) == 0o1777


def test_a_folder_is_made_private_with_those_above_it(tmp_path: Path) -> None:
    with umask(0o022):
        make_private_folder(tmp_path / "above" / "var")
        with private():
            (tmp_path / "task").write_text("", encoding="utf-8")
        (tmp_path / "other").write_text("", encoding="utf-8")
    assert mode(tmp_path / "above" / "var") == 0o700
    assert (mode(tmp_path / "task"), mode(tmp_path / "other")) == (0o600, 0o644)


def test_what_is_asked_for_has_the_callers_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_asked_for", None)
    with umask(0o027):
        keep_private()
        for name in ("ours", "his"):
            with as_asked_for() if name == "his" else private():
                (tmp_path / name).write_text("", encoding="utf-8")
        (tmp_path / "again").write_text("", encoding="utf-8")
    assert [mode(tmp_path / name) for name in ("ours", "his", "again")] == [0o600, 0o640, 0o600]


def test_commands_keep_what_they_write_and_give_what_was_asked_for(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    put(settings.var / "inbox" / str(JUNE) / "B01", sound_package("grid"))
    settings.var.chmod(0o755)
    named = {"elsewhere": tmp_path / "asked.xlsx", "within": settings.var / "asked.xlsx"}
    commands = [
        ("collect", "2019-06", "--replay"),
        ("close", "2019-06", "--replay"),
        *(("template", "--institution", "B01", "--out", str(path)) for path in named.values()),
    ]
    for words in commands:
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False, timeout=300, umask=0o022)
        assert done.returncode in (0, 1), done.stderr
    assert mode(settings.var) == 0o700
    for folder in ("archive", "outbox", "data-docs"):
        written = [settings.var / folder, *(settings.var / folder).rglob("*")]
        assert any(path.is_file() for path in written)
        assert {mode(path) & OTHERS for path in written} == {0}
    assert {place: mode(path) for place, path in named.items()} == {"elsewhere": 0o644, "within": 0o600}
