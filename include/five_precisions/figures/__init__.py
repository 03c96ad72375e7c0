"""Figures: metrics, scores, targets, assessment, ranking, and the proof of each (spec/04)."""

from five_precisions.figures.assess import Assessed, assess
from five_precisions.figures.explain import Explanation, explain

__all__ = ["Assessed", "Explanation", "assess", "explain"]
