"""What several commands share: who calls, which bank, and the messages that a command leaves behind."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

from five_precisions.cli.console import err
from five_precisions.errors import SetupError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from five_precisions.delivery import Dispatched
    from five_precisions.settings import Settings


def require_institution(engine: Engine, code: str | None) -> None:
    """Refuse a code that no institution has, which would otherwise pass for one that has nothing to show.

    Raises:
        UsageError: it is not in the register.
    """
    from five_precisions.register import read_register

    if code is None:
        return
    with engine.connect() as connection:
        register = read_register(connection)
    if code not in {institution.code for institution in register.institutions}:
        raise UsageError(f"{code} is not an institution of the register.")


def deliver(engine: Engine, settings: Settings) -> None:
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
        err.print(describe_dispatch(dispatched), style="yellow" if dispatched.waiting else None, soft_wrap=True)


def describe_dispatch(dispatched: Dispatched) -> str:
    """What became of the messages, in one sentence."""
    return (
        f"Messages: {dispatched.sent} sent, {dispatched.failed} failed, {dispatched.in_doubt} in doubt, "
        f"{dispatched.waiting} waiting."
    )


def current_user() -> str:
    """The operating system's user, who decides on the command line."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that nobody has.
        return f"uid {os.getuid()}"
