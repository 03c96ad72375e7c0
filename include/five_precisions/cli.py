"""The command line (spec/05): the same functions as the DAGs, for repair and exploration.

Exit codes: 0 done, 1 findings above a notice or refused, 2 wrong usage or set-up.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from five_precisions.errors import FivePrecisionsError, SetupError, UsageError
from five_precisions.period import Period, Quarter
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from five_precisions.delivery import Dispatched
    from five_precisions.intake import Judgement

# Commands import what they need when they run: `--help` and `status` do not wait for the checks' libraries.

app = typer.Typer(
    name="five-precisions",
    help="Five Precisions (五个精准): reports in, figures, assessment and bulletin out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
warehouse_app = typer.Typer(help="The embedded server, for a BI tool or psql.", no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse")
outbox_app = typer.Typer(help="Messages: what waits, what was sent, what failed or is in doubt.", no_args_is_help=True)
app.add_typer(outbox_app, name="outbox")
explanations_app = typer.Typer(help="What institutions have said of warnings.", no_args_is_help=True)
app.add_typer(explanations_app, name="explanations")
archive_app = typer.Typer(help="The delivered files, encrypted.", no_args_is_help=True)
app.add_typer(archive_app, name="archive")

out = Console(highlight=False)
if not out.is_terminal:
    # In a pipe or a file nothing is cut to the width of a window that is not there.
    out.width = 250
err = Console(stderr=True, highlight=False)

_EXIT_FINDINGS = 1

PeriodArgument = Annotated[Period, typer.Argument(parser=Period.parse, metavar="PERIOD", help="A month, YYYY-MM.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
ReplayOption = Annotated[
    bool, typer.Option("--replay", help="Take file times as delivery times; v1/, v2/ … in order; keep the files.")
]


@app.command()
def init() -> None:
    """Create or migrate the warehouse and load the register."""
    from five_precisions.register import load_register, save_register
    from five_precisions.warehouse import migrate, open_warehouse

    settings = Settings.load()
    register = load_register(settings.register_folder)
    with _progress("preparing the warehouse"), open_warehouse(settings) as engine:
        migrate(engine)
        with engine.begin() as connection:
            save_register(connection, register)
    out.print(
        f"The warehouse is ready: {len(register.institutions)} institutions, {len(register.divisions)} divisions."
    )


@app.command("demo-data")
def demo_data(
    out_folder: Annotated[Path, typer.Option("--out", help="Folder that becomes the demo's inbox.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 2019,
    # Typer hands a default to the parser as it does a word of the command line.
    until: Annotated[
        Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="Last month to write.")
    ] = "2019-06",  # type: ignore[assignment]
) -> None:
    """Write the demo inbox: the packages of an invented city, 2019-01 to 2019-06."""
    from five_precisions.demo import write_inbox

    with _progress("writing the demo inbox") as tell:
        written = write_inbox(out_folder, seed=seed, until=until, report_progress=tell)
    out.print(f"{len(written)} files in {out_folder}")


@app.command()
def collect(
    period: PeriodArgument,
    institution: Annotated[str | None, typer.Option(help="Take in this institution only.")] = None,
    replay: ReplayOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take in what the inbox holds now: archive, check, ledger, rows. Emits no Airflow asset."""
    from five_precisions.intake import collect as collect_packages

    with _warehouse() as (engine, settings), _progress(f"collecting {period}") as tell:
        judgements = collect_packages(
            engine,
            settings,
            period,
            institution=institution,
            replay=replay or settings.replay,
            report_progress=tell,
        )
        _deliver(engine, settings)
    _print_judgements(judgements, as_json=as_json)


