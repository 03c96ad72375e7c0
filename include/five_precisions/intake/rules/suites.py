"""The rules on rows of one report: Great Expectations suites in include/expectations (docs/reports.md#rules).

Every expectation's `meta` names its rule, the column whose cell is marked, the message and what is expected. `since`
names the first month that is held against it; left out, every month is. A month whose form lacks a column that the
rule looks at is not held against it. A new rule that needs no new derived column is added by editing the report's JSON
file only.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from five_precisions.errors import SetupError
from five_precisions.intake.rules.derived import FUNCTIONS
from five_precisions.intake.rules.library import great_expectations_library
from five_precisions.own_files import edition_of, files_of, found, own_folder
from five_precisions.period import Period
from five_precisions.reference import from_period, load_json, unknown_name
from five_precisions.reports import Report, load_reports
from five_precisions.reports.level import Level
from five_precisions.settings import INCLUDE

if TYPE_CHECKING:
    pass

SUITE_FOLDER: Final = INCLUDE / "expectations"
_LEVELS: Final = {"critical": Level.CRITICAL, "warning": Level.WARNING, "info": Level.NOTICE}
_IS_WORD = re.compile(r"[a-z_]+")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COLUMN_KWARGS: Final = ("column", "column_A", "column_B")


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


@dataclass(frozen=True)
class RowSuite:
    """The suite of one report, read from its file; or what of it holds in a month."""

    report: Report
    """As it was ever declared, or its form of the month."""
    rules: tuple[SuiteRule, ...]
    expectations: tuple[dict[str, Any], ...]
    """As Great Expectations takes them; `meta.ordinal` points into `rules`."""
    derived: dict[str, tuple[str, tuple[str, ...]]]
    """Column → function and the columns that it is made of."""
    _built: dict[tuple[int, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    _of_forms: dict[tuple[Report, tuple[int, ...]], RowSuite] = field(default_factory=dict, compare=False, repr=False)
    """By the form of a month, and the rules that hold in it."""

    def build(self, ordinals: tuple[int, ...]) -> Any:
        """Some of the expectations as a suite of Great Expectations, built once."""
        gx = great_expectations_library()
        if ordinals not in self._built:
            chosen = [self.expectations[ordinal] for ordinal in ordinals]
            self._built[ordinals] = gx.ExpectationSuite(name=self.report.code, expectations=chosen)
        return self._built[ordinals]

    def of(self, period: Period) -> RowSuite:
        """The suite of the month's form, with the rules alone that the month is held against; most often this one."""
        form = self.report.in_period(period)
        columns = {column.name for column in form.columns}
        derived = {name: made for name, made in self.derived.items() if columns.issuperset(made[1])}
        there = columns | {"row", "key", *derived}
        kept = tuple(
            ordinal
            for ordinal, rule in enumerate(self.rules)
            if (rule.since is None or rule.since <= period)
            and there.issuperset({rule.column, *columns_of(self.expectations[ordinal])})
        )
        if form is self.report and len(kept) == len(self.rules):
            return self
        if (form, kept) not in self._of_forms:
            rules = tuple(self.rules[ordinal] for ordinal in kept)
            expectations = _numbered(self.expectations[ordinal] for ordinal in kept)
            self._of_forms[form, kept] = RowSuite(form, rules, expectations, derived)
        return self._of_forms[form, kept]


def suite_of(code: str, period: Period) -> RowSuite:
    """The suite of a report as a month is held against it.

    Raises:
        SetupError: the report's suite is missing or wrong.
    """
    return load_suite(load_reports()[code]).of(period)


def load_suite(report: Report, folder: Path = SUITE_FOLDER) -> RowSuite:
    """Read `<report>.json`, or the file that replaces it, and check that it can be used.

    Args:
        report: As it was ever declared; a rule may look at a column that only some months have.
        folder: Of the suites.

    Raises:
        SetupError: the file is missing, is no suite, or lacks what a finding needs.
    """
    if own_folder() is not None:
        _refuse_suites_of_no_report()
    path = found(folder / f"{report.code}.json")
    return _load(report, path, edition_of(path))


@lru_cache(maxsize=256)
def _load(report: Report, path: Path, _edition: tuple[int, int]) -> RowSuite:
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


def _refuse_suites_of_no_report() -> None:
    """Refuse a suite that would silently not count, for no report is called so."""
    for path in files_of(SUITE_FOLDER, ".json"):
        if path.stem not in load_reports():
            raise SetupError(f"{path} is the suite of no report; {unknown_name(path.stem, load_reports())}.")


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
    if unknown := [name for name in columns_of(expectation) if name not in seen]:
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


def columns_of(expectation: Mapping[str, Any]) -> list[str]:
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
