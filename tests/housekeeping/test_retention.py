"""What leaves the archive, and what must not; partitions that are there before they are wanted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.housekeeping.conftest import archived
from tests.packages import JUNE, package, put, sound, sound_package

from five_precisions.collection import close, collect
from five_precisions.housekeeping import (
    Task,
    TaskOutcome,
    make_partitions_ahead,
    read_housekeeping,
    record,
    remove_superseded,
)
from five_precisions.intake import verify
from five_precisions.intake.archive import NotArchivedError
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import create_period_partitions


@pytest.fixture
def corrected(collected: Engine, settings: Settings) -> Engine:
    """A warehouse with two versions of one report: the second stands."""
    put(
        Path(settings.inbox_address) / str(JUNE) / "B07",
        package(grid=[sound("grid"), sound("grid", town_code="441702101")]),
    )
    collect(collected, settings, JUNE, institution="B07")
    with collected.connect() as connection:
        assert connection.execute(text("select count(*) from intake.standing_report")).scalar_one() == 1
        assert connection.execute(text("select max(version) from intake.submission")).scalar_one() == 2
    return collected


def make_old(engine: Engine, version: int) -> set[str]:
    """Let a version be one of twenty years ago; the names that only its files have in the archive."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "update intake.submission set received_at = received_at - interval '20 years' where version = :version"
            ),
            {"version": version},
        )
        names = text(
            "select sha256 from intake.file inner join intake.submission using (submission_id) group by sha256 "
            "having max(version) = :version and min(version) = :version"
        )
        return set(connection.execute(names, {"version": version}).scalars())


def test_nothing_is_taken_away_unless_a_setting_says_so(corrected: Engine, settings: Settings) -> None:
    before = archived(settings)
    make_old(corrected, 1)
    assert remove_superseded(corrected, settings) == 0
    assert archived(settings) == before


def test_a_file_that_is_old_and_superseded_is_taken_away(corrected: Engine, settings: Settings) -> None:
    before = archived(settings)
    keeping = settings.model_copy(update={"keep_archive_years": 10})
    assert remove_superseded(corrected, keeping) == 0, "nothing is old"
    old = make_old(corrected, 1)
    assert old
    assert remove_superseded(corrected, keeping) == len(old)
    assert set(archived(settings)) == set(before) - old
    assert verify(corrected, settings).faults == (), "what was taken away is not missing"
    assert remove_superseded(corrected, keeping) == 0


def test_what_stands_is_kept_however_old_it_is(corrected: Engine, settings: Settings) -> None:
    before = archived(settings)
    make_old(corrected, 2)
    assert remove_superseded(corrected, settings.model_copy(update={"keep_archive_years": 10})) == 0
    assert archived(settings) == before


def test_what_was_frozen_is_kept_however_old_it_is(collected: Engine, settings: Settings) -> None:
    close(collected, settings.model_copy(update={"first_period": JUNE}), JUNE)
    rows = [sound("grid"), sound("grid", town_code="441702101")]
    put(Path(settings.inbox_address) / str(JUNE) / "B07", package(grid=rows))
    collect(collected, settings, JUNE, institution="B07")
    with collected.connect() as connection:
        assert connection.execute(text("select version from intake.standing_report")).scalar_one() == 2
    assert make_old(collected, 1)
    assert remove_superseded(collected, settings.model_copy(update={"keep_archive_years": 10})) == 0


def test_a_file_that_cannot_be_taken_away_is_not_on_record_as_gone(
    corrected: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.local import LocalFileSystem

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    old = make_old(corrected, 1)
    keeping = settings.model_copy(update={"keep_archive_years": 10})
    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "rm_file", refuse)
        with pytest.raises(NotArchivedError, match="Permission denied"):
            remove_superseded(corrected, keeping)
    with corrected.connect() as connection:
        assert connection.execute(text("select count(*) from intake.removed_file")).scalar_one() == 0
    assert remove_superseded(corrected, keeping) == len(old)


def test_a_file_that_was_taken_away_is_archived_again_when_it_comes_again(
    corrected: Engine, settings: Settings
) -> None:
    before = archived(settings)
    make_old(corrected, 1)
    remove_superseded(corrected, settings.model_copy(update={"keep_archive_years": 10}))
    assert len(archived(settings)) < len(before)
    put(Path(settings.inbox_address) / str(JUNE) / "B07", sound_package("grid"))
    collect(corrected, settings, JUNE, institution="B07")
    assert set(archived(settings)) == set(before)


def test_partitions_are_made_for_this_month_and_the_next_two(engine: Engine, settings: Settings) -> None:
    first = Period.current()
    months = [first, first.next(), first.next().next()]
    assert make_partitions_ahead(engine, settings) == months
    with engine.begin() as connection:
        for month in months:
            name = f"core.delivered_loans_{month.year}_{month.month:02d}"
            assert connection.execute(text("select to_regclass(:name)"), {"name": name}).scalar_one() is not None
            # As when the month opens.
            create_period_partitions(connection, month)
        assert connection.execute(text("select count(*) from registry.period")).scalar_one() == 0
    assert make_partitions_ahead(engine, settings) == months
    assert make_partitions_ahead(engine, settings.model_copy(update={"last_period": first})) == [first]
    assert make_partitions_ahead(engine, settings.model_copy(update={"last_period": JUNE})) == []


def test_the_newest_state_of_each_task_is_read_with_its_last_success(engine: Engine) -> None:
    record(engine, Task.BACKUP, "one", {"size": 1})
    record(engine, Task.BACKUP, "two", {"size": 2})
    record(engine, Task.BACKUP, "the disk is full", outcome=TaskOutcome.FAILED)
    record(engine, Task.DISK, "no disk", outcome=TaskOutcome.FAILED)
    with engine.connect() as connection:
        states = read_housekeeping(connection)
        successes = text("select max(done_at) from registry.housekeeping where outcome = 'done'")
        last = connection.execute(successes).scalar_one()
    assert set(states) == {Task.BACKUP, Task.DISK}
    backup, disk = states[Task.BACKUP], states[Task.DISK]
    assert (backup.outcome, backup.sentence, backup.detail, backup.succeeded_at) == (
        TaskOutcome.FAILED, "the disk is full", {}, last,
    )  # fmt: skip
    assert isinstance(backup.done_at, datetime)
    assert backup.done_at > last
    assert (disk.outcome, disk.succeeded_at) == (TaskOutcome.FAILED, None)
