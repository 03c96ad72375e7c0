"""What a delivery may change of the standing checks: they are asked about the rows that it is linked to.

See docs/reports.md#rules. A check declares the columns whose values link its rows (reports/cross_rules.py). What it
says of rows with one value rests on no others. So a delivery changes nothing but what is said of the values that its
rows have, or had in an earlier version. A check is asked about the whole month where anything else has changed since
it was last asked: the register, the check, another month, or what was recorded without asking it. So is a check
without such columns, where the institution has ever delivered a report that it reads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.intake.findings import Finding
from five_precisions.intake.rules.checks import (
    judge_standing,
    judged_checks,
    parameters_of,
    read_accepted,
)
from five_precisions.period import Period
from five_precisions.register import Register
from five_precisions.reports.cross_rules import CrossRule
from five_precisions.warehouse import load_statement
from five_precisions.warehouse.statistics import A_TENTH, analyze

_READ_VERSIONS = text("""
select submission_id from intake.submission where period = :period and institution_code = :institution_code
""")
# Rows of a month under way lie in memory: one that an index finds costs little more than the next one in turn.
_MAKE: Final = """
create temporary table {table} on commit drop as {like} with no data;
set local random_page_cost = 1.1;
"""
_READ_DIGESTS = text("select rule, digest from intake.standing_check where period = :period")
_FORGET_DIGESTS = text("delete from intake.standing_check where period = :period")
_KEEP_DIGESTS = text("insert into intake.standing_check (period, rule, digest) values (:period, :rule, :digest)")


@dataclass(frozen=True, slots=True)
class BroughtToLight:
    """What the standing checks say of an institution, and of others as far as its delivery can have changed it."""

    findings: Mapping[str, Sequence[Finding]]
    """By institution, in reading order."""
    digests: Mapping[str, str]
    """Rule → what else its check rests on, where it need not be asked about the whole month next time."""


def bring_to_light(
    connection: Connection, register: Register, period: Period, institution_code: str, *, is_closed: bool
) -> BroughtToLight:
    """Ask the standing checks about what an institution has just delivered. Only reads, but for temporary tables.

    The findings are all that `standing_findings` has, without what is said of others and was so before. In a closed
    month, where others hear nothing of it, they may be without more of theirs.

    Args:
        connection: In whose transaction the delivery was recorded, under the period's lock.
        register: Who owes what.
        period: Of the delivery.
        institution_code: Who has delivered.
        is_closed: Whether the period is closed.
    """
    accepted = read_accepted(connection, period)
    checks = judged_checks(register, period, accepted, at_close=False)
    digests = _digests(connection, register, period, checks)
    before = _read_digests(connection, period)
    linked = _LinkedRows(connection, period, institution_code)
    statements: list[tuple[CrossRule, str]] = []
    for check in checks:
        if before.get(check.rule) != digests[check.rule] and not is_closed:
            statements.append((check, check.sql))
        elif (own := linked.statement_of(check)) is not None:
            statements.append((check, own))
    found = judge_standing(connection, period, accepted, statements)
    return BroughtToLight(found, {} if is_closed else digests)


def keep_digests(connection: Connection, period: Period, digests: Mapping[str, str]) -> None:
    """Keep what the checks rest on; one that is not named is asked about the whole month next time."""
    if _read_digests(connection, period) == digests:
        return
    forget_standing_checks(connection, period)
    lines = [{"period": str(period), "rule": rule, "digest": digest} for rule, digest in digests.items()]
    if lines:
        connection.execute(_KEEP_DIGESTS, lines)


def forget_standing_checks(connection: Connection, period: Period) -> None:
    """Have every check asked about the whole month next time: others hear nothing of what was just recorded."""
    connection.execute(_FORGET_DIGESTS, {"period": str(period)})


def _read_digests(connection: Connection, period: Period) -> dict[str, str]:
    return {row.rule: row.digest for row in connection.execute(_READ_DIGESTS, {"period": str(period)})}


def _digests(connection: Connection, register: Register, period: Period, checks: Iterable[CrossRule]) -> dict[str, str]:
    """What each check rests on beside the month's deliveries, as a digest."""
    parameters = parameters_of(period)
    other_months = connection.execute(load_statement("intake/standing_of_other_months"), parameters).scalar_one()
    known = (register.institutions, register.divisions, register.obligations, sorted(register.undecided))
    shared = repr((known, other_months)).encode()
    return {check.rule: hashlib.sha256(shared + check.sql.encode()).hexdigest() for check in checks}


class _LinkedRows:
    """Rows of a period that are linked to what one institution has delivered, in whatever version."""

    def __init__(self, connection: Connection, period: Period, institution_code: str) -> None:
        self._connection = connection
        names = {"period": str(period), "institution_code": institution_code}
        versions = connection.execute(_READ_VERSIONS, names).scalars().all()
        self._parameters = {"period": str(period), "versions": versions}
        self._values: dict[frozenset[tuple[str, str]], str | None] = {}
        self._rows: dict[tuple[str, str], str] = {}

    def statement_of(self, check: CrossRule) -> str | None:
        """The check's statement, reading the linked rows alone; None where the institution has none that it reads."""
        if not check.links:
            reports = sorted({check.report, *check.needs, *check.reads})
            return check.sql if any(map(self._has_delivered, reports)) else None
        links = frozenset(check.links.items())
        if links not in self._values:
            self._values[links] = self._keep_values(check.links)
        values = self._values[links]
        if values is None:
            return None
        tables = {report: self._table_of(report, column, values) for report, column in check.links.items()}
        return re.sub(rf"\bcore\.({'|'.join(tables)})\b", lambda read: tables[read[1]], check.sql)

    def _has_delivered(self, report: str) -> bool:
        """Whether the institution has delivered rows of a report, in whatever version."""
        own = f"select from core.delivered_{report} where period = :period and submission_id = any(:versions)"
        return bool(self._connection.execute(text(f"select exists ({own})"), self._parameters).scalar_one())

    def _keep_values(self, links: Mapping[str, str]) -> str | None:
        """A temporary table of the values that link; None where the institution has no rows."""
        # Of every version: where a row is gone, something else may be said now of those that named it.
        rows = " union all ".join(
            f"select {column} as value from core.delivered_{report} "
            "where period = :period and submission_id = any(:versions)"
            for report, column in links.items()
        )
        table = f"linked_values_{len(self._values)}"
        is_any = self._fill(
            table, "select cast(null as text) as value", f"select distinct value from ({rows}) as delivered"
        )
        return table if is_any else None

    def _table_of(self, report: str, column: str, values: str) -> str:
        """A temporary table of what stands of a report and is linked by the values, or has none and is the own."""
        key = (report, values)
        if key not in self._rows:
            self._rows[key] = f"linked_{report}_{len(self._rows)}"
            stands = f"select * from core.{report} where period = :period"
            linked = f"{stands} and {column} in (select value from {values})"
            own = f"{stands} and {column} is null and submission_id = any(:versions)"
            self._fill(self._rows[key], f"select * from core.{report}", f"{linked} union all {own}")
        return self._rows[key]

    def _fill(self, table: str, like: str, rows: str) -> bool:
        """Make a table that goes with the transaction; whether it has any rows. All names are of our declarations."""
        self._connection.exec_driver_sql(_MAKE.format(table=table, like=like))
        kept = self._connection.execute(text(f"insert into {table} {rows}"), self._parameters)
        self._connection.exec_driver_sql("set local random_page_cost = default")
        # Of a table that is read once or twice, counting all of it would take longer than reading it.
        analyze(self._connection, table, target=A_TENTH)
        return bool(kept.rowcount)
