"""Commands of the intake: what institutions deliver, until when, what was found, explained and kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from five_precisions.cli.console import (
    EXIT_FINDINGS,
    JsonOption,
    PeriodArgument,
    ReasonOption,
    ReplayOption,
    check_name,
    err,
    exporting,
    out,
    parse_path,
    print_json,
    print_table,
    progress,
)
from five_precisions.cli.session import current_user, deliver, require_institution
from five_precisions.errors import SetupError, UsageError
from five_precisions.installation import open_installation
from five_precisions.period import SHANGHAI, Period, parse_day
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from five_precisions.intake import Fault, Judgement

app = typer.Typer()
explanations_app = typer.Typer(help="What institutions have said of warnings.", no_args_is_help=True)
app.add_typer(explanations_app, name="explanations")
archive_app = typer.Typer(help="The delivered files, encrypted.", no_args_is_help=True)
app.add_typer(archive_app, name="archive")


@app.command()
def template(
    institution: Annotated[str, typer.Option(callback=check_name, help="Who will fill it in.")],
    path: Annotated[Path, typer.Option("--out", parser=parse_path, metavar="FILE.xlsx", help="The workbook to write.")],
    period: Annotated[
        Period | None,
        typer.Option(
            parser=Period.parse, metavar="PERIOD", help="The month of its forms, and on its cover; else open."
        ),
    ] = None,
) -> None:
    """Write the empty workbook that an institution fills in: its reports, drop-down lists, notes and cover."""
    from five_precisions.forms import write_template

    with exporting(path):
        write_template(Settings.load(), institution, path, period)
    out.print(str(path), markup=False, soft_wrap=True)


@app.command()
def check(
    path: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="PATH", help="A package folder, or one file of it.")
    ],
    institution: Annotated[str, typer.Option(callback=check_name, help="Who would deliver it.")],
    period: Annotated[Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="For which month.")],
    workbook: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=parse_path, metavar="FILE.xlsx", help="Write the findings into a copy of the sheets."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the intake's checks on files, without a database or keys. Rules that need one are left out, and named."""
    from five_precisions.collection import check as check_package

    settings = Settings.load()
    with progress("checking"), nullcontext() if workbook is None else exporting(workbook):
        judgement = check_package(settings, path, institution, period, workbook=workbook)
    _print_judgements([judgement], as_json=as_json, with_findings=True)


