"""What the replay reads of a warehouse that holds nothing yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions.settings import Settings
from five_precisions_demo.city.published import PUBLISHED
from five_precisions_demo.replay.progress import (
    Month,
    QuarterState,
    may_wait_for_approval,
    read_months,
    read_quarters,
)
from five_precisions_demo.replay.statements import load_demo_statement
from five_precisions_demo.replay.summary import read_summary
from five_precisions_demo.stack import Site

pytestmark = pytest.mark.integration


def test_nothing_is_done_yet(engine: Engine) -> None:
    with engine.connect() as connection:
        assert read_months(connection) == [Month(f"2019-0{month}", 0, False, False) for month in range(1, 7)]
        assert read_quarters(connection) == [QuarterState(f"2019-Q{number}", False, 0, 0) for number in (1, 2)]
        assert connection.execute(load_demo_statement("undelivered_message")).all() == []


def test_no_figure_agrees_yet(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    summary = read_summary(engine, settings, Site(var=tmp_path))
    assert [figure.metric for figure in summary.figures] == list(PUBLISHED)
    assert not any(figure.agrees for figure in summary.figures)
    assert (summary.ranking, summary.mails, summary.receipts, summary.bulletins) == ([], {}, 0, [])


@pytest.mark.parametrize(
    ("assessed", "approved", "may_wait"),
    [(2, (False, False), False), (3, (False, False), True), (5, (True, False), False), (6, (True, False), True)],
)
def test_an_approval_may_wait_where_a_quarter_is_assessed_and_not_decided(
    assessed: int, approved: tuple[bool, bool], may_wait: bool
) -> None:
    months = [Month(f"2019-0{month}", 17, closed=True, assessed=month <= assessed) for month in range(1, 7)]
    quarters = [QuarterState(f"2019-Q{number}", done, 0, 0) for number, done in enumerate(approved, start=1)]
    assert may_wait_for_approval(months, quarters) is may_wait
