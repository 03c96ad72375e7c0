"""The assessment of banks: items, scores, grades, ranks, boards, relending advice (docs/figures.md#assessment).

Banks are judged in scenarios, by the same statements (include/sql/assessment): `actual` is what the run's figures say,
and to show a bank what one step better would give, its figures of one indicator are moved and judged again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from five_precisions.figures.inputs import Parameters, run_statement
from five_precisions.figures.scheme import Scheme
from five_precisions.reference import Board
from five_precisions.reports import load_reports

_NEEDED_FOR_A_RANK: Final = ("loans", "position")
_TABLES: Final = (
    """scenario (
        code text, scenario text, step numeric, round integer, city_growth numeric, year_begin numeric, balance numeric,
        growth numeric, target numeric, reached numeric, completion numeric, offered numeric, answered numeric,
        match_rate numeric, visit_round integer, households numeric, visited numeric, coverage numeric,
        overdue_of numeric, overdue numeric, overdue_ratio numeric, expected numeric, received numeric, on_time numeric,
        first_pass numeric, deductions numeric
    )""",
    """scenario_item (
        code text, scenario text, step numeric, round integer, indicator text, raw numeric, points numeric
    )""",
    """scenario_score (
        code text, scenario text, step numeric, round integer, raw numeric, points numeric, deductions numeric,
        score numeric, grade text, rank integer
    )""",
    "wanted_step (code text, indicator text, step numeric, round integer)",
)
"""A scenario is `actual`, or the code of the indicator that it moves by a step; a round is what is judged at once."""


def assess_banks(connection: Connection, scheme: Scheme, boards: Mapping[str, Board], parameters: Parameters) -> None:
    """Judge every bank of the run by the scheme, from the run's metrics and alerts, and rank what the boards rank."""
    rules = parameters | _rules_of(scheme)
    for table in _TABLES:
        connection.exec_driver_sql(f"create temporary table {table} on commit drop")
    run_statement(connection, "assessment/actual", rules)
    _judge(connection, rules, 0)
    ranked = [{"board": code, **board.model_dump(mode="json")} for code, board in boards.items()]
    for mart in ("assessment_item", "assessment", "pace", "ranking", "relending_advice"):
        run_statement(connection, f"marts/{mart}", rules | {"boards": json.dumps(ranked)})
    _find_next_steps(connection, rules)


def _find_next_steps(connection: Connection, rules: Parameters) -> None:
    """Judge what would surely be enough, then steps between, until the smallest that is enough is known."""
    run_statement(connection, "assessment/judged_step", {})
    number = 1
    wanted = run_statement(connection, "assessment/farthest_steps", rules | {"round": number})
    while wanted:
        run_statement(connection, "assessment/improved", rules | {"round": number})
        _judge(connection, rules, number)
        number += 1
        wanted = run_statement(connection, "assessment/nearer_steps", rules | {"round": number})
    run_statement(connection, "marts/next_step", rules)


def _judge(connection: Connection, rules: Parameters, number: int) -> None:
    """Items, score, grade and rank of the scenarios of a round."""
    # Nobody else gathers statistics of a temporary table; without them the joins go row by row.
    connection.exec_driver_sql("analyze scenario")
    run_statement(connection, "assessment/items", rules | {"round": number})
    connection.exec_driver_sql("analyze scenario_item")
    run_statement(connection, "assessment/scores", rules | {"round": number})
    connection.exec_driver_sql("analyze scenario_score")


def _rules_of(scheme: Scheme) -> Parameters:
    """What the statements bind of the scheme."""
    reports = load_reports()
    return {
        "weights": json.dumps(
            [
                {"indicator": indicator, "weight": str(weight), "place": place}
                for place, (indicator, weight) in enumerate(scheme.weights.items())
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
