"""A walk over all that an installation keeps, in search of delivered values in clear.

See docs/reports.md#sensitive-columns.

What is sought comes from the delivered packages themselves, read with the reader of the intake. Where it is sought: all
tables of the given databases; all files below a folder, whatever they hold, workbooks, mails, PDFs and archives opened.

A value may also have been delivered in a column that is not sensitive: an enterprise's code, its name, a hotline, a
staff name. It may stand in clear, so finding it proves nothing: it is not sought. How many those are is counted.
"""

from __future__ import annotations

import email
import email.policy
import functools
import hashlib
import html
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
import pypdf
from psycopg import sql
from sqlalchemy import URL

from five_precisions.intake.reading.cover import find_report
from five_precisions.intake.reading.files import Sheet, read_file
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.layout import TableForm, lay_out
from five_precisions.intake.reading.marks import load_marks
from five_precisions.intake.reading.typed import read_rows
from five_precisions.reports import load_reports
from five_precisions.reports.cells import cell_text
from five_precisions.reports.declaration import Sensitivity
from five_precisions.settings import Settings

SHORTEST_NUMBER = 7
"""A number with fewer digits would be found by chance in any list of amounts."""
PHONE_HEADER = "联系电话"
SUBMITTER_HEADER = "报送人"
_SEPARATED = re.compile(r"[0-9](?:[ \-.\u00a0]?[0-9]){6,}[ \-.]?[Xx]?")
_CODE = re.compile(r"[0-9A-Z]{18,}+")
_CODE_LENGTH = 18
_LONGEST_WORD = 40
"""Longer runs of letters and digits are hashes and ciphertext."""
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]{2,}")
_TAG = re.compile(r"<[^<>]*>")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_NOTHING = dict.fromkeys(map(ord, " -.\u00a0"))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


@dataclass
class Sought:
    """What must not be found in clear."""

    numbers: set[str] = field(default_factory=set)
    """IDs, credit codes, accounts, phones: digits and letters only, in capitals."""
    names: set[str] = field(default_factory=set)
    """Borrowers and heads of household, in full."""
    public: set[str] = field(default_factory=set)
    """Everything delivered in other columns."""

    def without_public(self) -> Sought:
        """Only what was delivered nowhere else: no word of a register, no staff name, no hotline."""
        return Sought(self.numbers - {plain(each) for each in self.public}, self.names - self.public, self.public)


@dataclass(frozen=True)
class Leak:
    """A value found in clear; shown are its ends and its length, for logs of tests are kept too."""

    place: str
    shown: str


@dataclass
class Walk:
    """What was looked at, and what was found."""

    looked_at: Counter[str] = field(default_factory=Counter)
    """By kind: table, row, file, text, mail, workbook, page, pdf, attachment, log, unreadable."""
    leaks: list[Leak] = field(default_factory=list)


def plain(value: str) -> str:
    """A number without what people put between its digits."""
    return re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", value).upper())


def sought_in(inbox: Path) -> Sought:
    """The sensitive values of all packages of an inbox, however many folders deep, and those that may be seen."""
    sought = Sought()
    headers = {normal_header(column.header) for report in load_reports().values() for column in report.columns}
    for path in sorted(inbox.rglob("*")):
        if not path.is_file():
            continue
        for sheet in read_file(path.name, path.read_bytes(), known_headers=headers | {PHONE_HEADER}):
            report = find_report(normal_header(sheet.name or path.stem), load_reports())
            if report is None:
                _note_cover(sheet, sought)
                continue
            rows = read_rows(report, sheet, lay_out(sheet, TableForm.of(report), load_marks(Settings(_env_file=None))))
            for column in report.columns:
                texts = {str(value) for value in rows.columns[column.name] if value is not None}
                if column.sensitive is None:
                    sought.public |= texts
                elif column.sensitive is Sensitivity.NAME:
                    sought.names |= texts
                else:
                    sought.numbers |= {plain(each) for each in texts}
    return sought


def _note_cover(sheet: Sheet, sought: Sought) -> None:
    """The cover's 联系电话 is sensitive, its 报送人 is not."""
    places: dict[str, int] = {}
    for row in sheet.rows:
        cells = [cell_text(cell) for cell in row]
        found = {header: cells[place] for header, place in places.items() if place < len(cells) and cells[place]}
        sought.numbers |= {plain(each) for header, each in found.items() if header == PHONE_HEADER}
        sought.public |= {each for header, each in found.items() if header == SUBMITTER_HEADER}
        places |= {header: cells.index(header) for header in (PHONE_HEADER, SUBMITTER_HEADER) if header in cells}


@functools.cache
def _pdf_text(content: bytes) -> str:
    # The same bulletin lies in each recipient's mail, in the outbox and in the warehouse.
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


