"""Everything that runs on one machine, under one folder and on 127.0.0.1 only: `make up`, `make down`, and the demo's.

Embedded PostgreSQL with two databases, Airflow's four components, and a mail server that keeps what it gets. One
process owns them, the supervisor: the demo, or `stack run` in the background. It holds `<var>/stack.lock` while it
lives, which the kernel releases however it ends. Whoever comes after a supervisor that was killed ends what it left.

Every process of a stack bears its mark in the environment and belongs to a session of its own, so that none is missed,
whatever it calls itself and whoever its parent has become.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, Final, Self

import httpx
import psutil
import psycopg
from rich.console import Console
from sqlalchemy import URL

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.secrets_file import create_secrets_file
from five_precisions.settings import PREFIX, ROOT
from five_precisions.warehouse.embedded import DATABASE, EmbeddedServer

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOST: Final = "127.0.0.1"
PORT: Final = 8080
DEMO: Final = ROOT / "var" / "demo"
OPS: Final = "ops"
APPROVER: Final = "approver"
SENDER: Final = "five-precisions@example.test"
OPS_ADDRESS: Final = "ops@example.test"

REPLAY: Final[Mapping[str, str]] = {
    PREFIX + "FIRST_PERIOD": "2019-01",
    PREFIX + "LAST_PERIOD": "2019-06",
    PREFIX + "REPLAY": "true",
}
"""The demo's own settings: six months, taken in as if they came today."""

_MARK: Final = PREFIX + "STACK"
"""Names the stack's folder in the environment of each of its processes; nothing else sets it."""
_FOREIGN: Final = ("AIRFLOW", PREFIX, "PYTHON", "PG")
"""What is set under such names in the caller's environment is meant for another Airflow, Python or database."""
_AIRFLOW_DATABASE: Final = "airflow"
# No log servers: they listen on every address and cannot be told otherwise, and here the API server reads the files.
_COMPONENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
}
"""In the order of starting. The API server ends last: the others report to it what they have finished."""
_SERVING: Final = frozenset({"api-server"})
_WORKING: Final = frozenset({"scheduler"})
_PATIENCE: Final = 30.0
"""Seconds that running tasks may take to end; what is left then is killed, and done again after the next start."""
_IDLE_PATIENCE: Final = 5.0
"""Seconds for those that run no tasks. A triggerer without triggers takes ten to find that it has none."""
_KILL_SECONDS: Final = 5.0
_READY_SECONDS: Final = 180.0
_TICK: Final = 0.1


class ComponentError(FivePrecisionsError):
    """A process of the stack ended by itself, or does not come up."""


class InterruptedByUserError(FivePrecisionsError):
    """Ctrl-C, SIGTERM or a closed terminal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Interrupted by {signal.Signals(number).name}; every process is ended.")
        self.exit_code = 128 + number


class Interruption:
    """Signals that end the program, noted by the handler and raised where the main thread looks.

    A handler that raised could hit between the start of a process and the note of it, or in the middle of cleaning up.
    One that only notes cannot: every wait looks ten times a second, and while cleaning up nobody looks.
    """

    def __init__(self) -> None:
        self._number: int | None = None

    def listen(self) -> Self:
        """From now on. A signal that the caller ignores, as under nohup, stays ignored."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)
        return self

    def check(self) -> None:
        """Raise if a signal has come.

        Raises:
            InterruptedByUserError: it has.
        """
        if self._number is not None:
            raise InterruptedByUserError(self._number)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._number = self._number or number


@dataclass(frozen=True, slots=True)
class Site:
    """Where a stack lives and what it is told."""

    var: Path = DEMO
    port: int = PORT
    dags: Path = ROOT / "dags"
    variables: Mapping[str, str] = field(default_factory=lambda: REPLAY)
    """Settings of the package beyond those that the stack itself gives."""

    @property
    def url(self) -> str:
        """Where Airflow answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def logs(self) -> Path:
        """The components' logs; the tasks' are in a folder below."""
        return self.var / "logs"

    @property
    def mails(self) -> Path:
        """What the mail server took, a file a mail."""
        return self.var / "mails"

    @property
    def passwords_file(self) -> Path:
        """The users' passwords (JSON), readable by its owner only."""
        return self.var / "passwords.json"

    def password(self, user: str) -> str:
        """A user's password.

        Raises:
            SetupError: the stack was never started.
        """
        try:
            return str(json.loads(self.passwords_file.read_text(encoding="utf-8"))[user])
        except (OSError, ValueError, KeyError):
            raise SetupError(f"{self.passwords_file} does not name {user}'s password; run: make demo") from None


