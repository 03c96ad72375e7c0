"""The tasks of `monthly_collection`: open the month, take in each institution's packages, close the month."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import AirflowFailException

from five_precisions.collection import COVER_WAIT, PackagesWaitingError, close, collect
from five_precisions.intake import (
    Judgement,
    ReportState,
    State,
    find_settled,
    read_deadline,
    read_deadlines,
    read_status,
)
from five_precisions.orchestration.links import FindingsLink, ReceiptLink
from five_precisions.orchestration.notices import notify_ops
from five_precisions.orchestration.runtime import month_of, open_for_task, partition_key, skip
from five_precisions.orchestration.sending import send_due
from five_precisions.orchestration.triggers import AGAIN, PACKAGE, PackageTrigger
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import Institution, open_period, read_register
from five_precisions.warehouse import read_clock

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy import Engine

logger = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""How often the inbox is looked at for an institution; a receipt leaves within a minute of a package.

See docs/intake.md.
"""


def open_month(context: Context) -> list[dict[str, str]]:
    """Open the month; the institutions open in it, as the arguments of `CollectInstitution`.

    What ops must know of its deadline is sent now, while the deadline can be moved.

    Raises:
        UsageError: the run was triggered by hand for a month that has not begun, or that is not worked on here.
    """
    month = month_of(context)
    with open_for_task() as (engine, settings), engine.begin() as connection:
        settings.require_usable(month)
        remarks = open_period(connection, settings, month)
        institutions = read_register(connection).open_in(month)
        deadlines = sorted({each.deadline_at.astimezone(SHANGHAI) for each in read_deadlines(connection, month)})
    logger.info("%s is open: %d institutions, until %s", month, len(institutions), " or ".join(map(str, deadlines)))
    if remarks:
        notify_ops(f"The deadline of {month} wants a look", *remarks)
    return [{"institution": each.code, "short_name": each.short_name} for each in institutions]


def close_month(context: Context) -> dict[str, Any]:
    """Close the month: what stands is frozen, and the assessment follows. Messages still due are sent.

    What came after the deadline is late by definition and holds nothing up.

    Raises:
        AirflowSkipException: the month is closed and assessed; nothing is emitted again.
        AirflowFailException: packages that came in time still wait, for the task of their row has failed.
    """
    month = month_of(context)
    with open_for_task() as (engine, settings):
        try:
            closed = close(engine, settings, month, in_time_only=True, processes=settings.process_count)
        except PackagesWaitingError as error:
            raise AirflowFailException(_describe_waiting(month, error.institutions)) from error
        send_due(engine, settings, partition_key(context))
    if not closed.is_new:
        skip(f"{closed.period} is closed and assessed already.")
    return {"period": closed.period, "frozen_reports": closed.frozen_reports}


def _describe_waiting(month: Period, institutions: Sequence[Institution]) -> str:
    """What ops do about packages that nobody has taken in."""
    names = "、".join(f"{each.short_name}（{each.code}）" for each in institutions)
    return (
        f"{month.words}没有关闭：{names}在截止前报送的报送包还在收件箱里，没有收进。"
        "请先清除（Clear）这些机构在“收集 · collect”中的那一行，再清除本任务；如果决定不等它们，请在命令行执行 "
        f"five-precisions close {month} --force --reason 理由，然后清除本任务。"
    )


