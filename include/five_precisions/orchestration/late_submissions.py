"""The task of `late_submissions`: take in what lies there for closed months, and send every message that is due."""

from __future__ import annotations

import logging

from airflow.sdk.exceptions import AirflowFailException

from five_precisions.collection import collect_late
from five_precisions.intake import State
from five_precisions.orchestration.runtime import open_for_task, skip
from five_precisions.orchestration.sending import send_due

logger = logging.getLogger(__name__)


def collect_late_packages() -> list[str]:
    """Take in what came too late and send what is due; the numbers of the receipts.

    Raises:
        AirflowSkipException: nothing lay there.
        AirflowFailException: a package could not be judged for a reason of ours. The others are taken in.
    """
    with open_for_task() as (engine, settings):
        judgements = collect_late(engine, settings)
        for judgement in judgements:
            what = judgement.submission_id or judgement.remark
            logger.info("%s %s: %s, %s", judgement.period, judgement.institution_code, judgement.verdict, what)
        # The receipts; and whatever a server refused for now or a sender that died left behind. Other tasks send what
        # they have caused, once: here each message finds its next try.
        send_due(engine, settings)
    failed = [f"{each.period} {each.institution_code}" for each in judgements if each.verdict is State.FAILED]
    if failed:
        raise AirflowFailException(f"A late package could not be judged: {', '.join(failed)}; the log says where.")
    if not judgements:
        skip("Nothing lies there for a month that is over.")
    return [judgement.submission_id for judgement in judgements if judgement.submission_id is not None]
