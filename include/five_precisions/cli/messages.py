"""Commands of what leaves: the bulletin, and the outbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from five_precisions.cli.console import (
    EXIT_FINDINGS,
    JsonOption,
    check_name,
    exporting,
    out,
    parse_path,
    print_json,
    print_table,
    progress,
)
from five_precisions.cli.session import describe_dispatch
from five_precisions.errors import UsageError
from five_precisions.installation import open_installation
from five_precisions.period import Period, Quarter

app = typer.Typer()
outbox_app = typer.Typer(help="Messages: what waits, what was sent, what failed or is in doubt.", no_args_is_help=True)
app.add_typer(outbox_app, name="outbox")


@app.command()
def bulletin(
    quarter: Annotated[Quarter, typer.Argument(parser=Quarter.parse, metavar="QUARTER", help="A quarter, YYYY-Qn.")],
    out_folder: Annotated[
        Path, typer.Option("--out", parser=parse_path, metavar="FOLDER", help="For the PDF, the workbook and the mail.")
    ],
) -> None:
    """Render a quarter's bulletin without sending it. What contradicts itself is not rendered, and is named."""
    from five_precisions.bulletin import render, write

    with open_installation() as (engine, settings), progress(f"rendering {quarter}"):
        rendered = render(engine, settings, quarter)
        with exporting(out_folder):
            paths = write(rendered, str(out_folder.resolve()))
    for path in paths:
        out.print(path, markup=False, soft_wrap=True)


@outbox_app.command("list")
def list_outbox(
    status: Annotated[
        str | None, typer.Option(callback=check_name, help="pending, sending, sent, failed or in_doubt.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(callback=check_name, help="A month, 2019-06, or a quarter, 2019-Q2.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The messages, oldest first."""
    from five_precisions.delivery import Status, list_messages

    if period is not None:
        (Quarter if "Q" in period else Period).parse(period)
    if status is not None and status not in list(Status):
        raise UsageError(f"{status!r} is no status of a message; there are {', '.join(Status)}.")
    with open_installation() as (engine, _):
        messages = list_messages(engine, status=None if status is None else Status(status), period=period)
    if as_json:
        print_json(messages)
        return
    rows = []
    for message in messages:
        moment = message.due_at if message.status is Status.PENDING else message.sent_at
        when = None if moment is None else f"{moment:%Y-%m-%d %H:%M}"
        rows.append((message.status, message.attempts, when, message.message_key, message.reply))
    print_table(("status", "attempts", "due or sent", "key", "reply"), rows, whole="key")


@outbox_app.command()
def resend(key: Annotated[str, typer.Argument(callback=check_name, help="As `outbox list` shows it.")]) -> None:
    """Send one message now that failed, is in doubt, or waits. One in doubt may arrive a second time: look first."""
    from five_precisions.delivery import Status, dispatch, list_messages
    from five_precisions.delivery import resend as make_due

    with open_installation() as (engine, settings), progress("sending"):
        make_due(engine, key)
        dispatch(engine, settings, keys=[key])
        message = next(message for message in list_messages(engine) if message.message_key == key)
    out.print(f"{message.status}: {message.reply}", markup=False, soft_wrap=True)
    if message.status is not Status.SENT:
        raise typer.Exit(EXIT_FINDINGS)


@outbox_app.command()
def send() -> None:
    """Send everything that is due."""
    from five_precisions.delivery import dispatch

    with open_installation() as (engine, settings), progress("sending") as show_step:
        dispatched = dispatch(engine, settings, report_progress=show_step)
    out.print(describe_dispatch(dispatched))
    if dispatched.failed or dispatched.in_doubt:
        raise typer.Exit(EXIT_FINDINGS)
