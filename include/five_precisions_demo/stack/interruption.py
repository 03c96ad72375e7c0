"""How a signal ends the program: when its main thread is ready for it."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self

from five_precisions.errors import FivePrecisionsError


class InterruptedByUserError(FivePrecisionsError):
    """Ctrl-C, SIGTERM or a closed terminal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Interrupted by {signal.Signals(number).name}; every process is ended.")
        self.exit_code = 128 + number


class Interruption:
    """Signals that end the program, noted by the handler and raised where the main thread looks.

    A handler that raised could hit between the start of a process and the note of it, or in the middle of cleaning up.
    One that only notes cannot: every wait looks ten times a second, and while cleaning up nobody looks.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._heard: list[signal.Signals] = []

    def listen(self) -> Self:
        """From now on. A signal that the caller ignores, as under nohup, stays ignored."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)
                self._heard.append(number)
        return self

    def check(self) -> None:
        """Raise if a signal has come; the next ones are ignored.

        While Python ends, a signal with a handler would do what it does by default: kill the program, which then ends
        without its exit code.

        Raises:
            InterruptedByUserError: it has.
        """
        if self._number is not None:
            for number in self._heard:
                signal.signal(number, signal.SIG_IGN)
            raise InterruptedByUserError(self._number)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._number = self._number or number
