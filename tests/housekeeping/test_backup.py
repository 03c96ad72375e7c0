"""A backup is whole or not there, and a restore gives back what was saved, or changes nothing."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileOpener, LocalFileSystem
from sqlalchemy import Engine, create_engine, make_url, text
from tests.command_line import assert_one_sentence, run
from tests.housekeeping.conftest import archived
from tests.packages import JUNE, put, sound_package
from tests.s3_server import BUCKET, S3Server
from tests.waiting import wait_until
from tests.warehouse.test_schema import contents as schema_of

from five_precisions.collection import collect
from five_precisions.errors import RefusedError, SetupError
from five_precisions.housekeeping import Backup, BackupFolder, back_up, restore, try_restore
from five_precisions.housekeeping import backup as module
from five_precisions.housekeeping import database_tools as tools_module
from five_precisions.housekeeping.backup import read_contents
from five_precisions.housekeeping.backup_file import BackupError
from five_precisions.housekeeping.database_tools import Tools, environment_of, find_tools
from five_precisions.intake import verify
from five_precisions.settings import Settings
from five_precisions.storage import is_aside
from five_precisions.warehouse.reader import confine_reader

PREFIX = "FIVE_PRECISIONS_"


def saved(engine: Engine, settings: Settings, path: Path) -> Backup:
    return back_up(engine, settings, LocalFileSystem(), str(path))


def restored(engine: Engine, settings: Settings, path: Path) -> Backup:
    with path.open("rb") as file:
        return restore(engine, settings, file, path.name)


def tables_of(engine: Engine) -> Any:
    with engine.connect() as connection:
        return read_contents(connection)


def databases(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("select datname from pg_database")).scalars())


def test_what_was_saved_is_restored_to_the_row_and_the_byte(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.tar"
    made = saved(collected, settings, path)
    assert (made.files, made.lost) == (len(archived(settings)), 0)
    assert made.rows > 50
    assert made.size == path.stat().st_size
    again = restored(empty, other, path)
    assert (again.rows, again.files, again.made_at) == (made.rows, made.files, made.made_at)
    assert tables_of(empty) == tables_of(collected)
    assert schema_of(empty) == schema_of(collected)
    assert archived(other) == archived(settings)
    assert verify(empty, other).faults == ()
    with empty.connect() as connection:
        assert confine_reader(connection) == []
        later = "select defaclacl::text from pg_default_acl where defaclnamespace = cast('mart' as regnamespace)"
        assert "five_precisions_reader=r" in connection.execute(text(later)).scalar_one()
    # Numbers go on where they were.
    insert = "insert into registry.housekeeping (task, outcome, sentence, detail) values ('disk', 'done', '', '{}')"
    with empty.begin() as connection:
        connection.execute(text(insert))


def test_the_commands_save_and_restore(collected: Engine, settings: Settings, other: Settings, tmp_path: Path) -> None:
    path = tmp_path / "one.tar"
    said = run("backup", str(path))
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"{path}: ")
    assert len(said.stdout.splitlines()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with collected.connect() as connection:
        task, outcome = connection.execute(text("select task, outcome from registry.housekeeping")).one()
    assert (task, outcome) == ("backup", "done")
    assert_one_sentence(run("backup", str(path)), 2, "is there already; a backup is never written over.")

    assert other.warehouse is not None
    elsewhere = {"WAREHOUSE": other.warehouse, "VAR": str(other.var)}
    assert_one_sentence(run("restore", str(tmp_path / "none"), **elsewhere), 2, "cannot be read: No such file")
    done = run("restore", str(path), **elsewhere)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Now run: five-precisions init, then five-precisions verify\n"
    assert_one_sentence(run("restore", str(path), **elsewhere), 1, "The warehouse is not empty: it has the table ")
    assert run("verify", **elsewhere).returncode == 0


def test_other_keys_than_those_of_the_backup_are_named(
    collected: Engine, settings: Settings, other: Settings, tmp_path: Path
) -> None:
    assert other.warehouse is not None
    assert run("backup", str(tmp_path / "one.tar")).returncode == 0
    elsewhere = {"WAREHOUSE": other.warehouse, "VAR": str(other.var), "PII_KEY": "another key of the hashes, as long"}
    done = run("restore", str(tmp_path / "one.tar"), **elsewhere)
    assert done.returncode == 0
    assert "FIVE_PRECISIONS_PII_KEY is not the key that this warehouse's hashes are made with" in done.stderr


def test_files_that_the_archive_has_lost_are_counted(collected: Engine, settings: Settings, tmp_path: Path) -> None:
    lost = next(Path(settings.archive_address).rglob("[0-9a-f]" * 64))
    lost.unlink()
    said = run("backup", str(tmp_path / "one.tar"))
    assert said.returncode == 1
    assert said.stderr.startswith("1 files that the delivery record names are missing in the archive")


def test_nothing_is_restored_into_what_is_not_empty(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.tar"
    saved(collected, settings, path)
    before = tables_of(collected)
    with pytest.raises(RefusedError, match="The warehouse is not empty: it has the table "):
        restored(collected, other, path)
    assert tables_of(collected) == before
    assert archived(other) == {}

    foreign = Path(other.archive_address) / "00" / ("0" * 64)
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"of another installation")
    with pytest.raises(RefusedError, match="The archive is not empty: it has the file 000"):
        restored(empty, other, path)
    assert tables_of(empty) == ()
    assert list(archived(other)) == ["0" * 64]


def test_a_damaged_backup_changes_nothing(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.tar"
    saved(collected, settings, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupError, match=r"^one\.tar is damaged: it is not what was written\.$"):
        restored(empty, other, path)
    assert tables_of(empty) == ()
    assert archived(other) == {}


def test_a_backup_of_a_newer_schema_is_refused(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path
) -> None:
    with collected.begin() as connection:
        connection.execute(text("update public.alembic_version set version_num = '9999'"))
    saved(collected, settings, tmp_path / "one.tar")
    with pytest.raises(SetupError, match=r"^one\.tar has the schema 9999 of a newer Five Precisions; use that one\.$"):
        restored(empty, other, tmp_path / "one.tar")
    assert tables_of(empty) == ()


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path, monkeypatch: Any
) -> None:
    dump = Tools.dump

    def dump_later(tools: Tools, engine: Engine, snapshot: str) -> Iterator[bytes]:
        put(Path(settings.inbox_address) / str(JUNE) / "B08", sound_package("grid"))
        collect(collected, settings, JUNE, institution="B08")
        return dump(tools, engine, snapshot)

    before = tables_of(collected)
    monkeypatch.setattr(Tools, "dump", dump_later)
    made = saved(collected, settings, tmp_path / "one.tar")
    assert tables_of(collected) != before
    assert made.files == len(archived(settings))
    restored(empty, other, tmp_path / "one.tar")
    assert tables_of(empty) == before
    assert verify(empty, other).faults == ()


def test_a_full_disk_leaves_no_backup_and_one_sentence(
    collected: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LocalFileOpener.write
    written = 0

    def write_until_full(file: LocalFileOpener, content: bytes) -> int:
        nonlocal written
        written += len(content)
        if written > 20_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(write(file, content))

    monkeypatch.setattr(LocalFileOpener, "write", write_until_full)
    folder = tmp_path / "backups"
    with pytest.raises(SetupError, match=r"cannot be written to .*one\.tar: No space left on device\.$"):
        saved(collected, settings, folder / "one.tar")
    assert written > 20_000
    assert list(folder.iterdir()) == []


def test_what_does_not_read_back_is_no_backup(
    collected: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LocalFileOpener.write

    def write_wrong(file: LocalFileOpener, content: bytes) -> int:
        return int(write(file, content.replace(b"manifest.json", b"manifest.jsom")))

    monkeypatch.setattr(LocalFileOpener, "write", write_wrong)
    with pytest.raises(BackupError, match=r"^The backup is damaged"):
        saved(collected, settings, tmp_path / "backups" / "one.tar")
    assert list((tmp_path / "backups").iterdir()) == []


KILLED_BACKUP = """
import sys, threading
from fsspec.implementations.local import LocalFileSystem
from five_precisions.housekeeping import back_up
from five_precisions.installation import open_installation
def report(step):
    if step.startswith(sys.argv[2]):
        print(step, flush=True)
        threading.Event().wait()