class Stack:
    """The supervisor's side: starts everything, watches it, and ends it. Only for the main thread.

    Args:
        site: where it lives.
        interruption: looked at during every wait.
    """

    def __init__(self, site: Site, interruption: Interruption) -> None:
        self.site = site
        self._interruption = interruption
        self._server = EmbeddedServer(site.var)
        self._mail: _MailServer | None = None
        self._environment: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @contextmanager
    def supervised(self, *, patience: float = _PATIENCE) -> Iterator[None]:
        """Own the folder for the block; whatever ends it, everything is ended after it.

        Raises:
            SetupError: another supervisor owns it.
        """
        self.site.var.mkdir(parents=True, exist_ok=True)
        # Somebody who only asks who owns it has it for a moment.
        with _lock(self.site, patience=1) as lock:
            if lock is None:
                raise SetupError(f"A stack is running in {self.site.var} already; stop it first: make down")
            lock.truncate(0)
            lock.write(f"{os.getpid()} {self.site.port}\n".encode())
            lock.flush()
            try:
                _end_leftovers(self.site)
                yield
            except FivePrecisionsError:
                # Where a signal reached others, too, e.g. a database that was starting, it is what happened.
                self._interruption.check()
                raise
            finally:
                self._stop(patience)

    def clear(self) -> None:
        """Take away what the folder holds, but for the lock."""
        for entry in self.site.var.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _LOCK_NAME:
                entry.unlink()

    def start_servers(self) -> URL:
        """Start the database and the mail server, with both databases and all secrets made; the warehouse's address.

        Raises:
            SetupError: the port is taken, or the database does not start.
        """
        _require_free(self.site.port)
        site = self.site
        for folder in (site.logs, site.mails, site.var / "airflow"):
            folder.mkdir(parents=True, exist_ok=True)
        url = self._server.start()
        self._interruption.check()
        _create_airflow_database(url)
        self._mail = _MailServer(site.mails)
        self._mail.start()
        self._environment = _environment(site, url, self._mail.port)
        self._interruption.check()
        return url

    def start_migration(self) -> None:
        """Begin to create or upgrade Airflow's own tables; `finish("migrate")` waits for the end."""
        self.start("migrate", _airflow("db", "migrate"))

    def start_components(self, *names: str) -> None:
        """Start Airflow's components, or those named."""
        for name in names or _COMPONENTS:
            self.start(name, _airflow(*_COMPONENTS[name]))

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process of the stack, in a session of its own, with a log of its name."""
        self._interruption.check()
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - a command of ours
                command,
                env=self._environment or _clean_environment(self.site),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_running(self, name: str) -> bool:
        """Whether a process that was started, and is meant to end, still runs.

        Raises:
            ComponentError: it failed.
        """
        code = self._processes[name].poll()
        if code:
            raise ComponentError(f"{name} failed (exit code {code}); its log is {self._log(name)}.")
        return code is None

    def finish(self, name: str) -> None:
        """Wait for the end of such a process.

        Raises:
            ComponentError: it failed, or another one has ended.
        """
        while self.is_running(name):
            self.check()
            time.sleep(_TICK)

    def wait_until_ready(self) -> None:
        """Wait until Airflow answers and all its components beat.

        Raises:
            ComponentError: one has ended, or three minutes are over.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not is_healthy(self.site):
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not come up at {self.site.url}; its logs lie in {self.site.logs}.")
            self.pause(0.5)

    def pause(self, seconds: float) -> None:
        """Wait while all is well.

        Raises:
            ComponentError: a component has ended.
        """
        deadline = time.monotonic() + seconds
        self.check()
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(_TICK, left))
            self.check()

    def check(self) -> None:
        """Look whether all is well.

        Raises:
            ComponentError: a component has ended.
            InterruptedByUserError: a signal has come.
        """
        self._interruption.check()
        for name in _COMPONENTS:
            process = self._processes.get(name)
            if process is not None and process.poll() is not None:
                # A terminal's Ctrl-C does not reach it, but whoever ends all our processes at once ends it, too.
                self._interruption.check()
                raise ComponentError(
                    f"The {name} ended by itself (exit code {process.returncode}); its log is {self._log(name)}."
                )

    def memory(self) -> int:
        """Bytes that all processes take together, shared pages counted once where the system tells."""
        return sum(map(_memory_of, [psutil.Process(), *_members(self.site), *_database_processes(self.site)]))

    def _log(self, name: str) -> Path:
        self.site.logs.mkdir(parents=True, exist_ok=True)
        return self.site.logs / f"{name}.log"

    def _stop(self, patience: float) -> None:
        try:
            self._end_processes(patience)
            if self._mail is not None:
                self._mail.stop()
        finally:
            self._server.stop()

    def _end_processes(self, patience: float) -> None:
        for is_serving in (False, True):
            ending = {name: process for name, process in self._processes.items() if (name in _SERVING) is is_serving}
            for process in ending.values():
                # Its first process only: the scheduler lets running tasks end, which a signal of their own would break.
                process.terminate()
            began_at = time.monotonic()
            while any(
                process.poll() is None
                and time.monotonic() - began_at < (patience if name in _WORKING else min(patience, _IDLE_PATIENCE))
                for name, process in ending.items()
            ):
                time.sleep(_TICK)
        _kill(lambda: _members(self.site, {process.pid for process in self._processes.values()}))
        for process in self._processes.values():
            process.wait(_KILL_SECONDS)


