"""The stack of one machine and the demo on it: real processes, interrupted by real signals."""

from __future__ import annotations

import csv
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from apprise import Apprise
from sqlalchemy import create_engine
from tests.waiting import LONGEST_SECONDS, wait_until

from five_precisions.errors import SetupError
from five_precisions.warehouse.embedded import EmbeddedServer
from five_precisions.warehouse.schema import require_migrated
from five_precisions_demo.city.published import PUBLISHED
from five_precisions_demo.replay import __main__ as demo_main
from five_precisions_demo.replay import run as demo_run
from five_precisions_demo.replay.run import DemoRun
from five_precisions_demo.replay.summary import Summary
from five_precisions_demo.stack import ComponentError, Interruption, Site, Stack, forget_foreign_environment
from five_precisions_demo.stack.commands import free_the_port
from five_precisions_demo.stack.environment import clean_environment

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("heard_signals")]

DEMO = [sys.executable, "-m", "five_precisions_demo.replay"]
STACK = [sys.executable, "-m", "five_precisions_demo.stack"]
GOLDEN = Path(__file__).parents[1] / "golden-2019-06.csv"


@dataclass(frozen=True)
class Moment:
    """When a demo is interrupted, and how."""

    command: list[str]
    number: signal.Signals
    at_work: int
    """How many processes there are by then, at least; with one it imports its libraries."""


MOMENTS = {
    "imports": Moment(DEMO, signal.SIGTERM, 1),
    "inbox and database": Moment(DEMO, signal.SIGINT, 5),
    "airflow is starting": Moment(DEMO, signal.SIGTERM, 9),
    "everything is starting": Moment([*STACK, "run"], signal.SIGINT, 10),
}


