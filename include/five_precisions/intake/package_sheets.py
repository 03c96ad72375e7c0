"""A package's files → sheets, and which of them is which report, cover, explanations (docs/intake.md#the-package)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.documents import is_document
from five_precisions.intake.findings import Finding, shown_text
from five_precisions.intake.package import DeliveredFile, mask_file_names
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.cover import (
    COVER_HEADERS,
    COVER_TITLE,
    EXPLANATION_HEADERS,
    EXPLANATIONS_TITLE,
    find_report,
)
from five_precisions.intake.reading.files import (
    Sheet,
    UnreadableFileError,
    may_hold_sheets,
    read_file,
    wrong_kind,
)
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.layout import is_empty
from five_precisions.intake.reading.sheet import Limits, TooMuchError, too_much_together
from five_precisions.intake.reading.zipped_package import unzip_package
from five_precisions.intake.ruleset import Ruleset
from five_precisions.own_files import kept_while_same
from five_precisions.reports import Report, load_reports

_COVER_STEMS: Final = frozenset({"cover", COVER_TITLE})
ZIP_SUFFIX: Final = ".zip"
_MONTH: Final = r"(?:20[0-9]{2}[-年._/]?)?(?:0?[1-9]|1[0-2])(?:月份?|[-月._/](?:[012]?[0-9]|3[01])日?)?"
_NUMBER_BEFORE: Final = re.compile(
    r"^(?:附?[件表])?[(]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})?[)]?[-、.:_]+|^附?[件表][0-9]{1,2}"
)
_MONTH_BEFORE: Final = re.compile(rf"^[(\[【]?{_MONTH}[)\]】]?[-_]*")
_MONTH_BEHIND: Final = re.compile(rf"[-_]*[(\[【]?{_MONTH}[)\]】]?$")
"""2019年6月, 201906, (6月), before or behind a title."""
_EXPLANATION_STEMS: Final = frozenset({"explanations", EXPLANATIONS_TITLE})


def is_complete(files: Sequence[DeliveredFile], ruleset: Ruleset, *, replay: bool) -> bool:
    """Whether a package is one to be judged: its cover is there, or a file that may be it does not open.

    In a replay, whose packages do not change any more, every file that does not open will do.
    """
    read = read_files(files, ruleset)
    _, covers, _, _ = assign_sheets(read.sheets, dict(ruleset.reports))
    return bool(covers) or any(replay or read.may_be_cover(name) for name in read.unread)


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
    names: tuple[str, ...]
    """Of all files, and of those in a zip, in their order."""

    def may_be_cover(self, name: str) -> bool:
        """Whether a file that does not open may hold the cover: one that is named for no report, of a kind that may."""
        return self.unread.get(name, "") is None and may_hold_sheets(name)


@kept_while_same(lambda: (load_reports(),))
def known_headers() -> frozenset[str]:
    """Headers of reports, cover and explanations in normal form: by them the delimiter of a CSV file is found."""
    headers = {each for report in load_reports().values() for column in report.columns for each in column.all_headers}
    return frozenset(map(normal_header, headers | {*COVER_HEADERS, *EXPLANATION_HEADERS}))


def read_files(files: Sequence[DeliveredFile], ruleset: Ruleset) -> ReadFiles:
    """Read all files of a package, each once; those of a zip one by one."""
    reading = _PackageReading(ruleset)
    for file in files:
        reading.read(file)
    reading.name_documents()
    return ReadFiles(
        reading.sheets, reading.findings, reading.unread, frozenset(reading.crowded_out), tuple(reading.names)
    )


class _PackageReading:
    """The files of one package, read one after the other: what one takes of the limits the next has no longer."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._held: list[Sheet] = []
        """Of the file before, as far as it is not counted yet: nothing follows the last one."""
        self._counted = ruleset.limits
        self.sheets: list[Sheet] = []
        self.findings: list[Finding] = []
        self.unread: dict[str, str | None] = {}
        self.crowded_out: list[str] = []
        self.names: list[str] = []
        self._documents: list[str] = []

    def read(self, file: DeliveredFile) -> None:
        if is_document(file.name):
            self._documents.append(file.name)
            return
        try:
            left = self._left()
            parts = unpack(file.name, file.read(left.packed_bytes), left)
        except UnreadableFileError as error:
            self.names.append(file.name)
            self._refuse(file.name, error)
            return
        for part in parts:
            if is_document(part.name):
                self._documents.append(part.name)
                continue
            self.names.append(part.name)
            try:
                own = read_file(part.name, part.content, known_headers=known_headers(), limits=self._left())
            except UnreadableFileError as error:
                self._refuse(part.name, error)
            else:
                self._held = own
                self.sheets += own

    def _left(self) -> Limits:
        """What the files so far leave to the next one."""
        self._counted = self._counted.beside(self._held)
        self._held = []
        return self._counted

    def _refuse(self, name: str, error: UnreadableFileError) -> None:
        report = find_report(PurePosixPath(name).stem, dict(self._ruleset.reports))
        self.unread[name] = report.code if report else None
        limits = self._ruleset.limits
        is_crowded_out = isinstance(error, TooMuchError) and self._left() != limits
        if is_crowded_out:
            self.crowded_out.append(name)
        reason = too_much_together(limits) if is_crowded_out else error
        message = f"文件“{shown_text(name)}”：{reason}"
        self.findings.append(self._finding(name, PackageRule.F01, message, report=self.unread[name]))

    def name_documents(self) -> None:
        """Name the documents; one that bears the name of a report that no other file holds is of a wrong kind."""
        reports = dict(self._ruleset.reports)
        there = {find_report(sheet.name or PurePosixPath(sheet.file).stem, reports) for sheet in self.sheets}
        there |= {find_report(PurePosixPath(sheet.file).stem, reports) for sheet in self.sheets}
        for name in self._documents:
            self.names.append(name)
            report = find_report(PurePosixPath(name).stem, reports)
            if report is not None and report not in there:
                self._refuse(name, wrong_kind())
                continue
            message = f"“{shown_text(name)}”是图片或文档，已归档，不作为报表读取，不影响其他报表。"
            self.findings.append(self._finding(name, PackageRule.F07, message))

    @staticmethod
    def _finding(name: str, rule: PackageRule, message: str, *, report: str | None = None) -> Finding:
        return Finding(report=report, rule=rule.code, level=rule.level, message=message, file=name)


