"""The role five_precisions_reader makes nothing, and the program works where its own role is no superuser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from tests.command_line import run_installed
from tests.waiting import wait_until

from five_precisions.collection import close, collect
from five_precisions.errors import SetupError
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions_demo.city import write_inbox

JANUARY = Period(2019, 1)
BANK = "B01"
COUNTIES = "C"

MADE = {
    "temporary table": "create temporary table own (word text)",
    "temporary view": "create temporary view own as select 1 as one",
    "temporary sequence": "create temporary sequence own",
    "table of a query": "select * into temporary own from mart.metric",
    "table": "create table own (word text)",
    "table in mart": "create table mart.own (word text)",
    "view": "create view public.own as select 1 as one",
    "function": "create function own() returns integer language sql return 1",
    "type": "create type public.own as enum ('one')",
    "schema": "create schema own",
    "large object": "select lo_create(0)",
    "large object, the old way": "select lo_creat(-1)",
    "large object with content": "select lo_from_bytea(0, 'words')",
    "large object of a file": "select lo_import('/dev/null')",
    "large object written": "select lo_put(1, 0, 'words')",
    "rows": "insert into mart.metric (run_id) values ('own')",
    "file": "copy mart.metric to '/dev/null'",
    "program": "copy mart.metric to program 'true'",
    "role": "create role own",
    "extension": "create extension vector",
}


@contextmanager
def role(engine: Engine, name: str, options: str) -> Iterator[str]:
    """A login role of the server, which is shared by all tests of the process; gone afterwards."""
    own = f"{name}_{os.getpid()}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create role {own} login {options}"))
        try:
            yield own
        finally:
            # Its sessions end a moment after they are closed, and take their temporary tables with them.
            at_work = text("select count(*) from pg_stat_activity where usename = :own")
            wait_until(lambda: connection.execute(at_work, {"own": own}).scalar_one() == 0)
            connection.execute(text(f"reassign owned by {own} to current_user"))
            connection.execute(text(f"drop owned by {own}"))
            connection.execute(text(f"drop role {own}"))


def as_role(address: str, name: str) -> Engine:
    return create_engine(make_url(address).set(username=name), isolation_level="AUTOCOMMIT")


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without our schema, as its owner and superuser."""
    engine = create_engine(empty_database_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def dashboard(empty: Engine, empty_database_url: str) -> Iterator[Engine]:
    """A warehouse as a BI tool reads it, by a login of its own."""
    assert migrate(empty) == []
    with role(empty, "dashboard", "in role five_precisions_reader") as name:
        engine = as_role(empty_database_url, name)
        yield engine
        engine.dispose()


def refusal(engine: Engine, statement: str) -> str | None:
    with engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            return str(error.orig)
    return None


@pytest.mark.parametrize("statement", MADE.values(), ids=MADE.keys())
def test_a_reader_makes_nothing(dashboard: Engine, statement: str) -> None:
    refused = refusal(dashboard, statement)
    assert refused is not None, "it was made"
    assert "permission denied" in refused or "must be superuser" in refused, refused


def test_a_reader_reads(dashboard: Engine) -> None:
    with dashboard.connect() as connection:
        assert connection.execute(text("select count(*) from mart.current_metric")).scalar_one() == 0
        assert connection.execute(text("select current_user like 'dashboard%'")).scalar_one()


def test_what_readers_could_make_is_taken_at_each_init(empty: Engine, dashboard: Engine) -> None:
    """A copy of the tables in another database, e.g. of a backup, has the rights that PostgreSQL gives everybody."""
    for given in (
        "grant temporary on database {} to public",
        "grant create on schema public to public",
        "grant execute on function lo_create(oid) to public",
    ):
        with empty.connect() as connection:
            connection.execute(text(given.format(empty.url.database)))
    assert refusal(dashboard, MADE["temporary table"]) is None
    assert migrate(empty) == []
    for statement in ("temporary table", "table", "large object"):
        assert "permission denied" in str(refusal(dashboard, MADE[statement]))


def address_of(url: URL, name: str) -> str:
    return url.set(username=name).render_as_string(hide_password=False)


@pytest.fixture
def limited(empty: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a managed server: our role may create in a database that is another's, and is no superuser."""
    with role(empty, "application", "nosuperuser nocreatedb nocreaterole") as name:
        with empty.connect() as connection:
            connection.execute(text(f"grant create on database {empty.url.database} to {name}"))
            connection.execute(text(f"grant create on schema public to {name}"))
        monkeypatch.setenv(PREFIX + "WAREHOUSE", address_of(empty.url, name))
        monkeypatch.setenv(PREFIX + "PII_KEY", "only-for-tests-and-long-enough-for-a-key")
        monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", "only-for-tests-and-long-enough-for-a-key")
        settings = Settings.load()
        write_inbox(tmp_path / "city", until=JANUARY)
        # One bank and the counties' funds are enough to go the whole way, and done in seconds.
        for folder in (tmp_path / "city" / str(JANUARY)).iterdir():
            if folder.name == BANK or folder.name.startswith(COUNTIES):
                shutil.copytree(folder, Path(settings.inbox_address) / str(JANUARY) / folder.name)
        yield settings


def work_through_january(settings: Settings) -> int:
    """How many figures there are then."""
    with open_warehouse(settings) as engine:
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
        collect(engine, settings, JANUARY, replay=True)
        close(engine, settings, JANUARY, replay=True)
        assess(engine, settings, JANUARY)
        with engine.connect() as connection:
            return int(connection.execute(text("select count(*) from mart.metric")).scalar_one())


def test_the_program_works_where_its_role_is_no_superuser_and_owns_no_database(
    empty: Engine, limited: Settings
) -> None:
    result = run_installed("init")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(
        "Who has the role five_precisions_reader can still make something in this database; "
    )
    statements = [line for line in result.stderr.splitlines() if line.endswith(";")]
    assert any(f"revoke temporary on database {empty.url.database} from public" in line for line in statements)
    assert any("function pg_catalog.lo_create(oid)" in line for line in statements)
    with empty.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    again = run_installed("init")
    assert (again.returncode, again.stderr) == (0, "")
    # With temporary tables, which now only those have who were given the right.
    assert work_through_january(limited) > 100


def test_the_program_works_where_its_role_owns_the_database(empty: Engine, limited: Settings) -> None:
    with empty.connect() as connection:
        name = make_url(str(limited.warehouse)).username
        connection.execute(text(f"alter database {empty.url.database} owner to {name}"))
    with open_warehouse(limited) as engine:
        left = migrate(engine)
    assert left != []
    assert [line for line in left if "function" not in line] == [], "the owner takes the rest itself"
    assert work_through_january(limited) > 100


def test_a_role_without_temporary_tables_is_told_at_init(empty: Engine, limited: Settings) -> None:
    with empty.connect() as connection:
        connection.execute(text(f"revoke temporary on database {empty.url.database} from public"))
    name = make_url(str(limited.warehouse)).username
    with (
        open_warehouse(limited) as engine,
        pytest.raises(SetupError, match=f"run: grant temporary on database {empty.url.database} to {name}$"),
    ):
        migrate(engine)
    with empty.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("select 1 from mart.run"))
