"""The pages of the Data Docs: Great Expectations' own site builder, with templates that need no network.

Its renderers make the contents; its templates, which load styles, fonts and scripts from half a dozen servers, are
replaced by those of include/templates/data_docs. Nothing on a page is delivered text.
"""

from __future__ import annotations

import html
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from five_precisions.errors import FivePrecisionsError
from five_precisions.intake.findings import Verdict
from five_precisions.intake.level_words import LEVEL_WORDS, REPORT_VERDICT_WORDS
from five_precisions.intake.rules.library import great_expectations_context, great_expectations_library
from five_precisions.intake.rules.suites import RowSuite, SuiteRule
from five_precisions.period import Period
from five_precisions.reports import Report, load_reports
from five_precisions.reports.level import Level
from five_precisions.settings import INCLUDE

TEMPLATES: Final = INCLUDE / "templates" / "data_docs"
PAGES_MARK: Final = b"{pages}"
"""In the index, where the name of the folder of the pages belongs."""

_PHRASES: Final = {
    "$unexpected_count unexpected values found. $unexpected_percent of $element_count total rows.": (
        "$unexpected_count 处不符，涉及 $element_count 行中的 $unexpected_percent。"
    ),
}
"""What the library says in English under a failed expectation."""
_PLACEHOLDER = re.compile(r"\{\w+\}")
_HOW_JUDGED: Final = {True: "〔Great Expectations〕", False: "〔筛查〕", None: ""}
"""How an expectation was judged (docs/performance.md#judging)."""


class PageError(FivePrecisionsError):
    """The library did not render a page."""


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """How one expectation fared on the rows of one version."""

    ordinal: int
    """Its place in the suite's file, from 0."""
    rule: SuiteRule
    findings: int | None
    """Findings it made, 0 = it held; None where it could not be asked."""
    is_validated: bool | None = None
    """Whether Great Expectations judged it; False: screening saw it hold; None: nobody wrote it down then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVersion:
    """One report of one judged version, held against its suite."""

    submission_id: str
    institution_code: str
    short_name: str
    version: int
    received_at: datetime
    suite: RowSuite
    rows: int
    verdict: Verdict
    is_frozen: bool
    """Whether the month's figures are made of it."""
    outcomes: tuple[ExpectationOutcome, ...]
    other_findings: int
    """Findings that no expectation made: of the file, of single cells, across reports."""

    @property
    def report(self) -> Report:
        """Which report."""
        return self.suite.report

    @property
    def asked(self) -> tuple[ExpectationOutcome, ...]:
        """The expectations that could be asked of these rows."""
        return tuple(outcome for outcome in self.outcomes if outcome.findings is not None)

    @property
    def failed(self) -> tuple[ExpectationOutcome, ...]:
        """Those that did not hold."""
        return tuple(outcome for outcome in self.outcomes if outcome.findings)

    @property
    def validated(self) -> tuple[ExpectationOutcome, ...] | None:
        """The asked expectations that Great Expectations judged; None where nobody wrote it down."""
        if any(outcome.is_validated is None for outcome in self.asked):
            return None
        return tuple(outcome for outcome in self.asked if outcome.is_validated)

    @property
    def held_percent(self) -> float | None:
        """Share of the asked expectations that held, in percent; None where none was asked."""
        return 100 * (len(self.asked) - len(self.failed)) / len(self.asked) if self.asked else None


