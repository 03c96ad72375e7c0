"""The register's files: institutions.csv, divisions.csv, contacts.csv, obligations.csv.

See docs/own-city.md#register-files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from five_precisions.errors import SetupError, UsageError
from five_precisions.period import Period
from five_precisions.register.checks import Entry, Fault, find_faults
from five_precisions.register.lines import Line, read_lines, shown
from five_precisions.register.model import (
    Contact,
    ContactRole,
    Division,
    DivisionLevel,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
)
from five_precisions.reports import Report, load_reports

_Entry = TypeVar("_Entry", bound=Entry)
_Choice = TypeVar("_Choice", bound=StrEnum)

_COLUMNS: Final[dict[str, Sequence[str]]] = {
    "institutions.csv": (
        "code", "name", "short_name", "kind", "division_code", "local_legal_person", "opened_on", "closed_on",
    ),
    "divisions.csv": ("code", "name", "level", "parent_code"),
    "contacts.csv": ("institution_code", "address", "role"),
    "obligations.csv": ("kind", "report", "nil_allowed"),
}  # fmt: skip
_OPTIONAL_COLUMNS: Final[dict[str, Sequence[str]]] = {
    "contacts.csv": ("fallback_address",),
    "obligations.csv": ("from", "until", "from_month"),
}

_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_DEVICE: Final = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]", re.IGNORECASE)
"""Names that Windows keeps from folders."""
_LONGEST_CODE: Final = {InstitutionKind.BANK: 14, InstitutionKind.COUNTY_OFFICE: 14, InstitutionKind.CENTRE: 20}
"""Characters. Reports name banks and county offices in columns of 14 (docs/reports.md)."""
_DIGITS: Final = {DivisionLevel.CITY: 6, DivisionLevel.COUNTY: 6, DivisionLevel.TOWN: 9}
"""Of a division's code (docs/reports.md)."""
_LONGEST_NAME: Final = 100
_LONGEST_SHORT_NAME: Final = 30
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS: Final = range(1900, 3000)
_FROM_MONTHS: Final = range(1, 100)


class _WrongCellError(ValueError):
    """A cell of a register file does not read; the message is the rest of a sentence."""


def load_register(folder: Path) -> Register:
    """Read and check the register files of a folder.

    Raises:
        SetupError: a file is missing or wrong; the sentence names the file, the line and the remedy.
    """
    lines: dict[int, Line] = {}
    register = Register(
        divisions=_read(folder / "divisions.csv", _division, lines),
        institutions=_read(folder / "institutions.csv", _institution, lines),
        contacts=_read(folder / "contacts.csv", _contact, lines),
        obligations=_read(folder / "obligations.csv", _obligation, lines),
    )
    if (fault := next(find_faults(register), None)) is not None:
        raise SetupError(_sentence(folder, fault, lines))
    return register


def _read(path: Path, entry: Callable[[Line], _Entry], lines: dict[int, Line]) -> tuple[_Entry, ...]:
    """The entries of a file; where each stands goes into `lines`, by its identity, for two may be equal."""
    entries = []
    for line in read_lines(path, _COLUMNS[path.name], _OPTIONAL_COLUMNS.get(path.name, ())):
        try:
            entries.append(entry(line))
        except _WrongCellError as wrong:
            raise SetupError(f"{line.place}: {wrong}") from None
        lines[id(entries[-1])] = line
    return tuple(entries)


def _sentence(folder: Path, fault: Fault, lines: dict[int, Line]) -> str:
    """A fault with its file and line."""
    if fault.entry is None:
        return f"The register in {folder} is wrong: {fault.sentence}"
    sentence = f"{lines[id(fault.entry)].place}: {fault.sentence}"
    return (
        sentence if fault.first is None else f"{sentence.removesuffix('.')}; see line {lines[id(fault.first)].number}."
    )


def _institution(line: Line) -> Institution:
    kind = _choice(line, "kind", InstitutionKind)
    return Institution(
        code=_institution_code(line, kind),
        name=_text(line, "name", _LONGEST_NAME),
        short_name=_text(line, "short_name", _LONGEST_SHORT_NAME),
        kind=kind,
        division_code=_required(line, "division_code"),
        local_legal_person=_flag(line, "local_legal_person"),
        opened_on=_date(line, "opened_on"),
        closed_on=_date(line, "closed_on") if _cell(line, "closed_on") else None,
    )


