"""What work costs: seconds, CPU of this process and of the embedded server, and each statement's share of it."""

from __future__ import annotations

import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import Connection, Engine, event

_TICKS: Final = 100
"""Of a second, in /proc/<pid>/stat."""
_LOOK_SECONDS: Final = 0.2
"""Between two looks at the processes that the measured one has started; what they do after the last is not counted."""
_WRITES: Final = re.compile(r"^\s*insert\s+into\s", re.IGNORECASE | re.MULTILINE)
"""An insert may stand below its named queries."""
_ROUNDS: Final = frozenset({"assessment/farthest_steps", "assessment/nearer_steps"})
"""Statements whose count of rows decides what comes next: they are executed, not explained."""


def server_cpu(data: Path) -> float:
    """CPU seconds of the server in that folder so far, with the sessions that have ended."""
    total = 0.0
    for process in psutil.process_iter(["name", "cwd", "ppid"]):
        if process.info["name"] != "postgres" or process.info["cwd"] != str(data):
            continue
        # A session may end meanwhile; then the server has its time.
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
            if psutil.Process(process.info["ppid"]).name() != "postgres":
                total += times.children_user + times.children_system
    return total


def measured(data: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the work found out, with its seconds, CPU seconds of client and server, and peak megabytes.

    Processes that the client has started count with it; the peak is that of the largest.
    """
    server, client, begin = server_cpu(data), _own_cpu(), time.perf_counter()
    with _started_processes() as others:
        found = work()
        seconds = time.perf_counter() - begin
    cost = {
        "seconds": seconds,
        "client_cpu": _own_cpu() - client + others.cpu_seconds,
        "server_cpu": server_cpu(data) - server,
    }
    cost["cpu"] = cost["client_cpu"] + cost["server_cpu"]
    return {**cost, "peak_mb": max([_peak_megabytes("self"), *others.peak_mb.values()]), **found}


@dataclass(slots=True)
class _Started:
    """What the processes that this one has started took, by their numbers."""

    before: dict[int, float] = field(default_factory=dict)
    """CPU seconds of those that were there at the first look."""
    cpu: dict[int, float] = field(default_factory=dict)
    peak_mb: dict[int, float] = field(default_factory=dict)

    @property
    def cpu_seconds(self) -> float:
        """Of all of them, since the first look."""
        return sum(seconds - self.before.get(process, 0.0) for process, seconds in self.cpu.items())

    def look(self) -> None:
        for process in psutil.Process().children(recursive=True):
            # It may end meanwhile.
            with suppress(psutil.NoSuchProcess, OSError, StopIteration):
                times = process.cpu_times()
                self.cpu[process.pid] = times.user + times.system
                self.peak_mb[process.pid] = _peak_megabytes(str(process.pid))


@contextmanager
def _started_processes() -> Iterator[_Started]:
    """Look at them time and again: they may end before the work does, and their parent is not always this one."""
    found, is_over = _Started(), threading.Event()
    found.look()
    found.before.update(found.cpu)

    def watch() -> None:
        while not is_over.wait(_LOOK_SECONDS):
            found.look()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield found
    finally:
        is_over.set()
        watching.join()


def _peak_megabytes(process: str) -> float:
    """The high-water mark of a program alone; that of getrusage begins with the parent's."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass(slots=True)
class StatementCost:
    """A file of include/sql: what all of its executions came to."""

    name: str
    cpu: float = 0.0
    seconds: float = 0.0
    times: int = 0
    rows: int = 0
    text: str = ""
    """Of the last execution, with its values."""
    plan: str = ""


@dataclass(slots=True)
class StatementWatch:
    """Costs of the statements that a session executes; with `explains`, each insert is explained by being executed."""

    explains: bool = False
    costs: dict[str, StatementCost] = field(default_factory=dict)
    _begun: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def over(self, engine: Engine) -> Iterator[None]:
        """Watch what the engine executes while the block runs."""
        event.listen(engine, "before_cursor_execute", self._before, retval=True)
        event.listen(engine, "after_cursor_execute", self._after)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", self._before)
            event.remove(engine, "after_cursor_execute", self._after)

    def _before(
        self, connection: Connection, _cursor: object, statement: str, parameters: Any, context: Any, _many: object
    ) -> tuple[str, Any]:
        context.watched = statement
        if self.explains and _WRITES.search(statement) and statement_name(statement) not in _ROUNDS:
            statement = f"explain (analyze, buffers) {statement}"
        self._begun = backend_cpu(connection), time.perf_counter()
        return statement, parameters

    def _after(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, _many: object
    ) -> None:
        cpu, begin = self._begun
        cost = self.costs.setdefault(name := statement_name(context.watched), StatementCost(name))
        cost.seconds += time.perf_counter() - begin
        cost.cpu += backend_cpu(connection) - cpu
        cost.times += 1
        cost.rows += max(cursor.rowcount, 0)
        cost.text = _with_values(cursor, context.watched, parameters)
        if statement != context.watched:
            cost.plan = "\n".join(row[0] for row in cursor.fetchall())


def backend_cpu(connection: Connection) -> float:
    """CPU seconds of the session's own process; to a hundredth."""
    driver: Any = connection.connection.driver_connection
    stat = Path(f"/proc/{driver.info.backend_pid}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS


@cache
def statement_name(statement: str) -> str:
    """The file under include/sql that the statement is made of; else its first words."""
    plain = _unbound(statement)
    for text, name in _files():
        if text in plain:
            return name
    return " ".join(statement.split()[:6])


@cache
def _files() -> tuple[tuple[str, str], ...]:
    """Text and name of each file, the longest first: one may be a part of another."""
    # The code of an earlier commit, which is measured too, has these elsewhere.
    from five_precisions.reference.sql_files import SQL_FOLDER, read_sql

    files = [
        (_unbound(read_sql(path)), str(path.relative_to(SQL_FOLDER).with_suffix("")))
        for path in SQL_FOLDER.rglob("*.sql")
    ]
    return tuple(sorted(files, key=lambda file: -len(file[0])))


def _unbound(statement: str) -> str:
    """The statement without the names of its values, which a driver writes in its own way, and without casts."""
    bare = re.sub(r"%\((\w+)\)s(?:::\w+(?:\[\])?)?|(?<!:):(\w+)", "?", statement.replace("%%", "%"))
    return " ".join(bare.split())


def _with_values(cursor: Any, statement: str, parameters: Any) -> str:
    from psycopg import ClientCursor

    if not parameters or not isinstance(parameters, dict):
        return statement
    return ClientCursor(cursor.connection).mogrify(statement, parameters)
