"""`make demo`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console

from five_precisions.errors import FivePrecisionsError, SetupError, sentence_of
from five_precisions_demo import replay as package
from five_precisions_demo.replay.progress import Screen
from five_precisions_demo.replay.run import DemoRun
from five_precisions_demo.replay.summary import print_summary
from five_precisions_demo.stack import PORT, Interruption, Stack, parse_site, print_login

_PATIENCE: Final = 2.0
"""Seconds for Airflow to end: by then nothing runs, or all that runs is to be thrown away."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit code (1: something did not go as it should, 2: set-up)."""
    parser = argparse.ArgumentParser(prog="make demo", description=package.__doc__)
    parser.add_argument("--keep-packages", action="store_true", help="leave in the inbox what was delivered, in clear")
    site = parse_site(parser, arguments)
    keep_packages = parser.parse_args(arguments).keep_packages
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    if not out.is_terminal:
        out.width = 250
    interruption = Interruption().listen()
    stack, screen = Stack(site, interruption), Screen(out)
    demo = DemoRun(stack, screen, keep_packages=keep_packages)
    try:
        with screen.shown(), stack.supervised(patience=_PATIENCE):
            summary = demo.run()
            screen.finish_step("everything is done; ending the processes")
            screen.start_step("ending the processes")
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        return error.exit_code
    except OSError as error:
        err.print(sentence_of(error), style="red", markup=False, soft_wrap=True)
        return SetupError.exit_code
    print_summary(out, site, summary)
    minutes, seconds = divmod(round(screen.seconds), 60)
    out.print(f"\n{minutes} min {seconds:02d} s, at most {demo.peak / 1e9:.1f} GB of memory for everything together.")
    up = "make up" if site.port == PORT else f"make up PORT={site.port}"
    out.print(f"\nTo look at it in Airflow: {up}, then {site.url}", soft_wrap=True)
    print_login(site, out)
    differing = [figure.metric for figure in summary.figures if not figure.agrees]
    if differing:
        err.print(f"Published and computed figures differ: {', '.join(differing)}.", style="red", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
