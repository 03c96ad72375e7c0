"""What is said of a process that failed: that the disk is full, where it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from five_precisions import full_disk as module
from five_precisions.errors import SetupError, sentence_of
from five_precisions.full_disk import full_disk
from five_precisions.warehouse.embedded import EmbeddedServer

NOTHING_LEFT = 2**62
"""More bytes than any disk has: beside it, each is full."""


def test_a_disk_with_room_is_not_full(tmp_path: Path) -> None:
    assert full_disk(tmp_path / "of-none.log") is None
    log = tmp_path / "scheduler.log"
    log.write_text("ValueError: something else\n", encoding="utf-8")
    assert full_disk(log) is None


def test_a_full_disk_is_said_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_BYTES", NOTHING_LEFT)
    for log in (tmp_path, tmp_path / "scheduler.log", tmp_path / "no" / "such" / "folder.log"):
        told = full_disk(log)
        assert told is not None
        assert told.startswith("the disk is full (")
        assert told.endswith(f" MB are left in {tmp_path}); make room there and start again")


@pytest.mark.integration
def test_a_disk_that_was_full_is_known_by_the_log(tmp_path: Path) -> None:
    """Room comes back when the process that filled the disk has ended; /dev/full has none for anybody."""
    log = tmp_path / "scheduler.log"
    with log.open("wb") as out:
        fills = [sys.executable, "-c", "open('/dev/full', 'w', buffering=1).write('word\\n')"]
        assert subprocess.run(fills, check=False, stderr=out).returncode == 1
    assert full_disk(log) == f"the disk was full, as its log {log} says; make room there and start again"
    length = log.stat().st_size
    assert full_disk(log, since=length) is None, "it was another process that said so"
    assert full_disk(log, since=length + 1) is not None, "the log was begun anew, and is shorter"


@pytest.mark.integration
def test_an_embedded_server_that_cannot_start_says_that_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedServer(tmp_path / "var")
    with server.borrowed():
        pass
    with (tmp_path / "var/warehouse/data/postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("no_such_setting = 1\n")
    monkeypatch.setattr(module, "LEAST_BYTES", NOTHING_LEFT)
    with pytest.raises(SetupError, match=r" does not start: the disk is full \(\d+ MB are left in .*\); make room"):
        server.start()


def test_what_the_machine_refused_is_one_sentence() -> None:
    with pytest.raises(OSError, match="No space left") as refused:
        Path("/dev/full").write_text("word", encoding="utf-8")
    refused.value.filename = "/var/lib/five-precisions/stack.lock"
    assert sentence_of(refused.value) == "/var/lib/five-precisions/stack.lock: No space left on device."
    assert sentence_of(OSError("quite another")) == "quite another."
