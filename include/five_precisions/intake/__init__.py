"""Package → archive → reading → judging → ledger (docs/intake.md)."""

from five_precisions.intake.archive import Archive, Condition, Copy
from five_precisions.intake.deadlines import (
    Deadline,
    MovedDeadline,
    last_deadline,
    move_deadline,
    read_deadline,
    read_deadlines,
)
from five_precisions.intake.explanations import ListedExplanation, list_explanations
from five_precisions.intake.failed_packages import FailedPackage, describe_failed, read_failed
from five_precisions.intake.findings import Finding, JudgedReport, Judgement, State, Verdict
from five_precisions.intake.ruleset import validate_reference
from five_precisions.intake.status import ReportState, read_status
from five_precisions.intake.unknown_folders import UnknownFolder, Unread, find_unknown_folders
from five_precisions.intake.verification import Fault, Renewal, Verification, renew, verify
from five_precisions.intake.waiting import LyingFiles, find_lying, find_settled, look_for_package, note_settled

__all__ = [
    "Archive",
    "Condition",
    "Copy",
    "Deadline",
    "FailedPackage",
    "Fault",
    "Finding",
    "JudgedReport",
    "Judgement",
    "ListedExplanation",
    "LyingFiles",
    "MovedDeadline",
    "Renewal",
    "ReportState",
    "State",
    "UnknownFolder",
    "Unread",
    "Verdict",
    "Verification",
    "describe_failed",
    "find_lying",
    "find_settled",
    "find_unknown_folders",
    "last_deadline",
    "list_explanations",
    "look_for_package",
    "move_deadline",
    "note_settled",
    "read_deadline",
    "read_deadlines",
    "read_failed",
    "read_status",
    "renew",
    "validate_reference",
    "verify",
]
