"""Sentences that refuse a reference file: what they say, and the line that they name."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"(?P<place> is wrong at [^:]+?), line \d+: ")
_OF_NO_LINE: Final = (" is wrong at the top: ", " is wrong at metrics: ")
"""What is of the whole file."""


def without_line(sentence: str) -> str:
    """The sentence without the line, which it names wherever it names a place."""
    if " is wrong at " in sentence and not any(words in sentence for words in _OF_NO_LINE):
        assert _LINE.search(sentence), sentence
    return _LINE.sub(r"\g<place>: ", sentence)
