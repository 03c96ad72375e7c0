"""The keys that a warehouse was made with: another one is refused before it can do harm.

See docs/reports.md#sensitive-columns.

With another key of the hashes the months no longer fit together, and the checks across months accuse the banks of it.
The warehouse keeps a fingerprint of each key, and those that are set are held against it whenever it is opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse.locks import Lock, hold

_BYTES: Final = 4
"""Of a fingerprint: enough to distinguish keys, and far too few to reveal anything of one."""

_READ = text("select purpose, fingerprint, since from registry.key_fingerprint")
_READ_PII = text("select fingerprint, since from registry.key_fingerprint where purpose = 'pii' for key share")
_LOCK_ALL = text("select from registry.key_fingerprint for update")
_RECORD = text("insert into registry.key_fingerprint (purpose, fingerprint) values (:purpose, :fingerprint)")
_FORGET = text("""
delete from registry.key_fingerprint where purpose = :purpose and fingerprint = any(cast(:fingerprints as text []))
""")
_IS_IN_USE = text("select exists (select from intake.submission)")


class Purpose(StrEnum):
    """What a key is for."""

    PII = "pii"
    """The keyed hashes of sensitive values: one for good."""
    ARCHIVE = "archive"
    """The archive: a new first one may come, and all that files may bear must be set."""


_SENTENCES: Final[Mapping[Purpose, str]] = {
    Purpose.PII: (
        f"{PREFIX}PII_KEY is not the key that this warehouse's hashes are made with, in use since {{since:%Y-%m-%d}}: "
        "bring that one back; with another the months no longer fit together (docs/secrets.md)."
    ),
    Purpose.ARCHIVE: (
        f"{PREFIX}ARCHIVE_KEY lacks a key that archived files may bear, in use since {{since:%Y-%m-%d}}: put that one "
        "back behind the first, until five-precisions archive renew has gone over every file (docs/secrets.md)."
    ),
}


class ChangedKeyError(SetupError):
    """A key that is set is not the one that the warehouse was made with."""


def fingerprint(purpose: Purpose, key: bytes) -> str:
    """The beginning of a keyed hash of fixed words: it distinguishes keys and reveals nothing of them."""
    return hmac.digest(key, f"five-precisions fingerprint {purpose}".encode(), "sha256")[:_BYTES].hex()


def require_keys(connection: Connection, settings: Settings, *, also_lost: bool = False) -> None:
    """Refuse keys that are not the warehouse's, and record those that it does not know yet. Of keys not set, nothing.

    Args:
        connection: To a migrated warehouse; the caller commits.
        settings: Of this installation.
        also_lost: Whether a key of the archive may be missing, as it is when it is lost for good.

    Raises:
        ChangedKeyError: the key of the hashes is another one, or one that archived files may bear is not set.
        SetupError: a key is too short.
    """
    given = _given(settings)
    if not given:
        return
    known = _read(connection)
    _require_known(given, known, also_lost=also_lost)
    if _unrecorded(given, known):
        hold(connection, Lock.KEYS)
        known = _read(connection)
        _require_known(given, known, also_lost=also_lost)
        for line in _unrecorded(given, known):
            connection.execute(_RECORD, line)


def adopt_keys(connection: Connection, settings: Settings) -> None:
    """As `require_keys`; but while nothing has been delivered, the keys that are set become the warehouse's.

    Raises:
        ChangedKeyError: something has been delivered, under other keys.
        SetupError: a key is too short.
    """
    hold(connection, Lock.KEYS)
    # Whoever is writing hashes ends first, and then there are some.
    connection.execute(_LOCK_ALL)
    if not connection.execute(_IS_IN_USE).scalar_one():
        given = _given(settings)
        for purpose, fingerprints in _read(connection).items():
            if purpose in given:
                _forget(connection, purpose, [*fingerprints])
    require_keys(connection, settings)


def hold_pii_key(connection: Connection, key: bytes) -> None:
    """Hold the key of the hashes against the warehouse's, which stays that one until the transaction ends.

    A process that began under another key long ago, or with a warehouse that knew none yet, writes no hash.

    Raises:
        ChangedKeyError: it is another one.
    """
    given = {Purpose.PII: [fingerprint(Purpose.PII, key)]}
    known = _read_pii(connection)
    if not known:
        hold(connection, Lock.KEYS)
        known = _read_pii(connection)
    _require_known(given, {Purpose.PII: known})
    for line in _unrecorded(given, {Purpose.PII: known}):
        connection.execute(_RECORD, line)


def forget_old_archive_keys(connection: Connection, settings: Settings, *, also_lost: bool = False) -> None:
    """Forget the archive's keys behind the first, once no file bears one of them any more.

    Args:
        connection: The caller commits.
        settings: Of this installation.
        also_lost: Whether those are forgotten, too, that are not set: what bears them is given up.
    """
    first, *others = _given(settings)[Purpose.ARCHIVE]
    # One that was put in front of ours meanwhile is not among ours, and stays.
    old = [each for each in _read(connection).get(Purpose.ARCHIVE, {}) if each != first] if also_lost else others
    _forget(connection, Purpose.ARCHIVE, old)


def _given(settings: Settings) -> dict[Purpose, list[str]]:
    """Fingerprints of the keys that are set, in their order."""
    keys: dict[Purpose, list[bytes]] = {}
    if settings.pii_key is not None:
        keys[Purpose.PII] = [settings.require_pii_key()]
    if settings.archive_key is not None:
        keys[Purpose.ARCHIVE] = settings.require_archive_keys()
    return {purpose: [fingerprint(purpose, key) for key in each] for purpose, each in keys.items()}


def _read(connection: Connection) -> dict[Purpose, dict[str, datetime]]:
    """Fingerprints on record, and since when."""
    known: dict[Purpose, dict[str, datetime]] = {}
    for row in connection.execute(_READ):
        known.setdefault(Purpose(row.purpose), {})[row.fingerprint] = row.since
    return known


def _read_pii(connection: Connection) -> dict[str, datetime]:
    return {row.fingerprint: row.since for row in connection.execute(_READ_PII)}


def _require_known(
    given: Mapping[Purpose, list[str]], known: Mapping[Purpose, Mapping[str, datetime]], *, also_lost: bool = False
) -> None:
    for purpose, fingerprints in given.items():
        missing = [since for each, since in known.get(purpose, {}).items() if each not in fingerprints]
        if missing and not (also_lost and purpose is Purpose.ARCHIVE):
            raise ChangedKeyError(_SENTENCES[purpose].format(since=min(missing)))


def _unrecorded(
    given: Mapping[Purpose, list[str]], known: Mapping[Purpose, Mapping[str, datetime]]
) -> list[dict[str, str]]:
    """What is to be recorded: at first all that is set, later a new key that encrypts from now on."""
    lines: list[dict[str, str]] = []
    for purpose, fingerprints in given.items():
        recorded = known.get(purpose, {})
        new = fingerprints[:1] if recorded else dict.fromkeys(fingerprints)
        lines += [{"purpose": purpose, "fingerprint": each} for each in new if each not in recorded]
    return lines


def _forget(connection: Connection, purpose: Purpose, fingerprints: list[str]) -> None:
    connection.execute(_FORGET, {"purpose": purpose, "fingerprints": fingerprints})
