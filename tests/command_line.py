"""The command line, as a test calls it: in its own process, or in the test's."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from five_precisions import cli, rights
from five_precisions.settings import PREFIX

COMMAND = Path(sys.executable).with_name("five-precisions")
Result = subprocess.CompletedProcess[str]


def run_installed(*words: str, **environment: str) -> Result:
    """Run the installed command with the test's environment, in a process of its own as its users do."""
    return subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | _named(environment),
    )


def run(*words: str, **environment: str) -> Result:
    """What the installed command does, in this process: a process of its own takes a second and a half to import."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    with (
        mock.patch.object(sys, "argv", [COMMAND.name, *words]),
        mock.patch.dict(os.environ, _named(environment)),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
        _as_a_program(),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
    assert code is None or isinstance(code, int), code
    return Result([COMMAND.name, *words], code or 0, *map(_written, streams))


def assert_one_sentence(result: Result, code: int, sentence: str) -> None:
    """Hold that a command was refused with one line that contains the sentence, and printed nothing else."""
    assert result.returncode == code, result.stderr
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def _named(environment: dict[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in environment.items()}


@contextmanager
def _as_a_program() -> Iterator[None]:
    """What a program changes in its process, and what pytest keeps from it: its log goes to standard error."""
    handlers: Sequence[logging.Handler] = logging.root.handlers[:]
    level, umask = logging.root.level, os.umask(0o022)
    os.umask(umask)
    logging.root.handlers.clear()
    try:
        with mock.patch.object(rights, "_asked_for", None):
            yield
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        os.umask(umask)


def _written(stream: io.TextIOWrapper) -> str:
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode()
