"""What a task works with: the mail server of the environment or of Airflow's connection."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from five_precisions.errors import SetupError, UsageError
from five_precisions.period import Period, Quarter
from five_precisions.settings import PREFIX, Settings


def opened_mail() -> str | None:
    from five_precisions.orchestration.runtime import open_for_task

    with open_for_task() as (_, settings):
        return None if settings.mail is None else settings.mail.get_secret_value()


def run_of(key: str | None) -> Any:
    return {"dag_run": SimpleNamespace(partition_key=key)}


def test_a_run_says_its_month_or_quarter() -> None:
    from five_precisions.orchestration.runtime import month_of, quarter_of

    assert month_of(run_of("2019-06")) == Period(2019, 6)
    assert quarter_of(run_of("2019-Q2")) == Quarter(2019, 2)
    for key in (None, ""):
        with pytest.raises(UsageError, match=r"trigger it with a partition key, e\.g\. 2019-06"):
            quarter_of(run_of(key))
    with pytest.raises(UsageError, match="2019-06"):
        quarter_of(run_of("2019-06"))


def connection(**extra: object) -> str:
    return json.dumps({"conn_type": "apprise", "extra": extra})


def test_without_either_mails_wait(engine: Engine, settings: Settings) -> None:
    assert opened_mail() is None


def test_airflow_s_connection_names_the_mail_server(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", connection(config={"path": "mailto://127.0.0.1:2525"}))
    assert opened_mail() == "mailto://127.0.0.1:2525"
    monkeypatch.setenv(PREFIX + "MAIL", "mailto://127.0.0.1:2526")
    assert opened_mail() == "mailto://127.0.0.1:2526"


def test_a_connection_without_an_address_is_named(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", connection(password="x"))
    with pytest.raises(SetupError, match="The Airflow connection mail has no config"):
        opened_mail()


def test_airflow_s_connection_names_the_inbox(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from five_precisions.orchestration.runtime import load_settings

    assert load_settings().inbox is None
    address, options = "sftp://host/home/{institution}", {"host_key": "ssh-ed25519 AAAA"}
    given = {"conn_type": "sftp", "login": "collector", "password": "geheim"}
    monkeypatch.setenv("AIRFLOW_CONN_INBOX", json.dumps({**given, "extra": {"address": address, "options": options}}))
    found = load_settings()
    assert found.inbox_address == address
    assert found.storage_options("inbox") == {"username": "collector", "password": "geheim", **options}
    assert "geheim" not in repr(found)
    monkeypatch.setenv("AIRFLOW_CONN_INBOX", json.dumps({**given, "extra": {"address": "s3://bucket"}}))
    assert load_settings().storage_options("inbox") == {"key": "collector", "secret": "geheim"}
    monkeypatch.setenv(PREFIX + "INBOX", "/srv/inbox")
    assert load_settings().inbox == "/srv/inbox"
    assert load_settings().storage_options("inbox") == {}


def test_a_connection_of_the_inbox_without_an_address_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from five_precisions.orchestration.runtime import load_settings

    monkeypatch.setenv("AIRFLOW_CONN_INBOX", connection(host="host"))
    with pytest.raises(SetupError, match="The Airflow connection inbox has no address"):
        load_settings()
