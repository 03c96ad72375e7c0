"""The institution's own check, without database or keys (spec/03, Self-check)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from five_precisions.errors import UsageError
from five_precisions.intake.findings import Finding, Judgement, Level, Verdict
from five_precisions.intake.judging import (
    DeliveredFile,
    Yardstick,
    judge_package,
    under_shown_names,
    yardstick_of,
)
from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import Sheet, UnreadableFileError
from five_precisions.intake.rules.checks import load_checks
from five_precisions.intake.telling.findings_workbook import known_headers, render_findings_workbook, repeat_sheets
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register
from five_precisions.settings import Settings


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
        UsageError: the period has not begun, there is nothing at the path, the institution is not open in the period,
            or the workbook cannot be written.
        SetupError: the register or a reference file is wrong.
    """
    period.require_begun()
    register = load_register(settings.register_folder)
    who = register.institution(institution)
    if who is None:
        raise UsageError(f"{institution} is not an institution of the register.")
    if not who.is_open_in(period):
        raise UsageError(f"{institution} is not open in {period}.")
    files = _read(path)
    if not files:
        raise UsageError(f"There is nothing to check at {path}.")
    yardstick = yardstick_of(settings, register, period)
    judged = judge_package(files, who, yardstick, cover_wanted=False)
    findings = judged.findings
    if not judged.has_cover:
        message = "没有找到报送说明，未核对行数与合计金额；正式报送时必须附报送说明。"
        findings = (Finding(report=None, rule="F08", level=Level.NOTICE, message=message), *findings)
    if workbook is not None:
        _write_workbook(workbook, findings, files, yardstick, f"{period}-{institution}", is_demo=settings.is_demo)
    # A single sound file that is no report at all has no verdict of its own.
    nothing_wrong = not any(finding.level is Level.CRITICAL for finding in findings)
    left_out = ", ".join(sorted(check.rule for check in load_checks()))
    return Judgement(
        institution_code=institution,
        period=str(period),
        verdict=Verdict.ACCEPTED if nothing_wrong else judged.verdict,
        remark=f"left out, for they need the warehouse: {left_out}",
        reports=judged.reports,
        findings=findings,
    )


def _write_workbook(
    path: Path,
    findings: Sequence[Finding],
    files: Sequence[DeliveredFile],
    yardstick: Yardstick,
    number: str,
    *,
    is_demo: bool,
) -> None:
    sheets = repeat_sheets(_readable_sheets(files, yardstick))
    now = datetime.now(SHANGHAI)
    content = render_findings_workbook(findings, sheets, number=number, created_at=now, is_demo=is_demo)
    if content is None:
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _readable_sheets(files: Sequence[DeliveredFile], yardstick: Yardstick) -> Iterator[Sheet]:
    for file in files:
        try:
            yield from read_file(file.name, file.content, known_headers=known_headers(), limits=yardstick.limits)
        except UnreadableFileError:
            # A finding says so (F01).
            continue


def _read(path: Path) -> list[DeliveredFile]:
    try:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "~$")))
        else:
            files = [path]
        return under_shown_names(DeliveredFile(file.name, file.read_bytes()) for file in files)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
