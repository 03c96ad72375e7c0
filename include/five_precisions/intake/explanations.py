"""What institutions say of warnings: it stands as long as the value does (docs/intake.md#explanations)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.intake.findings import Finding, printable, shown_text
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.cover import Explanation
from five_precisions.period import Period
from five_precisions.reports.level import Level
from five_precisions.warehouse import load_statement

_LONGEST_RULE: Final = 20

_SAVE = text("""
insert into intake.explanation (submission_id, ordinal, report, rule, key, explanation, value, is_bound)
values (:submission_id, :ordinal, :report, :rule, :key, :explanation, :value, :is_bound)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedExplanation:
    """An explanation with the value that it is about."""

    report: str
    rule: str
    key: str
    """Empty for what concerns no single row."""
    value: str | None
    is_bound: bool
    """Whether a finding, and so the value, was known. If not, it stands for whatever its own period still finds."""
    explanation: str
    period: str

    def explains(self, finding: Finding, period: Period) -> bool:
        """Whether it answers the finding of that period."""
        if (self.report, self.rule, self.key) != (finding.report, finding.rule, finding.key or ""):
            return False
        return self.value == finding.value if self.is_bound else self.period == str(period)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExplanation:
    """An explanation as ops see it."""

    period: str
    institution_code: str
    submission_id: str
    """The delivery that brought it."""
    report: str
    rule: str
    key: str
    value: str | None
    explanation: str
    state: str
    """`stands` for the value last found; `lapsed`, that has changed since; `unmatched`, it was never found."""
    found_in: str | None
    """The last period that found it."""


def bind(
    connection: Connection,
    period: Period,
    institution_code: str,
    explanations: Sequence[Explanation],
    findings: Sequence[Finding],
) -> tuple[list[RecordedExplanation], list[Finding]]:
    """Find the value that each line of 情况说明 is about: of the delivery's own findings, or the one last reported.

    Returns:
        The explanations, several where several values are explained; a notice (F14) for each line about nothing.
    """
    bound: list[RecordedExplanation] = []
    notices: list[Finding] = []
    for line in explanations:
        said = RecordedExplanation(
            report=line.report,
            rule=shown_text(line.rule)[:_LONGEST_RULE],
            key=printable(line.key),
            value=None,
            is_bound=False,
            explanation=shown_text(line.text),
            period=str(period),
        )
        named = {"report": said.report, "rule": said.rule, "key": said.key}
        own = {each.value for each in findings if (each.report, each.rule, each.key or "") == tuple(named.values())}
        names = {**named, "institution_code": institution_code, "period": str(period)}
        values = own or set(connection.execute(load_statement("intake/reported_values"), names).scalars())
        if values:
            bound += [replace(said, value=value, is_bound=True) for value in sorted(values, key=str)]
        else:
            bound.append(said)
            notices.append(_unmatched(line))
    return bound, notices


def _unmatched(line: Explanation) -> Finding:
    return Finding(
        report=line.report,
        rule=PackageRule.F14.code,
        level=PackageRule.F14.level,
        message="没有找到这条说明所对应的问题，请核对报表、规则和主键；本期跨报表核对时如发现该问题，将采用此说明。",
        file=line.file,
        sheet=line.sheet,
        row_number=line.row_number,
        key=printable(line.key) or None,
    )


def read_recorded(
    connection: Connection, period: Period, institution_codes: Sequence[str]
) -> dict[str, list[RecordedExplanation]]:
    """What each of some institutions has explained up to a period, the newest first."""
    names = {"period": str(period), "institution_codes": institution_codes}
    recorded: dict[str, list[RecordedExplanation]] = {code: [] for code in institution_codes}
    for row in connection.execute(load_statement("intake/explanations_of_institutions"), names).mappings():
        fields = {name: row[name] for name in row if name != "institution_code"}
        recorded[row["institution_code"]].append(RecordedExplanation(**fields))
    return recorded


def with_explanations(
    findings: Sequence[Finding], recorded: Sequence[RecordedExplanation], period: Period
) -> list[Finding]:
    """The findings, those of warnings with the newest explanation that stands for them."""
    by_fact: dict[tuple[str | None, str, str], list[RecordedExplanation]] = {}
    for each in recorded:
        by_fact.setdefault((each.report, each.rule, each.key), []).append(each)

    def explained(finding: Finding) -> Finding:
        if finding.level is not Level.WARNING:
            return finding
        about = by_fact.get((finding.report, finding.rule, finding.key or ""), ())
        said = next((each.explanation for each in about if each.explains(finding, period)), None)
        return finding if said is None else replace(finding, explanation=said)

    return [explained(finding) for finding in findings]


def save(connection: Connection, submission_id: str, explanations: Sequence[RecordedExplanation]) -> None:
    """Keep the explanations that a version brought."""
    lines = [
        {
            "submission_id": submission_id,
            "ordinal": ordinal,
            "report": each.report,
            "rule": each.rule,
            "key": each.key,
            "explanation": each.explanation,
            "value": each.value,
            "is_bound": each.is_bound,
        }
        for ordinal, each in enumerate(explanations, start=1)
    ]
    if lines:
        connection.execute(_SAVE, lines)


def list_explanations(
    engine: Engine, *, period: Period | None = None, institution_code: str | None = None
) -> list[ListedExplanation]:
    """What institutions have explained, of one period or institution or of all, in the order in which it came."""
    names = {"period": None if period is None else str(period), "institution_code": institution_code}
    with engine.connect() as connection:
        return [
            ListedExplanation(
                period=row.period,
                institution_code=row.institution_code,
                submission_id=row.submission_id,
                report=row.report,
                rule=row.rule,
                key=row.key,
                value=row.value if row.is_bound else row.found_value,
                explanation=row.explanation,
                state=_state(is_bound=row.is_bound, value=row.value, found_in=row.found_in, found=row.found_value),
                found_in=row.found_in,
            )
            for row in connection.execute(load_statement("intake/explanations"), names)
        ]


def _state(*, is_bound: bool, value: str | None, found_in: str | None, found: str | None) -> str:
    if found_in is None:
        return "unmatched"
    return "stands" if not is_bound or value == found else "lapsed"
