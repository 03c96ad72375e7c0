"""One run of the demo, from an empty folder to both bulletins."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Engine, text

from five_precisions.settings import Settings
from five_precisions_demo.replay.progress import (
    Month,
    QuarterState,
    Screen,
    may_wait_for_approval,
    read_months,
    read_quarters,
)
from five_precisions_demo.replay.rest_api import Airflow
from five_precisions_demo.replay.statements import load_demo_statement
from five_precisions_demo.replay.summary import Summary, read_summary
from five_precisions_demo.stack import APPROVER, ComponentError, Stack
from five_precisions_demo.stack.supervision import describe_logs

REMARK: Final = "请各行按要求抓好落实。"
_LIMIT_SECONDS: Final = 10 * 60.0
"""How long nothing may be done. A month takes half a minute on two idle cores; on a busy machine it may be minutes."""
_DAGS_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 5.0
"""Between two questions to Airflow whether something has failed: its answers take time from the tasks."""
_MEASURE_SECONDS: Final = 10.0
"""Between two samples of the memory: one costs a fifth of a second."""
_READING_SECONDS: Final = 5.0
"""How long the approver reads. Answered within a second, Airflow takes the task's waiting for its end and fails it. The
executor reports that the process has ended when the task is queued again already (apache/airflow #71580)."""
_MOST_UNANSWERED: Final = 20

_COUNT_WAITING = text("select count(*) from notify.message where status in ('pending', 'sending')")


class DemoRun:
    """One run of the demo, on a stack that is supervised.

    Args:
        stack: It runs on.
        screen: It tells of itself on.
        keep_packages: Whether what was delivered, IDs and names in clear, stays in the inbox. A replay leaves it there.
    """

    def __init__(self, stack: Stack, screen: Screen, *, keep_packages: bool = False) -> None:
        self._stack = stack
        self._keep_packages = keep_packages
        self._site = stack.site
        self._screen = screen
        self._measured_at = self._asked_at = 0.0
        self._waiting_since: dict[str, float] = {}
        self._reported: set[str] = set()
        self._unanswered = 0
        self.peak = 0
        """Bytes that all processes took together, the highest of the samples."""

    def run(self) -> Summary:
        """From an empty folder to both bulletins.

        Raises:
            FivePrecisionsError: something did not go as it should; the sentence says what.
        """
        from five_precisions.warehouse import open_warehouse

        self._screen.start_step("the golden city's inbox, the databases")
        self._stack.clear()
        program = str(Path(sys.executable).with_name("five-precisions"))
        command = [program, "demo-data", "--out", str(self._site.inbox)]
        self._stack.start("demo-data", command)
        # A replay takes what lies in the inbox, and does not wait for the rest of it: no DAG runs before it is written.
        url = self._stack.start_servers(paused=True)
        self._screen.finish_step("database and mail server are up")
        settings = Settings(var=self._site.var, warehouse=url.render_as_string(hide_password=False))
        with open_warehouse(settings) as engine:
            self._start(engine, settings)
            self._follow(engine)
            if not self._keep_packages:
                self._remove_packages()
            return read_summary(engine, settings, self._site)

    def _start(self, engine: Engine, settings: Settings) -> None:
        from five_precisions.register import load_register, save_register

        self._stack.start_migration()
        register = load_register(settings.register_folder)
        with engine.begin() as connection:
            save_register(connection, register)
        self._screen.finish_step(f"warehouse is made: {len(register.institutions)} institutions")
        self._stack.finish("migrate")
        self._screen.finish_step("Airflow's database is made")
        self._screen.start_step("Airflow is starting")
        self._stack.start_components()
        self._stack.wait_until_ready()
        self._screen.finish_step(f"Airflow is up at {self._site.url}")
        self._stack.finish("demo-data")
        self._screen.finish_step("the golden city's inbox is written")

    def _follow(self, engine: Engine) -> None:
        """Watch the months go by and answer the approvals, until everything is done."""
        airflow = Airflow(self._site, APPROVER)
        try:
            self._wait_for_dags(airflow)
            airflow.unpause()
            self._screen.start_step("January to June 2019")
            while not self._check_progress(engine, airflow):
                self._pause()
                if self._screen.idle_seconds > _LIMIT_SECONDS:
                    raise ComponentError(
                        f"The demo has come no further for {_LIMIT_SECONDS / 60:.0f} minutes; "
                        f"{describe_logs(self._site.logs)}."
                    )
        finally:
            airflow.close()

    def _remove_packages(self) -> None:
        """Take the packages out of the inbox, which stays: they are in the ledger, and encrypted in the archive."""
        for month in self._site.inbox.iterdir():
            shutil.rmtree(month)
        self._screen.finish_step("the delivered packages, IDs and names in clear, are removed from the inbox")

    def _wait_for_dags(self, airflow: Airflow) -> None:
        deadline = time.monotonic() + _DAGS_SECONDS
        # A file holds the DAG of its name.
        wanted = {file.stem for file in self._site.dags.glob("*.py")}
        missing, error = wanted, None
        while missing:
            # While everything starts, an answer may be late.
            with suppress(httpx.TimeoutException):
                missing, error = wanted - airflow.dags(), airflow.import_error()
            if error is not None:
                raise ComponentError(f"A DAG file does not import: {error}")
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not find {', '.join(sorted(missing))} in {self._site.dags}.")
            if missing:
                self._pause()
        self._screen.finish_step("the DAGs are read")

    def _check_progress(self, engine: Engine, airflow: Airflow) -> bool:
        """Look once at the warehouse and at Airflow; whether everything is done."""
        with engine.connect() as connection:
            months, quarters = read_months(connection), read_quarters(connection)
            waiting = connection.execute(_COUNT_WAITING).scalar_one()
            undelivered = connection.execute(load_demo_statement("undelivered_message")).one_or_none()
        self._screen.show(months, quarters)
        self._report(months, quarters)
        if undelivered is not None:
            raise ComponentError(f"The message {undelivered.message_key} is {undelivered.status}: {undelivered.reply}")
        is_delivered = all(quarter.is_done for quarter in quarters) and not waiting
        if not is_delivered and not may_wait_for_approval(months, quarters) and not self._is_time_to_ask():
            return False
        self._asked_at = time.monotonic()
        try:
            runs = airflow.runs()
            self._answer(airflow)
            self._require_no_failure(airflow, runs)
        except (httpx.HTTPError, ValueError) as error:
            # Two cores are busy; an answer may be late.
            self._unanswered += 1
            if self._unanswered > _MOST_UNANSWERED:
                raise ComponentError(
                    f"Airflow does not answer any more ({type(error).__name__}); {describe_logs(self._site.logs)}."
                ) from None
            return False
        self._unanswered = 0
        is_assessed = all(month.assessed for month in months)
        return is_assessed and is_delivered and all(run["state"] == "success" for run in runs)

    def _is_time_to_ask(self) -> bool:
        return time.monotonic() - self._asked_at >= _ASK_SECONDS

    def _answer(self, airflow: Airflow) -> None:
        """Approve what has waited long enough to be read."""
        now = time.monotonic()
        for task in airflow.waiting_approvals():
            waiting_since = self._waiting_since.setdefault(task["id"], now)
            if now - waiting_since >= _READING_SECONDS and airflow.approve(task, REMARK):
                self._screen.finish_step(f"{APPROVER} has approved a bulletin, with the remark {REMARK}")

    def _require_no_failure(self, airflow: Airflow, runs: list[dict[str, Any]]) -> None:
        for run in runs:
            if run["state"] == "failed":
                tasks = ", ".join(airflow.failed_tasks(run))
                raise ComponentError(
                    f"The run of {run['dag_id']} for {run['partition_key']} failed in {tasks}; "
                    f"{describe_logs(self._site.task_logs)}."
                )

    def _report(self, months: Sequence[Month], quarters: Sequence[QuarterState]) -> None:
        for month in months:
            if month.closed:
                self._report_once(f"{month.period} is collected, {month.delivered} institutions have delivered")
            if month.assessed:
                self._report_once(f"{month.period} is assessed")
        for quarter in quarters:
            if quarter.is_done:
                self._report_once(f"{quarter.quarter}: the bulletin is delivered, {quarter.sent} mails")

    def _report_once(self, what: str) -> None:
        if what not in self._reported:
            self._reported.add(what)
            self._screen.finish_step(what)

    def _pause(self) -> None:
        self._stack.pause(_POLL_SECONDS)
        if time.monotonic() - self._measured_at >= _MEASURE_SECONDS:
            self.peak = max(self.peak, self._stack.memory())
            self._measured_at = time.monotonic()