def is_healthy(site: Site) -> bool:
    """Whether Airflow answers there and all its components beat."""
    try:
        # Never by way of a proxy that the caller's environment names.
        health = httpx.get(f"{site.url}/api/v2/monitor/health", timeout=10, trust_env=False).json()
        return all(
            health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "triggerer", "dag_processor")
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False


def forget_foreign_environment() -> None:
    """Take out of this process' environment what is meant for another Airflow or another installation of ours."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]


# What is made once, and kept for the next start.


def _environment(site: Site, url: URL, mail_port: int) -> dict[str, str]:
    var = site.var.resolve()
    mail = f"mailto://{HOST}:{mail_port}?mode=insecure&from={SENDER}"
    airflow_url = url.set(drivername="postgresql+psycopg2", database=_AIRFLOW_DATABASE)
    _write_passwords(site)
    create_secrets_file(var / "secrets.env")
    return {
        **_clean_environment(site),
        **_airflow_secrets(var / "airflow.env"),
        **site.variables,
        PREFIX + "VAR": str(var),
        PREFIX + "WAREHOUSE": url.render_as_string(hide_password=False),
        PREFIX + "MAIL": mail,
        PREFIX + "SECRETS_FILE": str(var / "secrets.env"),
        # airflow_local_settings.py
        "PYTHONPATH": str(ROOT / "config"),
        "AIRFLOW_HOME": str(var / "airflow"),
        "AIRFLOW_CONN_APPRISE_DEFAULT": json.dumps(
            {
                "conn_type": "apprise",
                "extra": {"config": {"path": f"{mail}&to={OPS_ADDRESS}", "tag": "all"}},
            }
        ),
        **_airflow_options(
            core={
                "dags_folder": site.dags.resolve(),
                "plugins_folder": ROOT / "plugins",
                "load_examples": False,
                "executor": "LocalExecutor",
                "parallelism": 4,
                # What is emitted while a consumer is paused is lost to it.
                "dags_are_paused_at_creation": False,
                "execution_api_server_url": f"{site.url}/execution/",
                "simple_auth_manager_users": f"{OPS}:admin,{APPROVER}:user",
                "simple_auth_manager_passwords_file": site.passwords_file.resolve(),
                # The default asks the network for this machine's name.
                "hostname_callable": "socket.gethostname",
            },
            database={"sql_alchemy_conn": airflow_url.render_as_string(hide_password=False)},
            api={"host": HOST, "port": site.port, "base_url": site.url, "workers": 1},
            logging={
                "base_log_folder": var / "logs" / "tasks",
                "dag_processor_child_process_log_directory": var / "logs" / "dag-processor",
            },
            # A finished task keeps its place while its supervisor sleeps between two heartbeats, 5 s by default.
            workers={"min_heartbeat_interval": 1},
            scheduler={"scheduler_idle_sleep_time": 0.5},
            dag_processor={"min_file_process_interval": 60, "parsing_processes": 1},
        ),
    }


def _clean_environment(site: Site) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # The components talk to one another on this machine; no proxy of the caller's may stand in between.
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), f"{HOST},localhost")
    # A process that renames itself would write its new name over the mark (setproctitle).
    return {**kept, **local, "SPT_NOENV": "1", "PYTHONUNBUFFERED": "1", _MARK: str(site.var.resolve())}


def _airflow_options(**sections: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in sections.items()
        for option, value in options.items()
    }


def _airflow_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        from cryptography.fernet import Fernet

        made = _airflow_options(
            core={"fernet_key": Fernet.generate_key().decode()},
            api={"secret_key": secrets.token_urlsafe(48)},
            api_auth={"jwt_secret": secrets.token_urlsafe(64)},
        )
        _write_private(path, "".join(f"{name}={value}\n" for name, value in made.items()))
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _write_passwords(site: Site) -> None:
    if not site.passwords_file.exists():
        passwords = {user: secrets.token_urlsafe(12) for user in (OPS, APPROVER)}
        _write_private(site.passwords_file, json.dumps(passwords))


def _write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.rename(path)


def _create_airflow_database(url: URL) -> None:
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=DATABASE, autocommit=True
    ) as connection:
        found = connection.execute("select from pg_database where datname = %s", [_AIRFLOW_DATABASE]).fetchall()
        if not found:
            connection.execute(f"create database {_AIRFLOW_DATABASE} template template0 encoding 'UTF8' locale 'C'")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As a server would: a port that was used a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SetupError(
                f"Port {port} on {HOST} cannot be had ({error.strerror}); choose another, e.g. PORT={port + 1}."
            ) from None


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


# The mail server, which no production knows.


class _MailServer:
    """Takes every mail on a port of its own and keeps it as an `.eml` file."""

    def __init__(self, folder: Path) -> None:
        from aiosmtpd.controller import Controller

        taken = socket.create_server((HOST, 0))
        self.port: int = taken.getsockname()[1]

        class OnTakenPort(Controller):
            def _create_server(self) -> Any:
                return self.loop.create_server(self._factory_invoker, sock=taken)

        self._socket = taken
        self._controller = OnTakenPort(_Keeper(folder), hostname=HOST, port=self.port, ready_timeout=30)

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        with suppress(AssertionError):
            # It asserts that it runs.
            self._controller.stop()
        self._socket.close()


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        self._count += 1
        (self._folder / f"{self._count:05d}.eml").write_bytes(envelope.original_content or b"")
        return "250 Kept"


# Processes.


def _members(site: Site, sessions: set[int] | None = None) -> list[psutil.Process]:
    """The stack's processes: those that bear its mark, and all of the sessions given."""
    mark = str(site.var.resolve())
    own = os.getpid()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == own or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if (sessions and os.getsid(process.pid) in sessions) or process.environ().get(_MARK) == mark:
                found.append(process)
    return found


