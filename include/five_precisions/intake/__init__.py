"""Package → archive → checks → ledger → rows; the close of the month (spec/03)."""

from five_precisions.intake.closing import Close, close
from five_precisions.intake.collection import collect, read_deadline
from five_precisions.intake.findings import Finding, JudgedReport, Judgement, Level, State, Verdict
from five_precisions.intake.selfcheck import check
from five_precisions.intake.status import ReportState, read_status
from five_precisions.intake.waiting import find_settled

__all__ = [
    "Close",
    "Finding",
    "JudgedReport",
    "Judgement",
    "Level",
    "ReportState",
    "State",
    "Verdict",
    "check",
    "close",
    "collect",
    "find_settled",
    "read_deadline",
    "read_status",
]
