"""Reference files as typed values: what metrics, boards and indicators there are (include/reference)."""

from five_precisions.reference.catalogue import Board, Catalogue, Metric, Scope, load_boards, load_catalogue
from five_precisions.reference.files import load_reference
from five_precisions.reference.indicators import INDICATORS

__all__ = [
    "INDICATORS",
    "Board",
    "Catalogue",
    "Metric",
    "Scope",
    "load_boards",
    "load_catalogue",
    "load_reference",
]
