"""The institution's own check, without database or keys (docs/intake.md#self-check)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from five_precisions.errors import UsageError
from five_precisions.intake.findings import Finding, Judgement, Verdict, shown_text
from five_precisions.intake.judging import folder_finding, judge_package
from five_precisions.intake.leftovers import is_leftover
from five_precisions.intake.package import ChangedWhileReadError, DeliveredFile, load_files, mask_file_names
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.sheet import Limits
from five_precisions.intake.ruleset import ruleset_of
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts import JudgedSheets, render_findings_workbook
from five_precisions.register import load_register
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.reports.level import Level
from five_precisions.settings import Settings

_CHUNK: Final = 4 * 1024**2


def check(
    settings: Settings, path: Path, institution: str, period: Period, *, workbook: Path | None = None
) -> Judgement:
    """Run the checks of one package, a folder or a single file, that need no database.

    Args:
        settings: Of this installation; no secret of it is needed.
        path: The package.
        institution: Whose it is.
        period: For which month.
        workbook: Where to write the findings workbook, as it would come with the receipt; nothing without findings.

    Raises:
        UsageError: the period has not begun; the institution is not open in it. There is nothing at the path, or what
            is neither file nor folder, or it changes meanwhile. The workbook cannot be written.
        SetupError: the register or a reference file is wrong.
    """
    period.require_begun()
    register = load_register(settings.register_folder)
    who = register.institution(institution)
    if who is None:
        raise UsageError(f"{institution} is not an institution of the register.")
    if not who.is_open_in(period):
        raise UsageError(f"{institution} is not open in {period}.")
    files, no_files = _read(path, Limits.of(settings))
    if not files:
        folders = ", ".join(sorted(str(each.file) for each in no_files))
        inside = f" but {folders}; name the folder in which the files lie" if folders else ""
        raise UsageError(f"There is nothing to check at {path}{inside}.")
    ruleset = ruleset_of(settings, register, period)
    try:
        judged = judge_package(files, who, ruleset, cover_wanted=False)
    except ChangedWhileReadError:
        raise UsageError(f"A file at {path} changed while it was read.") from None
    findings = (*no_files, *judged.findings)
    if not judged.has_cover:
        message = "没有找到报送说明，未核对行数与合计金额；正式报送时必须附报送说明。"
        findings = (
            Finding(report=None, rule=PackageRule.F08.code, level=PackageRule.F08.level, message=message),
            *findings,
        )
    if workbook is not None:
        sheets = JudgedSheets(files, judged, ruleset.limits)
        judged = judged.without_rows()
        try:
            _write_workbook(workbook, findings, sheets, f"{period}-{institution}", is_demo=settings.is_demo)
        except ChangedWhileReadError:
            raise UsageError(f"A file at {path} changed while it was read.") from None
    # A single sound file that is no report at all has no verdict of its own.
    nothing_wrong = not any(finding.level is Level.CRITICAL for finding in findings)
    left_out = ", ".join(sorted(check.rule for check in load_cross_rules()))
    return Judgement(
        institution_code=institution,
        period=str(period),
        verdict=Verdict.ACCEPTED if nothing_wrong else judged.verdict,
        remark=f"left out, for they need the warehouse: {left_out}",
        reports=judged.reports,
        findings=findings,
    )


def _write_workbook(
    path: Path, findings: Sequence[Finding], sheets: JudgedSheets, number: str, *, is_demo: bool
) -> None:
    if not findings:
        return
    now = datetime.now(SHANGHAI)
    content = render_findings_workbook(findings, sheets.masked(), number=number, created_at=now, is_demo=is_demo)
    if content is None:
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _read(path: Path, limits: Limits) -> tuple[list[DeliveredFile], list[Finding]]:
    """The files at the path, and what lies in the folder but is no file: it is named, and never opened."""
    try:
        if path.is_dir():
            found = sorted(each for each in path.iterdir() if not is_leftover(each.name))
        elif path.is_file() or not path.exists():
            found = [path]
        else:
            raise UsageError(f"{path} is neither a file nor a folder.")
        paths = [each for each in found if each.is_file() or each == path]
        files = load_files(((each.name, partial(_chunks, each)) for each in paths), held=limits.packed_bytes)
        return mask_file_names(files), [_no_file(each) for each in found if each not in paths]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _no_file(path: Path) -> Finding:
    name = shown_text(path.name)
    return (
        folder_finding(name)
        if path.is_dir()
        else Finding(
            report=None,
            rule=PackageRule.F07.code,
            level=PackageRule.F07.level,
            message=f"“{name}”不是普通文件，没有读取；报送包里只放文件。",
            file=name,
        )
    )