def _kill(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill what is found until nothing is: what is killed may just have started another."""
    deadline = time.monotonic() + _KILL_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.5)


def _end_leftovers(site: Site) -> bool:
    """End what a supervisor that was killed has left; whether there was any."""
    # A supervisor in the background bears the mark itself.
    left = [process for process in _members(site) if process.pid != os.getpid()]
    _kill(lambda: _members(site))
    return EmbeddedServer(site.var).stop() or bool(left)


def _database_processes(site: Site) -> list[psutil.Process]:
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        note = (site.var.resolve() / "warehouse" / "data" / "postmaster.pid").read_text()
        postmaster = psutil.Process(int(note.split(maxsplit=1)[0]))
        return [postmaster, *postmaster.children(recursive=True)]
    return []


def _memory_of(process: psutil.Process) -> int:
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        return 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
    except (OSError, StopIteration):
        pass
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


_LOCK_NAME: Final = "stack.lock"


@contextmanager
def _lock(site: Site, *, patience: float = 0) -> Iterator[IO[bytes] | None]:
    """The supervisor's lock, or None where another holds it."""
    deadline = time.monotonic() + patience
    with (site.var / _LOCK_NAME).open("ab") as file:
        while not (is_ours := _try_lock(file)) and time.monotonic() < deadline:
            time.sleep(_TICK)
        yield file if is_ours else None


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _supervisor(site: Site) -> tuple[int, int] | None:
    """Process number and port of the supervisor that owns the folder, if one does."""
    if not (site.var / _LOCK_NAME).exists():
        return None
    with _lock(site) as lock:
        if lock is not None:
            return None
    with suppress(ValueError):
        pid, port = (site.var / _LOCK_NAME).read_text(encoding="ascii").split()
        return int(pid), int(port)
    # It has the lock and has not written yet.
    time.sleep(_TICK)
    return _supervisor(site)


# The commands.


def run(site: Site) -> None:
    """Be the supervisor of what the demo left, until a signal comes."""
    stack = Stack(site, Interruption().listen())
    with stack.supervised():
        stack.start_servers()
        stack.start_migration()
        stack.finish("migrate")
        stack.start_components()
        while True:
            stack.pause(1)


def up(site: Site, out: Console) -> None:
    """Start the stack in the background and wait until it is ready.

    Raises:
        SetupError: there is nothing to bring up, or the port is taken.
        ComponentError: it does not come up.
    """
    if not (site.var / "airflow.env").exists():
        raise SetupError(f"There is nothing in {site.var} to bring up; run: make demo")
    running = _supervisor(site)
    if running is not None:
        out.print(f"It is up already: http://{HOST}:{running[1]}", soft_wrap=True)
        return
    _require_free(site.port)
    interruption = Interruption().listen()
    log_path = site.logs / "stack.log"
    site.logs.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __spec__.name, "run", "--var", str(site.var), "--port", str(site.port)]
    with log_path.open("wb") as log:
        supervisor = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--dags", str(site.dags)],
            env=_clean_environment(site),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _READY_SECONDS
    try:
        while not is_healthy(site):
            if supervisor.poll() is not None:
                raise ComponentError((log_path.read_text(encoding="utf-8").strip().splitlines() or ["It ended."])[-1])
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not come up at {site.url}; its logs lie in {site.logs}.")
            interruption.check()
            time.sleep(0.5)
    except FivePrecisionsError:
        supervisor.terminate()
        supervisor.wait()
        raise
    out.print(f"Up: {site.url}", soft_wrap=True)
    tell_login(site, out)
    out.print("To stop it: make down", soft_wrap=True)


