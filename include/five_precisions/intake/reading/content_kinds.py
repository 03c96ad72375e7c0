"""What a file is by its first bytes, whatever its name says: exports of banks' systems bear names of workbooks.

See docs/intake.md#bad-input.
"""

from __future__ import annotations

import codecs
import re
from enum import Enum
from typing import Final

_LOOKED_AT: Final = 1 << 14
"""Bytes; what a page says of itself before its first table may be long."""
_TAR_MAGIC: Final = (257, b"ustar")
_SPREADSHEETML: Final = b"urn:schemas-microsoft-com:office:spreadsheet"
_WORKBOOK: Final = re.compile(rb"<(?:\w+:)?Workbook[\s>]")
_PAGE: Final = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|style|table|div|center|font|tr)\b", re.IGNORECASE)
_WEB_ARCHIVE: Final = re.compile(rb"^mime-version[ \t]*:", re.IGNORECASE | re.MULTILINE)
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class ContentKind(Enum):
    """What is in a file; the value says it to the institution."""

    COMPOUND = "电子表格"
    ZIP = "zip 文件"
    ARCHIVE = "压缩文件"
    PDF = "PDF 文件"
    SPREADSHEETML = "XML 电子表格"
    WEB_PAGE = "网页（HTML）"
    WEB_ARCHIVE = "网页存档（MHTML）"
    XML = "XML 文件"
    TEXT = "文本"
    UNKNOWN = "无法识别的内容"


_MAGICS: Final = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ContentKind.COMPOUND,
    b"PK\x03\x04": ContentKind.ZIP,
    b"PK\x05\x06": ContentKind.ZIP,
    b"Rar!\x1a\x07": ContentKind.ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": ContentKind.ARCHIVE,
    b"\x1f\x8b": ContentKind.ARCHIVE,
    b"BZh": ContentKind.ARCHIVE,
    b"\xfd7zXZ\0": ContentKind.ARCHIVE,
    b"%PDF-": ContentKind.PDF,
}


def kind_of(content: bytes) -> ContentKind:
    """What the content is; a text is what holds no byte that texts have not."""
    for magic, kind in _MAGICS.items():
        if content.startswith(magic):
            return kind
    at, magic = _TAR_MAGIC
    if content.startswith(magic, at):
        return ContentKind.ARCHIVE
    head = content[:_LOOKED_AT]
    if head.startswith(_UTF16_MARKS):
        head = head[: len(head) // 2 * 2].decode("utf-16", "replace").encode()
    head = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if b"\0" in head:
        return ContentKind.UNKNOWN
    if _WEB_ARCHIVE.search(head):
        return ContentKind.WEB_ARCHIVE
    return _kind_of_markup(head) if head.startswith(b"<") else ContentKind.TEXT


def _kind_of_markup(head: bytes) -> ContentKind:
    if _WORKBOOK.search(head) and _SPREADSHEETML in head:
        return ContentKind.SPREADSHEETML
    return ContentKind.WEB_PAGE if _PAGE.search(head) else ContentKind.XML
