"""XML of delivered files, for every reader: no entity is ever declared, so none is ever expanded.

See docs/intake.md#bad-input.

Entities are declared in a document type, which stands before the root element, and no spreadsheet has one. So the
parser itself refuses it at its first word, in any encoding, and wherever the pieces end that it is fed. What another
library reads is looked at here before (`Head`). A hostile part could make a parser hold far more than it measures,
by its depth, by its names, or by a tag without end: these are bounded too.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final
from xml.parsers import expat

from five_precisions.intake.reading.sheet import UnreadableFileError, damaged

_DEEPEST: Final = 256
_MOST_NAMES: Final = 10_000
"""Of elements and attributes; the parser keeps each for good. A namespace has some hundreds."""
_LONGEST_TAG: Final = 1 << 20
"""Bytes; the parser holds a tag whole. A cell holds 32,767 characters."""
_PIECE: Final = 1 << 18
"""Bytes between two looks at the bounds."""
_FIRST_PIECE: Final = 1 << 9
"""Bytes within which most root elements begin."""
_KNOWN_ENCODINGS: Final = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1"})
"""The parser's own, by the names that Python has for them."""
_UTF8: Final = frozenset({"utf-8", "ascii"})
_DECODED_HERE: Final = frozenset({"gb2312", "gbk", "gb18030", "big5"})
"""Those of Chinese systems. No program writes a spreadsheet in any other than these two kinds."""
_ENCODING_ERRORS: Final = frozenset(
    expat.errors.codes[message]
    for message in (expat.errors.XML_ERROR_UNKNOWN_ENCODING, expat.errors.XML_ERROR_INCORRECT_ENCODING)
)


def declares_entities() -> UnreadableFileError:
    """For a part with a document type."""
    return UnreadableFileError(
        "文件中夹带了电子表格用不到的内容（XML 实体声明），请用电子表格软件另存为 xlsx 后重新报送。"
    )


def unknown_encoding() -> UnreadableFileError:
    """For a part whose letters its reader does not know."""
    return UnreadableFileError("文件内部的文字编码不是 UTF-8，请用电子表格软件打开检查，另存为 xlsx 后重新报送。")


class Reading:
    """What a reader does with the elements of a part as they come by; names are `namespace name`."""

    def __init__(self) -> None:
        self.depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - for those who want more than the depth
        """An element begins."""
        self.depth += 1

    def end(self, name: str) -> None:  # noqa: ARG002
        """An element ends."""
        self.depth -= 1

    def characters(self, text: str) -> None:
        """Text, or a piece of it."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An element as it begins, by local names: the variants of a format differ in their namespaces."""

    name: str
    parent: str
    attributes: dict[str, str]


def read_xml(chunks: Iterable[bytes], reading: Reading, *, may_name_type: bool = False) -> None:
    """Parse a part.

    Args:
        chunks: Its bytes.
        reading: Is told what is in it.
        may_name_type: Whether a document type may be named that declares nothing here. It is not loaded, and what it
            would have declared is left out of attributes without a word: only where names of elements are all that
            counts.

    Raises:
        UnreadableFileError: it has a document type, is no XML or beyond the bounds, or its encoding is unknown.
    """
    for _ in _parsed(chunks, reading, may_name_type=may_name_type):
        pass


def read_tags(chunks: Iterable[bytes], *, may_name_type: bool = False) -> Iterator[Tag]:
    """The elements of a part, without ever holding more than some of them. Arguments and errors as of `read_xml`."""
    reading = _Tags()
    for _ in _parsed(chunks, reading, may_name_type=may_name_type):
        yield from reading.found
        reading.found.clear()


