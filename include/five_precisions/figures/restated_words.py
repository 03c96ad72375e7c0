"""What a restatement changes, in the words of ops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from five_precisions.reference import load_indicators
from five_precisions.reports import load_reports

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
_LEAGUE_WORDS: Final = {"balance": "贷款余额", "ytd_amount": "本年发放额", "ytd_households": "本年发放户数"}
_FIELD_WORDS: Final = {
    "score": "得分",
    "deductions": "扣分",
    "grade": "等次",
    "rank": "名次",
    "previous_rank": "上月名次",
    "previous_score": "上月得分",
    "status": "状态",
    "weight": "权重",
    "raw": "指标值",
    "points": "得分率",
    "target": "全年目标",
    "reached": "本年已发放",
    "due": "按序时应达",
    "needed_per_month": "以后每月需",
    "forecast": "全年预计",
    "value": "数值",
    "issue": "新增",
    "extension": "展期",
    "version": "版本",
    "on_time": "是否按时",
    "first_pass": "是否一次通过",
    "errors": "错误",
    "warnings": "警告",
    "level": "级别",
    "measure": "实测值",
    "computed": "计算数",
    "reported": "上报数",
    "difference": "差额",
    "step": "改进",
    "raw_after": "改进后指标值",
    "score_after": "改进后得分",
    "grade_after": "改进后等次",
    "rank_after": "改进后名次",
    "tier": "评级",
    "credit_limit": "授信额度",
    "workers_points": "劳动力得分",
    "income_points": "收入得分",
    "debts_points": "负债得分",
    "business_points": "经营得分",
    "training_points": "培训得分",
    "conduct_points": "品行得分",
}


def restated_figure_words(table: str, figure: str, boards: Mapping[str, str] | None = None) -> str:
    """A figure of `mart.restated_figure` in words: `growth/points` of `assessment_item` is 基础指标 得分率.

    Args:
        table: That holds it.
        figure: Its name there: what it is part of, and the column.
        boards: What boards are called, by code.
    """
    if table == "reporting":
        known = {code: report.title for code, report in load_reports().items()}
    elif table == "ranking":
        known = dict(boards or {})
    else:
        known = {code: indicator.name for code, indicator in load_indicators().items()} | _LEAGUE_WORDS
    *parts, column = figure.split("/")
    return " ".join([*(known.get(part, part) for part in parts), _FIELD_WORDS.get(column, column)])
