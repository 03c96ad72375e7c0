"""Airflow has a home of its own here, and ops a mailbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_home import pytest_unconfigure  # noqa: F401 - the import makes the home, the hook takes it away
from tests.mail_server import MailServer


@pytest.fixture
def ops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MailServer]:
    """Where ops' mails arrive."""
    with MailServer(tmp_path / "ops") as server:
        config = {"path": f"{server.url}&to=ops@example.test", "tag": "all"}
        connection = {"conn_type": "apprise", "extra": {"config": config}}
        monkeypatch.setenv("AIRFLOW_CONN_APPRISE_DEFAULT", json.dumps(connection))
        yield server
