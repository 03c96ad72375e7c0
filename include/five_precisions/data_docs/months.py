"""Data Docs of a month: which expectation of which suite held in which version (issued once, at the close).

The ledger is read, not the rows: in the warehouse sensitive columns are masked, so no suite could be run again. A page
says rules, counts and whose version it was; no value, no key, no row of anybody is in it.

Every version judged in the month is shown, those that were frozen for the figures marked: what was rejected first is
what ops are asked about. An expectation of a column that was not there, or of a report that could not be read, counts
as not checked; it has not held.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from five_precisions.data_docs.site import (
    PAGES_MARK,
    ExpectationOutcome,
    MonthOfDocs,
    OtherRule,
    ReportVersion,
    render_site,
)
from five_precisions.errors import UnreachableError
from five_precisions.intake.findings import Verdict
from five_precisions.intake.rules.suites import RowSuite, suite_of
from five_precisions.period import SHANGHAI, Period
from five_precisions.reports import load_reports
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.storage import open_folder, read_file, write_into
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.locks import Lock, hold

logger = logging.getLogger(__name__)

INDEX: Final = "index.html"
_NAME: Final = "data docs folder"
_PAGE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}/(?:index\.html|pages-[0-9a-f]{16}(?:/[0-9A-Za-z_-](?:[0-9A-Za-z._-]*[0-9A-Za-z_-])?)+)(?<=\.html)"
)
"""No part begins with a dot, so none leads out of the folder."""
_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")

_READ_CLOSED_AT = text("select closed_at from intake.close where period = :period")


@dataclass(slots=True)
class _Counted:
    """The findings of one report of one version, by the expectation that made them."""

    of_expectation: Counter[int] = field(default_factory=Counter)
    others: int = 0
    missing_headers: set[str] = field(default_factory=set)
    is_unread: bool = False
    """Rows were declared away (F04) before any expectation was asked."""


def build_data_docs(engine: Engine, settings: Settings, period: Period) -> str:
    """Build the Data Docs of a month, in place of those that are there.

    The pages lie in a folder named by their content; the index, written last and whole, points to them. Whoever is
    ended in the middle leaves the old site or none. The same ledger gives the same bytes.

    Args:
        engine: The warehouse.
        settings: Where the pages go (`data_docs_address`).
        period: Which month; sensibly one that is closed.

    Returns:
        The address of the index page.

    Raises:
        SetupError: the address means nothing, or a suite cannot be read.
        UnreachableError: the folder cannot be written to.
    """
    with engine.begin() as connection:
        # Two at once would each remove what the other's index points to.
        hold(connection, Lock.DATA_DOCS, period)
        month = read_month(connection, settings, period)
        index, pages = render_site(month)
        folder = _digest_of(pages)
        contents = {f"{folder}/{path}": content for path, content in pages.items()}
        contents[INDEX] = index.replace(PAGES_MARK, folder.encode())
        _replace(settings.data_docs_address, str(period), contents, keep=folder)
    logger.info("Data Docs of %s: %d versions of reports", period, len(month.versions))
    return f"{settings.data_docs_address.rstrip('/')}/{period}/{INDEX}"


def read_page(settings: Settings, path: str) -> bytes | None:
    """A page of the Data Docs as it was written; None where there is none.

    Args:
        settings: Where the pages lie (`data_docs_address`).
        path: Below the folder: `2019-06/index.html`. Anything but the path of a page is none.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: the folder cannot be read.
    """
    return read_file(_NAME, settings.data_docs_address, path) if _PAGE.fullmatch(path) else None


def read_month(connection: Connection, settings: Settings, period: Period) -> MonthOfDocs:
    """What the ledger says of a month's versions and their expectations."""
    suites = {code: suite_of(code, period) for code in load_reports()}
    names = {"period": str(period)}
    found = connection.execute(load_statement("data_docs/findings"), names).all()
    rows = connection.execute(load_statement("data_docs/versions"), names).all()
    counted, others = _count(found, suites)
    return MonthOfDocs(
        period=period,
        closed_at=connection.execute(_READ_CLOSED_AT, names).scalar(),
        is_demo=settings.is_demo,
        suites=suites,
        versions=tuple(_version(row, suites, counted) for row in rows),
        other_rules=tuple(
            OtherRule(rule, level, findings=sum(each.values()), institutions=len(each))
            for (rule, level), each in sorted(others.items())
        ),
    )


