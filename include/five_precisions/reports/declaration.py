"""Declared reports, read from include/reference/reports.yaml (docs/reports.md).

What is declared may hold from a first month, and until a last one. `load_reports` gives everything that ever held, for
what keeps rows of all months; `load_forms` gives the forms of one month, for what reads or writes a package of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from operator import is_
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from five_precisions.own_files import edition_of, found, refuse_what_would_not_count
from five_precisions.period import Period
from five_precisions.reference import YEARS, Dated, MisplacedError, doubled, load_yaml
from five_precisions.reports.kept import require_ours
from five_precisions.settings import INCLUDE

_NAME: Final = r"^[a-z][a-z0-9_]*$"
"""A name that the warehouse's tables and columns bear."""


class ReportKind(StrEnum):
    """How versions of neighbouring periods relate."""

    STOCK = "stock"
    FLOW = "flow"


class ColumnType(StrEnum):
    """What a cell holds (docs/reports.md#types)."""

    TEXT = "text"
    DATE = "date"
    INT = "int"
    YUAN = "yuan"
    WAN = "wan"
    PCT = "pct"
    YESNO = "yesno"
    CHOICE = "choice"

    @property
    def is_amount(self) -> bool:
        """Money, in yuan or 万元."""
        return self in (ColumnType.YUAN, ColumnType.WAN)


class Sensitivity(StrEnum):
    """Why a column is never kept in the clear (docs/reports.md#sensitive-columns)."""

    NAME = "name"
    ID = "id"
    ACCOUNT = "account"
    PHONE = "phone"

    @property
    def is_hashed(self) -> bool:
        """Whether joins need it, as a keyed hash beside the masked text."""
        return self is not Sensitivity.NAME


class DatedHeader(Dated):
    """A header that a column has for a time."""

    header: str = Field(min_length=1)


class DatedValue(Dated):
    """A value that a choice lists, always or for a time."""

    value: str


def _dated_value(written: object) -> object:
    return {"value": written} if isinstance(written, str) else written


