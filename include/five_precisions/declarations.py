"""All declarations, held against each other and against the warehouse (docs/own-city.md#is-it-all-right)."""

from __future__ import annotations

import runpy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from five_precisions.bulletin.pdf import layout_faults
from five_precisions.bulletin.prose import prose_faults
from five_precisions.errors import FivePrecisionsError, SetupError, UnreachableError
from five_precisions.figures.alerts import ALERT_FOLDER, AlertRule, load_alert_rules, require_metrics
from five_precisions.figures.lists import load_inspection_rules, load_lead_rules
from five_precisions.figures.scheme import load_scheme, load_scorecard, load_targets
from five_precisions.figures.statement_faults import statement_faults
from five_precisions.intake.reading.marks import load_marks
from five_precisions.intake.rules.checks import check_faults
from five_precisions.intake.rules.derived import load_rates
from five_precisions.intake.rules.hotlines import hotline_forms
from five_precisions.intake.rules.suites import SUITE_FOLDER, load_suite
from five_precisions.own_files import (
    Origin,
    OwnFile,
    counting_files,
    found,
    list_own_files,
    own_folder,
    uncounted_files,
    uncounted_left_alone,
)
from five_precisions.period import SHANGHAI, Period
from five_precisions.reference import (
    Scope,
    load_boards,
    load_catalogue,
    load_indicators,
    sentences_of,
    unnamed_statements,
)
from five_precisions.reference.sql_files import head_faults, read_sql
from five_precisions.register import load_holidays, load_register, save_register
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import CROSS_RULE_FOLDER, CrossRule, load_cross_rules
from five_precisions.reports.declaration import REPORTS_FILE
from five_precisions.templates import environment, template_faults
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions.warehouse.core_views import drop_view, make_view
from five_precisions.warehouse.declared_columns import missing_columns
from five_precisions.warehouse.draft_migration import draft_migration, empty_warehouse
from five_precisions.warehouse.own_migrations import newest_own_revision, read_own_revision
from five_precisions.warehouse.schema import MIGRATIONS, require_migrated

if TYPE_CHECKING:
    from five_precisions.settings import Settings

_EMBEDDED: Final = "warehouse"
"""Folder of the embedded server's data in `var`; without it there is no warehouse yet."""
_COMMAND: Final = "five-precisions declare migration NAME"
_WRONG_EXPECTATION: Final = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are of one kind of declaration."""

    what: str
    count: int
    own: tuple[str, ...] = ()
    """The installation's own files of it, by their names in include."""


@dataclass(frozen=True, slots=True)
class Declarations:
    """What is declared, and what is wrong with it."""

    mistakes: tuple[str, ...]
    """A sentence each."""
    remarks: tuple[str, ...]
    """What is no mistake and may not be meant."""
    counted: tuple[Counted, ...]
    """Empty where there are mistakes."""


def check_declarations(settings: Settings) -> Declarations:
    """Read all declarations, hold them against each other, against PostgreSQL and against the warehouse.

    A warehouse of nothing is made for it and goes again. The installation's own is only read, and may not be there.
    """
    with uncounted_left_alone():
        mistakes = list(_faults_of_files(settings))
    remarks: list[str] = []
    if not mistakes:
        # Statements say nothing that is not said before, while what they read is not declared properly.
        mistakes += _faults_of_statements(settings)
        mistakes += _faults_of_warehouse(settings, remarks)
    if not mistakes:
        remarks += _unowed_reports(settings)
    counted = () if mistakes else tuple(_count(settings))
    return Declarations(tuple(dict.fromkeys(mistakes)), tuple(remarks), counted)


def require_files(settings: Settings) -> None:
    """Refuse what is wrong in files, as far as they show it without a database.

    Raises:
        SetupError: something is; the sentence names the first.
    """
    for sentence in _faults_of_files(settings):
        raise SetupError(sentence)


def _faults_of_files(settings: Settings) -> Iterator[str]:
    try:
        own = own_folder()
        load_reports()
    except SetupError as error:
        # All else is held against the reports.
        yield from sentences_of(error)
        return
    if own is not None:
        yield from uncounted_files(own)
        for each in counting_files(own):
            if each.path.suffix == ".sql":
                yield from _said(lambda each=each: read_sql(each.path))  # type: ignore[misc]
    month = _month(settings)
    loads: tuple[Callable[[], object], ...] = (
        lambda: load_register(settings.register_folder),
        lambda: load_holidays(settings),
        lambda: load_rates(settings),
        lambda: hotline_forms(settings),
        lambda: load_marks(settings),
        load_indicators,
        lambda: load_scheme(settings, month),
        lambda: load_scorecard(settings, month),
        lambda: load_targets(settings),
        lambda: load_inspection_rules(settings),
        lambda: load_lead_rules(settings),
        lambda: load_boards(settings, load_catalogue(settings)),
    )
    for load in loads:
        yield from _said(load)
    for report in load_reports().values():
        yield from _said(lambda report=report: load_suite(report))  # type: ignore[misc]
    yield from head_faults(CROSS_RULE_FOLDER, CrossRule, "rule")
    yield from head_faults(ALERT_FOLDER, AlertRule, "rule")
    with suppress(SetupError):
        # What else is wrong with the catalogue, the indicators or the alerts stands above.
        yield from _said(lambda: require_metrics(load_catalogue(settings)))
        yield from _indicators_without_metric(settings)
        yield from unnamed_statements(settings)
    yield from template_faults(environment(), "mail")
    yield from prose_faults()
    yield from layout_faults()
    yield from _faults_of_own_suites()


def _said(load: Callable[[], object]) -> Iterator[str]:
    try:
        load()
    except SetupError as error:
        yield from sentences_of(error)


