"""The quarterly bulletin and the monthly notices: results told to people (spec/05, Bulletin and Messages)."""

from five_precisions.bulletin.invariants import InvariantError
from five_precisions.bulletin.issue import (
    LONGEST_REMARK,
    Decision,
    Rendered,
    decide,
    next_draft,
    preview,
    render,
    write,
)
from five_precisions.bulletin.notices import post_notices

__all__ = [
    "LONGEST_REMARK",
    "Decision",
    "InvariantError",
    "Rendered",
    "decide",
    "next_draft",
    "post_notices",
    "preview",
    "render",
    "write",
]
