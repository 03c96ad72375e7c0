"""A judged package: its reports with their verdicts and findings, in reading order (docs/intake.md#the-receipt)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from five_precisions.intake.findings import Finding, JudgedReport, Verdict
from five_precisions.intake.reading.cover import Cover, CoverLine, Explanation
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.typed import TypedRows
from five_precisions.reports import Report
from five_precisions.reports.level import Level


@dataclass(slots=True)
class ReportDraft:
    """One report of a package on its way to a verdict."""

    report: Report
    line: CoverLine | None = None
    sheets: list[Sheet] = field(default_factory=list)
    rows: TypedRows | None = None
    findings: list[Finding] = field(default_factory=list)
    may_be_nil: bool = True
    """Whether its institution may have nothing to report."""
    is_unread: bool = False
    """A file that may hold it does not open."""
    is_refused: bool = False
    """With its whole package."""
    validated: tuple[int, ...] | None = None
    """Ordinals of the expectations that Great Expectations judged; None where no row was held against the suite."""

    def refuse(self) -> None:
        """Reject it with its whole package, of which one finding says why: nothing is said of it alone."""
        self.is_refused = True
        self.findings.clear()

    @property
    def is_nil(self) -> bool:
        """Whether the cover declares a nil return."""
        return self.line is not None and self.line.is_nil

    @property
    def may_be_meant_nil(self) -> bool:
        """Whether it does, or what it says of it did not read: then nobody knows whether rows are due."""
        return self.is_nil or (self.line is not None and "零报送" in self.line.unread)

    @property
    def places(self) -> dict[str, int]:
        """Column → number of the column in the delivered sheet, from 1."""
        if self.rows is None:
            return {}
        places = {column.name: self.rows.place(column) for column in self.report.columns}
        return {name: place + 1 for name, place in places.items() if place is not None}

    @property
    def verdict(self) -> Verdict:
        """One critical finding rejects the report as a whole."""
        if self.is_refused or any(finding.level is Level.CRITICAL for finding in self.findings):
            return Verdict.REJECTED
        return Verdict.NIL if self.is_nil else Verdict.ACCEPTED

    def judged(self) -> JudgedReport:
        """The report with its verdict, as the receipt counts it."""
        errors = sum(finding.level is Level.CRITICAL for finding in self.findings)
        warnings = sum(finding.level is Level.WARNING for finding in self.findings)
        control, sheet = self.report.control_column, self.sheets[0] if self.sheets else None
        total = Decimal(0) if control else None
        if self.is_refused:
            total = None
        elif control and self.rows is not None:
            total = self.rows.sum_of(control)
        return JudgedReport(
            report=self.report.code,
            verdict=self.verdict,
            rows=len(self.rows.rows) if self.rows else 0,
            control_total=total,
            errors=errors,
            warnings=warnings,
            file=sheet.file if sheet else None,
            sheet=sheet.name if sheet else None,
            validated=self.validated,
        )


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """The order in which findings are reported: file, sheet, row, column (docs/intake.md#the-receipt)."""

    files: tuple[str, ...]
    sheets: tuple[tuple[str, str | None], ...]

    def sorted(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings in that order; what belongs to no file comes first."""
        file_order = {file: number for number, file in enumerate(self.files)}
        sheet_order = {sheet: number for number, sheet in enumerate(self.sheets)}
        return tuple(
            sorted(
                findings,
                key=lambda finding: (
                    file_order.get(finding.file or "", -1),
                    sheet_order.get((finding.file or "", finding.sheet), -1),
                    finding.row_number or 0,
                    finding.column_number or 0,
                    finding.rule,
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class JudgedPackage:
    """What the checks say of one package."""

    has_cover: bool
    has_unread_workbook: bool
    """A file does not open that may hold the cover, so waiting for a cover may be in vain."""
    cover: Cover
    drafts: tuple[ReportDraft, ...]
    reports: tuple[JudgedReport, ...]
    findings: tuple[Finding, ...]
    explanations: tuple[Explanation, ...]
    order: ReadingOrder
    sheets: tuple[Sheet, ...]
    """Those that were read, as delivered, in the order of the files."""
    crowded_out: frozenset[str]
    """Names of files that can be read, but not beside the others of the package."""
    places: Mapping[str, Mapping[str, int]]
    """By report: column → number of the column in the delivered sheet, from 1."""

    def with_findings(self, found: Sequence[Finding]) -> JudgedPackage:
        """The same package with more findings of its reports, and the verdicts that follow."""
        if not found:
            return self
        return replace(
            self,
            reports=tuple(report.with_findings(found) for report in self.reports),
            findings=self.order.sorted([*self.findings, *found]),
        )

    def without_rows(self) -> JudgedPackage:
        """The same package without what was read of its files: verdicts, findings and places are left."""
        return replace(self, drafts=(), sheets=())

    @property
    def verdict(self) -> Verdict:
        """Accepted when nothing was rejected, rejected when nothing was accepted, else partial."""
        good = any(report.verdict is not Verdict.REJECTED for report in self.reports)
        bad = any(finding.level is Level.CRITICAL for finding in self.findings)
        return Verdict.PARTIAL if good and bad else Verdict.ACCEPTED if good else Verdict.REJECTED
