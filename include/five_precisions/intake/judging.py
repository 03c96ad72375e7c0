"""A package's files → verdicts and findings. Pure: no database, no inbox, no keys.

See docs/reports.md#rules; docs/intake.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from five_precisions.intake.belonging import TitledSheet, belonging_finding, titled
from five_precisions.intake.findings import Finding, shown_text
from five_precisions.intake.judged_package import JudgedPackage, ReadingOrder, ReportDraft
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.package_sheets import ReadFiles, assign_sheets, is_blank, read_files
from five_precisions.intake.reading.cover import COVER, EXPLANATIONS, Cover, read_cover, read_explanations
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.layout import TableForm, lay_out
from five_precisions.intake.reading.table_findings import (
    cell_findings,
    header_findings,
    left_out_findings,
    lost_cell_findings,
    total_row_findings,
    unit_findings,
)
from five_precisions.intake.reading.typed import TypedRows, read_rows
from five_precisions.intake.rules.suites import suite_of
from five_precisions.intake.rules.validation import suite_findings
from five_precisions.intake.ruleset import Ruleset
from five_precisions.period import Period
from five_precisions.register import Institution, Obligation
from five_precisions.reports import Report, load_reports
from five_precisions.reports.level import Level


def judge_package(
    files: Sequence[DeliveredFile],
    institution: Institution,
    ruleset: Ruleset,
    *,
    folders: Sequence[str] = (),
    cover_wanted: bool = True,
) -> JudgedPackage:
    """Read the files, find the reports, hold each against its rules.

    Args:
        files: Of the package.
        institution: Whose folder it lies in.
        ruleset: What it is held against.
        folders: Names of folders that lie beside the files.
        cover_wanted: Whether a cover must be there; not in a self-check of single files.

    Raises:
        ChangedWhileReadError: a file that is not held is no longer the one whose hash was taken.
    """
    # Also those of other months are known, to be named for what they are.
    reports = {code: ruleset.reports.get(code, report) for code, report in load_reports().items()}
    read = read_files(files, ruleset)
    sheets, findings, unread = read.sheets, read.findings, read.unread
    assigned, cover_sheets, explanation_sheets, unknown = assign_sheets(sheets, reports)
    findings += unknown + [folder_finding(shown_text(folder)) for folder in folders]
    cover, cover_findings = read_cover(cover_sheets, reports, ruleset.marks)
    explanations, explanation_findings = read_explanations(explanation_sheets, reports, ruleset.marks)
    has_cover = bool(cover_sheets)
    if not has_cover:
        cover, cover_findings = Cover(is_readable=False), []
    owed = ruleset.register.owed_by(institution, ruleset.period)
    not_owed = _not_owed(reports, institution, ruleset)
    left_out = {each.report.code for each in not_owed}
    drafts = {
        code: ReportDraft(
            report, cover.lines.get(code), assigned.get(code, []), may_be_nil=code not in owed or owed[code].nil_allowed
        )
        for code, report in reports.items()
        if code not in left_out and (code in cover.lines or code in assigned or code in unread.values())
    }
    findings += _not_owed_findings(not_owed, assigned, cover, read, has_drafts=bool(drafts))
    findings = [finding for finding in findings if finding.report not in left_out]
    findings += _place(drafts, [each for each in cover_findings + explanation_findings if each.report not in left_out])
    _reject_unread(drafts, findings, read, is_cover_due=cover_wanted and not has_cover)
    with_titles = _titled(sheets, reports, assigned, cover_sheets, explanation_sheets)
    elsewhere = belonging_finding(with_titles, institution, ruleset.register, ruleset.period)
    if elsewhere is not None:
        # Whatever else there is to say follows from it.
        findings, explanations = [elsewhere], []
    for draft in drafts.values():
        if elsewhere is not None:
            draft.refuse()
            continue
        _judge_report(draft, ruleset, cover, cover_wanted=cover_wanted or has_cover)
        if draft.is_nil and not draft.may_be_nil and not (draft.rows and draft.rows.rows):
            draft.findings.append(
                _on_cover(
                    draft, PackageRule.F04, f"“{draft.report.title}”不允许零报送，请报送数据。", "零报送", "是", "否"
                )
            )
    order = ReadingOrder(files=read.names, sheets=tuple((sheet.file, sheet.name) for sheet in sheets))
    everything = findings + [finding for draft in drafts.values() for finding in draft.findings]
    return JudgedPackage(
        has_cover=has_cover,
        has_unread_workbook=any(map(read.may_be_cover, unread)),
        cover=cover,
        drafts=tuple(drafts.values()),
        reports=tuple(draft.judged() for draft in drafts.values()),
        findings=order.sorted(everything),
        explanations=tuple(explanations),
        order=order,
        sheets=tuple(sheets),
        crowded_out=read.crowded_out,
        places={code: draft.places for code, draft in drafts.items()},
    )


def folder_finding(name: str) -> Finding:
    """What is said of a folder beside the files: nothing in it is read (F07)."""
    message = f"“{name}”是文件夹，其中的文件没有读取；请把文件直接放在本机构的文件夹里，不要放在子文件夹里。"
    return Finding(report=None, rule=PackageRule.F07.code, level=PackageRule.F07.level, message=message, file=name)


def _place(drafts: Mapping[str, ReportDraft], findings: Sequence[Finding]) -> list[Finding]:
    """Findings of the cover to their reports, one of its headers to all of them; those of no report are returned."""
    of_no_report: list[Finding] = []
    for finding in findings:
        own = drafts.get(finding.report or "")
        if own is not None:
            own.findings.append(finding)
        elif finding.level is Level.CRITICAL and finding.rule == PackageRule.F02.code and drafts:
            for code, draft in drafts.items():
                draft.findings.append(_of_report(finding, code))
        else:
            of_no_report.append(finding)
    return of_no_report


def _reject_unread(
    drafts: Mapping[str, ReportDraft],
    findings: list[Finding],
    read: ReadFiles,
    *,
    is_cover_due: bool,
) -> None:
    """A report without a sheet is rejected for the file that does not open and may hold it, not for its absence.

    Where that file may be the cover, no report is accepted: there is nothing to hold rows and totals against.
    """
    for fault in [finding for finding in findings if finding.rule == PackageRule.F01.code]:
        own = read.unread[fault.file or ""]
        absent = [own] if own else [code for code, draft in drafts.items() if not draft.sheets and not draft.is_nil]
        if is_cover_due and read.may_be_cover(fault.file or ""):
            absent = list(drafts)
        for code in absent:
            drafts[code].is_unread = True
            drafts[code].findings.append(_of_report(fault, code))
        if absent:
            findings.remove(fault)


def _titled(
    sheets: Sequence[Sheet],
    reports: Mapping[str, Report],
    assigned: Mapping[str, Sequence[Sheet]],
    covers: Sequence[Sheet],
    explanations: Sequence[Sheet],
) -> list[TitledSheet]:
    """All sheets with what stands over their tables."""
    tables = {id(sheet): TableForm.of(reports[code]).headers for code, own in assigned.items() for sheet in own}
    tables |= {id(sheet): COVER.headers for sheet in covers}
    tables |= {id(sheet): EXPLANATIONS.headers for sheet in explanations}
    return [titled(sheet, tables.get(id(sheet))) for sheet in sheets]


@dataclass(frozen=True, slots=True)
class _NotOwed:
    """A report that is left out where it is delivered, and why, as the rest of a sentence."""

    report: Report
    why: str
    in_other_months: bool = False
    """Whether the institution owes it in other months."""


def _not_owed(reports: Mapping[str, Report], institution: Institution, ruleset: Ruleset) -> list[_NotOwed]:
    """What the institution does not deliver for the month.

    What its kind may deliver and owes in no month at all is taken.
    """
    owed = ruleset.register.owed_by(institution, ruleset.period)
    dated = ruleset.register.obligations_of(institution.kind)
    found = []
    for code, report in reports.items():
        if institution.kind not in report.owners:
            found.append(_NotOwed(report, "不由贵单位报送"))
        elif code in dated and code not in owed:
            why = _other_months(dated[code], institution, ruleset.period)
            found.append(_NotOwed(report, why, in_other_months=True))
        elif code not in ruleset.reports:
            found.append(_NotOwed(report, _life_of(report), in_other_months=True))
    return found


def _other_months(obligations: Sequence[Obligation], institution: Institution, period: Period) -> str:
    """From when on, or until when, an institution owes what it does not owe for the month."""
    later = [
        each
        for each in obligations
        if each.until_period is None or max(period, each.first_period_of(institution)) <= each.until_period
    ]
    if later:
        first = min(each.first_period_of(institution) for each in later)
        return f"自{first.words}起由贵单位报送，{period.words}不需报送"
    last = max(each.until_period for each in obligations if each.until_period is not None)
    return f"只报送到{last.words}，{period.words}不需报送"


def _not_owed_findings(
    not_owed: Sequence[_NotOwed],
    assigned: Mapping[str, Sequence[Sheet]],
    cover: Cover,
    read: ReadFiles,
    *,
    has_drafts: bool,
) -> list[Finding]:
    """Reports that the institution does not deliver for the month are left out, and named (F10)."""
    findings: list[Finding] = []
    is_of_other_months = True
    for each in not_owed:
        report = each.report
        line = cover.lines.get(report.code)
        sheets = [*assigned.get(report.code, ()), *([line.sheet] if line else [])]
        places = [(sheet.file, sheet.name) for sheet in sheets]
        places += [(name, None) for name, code in read.unread.items() if code == report.code]
        if places:
            message = f"“{report.title}”{each.why}，已略过，请从报送包和报送说明中删除。"
            is_of_other_months &= each.in_other_months
            file, sheet = places[0]
            level = PackageRule.F10.level
            findings.append(
                Finding(report=None, rule=PackageRule.F10.code, level=level, message=message, file=file, sheet=sheet)
            )
    if findings and not has_drafts:
        message = (
            "报送包中没有本期应报的报表，请核对报送月份。"
            if is_of_other_months
            else "报送包中没有应由贵单位报送的报表，请核对是否放错了文件夹。"
        )
        findings.append(replace(findings[0], rule=PackageRule.F09.code, level=PackageRule.F09.level, message=message))
    return findings


def _life_of(report: Report) -> str:
    """From when on, or until when, a report is delivered that is not for the month."""
    begin = "" if report.valid_from is None else f"自{report.valid_from.words}起"
    end = "" if report.valid_until is None else f"到{report.valid_until.words}为止"
    return f"{begin}{end}报送，不属于本期"


def _of_report(finding: Finding, report: str) -> Finding:
    return replace(finding, report=report)


def _judge_report(draft: ReportDraft, ruleset: Ruleset, cover: Cover, *, cover_wanted: bool) -> None:
    if draft.is_unread or not _is_there_once(draft, cover, cover_wanted=cover_wanted):
        return
    if draft.is_nil and all(map(is_blank, draft.sheets)):
        draft.findings += _count_findings(draft, None)
    elif draft.sheets:
        _judge_rows(draft, draft.sheets[0], ruleset)


def _judge_rows(draft: ReportDraft, sheet: Sheet, ruleset: Ruleset) -> None:
    report = draft.report
    layout = lay_out(sheet, TableForm.of(report), ruleset.marks)
    draft.findings += header_findings(report, sheet, layout)
    if not layout.headers.row:
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
    draft.findings += unit_findings(rows)
    draft.findings += left_out_findings(rows)
    draft.findings += lost_cell_findings(rows)
    draft.findings += cell_findings(rows)
    draft.findings += total_row_findings(rows)
    suite = suite_of(report.code, ruleset.period)
    found, draft.validated = suite_findings(
        rows, suite, ruleset.parameters, ruleset.context, validate_all=ruleset.validate_all
    )
    draft.findings += found
    draft.findings += _count_findings(draft, rows)


def _is_there_once(draft: ReportDraft, cover: Cover, *, cover_wanted: bool) -> bool:
    """Whether the report is both listed and delivered, once (F09)."""
    title = draft.report.title
    if len(draft.sheets) > 1:
        places = "、".join(
            f"{shown_text(sheet.file)}"
            + (f"的“{shown_text(sheet.name)}”" if sheet.name else "")
            + ("（隐藏的工作表）" if sheet.is_hidden else "")
            for sheet in draft.sheets
        )
        hidden = "；隐藏的工作表取消隐藏后可以看到" if any(sheet.is_hidden for sheet in draft.sheets) else ""
        message = f"“{title}”报送了{len(draft.sheets)}份：{places}，请只保留一份{hidden}。"
        draft.findings.append(_of_draft(draft, PackageRule.F09, message))
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
