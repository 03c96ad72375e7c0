"""Advisory locks: each has a number of its own, and their SQL stands once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from five_precisions.settings import INCLUDE
from five_precisions.warehouse import locks
from five_precisions.warehouse.locks import Lock, hold, release, try_to_hold, try_to_take

DOINGS = [(lock, one) for lock in Lock for one in ("", "2019-06", "2019-07")]


def held_by_another(connection: Connection) -> list[tuple[Lock, str]]:
    """What somebody else cannot have at this moment."""
    with connection.begin():
        return [(lock, one) for lock, one in DOINGS if not try_to_hold(connection, lock, one)]


def test_a_lock_keeps_others_from_the_one_thing_and_from_nothing_else(engine: Engine) -> None:
    with engine.connect() as mine, engine.connect() as theirs:
        for lock, one in DOINGS:
            with mine.begin():
                hold(mine, lock, one)
                assert held_by_another(theirs) == [(lock, one)]
            assert held_by_another(theirs) == []


def test_a_lock_that_was_taken_outlives_transactions_until_it_is_released(engine: Engine) -> None:
    with engine.connect() as mine, engine.connect() as theirs:
        with mine.begin():
            assert try_to_take(mine, Lock.MESSAGE, "key")
        with theirs.begin():
            assert not try_to_take(theirs, Lock.MESSAGE, "key")
            assert not try_to_hold(theirs, Lock.MESSAGE, "key")
        with mine.begin():
            release(mine, Lock.MESSAGE, "key")
        with theirs.begin():
            assert try_to_hold(theirs, Lock.MESSAGE, "key")


def test_advisory_locks_are_named_in_one_module() -> None:
    found = [
        path.relative_to(INCLUDE).as_posix()
        for suffix in ("py", "sql")
        for path in sorted(INCLUDE.rglob(f"*.{suffix}"))
        if "advisory_" in path.read_text(encoding="utf-8")
    ]
    assert [INCLUDE / name for name in found] == [INCLUDE / "five_precisions" / "warehouse" / "locks.py"]
    assert locks.__file__ == str(INCLUDE / found[0])
