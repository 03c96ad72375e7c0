"""Seeded chance. Every topic draws from a stream of its own, so that a change in one leaves the others as they were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import TypeVar

from five_precisions_demo.city.timetable import workdays_between

_T = TypeVar("_T")


def stream(seed: int, *topic: str) -> Random:
    """The stream of one topic: the same seed and topic always draw the same."""
    # Invented data wants repeatable chance, not secrecy.
    return Random("/".join((str(seed), *topic)))


def draw_workday(rng: Random, first: date, last: date) -> date:
    """A Chinese working day from first to last, both included; banks lend, visit and report on working days."""
    return rng.choice(workdays_between(first, last))


def shuffled(rng: Random, items: Sequence[_T]) -> list[_T]:
    """A shuffled copy."""
    return rng.sample(items, len(items))
