# ruff: noqa: T201 - a command says what it does
"""Judges mutated packages, on all cores, and counts what must never happen (docs/intake.md#bad-input).

A worker that dies or does not answer is found by the process that watches it; its number and its files are kept.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.mutations import mutate
from tests.memory import peak_megabytes

SECONDS = 30
MEGABYTES = 1024
RULES_EVERY = 25
"""Rules on rows cost a hundred times the rest, and only ever add findings: every so many packages goes through them."""


@dataclass
class Outcome:
    """What became of all packages."""

    packages: int = 0
    files: int = 0
    accepted: int = 0
    compared: int = 0
    worst_seconds: float = 0.0
    worst_megabytes: float = 0.0
    failures: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def judge_numbers(numbers: Connection, rules_every: int) -> None:
    """A worker: takes numbers, tells what became of each package."""
    from tests.fuzz import oracle

    from five_precisions.intake import judging
    from five_precisions.intake.package import DeliveredFile
    from five_precisions.intake.rules.library import great_expectations_library
    from five_precisions.intake.ruleset import ruleset_of
    from five_precisions.period import Period
    from five_precisions.register import load_register
    from five_precisions.settings import Settings

    settings = Settings()
    register = load_register(settings.register_folder)
    ruleset = ruleset_of(settings, register, Period(2019, 6))
    bank = register.institution("B01")
    assert bank is not None
    rules_of_rows = judging.suite_findings
    silence_panics()
    if rules_every:
        # Else the first package would be blamed for the import.
        great_expectations_library()
    numbers.send(None)
    while (number := numbers.recv()) is not None:
        begun = time.monotonic()
        told: dict[str, Any] = {"number": number, "failure": None, "accepted": 0, "compared": 0, "rules": []}
        try:
            mutated = mutate(number)
            told["files"] = len(mutated.files)
            has_rules = rules_every and number % rules_every == 0
            judging.suite_findings = rules_of_rows if has_rules else (lambda *_, **__: ([], None))
            files = [DeliveredFile(name, content) for name, content in mutated.files.items()]
            begun = time.monotonic()
            judged = judging.judge_package(files, bank, ruleset)
            told["seconds"] = time.monotonic() - begun
            told["accepted"], told["compared"] = oracle.check(mutated, judged)
            told["rules"] = [finding.rule for finding in judged.findings]
        except BaseException:  # noqa: BLE001 - whatever it is, it is what we look for
            told["failure"] = traceback.format_exc(limit=-6)
        told.setdefault("files", 0)
        told.setdefault("seconds", time.monotonic() - begun)
        told["megabytes"] = peak_megabytes()
        numbers.send(told)


def silence_panics() -> None:
    """A panic inside the readers' Rust is reported on the standard error before it becomes an exception."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class Worker:
    """A process and what it is busy with."""

    def __init__(self, rules_every: int) -> None:
        self.rules_every = rules_every
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=judge_numbers, args=(theirs, rules_every), daemon=True)
        self.process.start()
        theirs.close()
        # Ready when it says so: importing everything may take longer than any package.
        self.connection.recv()
        self.number: int | None = None
        self.since = time.monotonic()

    def give(self, number: int | None) -> None:
        """Hand it the next number; None = go home."""
        self.number, self.since = number, time.monotonic()
        self.connection.send(number)

    def end(self) -> None:
        """Make an end of it."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def run(
    count: int, first: int, jobs: int, keep: Path, *, rules_every: int = RULES_EVERY, progress: bool = False
) -> Outcome:
    """Judge the packages of `count` numbers from `first` on; what fails is kept in the folder, by its number.

    `rules_every` = 0 leaves the rules on rows out.
    """
    outcome = Outcome()
    left = iter(range(first, first + count))
    workers = [Worker(rules_every) for _ in range(min(jobs, count))]
    begun = time.monotonic()
    for worker in workers:
        worker.give(next(left))
    while workers:
        for ready in wait([worker.connection for worker in workers], timeout=1):
            worker = next(each for each in workers if each.connection is ready)
            try:
                _note(outcome, worker.connection.recv(), keep)
            except (EOFError, ConnectionResetError):
                worker.process.join()
                _fail(outcome, worker.number, f"the process ended with {worker.process.exitcode}", keep)
                worker = _replace(workers, worker)
            _go_on(workers, worker, next(left, None))
            if progress and outcome.packages % 200 == 0:
                rate = outcome.packages / (time.monotonic() - begun)
                print(f"{outcome.packages}/{count}, {rate:.0f} a second, {len(outcome.failures)} failed", flush=True)
        for worker in [each for each in workers if time.monotonic() - each.since > SECONDS * 2]:
            _fail(outcome, worker.number, "no answer", keep)
            _go_on(workers, _replace(workers, worker), next(left, None))
    return outcome


def _go_on(workers: list[Worker], worker: Worker, number: int | None) -> None:
    worker.give(number)
    if number is None:
        workers.remove(worker)
        worker.process.join()
        worker.connection.close()


def _replace(workers: list[Worker], worker: Worker) -> Worker:
    worker.end()
    fresh = Worker(worker.rules_every)
    workers[workers.index(worker)] = fresh
    return fresh


def _note(outcome: Outcome, told: dict[str, Any], keep: Path) -> None:
    outcome.packages += 1
    outcome.files += told["files"]
    outcome.accepted += told["accepted"]
    outcome.compared += told["compared"]
    outcome.rules.update(told["rules"])
    outcome.worst_seconds = max(outcome.worst_seconds, told["seconds"])
    outcome.worst_megabytes = max(outcome.worst_megabytes, told["megabytes"])
    reason = told["failure"]
    if reason is None and told["seconds"] > SECONDS:
        reason = f"it took {told['seconds']:.0f} seconds"
    if reason is None and told["megabytes"] > MEGABYTES:
        reason = f"it took {told['megabytes']:.0f} MB"
    if reason is not None:
        _keep(outcome, told["number"], reason, keep)


def _fail(outcome: Outcome, number: int | None, reason: str, keep: Path) -> None:
    outcome.packages += 1
    assert number is not None
    _keep(outcome, number, reason, keep)


def _keep(outcome: Outcome, number: int, reason: str, keep: Path) -> None:
    mutated = mutate(number)
    folder = keep / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in mutated.files.items():
        (folder / name).write_bytes(content)
    outcome.failures.append(f"{number} ({mutated.sample.name}: {'; '.join(mutated.steps)}) in {folder}: {reason}")


def main() -> int:
    """Judge as many as asked for; 1 where anything failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000, help="how many mutated files, at least")
    options.add_argument("--first", type=int, default=0, help="the first number; a failure is repeated by its number")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options.add_argument("--keep", type=Path, default=Path("var") / "fuzz")
    given = options.parse_args()
    begun = time.monotonic()
    outcome = run(given.files, given.first, given.jobs, given.keep, progress=True)
    for failure in outcome.failures:
        print(failure)
    rules = ", ".join(f"{rule} {count}" for rule, count in outcome.rules.most_common(12))
    print(
        f"{outcome.packages} packages with {outcome.files} files in {time.monotonic() - begun:.0f} s: "
        f"{outcome.accepted} reports accepted, {outcome.compared} of them read a second time; "
        f"worst {outcome.worst_seconds:.1f} s and {outcome.worst_megabytes:.0f} MB; {len(outcome.failures)} failed"
    )
    print(f"findings: {rules}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
