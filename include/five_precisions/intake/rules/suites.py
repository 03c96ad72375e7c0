"""The rules on rows of one report: Great Expectations suites in include/expectations (docs/reports.md#rules).

Every expectation's `meta` names its rule, the column whose cell is marked, the message and what is expected. `since`
names the first month that is held against it; left out, every month is. A new rule that needs no new
derived column is added by editing the report's JSON file only.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from five_precisions.errors import SetupError
from five_precisions.intake.findings import Finding
from five_precisions.intake.reading.typed import TypedRows
from five_precisions.intake.rules.derived import FUNCTIONS, DerivedContext
from five_precisions.period import Period
from five_precisions.reference import from_period, load_json
from five_precisions.reports import ColumnType, Report
from five_precisions.reports.cells import Value
from five_precisions.reports.level import Level
from five_precisions.settings import INCLUDE

if TYPE_CHECKING:
    import pandas as pd

SUITE_FOLDER: Final = INCLUDE / "expectations"
_LEVELS: Final = {"critical": Level.CRITICAL, "warning": Level.WARNING, "info": Level.NOTICE}
_IS_WORD = re.compile(r"[a-z_]+")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COLUMN_KWARGS: Final = ("column", "column_A", "column_B")
_OF_NULLS: Final = frozenset({"expect_column_values_to_be_null", "expect_column_values_to_not_be_null"})
_OF_EACH_ROW: Final = _OF_NULLS | {
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_be_between",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_match_regex_list",
    "expect_column_pair_values_a_to_be_greater_than_b",
}
"""Expectations that judge a row by its own values, whatever the others are."""
_MANY_ROWS: Final = 5_000
"""From here on it is worth a second validation, whose cost does not depend on rows, to show it fewer of them."""
_FEW_KINDS: Final = 4
"""Kinds are few where there are this many rows to each."""
_one_at_a_time = threading.Lock()
"""Great Expectations keeps one context, one asset and the suites built for a process: no two threads may validate."""
_EVERY_ROW: Final = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]}


class RuleError(Exception):
    """An expectation raised instead of answering: our fault, and that of these rows; others are judged on."""


Parameters = Mapping[str, Any]
"""Values that change per run, named in the suites as `{"$PARAMETER": name}`."""


@dataclass(frozen=True, slots=True)
class SuiteRule:
    """What one expectation of a suite means to an institution."""

    rule: str
    level: Level
    column: str
    message: str
    expected: str | None
    since: Period | None = None
    """First month whose rows are held against it; None: every month."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks one rule."""

    rule: SuiteRule
    position: int