class Walker:
    """Looks for the values in texts of every kind."""

    def __init__(self, sought: Sought) -> None:
        self.walk = Walk()
        self._numbers = {number for number in sought.numbers if len(number) >= SHORTEST_NUMBER}
        digits = {number for number in self._numbers if re.fullmatch(r"[0-9]+X?", number)}
        self._lengths = sorted({len(number) for number in digits})
        self._shortest = min(self._lengths, default=0)
        self._codes = self._numbers - digits
        self._names = sought.names
        self._opened: set[bytes] = set()
        """Digests of workbooks and archives: the same one lies in a folder, in the warehouse and in each mail."""

    def database(self, url: URL) -> None:
        """Every row of every table of every schema."""
        parts = {
            "host": url.query.get("host", url.host),
            "port": url.port,
            "user": url.username,
            "password": url.password,
        }
        with psycopg.connect(dbname=url.database, **{k: v for k, v in parts.items() if v}) as connection:  # type: ignore[arg-type]
            tables = connection.execute(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "
                "and table_schema not in ('pg_catalog', 'information_schema') order by 1, 2"
            ).fetchall()
            for schema, table in tables:
                self._table(connection, f"{url.database}:{schema}.{table}", sql.Identifier(schema, table))

    def _table(self, connection: psycopg.Connection[Any], place: str, table: sql.Identifier) -> None:
        self.walk.looked_at["table"] += 1
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("select * from {}").format(table))
            columns = [column.name for column in cursor.description or ()]
            while rows := cursor.fetchmany(2000):
                self.walk.looked_at["row"] += len(rows)
                for name, values in zip(columns, zip(*rows, strict=True), strict=True):
                    texts = []
                    for value in values:
                        if isinstance(value, bytes | memoryview):
                            self.content(f"{place}.{name}", bytes(value))
                        elif value is not None and not isinstance(value, bool):
                            texts.append(value if isinstance(value, str) else repr(value))
                    self.text(f"{place}.{name}", "\n".join(texts))

    def folder(self, folder: Path, *skip: Path) -> None:
        """Every file below the folder, but for what is skipped and a server's own data (its log is looked at)."""
        for path in sorted(folder.iterdir()):
            if path in skip or path.is_socket():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                continue
            if path.is_dir() and (path / "PG_VERSION").exists():
                for log in path.glob("*log*"):
                    if log.is_file():
                        self._file(log)
            elif path.is_dir():
                self.folder(path, *skip)
            else:
                self._file(path)

    def _file(self, path: Path) -> None:
        self.walk.looked_at["file"] += 1
        self.text(f"name of {path}", path.name)
        self.content(str(path), path.read_bytes())

    def content(self, place: str, content: bytes) -> None:
        """Whatever some bytes are: opened as far as they can be."""
        suffix = PurePosixPath(place).suffix.lower()
        if content.startswith(b"PK\x03\x04"):
            self.walk.looked_at["workbook" if b"xl/" in content or b"content.xml" in content else "archive"] += 1
            digest = hashlib.sha256(content).digest()
            if digest in self._opened:
                return
            self._opened.add(digest)
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in packed.namelist():
                    self.content(f"{place}!{name}", packed.read(name))
        elif content.startswith(b"%PDF"):
            self.walk.looked_at["pdf"] += 1
            self.text(place, _pdf_text(content))
        elif suffix == ".eml":
            self._mail(place, content)
        else:
            kind = {".html": "page", ".log": "log", ".xml": "part"}.get(suffix, "text")
            self.walk.looked_at[kind] += 1
            try:
                text = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                # Some other encoding, or none: digits read the same in all of them.
                text = content.decode("gb18030", errors="replace") + content.decode("utf-16-le", errors="replace")
            self.text(place, text)

    def _mail(self, place: str, content: bytes) -> None:
        self.walk.looked_at["mail"] += 1
        mail = email.message_from_bytes(content, policy=email.policy.default)
        for part in mail.walk():
            self.text(f"{place} (headers)", "\n".join(f"{name}: {value}" for name, value in part.items()))
            if part.is_multipart():
                continue
            name = part.get_filename()
            if name:
                self.walk.looked_at["attachment"] += 1
            payload = part.get_payload(decode=True)
            if part.get_content_maintype() == "text":
                self.text(place, part.get_content())
            elif isinstance(payload, bytes):
                self.content(f"{place}!{name or part.get_content_type()}", payload)

    def text(self, place: str, text: str) -> None:
        """A text as written, and as a browser, a spreadsheet or a JSON reader shows it."""
        text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "\\u" in text else text
        text = text.translate(_FULL_WIDTH) if not text.isascii() else text
        self._seek(place, text)
        if "<" in text or "&" in text:
            self._seek(place, html.unescape(_TAG.sub("\n", text)))
            # A value may be split by markup, as formatted text of a cell is.
            self._seek(place, html.unescape(_TAG.sub("", text)), with_names=False)

    def _seek(self, place: str, text: str, *, with_names: bool = True) -> None:
        for run in _SEPARATED.finditer(text):
            number = run[0].translate(_NOTHING).upper()
            if len(number) < self._shortest:
                continue
            for length in self._lengths:
                for begin in range(len(number) - length + 1):
                    if number[begin : begin + length] in self._numbers:
                        self._found(place, number[begin : begin + length])
        if self._codes:
            for word in _CODE.findall(text.upper()):
                if len(word) <= _LONGEST_WORD:
                    for begin in range(len(word) - _CODE_LENGTH + 1):
                        if word[begin : begin + _CODE_LENGTH] in self._codes:
                            self._found(place, word[begin : begin + _CODE_LENGTH])
        if with_names and self._names and not text.isascii():
            for run in _HAN.finditer(text):
                if run[0] in self._names:
                    self._found(place, run[0])

    def _found(self, place: str, value: str) -> None:
        shown = f"{value[:2]}…{value[-2:]} ({len(value)})" if len(value) >= SHORTEST_NUMBER else f"{value[0]}… (name)"
        leak = Leak(place[-200:], shown)
        if leak not in self.walk.leaks:
            self.walk.leaks.append(leak)


def walk_installation(sought: Sought, databases: Sequence[URL], folder: Path, *skip: Path) -> Walk:
    """Look everywhere."""
    walker = Walker(sought)
    for url in databases:
        walker.database(url)
    walker.folder(folder, *skip)
    return walker.walk
