"""What levels and verdicts are called, wherever an institution or ops read them (docs/intake.md#the-receipt)."""

from __future__ import annotations

from typing import Final

from five_precisions.intake.findings import Verdict
from five_precisions.reports.level import Level

LEVEL_WORDS: Final = {Level.CRITICAL: "错误", Level.WARNING: "警告", Level.NOTICE: "提示"}
LEVEL_REQUESTS: Final = {
    Level.CRITICAL: "须更正后重报",
    Level.WARNING: "不影响接收，请核实",
    Level.NOTICE: "仅供了解，无需处理",
}
"""What a finding of the level asks of the institution."""
REPORT_VERDICT_WORDS: Final = {Verdict.ACCEPTED: "接收", Verdict.NIL: "接收（零报送）", Verdict.REJECTED: "退回"}
SUBMISSION_VERDICT_WORDS: Final = {
    Verdict.ACCEPTED: "全部接收",
    Verdict.PARTIAL: "部分接收",
    Verdict.REJECTED: "全部退回",
}