with open_installation() as (engine, settings):
    back_up(engine, settings, LocalFileSystem(), sys.argv[1], report_progress=report)
"""
KILLED_RESTORE = """
import sys, threading
from five_precisions.housekeeping import restore
from five_precisions.housekeeping.database_tools import Tools
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
whole = Tools.restore
def half(tools, engine, dump, contents):
    def pieces():
        content = b"".join(dump)
        yield content[: len(content) // 2]
        print("database", flush=True)
        threading.Event().wait()
    whole(tools, engine, pieces() if sys.argv[2] == "database" else dump, contents)
Tools.restore = half
def report(step):
    if step.startswith(sys.argv[2]) and step != "database":
        print(step, flush=True)
        if step.startswith("archive, file 2"):
            threading.Event().wait()
settings = Settings.load()
with open(sys.argv[1], "rb") as file, open_warehouse(settings) as engine:
    restore(engine, settings, file, "one.tar", report_progress=report)
"""


def killed(script: str, *words: str, wait_for: str, **environment: str) -> None:
    """Run a script until it says so, then kill it."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {PREFIX + name: value for name, value in environment.items()},
    )
    assert process.stdout is not None
    said = ""
    while not said.startswith(wait_for):
        said = process.stdout.readline()
        assert said, "it ended by itself"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.parametrize("step", ["archive, file 2", "reading back"])