class CollectInstitution(BaseOperator):
    """Takes in one institution's packages of the run's month until the deadline, waiting for them in the triggerer.

    Green: everything owed is accepted. Red: at the deadline something is missing or rejected. A deadline that is moved
    while it waits holds within a few minutes; one that is moved when it has ended, once it is cleared. In a replay it
    takes what lies there, in order, and does not wait. It may be run again at any time: what is in the ledger stays as
    it is.

    Args:
        institution: The institution's code.
        short_name: As the grid shows it.
        poll_seconds: How often the inbox is looked at.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (ReceiptLink(), FindingsLink())

    def __init__(self, *, institution: str, short_name: str, poll_seconds: float = POLL_SECONDS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.institution = institution
        self.short_name = short_name
        self.poll_seconds = poll_seconds
        self.period: str | None = None

    def execute(self, context: Context) -> dict[str, str]:
        """Judge what is there; then wait for more, or end at the deadline.

        Raises:
            AirflowFailException: at the deadline something is missing or rejected.
        """
        return self._look(context)

    def resume(self, context: Context, event: str) -> dict[str, str]:
        """Go on after the wait: the same again, for whatever ended it."""
        self.log.info("Resumed by the %s", event)
        return self._look(context, event)

    def _look(self, context: Context, event: str | None = None) -> dict[str, str]:
        # The grid's name of this row: Airflow renders it from the context, anew after each wait.
        context["institution"] = self.short_name  # type: ignore[typeddict-unknown-key]
        month = month_of(context)
        # For the links: Airflow asks for them when the task has ended, or waits.
        self.period = str(month)
        with open_for_task() as (engine, settings):
            deadline = read_deadline(engine, settings, month, self.institution)
            # Both before the look: what comes while we look, or after a late start, is seen the next time.
            with engine.connect() as connection:
                began_at = read_clock(connection)
            seen = None if settings.replay else find_settled(settings, month, self.institution)
            # File times that an upload has kept do not say how long files have lain here. A package just seen is
            # answered for what is in it, not for a missing cover.
            judgements = collect(
                engine, settings, month, institution=self.institution, notify_missing_cover=event != PACKAGE
            )
            for judgement in judgements:
                self._report_judgement(judgement, month)
            send_due(engine, settings, str(month), institution=self.institution)
            if began_at < deadline and not settings.replay:
                self.log.info("Waiting for the next package, or for the deadline at %s", deadline)
                # Files without a cover are looked at once more, when it is time to mail about it.
                lacks_cover = any(judgement.verdict is State.INCOMPLETE for judgement in judgements)
                again_at = (began_at + COVER_WAIT).isoformat() if lacks_cover and event != AGAIN else None
                self.defer(
                    trigger=PackageTrigger(
                        period=str(month),
                        institution=self.institution,
                        seen=seen,
                        until=deadline.isoformat(),
                        poll_seconds=self.poll_seconds,
                        again_at=again_at,
                    ),
                    method_name="resume",
                )
            return self._result(context, engine, judgements)

    def _report_judgement(self, judgement: Judgement, month: Period) -> None:
        if judgement.verdict is State.FAILED:
            # Whoever delivered it waits for a receipt, and this row may stay violet for days.
            notify_ops(
                f"A package of {self.short_name} for {month} is not done with",
                f"{judgement.remark}: the log of its row in monthly_collection says where. It is looked at again when "
                "the institution delivers anew, at the deadline, or when you clear the row, and counts as received "
                "when it was first seen.",
            )
        if judgement.submission_id is None:
            # Why, the intake itself has logged.
            return
        # Also of a version that somebody else recorded first: whoever reads this log wants to know what became of it.
        remark = f" ({judgement.remark})" if judgement.remark else ""
        what = f"Version {judgement.version}, receipt {judgement.submission_id}: {judgement.verdict}{remark}"
        self.log.info(what)
        for report in judgement.reports:
            counts = f"{report.rows} rows, {report.errors} errors, {report.warnings} warnings"
            self.log.info("  %s %s: %s", report.report, report.verdict, counts)

    def _result(self, context: Context, engine: Engine, judgements: Sequence[Judgement]) -> dict[str, str]:
        month = month_of(context)
        own = [row for row in read_status(engine, month) if row.institution_code == self.institution]
        # Nobody looks here again by himself: what is not done with must be seen.
        problems = [str(each.remark) for each in judgements if each.verdict is State.FAILED]
        for (state, version), rows in groupby(sorted(own, key=_final_state), _final_state):
            reports = ", ".join(row.report for row in rows)
            receipt = f", receipt {month}-{self.institution}-{version}" if version else ""
            self.log.info("In the end %s%s: %s", state, receipt, reports)
            if state in ("missing", "rejected"):
                problems.append(f"{state} {reports}")
        if problems:
            raise AirflowFailException(f"{self.short_name} in {month}: {'; '.join(problems)}.")
        return {row.report: row.state for row in own}


def _final_state(row: ReportState) -> tuple[str, int]:
    """What became of a report, and by which version."""
    return row.state, row.version or 0
