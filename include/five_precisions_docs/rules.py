"""docs/reference/rules.md: every rule that deliveries are held against."""

from __future__ import annotations

from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.rules.suites import load_suite
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import Moment, load_cross_rules
from five_precisions_docs.page import code, page, question_of, table

_JUDGED = {
    Moment.VERSION: "when a version is recorded",
    Moment.STANDING: "of what stands, with each new version and at the close",
}


def rules_page() -> str:
    """The page: rules on files and cells, on rows of one report, and across months, reports and institutions."""
    reports = load_reports()
    return page(
        "Rules",
        "`intake/package_rules.py`, `include/expectations/` and `include/sql/checks/`",
        "What a level does, and how rules keep out of one another's way: [reports.md](../reports.md#rules). A rule"
        " holds for deliveries of the month named under *since* and of later ones. What stands in braces is filled in.",
        "## Files, sheets and cells",
        "Judged when a package is read, and by the self-check.",
        table(
            ["code", "level", "looks at", "asks", "since"],
            [[rule.code, rule.level, rule.part, rule.asks, _since(None)] for rule in PackageRule],
        ),
        "## Rows of one report",
        "Judged when a package is read, and by the self-check: one Great Expectations suite a report.",
        table(
            ["code", "level", "report", "column", "message", "expected", "since"],
            [
                [
                    rule.rule,
                    rule.level,
                    code(report.code),
                    code(rule.column),
                    rule.message,
                    rule.expected or "",
                    _since(rule.since),
                ]
                for report in reports.values()
                for rule in load_suite(report).rules
            ],
        ),
        "## Across months, reports and institutions",
        table(
            ["code", "level", "across", "report", "column", "finds", "message", "judged", "since"],
            [
                [
                    rule.rule,
                    rule.level,
                    rule.across,
                    code(rule.report),
                    code(rule.column),
                    question_of(rule.sql),
                    rule.message,
                    _JUDGED[rule.moment],
                    _since(rule.since),
                ]
                for rule in load_cross_rules()
            ],
        ),
    )


def _since(first: Period | None) -> str:
    return "the beginning" if first is None else str(first)
