"""The catalogue of metrics, and the boards that rank some of them (docs/figures.md#catalogue)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator, model_validator

from five_precisions.errors import SetupError, UsageError
from five_precisions.reference.files import (
    ReferenceModel,
    doubled,
    find_reference,
    load_reference,
    load_yaml,
    wrong_at,
)
from five_precisions.reference.measures import FACT_FOLDER, Declared, Scope, load_fact
from five_precisions.reference.sql_files import read_sql, statement_path
from five_precisions.settings import INCLUDE, Settings

_OURS: Final = INCLUDE / "reference" / "metrics.yaml"
MADE_BY_THE_ASSESSMENT: Final = ("bank_score", "league_ytd_amount")
"""Boards that rank no metric (include/sql/marts/ranking.sql)."""
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_STATEMENT: Final = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
_NEAR: Final = 5
"""How many metrics are named where there is none of a code."""


class OfBanks(Declared):
    """What makes a metric of a bank, where other rows or conditions make it than of the city and its places."""

    sql: str
    """The fact."""

    @model_validator(mode="after")
    def _says_what_makes_it(self) -> Self:
        if not self.is_declared:
            raise ValueError("it declares a value, or a numerator, a denominator and a ratio")
        _require_fact(self.sql, [Scope.BANK])
        return self


class Metric(Declared):
    """One metric: its Chinese name, unit and formula in words, what gives it, where it holds.

    It says what of a fact's rows makes it, which proves it too; or `sql` are the statements that give it, and
    `evidence` those that name the delivered rows behind it: without one there is no proof by rows.
    `additive`: in every scope where it holds the parts add up to the city, and towns to their county; a part without
    a value adds nothing. `share`: it lies between 0 and 100 by its meaning. `of_households`: what it is made of counts
    households, which a page does not tell of a town where they are few; so does every metric in 户.
    """

    name: str = Field(min_length=1)
    unit: str
    formula: str = Field(min_length=1)
    sql: tuple[str, ...] = Field(min_length=1)
    evidence: tuple[str, ...] = ()
    of_banks: OfBanks | None = None
    scopes: tuple[Scope, ...] = Field(min_length=1)
    good: Literal["up", "down"] | None = None
    additive: bool = Field(default=False, strict=True)
    share: bool = Field(default=False, strict=True)
    of_households: bool = Field(default=False, strict=True)

    @field_validator("sql", "evidence")
    @classmethod
    def _statements_are_there(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            _require_statement(name)
        return names

    @field_validator("sql", "evidence", "scopes")
    @classmethod
    def _nothing_is_named_twice(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if twice := doubled(names):
            raise ValueError(f"{twice[0]} is named twice")
        return names

    @model_validator(mode="after")
    def _additive_has_a_whole(self) -> Self:
        if self.additive and (Scope.CITY not in self.scopes or len(self.scopes) == 1):
            raise ValueError("additive says that parts add up to the city, so the scopes must be city and others")
        if self.additive and self.share:
            raise ValueError("a share does not add up, so it cannot be additive")
        return self

    @model_validator(mode="after")
    def _is_given_one_way(self) -> Self:
        if not self.is_declared:
            if facts := [name for name in (*self.sql, *self.evidence) if _is_fact(name)]:
                raise ValueError(f"{facts[0]} gives rows: say what of them makes the metric, as value or as ratio")
            if self.of_banks is not None:
                raise ValueError("of_banks stands beside a value or a ratio of the other scopes")
            return self
        if len(self.sql) > 1 or self.evidence:
            raise ValueError("a value or a ratio is made from the rows of one fact, which are its evidence too")
        _require_fact(self.sql[0], [scope for scope in self.scopes if scope is not Scope.BANK or not self.of_banks])
        if self.of_banks is not None and Scope.BANK not in self.scopes:
            raise ValueError("of_banks says what makes it of a bank, and bank is none of its scopes")
        return self

    @property
    def statements(self) -> list[str]:
        """The statements and facts that give it."""
        return [*self.sql, *([self.of_banks.sql] if self.of_banks else [])]

    @property
    def is_proved(self) -> bool:
        """Whether the rows behind a figure can be found."""
        return self.is_declared or bool(self.evidence)

    def made_from(self, scope: Scope) -> tuple[str, Declared] | None:
        """The fact that it is made from in a scope, and what of it; None where statements give it."""
        if not self.is_declared:
            return None
        if scope is Scope.BANK and self.of_banks is not None:
            return self.of_banks.sql, self.of_banks
        return self.sql[0], self


def _is_fact(name: str) -> bool:
    return name.partition("/")[0] == FACT_FOLDER


def _require_statement(name: str) -> None:
    if not _STATEMENT.fullmatch(name):
        raise ValueError(f"{name!r} is no statement: a folder of include/sql, a slash and the name of its file")
    if not statement_path(name).is_file():
        raise ValueError(f"there is no statement include/sql/{name}.sql")


def _require_fact(name: str, scopes: list[Scope]) -> None:
    """Hold what is made from a fact against it."""
    _require_statement(name)
    if not _is_fact(name):
        raise ValueError(f"{name} is no fact: a value or a ratio is made from the rows of one of include/sql/facts")
    fact = load_fact(name)
    for scope in scopes:
        if scope not in fact.scopes or fact.held_by(scope) is None:
            raise ValueError(f"the rows of {name} belong to no {scope}")


@dataclass(frozen=True, slots=True)
class MadeFigure:
    """A metric in the scopes in which one declaration makes it."""

    metric: str
    scopes: tuple[Scope, ...]
    declared: Declared


class Board(ReferenceModel):
    """A ranking of one metric's values in one scope, highest first."""

    scope: Scope
    metric: str


