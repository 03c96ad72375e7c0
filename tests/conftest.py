"""Fixtures for all tests: one embedded PostgreSQL per session, a fresh migrated database per test, settings of its own.

No test sees the developer's `var/` or environment: `FIVE_PRECISIONS_*` is cleared before each one.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import hypothesis
import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from xdist.scheduler import LoadScopeScheduling

from five_precisions.collection import close, collect
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions.warehouse.embedded import EmbeddedServer
from five_precisions_demo.city import write_inbox
from tests.replay import Replay, replayed
from tests.s3_server import S3Server, running_s3

TEMPLATE = "migrated"
REPLAYED = "replayed"
GOLDEN = "golden"
"""A copy of `replayed`, which nobody may be connected to while it is copied."""
_INTEGRATION = {"server_url", "golden_inbox", "golden_settings", "replay", "saved_by_office"}
"""Fixtures that start a server or a process, or take a minute."""
_COSTLY = {"golden_settings", "replay", "year_end"}
_COSTLY_SECONDS = 1500
"""How long a test may take that may have to make such a fixture first; two to three minutes on an idle machine."""
SECRET = "only-for-tests-and-long-enough-for-a-key"

# The same examples each time: a red test stays red until it is mended, on every machine.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")

_MEMORY = Path("/dev/shm")
_ROOM_WANTED = 4 * 2**30
"""Bytes. Half a gigabyte is the most that one of the processes that run the tests has been seen to take."""
_FOLDER_PREFIX = "five-precisions-tests-"
_ABANDONED_SECONDS = 3600

_COLLECTED_AFTER = (50_000, 20, 50)
"""New objects, and rounds of younger ones, after which the garbage collector looks; 700, 10 and 10 otherwise."""

_numbers = count(1)
_own_folder = pytest.StashKey[Path]()
_end_of_replay = pytest.StashKey[ExitStack]()


# Which tests run in one process, one after another; every other file is a group of its own. The longest come first.
GROUPS = {
    "browser": "stack",
    "e2e": "stack",
    "demo/test_stack.py": "stack",
    "test_golden_city.py": "golden",
    "bulletin/test_correction.py": "golden",
    "bulletin/test_issue.py": "golden",
    "figures/test_golden_alerts.py": "golden",
    "figures/test_golden_independence.py": "golden",
    "figures/test_golden_trial.py": "golden",
    "demo": "golden",
}


def _group_of(nodeid: str) -> str:
    path = PurePosixPath(nodeid.partition("::")[0]).relative_to(Path(__file__).parent.name)
    return next((GROUPS[name] for name in (str(path), path.parts[0]) if name in GROUPS), str(path))


class GroupScheduling(LoadScopeScheduling):
    """One process at a time for what shares a costly fixture, or would be in one another's way: two of Airflow at once.

    pytest-xdist's own groups do nothing under pytest 9.2, which keeps a test's name elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Which tests go to which process."""
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The groups that take longest come first; the test that asks first for the golden city pays for its six months."""
    order = {group: number for number, group in enumerate(dict.fromkeys(GROUPS.values()))}
    # The users of the replay stand together: with the last of them it ends.
    items.sort(key=lambda item: (order.get(_group_of(item.nodeid), len(order)), not _uses_replay(item)))
    for item in items:
        if _INTEGRATION.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
        if _COSTLY.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(_COSTLY_SECONDS))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each session a temporary folder straight under the system's.

    Run as root, the embedded server works as a user of its own, who must be able to pass through every folder above its
    data. pytest's usual folder is shared by all sessions, and each new one closes it to other users again.
    """
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix=_FOLDER_PREFIX)
        config.stash[_own_folder] = Path(config.option.basetemp)


def pytest_collection_finish() -> None:
    """Keep the garbage collector off what stays: libraries and collected tests are most of what a process holds.

    Its walks over them were a tenth of the CPU of all tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take the folder away, unless there is something to look into."""
    folder = session.config.stash.get(_own_folder, None)
    if folder is not None and not session.testsfailed:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_report_header(config: pytest.Config) -> str:
    """Say where a red test's files are found."""
    return f"temporary files, kept where a test fails: {config.option.basetemp}"


