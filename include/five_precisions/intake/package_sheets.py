"""A package's files → sheets, and which of them is which report, cover, explanations (docs/intake.md#the-package)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.findings import Finding, shown_text
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.cover import (
    COVER_HEADERS,
    COVER_TITLE,
    EXPLANATION_HEADERS,
    EXPLANATIONS_TITLE,
    find_report,
)
from five_precisions.intake.reading.files import Sheet, UnreadableFileError, read_file
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.layout import is_empty
from five_precisions.intake.reading.sheet import TooMuchError, too_much_together
from five_precisions.intake.ruleset import Ruleset
from five_precisions.reports import Report, load_reports

_COVER_STEMS: Final = frozenset({"cover", COVER_TITLE})
_EXPLANATION_STEMS: Final = frozenset({"explanations", EXPLANATIONS_TITLE})


def is_complete(files: Sequence[DeliveredFile], ruleset: Ruleset, *, replay: bool) -> bool:
    """Whether a package is one to be judged: its cover is there, or a file that may be it does not open.

    In a replay, whose packages do not change any more, every file that does not open will do.
    """
    read = read_files(files, ruleset)
    _, covers, _, _ = assign_sheets(read.sheets, dict(ruleset.reports))
    return bool(covers) or any(replay or report is None for report in read.unread.values())


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """What was read of a package's files."""

    sheets: list[Sheet]
    """In the order of the files."""
    findings: list[Finding]
    """One for each file that does not open (F01)."""
    unread: dict[str, str | None]
    """Names of these files, with the report that the name says."""
    crowded_out: frozenset[str]
    """Those of them that can be read, but not beside the files before them."""


@cache
def known_headers() -> frozenset[str]:
    """Headers of reports, cover and explanations in normal form: by them the delimiter of a CSV file is found."""
    headers = {column.header for report in load_reports().values() for column in report.columns}
    return frozenset(map(normal_header, headers | {*COVER_HEADERS, *EXPLANATION_HEADERS}))


def read_files(files: Sequence[DeliveredFile], ruleset: Ruleset) -> ReadFiles:
    """Read all files of a package, each once."""
    sheets: list[Sheet] = []
    findings: list[Finding] = []
    unread: dict[str, str | None] = {}
    crowded_out: set[str] = set()
    left = ruleset.limits
    for file in files:
        try:
            content = file.read(left.packed_bytes)
            own = read_file(file.name, content, known_headers=known_headers(), limits=left)
            del content
            left = left.beside(own)
            sheets += own
        except UnreadableFileError as error:
            report = find_report(PurePosixPath(file.name).stem, dict(ruleset.reports))
            unread[file.name] = report.code if report else None
            is_crowded_out = isinstance(error, TooMuchError) and left != ruleset.limits
            if is_crowded_out:
                crowded_out.add(file.name)
            reason = too_much_together(ruleset.limits) if is_crowded_out else error
            findings.append(
                Finding(
                    report=unread[file.name],
                    rule=PackageRule.F01.code,
                    level=PackageRule.F01.level,
                    message=f"文件“{shown_text(file.name)}”：{reason}",
                    file=file.name,
                )
            )
    return ReadFiles(sheets, findings, unread, frozenset(crowded_out))


def assign_sheets(
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
        filled = [sheet for sheet in own if not is_blank(sheet)] or own
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
            left.sort(key=is_blank)
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


def is_blank(sheet: Sheet) -> bool:
    """Whether nothing is filled in."""
    return all(map(is_empty, sheet.rows))
