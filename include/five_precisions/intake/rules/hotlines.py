"""The forms of hotlines, of reference/hotlines.yaml: what a hotline may look like (docs/reports.md#rules)."""

from __future__ import annotations

import re
import warnings
from typing import Annotated, Self

from pydantic import Field, RootModel, model_validator

from five_precisions.reference import load_reference, wrong_at
from five_precisions.settings import Settings


class _Hotlines(RootModel[dict[str, Annotated[str, Field(min_length=1, max_length=500)]]]):
    @model_validator(mode="after")
    def _are_regular_expressions(self) -> Self:
        if not self.root:
            raise ValueError("there is no form, so that every hotline would be wrong")
        for name, form in self.root.items():
            try:
                # Also as it is written: what closes a bracket that only the whole cell opens is no form. A warning is
                # of what another engine reads otherwise, and the checks do not always ask Python's.
                with warnings.catch_warnings(action="error"):
                    re.compile(_whole_cell(form))
                    matches_nothing = re.compile(form).fullmatch("")
            except (re.error, OverflowError, RecursionError, FutureWarning) as error:
                raise ValueError(f"{name}: it is no regular expression: {error}") from None
            if matches_nothing:
                raise ValueError(f"{name}: the form takes a text without a sign for a hotline")
        return self


def _whole_cell(form: str) -> str:
    return f"^(?:{form})$"


def load_hotlines(settings: Settings) -> dict[str, str]:
    """The forms of hotlines, by name: regular expressions of a whole cell.

    Raises:
        SetupError: the file is missing or wrong, or a form is no regular expression.
    """
    return load_reference(settings, "hotlines.yaml", _Hotlines.model_validate).root


def hotline_forms(settings: Settings) -> list[str]:
    """The forms of hotlines as the suites take them.

    Raises:
        SetupError: the file is missing or wrong, or pandas does not read a form.
    """
    import pandas as pd

    cell = pd.Series(["0"], dtype="str")
    forms = {name: _whole_cell(form) for name, form in load_hotlines(settings).items()}
    for name, form in forms.items():
        try:
            # Not by Python's engine, but by Arrow's: it lacks some of what `re` knows, as (?>…), (?(1)…) and a++.
            cell.str.match(form)
        except ValueError as error:
            path = settings.reference_file("hotlines.yaml")
            reason = str(error).rpartition(": ")[2]
            raise wrong_at(path, (name,), f"the checks do not know this expression: {reason}") from None
    return list(forms.values())
