"""What a restatement changes, in the words of ops."""

from __future__ import annotations

from typing import Final

RESTATED_TABLE_WORDS: Final = {
    "assessment": "考核结果",
    "ranking": "排名",
    "relending_advice": "支农再贷款建议",
    "assessment_item": "考核指标",
    "alert": "预警",
    "reporting": "报送情况",
    "pace": "进度",
    "next_step": "改进空间",
    "metric": "指标数据",
    "league_reconciliation": "与省排名表核对",
    "household_score": "农户评分",
}
"""What the tables hold, in the order in which a person wants to see them."""
