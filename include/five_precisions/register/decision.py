"""What people give as their reason: what goes on record with a decision."""

from __future__ import annotations

import unicodedata
from typing import Final

from five_precisions.display import is_control
from five_precisions.errors import UsageError
from five_precisions.reports.masking import mask_digit_runs

LONGEST_REASON: Final = 500
"""Characters."""
_VISIBLE: Final = frozenset("LNPS")
"""First letters of the categories of what can be seen: letters, numbers, punctuation, symbols."""
_LAID_OUT: Final = frozenset("\t\n\r")


def reason_of(words: str, why: str) -> str:
    """The reason on one line, as it may be kept: people copy account numbers into such lines.

    Args:
        words: As given.
        why: What is said where there are none, e.g. `A month is restated for a reason`.

    Raises:
        UsageError: there is none, it is too long, or it holds a control character.
    """
    said = " ".join(readable(words, "The reason").split())
    if not any(unicodedata.category(each)[0] in _VISIBLE for each in said):
        raise UsageError(f"{why}; give it in a few words.")
    if len(said) > LONGEST_REASON:
        raise UsageError(f"The reason has {len(said)} characters; {LONGEST_REASON} are enough.")
    return mask_digit_runs(said)


def readable(words: str, what: str) -> str:
    """The text as it is, which may go over several lines.

    Args:
        words: As given.
        what: What it is, e.g. `The remark`.

    Raises:
        UsageError: it holds a control character, such as NUL, or half of a character.
    """
    for each in filter(is_control, words):
        if each not in _LAID_OUT:
            raise UsageError(f"{what} holds the control character U+{ord(each):04X}; take it out.")
    return words


def storable(words: str) -> str:
    """The text without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return words.encode("utf-8", "replace").decode().replace("\x00", "?")
