"""The indicators of the assessment and what they are called (docs/figures.md#assessment)."""

from __future__ import annotations

from typing import Final

INDICATORS: Final = {
    "growth": "基础指标",
    "completion": "完成率",
    "matching": "项目对接",
    "visits": "走访",
    "quality": "资产质量",
    "reporting": "报送质量",
}
"""Chinese name by code, in the order of docs/figures.md#assessment."""
