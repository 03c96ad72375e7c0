"""Contacts that ops add: they outlive the files, and stand once where the files name them too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from five_precisions.errors import RefusedError, UsageError
from five_precisions.register import (
    Contact,
    ContactRole,
    add_contact,
    load_register,
    read_contacts,
    read_register,
    remove_contact,
    save_register,
)
from five_precisions.settings import Settings
from tests.rows import rows

ADDED = Contact("B01", "second@example.test", ContactRole.CONTACT)


def add(engine: Engine, contact: Contact = ADDED, reason: str = "轮岗") -> None:
    with engine.begin() as connection:
        add_contact(connection, contact, reason=reason, added_by="ops")


def addresses(engine: Engine, code: str = "B01") -> list[tuple[str, bool]]:
    """Address, and whether ops added it."""
    with engine.connect() as connection:
        return [(each.address, each.is_added) for each in read_contacts(connection, code)]


def test_an_added_contact_stays_when_the_files_are_read_again(
    register_saved_engine: Engine, settings: Settings
) -> None:
    add(register_saved_engine)
    with register_saved_engine.begin() as connection:
        save_register(connection, load_register(settings.register_folder))
        assert ADDED in read_register(connection).contacts
        [added] = [each for each in read_contacts(connection, "B01") if each.is_added]
    assert (added.added_by, added.reason, added.contact) == ("ops", "轮岗", ADDED)
    assert addresses(register_saved_engine) == [("b01@example.test", False), ("second@example.test", True)]


def test_a_contact_that_the_files_name_later_stands_once_and_is_theirs(
    register_saved_engine: Engine, settings: Settings
) -> None:
    add(register_saved_engine, replace(ADDED, address="Second@Example.test"))
    saved = load_register(settings.register_folder)
    with register_saved_engine.begin() as connection:
        save_register(connection, replace(saved, contacts=(*saved.contacts, ADDED)))
    assert addresses(register_saved_engine) == [("b01@example.test", False), ("second@example.test", False)]
    with register_saved_engine.begin() as connection:
        save_register(connection, saved)
    assert addresses(register_saved_engine) == [("b01@example.test", False)]


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (replace(ADDED, address="someone@163"), "it is an email address or an Apprise URL"),
        (replace(ADDED, address="nosuch://token"), "Apprise knows no such service"),
        (replace(ADDED, fallback_address="x@example.test"), "for Apprise URLs only"),
        (replace(ADDED, institution_code="B99"), "B99 is not an institution"),
    ],
)
def test_whom_nobody_can_reach_is_refused(register_saved_engine: Engine, contact: Contact, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        add(register_saved_engine, contact)
    assert addresses(register_saved_engine) == [("b01@example.test", False)]


def test_a_contact_is_added_for_a_reason_and_once(register_saved_engine: Engine) -> None:
    with pytest.raises(UsageError, match="for a reason"):
        add(register_saved_engine, reason=" ")
    with pytest.raises(RefusedError, match=r"B01 has B01@example\.test as its contact already"):
        add(register_saved_engine, replace(ADDED, address="B01@example.test"))
    add(register_saved_engine)
    with pytest.raises(RefusedError, match="already"):
        add(register_saved_engine)


def test_who_adds_when_and_why_stand_together(register_saved_engine: Engine) -> None:
    with pytest.raises(IntegrityError, match="added_by_whom_when_and_why"), register_saved_engine.begin() as connection:
        connection.execute(text("insert into registry.contact values ('B01', 'x@y.test', 'contact', null, 'ops')"))


def test_only_an_added_contact_is_taken_away(register_saved_engine: Engine) -> None:
    add(register_saved_engine)
    with register_saved_engine.begin() as connection:
        remove_contact(connection, ADDED)
        with pytest.raises(RefusedError, match=r"by contacts\.csv; take it out there"):
            remove_contact(connection, Contact("B01", "b01@example.test", ContactRole.CONTACT))
        with pytest.raises(RefusedError, match="has no contact"):
            remove_contact(connection, ADDED)
    assert addresses(register_saved_engine) == [("b01@example.test", False)]


def test_findings_are_counted_as_they_are_written(register_saved_engine: Engine) -> None:
    one = "insert into intake.finding (submission_id, ordinal, report, rule, level, message) values "
    with register_saved_engine.begin() as connection:
        connection.execute(text(f"{one} ('x', 1, 'loans', 'L01', 'critical', ''), ('x', 2, null, 'F08', 'notice', '')"))
        connection.execute(text(f"{one} ('x', 3, null, 'F08', 'notice', '')"))
    counted = "select report, rule, level, findings from intake.finding_count where submission_id = 'x' order by rule"
    assert rows(register_saved_engine, counted) == [(None, "F08", "notice", 2), ("loans", "L01", "critical", 1)]
