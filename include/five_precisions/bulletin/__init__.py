"""The quarterly bulletin and the monthly notices: results told to people (spec/05, Bulletin and Messages)."""

from five_precisions.bulletin.invariants import InvariantError
from five_precisions.bulletin.issue import Decision, Rendered, decide, render, write
from five_precisions.bulletin.notices import post_notices

__all__ = ["Decision", "InvariantError", "Rendered", "decide", "post_notices", "render", "write"]
