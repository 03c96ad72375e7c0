"""Holding rows against their suite: screened first, and judged by Great Expectations where a rule may be broken.

See docs/reports.md#rules; docs/performance.md.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from five_precisions.intake.findings import Finding
from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.typed import TypedRows
from five_precisions.intake.rules.derived import FUNCTIONS, DerivedContext
from five_precisions.intake.rules.library import batch_definition
from five_precisions.intake.rules.screening import Screening
from five_precisions.intake.rules.suites import RowSuite, SuiteRule, columns_of
from five_precisions.reports import ColumnType
from five_precisions.reports.cells import Value

if TYPE_CHECKING:
    import pandas as pd

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_one_at_a_time = threading.Lock()
"""Great Expectations keeps one context, one asset and the suites built for a process: no two threads may validate."""
_EVERY_ROW: Final = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]}


class RuleError(Exception):
    """An expectation raised instead of answering: our fault, and that of these rows; others are judged on."""


Parameters = Mapping[str, Any]
"""Values that change per run, named in the suites as `{"$PARAMETER": name}`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks one rule."""

    rule: SuiteRule
    position: int


@dataclass(frozen=True, slots=True)
class SuiteAnswers:
    """What a suite says of a frame."""

    violations: tuple[Violation, ...] = ()
    validated: tuple[int, ...] = ()
    """Ordinals of the expectations that Great Expectations judged; the others were seen to hold by screening."""


def suite_findings(
    rows: TypedRows,
    suite: RowSuite,
    parameters: Parameters,
    context: DerivedContext,
    *,
    validate_all: bool = False,
) -> tuple[list[Finding], tuple[int, ...] | None]:
    """Hold the rows against their suite.

    Args:
        rows: Of one report.
        suite: Of the report, with the rules of the month.
        parameters: Values that the suite names.
        context: What derived columns need.
        validate_all: Whether Great Expectations judges every expectation on every row, screened or not.

    Returns:
        The findings, and the ordinals of the expectations that Great Expectations judged; None where there is no row.

    Raises:
        RuleError: an expectation could not be evaluated on these rows.
    """
    if not rows.rows:
        return [], None
    with without_collection():
        derived = {
            name: FUNCTIONS[function](context, *(rows.columns[column] for column in of))
            for name, (function, of) in suite.derived.items()
        }
        frame = build_frame(rows, derived)
    findings: list[Finding] = []
    answers = violations(frame, suite, parameters, validate_all=validate_all)
    for violation in answers.violations:
        rule, position = violation.rule, violation.position
        column = rows.report.column(rule.column)
        # An empty value in the frame may be a faulty cell, which is a finding of its own already.
        if position in rows.faults[column.name] or rows.place(column) is None:
            continue
        findings.append(
            rows.finding(
                position,
                column,
                rule=rule.rule,
                level=rule.level,
                message=_fill(rule.message, rows, derived, position, parameters) or "",
                expected=_fill(rule.expected, rows, derived, position, parameters),
            )
        )
    return findings, answers.validated


def build_frame(rows: TypedRows, derived: Mapping[str, list[Value]]) -> pd.DataFrame:
    """The typed frame that suites see: `row` (position from 0), `key`, the report's columns, the derived ones."""
    import pandas as pd

    # The very same object for all: each column is compared with it otherwise, and aligned.
    index = pd.RangeIndex(len(rows.rows))
    columns: dict[str, pd.Series[Any]] = {
        "row": pd.Series(index, index, dtype="int64"),
        "key": pd.Series(rows.compared_keys(), index, dtype="object"),
    }
    for column in rows.report.columns:
        values = rows.columns[column.name]
        if column.type is ColumnType.DATE:
            columns[column.name] = pd.Series(_as_days(values), index)
        else:
            dtype: Any = "Int64" if column.type is ColumnType.INT else "object"
            columns[column.name] = pd.Series(values, index, dtype=dtype)
    for name, values in derived.items():
        columns[name] = pd.Series(values, index, dtype="object")
    # Each column stays as it is: joined in blocks, they would be taken apart again at once.
    return pd.DataFrame(columns, index, copy=False)


