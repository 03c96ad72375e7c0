"""Connecting to a warehouse that the settings name (docs/reference/settings.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import ProgrammingError

from five_precisions.errors import SetupError
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse


def refusal(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    monkeypatch.setenv("FIVE_PRECISIONS_WAREHOUSE", address)
    with pytest.raises(SetupError) as refused, open_warehouse(Settings.load()):
        pass
    assert refused.value.exit_code == 2
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_an_unreachable_server_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Port 1 of this machine: nobody listens there.
    message = refusal(monkeypatch, "postgresql+psycopg://somebody:hunter2@127.0.0.1:1/five_precisions")
    assert message.startswith("The warehouse postgresql+psycopg://somebody:***@127.0.0.1:1/five_precisions cannot be ")
    assert "hunter2" not in message
    assert "refused" in message
    message = refusal(monkeypatch, f"postgresql://somebody@/five_precisions?host={tmp_path}")
    assert "No such file or directory" in message


def test_a_missing_database_is_said(monkeypatch: pytest.MonkeyPatch, server_url: str) -> None:
    address = make_url(server_url).set(database="nowhere").render_as_string(hide_password=False)
    assert 'database "nowhere" does not exist' in refusal(monkeypatch, address)


@pytest.mark.parametrize("address", ["sqlite://", "mysql://root@localhost/x", "duckdb:///warehouse.duckdb"])
def test_another_database_than_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert refusal(monkeypatch, address).endswith("the warehouse is PostgreSQL.")


def test_what_is_no_address_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, "localhost password=hunter2")
    assert message.startswith("FIVE_PRECISIONS_WAREHOUSE is not a SQLAlchemy URL such as postgresql+psycopg://")
    assert "hunter2" not in message


@pytest.mark.parametrize("address", ["postgresql://me@127.0.0.1:port/x", "postgresql://me:a:b@[::1/x"])
def test_half_an_address_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert refusal(monkeypatch, address).startswith("FIVE_PRECISIONS_WAREHOUSE is not a SQLAlchemy URL such as ")


def test_an_option_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, "postgresql://me:hunter2@127.0.0.1:1/x?nonsense=1")
    assert message.endswith('cannot be reached: invalid connection option "nonsense".')
    assert "hunter2" not in message


def test_a_server_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setattr(PGDialect, "_get_server_version_info", lambda *_: (14, 12))
    assert refusal(monkeypatch, database_url).endswith("is PostgreSQL 14; 15 or newer is needed.")


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_any_spelling_of_the_driver_is_ours(monkeypatch: pytest.MonkeyPatch, database_url: str, driver: str) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_WAREHOUSE", database_url.replace("postgresql+psycopg", driver))
    with open_warehouse(Settings.load()) as engine, engine.connect() as connection:
        assert connection.execute(text("select 42")).scalar_one() == 42


def test_days_turn_in_shanghai(engine: Engine) -> None:
    with engine.connect() as connection:
        day = connection.execute(text("select cast(timestamptz '2019-06-30T16:00:00Z' as date)")).scalar_one()
    assert day.isoformat() == "2019-07-01"


def test_each_test_has_a_database_of_its_own(engine: Engine, empty_database_url: str) -> None:
    with engine.connect() as connection:
        name = connection.execute(text("select current_database()")).scalar_one()
    assert name.startswith("test_")
    assert name not in empty_database_url


def test_a_failed_statement_is_told_without_its_values(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(ProgrammingError) as raised:
        connection.execute(text("select :value from intake.no_such_table"), {"value": "441702198001010017"})
    assert "no_such_table" in str(raised.value)
    assert "441702198001010017" not in str(raised.value)
