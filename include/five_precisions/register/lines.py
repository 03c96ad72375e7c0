"""The lines of a register file: CSV in UTF-8 under a header (docs/own-city.md#register-files)."""

from __future__ import annotations

import csv
import difflib
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.reference import doubled
from five_precisions.register.addresses import is_service, without_token

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that nobody sees: control and format characters, breaks."""
_LONGEST_SHOWN: Final = 60
"""Characters of a cell in a sentence."""
_LOST: Final = "\ufffd"
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "，": "full-width commas", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line below the header."""

    path: Path
    number: int
    """Where it begins; the file's first line is 1."""
    cells: dict[str, str]
    """By column, without blanks around; empty where there is none."""

    @property
    def place(self) -> str:
        """How a sentence names it."""
        return f"Line {self.number} of {self.path}"


def read_lines(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Line]:
    """Read the lines of a file that say anything.

    Raises:
        SetupError: the file, its header or a line is none that can be read; the sentence names the line.
    """
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise SetupError(f"The register file {path} is empty; its first line names the columns {', '.join(columns)}.")
    names = _columns(path, header, columns, optional)
    return [_line(path, number, names, cells) for number, cells in rows]


def shown(text: str) -> str:
    """A cell as a sentence shows it: in quotes, on one line, cut where it is long, and without the token of a URL."""
    if is_service(text):
        # It stands in the wrong column, and is no less secret there.
        text = without_token(text)
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def near(word: str, known: Sequence[str]) -> str:
    """What a word may have been meant as, as the end of a sentence; empty where nothing is near."""
    found = difflib.get_close_matches(word.casefold(), [each.casefold() for each in known], n=1)
    meant = [each for each in known if found and each.casefold() == found[0]]
    return f"; {meant[0]} is near" if meant else ""


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the number of the line where it begins."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise SetupError(
                f"Line {begin} of {path} does not read as CSV ({error}): a cell that begins with a quote ends with one."
            ) from None
        if row is None:
            return
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield begin, cells


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetupError(f"The register file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"The register file {path} is not UTF-8; save it as CSV UTF-8.") from None


def _columns(
    path: Path, header: tuple[int, list[str]], columns: Sequence[str], optional: Sequence[str]
) -> list[str | None]:
    """The names of the columns; None for one without a name, as spreadsheets leave them at the end."""
    number, names = header
    place = f"Line {number} of {path}"
    if len(names) == 1 and (other := next((sign for sign in _OTHER_SEPARATORS if sign in names[0]), None)):
        raise SetupError(f"{place} parts its cells with {_OTHER_SEPARATORS[other]}; save the file as CSV with commas.")
    _refuse_unseen(place, zip(names, names, strict=True))
    if twice := doubled(filter(None, names)):
        raise SetupError(f"{place} has the column {shown(twice[0])} more than once.")
    unknown = [name for name in names if name and name not in (*columns, *optional)]
    missing = [name for name in columns if name not in names]
    if missing:
        meant = [f"{shown(name)} is near" for name in unknown if near(name, missing)]
        more = f"; {', '.join(meant)}" if meant else ""
        raise SetupError(f"The register file {path} lacks the column {', '.join(missing)}{more}.")
    if unknown:
        raise SetupError(
            f"{place} has the column {shown(unknown[0])}, which is none of this file"
            f"{near(unknown[0], [*columns, *optional])}."
        )
    return [name or None for name in names]


def _line(path: Path, number: int, names: Sequence[str | None], cells: Sequence[str]) -> Line:
    place = f"Line {number} of {path}"
    spare = [cell for name, cell in zip([*names, *[None] * len(cells)], cells, strict=False) if name is None and cell]
    if spare:
        raise SetupError(
            f"{place} has more cells than the header has columns; a comma within a cell wants quotes around the cell."
        )
    by_name = {name: cell for name, cell in zip(names, cells, strict=False) if name is not None}
    _refuse_unseen(place, by_name.items())
    return Line(path, number, by_name)


def _refuse_unseen(place: str, cells: Iterable[tuple[str, str]]) -> None:
    for name, cell in cells:
        for character in cell:
            if character == _LOST:
                raise SetupError(f"{place}: {shown(name)} has lost a character (U+FFFD); save the file as UTF-8 anew.")
            if unicodedata.category(character) in _UNSEEN:
                raise SetupError(
                    f"{place}: {shown(name)} holds U+{ord(character):04X}, which nobody sees; take it out."
                )
