"""`make up`, `make down`, and the supervisor in the background."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from five_precisions.errors import FivePrecisionsError, SetupError, sentence_of
from five_precisions.rights import keep_private
from five_precisions.settings import ROOT
from five_precisions_demo.stack.environment import (
    clean_environment,
    forget_foreign_environment,
    require_secrets,
)
from five_precisions_demo.stack.interruption import InterruptedByUserError, Interruption
from five_precisions_demo.stack.ownership import locked, supervisor_of
from five_precisions_demo.stack.site import DEMO, HOST, OPS, PORT, Site
from five_precisions_demo.stack.supervision import (
    PATIENCE,
    READY_SECONDS,
    ComponentError,
    Stack,
    describe_logs,
    end_leftovers,
    is_healthy,
    require_free_port,
)

_TICK: Final = 0.1


def run(site: Site) -> None:
    """Be the supervisor of what the demo left, until a signal comes."""
    stack = Stack(site, Interruption().listen())
    with stack.supervised():
        stack.start_servers()
        stack.start_migration()
        stack.finish("migrate")
        stack.start_components()
        while True:
            stack.pause(1)


def up(site: Site, out: Console) -> None:
    """Start the stack in the background and wait until it is ready.

    Raises:
        SetupError: there is nothing to bring up, or the port is taken.
        ComponentError: it does not come up.
    """
    if not (site.var / "airflow.env").exists():
        raise SetupError(f"There is nothing in {site.var} to bring up; run: make demo")
    running = supervisor_of(site)
    if running is not None:
        out.print(f"It is up already: http://{HOST}:{running[1]}", soft_wrap=True)
        return
    require_secrets(site)
    free_the_port(site)
    interruption = Interruption().listen()
    log_path = site.logs / "stack.log"
    site.logs.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __package__, "run", "--var", str(site.var), "--port", str(site.port)]
    log_path.unlink(missing_ok=True)
    with log_path.open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--dags", str(site.dags)],
            env=clean_environment(site),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    try:
        while not is_healthy(site):
            if supervisor.poll() is not None:
                raise ComponentError((log_path.read_text(encoding="utf-8").strip().splitlines() or ["It ended."])[-1])
            if time.monotonic() > deadline:
                raise ComponentError(f"Airflow does not come up at {site.url}; {describe_logs(site.logs)}.")
            interruption.check()
            time.sleep(0.5)
    except FivePrecisionsError:
        supervisor.terminate()
        supervisor.wait()
        raise
    out.print(f"Up: {site.url}", soft_wrap=True)
    print_login(site, out)
    out.print("To stop it: make down", soft_wrap=True)


def free_the_port(site: Site) -> None:
    """End what a supervisor that was killed has left: it may hold the very port that is wanted.

    Raises:
        SetupError: somebody else holds the port.
    """
    with locked(site) as lock:
        if lock is not None:
            end_leftovers(site)
    require_free_port(site.port)


def print_login(site: Site, out: Console) -> None:
    """Say who logs in and where the password stands."""
    out.print(f"User {OPS}; the password stands in {site.passwords_file}", soft_wrap=True)


def down(site: Site, out: Console) -> None:
    """Stop everything that runs in the folder, also a demo, also what a killed supervisor has left."""
    if not site.var.exists():
        out.print("Nothing is running.")
        return
    running = supervisor_of(site)
    if running is None:
        out.print("Stopped what was left." if end_leftovers(site) else "Nothing is running.")
        return
    with suppress(ProcessLookupError):
        os.kill(running[0], signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE + 60
    while supervisor_of(site) == running:
        if time.monotonic() > deadline:
            raise ComponentError(f"Process {running[0]} does not end; its log is {site.logs / 'stack.log'}.")
        time.sleep(_TICK)
    out.print("Stopped.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of `python -m five_precisions_demo.stack {up,down,run}` (2: wrong usage or set-up)."""
    parser = argparse.ArgumentParser(prog="stack", description="Everything on this machine, on what the demo left.")
    parser.add_argument("command", choices=("up", "down", "run"))
    site = parse_site(parser, arguments)
    command = parser.parse_args(arguments).command
    err = Console(stderr=True, highlight=False)
    try:
        if command == "run":
            run(site)
        else:
            (up if command == "up" else down)(site, Console(highlight=False))
    except InterruptedByUserError as error:
        # To be told to stop is how the supervisor ends.
        return 0 if command == "run" else error.exit_code
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        return error.exit_code
    except OSError as error:
        err.print(sentence_of(error), style="red", markup=False, soft_wrap=True)
        return SetupError.exit_code
    return 0


def parse_site(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> Site:
    """The site that the command's options name; from now on what is written is the caller's only."""
    parser.add_argument("--var", type=Path, default=DEMO, help="folder of all data (default: var/demo)")
    parser.add_argument("--port", type=int, default=PORT, help="Airflow's port on 127.0.0.1 (default: 8080)")
    parser.add_argument("--dags", type=Path, default=ROOT / "dags", help="folder of the DAGs (default: dags)")
    read = parser.parse_args(arguments)
    keep_private()
    forget_foreign_environment()
    return Site(var=read.var.resolve(), port=read.port, dags=read.dags.resolve())