def tell_login(site: Site, out: Console) -> None:
    """Say who logs in and where the password stands."""
    out.print(f"User {OPS}; the password stands in {site.passwords_file}", soft_wrap=True)


def down(site: Site, out: Console) -> None:
    """Stop everything that runs in the folder, also a demo, also what a killed supervisor has left."""
    if not site.var.exists():
        out.print("Nothing is running.")
        return
    running = _supervisor(site)
    if running is None:
        out.print("Stopped what was left." if _end_leftovers(site) else "Nothing is running.")
        return
    with suppress(ProcessLookupError):
        os.kill(running[0], signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE + 60
    while _supervisor(site) == running:
        if time.monotonic() > deadline:
            raise ComponentError(f"Process {running[0]} does not end; its log is {site.logs / 'stack.log'}.")
        time.sleep(_TICK)
    out.print("Stopped.")


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m five_precisions.orchestration.stack {up,down,run}`: the exit code (2: wrong usage or set-up)."""
    parser = argparse.ArgumentParser(prog="stack", description="Everything on this machine, on what the demo left.")
    parser.add_argument("command", choices=("up", "down", "run"))
    site = site_from(parser, arguments)
    command = parser.parse_args(arguments).command
    err = Console(stderr=True, highlight=False)
    try:
        if command == "run":
            run(site)
        else:
            (up if command == "up" else down)(site, Console(highlight=False))
    except InterruptedByUserError as error:
        # To be told to stop is how the supervisor ends.
        return 0 if command == "run" else error.exit_code
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        return error.exit_code
    return 0


def site_from(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> Site:
    """The site that the command's options name."""
    parser.add_argument("--var", type=Path, default=DEMO, help="folder of all data (default: var/demo)")
    parser.add_argument("--port", type=int, default=PORT, help="Airflow's port on 127.0.0.1 (default: 8080)")
    parser.add_argument("--dags", type=Path, default=ROOT / "dags", help="folder of the DAGs (default: dags)")
    read = parser.parse_args(arguments)
    forget_foreign_environment()
    return Site(var=read.var.resolve(), port=read.port, dags=read.dags.resolve())


if __name__ == "__main__":
    sys.exit(main())
