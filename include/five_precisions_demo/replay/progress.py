"""How far the months and quarters of the demo have come, and how it is shown while it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from sqlalchemy import Connection

from five_precisions.period import Period, Quarter
from five_precisions_demo.replay.statements import load_demo_statement

PERIODS: Final = tuple(Period(2019, month) for month in range(1, 7))
QUARTERS: Final = (Quarter(2019, 1), Quarter(2019, 2))


@dataclass(frozen=True, slots=True)
class Month:
    """How far a month has come."""

    period: str
    delivered: int
    """Institutions that have delivered something."""
    closed: bool
    assessed: bool


@dataclass(frozen=True, slots=True)
class QuarterState:
    """How far a quarter has come."""

    quarter: str
    approved: bool
    messages: int
    sent: int

    @property
    def is_done(self) -> bool:
        """Whether the bulletin is with everyone."""
        return self.approved and 0 < self.messages == self.sent


def read_months(connection: Connection) -> list[Month]:
    """How far each month has come."""
    found = connection.execute(load_demo_statement("months"), {"periods": [*map(str, PERIODS)]})
    return [Month(**row) for row in found.mappings()]


def read_quarters(connection: Connection) -> list[QuarterState]:
    """How far each quarter has come."""
    found = connection.execute(load_demo_statement("quarters"), {"quarters": [*map(str, QUARTERS)]})
    return [QuarterState(**row) for row in found.mappings()]


def may_wait_for_approval(months: Sequence[Month], quarters: Sequence[QuarterState]) -> bool:
    """Whether a quarter's months are assessed and nobody has approved its bulletin yet."""
    return any(
        not quarter.approved and all(month.assessed for month in months[3 * number : 3 * number + 3])
        for number, quarter in enumerate(quarters)
    )


class Screen:
    """What has been done, line by line; on a terminal, below it, what is being done and how far the months are."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._began_at = self._done_at = time.monotonic()
        self._live: Live | None = None
        self._step = ""
        self._table: Table | None = None

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began_at

    @property
    def idle_seconds(self) -> float:
        """Since something was done."""
        return time.monotonic() - self._done_at

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the length of a block."""
        live = Live(console=self._out, transient=True, refresh_per_second=4) if self._out.is_terminal else None
        with live or nullcontext():
            self._live = live
            yield
        self._live = None

    def start_step(self, what: str) -> None:
        """Say what is going on."""
        self._step = what
        self._draw()

    def finish_step(self, what: str) -> None:
        """Say what has been done, and after how many seconds."""
        self._done_at = time.monotonic()
        self._out.print(f"{self.seconds:6.1f} s  {escape(what)}", soft_wrap=True)

    def show(self, months: Sequence[Month], quarters: Sequence[QuarterState]) -> None:
        """Show how far the months and quarters have come."""
        self._table = Table("month", "institutions", "collected", "assessed", "", "quarter", "approved", "delivered")
        self._table.box = None
        for number, month in enumerate(months):
            row = [month.period, str(month.delivered or ""), _tick(month.closed), _tick(month.assessed), ""]
            if number % 3 == 0 and number // 3 < len(quarters):
                quarter = quarters[number // 3]
                delivered = f"{quarter.sent}/{quarter.messages}" if quarter.messages else ""
                row += [quarter.quarter, _tick(quarter.approved), delivered]
            self._table.add_row(*row)
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            spinner = Spinner("dots", escape(self._step))
            self._live.update(Group(spinner, self._table) if self._table is not None else spinner)


def _tick(is_done: bool) -> str:
    return "✓" if is_done else ""
