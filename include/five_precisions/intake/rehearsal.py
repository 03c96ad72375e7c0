"""Packages without data judged beforehand, so that a process has what is made when it is needed first.

That is patterns for the most part. Whatever process is forked from this one has them too.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.ruleset import ruleset_of
from five_precisions.period import Period
from five_precisions.register import Institution, InstitutionKind, Register
from five_precisions.reports import Report
from five_precisions.settings import Settings

_MONTH: Final = Period(2019, 1)
_NOTE: Final = "说明"
"""A row that is no data, of which all marks are asked."""


def rehearse(settings: Settings) -> None:
    """Judge a package of each kind of institution, whose reports have a head and no data; it starts no thread.

    Args:
        settings: Of this installation.

    Raises:
        SetupError: a reference file is missing or wrong.
    """
    ruleset = ruleset_of(settings, Register((), (), (), ()), _MONTH)
    for kind in InstitutionKind:
        files = [_without_data(report) for report in ruleset.reports.values() if kind in report.owners]
        judge_package(files, _invented(kind), ruleset, cover_wanted=False)


def _without_data(report: Report) -> DeliveredFile:
    head = ",".join(column.header for column in report.columns)
    return DeliveredFile(f"{report.code}.csv", f"{head}\n{_NOTE}\n".encode())


def _invented(kind: InstitutionKind) -> Institution:
    return Institution(
        code=kind,
        name=kind,
        short_name=kind,
        kind=kind,
        division_code=kind,
        local_legal_person=False,
        opened_on=date.min,
        closed_on=None,
    )
