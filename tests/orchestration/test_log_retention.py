"""Logs do not grow for ever: old ones of tasks go, long ones of components are begun anew."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from five_precisions.orchestration import log_retention
from five_precisions.orchestration.log_retention import remove_old_logs, rotate_log
from five_precisions_demo.stack import Interruption, Site, Stack
from tests.waiting import wait_until

DAY = 86_400


def log_of(folder: Path, name: str, days: float) -> Path:
    """A task's log that was last written to so many days ago, as was its folder."""
    log = folder / name / "attempt=1.log"
    log.parent.mkdir(parents=True)
    log.write_text("told\n", encoding="utf-8")
    then = time.time() - days * DAY
    for path in (log, log.parent):
        os.utime(path, (then, then))
    return log


def test_what_nobody_has_written_to_for_long_goes(tmp_path: Path) -> None:
    old = log_of(tmp_path, "dag_id=monthly/run_id=2019-01/task_id=close", 91)
    young = log_of(tmp_path, "dag_id=monthly/run_id=2019-02/task_id=close", 89)
    assert remove_old_logs(tmp_path, 90) == 1
    assert not old.exists()
    assert young.read_text(encoding="utf-8") == "told\n"
    assert remove_old_logs(tmp_path, 90) == 0


def test_a_folder_goes_when_it_has_been_empty_for_a_day(tmp_path: Path) -> None:
    """Airflow makes the folder first and the file then: between the two nobody may take it away."""
    log = log_of(tmp_path, "dag_id=hourly/run_id=1/task_id=take_in", 91)
    remove_old_logs(tmp_path, 90)
    assert log.parent.is_dir(), "it was written to a moment ago: its file was taken away"
    yesterday = time.time() - 1.1 * DAY
    os.utime(log.parent, (yesterday, yesterday))
    remove_old_logs(tmp_path, 90)
    assert not log.parent.exists()
    assert tmp_path.is_dir()


def test_a_link_goes_and_not_what_it_names(tmp_path: Path) -> None:
    elsewhere = log_of(tmp_path / "elsewhere", "kept", 500)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "latest").symlink_to(elsewhere.parent)
    long_ago = time.time() - 500 * DAY
    os.utime(logs / "latest", (long_ago, long_ago), follow_symlinks=False)
    assert remove_old_logs(logs, 90) == 1
    assert list(logs.iterdir()) == []
    assert elsewhere.exists()


@pytest.mark.integration
def test_a_service_takes_them_away_until_it_is_told_to_stop(tmp_path: Path) -> None:
    old = log_of(tmp_path, "dag_id=monthly/run_id=2019-01/task_id=close", 8)
    command = [sys.executable, "-m", "five_precisions.orchestration.log_retention", str(tmp_path), "--days", "7"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: not old.exists())
        assert service.poll() is None
    finally:
        service.send_signal(signal.SIGTERM)
        said, _ = service.communicate(timeout=60)
    assert service.returncode == 0
    assert said == "1 logs older than 7 days taken away.\n"


def test_no_days_at_all_would_take_the_log_of_a_task_at_work(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        log_retention.main([str(tmp_path), "--days", "0"])
    assert refused.value.code == 2


def test_a_long_log_is_begun_anew_under_the_hands_of_who_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_retention, "LONGEST_BYTES", 1000)
    log, aside = tmp_path / "scheduler.log", tmp_path / "scheduler.log.1"
    rotate_log(log)
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 1000)
        rotate_log(log)
        assert not aside.exists(), "it is not long yet"
        writer.write(b"a")
        rotate_log(log)
        writer.write(b"b\n")
    assert aside.read_bytes() == b"a" * 1001
    assert log.read_bytes() == b"b\n", "no hole where the old lines were"


@pytest.mark.integration
def test_a_stack_keeps_the_logs_of_its_components_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_retention, "LONGEST_BYTES", 10_000)
    site = Site(var=tmp_path / "stack")
    old = log_of(site.task_logs, "dag_id=monthly/run_id=2019-01/task_id=close", 91)
    stack = Stack(site, Interruption())
    chatter = "import time\nprint('word ' * 4_000)\nwhile True: print('word', flush=True); time.sleep(0.05)"
    with stack.supervised(patience=0.2):
        stack.start("scheduler", [sys.executable, "-c", chatter])
        log = site.logs / "scheduler.log"
        wait_until(lambda: log.exists() and log.stat().st_size > 10_000)
        stack._logs_rotated_at = -math.inf
        stack.pause(0.5)
        assert 0 < log.stat().st_size < (site.logs / "scheduler.log.1").stat().st_size
        assert b"\0" not in log.read_bytes()
    assert not old.exists()
