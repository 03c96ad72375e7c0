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
    LeftBehind,
    Restatement,
    list_left_behind,
    months_left_behind,
    open_request,
    preview_restatement,
    restate,
)
from five_precisions.figures.scheme import Scheme, load_scheme
from five_precisions.figures.scheme_fields import (
    FieldKind,
    SchemeField,
    TriedSchemeError,
    change_scheme,
    list_scheme_fields,
)
from five_precisions.figures.targets import Target, list_targets, resplit
from five_precisions.figures.trial import (
    JudgedIndicator,
    Standing,
    Trial,
    TriedBank,
    TriedIndicator,
    TriedVisitRound,
    try_scheme,
)

__all__ = [
    "Assessed",
    "Case",
    "CaseHistory",
    "CaseState",
    "Decision",
    "FieldKind",
    "FigureExplanation",
    "JudgedIndicator",
    "LeftBehind",
    "Restatement",
    "Scheme",
    "SchemeField",
    "Standing",
    "Target",
    "Trial",
    "TriedBank",
    "TriedIndicator",
    "TriedSchemeError",
    "TriedVisitRound",
    "assess",
    "change_scheme",
    "explain",
    "list_cases",
    "list_left_behind",
    "list_scheme_fields",
    "list_targets",
    "load_scheme",
    "months_left_behind",
    "open_request",
    "preview_restatement",
    "read_case",
    "resplit",
    "restate",
    "set_aside",
    "take_back",
    "try_scheme",
    "validate_reference",
]