def processes_of(var: Path) -> list[str]:
    """Every process that has to do with the folder: by its environment, its command or where it works."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [*process.environ().values(), *process.cmdline(), process.cwd()]
            if any(str(var) in word for word in words):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:100]}")
    return found


def wait_for_processes(var: Path, number: int) -> None:
    wait_until(lambda: len(processes_of(var)) >= number, lambda: processes_of(var))


def has_imported(pid: int) -> bool:
    """Whether a process has a library of ours in its memory."""
    return any("site-packages" in each.path for each in psutil.Process(pid).memory_maps())


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(var=tmp_path / "stack", port=free_port())
    yield site
    subprocess.run([*STACK, "down", "--var", str(site.var)], check=True, capture_output=True)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_an_interrupted_demo_leaves_no_process(site: Site, moment: Moment) -> None:
    demo = subprocess.Popen(
        [*moment.command, "--var", str(site.var), "--port", str(site.port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: has_imported(demo.pid))
    wait_for_processes(site.var, moment.at_work)
    assert demo.poll() is None, demo.communicate()
    if moment.number is signal.SIGINT:
        # A terminal gives it to everyone in the foreground; and the impatient press twice.
        os.killpg(demo.pid, signal.SIGINT)
        time.sleep(0.3)
        with suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGINT)
    else:
        demo.terminate()
    _, errors = demo.communicate(timeout=LONGEST_SECONDS)
    assert processes_of(site.var) == []
    assert list(site.var.glob("warehouse/data/.s.PGSQL*")) == []
    assert not (site.var / "warehouse/data/postmaster.pid").exists()
    if moment.command is not DEMO:
        # To be told to stop is how it ends.
        assert (demo.returncode, errors) == (0, "")
    elif moment.at_work > 1:
        assert demo.returncode == 128 + moment.number
        assert errors == f"Interrupted by {moment.number.name}; every process is ended.\n"


def test_a_killed_supervisor_is_cleaned_up_after(site: Site) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--var", str(site.var), "--port", str(site.port)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    wait_for_processes(site.var, 6)
    demo.kill()
    demo.wait()
    assert processes_of(site.var) != []
    told = subprocess.run([*STACK, "down", "--var", str(site.var)], capture_output=True, text=True, check=True)
    assert told.stdout == "Stopped what was left.\n"
    assert processes_of(site.var) == []


def test_who_brings_it_up_again_is_not_kept_off_by_what_a_killed_one_has_left(site: Site) -> None:
    site.var.mkdir()
    server = "import socket, sys, time; held = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
    left = subprocess.Popen(
        [sys.executable, "-c", server, str(site.port)], env=clean_environment(site), start_new_session=True
    )
    wait_until(lambda: answers(site.port))
    free_the_port(site)
    assert processes_of(site.var) == []
    left.wait(10)
    # Of somebody else's process it keeps its hands.
    with socket.create_server(("127.0.0.1", site.port)), pytest.raises(SetupError, match=f"Port {site.port} on"):
        free_the_port(site)


def test_twice_at_once_is_refused(site: Site) -> None:
    with Stack(site, Interruption()).supervised():
        (site.var / "airflow.env").touch()
        again = subprocess.run([*DEMO, "--var", str(site.var)], capture_output=True, text=True, check=False)
        up = subprocess.run([*STACK, "up", "--var", str(site.var)], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"A stack is running in {site.var} already; stop it first: make down\n"
    assert (up.returncode, up.stdout) == (0, f"It is up already: http://127.0.0.1:{site.port}\n")


def test_up_before_any_demo_is_refused(site: Site) -> None:
    up = subprocess.run([*STACK, "up", "--var", str(site.var)], capture_output=True, text=True, check=False)
    assert (up.returncode, up.stderr) == (2, f"There is nothing in {site.var} to bring up; run: make demo\n")


def test_a_port_in_use_is_named(site: Site) -> None:
    stack = Stack(site, Interruption())
    with (
        socket.create_server(("127.0.0.1", site.port)),
        stack.supervised(),
        pytest.raises(SetupError, match=f"Port {site.port} on 127.0.0.1"),
    ):
        stack.start_servers()


def test_a_component_that_ends_by_itself_ends_everything(site: Site) -> None:
    stack = Stack(site, Interruption())
    with stack.supervised():
        stack.start("scheduler", [sys.executable, "-c", "import time; time.sleep(600)"])
        stack.start("triggerer", [sys.executable, "-c", "raise SystemExit(7)"])
        with pytest.raises(ComponentError) as caught:
            stack.pause(10)
        assert len(processes_of(site.var)) == 1
    log = site.logs / "triggerer.log"
    assert str(caught.value) == f"The triggerer ended by itself (exit code 7); its log is {log}."
    assert processes_of(site.var) == []


def test_a_component_that_found_the_disk_full_is_said_to_have(site: Site) -> None:
    stack = Stack(site, Interruption())
    with stack.supervised():
        stack.start("triggerer", [sys.executable, "-c", "open('/dev/full', 'w', buffering=1).write('word\\n')"])
        with pytest.raises(ComponentError) as caught:
            stack.pause(LONGEST_SECONDS)
    log = site.logs / "triggerer.log"
    assert str(caught.value) == (
        f"The triggerer ended by itself (exit code 1); the disk was full, as its log {log} says; make room there and "
        "start again."
    )


def test_children_that_leave_their_group_and_change_their_name_are_ended(site: Site) -> None:
    stubborn = (
        "import os, signal, time, setproctitle\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "setproctitle.setproctitle('somebody else, with a name that is longer than the command it was called by')\n"
        "time.sleep(600)\n"
    )
    stack = Stack(site, Interruption())
    with stack.supervised(patience=0.2):
        stack.start("stubborn", [sys.executable, "-c", stubborn])
        wait_for_processes(site.var, 2)
    assert processes_of(site.var) == []


def test_servers_keep_mails_and_secrets(site: Site) -> None:
    stack = Stack(site, Interruption())
    with stack.supervised():
        url = stack.start_servers()
        environment = stack._environment
        somebody = Apprise(environment["FIVE_PRECISIONS_MAIL"] + "&to=somebody@example.test")
        assert somebody.notify(body="对账", title="信")
        assert url.render_as_string() == environment["FIVE_PRECISIONS_WAREHOUSE"]
    [mail] = site.mails.glob("*.eml")
    assert b"To: somebody@example.test" in mail.read_bytes()
    private = [site.var / name for name in ("airflow.env", "passwords.json", "secrets.env")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600] * 3
    kept = [path.read_bytes() for path in private]
    with Stack(site, Interruption()).supervised():
        assert not EmbeddedServer(site.var).stop()
    with stack.supervised():
        stack.start_servers()
    assert [path.read_bytes() for path in private] == kept


def test_a_stack_whose_secrets_are_gone_makes_no_others(site: Site) -> None:
    (site.var / "warehouse" / "data").mkdir(parents=True)
    (site.var / "airflow.env").touch()
    sentence = f"{site.var}/warehouse was made with secrets, and {site.var}/secrets.env is not there: put it back"
    up = subprocess.run([*STACK, "up", "--var", str(site.var)], capture_output=True, text=True, check=False)
    assert (up.returncode, up.stdout, up.stderr.count("\n")) == (2, "", 1)
    assert up.stderr.startswith(sentence)
    stack = Stack(site, Interruption())
    with stack.supervised(), pytest.raises(SetupError, match=sentence):
        stack.start_servers()
    assert not (site.var / "secrets.env").exists()


@pytest.mark.parametrize("options", [[], ["--keep-packages"]], ids=["removed", "kept"])
def test_the_demo_keeps_no_packages_in_clear_unless_asked(
    options: list[str], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_package(stack: Stack, name: str, command: list[str]) -> None:
        assert (name, command[-1]) == ("demo-data", str(site.var / "inbox"))
        folder = stack.site.var / "inbox" / "2019-06" / "B01"
        folder.mkdir(parents=True)
        (folder / "loans.csv").touch()

    monkeypatch.setattr(Stack, "start", write_package)
    monkeypatch.setattr(DemoRun, "_start", lambda *_: None)
    monkeypatch.setattr(DemoRun, "_follow", lambda *_: None)
    monkeypatch.setattr(demo_run, "read_summary", lambda *_: Summary([], [], {}, 0, []))
    assert demo_main.main([*options, "--var", str(site.var), "--port", str(site.port)]) == 0
    assert (site.var / "inbox").is_dir()
    assert any((site.var / "inbox").iterdir()) is bool(options)


def test_what_an_older_version_has_left_is_brought_up_to_date(site: Site) -> None:
    stack = Stack(site, Interruption())
    with stack.supervised(patience=0):
        engine = create_engine(stack.start_servers())
        with pytest.raises(SetupError, match="five-precisions init"):
            require_migrated(engine)
        stack.start_migration()
        require_migrated(engine)
        assert "migrate" in stack._processes
        engine.dispose()


def test_nothing_of_the_callers_environment_leaks_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    foreign = ("AIRFLOW__CORE__EXECUTOR", "AIRFLOW_HOME", "AIRFLOW_CONN_MAIL", "FIVE_PRECISIONS_INBOX", "PGHOST")
    for name in foreign:
        monkeypatch.setenv(name, "of another installation")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.test")
    clean = clean_environment(Site(var=tmp_path))
    assert clean["FIVE_PRECISIONS_STACK"] == str(tmp_path)
    assert "of another installation" not in clean.values()
    assert (clean["HTTPS_PROXY"], clean["NO_PROXY"]) == ("http://proxy.example.test", "127.0.0.1,localhost")
    forget_foreign_environment()
    assert "of another installation" not in os.environ.values()


def test_the_demo_knows_the_published_figures() -> None:
    golden = list(csv.DictReader(GOLDEN.read_text(encoding="utf-8").splitlines()))
    assert len(golden) == 19
    assert {row["metric"]: row["value"] for row in golden} == PUBLISHED