class Column(Dated):
    """One column of a report: its header as printed, its name in the warehouse, its type and bounds."""

    headers: tuple[DatedHeader, ...] = ()
    """Where its header has changed, every one with its months, the oldest first."""
    header: str = Field(min_length=1)
    """Of the form that the column is of; of all that was ever declared the newest."""
    name: str = Field(pattern=_NAME)
    type: ColumnType
    min: int = Field(default=0, strict=True)
    """Smallest number allowed; only ints may declare another one than 0."""
    max: int | None = Field(default=None, strict=True, gt=0)
    """Longest text, or largest int."""
    choices: tuple[Annotated[DatedValue, BeforeValidator(_dated_value)], ...] = Field(default=(), alias="of")
    optional: bool = Field(default=False, strict=True)
    sensitive: Sensitivity | None = None
    code: bool = Field(default=False, strict=True)
    """A text that joins rows: compared and kept with every dash as `-` and without blanks, all of its digits shown."""
    public: bool = Field(default=False, strict=True)
    """A text that is published: shown and kept as it stands, however many digits are in it."""
    note: str | None = None
    """What the header alone does not say, for the template: when to fill it in, what is meant."""

    @model_validator(mode="before")
    @classmethod
    def _has_its_newest_header(cls, content: object) -> object:
        if not isinstance(content, Mapping) or "headers" not in content:
            return content
        if "header" in content:
            raise ValueError("a column has either one header, or headers with their months")
        match content["headers"]:
            case [*_, {"header": str(newest)}]:
                return {**content, "header": newest}
        return content

    @model_validator(mode="after")
    def _has_one_header_at_a_time(self) -> Self:
        if not self.headers:
            return self
        first, last = self.headers[0], self.headers[-1]
        for former, later in pairwise(self.headers):
            if former.valid_until is None:
                raise ValueError(f"column {self.name}: until says how long its header is {former.header}")
            if later.valid_from != former.valid_until.next():
                raise ValueError(
                    f"column {self.name}: its header {later.header} begins in the month after {former.header} ends, "
                    f"from {former.valid_until.next()}"
                )
        if first.valid_from not in (None, self.valid_from):
            raise ValueError(f"column {self.name}: it has no header before {first.valid_from}")
        if last.valid_until not in (None, self.valid_until):
            raise ValueError(f"column {self.name}: it has no header after {last.valid_until}")
        return self

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type is ColumnType.CHOICE) != bool(self.of):
            raise ValueError(f"column {self.name}: a choice, and only a choice, lists its values")
        if self.type is ColumnType.TEXT and self.max is None:
            raise ValueError(f"column {self.name}: a text declares its longest length")
        if self.keeps_digits and (self.type is not ColumnType.TEXT or self.sensitive):
            raise ValueError(f"column {self.name}: only a text that is not sensitive is a code, or public")
        if doubled(self.of):
            raise ValueError(f"column {self.name}: a value is listed twice")
        if self.max is not None and self.min > self.max:
            raise ValueError(f"column {self.name}: its smallest number is larger than its largest")
        return self

    @property
    def of(self) -> tuple[str, ...]:
        """The values of a choice."""
        return tuple(choice.value for choice in self.choices)

    @property
    def all_headers(self) -> tuple[str, ...]:
        """Every header that it has or had."""
        return tuple(dict.fromkeys(each.header for each in self.headers)) or (self.header,)

    def in_period(self, period: Period) -> Column:
        """The column as it is in the month: with its header and its values; itself where nothing of it changes."""
        header = next((each.header for each in self.headers if each.holds_in(period)), self.header)
        choices = tuple(choice for choice in self.choices if choice.holds_in(period))
        if header == self.header and len(choices) == len(self.choices):
            return self
        return self.model_copy(update={"header": header, "choices": choices})

    @property
    def keeps_digits(self) -> bool:
        """Whether a long run of digits in it is neither an ID nor a phone, and is shown."""
        return self.code or self.public

    @property
    def is_prose(self) -> bool:
        """Whether people write into it what they like, an ID or a phone among it."""
        return self.type is ColumnType.TEXT and not self.keeps_digits and not self.sensitive

    @property
    def hash_name(self) -> str | None:
        """The warehouse column with the keyed hash, where there is one."""
        return f"{self.name}_hash" if self.sensitive and self.sensitive.is_hashed else None

    @property
    def expected(self) -> str:
        """What belongs into the cell, said to a bank."""
        match self.type:
            case ColumnType.TEXT:
                return f"不超过{self.max}个字符的文本"
            case ColumnType.DATE:
                return "日期，如2019-06-30"
            case ColumnType.INT:
                bounds = f"不小于{self.min}" + (f"且不大于{self.max}" if self.max is not None else "")
                return f"{bounds}的整数"
            case ColumnType.YUAN:
                return "以元为单位、不小于0、最多两位小数的数字"
            case ColumnType.WAN:
                return "以万元为单位、不小于0、最多两位小数的数字"
            case ColumnType.PCT:
                return "0到100之间、最多四位小数的百分数"
            case ColumnType.YESNO:
                return "是、否"
            case ColumnType.CHOICE:
                return "、".join(self.of)


class Report(Dated):
    """One report: who owes it, what identifies a row, its columns.

    Of all that was ever declared (`load_reports`), or as the form of a month (`in_period`).
    """

    code: str = Field(pattern=_NAME)
    title: str = Field(min_length=1)
    owners: tuple[Literal["bank", "county_office", "centre"], ...] = Field(min_length=1)
    kind: ReportKind
    key: tuple[str, ...] = Field(min_length=1)
    control: str | None = None
    """Name of the column whose sum the cover states."""
    scope: str | None = None
    """Which rows belong into it, for the template, where its kind does not say enough."""
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_columns_that_exist(self) -> Self:
        names = [column.name for column in self.columns]
        if doubled(names):
            raise ValueError(f"report {self.code}: a column name stands twice")
        if unknown := {*self.key, *([self.control] if self.control else [])} - set(names):
            raise ValueError(f"report {self.code}: no such column: {', '.join(sorted(unknown))}")
        return self

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    def has_always(self, column: Column) -> bool:
        """Whether the column is there as long as the report is."""
        return column.valid_from in (None, self.valid_from) and column.valid_until in (None, self.valid_until)

    def in_period(self, period: Period) -> Report:
        """The form of the month: its columns alone, with their headers and values; itself where nothing changes.

        Args:
            period: A month; of one outside the report's life it is the first form, or the last.
        """
        if self.valid_from is not None:
            period = max(period, self.valid_from)
        if self.valid_until is not None:
            period = min(period, self.valid_until)
        columns = tuple(column.in_period(period) for column in self.columns if column.holds_in(period))
        is_whole = len(columns) == len(self.columns) and all(map(is_, columns, self.columns))
        return self if is_whole else self.model_copy(update={"columns": columns})

    @property
    def first_months(self) -> tuple[Period, ...]:
        """The first month of each of its forms, the oldest first."""
        dated: list[Dated] = list(self.columns)
        for column in self.columns:
            dated += [*column.headers, *column.choices]
        begins = {each.valid_from for each in dated} | {each.valid_until and each.valid_until.next() for each in dated}
        life = self.valid_from or Period(YEARS[0], 1)
        return (life, *sorted(each for each in begins if each is not None and each > life and self.holds_in(each)))

    @property
    def control_column(self) -> Column | None:
        """The column whose sum the cover states (docs/intake.md#the-cover)."""
        return self.column(self.control) if self.control else None


