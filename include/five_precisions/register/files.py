"""The register's files: institutions.csv, divisions.csv, contacts.csv, obligations.csv (spec/05, Register files)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from five_precisions.errors import SetupError
from five_precisions.register.model import (
    Contact,
    ContactRole,
    Division,
    DivisionLevel,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
    without_token,
)

_Entry = TypeVar("_Entry")
_Choice = TypeVar("_Choice", bound=StrEnum)


class _WrongCellError(ValueError):
    """A cell of a register file does not read; the message is the rest of a sentence."""


def load_register(folder: Path) -> Register:
    """Read and check the register files of a folder.

    Raises:
        SetupError: a file is missing or wrong; the sentence names the file, the line and the remedy.
    """
    return Register(
        institutions=_read(folder / "institutions.csv", _institution),
        divisions=_read(folder / "divisions.csv", _division),
        contacts=_read(folder / "contacts.csv", _contact),
        obligations=_read(folder / "obligations.csv", _obligation),
    )


def _institution(line: dict[str, str]) -> Institution:
    return Institution(
        code=_required(line, "code"),
        name=_required(line, "name"),
        short_name=_required(line, "short_name"),
        kind=_choice(line, "kind", InstitutionKind),
        division_code=_required(line, "division_code"),
        local_legal_person=_flag(line, "local_legal_person"),
        opened_on=_date(line, "opened_on"),
        closed_on=_date(line, "closed_on") if line["closed_on"] else None,
    )


def _division(line: dict[str, str]) -> Division:
    return Division(
        code=_required(line, "code"),
        name=_required(line, "name"),
        level=_choice(line, "level", DivisionLevel),
        parent_code=line["parent_code"] or None,
    )


def _contact(line: dict[str, str]) -> Contact:
    return Contact(
        institution_code=_required(line, "institution_code"),
        address=_address(line),
        role=_choice(line, "role", ContactRole),
        fallback_address=_fallback(line),
    )


def _address(line: dict[str, str]) -> str:
    address = _required(line, "address")
    if "@" not in address and "://" not in address:
        raise _WrongCellError(f"address is {address!r}; it is an email address or an Apprise URL.")
    return address


def _fallback(line: dict[str, str]) -> str | None:
    address = line["fallback_address"]
    if not address:
        return None
    if "://" in address or "@" not in address:
        raise _WrongCellError(f"fallback_address is {without_token(address)!r}; it is an email address.")
    if "://" not in line["address"]:
        raise _WrongCellError("fallback_address stands beside a mail address; it is for Apprise URLs only.")
    return address


def _obligation(line: dict[str, str]) -> Obligation:
    return Obligation(
        kind=_choice(line, "kind", InstitutionKind),
        report=_required(line, "report"),
        nil_allowed=_flag(line, "nil_allowed"),
    )


_COLUMNS = {
    "institutions.csv": (
        "code", "name", "short_name", "kind", "division_code", "local_legal_person", "opened_on", "closed_on",
    ),
    "divisions.csv": ("code", "name", "level", "parent_code"),
    "contacts.csv": ("institution_code", "address", "role"),
    "obligations.csv": ("kind", "report", "nil_allowed"),
}  # fmt: skip
_OPTIONAL_COLUMNS = {"contacts.csv": ("fallback_address",)}


def _read(path: Path, entry: Callable[[dict[str, str]], _Entry]) -> tuple[_Entry, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetupError(f"The register file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"The register file {path} is not UTF-8; save it as CSV UTF-8.") from None
    return tuple(_entries(path, text, entry))


def _entries(path: Path, text: str, entry: Callable[[dict[str, str]], _Entry]) -> Iterator[_Entry]:
    lines = csv.DictReader(text.splitlines(), restval="")
    columns = _COLUMNS[path.name]
    if missing := [name for name in columns if name not in (lines.fieldnames or ())]:
        raise SetupError(f"The register file {path} lacks the column {', '.join(missing)}.")
    for line in lines:
        cells = {name: line.get(name, "").strip() for name in (*columns, *_OPTIONAL_COLUMNS.get(path.name, ()))}
        if any(cells.values()):
            try:
                yield entry(cells)
            except _WrongCellError as wrong:
                raise SetupError(f"Line {lines.line_num} of {path}: {wrong}") from None


def _required(line: dict[str, str], name: str) -> str:
    if not line[name]:
        raise _WrongCellError(f"{name} is empty.")
    return line[name]


def _choice(line: dict[str, str], name: str, kinds: type[_Choice]) -> _Choice:
    try:
        return kinds(line[name])
    except ValueError:
        raise _WrongCellError(f"{name} is {line[name]!r}; it is one of {', '.join(kinds)}.") from None


def _flag(line: dict[str, str], name: str) -> bool:
    if line[name] not in ("0", "1"):
        raise _WrongCellError(f"{name} is {line[name]!r}; it is 0 or 1.")
    return line[name] == "1"


def _date(line: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(line[name])
    except ValueError:
        raise _WrongCellError(f"{name} is {line[name]!r}; it is a day, YYYY-MM-DD.") from None
