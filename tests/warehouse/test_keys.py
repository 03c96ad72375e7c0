"""Another key than the warehouse's is refused before it does harm.

See docs/reports.md#sensitive-columns; docs/secrets.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from tests.command_line import assert_one_sentence, run
from tests.conftest import SECRET
from tests.packages import JUNE, put, sound_package
from tests.rows import rows

from five_precisions.collection import collect
from five_precisions.errors import SetupError
from five_precisions.installation import open_installation
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import keys
from five_precisions.warehouse.keys import ChangedKeyError, Purpose, adopt_keys, fingerprint, require_keys

ANOTHER, THIRD = "n" * 40, "t" * 40


def under(settings: Settings, **names: str | None) -> Settings:
    """The same installation with other keys."""
    return settings.model_copy(update={name: value and SecretStr(value) for name, value in names.items()})


def opened(settings: Settings) -> None:
    with open_installation(settings):
        pass


def recorded(engine: Engine, purpose: Purpose) -> list[str]:
    found = rows(engine, "select purpose, fingerprint from registry.key_fingerprint order by since")
    return [line[1] for line in found if line[0] == purpose]


def fingerprints(purpose: Purpose, *secrets: str) -> list[str]:
    return [fingerprint(purpose, secret.encode()) for secret in secrets]


@pytest.fixture
def delivered(register_saved_engine: Engine, settings: Settings) -> Engine:
    """A warehouse in which something is hashed, and an archive in which something is encrypted."""
    put(settings.var / "inbox" / str(JUNE) / "B01", sound_package("grid"))
    with open_installation(settings) as (engine, _):
        assert [each.verdict for each in collect(engine, settings, JUNE)] == ["accepted"]
    return register_saved_engine


def test_a_fingerprint_tells_nothing_of_its_key() -> None:
    own = fingerprint(Purpose.PII, SECRET.encode())
    assert len(own) == 8
    assert int(own, 16) >= 0
    assert own not in SECRET
    assert own != fingerprint(Purpose.ARCHIVE, SECRET.encode()), "one secret for both does not show"
    assert own != fingerprint(Purpose.PII, ANOTHER.encode())


def test_the_first_use_records_and_every_later_one_compares(engine: Engine, settings: Settings) -> None:
    opened(under(settings, pii_key=None, archive_key=None))
    assert recorded(engine, Purpose.PII) == recorded(engine, Purpose.ARCHIVE) == []
    opened(under(settings, archive_key=None))
    opened(settings)
    opened(settings)
    assert recorded(engine, Purpose.PII) == fingerprints(Purpose.PII, SECRET)
    assert recorded(engine, Purpose.ARCHIVE) == fingerprints(Purpose.ARCHIVE, SECRET)
    # Without a key there is nothing to compare.
    opened(under(settings, pii_key=None, archive_key=None))
    with pytest.raises(ChangedKeyError, match=rf"^{PREFIX}PII_KEY is not the key .* in use since {date.today():%Y}-"):  # noqa: DTZ011
        opened(under(settings, pii_key=ANOTHER))
    with pytest.raises(SetupError, match="PII_KEY is too short"):
        opened(under(settings, pii_key="short"))
    assert recorded(engine, Purpose.PII) == fingerprints(Purpose.PII, SECRET)


@pytest.mark.parametrize(
    "words",
    [
        ("init",),
        ("collect", "2019-06"),
        ("status", "2019-06"),
        ("close", "2019-06"),
        ("archive", "renew"),
        ("outbox", "list"),
    ],
    ids=" ".join,
)
def test_another_key_of_the_hashes_ends_every_command(delivered: Engine, words: tuple[str, ...]) -> None:
    before = rows(delivered, "select xmin::text, * from registry.institution order by code")
    assert_one_sentence(run(*words, PII_KEY=ANOTHER), 2, f"{PREFIX}PII_KEY is not the key that this warehouse's hashes")
    assert rows(delivered, "select xmin::text, * from registry.institution order by code") == before


def test_a_process_that_began_before_writes_no_hash_of_another_key(
    delivered: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """It opened the warehouse long ago: what it has in hand is held against the warehouse once more."""
    hashes = "select submission_id from intake.submission"
    before = rows(delivered, hashes)
    put(settings.var / "inbox" / str(JUNE) / "B01", sound_package("loans"))
    with pytest.raises(ChangedKeyError):
        collect(delivered, under(settings, pii_key=ANOTHER), JUNE)
    assert rows(delivered, hashes) == before
    assert [each.verdict for each in collect(delivered, settings, JUNE)] == ["accepted"]


def test_an_empty_warehouse_takes_other_keys_by_init_only(
    register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(settings)
    monkeypatch.setenv(PREFIX + "PII_KEY", ANOTHER)
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", ANOTHER)
    assert_one_sentence(run("outbox", "list"), 2, "PII_KEY is not the key")
    assert run("init").returncode == 0
    assert recorded(register_saved_engine, Purpose.PII) == fingerprints(Purpose.PII, ANOTHER)
    assert recorded(register_saved_engine, Purpose.ARCHIVE) == fingerprints(Purpose.ARCHIVE, ANOTHER)
    assert run("outbox", "list").returncode == 0


def test_init_waits_for_who_is_writing_the_first_hash(register_saved_engine: Engine, settings: Settings) -> None:
    opened(settings)
    began = threading.Event()

    def init() -> None:
        with register_saved_engine.begin() as connection:
            began.set()
            adopt_keys(connection, under(settings, pii_key=ANOTHER))

    with ThreadPoolExecutor(1) as other:
        with register_saved_engine.begin() as connection:
            keys.hold_pii_key(connection, SECRET.encode())
            waiting = other.submit(init)
            began.wait(30)
            connection.execute(text("insert into registry.period values ('2019-06', now())"))
            connection.execute(
                text(
                    "insert into intake.submission (submission_id, period, institution_code, version, received_at, "
                    "replayed, digest, verdict) "
                    "values ('2019-06-B01-1', '2019-06', 'B01', 1, now(), false, '', 'partial')"
                )
            )
        with pytest.raises(ChangedKeyError):
            waiting.result(60)
    assert recorded(register_saved_engine, Purpose.PII) == fingerprints(Purpose.PII, SECRET)


@pytest.mark.parametrize("name", ["pii_key", "archive_key"])
@pytest.mark.parametrize("use", [require_keys, adopt_keys], ids=["a command", "init"])
def test_of_two_at_once_with_different_keys_one_is_recorded(
    use: Callable[[Connection, Settings], None], name: str, engine: Engine, settings: Settings
) -> None:
    bare = under(settings, pii_key=None, archive_key=None)
    both = threading.Barrier(2, timeout=60)

    def record(secret: str) -> str:
        with engine.begin() as connection:
            connection.execute(text("select"))
            both.wait()
            use(connection, under(bare, **{name: secret}))
        return secret

    with ThreadPoolExecutor(2) as two:
        tries = [two.submit(record, secret) for secret in (ANOTHER, THIRD)]
        refused = [each.exception() for each in tries]
    purpose = Purpose(name.removesuffix("_key"))
    assert len(recorded(engine, purpose)) == 1
    if use is require_keys:
        assert sorted(type(each) for each in refused if each) == [ChangedKeyError]
        [winner] = [each.result() for each in tries if not each.exception()]
        assert recorded(engine, purpose) == fingerprints(purpose, winner)


def test_the_archives_key_changes_as_it_is_described(delivered: Engine, settings: Settings) -> None:
    def records(*secrets: str) -> bool:
        return recorded(delivered, Purpose.ARCHIVE) == fingerprints(Purpose.ARCHIVE, *secrets)

    # A key at hand behind the first encrypts nothing.
    opened(under(settings, archive_key=f"{SECRET},{THIRD}"))
    assert records(SECRET)
    assert_one_sentence(run("status", "2019-06", ARCHIVE_KEY=ANOTHER), 2, "ARCHIVE_KEY lacks a key that archived files")
    both = f"{ANOTHER},{SECRET}"
    assert run("status", "2019-06", ARCHIVE_KEY=both).returncode == 0
    assert records(SECRET, ANOTHER)
    assert_one_sentence(run("status", "2019-06", ARCHIVE_KEY=ANOTHER), 2, "until five-precisions archive renew")
    renewed = run("archive", "renew", ARCHIVE_KEY=both)
    assert (renewed.returncode, renewed.stdout) == (0, "2 files on record, 2 encrypted anew\n")
    assert records(ANOTHER)
    assert run("status", "2019-06", ARCHIVE_KEY=ANOTHER).returncode == 0
    assert_one_sentence(run("status", "2019-06", ARCHIVE_KEY=SECRET), 2, "ARCHIVE_KEY lacks a key")


def test_a_renewal_that_leaves_something_forgets_no_key(delivered: Engine, settings: Settings) -> None:
    file, _ = [path for path in (settings.var / "archive").rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-9])
    both = f"{ANOTHER},{SECRET}"
    assert run("archive", "renew", ARCHIVE_KEY=both).returncode == 1
    assert recorded(delivered, Purpose.ARCHIVE) == fingerprints(Purpose.ARCHIVE, SECRET, ANOTHER)


def test_a_key_of_the_archive_that_is_lost_is_given_up(delivered: Engine) -> None:
    lost = run("archive", "renew", ARCHIVE_KEY=ANOTHER)
    assert lost.returncode == 2
    given_up = run("archive", "renew", "--give-up", ARCHIVE_KEY=ANOTHER)
    assert given_up.returncode == 1, "it names what nobody can read any more"
    assert "none of the keys opens it" in given_up.stdout
    assert recorded(delivered, Purpose.ARCHIVE) == fingerprints(Purpose.ARCHIVE, ANOTHER)
    assert run("status", "2019-06", ARCHIVE_KEY=ANOTHER).returncode == 0
    assert_one_sentence(run("archive", "renew", "--give-up", PII_KEY=ANOTHER), 2, "PII_KEY is not the key")
