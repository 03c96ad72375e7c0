"""The catalogue of metrics, and the boards that rank some of them (spec/04, Catalogue and Boards)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from five_precisions.errors import UsageError
from five_precisions.reference.files import load_reference
from five_precisions.settings import Settings


class Scope(StrEnum):
    """What a figure is of."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    BANK = "bank"


class Metric(BaseModel):
    """One metric: its Chinese name, unit and formula in words, the statements that give it, where it holds.

    `additive`: in every scope where it holds the parts add up to the city, and towns to their county; a part without
    a value adds nothing. `share`: it lies between 0 and 100 by its meaning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str
    formula: str
    sql: tuple[str, ...] = Field(min_length=1)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    good: Literal["up", "down"] | None = None
    additive: bool = False
    share: bool = False


class Board(BaseModel):
    """A ranking of one metric's values in one scope, highest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Scope
    metric: str


class Catalogue(BaseModel):
    """Every metric by code, in the order of the file."""

    model_config = ConfigDict(frozen=True)

    metrics: dict[str, Metric]

    def find(self, code: str) -> Metric:
        """The metric of that code.

        Raises:
            UsageError: there is none.
        """
        if code not in self.metrics:
            raise UsageError(f"{code!r} is no metric; include/reference/metrics.yaml lists them.")
        return self.metrics[code]

    @property
    def statements(self) -> list[str]:
        """The statements that give all metrics, each once, in the order of the file."""
        return list(dict.fromkeys(statement for metric in self.metrics.values() for statement in metric.sql))


class _Boards(BaseModel):
    boards: dict[str, Board]


def load_catalogue(settings: Settings) -> Catalogue:
    """The catalogue of include/reference/metrics.yaml, or of the file that replaces it."""
    return load_reference(settings, "metrics.yaml", lambda content: Catalogue(metrics=content))


def load_boards(settings: Settings) -> dict[str, Board]:
    """The boards of include/reference/boards.yaml, or of the file that replaces it."""
    return load_reference(settings, "boards.yaml", lambda content: _Boards(boards=content).boards)
