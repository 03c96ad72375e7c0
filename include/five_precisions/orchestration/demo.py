"""`make demo`: six months of the golden city under a real Airflow, from the inbox to both approved bulletins.

It starts a fresh stack in `var/demo`, lets the DAGs catch up with January to June 2019, answers the two approvals as a
person would, by Airflow's API, holds the published figures against the computed ones, and ends everything.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import FivePrecisionsError
from five_precisions.orchestration.stack import (
    APPROVER,
    PORT,
    ComponentError,
    Interruption,
    Site,
    Stack,
    site_from,
    tell_login,
)
from five_precisions.period import Period, Quarter
from five_precisions.settings import Settings

PERIODS: Final = tuple(Period(2019, month) for month in range(1, 7))
QUARTERS: Final = (Quarter(2019, 1), Quarter(2019, 2))
REMARK: Final = "请各行按要求抓好落实。"

PUBLISHED: Final = {
    "loan_balance": "53430.32",
    "loan_balance_industry": "34238.57",
    "loan_balance_personal": "19191.75",
    "project_loan_cumulative": "38691.00",
    "project_count": "191",
    "project_jobs": "156",
    "microcredit_cumulative_households": "1428",
    "microcredit_cumulative_amount": "4493.00",
    "microcredit_ytd_households": "596",
    "microcredit_ytd_amount": "2024.39",
    "microcredit_ytd_households_yoy": "514.43",
    "microcredit_ytd_amount_yoy": "625.25",
    "province_rank": "7",
    "households_visited_cumulative": "12600",
    "households_scored": "14102",
    "score_coverage": "100.00",
    "cadres_trained_cumulative": "3520",
    "leaflets_cumulative": "20000",
    "outreach_team": "300",
}
"""What the city once published of June 2019, by metric, with the decimals that were printed."""

_DAGS: Final = frozenset({"monthly_collection", "monthly_assessment", "quarterly_bulletin"})
_LIMIT_SECONDS: Final = 10 * 60.0
"""How long nothing may be done. A month takes half a minute on two idle cores; on a busy machine it may be minutes."""
_DAGS_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 1.0
_WEIGH_SECONDS: Final = 5.0
"""Between two samples of the memory: one costs a fifth of a second."""
_READING_SECONDS: Final = 5.0
"""How long the approver reads. Answered within a second, Airflow takes the task's waiting for its end and fails it: the
executor tells that the process has ended when the task is queued again already (apache/airflow #71580)."""
_SILENT_LOOKS: Final = 20
_PATIENCE: Final = 5.0
"""Seconds for Airflow to end: by then nothing runs, or all that runs is to be thrown away."""

_LOOK = text("""
select
    months.period,
    (select count(distinct institution_code) from intake.submission where submission.period = months.period)
        as delivered,
    exists (select from intake.close where close.period = months.period) as closed,
    exists (select from mart.run where run.period = months.period) as assessed
from unnest(cast(:periods as text [])) as months (period)
order by months.period
""")
_LOOK_AT_QUARTERS = text("""
select
    quarters.quarter,
    exists (
        select from notify.approval where approval.quarter = quarters.quarter and decision = 'approved'
    ) as approved,
    (
        select count(*) from notify.message where message.period = quarters.quarter and kind = 'bulletin'
    ) as messages,
    (
        select count(*) from notify.message
        where message.period = quarters.quarter and kind = 'bulletin' and status = 'sent'
    ) as sent
from unnest(cast(:quarters as text [])) as quarters (quarter)
order by quarters.quarter
""")
_COUNT_WAITING = text("select count(*) from notify.message where status in ('pending', 'sending')")
_FIND_LOST = text("""
select message_key, status, reply from notify.message
where status in ('failed', 'in_doubt')
order by message_key
limit 1
""")
_READ_FIGURES = text("""
select metric, value from mart.current_metric where scope = 'city' and period = :period
""")
_READ_RANKING = text("""
select
    assessment.rank,
    assessment.institution_code,
    institution.short_name,
    assessment.score,
    assessment.grade,
    assessment.previous_rank,
    assessment.reason
from mart.current_assessment as assessment
inner join registry.institution on assessment.institution_code = institution.code
where assessment.period = :period
order by assessment.rank nulls last, assessment.institution_code
""")
_COUNT_MESSAGES = text("""
select kind, count(*) as messages from notify.message where status = 'sent' group by kind order by kind
""")
_COUNT_RECEIPTS = text("select count(*) from intake.submission")
_READ_SENT_PDFS = text("""
select distinct message.period, attachment.content
from notify.message
inner join notify.message_attachment on message.message_key = message_attachment.message_key
inner join notify.attachment on message_attachment.sha256 = attachment.sha256
where message.kind = 'bulletin' and message_attachment.name like '%.pdf'
order by message.period
""")


@dataclass(frozen=True, slots=True)
class Month:
    """How far a month has come."""

    period: str
    delivered: int
    """Institutions that have delivered something."""
    closed: bool
    assessed: bool


@dataclass(frozen=True, slots=True)
class QuarterState:
    """How far a quarter has come."""

    quarter: str
    approved: bool
    messages: int
    sent: int

    @property
    def is_done(self) -> bool:
        """Whether the bulletin is with everyone."""
        return self.approved and 0 < self.messages == self.sent


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure beside the computed one."""

    metric: str
    name: str
    unit: str
    published: Decimal
    computed: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether they are the same with the decimals that were printed."""
        return self.computed is not None and self.computed == self.published


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to show in the end."""

    figures: list[Figure]
    ranking: list[Any]
    mails: dict[str, int]
    receipts: int
    bulletins: list[Path]


class Screen:
    """What has been done, line by line; on a terminal, below it, what is being done and how far the months are."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._began_at = self._done_at = time.monotonic()
        self._live: Live | None = None
        self._doing = ""
        self._table: Table | None = None

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began_at

    @property
    def idle_seconds(self) -> float:
        """Since something was done."""
        return time.monotonic() - self._done_at

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the length of a block."""
        live = Live(console=self._out, transient=True, refresh_per_second=4) if self._out.is_terminal else None
        with live or nullcontext():
            self._live = live
            yield
        self._live = None

    def doing(self, what: str) -> None:
        """Say what is going on."""
        self._doing = what
        self._draw()

    def done(self, what: str) -> None:
        """Say what has been done, and after how many seconds."""
        self._done_at = time.monotonic()
        self._out.print(f"{self.seconds:6.1f} s  {escape(what)}", soft_wrap=True)

    def show(self, months: Sequence[Month], quarters: Sequence[QuarterState]) -> None:
        """Show how far the months and quarters have come."""
        self._table = Table("month", "institutions", "collected", "assessed", "", "quarter", "approved", "delivered")
        self._table.box = None
        for number, month in enumerate(months):
            row = [month.period, str(month.delivered or ""), _tick(month.closed), _tick(month.assessed), ""]
            if number % 3 == 0 and number // 3 < len(quarters):
                quarter = quarters[number // 3]
                delivered = f"{quarter.sent}/{quarter.messages}" if quarter.messages else ""
                row += [quarter.quarter, _tick(quarter.approved), delivered]
            self._table.add_row(*row)
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            spinner = Spinner("dots", escape(self._doing))
            self._live.update(Group(spinner, self._table) if self._table is not None else spinner)


class Airflow:
    """Airflow's REST API, as a user of the stack."""

    def __init__(self, site: Site, user: str) -> None:
        # Never by way of a proxy that the caller's environment names.
        self._client = httpx.Client(base_url=site.url, timeout=10, trust_env=False)
        answer = self._client.post("/auth/token", json={"username": user, "password": site.password(user)})
        self._client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def dags(self) -> set[str]:
        """Identifiers of the DAGs that are parsed."""
        return {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}

    def import_error(self) -> str | None:
        """File and last line of a DAG file that does not import."""
        for error in self._get("/importErrors")["import_errors"]:
            return f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
        return None

    def runs(self) -> list[dict[str, Any]]:
        """Every run."""
        return list(self._get("/dags/~/dagRuns", limit=100)["dag_runs"])

    def failed_tasks(self, run: dict[str, Any]) -> list[str]:
        """The tasks that failed in a run."""
        path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return sorted({task["task_id"] for task in self._get(path, state="failed", limit=100)["task_instances"]})

    def waiting_approvals(self) -> list[dict[str, Any]]:
        """The tasks that wait for a person."""
        found = self._get("/dags/quarterly_bulletin/dagRuns/~/hitlDetails", response_received=False)["hitl_details"]
        return [detail["task_instance"] for detail in found if detail["task_instance"]["state"] == "awaiting_input"]

    def approve(self, task: dict[str, Any], remark: str) -> bool:
        """Approve with a remark; whether Airflow took it."""
        answer = self._client.patch(
            f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}"
            f"/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails",
            json={"chosen_options": ["Approve"], "params_input": {"remark": remark}},
        )
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        answer.raise_for_status()
        return True

    def _get(self, path: str, **params: str | int | bool) -> dict[str, Any]:
        answer = self._client.get(f"/api/v2{path}", params=params).raise_for_status().json()
        return dict(answer)


