"""The same inputs give the same bytes wherever the warehouse stands (docs/figures.md#restatement-and-proof)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text
from tests.conftest import fresh_database
from tests.figures.small_city import SmallCity
from tests.figures.test_restatement import fill

from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse

SESSION = {"timezone": "Asia/Shanghai", "datestyle": "ISO", "client_encoding": "UTF8", "intervalstyle": "postgres"}


def settings_of(url: str, settings: Settings) -> Settings:
    return settings.model_copy(update={"warehouse": url})


@pytest.fixture
def elsewhere_url(server_url: str, settings: Settings) -> Iterator[str]:
    """A database whose sessions begin with another time zone, other dates and other intervals."""
    with fresh_database(server_url) as url:
        name = make_url(url).database
        with open_warehouse(settings_of(url, settings)) as engine, engine.begin() as connection:
            for setting in ("timezone = 'America/New_York'", "datestyle = 'German'", "intervalstyle = 'iso_8601'"):
                connection.execute(text(f"alter database {name} set {setting}"))
        yield url


def test_a_session_is_the_same_whatever_server_and_environment_say(
    elsewhere_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGTZ", "UTC")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with open_warehouse(settings_of(elsewhere_url, settings)) as engine, engine.connect() as connection:
        found = {name: connection.execute(text(f"show {name}")).scalar_one().partition(",")[0] for name in SESSION}
        assert found == SESSION
        assert connection.execute(text("select cast(date '2019-06-30' as text)")).scalar_one() == "2019-06-30"
        connection.rollback()
        assert connection.execute(text("show timezone")).scalar_one() == SESSION["timezone"], "a rollback leaves it"


def test_another_time_zone_and_another_way_to_write_dates_give_the_same_bytes(
    elsewhere_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_warehouse(settings) as engine:
        here = fill(engine, settings, SmallCity)
    assert sum(map(bool, here.values())) >= 15
    for name, value in {"PGTZ": "UTC", "PGDATESTYLE": "SQL, DMY", "TZ": "America/New_York", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    other = settings_of(elsewhere_url, settings)
    with open_warehouse(other) as engine:
        there = fill(engine, other, SmallCity)
    assert [table for table in here if there[table] != here[table]] == []