def _as_days(values: Sequence[Value]) -> Any:
    """Days as an array, each taken over once; no day where there is no value."""
    import numpy as np

    places = {day: place for place, day in enumerate(dict.fromkeys(values))}
    # Seconds reach the year 9999; nanoseconds end in 2262.
    days = np.array(list(places), dtype="datetime64[D]").astype("datetime64[s]")
    return days[np.fromiter(map(places.__getitem__, values), np.int64, len(values))]


def violations(
    frame: pd.DataFrame, suite: RowSuite, parameters: Parameters, *, validate_all: bool = False
) -> SuiteAnswers:
    """Which rows break which rules.

    Screening says of most that they hold. Great Expectations judges the others, on the rows that may break a rule.

    Args:
        frame: The typed frame (`build_frame`).
        suite: What it is held against.
        parameters: Values that the suite names.
        validate_all: Whether Great Expectations judges every expectation on every row, screened or not.

    Raises:
        RuleError: an expectation could not be evaluated on these rows.
    """
    import numpy as np

    if not suite.expectations or frame.empty:
        return SuiteAnswers()
    everything = tuple(range(len(suite.expectations)))
    if validate_all:
        asked, shown = everything, frame
    else:
        screening = Screening(frame, parameters)
        doubts = [screening.rows_in_doubt(expectation) for expectation in suite.expectations]
        asked = tuple(ordinal for ordinal in everything if doubts[ordinal].any())
        if not asked:
            return SuiteAnswers()
        wanted = {name for ordinal in asked for name in columns_of(suite.expectations[ordinal])} | {"row"}
        shown = frame.loc[np.logical_or.reduce(doubts), [name for name in frame.columns if name in wanted]]
    found = _unexpected(shown, suite, asked, parameters)
    return SuiteAnswers(
        tuple(Violation(suite.rules[ordinal], position) for ordinal in sorted(found) for position in found[ordinal]),
        asked,
    )


def _unexpected(
    frame: pd.DataFrame, suite: RowSuite, ordinals: tuple[int, ...], parameters: Parameters
) -> dict[int, list[int]]:
    """The rows (column `row`) that break each of these expectations; those that hold are left out."""
    if not ordinals:
        return {}
    with _one_at_a_time:
        batch = batch_definition().get_batch(batch_parameters={"dataframe": frame})
        outcome = batch.validate(
            suite.build(ordinals), expectation_parameters=dict(parameters), result_format=_EVERY_ROW
        )
    found: dict[int, list[int]] = {}
    for result in outcome.results:
        ordinal = result.expectation_config.meta["ordinal"]
        rows = result.result.get("unexpected_index_list")
        if rows is None:
            raise RuleError(
                f"The rule {suite.rules[ordinal].rule} of {suite.report.code} cannot be evaluated: "
                f"{_reason(result.exception_info)}"
            )
        found[ordinal] = [int(row["row"]) for row in rows]
    return found


def _reason(exception_info: Any) -> str:
    """What Great Expectations says of a failed evaluation, without the values that its traceback may hold."""
    text = str(exception_info)
    match = re.search(r"exception_message': [\"']([^\"']{1,200})", text)
    return match[1] if match else "unknown reason"


def _fill(
    template: str | None,
    rows: TypedRows,
    derived: Mapping[str, list[Value]],
    position: int,
    parameters: Parameters,
) -> str | None:
    """Put numbers, dates and choices of the row, derived numbers and parameters into a message; never a free text."""
    if template is None or "{" not in template:
        return template
    sensitive = {column.name for column in rows.report.columns if column.sensitive}

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name in derived and not isinstance(derived[name][position], str):
            value: object = derived[name][position]
        elif name in rows.columns and name not in sensitive and rows.report.column(name).type is not ColumnType.TEXT:
            value = rows.columns[name][position]
        elif name in parameters:
            value = parameters[name]
        else:
            return match[0]
        return value.strftime("%Y-%m-%d") if isinstance(value, date) else str(value)

    return _PLACEHOLDER.sub(value_of, template)
