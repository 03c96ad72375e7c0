"""Fixtures of the figures' tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from five_precisions.period import Period
from tests.figures.small_city import SmallCity

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


@pytest.fixture
def closed_january(engine: Engine) -> Engine:
    """January closed and not assessed: two loans of 3 and 1 万元."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "B01", loans=[{"contract_no": "L1"}, {"contract_no": "L2", "balance": 10000}])
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.close(JANUARY)
    return engine
