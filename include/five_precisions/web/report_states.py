"""How a report of a month stands, in the words of ops (docs/field.md)."""

from __future__ import annotations

from typing import Final

from five_precisions.web.tables import Cell

REPORT_STATE_WORDS: Final = {
    "accepted": "已接收",
    "nil": "零报送",
    "rejected": "已退回",
    "missing": "缺报",
    "expected": "待报",
}
REPORT_STATE_STYLES: Final = {
    "accepted": "good",
    "nil": "good",
    "rejected": "bad",
    "missing": "bad",
    "expected": "warn",
}
"""Words for the style sheet."""
IN_HAND: Final = ("accepted", "nil")
"""Nothing is missed any more."""


def report_state_cell(state: str) -> Cell:
    """The state of a report in a table."""
    return Cell(value=REPORT_STATE_WORDS[state], state=REPORT_STATE_STYLES[state])
