"""Commands of what changes after a month was announced: a restatement, targets split anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from five_precisions.cli.console import (
    JsonOption,
    PeriodArgument,
    ReasonOption,
    out,
    print_json,
    print_table,
    progress,
)
from five_precisions.cli.session import current_user, deliver
from five_precisions.display import Form, rounded
from five_precisions.installation import open_installation
from five_precisions.period import Period

if TYPE_CHECKING:
    from five_precisions.figures import Restatement, Target

app = typer.Typer()
targets_app = typer.Typer(help="The year's targets of the banks.", no_args_is_help=True)
app.add_typer(targets_app, name="targets")

YearArgument = Annotated[int, typer.Argument(metavar="YEAR", min=2000, max=2999, help="A year, YYYY.")]


@app.command()
def restate(
    period: PeriodArgument,
    reason: ReasonOption,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute an assessed month once more, late versions included: a new revision, and every figure that it changed.

    Posts its notices. Emits no Airflow asset: a bulletin that went out is not issued again by this.
    """
    from five_precisions.bulletin import post_notices
    from five_precisions.figures import preview_restatement
    from five_precisions.figures import restate as restate_month

    with open_installation() as (engine, settings), progress(f"restating {period}") as show_step:
        if preview:
            restated = preview_restatement(engine, settings, period, reason, report_progress=show_step)
        else:
            restated = restate_month(engine, settings, period, reason, current_user(), report_progress=show_step)
            show_step("notices")
            post_notices(engine, settings, period)
            deliver(engine, settings)
    if as_json:
        print_json(restated)
        return
    _print_restatement(restated, is_preview=preview)


@targets_app.command()
def resplit(
    year: YearArgument,
    start: Annotated[
        Period,
        typer.Option("--from", parser=Period.parse, metavar="PERIOD", help="The first month for which they hold."),
    ],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Split the year's target anew from a month on, by the funds known now; announced months keep theirs."""
    from five_precisions.figures import resplit as resplit_targets

    with open_installation() as (engine, settings):
        targets = resplit_targets(engine, settings, year, start, reason)
    _print_targets(targets, as_json=as_json)


@targets_app.command("list")
def list_revisions(year: YearArgument, as_json: JsonOption = False) -> None:
    """The revisions of the year's targets: from when each holds, why, and every bank's part."""
    from five_precisions.figures import list_targets

    with open_installation() as (engine, _):
        targets = list_targets(engine, year)
    _print_targets(targets, as_json=as_json)


def _print_restatement(restated: Restatement, *, is_preview: bool) -> None:
    out.print(f"{'Would be: ' if is_preview and restated.is_new else ''}{restated.words()}", soft_wrap=True)
    if not restated.is_new:
        return
    if restated.versions:
        print_table(
            ("institution", "report", "version before", "after"),
            [(each.institution_code, each.report, each.before, each.after) for each in restated.versions],
        )
    if restated.figures:
        print_table(
            ("table", "scope", "code", "figure", "before", "after"),
            [
                (each.mart, each.scope, each.scope_code, each.figure, each.before, each.after)
                for each in restated.figures
            ],
        )
    for sentence in restated.advice():
        out.print(sentence, markup=False, soft_wrap=True)


def _print_targets(targets: tuple[Target, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(targets)
        return
    print_table(
        ("revision", "from", "bank", "funds (万元)", "quota", "households", "reason"),
        [
            (
                *(each.revision, each.from_period, each.institution_code, each.fund, rounded(each.quota, Form.AMOUNT)),
                *(each.households, each.reason),
            )
            for each in targets
        ],
    )
