"""What a figure is made from: the rows of a fact, which of them count, and what of them is added or counted.

A fact is a statement of include/sql/facts; each of its rows is delivered, or stands in the register. Its head says as
YAML whose figures it makes and by which columns a row belongs to a place and a bank (docs/figures.md#facts). A metric
says in metrics.yaml what of the rows makes it. From both, figures/metric_sql.py makes the figure and its proof.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from five_precisions.own_files import edition_of
from five_precisions.reference.files import ReferenceModel, doubled
from five_precisions.reference.sql_files import load_head, statement_path

EVERY: Final = "every"
"""Instead of a report: every subject has the figures, whoever has reported."""
ROWS: Final = "rows"
"""Instead of a report: whoever has a row has the figures."""
FACT_FOLDER: Final = "facts"
"""The folder of include/sql where facts lie."""
_NAME: Final = r"^[a-z][a-z0-9_]*$"


class Scope(StrEnum):
    """What a figure is of."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    BANK = "bank"


class Fact(BaseModel):
    """The rows that a family of figures is made from, as the head of its file declares them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holds_for: str | dict[Scope, str]
    """The report that must be in for a subject to have the figures, of all scopes or of each; or `EVERY`, or `ROWS`."""
    needs_of_any: tuple[str, ...] = ()
    """Reports without which nobody has the figures, whoever delivers them."""
    town: str | None = Field(default=None, pattern=_NAME)
    """The column with the code of the row's town; its first six digits are those of the county."""
    county: str | None = Field(default=None, pattern=_NAME)
    """The column with the code of the row's county, where rows have no town."""
    bank: str | None = Field(default=None, pattern=_NAME)
    about: str | None = Field(default=None, pattern=_NAME)
    """The column with what a row is about, such as the household: a proof names it, and sorts by it."""
    sql: str

    @field_validator("needs_of_any")
    @classmethod
    def _are_reports(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_report_code, codes))

    @model_validator(mode="after")
    def _names_each_place_once(self) -> Self:
        if self.town and self.county:
            raise ValueError("the county of rows with a town is that of the town: leave it out")
        for code in self._held_by:
            _report_code(code)
        if ROWS in self._held_by and (len(self._held_by) > 1):
            raise ValueError(f"{ROWS} holds for all scopes or for none")
        return self

    @property
    def _held_by(self) -> list[str]:
        return [self.holds_for] if isinstance(self.holds_for, str) else list(self.holds_for.values())

    @property
    def reports(self) -> list[str]:
        """Codes of the reports that say whether a subject has the figures."""
        return [each for each in dict.fromkeys([*self._held_by, *self.needs_of_any]) if each not in (EVERY, ROWS)]

    @property
    def scopes(self) -> list[Scope]:
        """In which scopes its rows can be added up."""
        return [Scope.CITY, *(scope for scope in (Scope.COUNTY, Scope.TOWN, Scope.BANK) if self.code_in(scope))]

    def code_in(self, scope: Scope) -> str | None:
        """The expression of the subject of the scope that a row belongs to; None for the city, which has all rows."""
        match scope:
            case Scope.COUNTY if self.town:
                return f"left(fact.{self.town}, 6)"
            case Scope.COUNTY if self.county:
                return f"fact.{self.county}"
            case Scope.TOWN if self.town:
                return f"fact.{self.town}"
            case Scope.BANK if self.bank:
                return f"fact.{self.bank}"
        return None

    def held_by(self, scope: Scope) -> str | None:
        """The report by which a subject of the scope has the figures, `EVERY` or `ROWS`; None where none has."""
        return self.holds_for if isinstance(self.holds_for, str) else self.holds_for.get(scope)


