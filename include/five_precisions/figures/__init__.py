"""Figures: metrics, scores, targets, assessment, ranking, and the proof of each (docs/figures.md)."""

from five_precisions.figures.assess import Assessed, assess, validate_reference
from five_precisions.figures.cases import (
    Case,
    CaseHistory,
    CaseState,
    Decision,
    list_cases,
    read_case,
    set_aside,
    take_back,
)
from five_precisions.figures.explain import FigureExplanation, explain
from five_precisions.figures.restatement import (
    Restatement,
    months_left_behind,
    open_request,
    preview_restatement,
    restate,
)
from five_precisions.figures.targets import Target, list_targets, resplit

__all__ = [
    "Assessed",
    "Case",
    "CaseHistory",
    "CaseState",
    "Decision",
    "FigureExplanation",
    "Restatement",
    "Target",
    "assess",
    "explain",
    "list_cases",
    "list_targets",
    "months_left_behind",
    "open_request",
    "preview_restatement",
    "read_case",
    "resplit",
    "restate",
    "set_aside",
    "take_back",
    "validate_reference",
]