class _Tags(Reading):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []
        self._open = [""]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        local = _local(name)
        self.found.append(Tag(local, self._open[-1], {_local(key): value for key, value in attributes.items()}))
        self._open.append(local)

    def end(self, name: str) -> None:
        super().end(name)
        self._open.pop()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class Head(Reading):
    """What stands before the root element of a member of an archive, whatever it is, fed until `is_over`.

    A document type that declares something is refused. One that is only named is let pass: the manifest of OpenOffice 2
    has it. What is no XML has no head.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_over = False
        self.is_utf8 = True
        """Whether nothing says that it is in another encoding."""
        self._feed: _Feed | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """The root element begins, or what follows it in the same piece."""
        super().start(name, attributes)
        self.is_over = True

    def look(self, chunk: bytes) -> None:
        """Look at the next bytes of the member.

        Raises:
            UnreadableFileError: it declares entities.
        """
        if self._feed is None:
            self.is_utf8 = b"\0" not in chunk[:4] and not chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            self._feed = _Feed(self, may_name_type=True)
        try:
            for piece in _growing_pieces(chunk):
                if self.is_over:
                    break
                self._feed.take(piece)
        except _EncodingError:
            self.is_over, self.is_utf8 = True, False
        except _NotXmlError:
            self.is_over = True
        self.is_utf8 = self.is_utf8 and self._feed.encoding in _UTF8


class _NotXmlError(Exception):
    """It is not well-formed, or beyond a bound."""


class _EncodingError(Exception):
    """The encoding that is declared is unknown, or not that of the bytes."""


class _DecodedHereError(_EncodingError):
    """The encoding that is declared is one that the parser itself does not know."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.encoding = encoding


def _parsed(chunks: Iterable[bytes], reading: Reading, *, may_name_type: bool) -> Iterator[None]:
    """Parse piece by piece, with a stop behind each."""
    feed = _Feed(reading, may_name_type=may_name_type)
    try:
        for piece in chain.from_iterable(map(_pieces, chunks)):
            feed.take(piece)
            yield
        feed.take(b"", is_last=True)
        yield
    except _EncodingError as error:
        raise unknown_encoding() from error
    except _NotXmlError as error:
        raise damaged() from error


def _pieces(chunk: bytes) -> Iterator[bytes]:
    return (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))


def _growing_pieces(chunk: bytes) -> Iterator[bytes]:
    """The same beginning with small ones: what follows the root element in its piece is parsed for nothing."""
    at, size = 0, _FIRST_PIECE
    while at < len(chunk):
        yield chunk[at : at + size]
        at, size = at + size, min(2 * size, _PIECE)


class _Feed:
    """A parser that refuses document types, and what it has been fed."""

    def __init__(self, reading: Reading, *, may_name_type: bool) -> None:
        self._reading = reading
        self.encoding = "utf-8"
        """As it is declared."""
        self._may_name_type = may_name_type
        self._parser = self._new_parser()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._bytes = 0

    def take(self, piece: bytes, *, is_last: bool = False) -> None:
        try:
            self._parse(piece, is_last=is_last)
        except _DecodedHereError as found:
            if self._bytes > len(piece):
                # A declaration that goes on for that long is none.
                raise
            self._decoder = codecs.getincrementaldecoder(found.encoding)()
            self._parser, self._bytes = self._new_parser("utf-8"), 0
            self._parse(piece, is_last=is_last)
        is_tag_too_long = self._bytes - self._parser.CurrentByteIndex > _LONGEST_TAG + _PIECE
        if is_tag_too_long or self._reading.depth > _DEEPEST or len(self._parser.intern) > _MOST_NAMES:
            raise _NotXmlError

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            if self._decoder is not None:
                piece = self._decoder.decode(piece, is_last).encode()
            self._bytes += len(piece)
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise (_EncodingError if error.code in _ENCODING_ERRORS else _NotXmlError) from error
        except UnicodeDecodeError as error:
            raise _NotXmlError from error

    def _new_parser(self, encoding: str | None = None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding, namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_type
        parser.EntityDeclHandler = self._refuse_entity
        if encoding is None:
            parser.XmlDeclHandler = self._know_encoding
        parser.StartElementHandler = self._reading.start
        parser.EndElementHandler = self._reading.end
        parser.CharacterDataHandler = self._reading.characters
        return parser

    def _refuse_type(self, _: str, __: str | None, ___: str | None, has_declarations: int) -> None:
        if has_declarations or not self._may_name_type:
            raise declares_entities()

    def _refuse_entity(self, *_: object) -> None:
        raise declares_entities()

    def _know_encoding(self, _: str, declared: str | None, __: int) -> None:
        try:
            self.encoding = codecs.lookup(declared or self.encoding).name
        except LookupError:
            raise _EncodingError from None
        if self.encoding in _DECODED_HERE:
            raise _DecodedHereError(self.encoding)
        if self.encoding not in _KNOWN_ENCODINGS:
            raise _EncodingError
