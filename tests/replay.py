"""A replay of one quarter under a real Airflow whose scheduler is killed in the middle: the tests of group "stack"
share it (tests/conftest.py, `replay`).
"""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import Engine, NullPool, create_engine, text

from five_precisions.period import Period, Quarter
from five_precisions.register import load_register, save_register
from five_precisions.secrets_file import NAMES
from five_precisions.secrets_folder import create_file
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate
from five_precisions_demo.stack import HOST, OPS_ADDRESS, Interruption, Site, Stack

MONTHS = (Period(2019, 1), Period(2019, 2), Period(2019, 3))
QUARTER = Quarter(2019, 1)
VARIABLES = {
    PREFIX + "FIRST_PERIOD": str(MONTHS[0]),
    PREFIX + "LAST_PERIOD": str(MONTHS[-1]),
    PREFIX + "REPLAY": "true",
    # A task whose process was killed is noticed, and tried again, within seconds instead of minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}


@dataclass(frozen=True)
class Replay:
    """The three months, assessed; the quarter's bulletin waits for its approval."""

    stack: Stack
    settings: Settings
    warehouse: Engine
    airflow: Engine

    def count(self, query: str) -> int:
        """What a query of the warehouse counts."""
        return _count(self.warehouse, query)

    def count_in_airflow(self, query: str) -> int:
        """What a query of Airflow's database counts."""
        return _count(self.airflow, query)

    def wait(self, what: str, is_done: Callable[[], bool], seconds: float = 600) -> None:
        """Wait until it is done, while every component is well."""
        deadline = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < deadline, f"{what} did not come within {seconds} s; see {self.stack.site.logs}"
            self.stack.pause(0.5)

    def token(self, user: str) -> str:
        """A login to Airflow's API."""
        login = {"username": user, "password": self.stack.site.password(user)}
        answer = httpx.post(f"{self.stack.site.url}/auth/token", json=login).raise_for_status()
        return str(answer.json()["access_token"])

    def subjects_to_ops(self) -> list[str]:
        """Of what ops were told."""
        mails = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in self.stack.site.mails.glob("*.eml")
        ]
        return [str(mail["Subject"]) for mail in mails if OPS_ADDRESS in str(mail["To"])]


def prepare(warehouse: Engine, settings: Settings) -> None:
    """Make the warehouse, with the demo's register."""
    migrate(warehouse)
    with warehouse.begin() as connection:
        save_register(connection, load_register(settings.register_folder))


@contextmanager
def replayed(var: Path, inbox: Path, secret: str) -> Iterator[Replay]:
    """The replay, from an empty folder to the approval that waits; up for the length of the block.

    Args:
        var: The folder.
        inbox: Whose first months are delivered, with their times.
        secret: The key of the warehouse and of the archive; what is hashed with it compares with another installation.
    """
    stack = Stack(Site(var=var, port=_free_port(), variables=VARIABLES), Interruption())
    with stack.supervised(patience=5):
        for month in map(str, MONTHS):
            shutil.copytree(inbox / month, var / "inbox" / month)
        create_file(var / "secrets.env", "".join(f"{name}={secret}\n" for name in NAMES), 0o600)
        url = stack.start_servers()
        settings = Settings(_env_file=var / "secrets.env", var=var, replay=True)
        airflow_url = url.set(drivername="postgresql+psycopg", database="airflow")
        # What is pooled would outlive the server when a wait below fails.
        replay = Replay(stack, settings, *(create_engine(each, poolclass=NullPool) for each in (url, airflow_url)))
        prepare(replay.warehouse, settings)
        stack.start_migration()
        stack.finish("migrate")
        stack.start_components()
        stack.wait_until_ready()
        _kill_the_scheduler_in_february(replay)
        replay.wait("the quarter's runs", lambda: replay.count("select count(*) from mart.run") == len(MONTHS))
        unfinished = (
            "select count(*) from dag_run where state not in ('success', 'failed') and dag_id <> 'quarterly_bulletin'"
        )
        replay.wait("the end of all months", lambda: replay.count_in_airflow(unfinished) == 0)
        waiting = "select count(*) from task_instance where state = 'awaiting_input'"
        replay.wait("the approval", lambda: replay.count_in_airflow(waiting) == 1)
        unsent = "select count(*) from notify.message where status <> 'sent'"
        replay.wait("every mail", lambda: replay.count(unsent) == 0)
        yield replay


def _kill_the_scheduler_in_february(replay: Replay) -> None:
    """Some of the month's packages are in the ledger then, others are not."""
    delivered = "select count(*) from intake.submission where period = '2019-02'"
    replay.wait("February's first packages", lambda: replay.count(delivered) >= 3)
    assert replay.count("select count(*) from intake.close where period = '2019-02'") == 0
    scheduler = replay.stack._processes["scheduler"]
    os.killpg(scheduler.pid, signal.SIGKILL)
    scheduler.wait()
    replay.stack.start_components("scheduler")


def _count(source: Engine, query: str) -> int:
    with source.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])
