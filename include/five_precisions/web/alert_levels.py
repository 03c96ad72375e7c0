"""How grave a case is, in the words of ops (docs/field.md)."""

from __future__ import annotations

from typing import Final

from five_precisions.figures.alerts import AlertLevel
from five_precisions.web.tables import Cell

ALERT_LEVEL_WORDS: Final = {AlertLevel.HIGH: "高", AlertLevel.MEDIUM: "中", AlertLevel.LOW: "低"}
ALERT_LEVEL_STYLES: Final = {AlertLevel.HIGH: "bad", AlertLevel.MEDIUM: "warn", AlertLevel.LOW: None}
"""Words for the style sheet."""


def alert_level_cell(level: AlertLevel) -> Cell:
    """The level of a case in a table."""
    return Cell(value=ALERT_LEVEL_WORDS[level], state=ALERT_LEVEL_STYLES[level])
