"""The indicators of the assessment, and what they are called (docs/figures.md#assessment)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, Field, TypeAdapter

from five_precisions.errors import SetupError
from five_precisions.own_files import edition_of, files_of, found
from five_precisions.period import Period
from five_precisions.reference.dates import FromPeriod
from five_precisions.reference.files import ReferenceModel, load_yaml, wrong_at
from five_precisions.reference.sql_files import SQL_FOLDER
from five_precisions.settings import INCLUDE

_OURS: Final = INCLUDE / "reference" / "indicators.yaml"
INDICATOR_FOLDER: Final = SQL_FOLDER / "assessment" / "indicators"
"""Where each indicator has its statement."""


class Indicator(ReferenceModel):
    """One indicator: its Chinese name, the month from which it counts, and its words for a bank."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str = Field(min_length=1)
    valid_from: FromPeriod = Field(alias="from")
    unit: str = Field(min_length=1)
    """Of a step: 户, 万元, …"""
    measure: str = Field(min_length=1)
    """What its percentage is called."""
    metric: str | None = Field(default=None, min_length=1)
    """The metric of scope bank that its percentage is, and that proves it; none where it is made of several."""
    advice: str | None = Field(default=None, min_length=1)
    """What raises it; without one it follows from the bank's pace."""

    def counts_in(self, period: Period) -> bool:
        """Whether a version of the scheme that holds from this month on weighs it."""
        return self.valid_from <= period


_DECLARED: Final = TypeAdapter(dict[str, Indicator])


def load_indicators(path: Path = _OURS, folder: Path = INDICATOR_FOLDER) -> dict[str, Indicator]:
    """The indicators by code, in the order of the file.

    Raises:
        SetupError: an entry does not say what it should, or an entry and a statement lack each other.
    """
    file = found(path)
    return _load(file, edition_of(file), folder, tuple(files_of(folder, ".sql")))


@lru_cache(maxsize=8)
def _load(path: Path, _edition: tuple[int, int], folder: Path, statements: tuple[Path, ...]) -> dict[str, Indicator]:
    indicators = load_yaml(path, _DECLARED.validate_python)
    codes = {each.stem for each in statements}
    if missing := [code for code in indicators if code not in codes]:
        raise wrong_at(path, (missing[0],), f"there is no statement {folder / missing[0]}.sql")
    if unknown := [each for each in statements if each.stem not in indicators]:
        raise SetupError(f"{unknown[0]} is the statement of no indicator of {path}.")
    if path != _OURS and path == found(_OURS):
        _require_ours(path, indicators)
    return indicators


def _require_ours(path: Path, indicators: dict[str, Indicator]) -> None:
    """A file in the place of ours adds indicators; those of ours are read by code, in pace and advice."""
    for code in load_yaml(_OURS, _DECLARED.validate_python):
        if code not in indicators:
            raise SetupError(f"{path} lacks the indicator {code}, which the advice to banks and the bulletin read.")
