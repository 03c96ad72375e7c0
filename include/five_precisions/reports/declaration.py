"""Declared reports, read from include/reference/reports.yaml (docs/reports.md)."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from five_precisions.reference import ReferenceModel, doubled, load_yaml
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


class Column(ReferenceModel):
    """One column of a report: its header as printed, its name in the warehouse, its type and bounds."""

    header: str = Field(min_length=1)
    name: str = Field(pattern=_NAME)
    type: ColumnType
    min: int = Field(default=0, strict=True)
    """Smallest number allowed; only ints may declare another one than 0."""
    max: int | None = Field(default=None, strict=True, gt=0)
    """Longest text, or largest int."""
    of: tuple[str, ...] = ()
    optional: bool = Field(default=False, strict=True)
    sensitive: Sensitivity | None = None
    code: bool = Field(default=False, strict=True)
    """A text that joins rows: compared and kept with every dash as `-` and without blanks, all of its digits shown."""
    public: bool = Field(default=False, strict=True)
    """A text that is published: shown and kept as it stands, however many digits are in it."""
    note: str | None = None
    """What the header alone does not say, for the template: when to fill it in, what is meant."""

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


class Report(ReferenceModel):
    """One report: who owes it, what identifies a row, its columns."""

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
        if doubled(column.header for column in self.columns):
            raise ValueError(f"report {self.code}: a header stands twice")
        if unknown := {*self.key, *([self.control] if self.control else [])} - set(names):
            raise ValueError(f"report {self.code}: no such column: {', '.join(sorted(unknown))}")
        return self

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def control_column(self) -> Column | None:
        """The column whose sum the cover states (docs/intake.md#the-cover)."""
        return self.column(self.control) if self.control else None


_DECLARED: Final = TypeAdapter(dict[str, Report])


@cache
def load_reports(path: Path = INCLUDE / "reference" / "reports.yaml") -> dict[str, Report]:
    """The declared reports by code, in the order of the file.

    Raises:
        SetupError: the file does not declare reports properly.
    """
    return load_yaml(path, _declare)


def _declare(content: dict[str, object]) -> dict[str, Report]:
    named = {
        code: {"code": code, **declared} if isinstance(declared, dict) else declared
        for code, declared in content.items()
    }
    return _DECLARED.validate_python(named)
