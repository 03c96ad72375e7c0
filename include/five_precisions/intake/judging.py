"""A package's files → verdicts and findings. Pure: no database, no inbox, no keys.

See docs/reports.md#rules; docs/intake.md.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Self

from pydantic import Field, RootModel, model_validator

from five_precisions.errors import SetupError
from five_precisions.intake.findings import Finding, JudgedReport, Level, Verdict, shown_text, storable
from five_precisions.intake.reading.cover import (
    COVER_HEADERS,
    COVER_TITLE,
    EXPLANATION_HEADERS,
    EXPLANATIONS_TITLE,
    Cover,
    CoverLine,
    Explanation,
    find_report,
    read_cover,
    read_explanations,
)
from five_precisions.intake.reading.files import DEFAULT_LIMITS, Limits, Sheet, UnreadableFileError, read_file
from five_precisions.intake.reading.layout import is_empty, lay_out, normal_header
from five_precisions.intake.reading.sheet import TooMuchError, too_much_together
from five_precisions.intake.reading.typed import (
    TypedRows,
    cell_findings,
    header_findings,
    read_rows,
    total_row_findings,
)
from five_precisions.intake.rules.derived import DerivedContext, load_rates
from five_precisions.intake.rules.package_rules import PackageRule
from five_precisions.intake.rules.suites import load_suite, suite_findings
from five_precisions.period import Period
from five_precisions.reference import load_reference
from five_precisions.register import DivisionLevel, Institution, InstitutionKind, Register, load_holidays
from five_precisions.reports import Report, load_reports
from five_precisions.reports.masking import mask_digit_runs
from five_precisions.settings import Settings

_COVER_STEMS: Final = frozenset({"cover", COVER_TITLE})
_EXPLANATION_STEMS: Final = frozenset({"explanations", EXPLANATIONS_TITLE})


class ChangedWhileReadError(Exception):
    """A file became another one between two looks at it; the next look takes it as it is then."""


@dataclass(frozen=True, slots=True)
class LargeFile:
    """What is known of a file that is not held in memory."""

    size: int
    sha256: str
    chunks: Callable[[], Iterator[bytes]]
    """Reads it once more, where it lies. Raises OSError where it lies no longer."""


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a package, as its bytes arrived."""

    name: str
    content: bytes = field(repr=False)
    """Nothing of a file that is not held."""
    large: LargeFile | None = field(default=None, repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Its name in the archive."""
        return self.large.sha256 if self.large else hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Bytes."""
        return self.large.size if self.large else len(self.content)

    def chunks(self) -> Iterator[bytes]:
        """All of its bytes; those of a file that is not held are read where it lies, which may have changed since.

        Raises:
            ChangedWhileReadError: it lies there no longer.
        """
        if self.large is None:
            yield self.content
            return
        try:
            yield from self.large.chunks()
        except OSError as error:
            raise ChangedWhileReadError("A file was taken away while it was read.") from error

    def read(self, most: int) -> bytes:
        """All of its bytes; of a file with more than `most` a beginning that has more, too.

        Raises:
            ChangedWhileReadError: it is no longer the one whose hash was taken.
        """
        if self.large is None:
            return self.content
        parts: list[bytes] = []
        sha256, size = hashlib.sha256(), 0
        for part in self.chunks():
            parts.append(part)
            sha256.update(part)
            size += len(part)
            if size > most:
                return b"".join(parts)[: most + 1]
        if sha256.hexdigest() != self.sha256:
            raise ChangedWhileReadError("A file changed while it was read.")
        return b"".join(parts)


def look_through(files: Iterable[tuple[str, Callable[[], Iterator[bytes]]]], *, held: int) -> Iterator[DeliveredFile]:
    """The files, each read once: no more than so many bytes of all of them are held, of the others size and hash.

    Args:
        files: Names, and what reads them.
        held: Bytes.
    """
    for name, chunks in files:
        kept: list[bytes] = []
        sha256, size = hashlib.sha256(), 0
        for chunk in chunks():
            sha256.update(chunk)
            size += len(chunk)
            if size <= held:
                kept.append(chunk)
            else:
                kept.clear()
        if size <= held:
            held -= size
            yield DeliveredFile(name, b"".join(kept))
        else:
            yield DeliveredFile(name, b"", LargeFile(size, sha256.hexdigest(), chunks))


def under_shown_names(files: Iterable[DeliveredFile]) -> list[DeliveredFile]:
    """The files under names that may be shown and kept: no long run of digits, nothing that cannot be stored.

    Two that would have the same name then are numbered, for by its name a file is found in its version.
    """
    taken: set[str] = set()
    renamed: list[DeliveredFile] = []
    for file in files:
        path = PurePosixPath(storable(mask_digit_runs(file.name)))
        name, number = path.name, 1
        while name in taken:
            number += 1
            name = f"{path.stem}({number}){path.suffix}"
        taken.add(name)
        renamed.append(replace(file, name=name))
    return renamed


@dataclass(frozen=True)
class Yardstick:
    """What packages of a period are held against: the register and the reference files."""

    period: Period
    register: Register
    reports: Mapping[str, Report]
    parameters: Mapping[str, Any]
    """For the suites: `{"$PARAMETER": name}`."""
    context: DerivedContext
    limits: Limits = DEFAULT_LIMITS


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

    def judged(self) -> JudgedReport:
        """The verdict: one critical finding rejects the report as a whole."""
        errors = sum(finding.level is Level.CRITICAL for finding in self.findings)
        warnings = sum(finding.level is Level.WARNING for finding in self.findings)
        verdict = Verdict.REJECTED if errors else Verdict.NIL if self.is_nil else Verdict.ACCEPTED
        control, sheet = self.report.control_column, self.sheets[0] if self.sheets else None
        total = Decimal(0) if control else None
        if control and self.rows is not None:
            total = self.rows.sum_of(control)
        return JudgedReport(
            report=self.report.code,
            verdict=verdict,
            rows=len(self.rows.rows) if self.rows else 0,
            control_total=total,
            errors=errors,
            warnings=warnings,
            file=sheet.file if sheet else None,
            sheet=sheet.name if sheet else None,
        )


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """The order in which findings are told: file, sheet, row, column (docs/intake.md#the-receipt)."""

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

    def with_findings(self, found: Sequence[Finding]) -> JudgedPackage:
        """The same package with more findings of its reports, and the verdicts that follow."""
        if not found:
            return self
        drafts = tuple(
            replace(draft, findings=[*draft.findings, *(each for each in found if each.report == draft.report.code)])
            for draft in self.drafts
        )
        return replace(
            self,
            drafts=drafts,
            reports=tuple(draft.judged() for draft in drafts),
            findings=self.order.sorted([*self.findings, *found]),
        )

    def without_rows(self) -> JudgedPackage:
        """The same package without what was read of its reports: verdicts and findings are left."""
        return replace(self, drafts=())

    @property
    def verdict(self) -> Verdict:
        """Accepted when nothing was rejected, rejected when nothing was accepted, else partial."""
        good = any(report.verdict is not Verdict.REJECTED for report in self.reports)
        bad = any(finding.level is Level.CRITICAL for finding in self.findings)
        return Verdict.PARTIAL if good and bad else Verdict.ACCEPTED if good else Verdict.REJECTED


def yardstick_of(settings: Settings, register: Register, period: Period) -> Yardstick:
    """Everything that packages of the period are held against.

    Raises:
        SetupError: a reference file is missing or wrong.
    """
    import pandas as pd

    institutions = register.open_in(period)
    return Yardstick(
        period=period,
        register=register,
        reports=load_reports(),
        parameters={
            "period_begin": pd.Timestamp(period.begin),
            "period_end": pd.Timestamp(period.end),
            "town_codes": register.division_codes(DivisionLevel.TOWN),
            "county_codes": register.division_codes(DivisionLevel.COUNTY),
            "open_banks": [each.code for each in institutions if each.kind is InstitutionKind.BANK],
            "open_institutions": [each.code for each in institutions],
            "hotline_forms": hotline_forms(settings),
        },
        context=DerivedContext(last_day=period.end, rates=load_rates(settings)),
        limits=Limits.of(settings),
    )


def validate_reference(settings: Settings) -> None:
    """Read everything that packages are judged by, so that a mistake is told before the first one comes.

    Raises:
        SetupError: a reference file or a suite is missing or wrong; the sentence names the file and the place.
    """
    load_rates(settings)
    hotline_forms(settings)
    load_holidays(settings)
    for report in load_reports().values():
        load_suite(report)


class _Hotlines(RootModel[dict[str, Annotated[str, Field(min_length=1, max_length=500)]]]):
    @model_validator(mode="after")
    def _are_regular_expressions(self) -> Self:
        if not self.root:
            raise ValueError("there is no form, so that every hotline would be wrong")
        for name, form in self.root.items():
            try:
                # Also as it is written: what closes a bracket that only the whole cell opens is no form. A warning is
                # of what another engine reads otherwise, and the checks do not always ask Python's.
                with warnings.catch_warnings(action="error"):
                    re.compile(_whole_cell(form))
                    matches_nothing = re.compile(form).fullmatch("")
            except (re.error, OverflowError, RecursionError, FutureWarning) as error:
                raise ValueError(f"{name}: it is no regular expression: {error}") from None
            if matches_nothing:
                raise ValueError(f"{name}: the form takes a text without a sign for a hotline")
        return self


def _whole_cell(form: str) -> str:
    return f"^(?:{form})$"


def load_hotlines(settings: Settings) -> dict[str, str]:
    """The forms of hotlines, by name: regular expressions of a whole cell.

    Raises:
        SetupError: the file is missing or wrong, or a form is no regular expression.
    """
    return load_reference(settings, "hotlines.yaml", _Hotlines.model_validate).root


def hotline_forms(settings: Settings) -> list[str]:
    """The forms of hotlines as the suites take them.

    Raises:
        SetupError: the file is missing or wrong, or pandas does not read a form.
    """
    import pandas as pd

    cell = pd.Series(["0"], dtype="str")
    forms = {name: _whole_cell(form) for name, form in load_hotlines(settings).items()}
    for name, form in forms.items():
        try:
            # Not by Python's engine, but by Arrow's: it lacks some of what `re` knows, as (?>…), (?(1)…) and a++.
            cell.str.match(form)
        except ValueError as error:
            path = settings.reference_file("hotlines.yaml")
            reason = str(error).rpartition(": ")[2]
            raise SetupError(f"{path} is wrong at {name}: the checks do not know this expression: {reason}.") from None
    return list(forms.values())


def is_complete(files: Sequence[DeliveredFile], yardstick: Yardstick, *, replay: bool) -> bool:
    """Whether a package is one to be judged: its cover is there, or a file that may be it does not open.

    In a replay, whose packages do not change any more, every file that does not open will do.
    """
    sheets, _, unread = _read_files(files, yardstick)
    _, covers, _, _ = _assign_sheets(sheets, dict(yardstick.reports))
    return bool(covers) or any(replay or report is None for report in unread.values())


def judge_package(
    files: Sequence[DeliveredFile], institution: Institution, yardstick: Yardstick, *, cover_wanted: bool = True
) -> JudgedPackage:
    """Read the files, find the reports, hold each against its rules.

    Without `cover_wanted` (a self-check of single files) nothing is held against a cover that is not there.

    Raises:
        ChangedWhileReadError: a file that is not held is no longer the one whose hash was taken.
    """
    reports = dict(yardstick.reports)
    sheets, findings, unread = _read_files(files, yardstick)
    assigned, cover_sheets, explanation_sheets, unknown = _assign_sheets(sheets, reports)
    findings += unknown
    cover, cover_findings = read_cover(cover_sheets, reports)
    explanations, explanation_findings = read_explanations(explanation_sheets, reports)
    has_cover = bool(cover_sheets)
    if not has_cover:
        cover, cover_findings = Cover(is_readable=False), []
    owed = yardstick.register.owed_by(institution.kind)
    drafts = {
        code: ReportDraft(
            report, cover.lines.get(code), assigned.get(code, []), may_be_nil=code not in owed or owed[code].nil_allowed
        )
        for code, report in reports.items()
        if code in cover.lines or code in assigned or code in unread.values()
    }
    findings += _place(drafts, cover_findings + explanation_findings)
    _blame_unread(drafts, findings, unread, may_be_cover=cover_wanted and not has_cover)
    for draft in drafts.values():
        _judge_report(draft, institution, yardstick, cover, cover_wanted=cover_wanted or has_cover)
        if draft.is_nil and not draft.may_be_nil and not (draft.rows and draft.rows.rows):
            draft.findings.append(
                _on_cover(
                    draft, PackageRule.F04, f"“{draft.report.title}”不允许零报送，请报送数据。", "零报送", "是", "否"
                )
            )
    order = ReadingOrder(
        files=tuple(file.name for file in files), sheets=tuple((sheet.file, sheet.name) for sheet in sheets)
    )
    everything = findings + [finding for draft in drafts.values() for finding in draft.findings]
    return JudgedPackage(
        has_cover=has_cover,
        has_unread_workbook=any(report is None for report in unread.values()),
        cover=cover,
        drafts=tuple(drafts.values()),
        reports=tuple(draft.judged() for draft in drafts.values()),
        findings=order.sorted(everything),
        explanations=tuple(explanations),
        order=order,
    )


def _read_files(
    files: Sequence[DeliveredFile], yardstick: Yardstick
) -> tuple[list[Sheet], list[Finding], dict[str, str | None]]:
    """Sheets of all files in the order of names; findings; files that do not open, with the report that they are."""
    known = {normal_header(column.header) for report in yardstick.reports.values() for column in report.columns}
    known |= {normal_header(header) for header in (*COVER_HEADERS, *EXPLANATION_HEADERS)}
    sheets: list[Sheet] = []
    findings: list[Finding] = []
    unread: dict[str, str | None] = {}
    left = yardstick.limits
    for file in files:
        try:
            content = file.read(left.packed_bytes)
            own = read_file(file.name, content, known_headers=known, limits=left)
            del content
            left = left.beside(own)
            sheets += own
        except UnreadableFileError as error:
            report = find_report(PurePosixPath(file.name).stem, dict(yardstick.reports))
            unread[file.name] = report.code if report else None
            findings.append(
                Finding(
                    report=unread[file.name],
                    rule=PackageRule.F01.code,
                    level=PackageRule.F01.level,
                    message=f"文件“{shown_text(file.name)}”：{_blamed(error, left, yardstick.limits)}",
                    file=file.name,
                )
            )
    return sheets, findings, unread


def _blamed(error: UnreadableFileError, left: Limits, whole: Limits) -> UnreadableFileError:
    """The error as it is told: a file may be too large only beside those before it."""
    return too_much_together(whole) if isinstance(error, TooMuchError) and left != whole else error


def _assign_sheets(
    sheets: Sequence[Sheet], reports: dict[str, Report]
) -> tuple[dict[str, list[Sheet]], list[Sheet], list[Sheet], list[Finding]]:
    """Which sheet is which report, the cover, the explanations; the others are a notice F07 each."""
    assigned: dict[str, list[Sheet]] = {}
    covers: list[Sheet] = []
    explanations: list[Sheet] = []
    findings: list[Finding] = []
    sheets_of_file: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        sheets_of_file.setdefault(sheet.file, []).append(sheet)
    for file, own in sheets_of_file.items():
        path = PurePosixPath(file)
        named = find_report(path.stem, reports)
        left: list[Sheet] = []
        taken: set[str] = set()
        # A new workbook has three sheets, two of which nobody fills in.
        filled = [sheet for sheet in own if not _is_blank(sheet)] or own
        for sheet in own:
            is_alone = sheet is filled[0] and len(filled) == 1
            title = normal_header(sheet.name if sheet.name is not None else path.stem).casefold()
            report = find_report(title, reports)
            # cover.csv, and as well a workbook of that name with one sheet, whatever its name.
            if is_alone and path.stem.casefold() in _COVER_STEMS | _EXPLANATION_STEMS:
                title = path.stem.casefold()
            if title == COVER_TITLE or (is_alone and title in _COVER_STEMS):
                covers.append(sheet)
            elif title == EXPLANATIONS_TITLE or (is_alone and title in _EXPLANATION_STEMS):
                explanations.append(sheet)
            elif report is not None and not (named is not None and is_alone):
                assigned.setdefault(report.code, []).append(sheet)
                taken.add(report.code)
            else:
                left.append(sheet)
        if named is not None and named.code not in taken and left:
            # `<report code>.xlsx` has one sheet, whatever its name (docs/intake.md).
            left.sort(key=_is_blank)
            assigned.setdefault(named.code, []).append(left.pop(0))
        for sheet in left:
            name = sheet.name if sheet.name is not None else file
            findings.append(
                Finding(
                    report=None,
                    rule=PackageRule.F07.code,
                    level=PackageRule.F07.level,
                    message=f"“{shown_text(name)}”不是报表，已忽略；报表的工作表以报表名称或代码命名。",
                    file=file,
                    sheet=sheet.name,
                )
            )
    return assigned, covers, explanations, findings


def _is_blank(sheet: Sheet) -> bool:
    return all(map(is_empty, sheet.rows))


def _place(drafts: Mapping[str, ReportDraft], findings: Sequence[Finding]) -> list[Finding]:
    """Findings of the cover to their reports; those of no report are returned. A headless cover blames them all."""
    homeless: list[Finding] = []
    for finding in findings:
        own = drafts.get(finding.report or "")
        if own is not None:
            own.findings.append(finding)
        elif finding.level is Level.CRITICAL and finding.rule == PackageRule.F02.code and drafts:
            for code, draft in drafts.items():
                draft.findings.append(_of_report(finding, code))
        else:
            homeless.append(finding)
    return homeless


def _blame_unread(
    drafts: Mapping[str, ReportDraft],
    findings: list[Finding],
    unread: Mapping[str, str | None],
    *,
    may_be_cover: bool,
) -> None:
    """A report without a sheet is rejected for the file that does not open and may hold it, not for its absence.

    Where that file may be the cover, no report is accepted: there is nothing to hold rows and totals against.
    """
    for fault in [finding for finding in findings if finding.rule == PackageRule.F01.code]:
        own = unread[fault.file or ""]
        absent = [own] if own else [code for code, draft in drafts.items() if not draft.sheets and not draft.is_nil]
        if may_be_cover:
            absent = list(drafts)
        for code in absent:
            drafts[code].is_unread = True
            drafts[code].findings.append(_of_report(fault, code))
        if absent:
            findings.remove(fault)


def _of_report(finding: Finding, report: str) -> Finding:
    return replace(finding, report=report)


def _judge_report(
    draft: ReportDraft, institution: Institution, yardstick: Yardstick, cover: Cover, *, cover_wanted: bool
) -> None:
    report = draft.report
    if institution.kind not in report.owners:
        draft.findings.append(
            _of_draft(draft, PackageRule.F10, f"“{report.title}”不由贵单位报送，请从报送包和报送说明中删除。")
        )
        return
    if draft.is_unread or not _is_there_once(draft, cover, cover_wanted=cover_wanted):
        return
    if draft.is_nil and all(map(_is_blank, draft.sheets)):
        draft.findings += _count_findings(draft, None)
    elif draft.sheets:
        _judge_rows(draft, draft.sheets[0], yardstick)


def _judge_rows(draft: ReportDraft, sheet: Sheet, yardstick: Yardstick) -> None:
    report = draft.report
    layout = lay_out(sheet.rows, [column.header for column in report.columns])
    draft.findings += header_findings(report, sheet, layout)
    if not layout.header_row:
        return
    rows = draft.rows = read_rows(report, sheet, layout)
    if draft.is_nil and rows.rows:
        message = f"报送说明写明零报送，表中却有{len(rows.rows)}行数据，请改正其一。"
        draft.findings.append(_on_cover(draft, PackageRule.F04, message, "零报送", "是", "否"))
        return
    if not rows.rows and not draft.may_be_meant_nil:
        nil = (
            "确无数据时请在报送说明的零报送一栏填写“是”，否则请补报" if draft.may_be_nil else "本表不允许零报送，请补报"
        )
        message = f"表中没有数据；{nil}。"
        draft.findings.append(_of_draft(draft, PackageRule.F04, message))
        return
    draft.findings += cell_findings(rows)
    draft.findings += total_row_findings(rows)
    draft.findings += suite_findings(rows, load_suite(report), yardstick.parameters, yardstick.context)
    draft.findings += _count_findings(draft, rows)


def _is_there_once(draft: ReportDraft, cover: Cover, *, cover_wanted: bool) -> bool:
    """Whether the report is both listed and delivered, once (F09)."""
    title = draft.report.title
    if len(draft.sheets) > 1:
        places = "、".join(
            f"{shown_text(sheet.file)}" + (f"的“{shown_text(sheet.name)}”" if sheet.name else "")
            for sheet in draft.sheets
        )
        draft.findings.append(
            _of_draft(draft, PackageRule.F09, f"“{title}”报送了{len(draft.sheets)}份：{places}，请只保留一份。")
        )
        return False
    if draft.line is None and cover.is_readable and cover_wanted:
        draft.findings.append(
            _of_draft(draft, PackageRule.F09, f"报送说明没有列出“{title}”，请在报送说明中补上，或删除该表。")
        )
    if draft.line is not None and not draft.sheets and not draft.may_be_meant_nil:
        message = f"报送说明列出了“{title}”，却没有该表，请补上，或从报送说明中删除。"
        draft.findings.append(_on_cover(draft, PackageRule.F09, message, "报表", title, None))
    return True


def _count_findings(draft: ReportDraft, rows: TypedRows | None) -> list[Finding]:
    """Row count and control total against the cover (F03)."""
    line = draft.line
    if line is None:
        return []
    findings: list[Finding] = []
    count = len(rows.rows) if rows else 0
    is_count_read = "行数" not in line.unread
    if is_count_read and line.rows != count and not (line.rows is None and draft.is_nil):
        stated = "" if line.rows is None else str(line.rows)
        message = f"报送说明的行数{stated or '未填'}，实际{count}行（不含合计行），请核对。"
        findings.append(_on_cover(draft, PackageRule.F03, message, "行数", stated, str(count)))
    control = draft.report.control_column
    actual = (rows.sum_of(control) if rows else Decimal(0)) if control else None
    is_total_read = "合计金额" not in line.unread
    if is_total_read and control is not None and actual is not None and (line.total or Decimal(0)) != actual:
        stated = "" if line.total is None else f"{line.total:,}"
        message = f"报送说明的合计金额{stated or '未填'}，{control.header}合计为{actual:,}，请核对。"
        findings.append(_on_cover(draft, PackageRule.F03, message, "合计金额", stated, f"{actual:,}"))
    return findings


def _of_draft(draft: ReportDraft, rule: PackageRule, message: str) -> Finding:
    sheet = draft.sheets[0] if draft.sheets else draft.line.sheet if draft.line else None
    return Finding(
        report=draft.report.code,
        rule=rule.code,
        level=rule.level,
        message=message,
        file=sheet.file if sheet else None,
        sheet=sheet.name if sheet else None,
    )


def _on_cover(
    draft: ReportDraft, rule: PackageRule, message: str, header: str, value: str | None, expected: str | None
) -> Finding:
    line = draft.line
    if line is None:
        return _of_draft(draft, rule, message)
    column = line.columns.get(header)
    return Finding(
        report=draft.report.code,
        rule=rule.code,
        level=rule.level,
        message=message,
        file=line.sheet.file,
        sheet=line.sheet.name,
        row_number=line.row_number,
        column_number=None if column is None else column + 1,
        header=header,
        value=value or None,
        expected=expected,
    )
