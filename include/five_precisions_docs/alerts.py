"""docs/reference/alerts.md: every alert that a run may raise."""

from __future__ import annotations

from collections.abc import Mapping

from five_precisions.figures.alerts import load_alert_rules
from five_precisions_docs.page import code, page, question_of, table


def alerts_page() -> str:
    """The page: one row a rule, in the order of the files."""
    return page(
        "Alerts",
        "`include/sql/alerts/`",
        "How alerts become cases: [figures.md](../figures.md#alerts). A level or an aspect may differ from row to row"
        " where the statement says so. *Own*: the report of the institution that the alert is about; *all*: those of"
        " everyone who owes it.",
        table(
            ["code", "aspect", "level", "raised for", "needs", "needs beyond that to close"],
            [
                [
                    rule.rule,
                    rule.aspect or "that of the row",
                    rule.level,
                    question_of(rule.sql),
                    _needed(rule.needs),
                    _needed(rule.needs_to_close),
                ]
                for rule in load_alert_rules()
            ],
        ),
    )


def _needed(reports: Mapping[str, str]) -> str:
    return ", ".join(f"{code(report)} ({whose})" for report, whose in reports.items())
