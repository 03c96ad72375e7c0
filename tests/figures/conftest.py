"""Fixtures of the figures' tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from five_precisions.period import Period

JANUARY = Period(2019, 1)
FEBRUARY = Period(2019, 2)

Figure = Callable[..., Decimal | None]


@pytest.fixture
def figure(engine: Engine) -> Figure:
    """Read a figure of the current run; fails where there is no such row, unless `absent` is allowed."""

    def read(metric: str, scope: str = "city", code: str = "441700", period: Period = JANUARY) -> Decimal | None:
        with engine.connect() as connection:
            found = connection.execute(
                text(
                    "select value from mart.current_metric "
                    "where metric = :metric and scope = :scope and scope_code = :code and period = :period"
                ),
                {"metric": metric, "scope": scope, "code": code, "period": str(period)},
            ).first()
        return None if found is None else found.value

    return read
