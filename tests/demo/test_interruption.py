"""Signals that end the demo and the local stack: what is heard, and when."""

from __future__ import annotations

import signal

import pytest

from five_precisions_demo.stack import InterruptedByUserError, Interruption

pytestmark = pytest.mark.usefixtures("heard_signals")


def test_a_signal_is_raised_where_the_program_looks() -> None:
    interruption = Interruption().listen()
    interruption.check()
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(InterruptedByUserError, match="Interrupted by SIGTERM") as interrupted:
        interruption.check()
    assert interrupted.value.exit_code == 128 + signal.SIGTERM


def test_the_impatient_who_press_twice_do_not_change_how_it_ends(heard_signals: tuple[signal.Signals, ...]) -> None:
    interruption = Interruption().listen()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(InterruptedByUserError):
        interruption.check()
    # What Python leaves in place while it ends; any other handler gives way to the default, which kills.
    assert [signal.getsignal(number) for number in heard_signals] == [signal.SIG_IGN] * 3


def test_what_the_caller_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Interruption().listen()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
