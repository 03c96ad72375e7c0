"""Package → archive → checks → ledger → rows; the close of the month (docs/intake.md)."""

from five_precisions.intake.archive import Archive, Condition, Copy
from five_precisions.intake.closing import Close, Force, PackagesWaitingError, Reopening, close, reopen
from five_precisions.intake.collection import COVER_WAIT, collect
from five_precisions.intake.deadlines import (
    Deadline,
    MovedDeadline,
    last_deadline,
    move_deadline,
    read_deadline,
    read_deadlines,
)
from five_precisions.intake.explanations import ListedExplanation, list_explanations
from five_precisions.intake.findings import Finding, JudgedReport, Judgement, Level, State, Verdict
from five_precisions.intake.forms.template import write_template
from five_precisions.intake.judging import validate_reference
from five_precisions.intake.late import collect_late
from five_precisions.intake.selfcheck import check
from five_precisions.intake.status import ReportState, read_status
from five_precisions.intake.strays import find_strays
from five_precisions.intake.telling.data_docs import build_data_docs
from five_precisions.intake.telling.reminders import post_reminders
from five_precisions.intake.verification import Fault, Renewal, Verification, renew, verify
from five_precisions.intake.waiting import find_settled, note_settled

__all__ = [
    "COVER_WAIT",
    "Archive",
    "Close",
    "Condition",
    "Copy",
    "Deadline",
    "Fault",
    "Finding",
    "Force",
    "JudgedReport",
    "Judgement",
    "Level",
    "ListedExplanation",
    "MovedDeadline",
    "PackagesWaitingError",
    "Renewal",
    "Reopening",
    "ReportState",
    "State",
    "Verdict",
    "Verification",
    "build_data_docs",
    "check",
    "close",
    "collect",
    "collect_late",
    "find_settled",
    "find_strays",
    "last_deadline",
    "list_explanations",
    "move_deadline",
    "note_settled",
    "post_reminders",
    "read_deadline",
    "read_deadlines",
    "read_status",
    "renew",
    "reopen",
    "validate_reference",
    "verify",
    "write_template",
]
