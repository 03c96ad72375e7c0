"""The supervisor of a stack: starts everything, watches it, and ends it."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import psutil
import psycopg
from sqlalchemy import URL

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.full_disk import full_disk
from five_precisions.orchestration.log_retention import DAYS, remove_old_logs, rotate_log
from five_precisions.rights import make_private_folder
from five_precisions.settings import Settings
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions.warehouse.embedded import DATABASE, EmbeddedServer
from five_precisions_demo.stack.environment import (
    AIRFLOW_DATABASE,
    clean_environment,
    make_environment,
    require_secrets,
)
from five_precisions_demo.stack.interruption import Interruption
from five_precisions_demo.stack.mail_server import MailServer
from five_precisions_demo.stack.ownership import LOCK_NAME, locked
from five_precisions_demo.stack.processes import KILL_SECONDS, database_processes, kill, members, memory_of
from five_precisions_demo.stack.site import HOST, Site

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
PATIENCE: Final = 30.0
"""Seconds that running tasks may take to end; what is left then is killed, and done again after the next start."""
_IDLE_PATIENCE: Final = 5.0
"""Seconds for those that run no tasks. A triggerer without triggers takes ten to find that it has none."""
READY_SECONDS: Final = 180.0
"""How long Airflow may take to come up."""
_TICK: Final = 0.1
_LOGS_SECONDS: Final = 60.0
"""How often the logs are looked at for their size and age."""


class ComponentError(FivePrecisionsError):
    """A process of the stack ended by itself, or does not come up."""


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
        self._mail: MailServer | None = None
        self._environment: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._begun_at: dict[str, int] = {}
        """How long the log of each was when it was started."""
        self._logs_rotated_at = -math.inf

    @contextmanager
    def supervised(self, *, patience: float = PATIENCE) -> Iterator[None]:
        """Own the folder for the block; whatever ends it, everything is ended after it.

        Raises:
            SetupError: another supervisor owns it.
        """
        make_private_folder(self.site.var)
        # Somebody who only asks who owns it has it for a moment.
        with locked(self.site, patience=1) as lock:
            if lock is None:
                raise SetupError(f"A stack is running in {self.site.var} already; stop it first: make down")
            lock.truncate(0)
            lock.write(f"{os.getpid()} {self.site.port}\n".encode())
            lock.flush()
            try:
                end_leftovers(self.site)
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
            elif entry.name != LOCK_NAME:
                entry.unlink()

    def start_servers(self, *, paused: bool = False) -> URL:
        """Start the database and the mail server, with both databases and all secrets made; the warehouse's address.

        Args:
            paused: Whether a DAG that is new runs only once it is unpaused.

        Raises:
            SetupError: the port is taken, or the database does not start.
        """
        require_free_port(self.site.port)
        site = self.site
        # Before there is a warehouse, which would be taken for one that was made with others.
        require_secrets(site)
        for folder in (site.logs, site.mails, site.var / "airflow"):
            folder.mkdir(parents=True, exist_ok=True)
        url = self._server.start()
        self._interruption.check()
        _create_airflow_database(url)
        self._mail = MailServer(site.mails)
        self._mail.start()
        self._environment = make_environment(site, url, self._mail.port, paused=paused)
        self._interruption.check()
        return url

    def start_migration(self) -> None:
        """Create or upgrade the warehouse's tables, also an older version's, and begin to do so with Airflow's own.

        `finish("migrate")` waits for the end.
        """
        self.start("migrate", _airflow("db", "migrate"))
        address = self._server.url().render_as_string(hide_password=False)
        with open_warehouse(Settings(var=self.site.var, warehouse=address)) as engine:
            migrate(engine)

    def start_components(self, *names: str) -> None:
        """Start Airflow's components, or those named."""
        for name in names or _COMPONENTS:
            self.start(name, _airflow(*_COMPONENTS[name]))

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process of the stack, in a session of its own, with a log of its name."""
        self._interruption.check()
        with self._log(name).open("ab") as log:
            self._begun_at[name] = log.tell()
            self._processes[name] = subprocess.Popen(  # noqa: S603 - a command of ours
                command,
                env=self._environment or clean_environment(self.site),
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
            raise ComponentError(f"{name} failed (exit code {code}); {self._describe_log(name)}.")
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
        """Wait until Airflow answers, people and tasks, and all its components beat.

        Raises:
            ComponentError: one has ended, or three minutes are over.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not is_healthy(self.site):
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not come up at {self.site.url}; {describe_logs(self.site.logs)}.")
            self.pause(0.5)
        # What answers tasks is made when it is first asked, which takes seconds.
        with suppress(httpx.HTTPError):
            httpx.get(f"{self.site.url}/execution/health", timeout=READY_SECONDS, trust_env=False)

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
        self._rotate_logs()
        for name in _COMPONENTS:
            process = self._processes.get(name)
            if process is not None and process.poll() is not None:
                # A terminal's Ctrl-C does not reach it, but whoever ends all our processes at once ends it, too.
                self._interruption.check()
                raise ComponentError(
                    f"The {name} ended by itself (exit code {process.returncode}); {self._describe_log(name)}."
                )

    def memory(self) -> int:
        """Bytes that all processes take together, shared pages counted once where the system tells."""
        return sum(map(memory_of, [psutil.Process(), *members(self.site), *database_processes(self.site)]))

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._logs_rotated_at > _LOGS_SECONDS:
            self._logs_rotated_at = time.monotonic()
            for log in (*self.site.logs.glob("*.log"), self._server.log):
                rotate_log(log)
            remove_old_logs(self.site.logs, DAYS)

    def _log(self, name: str) -> Path:
        self.site.logs.mkdir(parents=True, exist_ok=True)
        return self.site.logs / f"{name}.log"

    def _describe_log(self, name: str) -> str:
        log = self._log(name)
        return full_disk(log, since=self._begun_at[name]) or f"its log is {log}"

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
        kill(lambda: members(self.site, {process.pid for process in self._processes.values()}))
        for process in self._processes.values():
            process.wait(KILL_SECONDS)


def describe_logs(folder: Path) -> str:
    """The end of a sentence on what has failed, whichever process: that the disk is full, or where the logs lie."""
    return full_disk(folder) or f"the logs lie in {folder}"


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


def end_leftovers(site: Site) -> bool:
    """End what a supervisor that was killed has left; whether there was any."""
    # A supervisor in the background bears the mark itself.
    left = [process for process in members(site) if process.pid != os.getpid()]
    kill(lambda: members(site))
    return EmbeddedServer(site.var).stop() or bool(left)


def require_free_port(port: int) -> None:
    """Look whether a port can be had.

    Raises:
        SetupError: it cannot.
    """
    with socket.socket() as probe:
        # As a server would: a port that was used a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SetupError(
                f"Port {port} on {HOST} cannot be had ({error.strerror}); choose another, e.g. PORT={port + 1}."
            ) from None


def _create_airflow_database(url: URL) -> None:
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=DATABASE, autocommit=True
    ) as connection:
        found = connection.execute("select from pg_database where datname = %s", [AIRFLOW_DATABASE]).fetchall()
        if not found:
            connection.execute(f"create database {AIRFLOW_DATABASE} template template0 encoding 'UTF8' locale 'C'")


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]