def _version(
    row: Any,
    suites: Mapping[str, RowSuite],
    counted: Mapping[tuple[str, str | None], _Counted],
) -> ReportVersion:
    suite = suites[row.report]
    own = counted.get((row.submission_id, row.report), _Counted())
    header_of = {column.name: column.header for column in suite.report.columns}
    is_read = row.rows > 0 and not own.is_unread
    return ReportVersion(
        submission_id=row.submission_id,
        institution_code=row.institution_code,
        short_name=row.short_name,
        version=row.version,
        received_at=row.received_at.astimezone(SHANGHAI),
        suite=suite,
        rows=row.rows,
        verdict=Verdict(row.verdict),
        is_frozen=row.is_frozen,
        outcomes=tuple(
            ExpectationOutcome(
                ordinal,
                rule,
                own.of_expectation[ordinal] if is_read and header_of[rule.column] not in own.missing_headers else None,
                None if row.validated is None else ordinal in row.validated,
            )
            for ordinal, rule in enumerate(suite.rules)
        ),
        other_findings=own.others,
    )


def _count(
    found: Iterable[Any], suites: Mapping[str, RowSuite]
) -> tuple[dict[tuple[str, str | None], _Counted], dict[tuple[str, Level], Counter[str]]]:
    """Findings by submission and report, and those of no expectation by rule, level and institution."""
    patterns = {code: _patterns(suite) for code, suite in suites.items()}
    counted: dict[tuple[str, str | None], _Counted] = {}
    others: dict[tuple[str, Level], Counter[str]] = {}
    for row in found:
        own = counted.setdefault((row.submission_id, row.report), _Counted())
        ordinal = next(
            (
                ordinal
                for ordinal, message in patterns.get(row.report, {}).get((row.rule, row.header), ())
                if message.fullmatch(row.message)
            ),
            None,
        )
        if ordinal is not None:
            own.of_expectation[ordinal] += row.findings
            continue
        own.others += row.findings
        others.setdefault((row.rule, Level(row.level)), Counter())[row.institution_code] += row.findings
        own.is_unread |= row.rule == "F04"
        if row.missing_header is not None:
            own.missing_headers.add(row.missing_header)
    return counted, others


def _patterns(suite: RowSuite) -> dict[tuple[str, str], list[tuple[int, re.Pattern[str]]]]:
    """Rule and header → the expectations with their message, its numbers and dates left open."""
    header_of = {column.name: column.header for column in suite.report.columns}
    patterns: dict[tuple[str, str], list[tuple[int, re.Pattern[str]]]] = {}
    for ordinal, rule in enumerate(suite.rules):
        message = re.compile(_PLACEHOLDER.sub(".*", re.escape(rule.message)))
        patterns.setdefault((rule.rule, header_of[rule.column]), []).append((ordinal, message))
    return patterns


def _digest_of(pages: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(pages.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return f"pages-{digest.hexdigest()[:16]}"


def _replace(address: str, period: str, contents: Mapping[str, bytes], *, keep: str) -> None:
    """Write the pages, then the index; then take away what no index points to any more."""
    write_into(_NAME, address, {f"{period}/{path}": content for path, content in contents.items()})
    files, root = open_folder(_NAME, address)
    try:
        for path in files.ls(f"{root}/{period}", detail=False):
            if str(path).rstrip("/").rpartition("/")[2] not in (keep, INDEX):
                files.rm(str(path), recursive=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreachableError(f"The {_NAME} cannot be tidied: {reason}.") from error
