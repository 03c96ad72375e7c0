"""A month's packages taken in, of one institution or of all: one after another, or by several processes.

See docs/intake.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Final

from sqlalchemy import Engine

from five_precisions.collection.deliveries import Collector
from five_precisions.collection.processes import NoProcessesError
from five_precisions.collection.turns import Order, take_in_by_several
from five_precisions.intake.findings import Judgement
from five_precisions.period import Period
from five_precisions.register import Institution
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)

_WORTH_PROCESSES: Final = 10
"""Institutions whose packages wait; of fewer, to load other processes takes longer than it saves."""


def collect(
    engine: Engine,
    settings: Settings,
    period: Period,
    *,
    institution: str | None = None,
    replay: bool = False,
    notify_missing_cover: bool = True,
    processes: int = 1,
    report_progress: Callable[[str], None] | None = None,
) -> list[Judgement]:
    """Take in the packages of a period, of one institution or of all, in the order of their codes.

    One institution's trouble never stops the others: what fails unexpectedly is logged and returned as such. In a
    replay of one institution, those of its kind with earlier codes are recorded first: of two registers with the same
    household the first code's stands (docs/intake.md#versions, K02). They are not among the judgements returned. What
    somebody else is taking in is waited for.

    Args:
        engine: The warehouse.
        settings: Of this installation.
        period: The month.
        institution: Its code; None for all.
        replay: Whether file times are delivery times, and files stay.
        notify_missing_cover: Whether files without a cover, unchanged for half an hour, are worth a mail now (F08).
        processes: How many take in packages at once where those of several institutions wait; each imports the main
            module of the program, which must not start anything then.
        report_progress: Called with each institution's code.

    Raises:
        UsageError: the period or the institution is not one that can be collected.
        SetupError: a secret is missing, or the inbox, the outbox, the archive or a reference file cannot be used.
        ProcessEndedError: one of several processes was ended from outside.
    """
    replay = replay or settings.replay
    settings.require_usable(period)
    first: list[Institution] = []

    def let_others_go_first(_: str) -> None:
        # Emptied before: each of them is asked to let others go first, too, and would go after those behind it.
        earlier, first[:] = list(first), []
        for each in earlier:
            collector.take_in(each, only_new=True)

    collector = Collector(
        engine,
        settings,
        period,
        replay=replay,
        notify_missing_cover=notify_missing_cover,
        await_turn=let_others_go_first,
    )
    # Before the month is opened: a slip opens none.
    institutions = collector.institutions(institution)
    collector.open()
    judgements: list[Judgement] = []
    if replay and institution is not None:
        first += collector.going_first(institution)
    several = processes > 1 and collector.count_waiting(institutions) >= _WORTH_PROCESSES

    def taken_in() -> Generator[list[Judgement]]:
        if several:
            order = Order(engine.url, settings, period, replay=replay, notify_missing_cover=notify_missing_cover)
            try:
                yield from take_in_by_several(order, [each.code for each in institutions], processes)
            except NoProcessesError as error:
                logger.warning("No other processes can be started (%s), so packages are taken in by one", error)
            else:
                return
        yield from map(collector.take_in, institutions)

    with closing(taken_in()) as results:
        for each in institutions:
            if report_progress is not None:
                report_progress(each.code)
            judgements += next(results)
    if institution is not None:
        # Where it has recorded nothing.
        let_others_go_first(institution)
    else:
        collector.warn_of_unknown_folders()
    return judgements