@dataclass(frozen=True, slots=True)
class OtherRule:
    """What a rule that no suite holds found in the month."""

    rule: str
    level: Level
    findings: int
    institutions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfDocs:
    """All that the pages of a month say."""

    period: Period
    closed_at: datetime | None
    is_demo: bool
    suites: Mapping[str, RowSuite]
    versions: tuple[ReportVersion, ...]
    other_rules: tuple[OtherRule, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A result's place among the pages, from the folder that holds them."""

    version: ReportVersion
    path: str


def render_site(month: MonthOfDocs) -> tuple[bytes, dict[str, bytes]]:
    """The index page, and all others by their path; none refers to anything outside.

    In the index the name of the folder that the other pages will lie in is left open (`PAGES_MARK`).

    Raises:
        PageError: the library did not render a page.
    """
    # Much of the library wants an active context; the stores of this month are its own and go with it.
    great_expectations_context()
    with _without_warnings(), tempfile.TemporaryDirectory() as folder:
        from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
        from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
        from great_expectations.render.renderer.site_builder import SiteBuilder

        defaults = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        context = EphemeralDataContext(project_config=DataContextConfig(store_backend_defaults=defaults))
        for suite in month.suites.values():
            _store_suite(context, suite)
        places = [_Place(version, _store_result(context, version)) for version in month.versions if version.asked]
        builder: Any = SiteBuilder(
            data_context=context,
            store_backend={"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
            site_name=str(month.period),
            show_how_to_buttons=False,
            # By this word the library knows a section that is not wanted.
            site_section_builders={"profiling": "None"},
        )
        for section in (*builder.site_section_builders.values(), builder.site_index_builder):
            _use_own_templates(section.view_class.env, month, places)
        # Fonts and pictures for the templates that ours replace: five megabytes a month.
        builder.target_store.copy_static_assets = lambda: None
        builder.build()
        pages = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*.html"))
        }
    index = pages.pop("index.html", b"")
    expected = {place.path for place in places} | {f"expectations/{code}.html" for code in month.suites}
    if not index or (missing := expected - set(pages)):
        raise PageError(f"Great Expectations rendered no page {'index.html' if not index else min(missing)}.")
    return index, pages


def _store_suite(context: Any, suite: RowSuite) -> None:
    """The suite as a page shows it: the library's words, and below them what an institution reads."""
    gx = great_expectations_library()
    expectations = [
        {**expectation, "notes": _rule_line(suite.report, rule)}
        for expectation, rule in zip(suite.expectations, suite.rules, strict=True)
    ]
    context.suites.add(gx.ExpectationSuite(name=suite.report.code, expectations=expectations))


def _store_result(context: Any, version: ReportVersion) -> str:
    """The version's outcomes as a result of the library; the path of its page."""
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    code, suite = version.report.code, version.suite
    run = RunIdentifier(run_name=version.submission_id, run_time=version.received_at)
    results = []
    for outcome in version.asked:
        expectation, findings = suite.expectations[outcome.ordinal], outcome.findings or 0
        results.append(
            ExpectationValidationResult(
                success=not findings,
                expectation_config=ExpectationConfiguration(
                    type=expectation["type"],
                    kwargs=dict(expectation["kwargs"]),
                    meta={"rule": outcome.rule.rule},
                    severity=expectation["severity"],
                    description=_rule_line(version.report, outcome.rule, outcome.is_validated),
                ),
                result={
                    "element_count": version.rows,
                    "unexpected_count": findings,
                    "unexpected_percent": round(100 * findings / version.rows, 2),
                },
                exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
            )
        )
    held = len(version.asked) - len(version.failed)
    identifier: Any = ValidationResultIdentifier(ExpectationSuiteIdentifier(code), run, version.institution_code)
    context.stores[context.validation_results_store_name].set(
        identifier,
        ExpectationSuiteValidationResult(
            success=not version.failed,
            results=results,
            suite_name=code,
            statistics={
                "evaluated_expectations": len(results),
                "successful_expectations": held,
                "unsuccessful_expectations": len(version.failed),
                "success_percent": version.held_percent,
            },
            meta={"run_id": run, "batch_spec": {"data_asset_name": code, "submission_id": version.submission_id}},
        ),
    )
    return "/".join(("validations", *identifier.to_tuple())) + ".html"


def _rule_line(report: Report, rule: SuiteRule, is_validated: bool | None = None) -> str:
    """Rule, level, column, message and how it was judged, in one line of HTML; the library shows it as it is."""
    line = f"{rule.rule} {LEVEL_WORDS[rule.level]}｜{report.column(rule.column).header}｜{message_of(rule)}"
    line += _HOW_JUDGED[is_validated]
    # A dollar would begin a placeholder of the library.
    return html.escape(line).replace("$", "$$")


def message_of(rule: SuiteRule) -> str:
    """The rule's message, with an ellipsis where an institution reads a number or a date of its own row."""
    return _PLACEHOLDER.sub("…", rule.message)


def _use_own_templates(environment: Any, month: MonthOfDocs, places: list[_Place]) -> None:
    """Put our templates before the library's, with what they show beyond its results."""
    from jinja2 import ChoiceLoader, FileSystemLoader

    environment.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), environment.loader])
    render = environment.filters["render_string_template"]

    def in_chinese(template: Any) -> Any:
        if not isinstance(template, dict):
            return template
        words = str(template.get("template", "")).strip()
        return render({**template, "template": _PHRASES.get(words, template.get("template", ""))})

    environment.filters["render_string_template"] = in_chinese
    environment.globals |= {
        "month": month,
        "places": places,
        "version_of": {(each.submission_id, each.report.code): each for each in month.versions},
        "failed_rules": _failed_rules(month),
        "levels": LEVEL_WORDS,
        "verdicts": REPORT_VERDICT_WORDS,
        "column_label": _column_label,
        "message_of": message_of,
        "reports": load_reports(),
        "pages": PAGES_MARK.decode(),
    }


@dataclass(frozen=True, slots=True)
class _FailedRule:
    """One expectation that did not hold somewhere, over all versions of the month."""

    report: Report
    rule: SuiteRule
    findings: int
    versions: int
    institutions: int


def _failed_rules(month: MonthOfDocs) -> list[_FailedRule]:
    found: dict[tuple[str, int], list[ReportVersion]] = {}
    findings: Counter[tuple[str, int]] = Counter()
    for version in month.versions:
        for outcome in version.failed:
            found.setdefault((version.report.code, outcome.ordinal), []).append(version)
            findings[version.report.code, outcome.ordinal] += outcome.findings or 0
    order = {code: number for number, code in enumerate(month.suites)}
    return [
        _FailedRule(
            month.suites[code].report,
            month.suites[code].rules[ordinal],
            findings[code, ordinal],
            len(versions),
            len({version.institution_code for version in versions}),
        )
        for (code, ordinal), versions in sorted(found.items(), key=lambda each: (order[each[0][0]], each[0][1]))
    ]


def _column_label(suite: RowSuite, name: str) -> str:
    """What a section of a page is called: the header of its column, those that a derived column is made of, the key."""
    report = suite.report
    header_of = {column.name: column.header for column in report.columns}
    if name == "key":
        return "主键（" + "、".join(header_of[each] for each in report.key) + "）"
    if name in suite.derived:
        return "、".join(header_of[each] for each in suite.derived[name][1]) + f"（派生列 {name}）"
    return header_of.get(name, "两列之间")


@contextmanager
def _without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
