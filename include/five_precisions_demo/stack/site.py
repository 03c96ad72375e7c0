"""Where a stack of one machine lives, and who logs in there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.settings import PREFIX, ROOT

HOST: Final = "127.0.0.1"
PORT: Final = 8080
DEMO: Final = ROOT / "var" / "demo"
OPS: Final = "ops"
APPROVER: Final = "approver"
OPS_ADDRESS: Final = "ops@example.test"

REPLAY: Final[Mapping[str, str]] = {
    PREFIX + "FIRST_PERIOD": "2019-01",
    PREFIX + "LAST_PERIOD": "2019-06",
    PREFIX + "REPLAY": "true",
}
"""The demo's own settings: six months, taken in as if they came today."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a stack lives, and its settings."""

    var: Path = DEMO
    port: int = PORT
    dags: Path = ROOT / "dags"
    variables: Mapping[str, str] = field(default_factory=lambda: REPLAY)
    """Settings of the package beyond those that the stack itself gives."""

    @property
    def url(self) -> str:
        """Where Airflow answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def inbox(self) -> Path:
        """Where packages lie."""
        return self.var / "inbox"

    @property
    def logs(self) -> Path:
        """The components' logs; the tasks' are in a folder below."""
        return self.var / "logs"

    @property
    def task_logs(self) -> Path:
        """The tasks' logs, a file for each try."""
        return self.logs / "tasks"

    @property
    def mails(self) -> Path:
        """What the mail server took, a file a mail."""
        return self.var / "mails"

    @property
    def passwords_file(self) -> Path:
        """The users' passwords (JSON), readable by its owner only."""
        return self.var / "passwords.json"

    def password(self, user: str) -> str:
        """A user's password.

        Raises:
            SetupError: the stack was never started.
        """
        try:
            return str(json.loads(self.passwords_file.read_text(encoding="utf-8"))[user])
        except (OSError, ValueError, KeyError):
            raise SetupError(f"{self.passwords_file} does not name {user}'s password; run: make demo") from None
