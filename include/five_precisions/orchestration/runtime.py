"""What a task works with: its month or quarter, the warehouse, and how it is tried again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule
from sqlalchemy import Engine

from five_precisions.period import Period, Quarter
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from five_precisions.warehouse.schema import require_migrated

if TYPE_CHECKING:
    from airflow.sdk import Context

# Looking up the schema's revision says nothing about a package; a task's log tells a package's story.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)

RETRIES = 3
"""Tries after the first: of what a lost connection or a dying process broke off, never of what bad data refused."""


def partition_key(context: Context) -> str:
    """The run's month (`2019-06`) or quarter (`2019-Q2`); an asset-triggered run has no other date."""
    return str(context["dag_run"].partition_key)


def month_of(context: Context) -> Period:
    """The month of a monthly run."""
    return Period.parse(partition_key(context))


def quarter_of(context: Context) -> Quarter:
    """The quarter of a quarterly run."""
    return Quarter.parse(partition_key(context))


@contextmanager
def opened() -> Iterator[tuple[Engine, Settings]]:
    """The warehouse and the settings of this installation, for the length of a task.

    Raises:
        SetupError: the warehouse does not answer, or is not migrated.
    """
    settings = Settings.load()
    with open_warehouse(settings) as engine:
        require_migrated(engine)
        yield engine, settings


def task_defaults() -> dict[str, Any]:
    """What every task of ours has in common: an owner, and what is worth another try."""
    return {
        "owner": "five-precisions",
        "retries": RETRIES,
        "retry_delay": timedelta(seconds=30),
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