class Catalogue(BaseModel):
    """Every metric by code, in the order of the file."""

    model_config = ConfigDict(frozen=True)

    metrics: dict[str, Metric] = Field(min_length=1)

    @field_validator("metrics")
    @classmethod
    def _codes_are_words(cls, metrics: dict[str, Metric]) -> dict[str, Metric]:
        for code in metrics:
            if not _CODE.fullmatch(code):
                raise ValueError(f"{code!r} is no code: letters, digits and _ only, a letter first")
        return metrics

    @field_validator("metrics")
    @classmethod
    def _statements_give_them(cls, metrics: dict[str, Metric]) -> dict[str, Metric]:
        for code, metric in metrics.items():
            if metric.is_declared:
                continue
            if not any(f"'{code}'" in read_sql(statement_path(name)) for name in metric.sql):
                raise ValueError(f"none of {', '.join(metric.sql)} yields the metric '{code}'")
        return metrics

    def find(self, code: str) -> Metric:
        """The metric of that code.

        Raises:
            UsageError: there is none; the sentence names near ones.
        """
        if code not in self.metrics:
            near = self._near(code)
            advice = f"do you mean {' or '.join(near)}?" if near else "include/reference/metrics.yaml lists them."
            raise UsageError(f"{code!r} is no metric; {advice}")
        return self.metrics[code]

    @property
    def statements(self) -> list[str]:
        """The statements and facts that give all metrics, each once, in the order of the file."""
        return list(dict.fromkeys(name for metric in self.metrics.values() for name in metric.statements))

    @property
    def facts(self) -> list[str]:
        """The facts among them."""
        return [name for name in self.statements if _is_fact(name)]

    def made_from(self, fact: str) -> list[MadeFigure]:
        """What is made from a fact, in the order of the file; nothing of a statement that gives figures itself."""
        found: list[MadeFigure] = []
        for code, metric in self.metrics.items():
            by_declaration: dict[int, MadeFigure] = {}
            for scope in metric.scopes:
                made = metric.made_from(scope)
                if made is not None and made[0] == fact:
                    figure = by_declaration.setdefault(id(made[1]), MadeFigure(code, (), made[1]))
                    by_declaration[id(made[1])] = replace(figure, scopes=(*figure.scopes, scope))
            found += by_declaration.values()
        return found

    def _near(self, code: str) -> list[str]:
        """Metrics whose code or Chinese name is like it, or holds it."""
        by_word = {code: code for code in self.metrics} | {metric.name: each for each, metric in self.metrics.items()}
        word = code.strip().lower().replace("-", "_")
        like = get_close_matches(word, by_word, n=_NEAR)
        holding = [each for each in by_word if len(word) > 1 and word in each.lower()]
        return list(dict.fromkeys(by_word[each] for each in [*like, *holding]))[:_NEAR]


class _Boards(RootModel[dict[str, Board]]):
    @model_validator(mode="after")
    def _are_named_for_their_scope(self) -> Self:
        for code, board in self.root.items():
            if not _CODE.fullmatch(code):
                raise ValueError(f"{code!r} is no code: letters, digits and _ only, a letter first")
            if not code.startswith(f"{board.scope}_"):
                raise ValueError(f"the board {code} ranks what has the scope {board.scope}: call it {board.scope}_…")
            if code in MADE_BY_THE_ASSESSMENT:
                raise ValueError(f"the board {code} comes from the assessment itself")
        return self


def load_catalogue(settings: Settings) -> Catalogue:
    """The catalogue of include/reference/metrics.yaml, or of the file that replaces it.

    Raises:
        SetupError: an entry does not say what it should, names a statement that is not there, or one of ours is gone.
    """
    path = find_reference(settings, "metrics.yaml")
    catalogue = load_yaml(path, _catalogue_of)
    if path != _OURS:
        _require_ours(path, catalogue)
    return catalogue


def _catalogue_of(content: object) -> Catalogue:
    return Catalogue.model_validate({"metrics": content})


def _require_ours(path: Path, catalogue: Catalogue) -> None:
    """A file in the place of ours adds metrics; those of ours are read by code, in all their scopes.

    See docs/figures.md.
    """
    for code, ours in load_yaml(_OURS, _catalogue_of).metrics.items():
        if code not in catalogue.metrics:
            raise SetupError(f"{path} lacks the metric {code}, which the assessment or the bulletin reads.")
        if missing := [scope for scope in ours.scopes if scope not in catalogue.metrics[code].scopes]:
            raise wrong_at(path, ("metrics", code, "scopes"), f"{missing[0]} is missing")


def load_boards(settings: Settings, catalogue: Catalogue) -> dict[str, Board]:
    """The boards of include/reference/boards.yaml, or of the file that replaces it.

    Raises:
        SetupError: a board ranks a metric that the catalogue does not have, or in a scope in which it does not hold.
    """
    metrics = catalogue.metrics
    boards = load_reference(settings, "boards.yaml", _Boards.model_validate).root
    for code, board in boards.items():
        if board.metric not in metrics or board.scope not in metrics[board.metric].scopes:
            reason = f"the catalogue has no metric {board.metric} of scope {board.scope}"
            raise wrong_at(settings.reference_file("boards.yaml"), (code,), reason)
    return boards
