"""The institution's own check, without database or keys (spec/03, Self-check)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from five_precisions.errors import UsageError
from five_precisions.intake.findings import Finding, Judgement, Level, Verdict
from five_precisions.intake.judging import DeliveredFile, judge_package, yardstick_of
from five_precisions.period import Period
from five_precisions.register import load_register
from five_precisions.settings import Settings

RULES_OF_THE_WAREHOUSE: Final = ("K02", "P02", *(f"X{number:02d}" for number in range(1, 11)))
"""Rules across institutions, months and reports (spec/02): no single package decides them."""


def check(settings: Settings, path: Path, institution: str, period: Period) -> Judgement:
    """Run the checks of one package, a folder or a single file, that need no database.

    Raises:
        UsageError: there is nothing at the path, or the institution is not open in the period.
        SetupError: the register or a reference file is wrong.
    """
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
    # A single sound file that is no report at all has no verdict of its own.
    nothing_wrong = not any(finding.level is Level.CRITICAL for finding in findings)
    return Judgement(
        institution_code=institution,
        period=str(period),
        verdict=Verdict.ACCEPTED if nothing_wrong else judged.verdict,
        remark=f"left out, for they need the warehouse: {', '.join(RULES_OF_THE_WAREHOUSE)}",
        reports=judged.reports,
        findings=findings,
    )


def _read(path: Path) -> list[DeliveredFile]:
    try:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "~$")))
        else:
            files = [path]
        return [DeliveredFile(file.name, file.read_bytes()) for file in files]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
