"""Rules across reports, months and institutions, as their files of include/sql/checks declare them.

A file opens with the question that it answers. After an empty comment line it says as YAML what its rows mean to an
institution: `rule`, `level`, `across` (months, reports, institutions), `report`, `column`, `message`, `expected`, and

- `moment: version`: judged with a version. It reads the rows just delivered as `staged_<report>` and what stands of
  other months and institutions as `core.<report>`; a critical finding rejects the report.
- `moment: standing`: about what stands in the period, for all institutions at once. It never rejects. `needs` lists
  reports that must be in before it says anything: from everyone who owes them, and at the close from anyone. Where
  nobody's register came, a loan's household is on none, and the bank has made no mistake.
  `absence: true`: it says that something is on no list, so a list that is missing makes it say too much.
  `also_in_suite: true`: the suite of the report finds it too, within one version.
  `links`: for each report that it reads of the month, as `core.<report> as …`, the column whose value its findings go
  by. What it says of rows with one value must rest on no row with another; of a row without a value, on that row
  alone. Then a delivery is held against the rows that it is linked to. Without `links`, one of what it reads, or
  needs, has it asked about all of the month.

`alone: true`, of a rule about versions: where it finds something, the others of its report have nothing to say.

`since: 2020-01` names the first month that is held against a rule; left out, every month is. A month whose form lacks
the column that it marks, or one that links, is not held against it.

Its rows are the findings: `institution_code` (standing only), `row_number`, `key`, `value`; where they differ from what
is declared, `report`, `column_name`, `expected`; any other column fills its `{name}` in the message. Bound parameters:
`period`, `previous_period`, `december` (of the year before), `year_begin`, `period_end`; with a version
`institution_code`, `is_whole` (every row of the report could be read).

The intake judges by them; the alerts ask what a finding rests on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from five_precisions.period import Period
from five_precisions.reference import FromPeriod
from five_precisions.reference.sql_files import SQL_FOLDER, load_heads
from five_precisions.reports import Report, load_forms, load_reports
from five_precisions.reports.level import Level

CROSS_RULE_FOLDER: Final = SQL_FOLDER / "checks"
_READ_REPORT: Final = re.compile(r"\bcore\.(\w+)")
_READ_AS: Final = re.compile(r"\bcore\.(\w+) as \w+")


class Moment(StrEnum):
    """When a rule is judged."""

    VERSION = "version"
    STANDING = "standing"


class Across(StrEnum):
    """What a rule compares."""

    MONTHS = "months"
    REPORTS = "reports"
    INSTITUTIONS = "institutions"


class CrossRule(BaseModel):
    """One rule across reports, months or institutions, as its file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    level: Level
    across: Across
    moment: Moment
    report: str
    column: str
    message: str
    expected: str | None = None
    needs: tuple[str, ...] = ()
    absence: bool = False
    also_in_suite: bool = False
    links: Mapping[str, str] = {}
    """Report → column whose values link its rows to those of the others; a hash counts as a column."""
    alone: bool = False
    """Whether what it finds makes the report another one than its own, so that no other such rule is asked."""
    since: FromPeriod | None = None
    """First month whose deliveries are held against it; None: every month."""
    sql: str

    @property
    def decides_across_institutions(self) -> bool:
        """Whether what one institution has delivered may reject another's report: the order of both then matters."""
        return self.moment is Moment.VERSION and self.across is Across.INSTITUTIONS

    @property
    def is_settled_at_close(self) -> bool:
        """Whether the close has the last word: others may still mend what a version was warned of earlier."""
        return self.moment is Moment.STANDING and not self.also_in_suite

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Reports of other institutions without which a finding of it cannot be said to be gone."""
        if self.moment is Moment.VERSION:
            return ()
        others = (self.report,) if self.across is Across.INSTITUTIONS else ()
        return tuple(dict.fromkeys((*others, *self.needs)))

    @property
    def reads(self) -> tuple[str, ...]:
        """The reports of which its statement reads what stands, each as often as it does."""
        return tuple(name for name in _READ_REPORT.findall(self.sql) if name in load_reports())

    def looks_at_columns_of(self, forms: Mapping[str, Report]) -> bool:
        """Whether the forms of a month have the columns that it marks, and by which its rows are linked."""
        named = [(self.report, self.column), *self.links.items()]
        return all(column in _names_in(forms[report]) for report, column in named if report in forms)

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        reports = load_reports()
        if unknown := {self.report, *self.needs} - set(reports):
            raise ValueError(f"no such report: {', '.join(sorted(unknown))}")
        if self.column not in {column.name for column in reports[self.report].columns}:
            raise ValueError(f"{self.report} has no column {self.column}")
        return self

    @model_validator(mode="after")
    def _links_all_that_it_reads(self) -> Self:
        if not self.links:
            return self
        reports = load_reports()
        read = Counter(self.reads)
        if read != Counter(name for name in _READ_AS.findall(self.sql) if name in reports):
            raise ValueError("a report whose rows are linked is read as core.<report> as <name>")
        if unlinked := set(read) - set(self.links):
            raise ValueError(f"it reads {', '.join(sorted(unlinked))} and does not say what links their rows")
        for name, column in self.links.items():
            if column not in _names_in(reports[name]):
                raise ValueError(f"{name} has no column {column}")
        return self

    @model_validator(mode="after")
    def _fits_its_moment(self) -> Self:
        if self.moment is Moment.STANDING and self.level is Level.CRITICAL:
            raise ValueError("what is found of accepted reports cannot reject them: its level is warning or notice")
        if self.moment is Moment.VERSION and (self.needs or self.also_in_suite):
            raise ValueError("a version is judged with what is there: it needs no other report, and no suite beside it")
        if self.moment is Moment.VERSION and self.links:
            raise ValueError("a version is held against what is there as a whole: only standing rows are linked")
        if self.alone and self.moment is not Moment.VERSION:
            raise ValueError("only of what is judged with a version can one rule speak alone")
        if self.absence and not self.needs:
            raise ValueError("what is on no list needs the report that is the list")
        return self


def _names_in(report: Report) -> set[str | None]:
    """What a rule can be linked by of a report: its columns, their hashes, and who delivered it."""
    return {"delivered_by", *(each for column in report.columns for each in (column.name, column.hash_name))}


def load_cross_rules() -> tuple[CrossRule, ...]:
    """The rules of include/sql/checks, in the order of their files' names.

    Raises:
        SetupError: a file does not say what its rows mean, or names a report or column that does not exist.
    """
    return load_heads(CROSS_RULE_FOLDER, CrossRule, "rule", basis=load_reports)


def cross_rules_of(period: Period) -> tuple[CrossRule, ...]:
    """The rules that a month is held against, in the same order; none of what its forms lack."""
    forms = load_forms(period)
    return tuple(
        rule
        for rule in load_cross_rules()
        if (rule.since is None or rule.since <= period) and rule.report in forms and rule.looks_at_columns_of(forms)
    )
