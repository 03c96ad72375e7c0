"""The quarterly bulletin and the monthly notices: results as people read them (docs/outputs.md#bulletin)."""

from five_precisions.bulletin.assessment_summary import describe_assessment
from five_precisions.bulletin.invariants import UnsoundBulletinError
from five_precisions.bulletin.issue import (
    LONGEST_REMARK,
    DraftDecision,
    Rendered,
    WaitingDraft,
    decide,
    find_waiting,
    preview,
    render,
    render_draft,
    show_draft,
    write,
)
from five_precisions.bulletin.notices import post_notices

__all__ = [
    "LONGEST_REMARK",
    "DraftDecision",
    "Rendered",
    "UnsoundBulletinError",
    "WaitingDraft",
    "decide",
    "describe_assessment",
    "find_waiting",
    "post_notices",
    "preview",
    "render",
    "render_draft",
    "show_draft",
    "write",
]
