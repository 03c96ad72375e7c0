"""Moments from which a monthly run is late (docs/operations.md#a-run-that-is-late); Airflow knows them by the plugin.

Airflow's own reference to the moment of queueing is not used: with it Airflow 3.3.2 clears no task of a run that is not
late yet.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from airflow.sdk.definitions.deadline import BaseDeadlineReference

from five_precisions.errors import FivePrecisionsError
from five_precisions.period import Period
from five_precisions.register import deadline_of, load_holidays
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)


class RunMade(BaseDeadlineReference):
    """The moment at which a run is made."""

    def _evaluate_with(self, *, session: Session) -> datetime:  # noqa: ARG002
        return datetime.now(UTC)


class ReportingDeadline(BaseDeadlineReference):
    """The deadline of the run's month by the calendar, or the moment at which the run is made where that is later.

    A deadline that ops move is looked at when this one has passed.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        # Only where a run is made: no task loads Airflow's tables.
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        key = session.scalar(select(DagRun.partition_key).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        try:
            deadline = deadline_of(Period.parse(key or ""), load_holidays(Settings.load()))
        except FivePrecisionsError as error:
            # The run is made all the same, and its first task says what is wrong.
            logger.warning("When %s must be done cannot be said: %s", run_id, error)
            return None
        return max(deadline, datetime.now(UTC))


MOMENTS: Final = (ReportingDeadline, RunMade)
"""What the plugin tells Airflow of."""
