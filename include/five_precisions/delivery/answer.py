"""What came of handing a message over once (docs/outputs.md#messages)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What one attempt came to."""

    SENT = "sent"
    REFUSED_FOR_NOW = "refused_for_now"
    """Nothing was taken; the same message may be taken later."""
    REFUSED = "refused"
    """Nothing was taken, nor will it be."""
    IN_DOUBT = "in_doubt"
    """Perhaps it was taken; nobody here knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one attempt, with what the other side said or what went wrong."""

    outcome: Outcome
    reply: str
    """One line, fit to be kept and shown: no secret, no long run of digits."""
    is_reached: bool = True
    """Whether the server let us in at all; where not, the next message would fare no better."""
    is_answered: bool = True
    """Whether the server said anything to this message, be it no."""