def _institution_code(line: Line, kind: InstitutionKind) -> str:
    """A code names folders, files and keys of messages, and is compared with what reports say."""
    code = _required(line, "code")
    if _CODE.fullmatch(code) is None:
        raise _WrongCellError(
            f"code is {shown(code)}; it has letters A to Z, digits, - and _ only, and begins with a letter or a digit."
        )
    if _DEVICE.fullmatch(code):
        raise _WrongCellError(f"code is {shown(code)}, a name that Windows keeps from folders; choose another.")
    if len(code) > _LONGEST_CODE[kind]:
        raise _WrongCellError(
            f"code is {shown(code)}, of {len(code)} characters; the code of a {kind} has at most {_LONGEST_CODE[kind]}."
        )
    return code


def _division(line: Line) -> Division:
    level = _choice(line, "level", DivisionLevel)
    code = _required(line, "code")
    if re.fullmatch(rf"[0-9]{{{_DIGITS[level]}}}", code) is None:
        raise _WrongCellError(f"code is {shown(code)}; the code of a {level} has {_DIGITS[level]} digits.")
    return Division(
        code=code,
        name=_text(line, "name", _LONGEST_NAME),
        level=level,
        parent_code=_cell(line, "parent_code") or None,
    )


def _contact(line: Line) -> Contact:
    return Contact(
        institution_code=_required(line, "institution_code"),
        address=_required(line, "address"),
        role=_choice(line, "role", ContactRole),
        fallback_address=_cell(line, "fallback_address") or None,
    )


def _obligation(line: Line) -> Obligation:
    obligation = Obligation(
        kind=_choice(line, "kind", InstitutionKind),
        report=_required(line, "report"),
        nil_allowed=_flag(line, "nil_allowed"),
        from_period=_month(line, "from"),
        until_period=_month(line, "until"),
        from_month=_from_month(line),
    )
    report = load_reports().get(obligation.report)
    return obligation if report is None else _within_life(obligation, report)


def _within_life(obligation: Obligation, report: Report) -> Obligation:
    """The obligation as far as its report is in force.

    Raises:
        _WrongCellError: it is in none of the months.
    """
    if obligation.ends_before_it_begins:
        return obligation
    within = replace(
        obligation,
        from_period=_later(obligation.from_period, report.valid_from),
        until_period=_earlier(obligation.until_period, report.valid_until),
    )
    if within.ends_before_it_begins:
        begin = "" if report.valid_from is None else f" from {report.valid_from}"
        end = "" if report.valid_until is None else f" until {report.valid_until}"
        raise _WrongCellError(f"{report.code} is in force{begin}{end}, in none of the months of this line.")
    return within


def _later(one: Period | None, other: Period | None) -> Period | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _earlier(one: Period | None, other: Period | None) -> Period | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _cell(line: Line, name: str) -> str:
    return line.cells.get(name, "")


def _required(line: Line, name: str) -> str:
    if not _cell(line, name):
        raise _WrongCellError(f"{name} is empty.")
    return _cell(line, name)


def _text(line: Line, name: str, longest: int) -> str:
    text = _required(line, name)
    if len(text) > longest:
        raise _WrongCellError(f"{name} is {shown(text)}, of {len(text)} characters; it has at most {longest}.")
    return text


def _choice(line: Line, name: str, kinds: type[_Choice]) -> _Choice:
    try:
        return kinds(_cell(line, name))
    except ValueError:
        raise _WrongCellError(f"{name} is {shown(_cell(line, name))}; it is one of {', '.join(kinds)}.") from None


def _flag(line: Line, name: str) -> bool:
    if _cell(line, name) not in ("0", "1"):
        raise _WrongCellError(f"{name} is {shown(_cell(line, name))}; it is 0 or 1.")
    return _cell(line, name) == "1"


def _month(line: Line, name: str) -> Period | None:
    text = _cell(line, name)
    try:
        return Period.parse(text) if text else None
    except UsageError:
        raise _WrongCellError(f"{name} is {shown(text)}; it is a month, YYYY-MM, or empty.") from None


def _from_month(line: Line) -> int:
    text = _cell(line, "from_month") or "1"
    if re.fullmatch(r"[0-9]{1,3}", text) is None or int(text) not in _FROM_MONTHS:
        raise _WrongCellError(
            f"from_month is {shown(text)}; it says from which of its months on an institution owes the report, from "
            f"{_FROM_MONTHS[0]} to {_FROM_MONTHS[-1]}. A month of the calendar stands in from."
        )
    return int(text)


def _date(line: Line, name: str) -> date:
    text = _cell(line, name)
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        raise _WrongCellError(f"{name} is {shown(text)}; it is a day, YYYY-MM-DD, from {_YEARS[0]} to {_YEARS[-1]}.")
    return day
