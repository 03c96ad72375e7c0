"""Several processes take in what one would, in the same order (docs/performance.md#several-processes)."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from five_precisions.collection import collect, turns
from five_precisions.collection.processes import ProcessEndedError
from five_precisions.errors import UnreachableError
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.rights import private
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import open_warehouse
from tests.command_line import COMMAND
from tests.conftest import fresh_database
from tests.packages import JUNE, package, put, sound, sound_package
from tests.rows import rows
from tests.waiting import wait_until

BANKS = [f"B{number:02d}" for number in range(1, 11)]
MANY_HOUSEHOLDS = [sound("households", household_no=f"H-{number}") for number in range(1, 3_001)]


def deliver_loans(inbox: Path, codes: Sequence[str] = BANKS) -> None:
    for code in codes:
        put(inbox / code, package(loans=[sound("loans", contract_no=f"{code}-1"), sound("loans", balance="60000")]))


def workers(of: int | None = None) -> list[psutil.Process]:
    """The processes that take packages in: those that the one from which they are forked has forked."""
    forked = [each for server in psutil.Process(of).children() for each in server.children()]
    return [each for each in forked if "forkserver" in " ".join(each.cmdline())]


def at_second(act: Callable[[], object]) -> Callable[[str], None]:
    """A progress report that acts once, when the first institution is done and others are being taken in."""
    seen: list[str] = []

    def report(code: str) -> None:
        seen.append(code)
        if len(seen) == 2:
            act()

    return report


def recorded(engine: Engine) -> list[str]:
    return [code for (code,) in rows(engine, "select institution_code from intake.submission order by 1")]


def test_a_month_is_the_same_by_one_process_and_by_several(server_url: str, golden_inbox: Path, tmp_path: Path) -> None:
    month = Period(2019, 2)
    kept: list[tuple[dict[str, list[str]], dict[str, bytes]]] = []
    for processes in (1, 3):
        with fresh_database(server_url) as url:
            var = tmp_path / f"by-{processes}"
            shutil.copytree(golden_inbox / str(month), var / "inbox" / str(month))
            key = "only-for-tests-and-long-enough-for-a-key"
            settings = Settings(_env_file=None, var=var, warehouse=url, pii_key=key, archive_key=key)
            with open_warehouse(settings) as engine:
                with engine.begin() as connection:
                    save_register(connection, load_register(settings.register_folder))
                judgements = collect(engine, settings, month, replay=True, processes=processes)
                assert len(judgements) > 15
                kept.append((everything(engine), files(var / "outbox")))
    [(tables, outbox), (other_tables, other_outbox)] = kept
    assert len(tables["intake.finding"]) > 5
    assert len(tables["core.delivered_loans"]) > 100
    assert tables == other_tables
    assert len(outbox) > 20
    assert outbox == other_outbox


def everything(engine: Engine) -> dict[str, list[str]]:
    """All rows of the schemas into which packages are recorded, but for the moments at which that was done."""
    found: dict[str, list[str]] = {}
    columns = """
select table_schema || '.' || table_name as name, string_agg(quote_ident(column_name), ', ' order by ordinal_position)
from information_schema.columns
inner join information_schema.tables using (table_schema, table_name)
where table_schema in ('core', 'intake', 'notify') and table_type = 'BASE TABLE'
  and (data_type <> 'timestamp with time zone' or column_name in ('received_at', 'delivered_at'))
