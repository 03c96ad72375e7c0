"""The installed command, as a test calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from five_precisions.settings import PREFIX

COMMAND = Path(sys.executable).with_name("five-precisions")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with the test's environment."""
    named = {PREFIX + name: value for name, value in environment.items()}
    return subprocess.run(
        [COMMAND, *words], capture_output=True, text=True, check=False, timeout=120, env=os.environ | named
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], code: int, sentence: str) -> None:
    """Hold that a command was refused with one line that contains the sentence, and printed nothing else."""
    assert result.returncode == code, result.stderr
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""
