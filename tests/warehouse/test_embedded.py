"""The embedded server: borrowed, kept, stopped, and none the worse for a killed command."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from five_precisions.errors import SetupError
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from five_precisions.warehouse.embedded import EmbeddedServer

pytestmark = pytest.mark.integration

BORROWER = """
import sys
from pathlib import Path
from five_precisions.warehouse.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])).borrowed():
    print("borrowed", flush=True)
    sys.stdin.readline()
print("returned", flush=True)
"""


class Borrower:
    """Another process that has borrowed the server."""

    def __init__(self, var: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", BORROWER, str(var)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "borrowed\n"

    def give_back(self) -> None:
        said, _ = self._process.communicate("\n", timeout=120)
        assert said == "returned\n"
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=120)
        assert self._process.returncode == -signal.SIGKILL


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A `var` folder whose server, if any runs, ends with the test."""
    folder = tmp_path / "var"
    yield folder
    EmbeddedServer(folder).stop()


def server_process(var: Path) -> psutil.Process | None:
    """The server that runs on the data of `var`, found among the machine's processes."""
    data = str(var / "warehouse" / "data")
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres" and data in (process.info["cmdline"] or [])
    ]
    assert len(found) <= 1
    return found[0] if found else None


def answer(url: object) -> int:
    engine = create_engine(url)  # type: ignore[call-overload]
    try:
        with engine.connect() as connection:
            return connection.execute(text("select 42")).scalar_one()
    finally:
        engine.dispose()


def test_it_runs_while_it_is_borrowed_and_its_data_stays(var: Path) -> None:
    with EmbeddedServer(var).borrowed() as url:
        assert server_process(var)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("create table kept as select 'still here' as word"))
            assert connection.execute(text("show server_encoding")).scalar_one() == "UTF8"
            assert connection.execute(text("show listen_addresses")).scalar_one() == "", "no network port"
            collate = "select datcollate from pg_database where datname = current_database()"
            assert connection.execute(text(collate)).scalar_one() == "C"
        engine.dispose()
    assert server_process(var) is None
    with EmbeddedServer(var).borrowed() as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("select word from kept")).scalar_one() == "still here"
        engine.dispose()


def test_the_last_of_several_borrowers_stops_it(var: Path) -> None:
    first, second = Borrower(var), Borrower(var)
    running = server_process(var)
    assert running
    first.give_back()
    assert server_process(var) == running, "the second one still uses it"
    second.give_back()
    assert server_process(var) is None


def test_a_borrower_that_fails_gives_it_back(var: Path) -> None:
    def fail() -> None:
        with EmbeddedServer(var).borrowed():
            assert server_process(var)
            raise SetupError("something else is wrong")

    with pytest.raises(SetupError, match="something else"):
        fail()
    assert server_process(var) is None


def test_a_killed_borrower_neither_breaks_it_nor_keeps_it(var: Path) -> None:
    killed, other = Borrower(var), Borrower(var)
    running = server_process(var)
    killed.kill()
    with EmbeddedServer(var).borrowed() as url:
        assert answer(url) == 42
        assert server_process(var) == running
    assert server_process(var) == running
    other.give_back()
    assert server_process(var) is None


def test_a_killed_only_borrower_leaves_it_to_the_next(var: Path) -> None:
    Borrower(var).kill()
    with EmbeddedServer(var).borrowed() as url:
        assert answer(url) == 42
    assert server_process(var) is None


def test_a_killed_server_starts_again(var: Path) -> None:
    with EmbeddedServer(var).borrowed():
        running = server_process(var)
        assert running
        running.kill()
        running.wait(30)
    with EmbeddedServer(var).borrowed() as url:
        assert answer(url) == 42


def test_a_killed_servers_children_are_waited_for(var: Path) -> None:
    with EmbeddedServer(var).borrowed():
        running = server_process(var)
        assert running
        child = running.children()[0]
        child.suspend()
        running.kill()
        running.wait(30)
    later = threading.Timer(1.5, child.resume)
    later.start()
    try:
        with EmbeddedServer(var).borrowed() as url:
            assert answer(url) == 42
    finally:
        later.join()
    assert not child.is_running()


def test_a_crashed_servers_number_may_be_another_programs_now(var: Path) -> None:
    with EmbeddedServer(var).borrowed():
        running = server_process(var)
        assert running
        note = (var / "warehouse" / "data" / "postmaster.pid").read_text(encoding="utf-8")
        running.kill()
        running.wait(30)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        lines = note.splitlines(keepends=True)
        crashed = var / "warehouse" / "data" / "postmaster.pid"
        crashed.write_text("".join([f"{bystander.pid}\n", *lines[1:]]), encoding="utf-8")
        assert not EmbeddedServer(var).stop()
        assert bystander.poll() is None, "it is none of ours"
        with EmbeddedServer(var).borrowed() as url:
            assert answer(url) == 42
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_half_a_note_of_the_wheel_does_no_harm(var: Path) -> None:
    with EmbeddedServer(var).borrowed():
        pass
    (var / "warehouse" / "data" / ".handle_pids.json").write_text("[12", encoding="utf-8")
    Borrower(var).give_back()


