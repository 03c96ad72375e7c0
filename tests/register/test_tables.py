"""The register in the warehouse, and the opening of a period."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from five_precisions.period import Period
from five_precisions.register import Register, load_register, open_period, read_register, save_register
from five_precisions.settings import Settings


def test_saved_and_read_back(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    with register_saved_engine.connect() as connection:
        found = read_register(connection)
    assert len(found.institutions) == 17
    for name in ("institutions", "divisions", "contacts", "obligations"):
        assert set(getattr(found, name)) == set(getattr(saved, name)), name


def test_saving_again_updates_and_keeps_who_left_the_files(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    first, second, *rest = saved.institutions
    shorter = Register(
        institutions=(replace(first, short_name="新名"), *rest),
        divisions=saved.divisions,
        contacts=tuple(each for each in saved.contacts if each.institution_code != second.code),
        obligations=saved.obligations,
    )
    with register_saved_engine.begin() as connection:
        save_register(connection, shorter)
        found = read_register(connection)
    assert len(found.institutions) == 17
    assert found.institution(first.code) == replace(first, short_name="新名")
    assert found.institution(second.code) == second
    assert second.code not in {each.institution_code for each in found.contacts}


def test_open_period_once(register_saved_engine: Engine, settings: Settings) -> None:
    june = Period(2019, 6)
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, june)
        moved = "update registry.period set deadline_at = '2019-08-01'"
        connection.execute(text(moved))
        open_period(connection, settings, june)
        rows = connection.execute(text("select period, deadline_at::date::text from registry.period")).all()
        partitions = connection.execute(
            text("select count(*) from pg_class where relname like 'delivered%2019_06' and relkind = 'r'")
        ).scalar_one()
    assert [tuple(row) for row in rows] == [("2019-06", "2019-08-01")]
    assert partitions == 11


def test_ops_are_told_once_of_a_year_without_a_calendar(
    register_saved_engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with register_saved_engine.begin() as connection:
        assert open_period(connection, settings, Period(2019, 6)) == ()
        assert not caplog.records
        told = open_period(connection, settings, Period(2049, 12))
        assert open_period(connection, settings, Period(2049, 12)) == ()
    sentence = (
        "The public calendar does not know the holidays of 2050: the deadline of 2049-12, 2050-01-12, is counted by "
        "weekends and holidays.csv alone; if it is wrong: five-precisions deadline 2049-12 DATE --reason TEXT"
    )
    assert told == (sentence,)
    assert [record.getMessage() for record in caplog.records] == [sentence]