class Demo:
    """One run of the demo, on a stack that is supervised."""

    def __init__(self, stack: Stack, screen: Screen) -> None:
        self._stack = stack
        self._site = stack.site
        self._screen = screen
        self._weighed_at = 0.0
        self._waiting_since: dict[str, float] = {}
        self._told: set[str] = set()
        self._silent_looks = 0
        self.peak = 0
        """Bytes that all processes took together, the highest of the samples."""

    def run(self) -> Outcome:
        """From an empty folder to both bulletins.

        Raises:
            FivePrecisionsError: something did not go as it should; the sentence says what.
        """
        from five_precisions.warehouse import open_warehouse

        self._screen.doing("the golden city's inbox, the databases")
        self._stack.clear()
        inbox = self._site.var / "inbox"
        command = [str(Path(sys.executable).with_name("five-precisions")), "demo-data", "--out", str(inbox)]
        self._stack.start("demo-data", command)
        url = self._stack.start_servers()
        self._screen.done("database and mail server are up")
        settings = Settings(var=self._site.var, warehouse=url.render_as_string(hide_password=False))
        with open_warehouse(settings) as engine:
            self._start(engine, settings)
            self._follow(engine)
            return self._read_outcome(engine, settings)

    def _start(self, engine: Engine, settings: Settings) -> None:
        from five_precisions.register import load_register, save_register
        from five_precisions.warehouse import migrate

        self._stack.start_migration()
        migrate(engine)
        register = load_register(settings.register_folder)
        with engine.begin() as connection:
            save_register(connection, register)
        self._screen.done(f"warehouse is made: {len(register.institutions)} institutions")
        self._stack.finish("migrate")
        self._screen.done("Airflow's database is made")
        # The scheduler comes last: a replay takes what lies in the inbox, and does not wait for the rest of it.
        self._stack.start_components("api-server", "dag-processor", "triggerer")
        self._stack.finish("demo-data")
        self._screen.done("the golden city's inbox is written")
        self._screen.doing("Airflow is starting")
        self._stack.start_components("scheduler")
        self._stack.wait_until_ready()
        self._screen.done(f"Airflow is up at {self._site.url}")

    def _follow(self, engine: Engine) -> None:
        """Watch the months go by and answer the approvals, until everything is done."""
        airflow = Airflow(self._site, APPROVER)
        try:
            self._wait_for_dags(airflow)
            self._screen.doing("January to June 2019")
            while not self._look(engine, airflow):
                self._pause()
                if self._screen.idle_seconds > _LIMIT_SECONDS:
                    raise ComponentError(
                        f"The demo has come no further for {_LIMIT_SECONDS / 60:.0f} minutes; "
                        f"the components' logs lie in {self._site.logs}."
                    )
        finally:
            airflow.close()

    def _wait_for_dags(self, airflow: Airflow) -> None:
        deadline = time.monotonic() + _DAGS_SECONDS
        while missing := _DAGS - airflow.dags():
            error = airflow.import_error()
            if error is not None:
                raise ComponentError(f"A DAG file does not import: {error}")
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not find {', '.join(sorted(missing))} in {self._site.dags}.")
            self._pause()
        self._screen.done("the DAGs are read")

    def _look(self, engine: Engine, airflow: Airflow) -> bool:
        """Look once at the warehouse and at Airflow; whether everything is done."""
        with engine.connect() as connection:
            months = [
                Month(**row)
                for row in connection.execute(_LOOK, {"periods": [str(period) for period in PERIODS]}).mappings()
            ]
            quarters = [
                QuarterState(**row)
                for row in connection.execute(
                    _LOOK_AT_QUARTERS, {"quarters": [str(quarter) for quarter in QUARTERS]}
                ).mappings()
            ]
            waiting = connection.execute(_COUNT_WAITING).scalar_one()
            lost = connection.execute(_FIND_LOST).one_or_none()
        self._screen.show(months, quarters)
        self._tell(months, quarters)
        if lost is not None:
            raise ComponentError(f"The message {lost.message_key} is {lost.status}: {lost.reply}")
        try:
            runs = airflow.runs()
            self._answer(airflow)
            self._require_no_failure(airflow, runs)
        except (httpx.HTTPError, ValueError) as error:
            # Two cores are busy; an answer may be late.
            self._silent_looks += 1
            if self._silent_looks > _SILENT_LOOKS:
                raise ComponentError(
                    f"Airflow does not answer any more ({type(error).__name__}); its logs lie in {self._site.logs}."
                ) from None
            return False
        self._silent_looks = 0
        return (
            all(month.assessed for month in months)
            and all(quarter.is_done for quarter in quarters)
            and not waiting
            and all(run["state"] == "success" for run in runs)
        )

    def _answer(self, airflow: Airflow) -> None:
        """Approve what has waited long enough to be read."""
        now = time.monotonic()
        for task in airflow.waiting_approvals():
            waiting_since = self._waiting_since.setdefault(task["id"], now)
            if now - waiting_since >= _READING_SECONDS and airflow.approve(task, REMARK):
                self._screen.done(f"{APPROVER} has approved a bulletin, with the remark {REMARK}")

    def _require_no_failure(self, airflow: Airflow, runs: list[dict[str, Any]]) -> None:
        for run in runs:
            if run["state"] == "failed":
                tasks = ", ".join(airflow.failed_tasks(run))
                raise ComponentError(
                    f"The run of {run['dag_id']} for {run['partition_key']} failed in {tasks}; "
                    f"the tasks' logs lie in {self._site.logs / 'tasks'}."
                )

    def _tell(self, months: Sequence[Month], quarters: Sequence[QuarterState]) -> None:
        for month in months:
            if month.closed:
                self._tell_once(f"{month.period} is collected, {month.delivered} institutions have delivered")
            if month.assessed:
                self._tell_once(f"{month.period} is assessed")
        for quarter in quarters:
            if quarter.is_done:
                self._tell_once(f"{quarter.quarter}: the bulletin is delivered, {quarter.sent} mails")

    def _tell_once(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._screen.done(what)

    def _pause(self) -> None:
        self._stack.pause(_LOOK_SECONDS)
        if time.monotonic() - self._weighed_at >= _WEIGH_SECONDS:
            self.peak = max(self.peak, self._stack.memory())
            self._weighed_at = time.monotonic()

    def _read_outcome(self, engine: Engine, settings: Settings) -> Outcome:
        with engine.connect() as connection:
            return Outcome(
                figures=_read_figures(connection, settings),
                ranking=list(connection.execute(_READ_RANKING, {"period": str(PERIODS[-1])})),
                mails={row.kind: row.messages for row in connection.execute(_COUNT_MESSAGES)},
                receipts=connection.execute(_COUNT_RECEIPTS).scalar_one(),
                bulletins=self._write_bulletins(connection),
            )

    def _write_bulletins(self, connection: Connection) -> list[Path]:
        """Lay the bulletins as they were sent, with the approver's remark, where they are found."""
        folder = self._site.var / "bulletins"
        folder.mkdir(exist_ok=True)
        paths = []
        for row in connection.execute(_READ_SENT_PDFS):
            paths.append(folder / f"bulletin-{row.period}.pdf")
            paths[-1].write_bytes(row.content)
        return paths


def _read_figures(connection: Connection, settings: Settings) -> list[Figure]:
    from five_precisions.reference import load_catalogue

    metrics = load_catalogue(settings).metrics
    values = {row.metric: row.value for row in connection.execute(_READ_FIGURES, {"period": str(PERIODS[-1])})}
    figures = []
    for metric, printed in PUBLISHED.items():
        published, computed = Decimal(printed), values.get(metric)
        shown = None if computed is None else computed.quantize(published, ROUND_HALF_UP)
        figures.append(Figure(metric, metrics[metric].name, metrics[metric].unit, published, shown))
    return figures


def _tick(is_done: bool) -> str:
    return "✓" if is_done else ""


def _print_outcome(out: Console, site: Site, outcome: Outcome) -> None:
    figures = Table(title="June 2019: published and computed", title_justify="left", box=None)
    for header in ("figure", "", "published", "computed", "unit", ""):
        figures.add_column(header, justify="right" if header in ("published", "computed") else "left")
    for figure in outcome.figures:
        computed = "—" if figure.computed is None else f"{figure.computed:,f}"
        verdict = "✓" if figure.agrees else "differs"
        figures.add_row(figure.metric, figure.name, f"{figure.published:,f}", computed, figure.unit, verdict)
    ranking = Table(title="June 2019: ranking", title_justify="left", box=None)
    for header in ("rank", "bank", "", "score", "grade", "before", "reason"):
        ranking.add_column(header, justify="right" if header in ("rank", "score", "before") else "left")
    for row in outcome.ranking:
        score = "—" if row.score is None else f"{row.score.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
        cells = (row.rank, row.institution_code, row.short_name, score, row.grade, row.previous_rank, row.reason)
        ranking.add_row(*("—" if cell is None else str(cell) for cell in cells))
    counts = ", ".join(f"{count} {kind}" for kind, count in outcome.mails.items())
    places = Table(show_header=False, box=None)
    for path in outcome.bulletins:
        places.add_row("bulletin", str(path))
    places.add_row("receipts", f"{outcome.receipts}, as pages in {site.var / 'outbox'}")
    places.add_row("mails", f"{sum(outcome.mails.values())} ({counts}), as .eml files in {site.mails}")
    for part in (figures, ranking, places):
        out.print()
        out.print(part)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit code (1: something did not go as it should, 2: set-up)."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    site = site_from(parser, arguments)
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    if not out.is_terminal:
        out.width = 250
    interruption = Interruption().listen()
    stack, screen = Stack(site, interruption), Screen(out)
    demo = Demo(stack, screen)
    try:
        with screen.shown(), stack.supervised(patience=_PATIENCE):
            outcome = demo.run()
            screen.done("everything is done; ending the processes")
            screen.doing("ending the processes")
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        return error.exit_code
    _print_outcome(out, site, outcome)
    minutes, seconds = divmod(round(screen.seconds), 60)
    out.print(f"\n{minutes} min {seconds:02d} s, at most {demo.peak / 1e9:.1f} GB of memory for everything together.")
    up = "make up" if site.port == PORT else f"make up PORT={site.port}"
    out.print(f"\nTo look at it in Airflow: {up}, then {site.url}", soft_wrap=True)
    tell_login(site, out)
    differing = [figure.metric for figure in outcome.figures if not figure.agrees]
    if differing:
        err.print(f"Published and computed figures differ: {', '.join(differing)}.", style="red", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