def test_started_it_stays_until_it_is_stopped(var: Path) -> None:
    server = EmbeddedServer(var)
    url = server.start()
    assert answer(url) == 42
    Borrower(var).give_back()
    with server.borrowed() as borrowed_url:
        assert borrowed_url == url
    running = server_process(var)
    assert running, "borrowers do not stop what was started to stay"
    assert server.url() == url
    assert answer(server.url("postgres")) == 42
    assert server.stop()
    assert server_process(var) is None
    assert not server.stop(), "there is nothing left to stop"
    with server.borrowed() as url:
        assert answer(url) == 42
    assert server_process(var) is None, "stopped, it is not kept any more"


def test_what_never_ran_is_not_stopped(tmp_path: Path) -> None:
    assert not EmbeddedServer(tmp_path / "var").stop()
    assert not (tmp_path / "var").exists()


def test_many_may_come_at_once_to_a_server_that_is_not_there_yet(var: Path) -> None:
    command = [sys.executable, "-c", BORROWER, str(var)]
    borrowers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [borrower.communicate("\n", timeout=120)[0] for borrower in borrowers]
    assert said == ["borrowed\nreturned\n"] * 3
    assert server_process(var) is None


def test_no_secret_becomes_readable_beside_it(var: Path) -> None:
    secrets = var / "secrets.env"
    var.mkdir()
    secrets.touch(mode=0o600)
    with EmbeddedServer(var).borrowed():
        assert secrets.stat().st_mode & 0o077 == 0
        assert (var / "warehouse" / "data").stat().st_mode & 0o077 == 0


def test_nobody_else_passes_var_or_reaches_the_server(var: Path) -> None:
    """But for root's server itself, which passes as one of root's own group."""
    var.mkdir(mode=0o755)
    with EmbeddedServer(var).borrowed() as url:
        passing = 0o010 if os.geteuid() == 0 else 0
        for folder in (var, var / "warehouse"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700 | passing
            assert folder.stat().st_gid == os.getegid()
        socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert answer(url) == 42


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server works as somebody else")
def test_roots_server_passes_closed_folders_that_nobody_else_may_read(tmp_path: Path) -> None:
    """The wheel itself would let everybody read each folder above, up to the root of the file system."""
    closed, shared = tmp_path / "closed", tmp_path / "closed" / "shared"
    shared.mkdir(parents=True)
    os.chown(shared, -1, 4711)
    os.chown(closed, -1, 4711)
    closed.chmod(0o700)
    shared.chmod(0o750)
    above = [stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.parents]
    server = EmbeddedServer(shared / "var")
    with server.borrowed() as url:
        assert answer(url) == 42
        found = [(stat.S_IMODE(each.stat().st_mode), each.stat().st_gid) for each in (closed, shared, shared / "var")]
        # A group that has rights of its own keeps them, and everybody may pass; nobody new may read.
        assert found == [(0o710, os.getegid()), (0o751, 4711), (0o710, os.getegid())]
        assert (shared / "var" / "warehouse" / "data").stat().st_mode & 0o077 == 0
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.parents] == above


@pytest.mark.skipif(os.geteuid() != 0, reason="only then the wheel opens a folder of the system to everybody")
def test_a_socket_that_lies_elsewhere_is_closed_as_well(tmp_path: Path) -> None:
    """Whose path is too long to be one of a socket gets it in a folder of the system."""
    server = EmbeddedServer(tmp_path / ("long" * 25) / "var")
    with server.borrowed() as url:
        folder = Path(str(url.query["host"]))
        assert tmp_path not in folder.parents
        assert stat.S_IMODE((folder / ".s.PGSQL.5432").stat().st_mode) == 0o700
        assert answer(url) == 42


def test_a_server_that_cannot_start_is_a_set_up_error(var: Path) -> None:
    with EmbeddedServer(var).borrowed():
        pass
    configuration = var / "warehouse" / "data" / "postgresql.conf"
    with configuration.open("a", encoding="utf-8") as file:
        file.write("no_such_setting = 1\n")
    with (
        pytest.raises(SetupError, match=r"The embedded PostgreSQL under .* does not start: its log is ") as refused,
        EmbeddedServer(var).borrowed(),
    ):
        pass
    assert "\n" not in str(refused.value)


def test_data_that_cannot_be_made_say_why(var: Path) -> None:
    (var / "warehouse" / "data").mkdir(parents=True)
    (var / "warehouse" / "data" / "somebody's").touch()
    with pytest.raises(SetupError, match=r"does not start: directory .* exists but is not empty.$"):
        EmbeddedServer(var).start()


def test_without_an_address_the_warehouse_is_the_embedded_one(var: Path) -> None:
    settings = Settings.load()
    assert settings.var == var
    assert settings.warehouse is None
    with open_warehouse(settings) as engine, engine.connect() as connection:
        assert connection.execute(text("select current_database()")).scalar_one() == "five_precisions"
        assert connection.execute(text("show timezone")).scalar_one() == "Asia/Shanghai"
        assert server_process(var)
    assert server_process(var) is None
    assert os.environ["FIVE_PRECISIONS_VAR"] == str(var)