group by 1
"""
    for name, listed in rows(engine, columns):
        found[name] = sorted(str(row) for row in rows(engine, f"select {listed} from {name}"))
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_of_two_registers_stands_however_long_it_takes(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    deliver_loans(inbox)
    put(inbox / "C01", package(households=MANY_HOUSEHOLDS))
    offices = ["C02", "C03", "C04"]
    for code in offices:
        put(inbox / code, sound_package("households"))
    collect(engine, settings, JUNE, processes=2)
    verdicts = "select institution_code, verdict from intake.submission where institution_code like 'C%' order by 1"
    assert rows(engine, verdicts) == [("C01", "accepted")] + [(code, "rejected") for code in offices]
    doubled = "select distinct institution_code from intake.finding inner join intake.submission using (submission_id)"
    assert rows(engine, f"{doubled} where rule = 'K02' order by 1") == [(code,) for code in offices]


def test_what_the_processes_log_is_logged_here_and_what_they_write_is_private(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deliver_loans(inbox)
    (inbox / "B02" / "cover.csv").unlink()
    with caplog.at_level(logging.INFO), private():
        collect(engine, settings, JUNE, processes=2)
    assert "2019-06 B02: there is no cover yet" in caplog.messages
    assert recorded(engine) == [code for code in BANKS if code != "B02"]
    made = [path for path in Path(settings.outbox_address).rglob("*") if path.is_file()]
    assert len(made) >= 9
    assert not [path for path in made if path.stat().st_mode & 0o077]


def test_few_packages_are_taken_in_by_the_process_itself(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("five_precisions.collection.collecting.take_in_by_several", None)
    deliver_loans(inbox, BANKS[:9])
    collect(engine, settings, JUNE, processes=2)
    assert recorded(engine) == BANKS[:9]


def test_without_processes_the_packages_are_taken_in_all_the_same(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container without shared memory."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(turns, "Turns", refuse)
    deliver_loans(inbox)
    collect(engine, settings, JUNE, processes=2)
    assert recorded(engine) == BANKS
    said = "No other processes can be started (No space left on device), so packages are taken in by one"
    assert said in caplog.messages


def test_a_process_that_is_killed_ends_the_collection_and_loses_nothing(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    deliver_loans(inbox)
    killed: list[psutil.Process] = []

    def kill() -> None:
        killed.extend(workers())
        killed[0].kill()

    put(inbox / "B02", package(loans=[sound("loans", contract_no=f"HT-{number}") for number in range(20_000)]))
    with pytest.raises(
        ProcessEndedError,
        match=r"ended from outside; .* by FIVE_PRECISIONS_PROCESSES\. What is on record of 2019-06 stands",
    ):
        collect(engine, settings, JUNE, processes=2, report_progress=at_second(kill))
    assert len(killed) == 2
    assert not any(each.is_running() for each in killed)
    assert recorded(engine) != BANKS
    collect(engine, settings, JUNE, processes=2)
    assert recorded(engine) == BANKS


def test_a_lost_server_ends_the_collection_in_order(engine: Engine, settings: Settings, inbox: Path) -> None:
    """Whoever comes after the institution that has met it records nothing any more."""
    deliver_loans(inbox)
    put(inbox / "B02", package(loans=[sound("loans", contract_no=f"HT-{number}") for number in range(20_000)]))
    admin = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = engine.url.database

    def answer(yes: bool) -> None:
        with admin.connect() as connection:
            connection.execute(text(f"alter database {name} allow_connections {yes}"))

    def cut() -> None:
        # None may be made again: who holds none at this moment would else not notice that they were cut.
        answer(yes=False)
        with admin.connect() as connection:
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"), {"name": name}
            )

    with pytest.raises((UnreachableError, OperationalError, psycopg.OperationalError)):
        collect(engine, settings, JUNE, processes=2, report_progress=at_second(cut))
    answer(yes=True)
    admin.dispose()
    engine.dispose()
    there = recorded(engine)
    assert there == BANKS[: len(there)]
    assert len(there) < len(BANKS)
    collect(engine, settings, JUNE, processes=2)
    assert recorded(engine) == BANKS


def test_the_processes_end_with_a_command_that_is_killed(settings: Settings, engine: Engine, inbox: Path) -> None:
    deliver_loans(inbox)
    put(inbox / "B02", package(loans=[sound("loans", contract_no=f"HT-{number}") for number in range(20_000)]))
    command = subprocess.Popen(
        [COMMAND, "collect", "2019-06"], env=os.environ | {PREFIX + "PROCESSES": "2", PREFIX + "SETTLE_SECONDS": "0"}
    )
    started: list[psutil.Process] = []

    def have_started() -> bool:
        started[:] = workers(command.pid)
        return len(started) == 2

    wait_until(have_started)
    everyone = [*started, *psutil.Process(command.pid).children()]
    command.send_signal(signal.SIGKILL)
    command.wait()
    wait_until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in everyone))
    assert recorded(engine) != BANKS