def test_a_backup_that_is_killed_half_way_is_not_there_and_can_be_made_again(
    collected: Engine, settings: Settings, tmp_path: Path, step: str
) -> None:
    path = tmp_path / "backups" / "one.tar"
    killed(KILLED_BACKUP, str(path), step, wait_for=step)
    assert [is_aside(each.name) for each in path.parent.iterdir()] == [True]
    assert saved(collected, settings, path).lost == 0


@pytest.mark.parametrize("step", ["archive, file 2", "database"])
def test_a_restore_that_is_killed_half_way_can_be_run_again(
    collected: Engine, settings: Settings, empty: Engine, other: Settings, tmp_path: Path, step: str
) -> None:
    path = tmp_path / "one.tar"
    saved(collected, settings, path)
    assert other.warehouse is not None
    killed(KILLED_RESTORE, str(path), step, wait_for=step, WAREHOUSE=other.warehouse, VAR=str(other.var))
    assert 0 < len(archived(other)) <= len(archived(settings))
    # The program that was fed notices a moment later.
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"

    def is_alone() -> bool:
        with empty.connect() as connection:
            return bool(connection.execute(text(others)).scalar_one() == 0)

    wait_until(is_alone)
    assert tables_of(empty) == ()
    restored(empty, other, path)
    assert tables_of(empty) == tables_of(collected)
    assert archived(other) == archived(settings)