def _indicators_without_metric(settings: Settings) -> Iterator[str]:
    metrics = load_catalogue(settings).metrics
    for code, indicator in load_indicators().items():
        if indicator.metric is None:
            continue
        if indicator.metric not in metrics or Scope.BANK not in metrics[indicator.metric].scopes:
            yield f"The indicator {code} names the metric {indicator.metric}, which the catalogue has for no bank."


def _faults_of_own_suites() -> Iterator[str]:
    """What Great Expectations says against own suites; ours are held against it by the tests."""
    for code, report in load_reports().items():
        path = found(SUITE_FOLDER / f"{code}.json")
        if path.parent == SUITE_FOLDER:
            continue
        with suppress(SetupError):
            suite = load_suite(report)
            for ordinal, rule in enumerate(suite.rules):
                try:
                    suite.build((ordinal,))
                except _WRONG_EXPECTATION as error:
                    reason = " ".join(str(error).split())
                    yield f"{path} is wrong at expectations.{ordinal}, {rule.rule}: {reason}."


def _faults_of_statements(settings: Settings) -> Iterator[str]:
    """What PostgreSQL says against the statements, in a warehouse of nothing that has all that is declared."""
    month = _month(settings)
    try:
        with empty_warehouse() as engine:
            migrate(engine, is_draft=True)
            with engine.connect() as connection:
                save_register(connection, load_register(settings.register_folder))
                if missing := list(missing_columns(connection)):
                    yield from map(_with_advice, missing)
                    connection.commit()
                    _make_missing_columns(connection)
                yield from check_faults(connection, month)
                yield from statement_faults(connection, settings, month)
                connection.rollback()
    except SetupError as error:
        yield str(error)


def _make_missing_columns(connection: Connection) -> None:
    """Make the tables and columns that the next migration will make."""
    with tempfile.TemporaryDirectory() as folder:
        drafted: dict[str, Any] = runpy.run_path(str(draft_migration(connection.engine, "draft", Path(folder))))
    connection.exec_driver_sql(drafted["TABLES"])
    for report in drafted["REPORTS"]:
        drop_view(connection, report)
        make_view(connection, report)


def _faults_of_warehouse(settings: Settings, remarks: list[str]) -> Iterator[str]:
    """What the warehouse lacks of what is declared; nothing where there is none yet."""
    if settings.warehouse is None and not (settings.var / _EMBEDDED).exists():
        remarks.append("There is no warehouse yet; five-precisions init makes it.")
        return
    try:
        with open_warehouse(settings) as engine:
            with engine.connect() as connection:
                if read_own_revision(connection) == newest_own_revision(MIGRATIONS) and _is_migrated(connection):
                    yield from map(_with_advice, missing_columns(connection))
            try:
                require_migrated(engine)
            except SetupError as error:
                if _COMMAND not in str(error):
                    yield str(error)
    except UnreachableError as error:
        remarks.append(f"Nothing was held against the warehouse: {error}")
    except FivePrecisionsError as error:
        yield str(error)


def _with_advice(missing: str) -> str:
    return f"{missing}, as {found(REPORTS_FILE)} declares; run: {_COMMAND}"


def _is_migrated(connection: Connection) -> bool:
    return connection.dialect.has_schema(connection, "core")


def _unowed_reports(settings: Settings) -> Iterator[str]:
    owed = {obligation.report for obligation in load_register(settings.register_folder).obligations}
    for code, report in load_reports().items():
        if code not in owed:
            yield f"{report.title} ({code}) is owed by nobody; where it is, add a line to obligations.csv."


def _count(settings: Settings) -> Iterator[Counted]:
    reports = load_reports()
    catalogue = load_catalogue(settings)
    register = load_register(settings.register_folder)
    yield Counted("reports", len(reports), _names("reference/reports.yaml"))
    yield Counted("their columns", sum(len(report.columns) for report in reports.values()))
    suites = [load_suite(report) for report in reports.values()]
    yield Counted("rules on rows", sum(len(suite.rules) for suite in suites), _names("expectations/"))
    yield Counted("rules across reports", len(load_cross_rules()), _names("sql/checks/"))
    yield Counted("alerts", len(load_alert_rules()), _names("sql/alerts/"))
    metrics = ("reference/metrics.yaml", "sql/metrics/", "sql/evidence/", "sql/facts/")
    yield Counted("metrics", len(catalogue.metrics), _names(*metrics))
    yield Counted("boards", len(load_boards(settings, catalogue)), _names("reference/boards.yaml"))
    indicators = ("reference/indicators.yaml", "sql/assessment/indicators/")
    yield Counted("indicators", len(load_indicators()), _names(*indicators))
    yield Counted("years with a target", len(load_targets(settings)), _names("reference/targets.yaml"))
    mails = environment().list_templates(filter_func=lambda each: each.startswith("mail/"))
    yield Counted("templates of mails", len(mails), _names("templates/mail/"))
    sentences = environment().list_templates(filter_func=lambda each: each.startswith("bulletin/"))
    yield Counted("templates of the bulletin", len(sentences), _names("templates/bulletin/"))
    yield Counted("obligations", len(register.obligations))
    named = {"reports", "metrics", "boards", "indicators", "targets"}
    others = [each for each in _own("reference/") if Path(each.name).stem not in named]
    yield Counted("other reference files of yours", len(others), tuple(each.name for each in others))


def _own(*parts: str) -> list[OwnFile]:
    return [each for each in list_own_files() if each.name.startswith(parts)]


def _names(*parts: str) -> tuple[str, ...]:
    return tuple(each.name for each in _own(*parts) if each.origin is not Origin.SAME)


def _month(settings: Settings) -> Period:
    """The month by which dated files are read: the installation's first one, or this one."""
    now = datetime.now(UTC).astimezone(SHANGHAI)
    return settings.first_period or Period(now.year, now.month)
