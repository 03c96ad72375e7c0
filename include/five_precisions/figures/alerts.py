"""Alerts raised from the data, and the case of each (spec/04, Alerts).

A rule is a file of include/sql/alerts. It opens with the question that it answers and, after an empty comment line,
says as YAML what its rows mean: `rule`, `aspect`, `level`, and

- `needs`: reports without which the rule says nothing: `{loans: own}` = that of the institution the alert is about,
  `{visits: all}` = those of everyone who owes it. A report that its institution does not owe is never missing.
- `needs_to_close`: the same for "it no longer holds", where that takes more than raising it does.

Its rows are what holds now: `institution_code`, `division_code`, `subject`, `measure`, `threshold`, `detail` (Chinese,
masked), and, where they differ from what is declared, `level` and `aspect`. It reads the inputs of the run
(figures/inputs.py), `mart.metric` and `mart.household_score` of the run, and what earlier runs left.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.figures.inputs import Parameters, bound_of, run_statement
from five_precisions.reports import load_reports
from five_precisions.warehouse.statements import SQL_FOLDER, load_declared

ALERT_FOLDER: Final = SQL_FOLDER / "alerts"
_OWN_COLUMNS: Final = ("institution_code", "division_code", "subject", "measure", "threshold", "detail")


class Level(StrEnum):
    """How grave an alert is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Whose(StrEnum):
    """Whose report a rule needs."""

    OWN = "own"
    ALL = "all"


class AlertRule(BaseModel):
    """One rule, as its file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    aspect: str
    level: Level
    needs: dict[str, Whose]
    needs_to_close: dict[str, Whose] | None = None
    sql: str

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        named = {*self.needs, *(self.needs_to_close or {})}
        if unknown := named - set(load_reports()):
            raise ValueError(f"no such report: {', '.join(sorted(unknown))}")
        return self


@cache
def load_alert_rules(folder: Path = ALERT_FOLDER) -> tuple[AlertRule, ...]:
    """The rules of a folder, in the order of their files' names.

    Raises:
        SetupError: a file does not say what its rows mean, or two files declare one rule.
    """
    rules = tuple(load_declared(path, AlertRule) for path in sorted(folder.glob("*.sql")))
    if len({each.rule for each in rules}) < len(rules):
        raise SetupError(f"{folder}: two files declare the same rule.")
    return rules


def raise_alerts(connection: Connection, parameters: Parameters, folder: Path = ALERT_FOLDER) -> None:
    """What holds in the month, what became of the cases by that, and the alerts that are open after it."""
    connection.exec_driver_sql(
        "create temporary table raised (rule text, aspect text, level text, institution_code text, division_code text, "
        "subject text, measure numeric, threshold numeric, detail text) on commit drop"
    )
    rules = load_alert_rules(folder)
    for rule in rules:
        _hold(connection, rule, parameters)
    declared = json.dumps(
        [
            {
                "rule": rule.rule,
                "needs": rule.needs,
                "needs_to_close": rule.needs if rule.needs_to_close is None else rule.needs_to_close,
            }
            for rule in rules
        ]
    )
    run_statement(connection, "marts/case_state", parameters | {"rules": declared})
    run_statement(connection, "marts/alert", parameters)


def _hold(connection: Connection, rule: AlertRule, parameters: Parameters) -> None:
    """Put what the rule's statement yields into the run's table `raised`."""
    own = ", ".join(f"found.{name}" for name in _OWN_COLUMNS)
    # Rows may carry a level and an aspect of their own: to_jsonb reads a column that a statement may leave out.
    statement = text(
        "insert into raised select :rule, coalesce(to_jsonb(found) ->> 'aspect', :aspect), "
        f"coalesce(to_jsonb(found) ->> 'level', :level), {own} from (\n{rule.sql}\n) as found"
    )
    declared: Parameters = {"rule": rule.rule, "aspect": rule.aspect, "level": rule.level.value}
    connection.execute(statement, bound_of(connection, statement, parameters | declared))
