"""Backups: database and archive written into one file, restored from it, and a restore tried into a scratch database.

See docs/operations.md#backup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from five_precisions import __version__
from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.housekeeping.backup_file import (
    ARCHIVE_FOLDER,
    BackupError,
    BackupFile,
    BackupPart,
    Manifest,
    TableContent,
    compose_backup,
    cut_dump,
    open_backup,
    sha256_of,
)
from five_precisions.housekeeping.database_tools import Tools, find_tools
from five_precisions.intake.archive import Archive, ArchiveError
from five_precisions.period import SHANGHAI
from five_precisions.settings import PREFIX, Settings
from five_precisions.storage import (
    open_folder,
    reaching,
    shown_address,
    write_whole,
)
from five_precisions.warehouse import load_statement, read_clock
from five_precisions.warehouse.connection import connected
from five_precisions.warehouse.locks import Lock, release, try_to_take
from five_precisions.warehouse.reader import confine_reader
from five_precisions.warehouse.schema import read_revision, require_known_revision

_OURS: Final = re.compile(r"backup-[0-9]{8}T[0-9]{6}\.tar")
_MOST_NAMED: Final = 3
"""Tables that a sentence names."""
_AS_TEXT: Final = (
    "set local timezone to 'UTC'; set local datestyle to 'ISO'; set local intervalstyle to 'postgres'; "
    "set local extra_float_digits to 1; set local bytea_output to 'hex'"
)
"""The same values are the same text, whatever a server or a user has settled on."""
_READ_LATER_TABLES: Final = "alter default privileges in schema mart grant select on tables to five_precisions_reader"
"""A dump has it for the role that made it, which need not be the one that restores."""
_EXPORT_SNAPSHOT = text("select pg_export_snapshot()")
_READ_ARCHIVED = text("select distinct sha256 from intake.file order by sha256")
_IS_READER_THERE = text("select exists (select from pg_roles where rolname = 'five_precisions_reader')")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and read back, or one that was restored."""

    path: str
    size: int
    """Bytes of the file."""
    made_at: datetime
    """As of this moment it holds the database."""
    parts: int
    tables: int
    rows: int
    files: int
    """Archived files."""
    lost: int
    """Files that the delivery record names and the archive did not give out: `verify` names them."""

    def words(self) -> str:
        """File, size and contents, in one line."""
        return (
            f"{self.path}: {self.size:,} bytes, {self.parts:,} parts; {self.tables:,} tables with {self.rows:,} rows "
            f"and {self.files:,} archived files, as of {self.made_at:%Y-%m-%d %H:%M:%S}."
        )

    def detail(self) -> dict[str, Any]:
        """Its figures, for the record."""
        return {**asdict(self), "made_at": self.made_at.isoformat()}


def back_up(
    engine: Engine,
    settings: Settings,
    files: Any,
    path: str,
    *,
    report_progress: Callable[[str], None] | None = None,
) -> Backup:
    """Write database and archive into a file, read it back, and only then give it its name.

    The database is that of one moment, whatever is written meanwhile. A file is archived before the delivery record
    names it, and the archive is copied afterwards: so the backup holds every file that its database names.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        files: The file system of the file.
        path: The file's place in it; nothing is there yet.
        report_progress: Called with what is done.

    Raises:
        UsageError: something is there already.
        SetupError: the file cannot be written, or PostgreSQL's programs are missing or too old.
        DumpError: the database cannot be dumped.
        BackupError: what was written does not read back.
        UnreachableError: the archive or the store of the file does not answer.
    """
    tools = find_tools(engine)
    copying = _Copying(engine, tools, Archive.as_stored(settings), report_progress or (lambda _: None))

    def prove(draft: str) -> None:
        copying.report_progress("reading back")
        with files.open(draft, "rb") as file, open_backup(file, "The backup") as backup:
            if backup.manifest.parts != copying.manifest.parts:
                raise BackupError("The backup does not read back as it was written.")

    try:
        with reaching(f"place of the backup {shown_address(path)}", files):
            if files.exists(path):
                raise UsageError(f"{path} is there already; a backup is never written over.")
            write_whole(files, path, compose_backup(copying.pieces(), copying.describe), on_disk=True, prove=prove)
            size = int(files.info(path)["size"])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SetupError(f"The backup cannot be written to {shown_address(path)}: {reason}.") from error
    return _described(path, size, copying.manifest)


