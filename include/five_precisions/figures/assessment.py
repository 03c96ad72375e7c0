"""The assessment of banks: items, scores, grades, ranks, boards, relending advice (docs/figures.md#assessment).

Banks are judged in scenarios, by the same statements: `actual` is what the run's figures say. To show a bank what one
step better would give, its figures of one indicator are moved by a step and judged again.

An indicator is an entry of include/reference/indicators.yaml and a statement of include/sql/assessment/indicators. The
statement judges the banks of `asked` (`code`, `step`), each as if it had done so many units more; step 0 is the bank as
it is. More is never worse. It yields a row for each of them:

- `code`, `step`: as asked; `done`: what the step comes to, where its last unit may be a part of one,
- `raw`: its percentage; `points`: 0 to 1, NULL where the bank is not assessed in it,
- `farthest`: units more that would surely bring full points; NULL or not above 0 where no step helps,
- `note`: why the points are what they are; `deed`: what the bank would have done. Both are Chinese, for the bank.

It reads `bank_figure` (`code`, `metric`, `value`, `numerator`, `denominator`: the run's figures of the assessed banks)
and `city_figure` (the same without `code`). It also reads what `load_inputs_of_run` makes of the run's inputs
(figures/inputs.py), for a trial judges a past run (figures/trial.py), and binds what a run has. Of the year's months up
to its own it reads the runs of `:runs_of_year`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.figures.inputs import (
    Parameters,
    bound_of,
    fill_table,
    gather_statistics,
    reports_read_by,
    run_statement,
    statement_errors,
)
from five_precisions.figures.scheme import Scheme
from five_precisions.reference import Board, load_indicators
from five_precisions.reports import load_reports
from five_precisions.warehouse import load_statement

_NEEDED_FOR_A_RANK: Final = ("loans", "position")
_TABLES: Final = (
    "assessed_bank (code text, deductions numeric)",
    "bank_figure (code text, metric text, value numeric, numerator numeric, denominator numeric)",
    "city_figure (metric text, value numeric, numerator numeric, denominator numeric)",
    "wanted_step (indicator text, code text, step numeric, round integer)",
    """scenario_item (
        indicator text, code text, step numeric, round integer, done numeric, raw numeric, points numeric,
        farthest numeric, note text, deed text, primary key (indicator, code, step)
    )""",
    """scenario_score (
        code text, scenario text, step numeric, raw numeric, points numeric, deductions numeric, score numeric,
        grade text, rank integer, primary key (code, scenario, step)
    )""",
)
"""A scenario is `actual`, or the code of the indicator that it moves by a step; a round is what is judged at once."""
_FILLED_BY: Final = {table: f"assessment/{table}s" for table in ("assessed_bank", "bank_figure", "city_figure")}
"""Statements by the table that each fills, in their order."""


def assess_banks(connection: Connection, scheme: Scheme, boards: Mapping[str, Board], parameters: Parameters) -> None:
    """Judge every bank of the run by the scheme, from the run's metrics and alerts, and rank what the boards rank.

    Raises:
        SetupError: the statement of an indicator does not run, or does not judge every bank once.
    """
    make_scenarios(connection)
    judge_banks(connection, scheme, parameters)
    rules = parameters | _rules_of(scheme)
    ranked = [{"board": code, **board.model_dump(mode="json")} for code, board in boards.items()]
    for mart in ("assessment_item", "assessment", "pace", "ranking", "relending_advice"):
        run_statement(connection, f"marts/{mart}", rules | {"boards": json.dumps(ranked)})
    _find_next_steps(connection, scheme, rules)


def make_scenarios(connection: Connection) -> None:
    """Make the temporary tables in which banks are judged; they go with the transaction."""
    for table in _TABLES:
        connection.exec_driver_sql(f"create temporary table {table} on commit drop")


def judge_banks(connection: Connection, scheme: Scheme, parameters: Parameters) -> None:
    """Judge every bank of the run as it is: `scenario_item` and the `actual` rows of `scenario_score` say how.

    Raises:
        SetupError: as `assess_banks`.
    """
    rules = parameters | _rules_of(scheme)
    for table, name in _FILLED_BY.items():
        fill_table(connection, table, name, rules)
    run_statement(connection, "assessment/no_step", rules | {"round": 0})
    _judge(connection, scheme, rules, 0)


def reports_judged_by(scheme: Scheme) -> list[str]:
    """The codes of the reports whose rows `judge_banks` reads beside the run's figures."""
    return reports_read_by([*_FILLED_BY.values(), *map(_statement_of, scheme.weights)])