@app.command()
def template(
    institution: Annotated[str, typer.Option(help="Who will fill it in.")],
    path: Annotated[Path, typer.Option("--out", metavar="FILE.xlsx", help="The workbook to write.")],
) -> None:
    """Write the empty workbook that an institution fills in: its reports, drop-down lists, notes and cover."""
    from five_precisions.intake import write_template

    write_template(Settings.load(), institution, path)
    out.print(str(path), markup=False, soft_wrap=True)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A package folder, or one file of it.")],
    institution: Annotated[str, typer.Option(help="Who would deliver it.")],
    period: Annotated[Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="For which month.")],
    workbook: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.xlsx", help="Write the findings into a copy of the sheets."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the intake's checks on files, without a database or keys. Rules that need one are left out, and named."""
    from five_precisions.intake import check as check_package

    settings = Settings.load()
    with _progress("checking"):
        judgement = check_package(settings, path, institution, period, workbook=workbook)
    _print_judgements([judgement], as_json=as_json, with_findings=True)


@app.command()
def deadline(
    period: PeriodArgument,
    day: Annotated[
        datetime | None, typer.Argument(formats=["%Y-%m-%d"], metavar="DATE", help="The last day that is in time.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is moved; it stays on record.")] = None,
    institution: Annotated[str | None, typer.Option(help="Move it for this institution only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Move the deadline of a period that is not closed yet; without a date, show until when each institution has."""
    from five_precisions.intake import move_deadline, read_deadlines

    if day is None and reason is not None:
        raise UsageError("To which day? A deadline is moved by: five-precisions deadline PERIOD DATE --reason TEXT")
    with _warehouse() as (engine, settings):
        if day is not None:
            moved = move_deadline(engine, settings, period, day.date(), reason or "", institution=institution)
            for lost in moved.overruled:
                err.print(f"{lost.short_name} had until {lost.last_day}: {lost.reason}", markup=False, soft_wrap=True)
        with engine.connect() as connection:
            deadlines = [
                each for each in read_deadlines(connection, period) if institution in (None, each.institution_code)
            ]
    if as_json:
        _print_json(deadlines)
        return
    table = Table("institution", "", "last day", "reason", box=None)
    for each in deadlines:
        table.add_row(*map(_cell, (each.institution_code, each.short_name, each.last_day, each.reason)))
    out.print(table)


@archive_app.command()
def renew(as_json: JsonOption = False) -> None:
    """Encrypt every file with the first of the archive's keys, after which the others can go."""
    from five_precisions.intake import Archive

    with _progress("encrypting"):
        renewal = Archive.of(Settings.load()).renew()
    if as_json:
        _print_json(renewal)
    else:
        out.print(f"{renewal.files} files, {renewal.renewed} encrypted anew")
    for sha256 in renewal.unopened:
        err.print(f"{sha256} is damaged, or none of the keys opens it.", style="red", markup=False, soft_wrap=True)
    if renewal.unopened:
        raise typer.Exit(_EXIT_FINDINGS)


@explanations_app.command("list")
def list_explained(
    period: Annotated[
        Period | None, typer.Option(parser=Period.parse, metavar="PERIOD", help="Given with this month's packages.")
    ] = None,
    institution: Annotated[str | None, typer.Option(help="Of this institution only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What institutions have explained, about which value, and whether it still stands."""
    from five_precisions.intake import list_explanations

    with _warehouse() as (engine, _):
        explanations = list_explanations(engine, period=period, institution_code=institution)
    if as_json:
        _print_json(explanations)
        return
    table = Table("receipt", "report", "rule", "key", "value", "explanation", "state", "last found", box=None)
    for each in explanations:
        said = (each.submission_id, each.report, each.rule, each.key, each.value, each.explanation)
        table.add_row(*map(_cell, (*said, each.state, each.found_in)))
    out.print(table)


@app.command()
def close(period: PeriodArgument, replay: ReplayOption = False, as_json: JsonOption = False) -> None:
    """Close the month: freeze what was accepted, check across it, write its Data Docs. Emits no Airflow asset."""
    from five_precisions.intake import build_data_docs
    from five_precisions.intake import close as close_month

    with _warehouse() as (engine, settings), _progress(f"closing {period}") as tell:
        closed = close_month(engine, settings, period, replay=replay or settings.replay)
        _deliver(engine, settings)
        tell("data docs")
        build_data_docs(engine, settings, period)
    if as_json:
        _print_json(closed)
    else:
        out.print(f"{period} is closed; next: five-precisions assess {period}")


@app.command()
def assess(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Compute a closed month's figures, scores, assessment and rankings; post its notices. Emits no Airflow asset."""
    from five_precisions.bulletin import post_notices
    from five_precisions.figures import assess as assess_month

    with _warehouse() as (engine, settings), _progress(f"assessing {period}") as tell:
        assessed = assess_month(engine, settings, period, report_progress=tell)
        ranking = _read_assessment(engine, assessed.run_id)
        tell("notices")
        post_notices(engine, settings, period)
        _deliver(engine, settings)
    if as_json:
        _print_json({**dataclasses.asdict(assessed), "assessment": ranking})
        return
    out.print(f"{assessed.run_id} {'computed' if assessed.is_new else 'stands, its input is unchanged'}")
    table = Table("rank", "bank", "", "score", "deductions", "grade", "before", "reason", box=None)
    for row in ranking:
        cells = (row["rank"], row["institution_code"], row["short_name"], row["score"], row["deductions"])
        table.add_row(*map(_cell, (*cells, row["grade"], row["previous_rank"], row["reason"])))
    out.print(table)


@app.command()
def status(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Who has delivered what: the matrix of institutions and reports."""
    from five_precisions.intake import read_status

    with _warehouse() as (engine, _):
        matrix = read_status(engine, period)
    if as_json:
        _print_json(matrix)
        return
    reports = list(dict.fromkeys(row.report for row in matrix))
    table = Table("", "", *reports, box=None)
    for code in dict.fromkeys(row.institution_code for row in matrix):
        mine = {row.report: row for row in matrix if row.institution_code == code}
        name = next(iter(mine.values())).short_name
        cells = []
        for report in reports:
            row = mine.get(report)
            cells.append("" if row is None else _state(row.state, row.version, is_late=row.late))
        table.add_row(code, name, *cells)
    out.print(table)


@app.command()
def explain(
    metric: Annotated[str, typer.Argument(help="A code of include/reference/metrics.yaml.")],
    period: Annotated[Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="Which month.")],
    scope: Annotated[str, typer.Option(help="city, county, town or bank.")] = "city",
    code: Annotated[str | None, typer.Option(help="Which one; may be left out for the city.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Where a figure comes from: value, formula, numerator, denominator, run."""
    from five_precisions.figures import explain as explain_figure

    with _warehouse() as (engine, settings):
        explained = explain_figure(engine, settings, metric, scope=scope, code=code, period=period)
    if as_json:
        _print_json(explained)
        return
    value = "no value" if explained.value is None else f"{_display(explained.value)} {explained.unit}"
    table = Table(show_header=False, box=None)
    table.add_row("figure", f"{explained.metric} {explained.name}")
    table.add_row("of", f"{explained.scope} {explained.code} {explained.subject}, {explained.period}")
    table.add_row("value", value)
    table.add_row("exact", _cell(explained.value))
    table.add_row("formula", explained.formula)
    table.add_row("numerator", _cell(explained.numerator))
    table.add_row("denominator", _cell(explained.denominator))
    table.add_row("run", f"{explained.run_id}, input {explained.input_digest}")
    out.print(table)


@app.command()
def bulletin(
    quarter: Annotated[Quarter, typer.Argument(parser=Quarter.parse, metavar="QUARTER", help="A quarter, YYYY-Qn.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the PDF, the workbook and the mail.")],
) -> None:
    """Render a quarter's bulletin without sending it. What contradicts itself is not rendered, and is named."""
    from five_precisions.bulletin import render, write

    with _warehouse() as (engine, settings), _progress(f"rendering {quarter}"):
        paths = write(render(engine, settings, quarter), str(out_folder.resolve()))
    for path in paths:
        out.print(path, markup=False, soft_wrap=True)


@outbox_app.command("list")
def list_outbox(
    status: Annotated[str | None, typer.Option(help="pending, sending, sent, failed or in_doubt.")] = None,
    period: Annotated[str | None, typer.Option(help="A month, 2019-06, or a quarter, 2019-Q2.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The messages, oldest first."""
    from five_precisions.delivery import Status, list_messages

    if status is not None and status not in list(Status):
        raise UsageError(f"{status!r} is no status of a message; there are {', '.join(Status)}.")
    with _warehouse() as (engine, _):
        messages = list_messages(engine, status=None if status is None else Status(status), period=period)
    if as_json:
        _print_json(messages)
        return
    table = Table("status", "attempts", "due or sent", "key", "reply", box=None)
    for message in messages:
        moment = message.due_at if message.status is Status.PENDING else message.sent_at
        when = None if moment is None else f"{moment:%Y-%m-%d %H:%M}"
        table.add_row(*map(_cell, (message.status, message.attempts, when, message.message_key, message.reply)))
    out.print(table)


@outbox_app.command()
def resend(key: Annotated[str, typer.Argument(help="As `outbox list` shows it.")]) -> None:
    """Send one message now that failed, is in doubt, or waits. One in doubt may arrive a second time: look first."""
    from five_precisions.delivery import Status, dispatch, list_messages
    from five_precisions.delivery import resend as make_due

    with _warehouse() as (engine, settings), _progress("sending"):
        make_due(engine, key)
        dispatch(engine, settings, keys=[key])
        message = next(message for message in list_messages(engine) if message.message_key == key)
    out.print(f"{message.status}: {message.reply}", markup=False, soft_wrap=True)
    if message.status is not Status.SENT:
        raise typer.Exit(_EXIT_FINDINGS)


@outbox_app.command()
def send() -> None:
    """Send everything that is due."""
    from five_precisions.delivery import dispatch

    with _warehouse() as (engine, settings), _progress("sending") as tell:
        dispatched = dispatch(engine, settings, report_progress=tell)
    out.print(_counts(dispatched))
    if dispatched.failed or dispatched.in_doubt:
        raise typer.Exit(_EXIT_FINDINGS)


@warehouse_app.command()
def start() -> None:
    """Start the embedded server and keep it until `warehouse stop`."""
    from five_precisions.warehouse.embedded import EmbeddedServer

    url = EmbeddedServer(_embedded_settings().var).start()
    out.print(url.render_as_string(hide_password=False), soft_wrap=True)


@warehouse_app.command()
def stop() -> None:
    """Stop the embedded server."""
    from five_precisions.warehouse.embedded import EmbeddedServer

    stopped = EmbeddedServer(_embedded_settings().var).stop()
    out.print("The embedded server is stopped." if stopped else "The embedded server was not running.")


@warehouse_app.command()
def url() -> None:
    """Print the warehouse's SQLAlchemy URL; the embedded server is started, and kept, where it does not run."""
    from five_precisions.warehouse.embedded import EmbeddedServer

    settings = Settings.load()
    if settings.warehouse is not None:
        out.print(settings.warehouse, soft_wrap=True, markup=False)
    else:
        started = EmbeddedServer(settings.var).start()
        out.print(started.render_as_string(hide_password=False), soft_wrap=True, markup=False)


def main() -> None:
    """Run the command line; an error that is ours ends it with one sentence and its exit code."""
    from sqlalchemy.exc import OperationalError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        err.print(f"The connection to the warehouse was lost: {reason}", style="red", markup=False, soft_wrap=True)
        raise SystemExit(SetupError.exit_code) from None


@contextmanager
def _warehouse() -> Iterator[tuple[Engine, Settings]]:
    from five_precisions.warehouse import open_warehouse
    from five_precisions.warehouse.schema import require_migrated

    settings = Settings.load()
    with open_warehouse(settings) as engine:
        require_migrated(engine)
        yield engine, settings


@contextmanager
def _progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line on a terminal's standard error that moves while the work lasts; nothing in a pipe or a log."""
    with err.status(escape(what)) as line:
        yield lambda step: line.update(escape(f"{what}: {step}"))


def _deliver(engine: Engine, settings: Settings) -> None:
    """Send what a command has posted, and say so beside its output.

    What the command did stands whatever becomes of its messages: they wait in the outbox, so trouble is a warning.
    """
    from five_precisions.delivery import Status, dispatch, list_messages

    # Also those that a sender who died left behind: a dispatch finds out what became of them.
    waiting = sum(len(list_messages(engine, status=status)) for status in (Status.PENDING, Status.SENDING))
    if not waiting:
        return
    if settings.mail is None:
        sentence = f"{waiting} messages wait in the outbox; FIVE_PRECISIONS_MAIL is not set."
        err.print(sentence, style="yellow", soft_wrap=True)
        return
    try:
        dispatched = dispatch(engine, settings)
    except SetupError as error:
        err.print(f"{waiting} messages wait in the outbox: {error}", style="yellow", markup=False, soft_wrap=True)
    else:
        err.print(_counts(dispatched), style="yellow" if dispatched.waiting else None, soft_wrap=True)


def _counts(dispatched: Dispatched) -> str:
    return (
        f"Messages: {dispatched.sent} sent, {dispatched.failed} failed, {dispatched.in_doubt} in doubt, "
        f"{dispatched.waiting} waiting."
    )


def _embedded_settings() -> Settings:
    settings = Settings.load()
    if settings.warehouse is not None:
        raise UsageError("FIVE_PRECISIONS_WAREHOUSE names a server; the embedded one is not in use.")
    return settings


def _read_assessment(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    from sqlalchemy import text

    query = text(
        "select assessment.rank, assessment.institution_code, institution.short_name, assessment.score, "
        "assessment.deductions, assessment.grade, assessment.previous_rank, assessment.status, assessment.reason "
        "from mart.assessment inner join registry.institution on assessment.institution_code = institution.code "
        "where run_id = :run_id order by assessment.rank nulls last, assessment.institution_code"
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query, {"run_id": run_id}).mappings()]


def _print_judgements(judgements: list[Judgement], *, as_json: bool, with_findings: bool = False) -> None:
    findings = [finding for judgement in judgements for finding in judgement.findings]
    if as_json:
        _print_json(judgements)
    else:
        table = Table("institution", "receipt", "verdict", "reports", "errors", "warnings", box=None)
        for judgement in judgements:
            verdicts = " ".join(f"{report.report}:{report.verdict}" for report in judgement.reports)
            errors = sum(report.errors for report in judgement.reports)
            warnings = sum(report.warnings for report in judgement.reports)
            cells = (judgement.institution_code, judgement.submission_id, judgement.verdict, verdicts, errors, warnings)
            table.add_row(*map(_cell, cells))
        out.print(table)
        for judgement in judgements:
            if judgement.remark is not None:
                out.print(f"{judgement.institution_code}: {judgement.remark}", markup=False, soft_wrap=True)
        if with_findings:
            for finding in findings:
                where = " ".join(str(part) for part in (finding.file, finding.sheet, finding.cell) if part)
                out.print(f"{finding.rule} {finding.level} {where} {finding.message}", markup=False, soft_wrap=True)
    if any(finding.level != "notice" for finding in findings):
        raise typer.Exit(_EXIT_FINDINGS)


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        computed = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return {
            name: getattr(value, name) for name in [*(field.name for field in dataclasses.fields(value)), *computed]
        }
    if isinstance(value, Decimal | Period):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"cannot print {type(value).__name__} as JSON")


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return escape(f"{value:f}" if isinstance(value, Decimal) else str(value))


def _display(value: Decimal) -> str:
    """Two decimals, rounded half up once (spec/01, Amounts)."""
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


def _state(state: str, version: int | None, *, is_late: bool) -> str:
    """A cell of the matrix: what is accepted shows its version alone."""
    if version is None:
        return state
    shown = f"v{version}" if state == "accepted" else f"{state} v{version}"
    return f"{shown} late" if is_late else shown
