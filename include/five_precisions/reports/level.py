"""How grave what a rule finds is (docs/reports.md#rules)."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """What a finding does: rejects the report, asks for an answer, or only informs."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"
