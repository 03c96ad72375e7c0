"""What a process makes when it needs it first is made beforehand, and nothing that a fork would lose."""

from __future__ import annotations

import json
import subprocess
import sys

from five_precisions.settings import ROOT, Settings

_SCRIPT = """
import json, re, sys, threading
from five_precisions.collection import preloaded
from five_precisions.intake.judging import judge_package
from five_precisions.intake.rehearsal import rehearse
from five_precisions.intake.ruleset import ruleset_of
from five_precisions.register import load_register
from five_precisions.settings import Settings
from tests.packages import JUNE, package, sound

settings = Settings(_env_file=None)
if "rehearsed" not in sys.argv:
    re.purge()
threads = threading.active_count()
made = []
compile_pattern = re._compiler.compile
re._compiler.compile = lambda *given: made.append(given) or compile_pattern(*given)
register = load_register(settings.register_folder)
files = package(loans=[sound("loans")], grid=[sound("grid")])
judged = judge_package(files, register.institution("B01"), ruleset_of(settings, register, JUNE))
print(json.dumps([threads, len(made), judged.verdict]))
"""


def judged_first(settings: Settings, *words: str) -> list[object]:
    """Threads before the first package, patterns made for it, and its verdict."""
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    found: list[object] = json.loads(ran.stdout)
    return found


def test_of_the_first_package_little_is_made_and_there_is_no_thread(settings: Settings) -> None:
    threads, made, verdict = judged_first(settings, "rehearsed")
    assert (threads, verdict) == (1, "accepted")
    assert isinstance(made, int)
    # The code of each institution is one; they stand in the register.
    assert made < 20
    _, unprepared, verdict = judged_first(settings)
    assert verdict == "accepted"
    assert isinstance(unprepared, int)
    assert unprepared > 2 * made
