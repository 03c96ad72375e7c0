"""What a task works with: its month or quarter, the warehouse, and how it is tried again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Connection
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException
from pydantic import SecretStr

from five_precisions.errors import SetupError, UsageError
from five_precisions.installation import Installation, open_installation
from five_precisions.period import Period, Quarter
from five_precisions.rights import private
from five_precisions.settings import Settings
from five_precisions.storage import Store, store_of

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)

# A task's log is about packages: it leaves out that the schema's revision was looked up.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
# Nor does each channel of a connection to the inbox.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

MAIL_CONNECTION = "mail"
"""The Airflow connection of the mail server, laid out as the Apprise provider's are (docs/outputs.md#messages)."""
INBOX_CONNECTION = "inbox"
"""The Airflow connection of the inbox: extra `{"address": …, "options": {…}}`, login and password (docs/inbox.md)."""
RETRIES = 3
"""Tries after the first: of what a lost connection or a dying process broke off, never of what bad data refused."""


def partition_key(context: Context) -> str:
    """The run's month (`2019-06`) or quarter (`2019-Q2`); an asset-triggered run has no other date.

    Raises:
        UsageError: it was triggered by hand, without one.
    """
    key = context["dag_run"].partition_key
    if not key:
        raise UsageError(
            "The run has no month or quarter; trigger it with a partition key, e.g. 2019-06 or 2019-Q2, which stands "
            "under Advanced Options."
        )
    return str(key)


def month_of(context: Context) -> Period:
    """The month of a monthly run."""
    return Period.parse(partition_key(context))


def quarter_of(context: Context) -> Quarter:
    """The quarter of a quarterly run."""
    return Quarter.parse(partition_key(context))


@contextmanager
def open_for_task() -> Iterator[Installation]:
    """Open the installation for the length of a task, which keeps to itself what it writes.

    Raises:
        SetupError, UnreachableError: as for `open_installation`; or a connection of Airflow is wrong.
    """
    with private(), open_installation(load_settings()) as installation:
        yield installation


def load_settings() -> Settings:
    """The settings, with what Airflow's connections `mail` and `inbox` say where the environment says nothing.

    It asks Airflow and may wait for it: a trigger calls it in a thread of its own.

    Raises:
        SetupError: a setting or a connection is wrong.
    """
    return _with_inbox(_with_mail(Settings.load()))


def _with_mail(settings: Settings) -> Settings:
    """The settings with the mail server of Airflow's connection `mail`, where the environment names none."""
    if settings.mail is not None:
        return settings
    try:
        connection = Connection.get(MAIL_CONNECTION)
    except AirflowNotFoundException:
        return settings
    try:
        address = str(connection.extra_dejson["config"]["path"])
    except (KeyError, TypeError):
        raise SetupError(
            f"The Airflow connection {MAIL_CONNECTION} has no config with a path, an Apprise URL, in its extra."
        ) from None
    return settings.model_copy(update={"mail": SecretStr(address)})


def _with_inbox(settings: Settings) -> Settings:
    """The settings with the inbox of Airflow's connection `inbox`, where the environment names none."""
    if settings.inbox is not None:
        return settings
    try:
        connection = Connection.get(INBOX_CONNECTION)
    except AirflowNotFoundException:
        return settings
    extra = connection.extra_dejson
    address, options = extra.get("address"), extra.get("options", {})
    if not isinstance(address, str) or not isinstance(options, dict):
        raise SetupError(
            f"The Airflow connection {INBOX_CONNECTION} has no address, or options that are no object, in its extra."
        )
    login, password = ("username", "password") if store_of(address) is Store.SFTP else ("key", "secret")
    given = {login: connection.login, password: connection.password}
    options = {**{name: value for name, value in given.items() if value}, **options}
    return settings.model_copy(update={"inbox": address, "inbox_options": SecretStr(json.dumps(options))})


def skip(why: str) -> NoReturn:
    """End the task as skipped, and say why in its log: Airflow keeps that to itself.

    Raises:
        AirflowSkipException: always.
    """
    logger.info(why)
    raise AirflowSkipException(why)


def task_defaults() -> dict[str, Any]:
    """What every task of ours has in common: an owner, and what is worth another try."""
    return {
        "owner": "five-precisions",
        "retries": RETRIES,
        "retry_delay": timedelta(seconds=30),
        # It may be a whole bulletin; what a task has done, it says itself.
        "show_return_value_in_logs": False,
        "retry_policy": ExceptionRetryPolicy(
            rules=[
                RetryRule(exception="five_precisions.errors.UnreachableError", action=RetryAction.RETRY),
                RetryRule(
                    exception="five_precisions.errors.FivePrecisionsError",
                    action=RetryAction.FAIL,
                    reason="refused: a person must act first",
                ),
            ]
        ),
    }