@app.command()
def collect(
    period: PeriodArgument,
    institution: Annotated[str | None, typer.Option(callback=check_name, help="Take in this institution only.")] = None,
    replay: ReplayOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take in what the inbox holds now: archive, check, ledger, rows. Emits no Airflow asset."""
    from five_precisions.collection import collect as collect_packages

    with open_installation() as (engine, settings), progress(f"collecting {period}") as show_step:
        judgements = collect_packages(
            engine,
            settings,
            period,
            institution=institution,
            replay=replay or settings.replay,
            processes=settings.process_count,
            report_progress=show_step,
        )
        deliver(engine, settings)
    _print_judgements(judgements, as_json=as_json)


@app.command()
def deadline(
    period: PeriodArgument,
    day: Annotated[
        date | None, typer.Argument(parser=parse_day, metavar="DATE", help="The last day that is in time.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is moved; it stays on record.")] = None,
    institution: Annotated[
        str | None, typer.Option(callback=check_name, help="Move it for this institution only.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Move the deadline of a period that is not closed yet; without a date, show until when each institution has."""
    from five_precisions.intake import move_deadline, read_deadlines

    period.require_begun()
    if day is None and reason is not None:
        raise UsageError("To which day? A deadline is moved by: five-precisions deadline PERIOD DATE --reason TEXT")
    with open_installation() as (engine, settings):
        require_institution(engine, institution)
        if day is not None:
            moved = move_deadline(engine, settings, period, day, reason or "", institution=institution)
            for lost in moved.overruled:
                err.print(f"{lost.short_name} had until {lost.last_day}: {lost.reason}", markup=False, soft_wrap=True)
        with engine.connect() as connection:
            deadlines = [
                each for each in read_deadlines(connection, period) if institution in (None, each.institution_code)
            ]
    if as_json:
        print_json(deadlines)
        return
    print_table(
        ("institution", "", "last day", "reason"),
        [(each.institution_code, each.short_name, each.last_day, each.reason) for each in deadlines],
    )


@app.command()
def status(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Who has delivered what: the matrix of institutions and reports."""
    from five_precisions.intake import read_status

    with open_installation() as (engine, _):
        matrix = read_status(engine, period)
    if as_json:
        print_json(matrix)
        return
    reports = list(dict.fromkeys(row.report for row in matrix))
    rows = []
    for code in dict.fromkeys(row.institution_code for row in matrix):
        mine = {row.report: row for row in matrix if row.institution_code == code}
        first = next(iter(mine.values()))
        name = f"{first.short_name} (no longer in the files)" if first.left_files else first.short_name
        cells = []
        for report in reports:
            row = mine.get(report)
            cells.append("" if row is None else _state(row.state, row.version, is_late=row.late))
        rows.append((code, name, *cells))
    print_table(("", "", *reports), rows)
    for code in dict.fromkeys(row.institution_code for row in matrix if row.left_files):
        out.print(
            f"{code} is no longer in the register's files and owes its reports as before; write it in again, or run: "
            f"five-precisions register close {code} --on DATE --reason TEXT",
            markup=False,
            soft_wrap=True,
        )
    newest = next(iter(matrix), None)
    if newest is not None and newest.closed_at is not None:
        forced = "" if newest.forced_by is None else f", by force of {newest.forced_by}: {newest.forced_reason}"
        closed = f"{newest.closed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        out.print(f"closed {closed}{forced}", markup=False, soft_wrap=True)


@app.command()
def close(
    period: PeriodArgument,
    replay: ReplayOption = False,
    force: Annotated[bool, typer.Option("--force", help="Whatever packages wait in the inbox; with a reason.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why by force; it stays on record.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Close the month: freeze what was accepted, check across it, write its Data Docs. Emits no Airflow asset."""
    from five_precisions.collection import Force
    from five_precisions.collection import close as close_month
    from five_precisions.data_docs import build_data_docs

    if force != (reason is not None):
        raise UsageError("To close a month by force takes both: --force --reason TEXT")
    forced = None if reason is None else Force(current_user(), reason)
    with open_installation() as (engine, settings), progress(f"closing {period}") as show_step:
        closed = close_month(
            engine,
            settings,
            period,
            replay=replay or settings.replay,
            force=forced,
            processes=settings.process_count,
        )
        deliver(engine, settings)
        show_step("data docs")
        build_data_docs(engine, settings, period)
    if as_json:
        print_json(closed)
    else:
        out.print(f"{period} is closed; next: five-precisions assess {period}")


@app.command()
def reopen(period: PeriodArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Take back the close of a month that has not been assessed, e.g. of a mistyped one. Receipts stay on record."""
    from five_precisions.collection import reopen as reopen_month

    with open_installation() as (engine, _):
        reopened = reopen_month(engine, period, reason, current_user())
    if as_json:
        print_json(reopened)
    else:
        out.print(f"{period} is open again.")


@explanations_app.command("list")
def list_explained(
    period: Annotated[
        Period | None, typer.Option(parser=Period.parse, metavar="PERIOD", help="Given with this month's packages.")
    ] = None,
    institution: Annotated[str | None, typer.Option(callback=check_name, help="Of this institution only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What institutions have explained, about which value, and whether it still stands."""
    from five_precisions.intake import list_explanations

    with open_installation() as (engine, _):
        require_institution(engine, institution)
        explanations = list_explanations(engine, period=period, institution_code=institution)
    if as_json:
        print_json(explanations)
        return
    print_table(
        ("receipt", "report", "rule", "key", "value", "explanation", "state", "last found"),
        [
            (
                *(each.submission_id, each.report, each.rule, each.key, each.value, each.explanation),
                *(each.state, each.found_in),
            )
            for each in explanations
        ],
    )


@app.command()
def verify(
    period: Annotated[
        Period | None,
        typer.Argument(parser=Period.parse, metavar="[PERIOD]", help="Only what this month's packages held."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the ledger against the archive: each file is read whole and decrypted; what is not as delivered is named."""
    from five_precisions.intake import verify as verify_archive

    with open_installation() as (engine, settings), progress("verifying") as show_step:
        verified = verify_archive(engine, settings, period, report_progress=show_step)
    if as_json:
        print_json(verified)
    else:
        if verified.faults:
            _print_faults(verified.faults)
        faulty = len({fault.sha256 for fault in verified.faults})
        out.print(f"{verified.files:,} files on record, {verified.files - faulty:,} of them whole in the archive")
        if verified.unnamed:
            out.print(
                f"{len(verified.unnamed):,} more in the archive that no version holds, left by a collect that was "
                "ended, or is at work; they do no harm:"
            )
        for sha256 in verified.unnamed:
            out.print(sha256, markup=False, soft_wrap=True)
    if verified.faults:
        raise typer.Exit(EXIT_FINDINGS)


@archive_app.command("renew")
def renew_archive(
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Go on without a key that is lost for good; what bears it stays unread.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Encrypt every file with the first of the archive's keys, after which the others can go."""
    from five_precisions.intake import renew
    from five_precisions.warehouse.keys import forget_old_archive_keys

    with open_installation(also_lost=give_up) as (engine, settings), progress("encrypting") as show_step:
        renewal = renew(engine, settings, report_progress=show_step)
        if give_up or renewal.is_complete:
            with engine.begin() as connection:
                forget_old_archive_keys(connection, settings, also_lost=give_up)
    if as_json:
        print_json(renewal)
    else:
        if renewal.faults:
            _print_faults(renewal.faults)
        out.print(f"{renewal.files:,} files on record, {renewal.renewed:,} encrypted anew")
    if not renewal.is_complete:
        err.print(
            "Not all of them were read whole: keep every key until they are mended or given up.",
            style="red",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_FINDINGS)


def _print_faults(faults: Sequence[Fault]) -> None:
    print_table(
        ("archived copy", "SHA-256", "period", "institution", "version", "file"),
        [
            (
                fault.condition if fault.reason is None else f"{fault.condition}: {fault.reason}",
                *(fault.sha256, fault.period, fault.institution_code, fault.version, fault.file),
            )
            for fault in faults
        ],
        whole="SHA-256",
    )


def _print_judgements(judgements: list[Judgement], *, as_json: bool, with_findings: bool = False) -> None:
    findings = [finding for judgement in judgements for finding in judgement.findings]
    if as_json:
        print_json(judgements)
    else:
        print_table(
            ("institution", "receipt", "verdict", "reports", "errors", "warnings"),
            [
                (
                    *(judgement.institution_code, judgement.submission_id, judgement.verdict),
                    " ".join(f"{report.report}:{report.verdict}" for report in judgement.reports),
                    sum(report.errors for report in judgement.reports),
                    sum(report.warnings for report in judgement.reports),
                )
                for judgement in judgements
            ],
        )
        for judgement in judgements:
            if judgement.remark is not None:
                out.print(f"{judgement.institution_code}: {judgement.remark}", markup=False, soft_wrap=True)
        if with_findings:
            for finding in findings:
                where = " ".join(str(part) for part in (finding.file, finding.sheet, finding.cell) if part)
                out.print(f"{finding.rule} {finding.level} {where} {finding.message}", markup=False, soft_wrap=True)
    if any(judgement.verdict == "failed" for judgement in judgements):
        # For a reason of ours: no script may take it for findings, and go on to close the month.
        raise typer.Exit(SetupError.exit_code)
    if any(finding.level != "notice" for finding in findings):
        raise typer.Exit(EXIT_FINDINGS)


def _state(state: str, version: int | None, *, is_late: bool) -> str:
    """A cell of the matrix: what is accepted shows its version alone."""
    if version is None:
        return state
    shown = f"v{version}" if state == "accepted" else f"{state} v{version}"
    return f"{shown} late" if is_late else shown
