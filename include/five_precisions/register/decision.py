"""Why ops decided something: what goes on record with a decision."""

from __future__ import annotations

from typing import Final

from five_precisions.errors import UsageError
from five_precisions.reports.masking import mask_digit_runs

_LONGEST_REASON: Final = 500
"""Characters."""


def reason_of(words: str, why: str) -> str:
    """The reason on one line, as it may be kept: people copy account numbers into such lines.

    Args:
        words: As given.
        why: What is said where there are none, e.g. `A month is restated for a reason`.

    Raises:
        UsageError: there is none, or it is too long.
    """
    said = storable(mask_digit_runs(" ".join(words.split())))
    if not said:
        raise UsageError(f"{why}; give it in a few words.")
    if len(said) > _LONGEST_REASON:
        raise UsageError(f"The reason has {len(said)} characters; {_LONGEST_REASON} are enough.")
    return said


def storable(words: str) -> str:
    """The text without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return words.encode("utf-8", "replace").decode().replace("\x00", "?")
