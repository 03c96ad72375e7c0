"""Alerts raised from the data, and the case of each (docs/figures.md#alerts).

A rule is a file of include/sql/alerts. It opens with the question that it answers. After an empty comment line it says
as YAML what its rows mean: `rule`, `level`, `aspect` (may be left out where each row brings its own), and

- `needs`: reports without which the rule says nothing: `{loans: own}` = that of the institution the alert is about,
  `{visits: all}` = those of everyone who owes it. A report that its institution does not owe is never missing.
- `needs_to_close`: what "it no longer holds" takes beyond that.
- `metric`: whose rows the measure is made from, where there is one: pages lead from the measure to its proof.

Its rows are what holds now: `institution_code`, `division_code`, `subject`, `measure`, `threshold`, `detail` (Chinese,
masked), and, where they differ from what is declared, `level` and `aspect`. A rule, institution and subject come once.
A row that says `is_unjudged` raises nothing, and keeps a case that is open as it was. A report that this one case rests
on is missing; `needs_to_close` can say that only of all cases of an institution. `contract_nos`: the institution's
loans that a row is about, where it is about loans; an inspection looks at those (figures/lists.py).
A month whose form lacks a column that the rule reads is not held against it: then nothing of the rule holds.
It reads the inputs of the run (figures/inputs.py), `mart.metric` and `mart.household_score` of the run, and what
earlier runs left. Rows about an institution that is not open at the end of the month are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, ProgrammingError

from five_precisions.errors import SetupError
from five_precisions.figures.inputs import Parameters, bound_of, fill_table, gather_statistics, run_statement
from five_precisions.period import Period
from five_precisions.reference import Catalogue
from five_precisions.reference.sql_files import SQL_FOLDER, load_heads
from five_precisions.reports import load_reports
from five_precisions.reports.columns_read import lacks_columns
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.warehouse import load_statement

ALERT_FOLDER: Final = SQL_FOLDER / "alerts"
_OWN_COLUMNS: Final = ("institution_code", "division_code", "subject", "measure", "threshold", "detail")


class AlertLevel(StrEnum):
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

    rule: str = Field(pattern=r"^[A-Z][A-Z0-9]*$")
    aspect: str | None = None
    """One of the five of an inspection; None where each row brings its own."""
    level: AlertLevel
    needs: dict[str, Whose]
    needs_to_close: dict[str, Whose] = Field(default_factory=dict)
    """Beyond `needs`."""
    metric: str | None = None
    """Of the catalogue; the rows behind it show what was measured."""
    sql: str

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        if unknown := {*self.needs, *self.needs_to_close} - set(load_reports()):
            raise ValueError(f"no such report: {', '.join(sorted(unknown))}")
        if self.aspect is not None and self.aspect not in aspects():
            raise ValueError(f"no such aspect: {self.aspect}")
        return self

    @property
    def needed(self) -> list[dict[str, str]]:
        """Every report that it needs to raise an alert, and to close a case: what raising takes, closing takes too."""
        return [
            {"rule": self.rule, "act": act, "report": report, "whose": whose.value}
            for act, needs in (("raise", [self.needs]), ("close", [self.needs, self.needs_to_close]))
            for each in needs
            for report, whose in each.items()
        ]


def aspects() -> tuple[str, ...]:
    """The five aspects of an inspection, as its report declares them (docs/field.md#the-job)."""
    return next(column.of for column in load_reports()["inspections"].columns if column.name == "aspect")


def load_alert_rules(folder: Path = ALERT_FOLDER) -> tuple[AlertRule, ...]:
    """The rules of a folder, in the order of their files' names.

    Raises:
        SetupError: a file does not say what its rows mean, two files declare one rule, or there is none: without rules
            every case would close.
    """
    rules = load_heads(folder, AlertRule, "rule", basis=load_reports)
    if not rules:
        raise SetupError(f"{folder} holds no rule of an alert.")
    return rules


def require_metrics(catalogue: Catalogue) -> None:
    """Refuse rules whose measure is said to be made from a metric that there is not.

    Raises:
        SetupError: a rule names one.
    """
    for rule in load_alert_rules():
        if rule.metric is not None and rule.metric not in catalogue.metrics:
            raise SetupError(
                f"{ALERT_FOLDER} is wrong at the rule {rule.rule}: the catalogue has no metric {rule.metric}."
            )


def raise_alerts(connection: Connection, parameters: Parameters, folder: Path | None = None) -> None:
    """What holds in the month, what became of the cases by that, and the alerts that are open after it.

    Raises:
        SetupError: a rule's file declares what is wrong, does not run, or yields what is no alert.
    """
    make_raised(connection)
    period = Period.parse(str(parameters["period"]))
    # As if its file were gone: of a column that is not delivered any more, empty would be taken for missing.
    rules = [
        rule
        for rule in load_alert_rules(ALERT_FOLDER if folder is None else folder)
        if not lacks_columns(rule.sql, period)
    ]
    titles = json.dumps({code: report.title for code, report in load_reports().items()})
    declared = {"report_titles": titles, "cross_rules": json.dumps(cross_rules())}
    for rule in rules:
        _hold(connection, rule, parameters | declared)
    gather_statistics(connection, "raised")
    _refuse_what_is_no_alert(connection, parameters)
    needs = json.dumps([need for rule in rules for need in rule.needed])
    fill_table(connection, "mart.case_state", "marts/case_state", parameters | {"needs": needs})
    fill_table(connection, "mart.alert", "marts/alert", parameters)


def rule_faults(connection: Connection, parameters: Parameters) -> Iterator[str]:
    """What PostgreSQL says against the rules' statements in a transaction that holds a run's inputs, one each."""
    make_raised(connection)
    titles = json.dumps({code: report.title for code, report in load_reports().items()})
    for rule in load_alert_rules():
        tried = connection.begin_nested()
        try:
            _hold(connection, rule, parameters | {"report_titles": titles, "cross_rules": json.dumps(cross_rules())})
        except SetupError as error:
            yield str(error)
        finally:
            tried.rollback()


def cross_rules() -> list[dict[str, Any]]:
    """What the rules across reports rest on, as A18 reads it: plain data, and an input of the run."""
    return [
        {
            "rule": rule.rule,
            "rests_on": rule.rests_on,
            "absence": rule.absence,
            "is_settled_at_close": rule.is_settled_at_close,
        }
        for rule in load_cross_rules()
    ]


def make_raised(connection: Connection) -> None:
    """Make the run's table `raised` of what the rules yield, open or not; it goes with the transaction."""
    connection.exec_driver_sql(
        "create temporary table raised (rule text, aspect text, level text, institution_code text, division_code text, "
        "subject text, measure numeric, threshold numeric, detail text, is_unjudged boolean, contract_nos jsonb) "
        "on commit drop"
    )


def follow_inspections(connection: Connection, parameters: Parameters) -> None:
    """Follow the findings of on-site inspections to their mending, beside the run's alerts (docs/field.md#the-job)."""
    run_statement(connection, "marts/inspection_followup", parameters)


def _hold(connection: Connection, rule: AlertRule, parameters: Parameters) -> None:
    """Put what the rule's statement yields into the run's table `raised`."""
    own = ", ".join(f"found.{name}" for name in _OWN_COLUMNS)
    # Rows may carry more than what all have: to_jsonb reads a column that a statement may leave out. It is made once of
    # a row, which `offset 0` sees to, and not for each of these columns.
    statement = text(
        "insert into raised select :rule, coalesce(whole.content ->> 'aspect', :aspect), "
        f"coalesce(whole.content ->> 'level', :level), {own}, "
        "coalesce(cast(whole.content ->> 'is_unjudged' as boolean), false), "
        f"nullif(whole.content -> 'contract_nos', 'null') from (\n{rule.sql}\n) as found "
        "cross join lateral (select to_jsonb(found) as content offset 0) as whole"
    )
    declared: Parameters = {"rule": rule.rule, "aspect": rule.aspect, "level": rule.level.value}
    try:
        connection.execute(statement, bound_of(connection, statement, parameters | declared))
    except KeyError as error:
        raise SetupError(f"The statement of alert rule {rule.rule} binds {error}, which a run does not have.") from None
    except (ProgrammingError, DataError) as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise SetupError(f"The statement of alert rule {rule.rule} does not run: {reason}.") from error


def _refuse_what_is_no_alert(connection: Connection, parameters: Parameters) -> None:
    """Hold the rows of the rules against what an alert is."""
    statement = load_statement("marts/no_alert")
    values = {"levels": [level.value for level in AlertLevel], "aspects": list(aspects())}
    found = connection.execute(statement, bound_of(connection, statement, parameters | values)).first()
    if found is not None:
        raise SetupError(f"Alert rule {found.rule} yields what is no alert: {found.fault}.")