def unpack(name: str, content: bytes, limits: Limits) -> list[DeliveredFile]:
    """A file, or the files of a zip, under names that may be shown and that begin with the zip's: `包.zip/loans.csv`.

    Raises:
        UnreadableFileError: the zip does not open, or is none of files on one level (F01).
    """
    if PurePosixPath(name).suffix.casefold() != ZIP_SUFFIX:
        return [DeliveredFile(name, content)]
    inside = mask_file_names(DeliveredFile(*member) for member in unzip_package(content, limits))
    return [replace(file, name=f"{name}/{file.name}") for file in inside]


def delivered_name(name: str) -> str:
    """The name of the file that was delivered: of a file in a zip, the zip's."""
    return name.partition("/")[0]


def assign_sheets(
    sheets: Sequence[Sheet], reports: dict[str, Report]
) -> tuple[dict[str, list[Sheet]], list[Sheet], list[Sheet], list[Finding]]:
    """Which sheet is which report, the cover, the explanations; the others are a notice F07 each."""
    assigned: dict[str, list[Sheet]] = {}
    covers: list[Sheet] = []
    explanations: list[Sheet] = []
    unknown: list[Sheet] = []
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
        unknown += left
    findings: list[Finding] = []
    for sheet in unknown:
        title = bare_title(sheet.name or PurePosixPath(sheet.file).stem)
        report = find_report(title, reports)
        if report is not None and report.code not in assigned:
            assigned[report.code] = [sheet]
        elif title == COVER_TITLE and not covers:
            covers.append(sheet)
        else:
            findings.append(_no_report(sheet))
    return assigned, covers, explanations, findings


def _no_report(sheet: Sheet) -> Finding:
    name = shown_text(sheet.name if sheet.name is not None else sheet.file)
    return Finding(
        report=None,
        rule=PackageRule.F07.code,
        level=PackageRule.F07.level,
        message=f"“{name}”不是报表，已忽略；报表的工作表以报表名称或代码命名。",
        file=sheet.file,
        sheet=sheet.name,
    )


def bare_title(name: str) -> str:
    """The name of a sheet or file without the month and the number that people write beside a title."""
    plain = normal_header(name).casefold()
    return _MONTH_BEHIND.sub("", _MONTH_BEFORE.sub("", _NUMBER_BEFORE.sub("", plain)))


def is_blank(sheet: Sheet) -> bool:
    """Whether nothing is filled in."""
    return all(map(is_empty, sheet.rows))
