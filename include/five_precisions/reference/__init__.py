"""Reading reference files, and what metrics, boards and indicators there are, as typed values (include/reference)."""

from five_precisions.reference.catalogue import Board, Catalogue, MadeFigure, Metric, load_boards, load_catalogue
from five_precisions.reference.dates import Dated, FromPeriod, UntilPeriod, from_period, of_years
from five_precisions.reference.files import (
    YEARS,
    MisplacedError,
    ReferenceModel,
    TableLine,
    doubled,
    find_reference,
    load_json,
    load_reference,
    load_table,
    load_yaml,
    sentences_of,
    unknown_name,
    wrong_at,
)
from five_precisions.reference.indicators import Indicator, load_indicators
from five_precisions.reference.measures import Declared, Fact, Measure, Ratio, Scope, load_fact
from five_precisions.reference.statements_of_metrics import refuse_unnamed_statements, unnamed_statements

__all__ = [
    "YEARS",
    "Board",
    "Catalogue",
    "Dated",
    "Declared",
    "Fact",
    "FromPeriod",
    "Indicator",
    "MadeFigure",
    "Measure",
    "Metric",
    "MisplacedError",
    "Ratio",
    "ReferenceModel",
    "Scope",
    "TableLine",
    "UntilPeriod",
    "doubled",
    "find_reference",
    "from_period",
    "load_boards",
    "load_catalogue",
    "load_fact",
    "load_indicators",
    "load_json",
    "load_reference",
    "load_table",
    "load_yaml",
    "of_years",
    "refuse_unnamed_statements",
    "sentences_of",
    "unknown_name",
    "unnamed_statements",
    "wrong_at",
]