@dataclass(frozen=True)
class RowSuite:
    """The suite of one report, read from its file."""

    report: Report
    rules: tuple[SuiteRule, ...]
    expectations: tuple[dict[str, Any], ...]
    """As Great Expectations takes them; `meta.ordinal` points into `rules`."""
    derived: dict[str, tuple[str, tuple[str, ...]]]
    """Column → function and the columns that it is made of."""
    _built: dict[tuple[int, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    _shorter: dict[int, RowSuite] = field(default_factory=dict, compare=False, repr=False)
    """By number of rules: of two months the later one is held against the same rules and more."""

    def build(self, ordinals: tuple[int, ...]) -> Any:
        """Some of the expectations as a suite of Great Expectations, built once."""
        gx = great_expectations_library()
        if ordinals not in self._built:
            chosen = [self.expectations[ordinal] for ordinal in ordinals]
            self._built[ordinals] = gx.ExpectationSuite(name=self.report.code, expectations=chosen)
        return self._built[ordinals]

    def of(self, period: Period) -> RowSuite:
        """The suite with the rules alone that the month is held against; most often this one."""
        kept = [n for n, rule in enumerate(self.rules) if rule.since is None or rule.since <= period]
        if len(kept) == len(self.rules):
            return self
        if len(kept) not in self._shorter:
            rules = tuple(self.rules[ordinal] for ordinal in kept)
            expectations = _numbered(self.expectations[ordinal] for ordinal in kept)
            self._shorter[len(kept)] = RowSuite(self.report, rules, expectations, self.derived)
        return self._shorter[len(kept)]


@cache
def load_suite(report: Report, folder: Path = SUITE_FOLDER) -> RowSuite:
    """Read `<report>.json` and check that it can be used.

    Raises:
        SetupError: the file is missing, is no suite, or lacks what a finding needs.
    """
    path = folder / f"{report.code}.json"
    try:
        suite = load_json(path, "a suite")
        derived = {
            name: (made["function"], tuple(made["of"]))
            for name, made in suite.get("meta", {}).get("derived", {}).items()
        }
        expectations = tuple(suite["expectations"])
    except (KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"{path} is no suite with expectations: {error}.") from error
    columns = {column.name for column in report.columns}
    for name, (function, of) in derived.items():
        if function not in FUNCTIONS or not {*of} <= columns:
            raise SetupError(f"{path}: the derived column {name} names an unknown function or column.")
    rules: list[SuiteRule] = []
    for number, expectation in enumerate(expectations):
        try:
            rules.append(_rule(expectation, columns, columns | {"row", "key", *derived}))
        except KeyError as error:
            raise SetupError(f"{path} is wrong at expectations.{number}: there is no {error}.") from None
        except (ValueError, TypeError) as error:
            raise SetupError(f"{path} is wrong at expectations.{number}: {error}.") from None
    dated = ({**expectation, "kwargs": _with_dates(expectation["kwargs"])} for expectation in expectations)
    return RowSuite(report, tuple(rules), _numbered(dated), derived)


def _numbered(expectations: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple({**each, "meta": {"ordinal": ordinal}} for ordinal, each in enumerate(expectations))


def _rule(expectation: dict[str, Any], marked: Set[str], seen: Set[str]) -> SuiteRule:
    meta, kind, kwargs = expectation["meta"], expectation["type"], expectation["kwargs"]
    if not _IS_WORD.fullmatch(kind) or not (_expectations_folder() / f"{kind}.py").is_file():
        raise ValueError(f"Great Expectations has no {kind}")
    if expectation["severity"] not in _LEVELS:
        raise ValueError(f"severity is one of {', '.join(_LEVELS)}")
    if meta["column"] not in marked:
        raise ValueError(f"no such column: {meta['column']}")
    if unknown := [name for name in _columns_of(expectation) if name not in seen]:
        raise ValueError(f"no such column: {unknown[0]}")
    forms = [kwargs.get("regex"), *(kwargs["regex_list"] if isinstance(kwargs.get("regex_list"), list) else [])]
    for form in filter(None, forms):
        try:
            re.compile(form)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{form!r} is no regular expression: {error}") from None
    since = meta.get("since")
    if not isinstance(since, str | None):
        raise TypeError("since is a month, YYYY-MM")
    return SuiteRule(
        rule=meta["rule"],
        level=_LEVELS[expectation["severity"]],
        column=meta["column"],
        message=meta["message"],
        expected=meta.get("expected"),
        since=None if since is None else from_period(since),
    )


@cache
def _expectations_folder() -> Path:
    """Where Great Expectations keeps a module for each expectation; the library is not imported to look there."""
    spec = importlib.util.find_spec("great_expectations")
    if spec is None or spec.origin is None:
        raise SetupError("Great Expectations is not installed; run: make install")
    return Path(spec.origin).parent / "expectations" / "core"


def _with_dates(kwargs: dict[str, Any]) -> dict[str, Any]:
    """JSON has no dates: a bound written YYYY-MM-DD is one."""
    import pandas as pd

    return {
        name: pd.Timestamp(value) if isinstance(value, str) and _ISO_DATE.fullmatch(value) else value
        for name, value in kwargs.items()
    }


def suite_findings(rows: TypedRows, suite: RowSuite, parameters: Parameters, context: DerivedContext) -> list[Finding]:
    """Hold the rows against their suite."""
    if not rows.rows:
        return []
    derived = {
        name: FUNCTIONS[function](context, *(rows.columns[column] for column in of))
        for name, (function, of) in suite.derived.items()
    }
    findings: list[Finding] = []
    for violation in violations(build_frame(rows, derived), suite, parameters):
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
    return findings


def build_frame(rows: TypedRows, derived: Mapping[str, list[Value]]) -> pd.DataFrame:
    """The typed frame that suites see: `row` (position from 0), `key`, the report's columns, the derived ones."""
    import numpy as np
    import pandas as pd

    count = len(rows.rows)
    columns: dict[str, pd.Series[Any]] = {
        "row": pd.Series(range(count), dtype="int64"),
        "key": pd.Series(rows.compared_keys(), dtype="object"),
    }
    for column in rows.report.columns:
        values = rows.columns[column.name]
        if column.type is ColumnType.DATE:
            # Seconds reach the year 9999; nanoseconds end in 2262.
            columns[column.name] = pd.Series(np.array(values, dtype="datetime64[D]").astype("datetime64[s]"))
        else:
            dtype: Any = "Int64" if column.type is ColumnType.INT else "object"
            columns[column.name] = pd.Series(values, dtype=dtype)
    for name, values in derived.items():
        columns[name] = pd.Series(values, dtype="object")
    return pd.DataFrame(columns)


def violations(frame: pd.DataFrame, suite: RowSuite, parameters: Parameters) -> list[Violation]:
    """Which rows break which rules.

    First every expectation is asked for a yes or no only, then those that failed for their rows. That is measured to
    halve the time of a clean file. Of a large file, a rule that looks at each row by itself is asked once for each
    combination of values. A hundred thousand loans have a few hundred kinds of dates and amounts.

    Raises:
        RuleError: an expectation could not be evaluated on these rows.
    """
    if not suite.expectations:
        return []
    empty = {str(name) for name in frame.columns if frame[name].isna().all()}
    asked = [
        ordinal for ordinal, expectation in enumerate(suite.expectations) if not _holds_of_nothing(expectation, empty)
    ]
    found: dict[int, list[int]] = {}
    if len(frame) >= _MANY_ROWS:
        kinds = {ordinal: kinds for ordinal in asked if (kinds := _kinds_of_rows(frame, suite.expectations[ordinal]))}
        chosen = sorted({int(position) for each in kinds.values() for position in each.first})
        for ordinal, positions in _unexpected(frame.iloc[chosen], suite, tuple(kinds), parameters).items():
            found[ordinal] = kinds[ordinal].rows_like(positions)
        asked = [ordinal for ordinal in asked if ordinal not in kinds]
        wanted = {name for ordinal in asked for name in _columns_of(suite.expectations[ordinal])}
        frame = frame[["row", *(name for name in frame.columns if name in wanted)]]
    found |= _unexpected(frame, suite, tuple(asked), parameters)
    return [Violation(suite.rules[ordinal], position) for ordinal in sorted(found) for position in found[ordinal]]


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The rows sorted by the values that one rule looks at: what it says of one row it says of all of that kind."""

    of_row: Any
    """Array: the kind of every row."""
    first: Any
    """Array: the first row of every kind."""

    def rows_like(self, positions: Sequence[int]) -> list[int]:
        """All rows of the kinds of these rows."""
        import numpy as np

        return [int(row) for row in np.flatnonzero(np.isin(self.of_row, self.of_row[positions]))]


def _kinds_of_rows(frame: pd.DataFrame, expectation: Mapping[str, Any]) -> _Kinds | None:
    """The kinds of rows for a rule that looks at each row by itself; None for another, or where they are many."""
    import numpy as np
    import pandas as pd

    if expectation["type"] not in _OF_EACH_ROW:
        return None
    of_row = np.zeros(len(frame), dtype=np.int64)
    is_null_asked = expectation["type"] in _OF_NULLS
    for name in _columns_of(expectation):
        column = frame[name]
        codes, distinct = pd.factorize(
            column.isna() if is_null_asked and name == expectation["kwargs"]["column"] else column
        )
        of_row, kinds = pd.factorize(of_row * (len(distinct) + 1) + codes)
        if len(kinds) * _FEW_KINDS > len(frame):
            return None
    return _Kinds(of_row, np.unique(of_row, return_index=True)[1])


def _columns_of(expectation: Mapping[str, Any]) -> list[str]:
    """The columns that an expectation looks at, its condition's included."""
    kwargs = expectation["kwargs"]
    own = [kwargs[name] for name in _COLUMN_KWARGS if name in kwargs]
    return sorted({*own, *_columns_named(kwargs.get("row_condition"))})


def _columns_named(condition: object) -> Iterator[str]:
    match condition:
        case {"column": {"name": str(name)}}:
            yield name
        case {"conditions": [*conditions]}:
            for each in conditions:
                yield from _columns_named(each)


def _unexpected(
    frame: pd.DataFrame, suite: RowSuite, ordinals: tuple[int, ...], parameters: Parameters
) -> dict[int, list[int]]:
    """The rows (column `row`) that break each of these expectations; those that hold are left out."""
    if not ordinals:
        return {}
    with _one_at_a_time:
        batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
        failed = tuple(
            ordinal
            for ordinal, result in _evaluate(batch, suite, ordinals, parameters, "BOOLEAN_ONLY")
            if not result.success
        )
        results = _evaluate(batch, suite, tuple(sorted(failed)), parameters, _EVERY_ROW)
    found: dict[int, list[int]] = {}
    for ordinal, result in results:
        rows = result.result.get("unexpected_index_list")
        if rows is None:
            raise RuleError(
                f"The rule {suite.rules[ordinal].rule} of {suite.report.code} cannot be evaluated: "
                f"{_reason(result.exception_info)}"
            )
        found[ordinal] = [int(row["row"]) for row in rows]
    return found


def _holds_of_nothing(expectation: Mapping[str, Any], empty: Set[str]) -> bool:
    """Whether the expectation holds because a column that it looks at is empty: most defects are absent."""
    if expectation["type"] == "expect_column_values_to_not_be_null":
        return False
    return any(expectation["kwargs"].get(name) in empty for name in _COLUMN_KWARGS)


def _evaluate(batch: Any, suite: RowSuite, ordinals: tuple[int, ...], parameters: Parameters, form: Any) -> Any:
    if not ordinals:
        return []
    built = suite.build(ordinals)
    outcome = batch.validate(built, expectation_parameters=dict(parameters), result_format=form)
    return [(result.expectation_config.meta["ordinal"], result) for result in outcome.results]


def _reason(exception_info: Any) -> str:
    """What Great Expectations says of a failed evaluation, without the values that its traceback may hold."""
    text = str(exception_info)
    match = re.search(r"exception_message': [\"']([^\"']{1,200})", text)
    return match[1] if match else "unknown reason"


@cache
def great_expectations_library() -> Any:
    """The library, imported by who checks and by nobody else: it takes seconds."""
    # Neither usage statistics nor hundreds of log lines nor warnings of its imports belong into a check.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    library_logger = logging.getLogger("great_expectations")
    library_logger.addHandler(logging.NullHandler())
    library_logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
    return great_expectations


@cache
def great_expectations_context() -> Any:
    """The one ephemeral context of the process, without progress bars; much of the library asks for the active one."""
    gx = great_expectations_library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        return context


@cache
def _batch_definition() -> Any:
    context = great_expectations_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = context.data_sources.add_pandas("delivery")
        return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("whole")


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