def restore(
    engine: Engine,
    settings: Settings,
    file: Any,
    name: str,
    *,
    report_progress: Callable[[str], None] | None = None,
) -> Backup:
    """Restore database and archive from a backup, and hold every table against what was saved.

    Archived files come first, the database last and in one transaction. So a restore that was ended half-way is run
    once more: files that are there already, as the backup has them, are left.

    Args:
        engine: Of an empty database.
        settings: Of this installation, whose archive is empty.
        file: The backup, opened; it can be sought in.
        name: What it is called, for the sentence.
        report_progress: Called with what is done.

    Raises:
        BackupError: it is no backup, or is damaged; or a table does not hold what was saved.
        RefusedError: the warehouse is not empty, or the archive holds other files.
        SetupError: a newer program has made it, or a right or PostgreSQL's programs are missing.
        DumpError: the database cannot be restored.
        UnreachableError: the archive does not answer.
    """
    report = report_progress or (lambda _: None)
    report("reading the backup")
    with open_backup(file, name) as backup:
        require_known_revision(backup.manifest.schema, name)
        tools = find_tools(engine)
        archive = Archive.as_stored(settings)
        _require_empty(engine)
        _require_fit(archive, backup)
        contents = tools.list_contents(engine, backup.dump())
        for number, part in enumerate(backup.archived, start=1):
            report(f"archive, file {number:,} of {len(backup.archived):,}")
            stored = b"".join(backup.read(part))
            if archive.read_stored(sha256_of(part)) != stored:
                archive.write_stored(sha256_of(part), stored)
        report("database")
        _make_reader(engine)
        tools.restore(engine, backup.dump(), contents)
        with engine.begin() as connection:
            connection.exec_driver_sql(_READ_LATER_TABLES)
            confine_reader(connection)
        _analyze(engine)
        report("comparing")
        _require_same(engine, backup.manifest)
        return _described(name, file.seek(0, 2), backup.manifest)


def try_restore(engine: Engine, file: Any, name: str) -> Backup:
    """Restore the database of a backup into a scratch database on the same server, compare each table, and drop it.

    Args:
        engine: Of the warehouse, which is left alone.
        file: The backup, opened; it can be sought in.
        name: What it is called, for the sentence.

    Raises:
        BackupError: it is no backup, or is damaged; or a table does not hold what was saved.
        RefusedError: another one is tried just now.
        SetupError: the warehouse's role may create no database, or PostgreSQL's programs are missing.
        DumpError: the database cannot be restored.
    """
    with open_backup(file, name) as backup:
        tools = find_tools(engine)
        contents = tools.list_contents(engine, backup.dump())
        with _scratch(engine) as scratch:
            tools.restore(scratch, backup.dump(), contents)
            _require_same(scratch, backup.manifest)
        return _described(name, file.seek(0, 2), backup.manifest)


class BackupFolder:
    """The folder of the backups that housekeeping makes."""

    def __init__(self, settings: Settings) -> None:
        self.files, self._root = open_folder("folder of backups", settings.backups_address)
        self._place = f"folder of backups {shown_address(settings.backups_address)}"

    def next_path(self, engine: Engine) -> str:
        """Where a backup that begins now is laid."""
        with engine.connect() as connection:
            return f"{self._root}/backup-{read_clock(connection):%Y%m%dT%H%M%S}.tar"

    def paths(self) -> list[str]:
        """The backups that are there, the newest first."""
        with reaching(self._place, self.files):
            self.files.invalidate_cache()
            try:
                names = [str(entry["name"]) for entry in self.files.ls(self._root, detail=True)]
            except FileNotFoundError:
                return []
        return sorted((each for each in names if _OURS.fullmatch(each.rpartition("/")[2])), reverse=True)

    def keep_newest(self, count: int) -> int:
        """Remove all backups but the newest; how many were removed."""
        old = self.paths()[count:]
        with reaching(self._place, self.files):
            for path in old:
                # Somebody else may clean up, too.
                with suppress(FileNotFoundError):
                    self.files.rm_file(path)
        return len(old)


class _Copying:
    """What goes into a backup, and the manifest that follows from it."""

    manifest: Manifest

    def __init__(self, engine: Engine, tools: Tools, archive: Archive, report_progress: Callable[[str], None]) -> None:
        self._engine = engine
        self._tools = tools
        self._archive = archive
        self.report_progress = report_progress
        self._lost = 0

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """The dump, and after it the archived files."""
        with self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            self.report_progress("database")
            snapshot = connection.execute(_EXPORT_SNAPSHOT).scalar_one()
            self._made_at = read_clock(connection)
            self._schema = read_revision(connection) or ""
            self._server = ".".join(map(str, connection.dialect.server_version_info or ()))
            self._tables = read_contents(connection)
            named = set(connection.execute(_READ_ARCHIVED).scalars())
            yield from cut_dump(self._tools.dump(self._engine, snapshot))
        copied: list[str] = []
        for sha256 in self._stored():
            try:
                content = self._archive.read_stored(sha256)
            except ArchiveError:
                # It holds up no other, and counts as lost.
                continue
            if content is not None:
                copied.append(sha256)
                self.report_progress(f"archive, file {len(copied):,}")
                yield f"{ARCHIVE_FOLDER}{sha256[:2]}/{sha256}", content
        if named.difference(copied):
            with self._engine.connect() as connection:
                found = connection.execute(load_statement("housekeeping/lost_files"), {"stored": copied})
                self._lost = int(found.scalar_one())

    def _stored(self) -> Iterator[str]:
        try:
            for stored in self._archive.stored():
                yield from stored
        except OSError as error:
            raise SetupError(f"The archive cannot be read: {error.strerror or type(error).__name__}.") from error

    def describe(self, parts: tuple[BackupPart, ...]) -> Manifest:
        """The manifest of these parts."""
        self.manifest = Manifest(
            made_at=self._made_at.isoformat(),
            program=__version__,
            schema=self._schema,
            server=self._server,
            lost=self._lost,
            tables=self._tables,
            parts=parts,
        )
        return self.manifest


