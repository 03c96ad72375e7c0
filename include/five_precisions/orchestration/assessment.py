"""The tasks of `monthly_assessment`: compute the month, tell the banks and counties, show what was checked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from five_precisions.bulletin import post_notices
from five_precisions.data_docs import build_data_docs
from five_precisions.figures import assess
from five_precisions.orchestration.runtime import month_of, open_for_task
from five_precisions.orchestration.sending import send_due

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)


def assess_month(context: Context) -> dict[str, str]:
    """Compute the month; its run."""
    with open_for_task() as (engine, settings):
        assessed = assess(engine, settings, month_of(context))
    if assessed.is_new:
        logger.info("%s is assessed as %s, from input %s", assessed.period, assessed.run_id, assessed.input_digest)
    else:
        logger.info("%s stands as %s already, from the same input", assessed.period, assessed.run_id)
    return {"run_id": assessed.run_id}


def send_notices(context: Context) -> int:
    """Post the month's notices and send them; how many were new."""
    month = month_of(context)
    with open_for_task() as (engine, settings):
        keys = post_notices(engine, settings, month)
        send_due(engine, settings, str(month))
    return len(keys)


def publish_data_docs(context: Context) -> str:
    """Build the Data Docs of the closed month; the address of their first page."""
    with open_for_task() as (engine, settings):
        address = build_data_docs(engine, settings, month_of(context))
    logger.info("Their first page: %s", address)
    return address