def _statement_of(indicator: str) -> str:
    return f"assessment/indicators/{indicator}"


def _find_next_steps(connection: Connection, scheme: Scheme, rules: Parameters) -> None:
    """Judge what would surely be enough, then steps between, until the smallest that is enough is known."""
    run_statement(connection, "assessment/judged_step", {})
    number = 1
    wanted = run_statement(connection, "assessment/farthest_steps", rules | {"round": number})
    while wanted:
        _judge(connection, scheme, rules, number)
        number += 1
        wanted = run_statement(connection, "assessment/nearer_steps", rules | {"round": number})
    run_statement(connection, "marts/next_step", rules)


def _judge(connection: Connection, scheme: Scheme, rules: Parameters, number: int) -> None:
    """Items, score, grade and rank of the scenarios of a round."""
    # Nobody else gathers statistics of a temporary table; without them the joins go row by row.
    gather_statistics(connection, "wanted_step")
    for indicator in scheme.weights:
        _judge_by(connection, indicator, rules | {"indicator": indicator, "round": number})
    gather_statistics(connection, "scenario_item")
    statement = load_statement("assessment/unjudged")
    if (passed_over := connection.execute(statement, {"round": number}).first()) is not None:
        raise SetupError(
            f"include/sql/assessment/indicators/{passed_over.indicator}.sql says nothing of {passed_over.code}, which "
            f"it was asked about with a step of {passed_over.step}."
        )
    run_statement(connection, "assessment/scores", rules | {"round": number})
    gather_statistics(connection, "scenario_score")


def _judge_by(connection: Connection, indicator: str, rules: Parameters) -> None:
    """Let the statement of an indicator judge what is asked in the round."""
    name = _statement_of(indicator)
    statement = text(
        "insert into scenario_item with asked as ("
        "select code, step from wanted_step where indicator = :indicator and round = :round"
        ") select :indicator, found.code, found.step, :round, found.done, found.raw, found.points, found.farthest, "
        f"found.note, found.deed from (\n{load_statement(name).text}\n) as found"
    )
    with statement_errors(name):
        connection.execute(statement, bound_of(connection, statement, rules))


def indicator_faults(connection: Connection, scheme: Scheme, parameters: Parameters) -> Iterator[str]:
    """What PostgreSQL says against the indicators' statements in a transaction with a run's inputs, one each."""
    make_scenarios(connection)
    rules = parameters | _rules_of(scheme) | {"runs_of_year": [], "round": 0}
    for indicator in scheme.weights:
        tried = connection.begin_nested()
        try:
            _judge_by(connection, indicator, rules | {"indicator": indicator})
        except SetupError as error:
            yield str(error)
        finally:
            tried.rollback()


def _rules_of(scheme: Scheme) -> Parameters:
    """What the statements bind of the scheme."""
    reports, indicators = load_reports(), load_indicators()
    return {
        "indicators": json.dumps(
            [
                {
                    "indicator": code,
                    "weight": str(weight),
                    "place": place,
                    "unit": indicators[code].unit,
                    "measure": indicators[code].measure,
                }
                for place, (code, weight) in enumerate(scheme.weights.items())
            ]
        ),
        "full_points_up_to": scheme.overdue_ratio.full_points_up_to,
        "no_points_from": scheme.overdue_ratio.no_points_from,
        "wanted_reports": json.dumps(
            [
                {"report": code, "title": reports[code].title, "place": place}
                for place, code in enumerate(_NEEDED_FOR_A_RANK)
            ]
        ),
        "deduction_per_finding": scheme.deductions.per_overdue_finding,
        "deduction_per_high_alert": scheme.deductions.per_high_alert,
        "deduction_at_most": scheme.deductions.at_most,
        "grades": json.dumps([grade.model_dump(mode="json") for grade in scheme.grades]),
        "advice": json.dumps([advice.model_dump(mode="json") for advice in scheme.relending]),
    }