def read_contents(connection: Connection) -> tuple[TableContent, ...]:
    """What each of our tables holds: its rows counted, and a digest over them that knows no order.

    Args:
        connection: In a transaction, whose settings of how values are written are changed.
    """
    connection.exec_driver_sql(_AS_TEXT)
    contents = []
    for table in connection.execute(load_statement("housekeeping/tables")).scalars().all():
        # The name comes quoted from the catalogue. A sum, so that equal rows do not cancel one another out.
        digest = "('x' || encode(substr(sha256(convert_to(t::text, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint::numeric"
        row = connection.exec_driver_sql(f"select count(*), coalesce(sum({digest}), 0)::text from {table} as t").one()
        contents.append(TableContent(table, row[0], row[1]))
    return tuple(contents)


def _require_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        tables = connection.execute(load_statement("housekeeping/tables")).scalars().all()
    if tables:
        raise RefusedError(
            f"The warehouse is not empty: it has the table {tables[0]}; restore into a new database, or with "
            f"{PREFIX}VAR naming an empty folder."
        )


def _require_fit(archive: Archive, backup: BackupFile) -> None:
    """Refuse an archive with files of its own; those of a restore that was ended half-way are not."""
    saved = {sha256_of(part): part for part in backup.archived}
    for stored in archive.stored():
        for sha256 in stored:
            part = saved.get(sha256)
            if part is None or archive.read_stored(sha256) != b"".join(backup.read(part)):
                raise RefusedError(
                    f"The archive is not empty: it has the file {sha256}, which is not as the backup has it; restore "
                    "into an empty archive."
                )


def _require_same(engine: Engine, manifest: Manifest) -> None:
    """Hold every table against what was saved.

    Raises:
        BackupError: some differ.
    """
    with engine.connect() as connection:
        found = {each.table_name: each for each in read_contents(connection)}
    saved = {each.table_name: each for each in manifest.tables}
    wrong = sorted(name for name in found.keys() | saved.keys() if found.get(name) != saved.get(name))
    if wrong:
        named = ", ".join(wrong[:_MOST_NAMED]) + (", …" if len(wrong) > _MOST_NAMED else "")
        raise BackupError(f"What was restored is not what was saved: {len(wrong)} tables differ ({named}).")


def _make_reader(engine: Engine) -> None:
    """The dump grants rights to a role of the server, which a new server does not have."""
    try:
        with engine.begin() as connection:
            if not connection.execute(_IS_READER_THERE).scalar_one():
                connection.exec_driver_sql("create role five_precisions_reader nologin")
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise SetupError(
            "The role five_precisions_reader is not there, and the warehouse's role may not create it; let the "
            "server's administrator run: create role five_precisions_reader"
        ) from None


def _analyze(engine: Engine) -> None:
    """A restored database knows nothing of its tables until they are counted."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")


@contextmanager
def _scratch(engine: Engine) -> Iterator[Engine]:
    """An empty database on the same server, gone afterwards; one that a killed process left goes before."""
    name = f"{engine.url.database}_restore_test"
    # Identifiers cannot be bound; the name is our own database's, quoted.
    quoted = sql.Identifier(name).as_string().replace("%", "%%")
    drop = f"drop database if exists {quoted} with (force)"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not try_to_take(connection, Lock.RESTORE_TEST):
            raise RefusedError("A restore is tried just now; wait until that has ended.")
        try:
            try:
                connection.exec_driver_sql(drop)
                connection.exec_driver_sql(f"create database {quoted} template template0 encoding 'UTF8' locale 'C'")
            except ProgrammingError as error:
                if not isinstance(error.orig, InsufficientPrivilege):
                    raise
                raise SetupError(
                    "A restore cannot be tried, for the warehouse's role may create no database; let the server's "
                    f"administrator run: alter role {engine.url.username} createdb"
                ) from None
            with connected(engine.url.set(database=name)) as scratch:
                yield scratch
        finally:
            # Where the connection is lost, so is the lock; the next one drops what is left.
            with suppress(DBAPIError):
                connection.exec_driver_sql(drop)
                release(connection, Lock.RESTORE_TEST)


def _described(path: str, size: int, manifest: Manifest) -> Backup:
    return Backup(
        path=path,
        size=size,
        made_at=datetime.fromisoformat(manifest.made_at).astimezone(SHANGHAI),
        parts=len(manifest.parts),
        tables=len(manifest.tables),
        rows=sum(table.rows for table in manifest.tables),
        files=sum(part.name.startswith(ARCHIVE_FOLDER) for part in manifest.parts),
        lost=manifest.lost,
    )