def test_a_restore_is_tried_beside_the_warehouse_and_leaves_nothing(
    collected: Engine, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.tar"
    saved(collected, settings, path)
    before = databases(collected)
    with collected.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As a process that was killed has left it.
        connection.execute(text(f"create database {collected.url.database}_restore_test"))
    with path.open("rb") as file:
        assert try_restore(collected, file, path.name).rows > 50
    assert databases(collected) == before


def test_a_table_that_is_not_what_was_saved_is_named(
    collected: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.tar"
    before = databases(collected)
    saved(collected, settings, path)
    whole = Tools.restore

    def spoil(tools: Tools, engine: Engine, dump: Any, contents: str) -> None:
        whole(tools, engine, dump, contents)
        with engine.begin() as connection:
            connection.execute(text("update registry.division set name = name || 'x' where level = 'city'"))

    monkeypatch.setattr(Tools, "restore", spoil)
    with path.open("rb") as file, pytest.raises(BackupError, match=r"1 tables differ \(registry\.division\)\.$"):
        try_restore(collected, file, path.name)
    assert databases(collected) == before


def test_two_restores_are_not_tried_at_once(collected: Engine, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "one.tar"
    saved(collected, settings, path)
    with module._scratch(collected), path.open("rb") as file, pytest.raises(RefusedError, match="is tried just now"):
        try_restore(collected, file, path.name)


@pytest.fixture
def plain(collected: Engine, server_url: str) -> Iterator[Callable[[str], Engine]]:
    """The warehouse as a role that is no superuser; called with what the role may."""
    name = f"plain_{os.getpid()}"
    engines: list[Engine] = []
    administrator = create_engine(make_url(server_url), isolation_level="AUTOCOMMIT")
    # On a database of its own all the same: what it owns there goes with it.
    database = f"{name}_db"

    def connect(rights: str) -> Engine:
        with administrator.connect() as connection:
            connection.execute(text(f"create role {name} login {rights}"))
            connection.execute(
                text(f"create database {database} owner {name} template template0 encoding 'UTF8' locale 'C'")
            )
        engines.append(create_engine(make_url(server_url).set(username=name, database=database)))
        return engines[0]

    yield connect
    for engine in engines:
        engine.dispose()
    with administrator.connect() as connection:
        connection.execute(text(f"drop database if exists {database} with (force)"))
        connection.execute(text(f"drop role if exists {name}"))
    administrator.dispose()


def test_a_role_that_is_no_superuser_saves_restores_and_tries(
    collected: Engine, settings: Settings, other: Settings, plain: Callable[[str], Engine], tmp_path: Path
) -> None:
    saved(collected, settings, tmp_path / "one.tar")
    engine = plain("createdb")
    restored(engine, other, tmp_path / "one.tar")
    assert tables_of(engine) == tables_of(collected)
    saved(engine, other, tmp_path / "two.tar")
    with (tmp_path / "two.tar").open("rb") as file:
        assert try_restore(engine, file, "two.tar").rows > 50


def test_a_role_that_may_create_no_database_is_named(
    collected: Engine, settings: Settings, other: Settings, plain: Callable[[str], Engine], tmp_path: Path
) -> None:
    saved(collected, settings, tmp_path / "one.tar")
    engine = plain("nocreatedb")
    sentence = f"may create no database; let the server's administrator run: alter role {engine.url.username} createdb$"
    with (tmp_path / "one.tar").open("rb") as file, pytest.raises(SetupError, match=sentence):
        try_restore(engine, file, "one.tar")


def test_programs_older_than_the_server_are_not_taken(
    collected: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = find_tools(collected)
    assert found.version == 18
    assert found.folder.parent.name == "pginstall18"
    old = [Tools(tmp_path, 16)]
    monkeypatch.setattr(tools_module, "_installed", lambda: iter(old))
    with pytest.raises(SetupError, match="The server is PostgreSQL 18, and no pg_dump and pg_restore of that version"):
        find_tools(collected)
    old += [Tools(tmp_path / "newer", 20), Tools(tmp_path / "same", 18)]
    assert find_tools(collected).folder.name == "same"


def test_a_password_goes_by_the_environment() -> None:
    engine = create_engine("postgresql+psycopg://some%40one:p%40ss@db.example:6543/city?sslmode=require")
    environment = environment_of(engine)
    assert {name: environment[name] for name in environment if name.startswith("PG")} == {
        "PGHOST": "db.example",
        "PGPORT": "6543",
        "PGUSER": "some@one",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "city",
        "PGSSLMODE": "require",
    }


def test_only_the_newest_backups_are_kept(collected: Engine, settings: Settings) -> None:
    folder = BackupFolder(settings)
    assert folder.paths() == []
    made = Path(settings.backups_address)
    made.mkdir(parents=True)
    for day in range(1, 6):
        (made / f"backup-2026110{day}T020000.tar").touch()
    (made / "backup-by-hand.tar").touch()
    assert folder.keep_newest(2) == 3
    assert sorted(path.name for path in made.iterdir()) == [
        "backup-20261104T020000.tar",
        "backup-20261105T020000.tar",
        "backup-by-hand.tar",
    ]
    assert folder.next_path(collected).startswith(str(made))


def test_a_backup_on_s3_is_read_back_there(
    collected: Engine, settings: Settings, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.options["endpoint_url"])
    folder = BackupFolder(settings.model_copy(update={"backups": f"s3://{BUCKET}/backups"}))
    made = back_up(collected, settings, folder.files, folder.next_path(collected))
    assert folder.paths() == [made.path]
    assert len(s3.get(made.path.partition("/")[2])) == made.size
    with folder.files.open(made.path, "rb") as file:
        assert try_restore(collected, file, made.path).rows == made.rows
    assert folder.keep_newest(1) == 0
