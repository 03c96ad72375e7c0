"""The register in the warehouse, and the opening of a period."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.register import (
    DivisionLevel,
    InstitutionKind,
    Register,
    load_register,
    open_period,
    read_register,
    save_register,
)
from five_precisions.settings import Settings
from tests.waiting import wait_until


def test_saved_and_read_back(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    with register_saved_engine.connect() as connection:
        found = read_register(connection)
    assert len(found.institutions) == 17
    for name in ("institutions", "divisions", "contacts", "obligations"):
        assert set(getattr(found, name)) == set(getattr(saved, name)), name


def without(register: Register, *codes: str) -> Register:
    """A register whose files no longer name some institutions."""
    return replace(
        register,
        institutions=tuple(each for each in register.institutions if each.code not in codes),
        contacts=tuple(each for each in register.contacts if each.institution_code not in codes),
    )


def deliver(connection: Connection, code: str) -> None:
    """A submission of June, as far as the register is concerned."""
    connection.execute(text("insert into registry.period values ('2019-06', now()) on conflict do nothing"))
    connection.execute(
        text(
            "insert into intake.submission (submission_id, period, institution_code, version, received_at, replayed, "
            "digest, verdict) values (:id, '2019-06', :code, 1, now(), true, 'x', 'accepted')"
        ),
        {"id": f"2019-06-{code}-1", "code": code},
    )


def dump(connection: Connection) -> dict[str, set[tuple[object, ...]]]:
    """Everything of the register in the warehouse."""
    tables = ("institution", "division", "contact", "obligation")
    return {name: set(map(tuple, connection.execute(text(f"select * from registry.{name}")))) for name in tables}


def test_saving_again_updates_and_keeps_who_left_the_files(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    first, second, *_ = saved.institutions
    shorter = without(saved, second.code)
    shorter = replace(shorter, institutions=(replace(first, short_name="新名"), *shorter.institutions[1:]))
    with register_saved_engine.begin() as connection:
        saved_now = save_register(connection, shorter)
        found = read_register(connection)
    assert len(found.institutions) == 17
    assert found.institution(first.code) == replace(first, short_name="新名")
    assert found.institution(second.code) == second
    assert found.undecided == {second.code}
    assert (saved_now.undecided, saved_now.left_divisions, saved_now.returned) == ((second,), (), ())
    # It owes as before, and is reminded.
    assert second.code in {each.institution_code for each in found.contacts}


def test_contacts_of_those_in_the_files_are_the_files(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    with register_saved_engine.begin() as connection:
        save_register(connection, replace(without(saved, "B02"), contacts=()))
        assert [each.institution_code for each in read_register(connection).contacts] == ["B02"]


def test_who_comes_back_is_what_the_files_say(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    with register_saved_engine.begin() as connection:
        save_register(connection, without(saved, "B02"))
        saved_now = save_register(connection, saved)
        assert [each.code for each in saved_now.returned] == ["B02"]
        assert saved_now.undecided == ()
        found = read_register(connection)
        again = save_register(connection, saved)
    assert found.undecided == set()
    assert set(found.contacts) == set(saved.contacts)
    assert again.returned == ()


def test_a_division_that_left_the_files_stays_and_is_told(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    town = next(each for each in saved.divisions if each.level is DivisionLevel.TOWN)
    with register_saved_engine.begin() as connection:
        saved_now = save_register(connection, replace(saved, divisions=tuple(set(saved.divisions) - {town})))
        assert saved_now.left_divisions == (town,)
        assert town in read_register(connection).divisions
        assert save_register(connection, saved).left_divisions == ()


def another_city(register: Register) -> Register:
    divisions = tuple(
        replace(each, code="440100", name="广州市")
        if each.code == "441700"
        else replace(each, parent_code="440100" if each.parent_code == "441700" else each.parent_code)
        for each in register.divisions
    )
    institutions = tuple(
        replace(each, division_code="440100") if each.division_code == "441700" else each
        for each in register.institutions
    )
    return replace(register, divisions=divisions, institutions=institutions)


def changed(register: Register, whose: str, **values: object) -> Register:
    institutions = tuple(
        replace(each, **values) if each.code == whose else each  # type: ignore[arg-type]
        for each in register.institutions
    )
    return replace(register, institutions=institutions)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(
            another_city,
            "The register is of 440100 广州市, and the warehouse of 441700 阳江市; a warehouse serves one city",
            id="another city",
        ),
        pytest.param(
            lambda register: changed(register, "B01", kind=InstitutionKind.COUNTY_OFFICE, division_code="441702"),
            "institutions.csv has B01 岭海通商 as a county_office, and it has delivered as a bank; close the bank",
            id="another kind",
        ),
        pytest.param(
            lambda register: replace(changed(register, "B02", code="b02"), contacts=()),
            "institutions.csv has the code b02, and the warehouse B02, which differs in capital letters only",
            id="a code in small letters",
        ),
        pytest.param(
            lambda register: replace(changed(register, "Z01", code="Z02"), contacts=()),
            "institutions.csv no longer names the warehouse's centre Z01 中心支行; write it in again, with a closed_on",
            id="another centre",
        ),
    ],
)
def test_a_register_that_does_not_fit_is_one_sentence_and_changes_nothing(
    register_saved_engine: Engine, settings: Settings, change: Callable[[Register], Register], sentence: str
) -> None:
    saved = load_register(settings.register_folder)
    with register_saved_engine.begin() as connection:
        deliver(connection, "B01")
        before = dump(connection)
    with (
        pytest.raises(SetupError, match=re.escape(sentence)) as raised,
        register_saved_engine.begin() as connection,
    ):
        save_register(connection, change(saved))
    assert len(str(raised.value).splitlines()) == 1
    with register_saved_engine.connect() as connection:
        assert dump(connection) == before


def test_what_an_institution_is_can_be_mended_before_it_delivers(
    register_saved_engine: Engine, settings: Settings
) -> None:
    saved = load_register(settings.register_folder)
    mended = changed(saved, "B01", kind=InstitutionKind.COUNTY_OFFICE, division_code="441702")
    with register_saved_engine.begin() as connection:
        save_register(connection, mended)
        assert read_register(connection).institution("B01") == mended.institution("B01")


def test_one_centre_follows_the_other_in_the_warehouse_too(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    closed = changed(saved, "Z01", closed_on=date(2019, 5, 31))
    [centre] = [each for each in closed.institutions if each.code == "Z01"]
    later = replace(centre, code="Z02", opened_on=date(2019, 5, 31), closed_on=None)
    both = replace(closed, institutions=(*closed.institutions, later))
    with register_saved_engine.begin() as connection:
        save_register(connection, both)
        # Closed as it is, it may leave the files.
        assert save_register(connection, without(both, "Z01")).undecided == ()


def test_who_saves_second_waits_before_touching_a_row(register_saved_engine: Engine, settings: Settings) -> None:
    saved = load_register(settings.register_folder)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with register_saved_engine.begin() as connection:
                save_register(connection, saved)
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    def what_waits() -> list[str]:
        with register_saved_engine.connect() as connection:
            waiting = (
                "select query from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            return list(connection.execute(text(waiting)).scalars())

    second = threading.Thread(target=work)
    with register_saved_engine.begin() as connection:
        save_register(connection, saved)
        second.start()
        wait_until(lambda: what_waits() != [])
        # Files in another order would have them wait for one another's rows for ever.
        [query] = what_waits()
        assert query.startswith("lock table registry.contact")
    second.join()
    assert raised == []


def test_what_an_older_warehouse_has_still_loads(register_saved_engine: Engine) -> None:
    with register_saved_engine.begin() as connection:
        connection.execute(
            text("insert into registry.institution values ('B/13', '某', '某', 'bank', '441702001', false, now())")
        )
        connection.execute(text("insert into registry.contact values ('B/13', 'nobody', 'contact')"))
        assert read_register(connection).institution("B/13") is not None


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
        unsaved = open_period(connection, settings, Period(2049, 12))
        assert open_period(connection, settings, Period(2049, 12)) == ()
    sentence = "2050年放假安排尚未公布，2049-12报送期限按法定节假日推算为2050-01-13；公布后请更新 holidays.csv 或升级。"
    assert unsaved == (sentence,)
    assert [record.getMessage() for record in caplog.records] == [sentence]
