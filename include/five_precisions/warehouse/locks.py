"""The advisory locks: who waits for whom, each by a number of its own.

PostgreSQL knows such a lock by two numbers. The first is the lock's; the second is a hash of the one thing that it is
taken for, such as a period. Two things with the same hash only wait for one another.
"""

from __future__ import annotations

from enum import IntEnum, unique

from sqlalchemy import Connection, text


@unique
class Lock(IntEnum):
    """What is done by one at a time in a warehouse."""

    MIGRATION = 5_201_900
    """To migrate, or to make the partitions of a period."""
    RUN = 5_201_901
    """To make a run of figures, or its targets."""
    KEYS = 5_201_902
    """To record keys: of two different ones the first stands."""
    MESSAGE = 5_201_903
    """To hand over one message of the outbox."""
    BULLETIN = 5_201_904
    """To decide on the bulletin of one quarter."""
    RESTATEMENT_REQUEST = 5_201_905
    """To ask for a restatement."""
    PERIOD = 5_201_906
    """To record a delivery in one period, or to close it."""
    DATA_DOCS = 5_201_907
    """To write the Data Docs of one period."""
    REPLAYED_DELIVERIES = 5_201_908
    """To take in what one institution has delivered for a period, in a replay."""
    RESTORE_TEST = 5_201_915
    """To restore a backup into the scratch database."""


_HOLD = text("select pg_advisory_xact_lock(:lock, hashtext(:one))")
_TRY_TO_HOLD = text("select pg_try_advisory_xact_lock(:lock, hashtext(:one))")
_TRY_TO_TAKE = text("select pg_try_advisory_lock(:lock, hashtext(:one))")
_RELEASE = text("select pg_advisory_unlock(:lock, hashtext(:one))")


def hold(connection: Connection, lock: Lock, one: object = "") -> None:
    """Wait for the lock, and keep it until the transaction ends.

    Args:
        connection: In a transaction.
        lock: Which lock.
        one: Of what the lock is: a period, a quarter, a message's key. Nothing where the lock is a single one.
    """
    connection.execute(_HOLD, _named(lock, one))


def try_to_hold(connection: Connection, lock: Lock, one: object = "") -> bool:
    """Keep the lock until the transaction ends, if it is free; whether it was."""
    return bool(connection.execute(_TRY_TO_HOLD, _named(lock, one)).scalar_one())


def try_to_take(connection: Connection, lock: Lock, one: object = "") -> bool:
    """Keep the lock over transactions until it is released or the session ends, if it is free; whether it was."""
    return bool(connection.execute(_TRY_TO_TAKE, _named(lock, one)).scalar_one())


def release(connection: Connection, lock: Lock, one: object = "") -> None:
    """Give up what `try_to_take` took."""
    connection.execute(_RELEASE, _named(lock, one))


def _named(lock: Lock, one: object) -> dict[str, int | str]:
    return {"lock": lock.value, "one": str(one)}
