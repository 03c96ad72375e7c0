"""The assessment of banks: items, scores, grades, ranks, boards, relending advice (spec/04, Assessment)."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from five_precisions.figures.inputs import Parameters, run_statement
from five_precisions.figures.scheme import Scheme
from five_precisions.reference import load_boards
from five_precisions.reports import load_reports
from five_precisions.settings import Settings

_NEEDED_FOR_A_RANK = ("loans", "position")


def assess_banks(connection: Connection, settings: Settings, scheme: Scheme, parameters: Parameters) -> None:
    """Judge every bank of the run by the scheme, from the run's metrics and alerts."""
    reports = load_reports()
    rules: Parameters = {
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
        "deduction_at_most": scheme.deductions.at_most,
        "grades": json.dumps([grade.model_dump(mode="json") for grade in scheme.grades]),
        "advice": json.dumps([advice.model_dump(mode="json") for advice in scheme.relending]),
        "boards": json.dumps(
            [{"board": code, **board.model_dump(mode="json")} for code, board in load_boards(settings).items()]
        ),
    }
    for mart in ("assessment_item", "assessment", "ranking", "relending_advice"):
        run_statement(connection, f"marts/{mart}", parameters | rules)