class Measure(ReferenceModel):
    """A number of the rows of a fact: a sum, how many there are, how many different ones, or the larger of two such."""

    sum: str | None = Field(default=None, min_length=1)
    """What is added: a column, or an expression in SQL."""
    times: Decimal | None = Field(default=None, gt=0)
    """What a sum is multiplied by, such as 0.0001 for yuan in 万元."""
    count: Literal["rows"] | None = None
    distinct: str | None = Field(default=None, pattern=_NAME)
    """The column whose different values are counted."""
    larger_of: tuple[Measure, ...] = ()
    where: str | None = Field(default=None, min_length=1)
    """The condition in SQL that a row meets; without one every row counts."""
    needs: tuple[str, ...] = ()
    """Reports without which the number is not known: of a bank its own, of a county and its towns as `holds_for`.

    Of several, one institution must have delivered all.
    """
    needs_of_any: tuple[str, ...] = ()
    """Reports without which the number is not known, whoever delivers them."""

    @field_validator("needs", "needs_of_any")
    @classmethod
    def _are_reports(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_report_code, codes))

    @field_validator("sum", "where")
    @classmethod
    def _is_one_expression(cls, written: str | None) -> str | None:
        if written is not None and (";" in written or "--" in written or "/*" in written):
            raise ValueError("an expression of SQL stands there, without ; and without a comment")
        return written

    @model_validator(mode="after")
    def _is_one_number(self) -> Self:
        given = [self.sum, self.count, self.distinct, self.larger_of or None]
        if sum(each is not None for each in given) != 1:
            raise ValueError("it is one of sum, count, distinct and larger_of")
        if self.times is not None and self.sum is None:
            raise ValueError("times belongs to a sum")
        if self.larger_of and (len(self.larger_of) != 2 or any(each.larger_of for each in self.larger_of)):
            raise ValueError("larger_of names two sums or counts")
        if self.larger_of and (self.where or any(each.needs or each.needs_of_any for each in self.larger_of)):
            raise ValueError("each of the two says where, and both together what they need")
        if twice := doubled([*self.needs, *self.needs_of_any]):
            raise ValueError(f"it needs {twice[0]} once")
        return self


def _report_code(written: str) -> str:
    # It stands in the statement as it is.
    if not re.fullmatch(_NAME, written):
        raise ValueError(f"{written!r} is no code of a report")
    return written


class Ratio(StrEnum):
    """How numerator and denominator make a value."""

    PERCENT = "percent"
    GROWTH = "growth"
    """Percent above the denominator."""
    MEAN = "mean"


class Declared(ReferenceModel):
    """A number of a fact's rows, or a ratio of two; neither where a statement gives it."""

    value: Measure | None = None
    numerator: Measure | None = None
    denominator: Measure | None = None
    ratio: Ratio | None = None

    @model_validator(mode="after")
    def _is_a_number_or_a_ratio(self) -> Self:
        parts = (self.numerator, self.denominator, self.ratio)
        if self.value is not None and any(part is not None for part in parts):
            raise ValueError("it declares either a value, or a numerator, a denominator and a ratio")
        if any(part is not None for part in parts) and any(part is None for part in parts):
            raise ValueError("a ratio takes a numerator, a denominator and a ratio: percent, growth or mean")
        counted = {each.distinct for each in (self.numerator, self.denominator) if each is not None and each.distinct}
        if len(counted) > 1:
            raise ValueError("numerator and denominator count the values of different columns")
        return self

    @property
    def is_declared(self) -> bool:
        """Whether it says what of a fact's rows makes it."""
        return self.value is not None or self.ratio is not None

    @property
    def above(self) -> Measure:
        """The value, or the numerator of the ratio.

        Raises:
            ValueError: a statement gives it.
        """
        if (measure := self.value or self.numerator) is None:
            raise ValueError("a statement gives it, so nothing of it is declared")
        return measure

    @property
    def measures(self) -> list[Measure]:
        """The numbers that it is made from: the value, or numerator and denominator."""
        return [self.above] if self.denominator is None else [self.above, self.denominator]


def load_fact(name: str) -> Fact:
    """The fact `facts/<name>`, given with its folder.

    Raises:
        SetupError: its head does not say what it should.
    """
    path = statement_path(name)
    return _load_fact(path, edition_of(path))


@lru_cache(maxsize=64)
def _load_fact(path: Path, _edition: tuple[int, int]) -> Fact:
    return load_head(path, Fact)
