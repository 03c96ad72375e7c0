"""A delivery's staged rows and files, held against other months and institutions.

See docs/reports.md#rules: K02, K03, P02, X01 to X03.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from five_precisions.intake.findings import Finding, Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.ledger import Submission
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.package_sheets import delivered_name
from five_precisions.intake.rules.checks import DeliveredSheet, parameters_of, version_findings
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.warehouse import load_statement

Staged = Mapping[str, bool]
"""Reports whose rows lie in `staged_<report>`, each with whether all of its rows could be read."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a delivery's reports come to beside other months and institutions."""

    compared_with: str
    """What they were held against: while this is the same, so is what all checks say."""
    findings: tuple[Finding, ...]


def compare_with_others(
    connection: Connection,
    submission: Submission,
    judged: JudgedPackage,
    staged: Staged,
    earlier: Comparison | None = None,
) -> Comparison:
    """Hold the staged reports against what stands of the month before and of others.

    Args:
        connection: In whose transaction the rows were staged.
        submission: The delivery.
        judged: What was judged of it.
        staged: Which of its reports are staged.
        earlier: What came of the same rows before; it is returned where nothing has been recorded since.
    """
    # Read before the rows: whatever is recorded after it makes the next comparison look again.
    months = parameters_of(submission.period)
    compared_with = connection.execute(load_statement("intake/compared_with"), months).scalar_one()
    if earlier is not None and earlier.compared_with == compared_with:
        return earlier
    found = _same_files(connection, submission, judged)
    another_one = {finding.report for finding in found}
    for report in judged.reports:
        if report.report in staged and report.report not in another_one:
            place = DeliveredSheet(report.file, report.sheet, judged.places[report.report])
            own = (submission.period, submission.institution_code, report.report, place)
            found += version_findings(connection, *own, is_whole=staged[report.report])
    return Comparison(compared_with, tuple(found))


def _same_files(connection: Connection, submission: Submission, judged: JudgedPackage) -> list[Finding]:
    """Reports in a file that is another institution's of the period, byte for byte (K03).

    Of a register that is held against others row by row, each row says whose it is (K02).
    """
    compared = {check.report for check in load_cross_rules() if check.decides_across_institutions and not check.alone}
    hashes = {file.name: file.sha256 for file in submission.files}
    own = {
        report.report: report
        for report in judged.reports
        if report.verdict is Verdict.ACCEPTED and report.rows and report.file and report.report not in compared
    }
    names = {
        "period": str(submission.period),
        "institution_code": submission.institution_code,
        "reports": list(own),
        "hashes": [hashes.get(delivered_name(report.file or "")) for report in own.values()],
    }
    return [
        Finding(
            report=code,
            rule=PackageRule.K03.code,
            level=PackageRule.K03.level,
            message="这份文件与另一家机构本期已接收的文件完全相同，请核对是否放错了文件夹，改为本机构的报表后重新报送；确属本机构的，请联系人民银行核实。",
            file=own[code].file,
            sheet=own[code].sheet,
        )
        for code in connection.execute(load_statement("intake/files_of_others"), names).scalars()
    ]