_DECLARED: Final = TypeAdapter(dict[str, Report])
REPORTS_FILE: Final = INCLUDE / "reference" / "reports.yaml"


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What a file declares, and the forms of months that were asked for."""

    reports: dict[str, Report]
    forms: dict[Period, dict[str, Report]] = field(default_factory=dict)


def load_reports(path: Path = REPORTS_FILE) -> dict[str, Report]:
    """All reports, columns and values that were ever declared, by code, in the order of the file.

    Raises:
        SetupError: the file does not declare reports properly.
    """
    return _declaration(path).reports


def load_forms(period: Period, path: Path = REPORTS_FILE) -> dict[str, Report]:
    """The reports in force in a month, each in its form of that month, by code, in the order of the file.

    Raises:
        SetupError: the file does not declare reports properly.
    """
    declared = _declaration(path)
    if period not in declared.forms:
        declared.forms[period] = {
            code: report.in_period(period) for code, report in declared.reports.items() if report.holds_in(period)
        }
    return declared.forms[period]


def _declaration(path: Path) -> _Declaration:
    file = found(path)
    return _load(file, edition_of(file))


@lru_cache(maxsize=8)
def _load(path: Path, _edition: tuple[int, int]) -> _Declaration:
    reports = load_yaml(path, _declare)
    if path != REPORTS_FILE and path == found(REPORTS_FILE):
        refuse_what_would_not_count(path.parent)
        require_ours(path, reports, load_yaml(REPORTS_FILE, _declare))
    return _Declaration(reports)


def _declare(content: dict[str, object]) -> dict[str, Report]:
    named = {
        code: {"code": code, **declared} if isinstance(declared, dict) else declared
        for code, declared in content.items()
    }
    reports = _DECLARED.validate_python(named)
    for report in reports.values():
        _require_columns_within_life(report)
        for month in report.first_months:
            _require_sound_form(report, month)
    return reports


def _require_columns_within_life(report: Report) -> None:
    """Refuse a column that is there before its report or after it, or one of the key that is not always there."""
    for place, column in enumerate(report.columns):
        where = (report.code, "columns", place)
        if column.valid_from and report.valid_from and column.valid_from < report.valid_from:
            raise MisplacedError(where, f"the report begins in {report.valid_from}, after its column {column.name}")
        if column.valid_until and report.valid_until and report.valid_until < column.valid_until:
            raise MisplacedError(where, f"the report ends in {report.valid_until}, before its column {column.name}")
        if report.has_always(column):
            continue
        if column.name in report.key:
            raise MisplacedError(where, f"{column.name} is of the key, so it is there as long as its report")
        if column.name == report.control:
            raise MisplacedError(where, f"{column.name} is the control column, so it is there as long as its report")


def _require_sound_form(report: Report, month: Period) -> None:
    """Refuse a form with a header twice, or a choice without a value."""
    form = report.in_period(month)
    places = {column.name: place for place, column in enumerate(report.columns)}
    seen: set[str] = set()
    for column in form.columns:
        where = (report.code, "columns", places[column.name])
        if column.header in seen:
            raise MisplacedError(where, f"the header {column.header} stands twice{_since(report, month)}")
        if column.type is ColumnType.CHOICE and not column.of:
            raise MisplacedError(where, f"the choice {column.name} has no value{_since(report, month)}")
        seen.add(column.header)


def _since(report: Report, month: Period) -> str:
    """From when on, where it was not so ever since."""
    return "" if month == report.first_months[0] else f" from {month} on"
