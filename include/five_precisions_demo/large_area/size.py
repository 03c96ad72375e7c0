"""How large an invented area is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from five_precisions.errors import UsageError
from five_precisions.period import Period

_FEWEST_INSTITUTIONS: Final = 10
_MOST_INSTITUTIONS: Final = 1000
"""A tenth of them are county offices, and a city has at most 99 counties by the codes of its divisions."""

_MONTH: Final = Period(2019, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSize:
    """How much of everything there is by the end of the last month."""

    institutions: int
    """Banks, county offices and the centre."""
    loans: int
    households: int
    projects: int
    first: Period = _MONTH
    last: Period = _MONTH
    seed: int = 2019

    def __post_init__(self) -> None:
        """Refuse what cannot be invented.

        Raises:
            UsageError: too few or too many institutions, a bank without a loan, or months out of order.
        """
        if not _FEWEST_INSTITUTIONS <= self.institutions < _MOST_INSTITUTIONS:
            raise UsageError(f"An area has {_FEWEST_INSTITUTIONS} to {_MOST_INSTITUTIONS - 1} institutions.")
        if self.loans < self.institutions or min(self.households, self.projects) < self.institutions:
            raise UsageError("An area has a loan, a household and a project for each institution at least.")
        if self.last < self.first:
            raise UsageError(f"{self.last} lies before {self.first}.")

    @classmethod
    def usual(cls, institutions: int, loans: int, **others: int | Period) -> AreaSize:
        """A size with three households for ten loans and ten projects for an institution, unless `others` say."""
        usual = {"households": max(institutions, loans * 3 // 10), "projects": institutions * 10}
        return cls(institutions=institutions, loans=loans, **(usual | others))  # type: ignore[arg-type]

    @property
    def months(self) -> tuple[Period, ...]:
        """Of which months it delivers."""
        months = [self.first]
        while months[-1] < self.last:
            months.append(months[-1].next())
        return tuple(months)