def _address(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _administer(server_url: str, *statements: str) -> None:
    engine = create_engine(make_url(server_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold that a test without the mark `integration` starts no process, so that `make check` stays quick."""
    if request.node.get_closest_marker("integration") is None:

        def refuse(*_: object, **__: object) -> None:
            pytest.fail("This test starts a process, so it wants pytestmark = pytest.mark.integration.")

        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv(PREFIX + "VAR", str(tmp_path / "var"))
    # A program's main function, called in this process, keeps to itself what it writes; the next test does not.
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the embedded servers of the session."""
    return tmp_path_factory.mktemp("servers")


@contextmanager
def _in_memory(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, gone afterwards; the other one where there is no room.

    A database is six hundred files: to make one costs ten times as much on a busy disk.
    """
    _take_away_abandoned()
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM_WANTED:
        yield otherwise
    else:
        with tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX, dir=_MEMORY, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def _take_away_abandoned() -> None:
    """What a session that was killed left in memory, where it would lie until the machine is started anew."""
    for folder in _MEMORY.glob(f"{_FOLDER_PREFIX}*"):
        # The lock of whoever borrows the server (warehouse/embedded.py). A folder that is new may not have it yet.
        with suppress(OSError), (folder / "warehouse" / "users.lock").open() as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                EmbeddedServer(folder).stop()
                shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server_url(server_folder: Path) -> Iterator[str]:
    """Address of a server for the session, with a migrated database to copy from."""
    with _in_memory(server_folder / "session") as folder, EmbeddedServer(folder).borrowed() as url:
        address = _address(url)
        _make_careless(address)
        _make_template(address)
        yield address


def _make_careless(server_url: str) -> None:
    """What is lost in a crash of the test machine is no loss."""
    _administer(
        server_url,
        "alter system set fsync = off",
        "alter system set synchronous_commit = off",
        "alter system set full_page_writes = off",
        "alter system set max_wal_size = '256MB'",
        "select pg_reload_conf()",
    )


def _make_template(server_url: str) -> None:
    _administer(server_url, f"create database {TEMPLATE} template template0 encoding 'UTF8' locale 'C'")
    engine = create_engine(make_url(server_url).set(database=TEMPLATE))
    migrate(engine)
    engine.dispose()


def _copy_database(server_url: str, template: str, name: str) -> str:
    """Address of a new database that holds what another one does, copied as files rather than through the log."""
    _administer(server_url, f"create database {name} template {template} strategy file_copy")
    return _address(make_url(server_url).set(database=name))


def _drop_database(server_url: str, name: str) -> None:
    _administer(server_url, f"drop database {name} with (force)")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Address of a fresh database, migrated and otherwise empty; gone afterwards."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield _copy_database(server_url, TEMPLATE, name)
    _drop_database(server_url, name)


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """Address of the test's own fresh database."""
    with fresh_database(server_url) as url:
        yield url


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    """Address of a fresh database without our schema; gone afterwards."""
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    _administer(server_url, f"create database {name} template template0 encoding 'UTF8' locale 'C'")
    yield _address(make_url(server_url).set(database=name))
    _drop_database(server_url, name)


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """Address of a fresh database without our schema."""
    with empty_database(server_url) as url:
        yield url


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fresh installation; commands started by the test see the same ones in the environment."""
    monkeypatch.setenv(PREFIX + "WAREHOUSE", database_url)
    monkeypatch.setenv(PREFIX + "PII_KEY", SECRET)
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", SECRET)
    return Settings.load()


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The fresh warehouse of `settings`, migrated and otherwise empty."""
    with open_warehouse(settings) as opened:
        yield opened


@pytest.fixture
def register_saved_engine(engine: Engine, settings: Settings) -> Engine:
    """The fresh warehouse with the register of the demo city."""
    with engine.begin() as connection:
        save_register(connection, load_register(settings.register_folder))
    return engine


@pytest.fixture
def s3() -> Iterator[S3Server]:
    """A server that speaks S3, with one empty bucket."""
    with running_s3() as running:
        yield running


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what one of the processes that run the tests makes for all of them."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """For the length of a block: is it for this process to make what the folder holds? The others wait."""
    made = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not made.exists()
        made.touch()


@pytest.fixture(scope="session")
def golden_inbox(shared_folder: Path) -> Path:
    """What the golden city delivers in its six months, as it is delivered: to read from."""
    folder = shared_folder / "golden-inbox"
    with _made_once(folder) as is_ours:
        if is_ours:
            assert len(write_inbox(folder)) > 100
    return folder


@pytest.fixture(scope="session")
def golden_settings(shared_folder: Path, golden_inbox: Path) -> Iterator[Settings]:
    """Settings of an installation with six months of the golden city, taken in and computed as the commands do it.

    For tests that only read; those that write take `golden_copy`.
    """
    folder = shared_folder / "golden"
    with EmbeddedServer(folder).borrowed() as url:
        address = _address(url)
        golden = _address(url.set(database=GOLDEN))
        settings = Settings(_env_file=None, var=folder, warehouse=golden, pii_key=SECRET, archive_key=SECRET)
        with _made_once(folder) as is_ours:
            if is_ours:
                _make_careless(address)
                _make_template(address)
                warehouse = _copy_database(address, TEMPLATE, REPLAYED)
                _replay_golden_city(settings.model_copy(update={"warehouse": warehouse}), golden_inbox)
                _copy_database(address, REPLAYED, GOLDEN)
        yield settings


def _replay_golden_city(settings: Settings, inbox: Path) -> None:
    # With its times, which are those of the deliveries.
    shutil.copytree(inbox, settings.inbox_address)
    with open_warehouse(settings) as engine:
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
        for month in (Period(2019, number) for number in range(1, 7)):
            collect(engine, settings, month, replay=True)
            close(engine, settings, month, replay=True)
            assess(engine, settings, month)


@pytest.fixture
def golden_city(golden_settings: Settings) -> Iterator[Engine]:
    """The golden city's warehouse, to read from."""
    with open_warehouse(golden_settings) as engine:
        yield engine


@pytest.fixture
def golden_copy(golden_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a copy of the golden city's installation, to write to; commands see the same ones."""
    assert golden_settings.warehouse is not None
    name = f"golden_{os.getpid()}_{next(_numbers)}"
    monkeypatch.setenv(PREFIX + "WAREHOUSE", _copy_database(golden_settings.warehouse, REPLAYED, name))
    monkeypatch.setenv(PREFIX + "PII_KEY", SECRET)
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", SECRET)
    yield Settings.load()
    _drop_database(golden_settings.warehouse, name)


@pytest.fixture(scope="session")
def replay(request: pytest.FixtureRequest, server_folder: Path, golden_inbox: Path) -> Iterator[Replay]:
    """A quarter under a real Airflow, up to its bulletin that waits for approval; ended after the last use."""
    with ExitStack() as until_last_use:
        request.config.stash[_end_of_replay] = until_last_use
        patch = until_last_use.enter_context(pytest.MonkeyPatch.context())
        for name in os.environ:
            if name.startswith(PREFIX):
                patch.delenv(name)
        yield until_last_use.enter_context(replayed(server_folder / "replay", golden_inbox, SECRET))


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """An idle Airflow takes a gigabyte and a tenth of a core: the other tests of its process are better off without."""
    if _uses_replay(item) and not _uses_replay(nextitem) and _end_of_replay in item.config.stash:
        item.config.stash[_end_of_replay].close()


def _uses_replay(item: pytest.Item | None) -> bool:
    return "replay" in getattr(item, "fixturenames", ())
