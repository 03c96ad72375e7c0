"""A package that came as one .zip: its files, held in memory and never written anywhere.

See docs/intake.md#the-package.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.documents import is_document
from five_precisions.intake.findings import shown_text
from five_precisions.intake.leftovers import is_leftover
from five_precisions.intake.reading.sheet import Limits, UnreadableFileError
from five_precisions.intake.reading.zip_members import overlap

_MOST_MEMBERS: Final = 500
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_MOST_ENTRIES: Final = 50_000
"""Counted before the directory is read: each takes a kilobyte of memory. Workbooks in the zip have some, too."""
_CHUNK: Final = 1 << 18
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Others let a few bytes ask for gigabytes of memory, and no person's program uses them by itself."""
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
"""Flags: the member, strongly, or the directory."""
_IS_UTF8: Final = 0x0800
_UNIX: Final = 3
_UNICODE_NAME: Final = 0x7075
"""Of Info-ZIP's extra field: a version, the checksum of the name beside it, and the name in UTF-8."""
_EXTRA_HEAD: Final = struct.Struct("<HH")
_UNICODE_HEAD: Final = struct.Struct("<BL")
_FIRST_CHINESE: Final = "\u2e80"
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_ARCHIVES: Final = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
_PARTS_OF_WORKBOOKS: Final = frozenset({"[Content_Types].xml", "xl/workbook.xml", "xl/workbook.bin"})
_PARTS_OF_OPENDOCUMENT: Final = frozenset({"mimetype", "content.xml"})
_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error, NotImplementedError)


def unzip_package(content: bytes, limits: Limits) -> list[tuple[str, bytes]]:
    """The files of a zip, by name and in the order of names; a folder around all of them is none of their names.

    What programs leave behind is left out (`intake.leftovers`). All files together may take what the texts of a package
    may, for they are held in memory.

    Raises:
        UnreadableFileError: it is damaged, locked, empty or too large, a workbook itself, has folders or a zip in it,
            or names that are none (F01).
    """
    if len(content) > limits.packed_bytes:
        raise UnreadableFileError(f"压缩包超过{limits.packed_bytes // 1024**2}MB，请删除无关内容或拆分后报送。")
    if content.count(_DIRECTORY_ENTRY) > _MOST_ENTRIES:
        raise _too_many_members()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            refuse_workbook(archive)
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise _too_many_members()
            if overlap(members):
                raise _damaged()
            named = _flat_names([(path, member) for member in members if (path := _path_of(member)) is not None])
            return _contents(archive, named, limits)
    except UnicodeDecodeError as error:
        raise _unreadable_name() from error
    except RuntimeError as error:
        # So the library says that it wants a password; that something is not supported is a kind of it.
        raise (_damaged() if isinstance(error, NotImplementedError) else _locked()) from error
    except _ERRORS as error:
        raise _damaged() from error


def refuse_workbook(archive: zipfile.ZipFile) -> None:
    """Refuse a zip that is a workbook.

    Raises:
        UnreadableFileError: always then.
    """
    names = frozenset(archive.namelist())
    kind = "xlsx" if names & _PARTS_OF_WORKBOOKS else "ods" if names >= _PARTS_OF_OPENDOCUMENT else None
    if kind:
        raise UnreadableFileError(f"扩展名是 zip，内容却是电子表格，请把扩展名改为 {kind} 后重新报送。")


def _damaged() -> UnreadableFileError:
    return UnreadableFileError("压缩包已损坏或不是 zip 文件，打不开，请重新压缩为 zip 后报送。")


def _locked() -> UnreadableFileError:
    return UnreadableFileError("压缩包设有密码，请取消密码后重新报送。")


def _unreadable_name() -> UnreadableFileError:
    return UnreadableFileError("压缩包里有文件名读不出来（既不是 UTF-8 也不是 GBK），请改名后重新压缩为 zip 报送。")


def _too_many_members() -> UnreadableFileError:
    return UnreadableFileError(f"压缩包里的文件超过{_MOST_MEMBERS}个，请删除无关文件后重新报送。")


def _too_large(limits: Limits) -> UnreadableFileError:
    return UnreadableFileError(f"压缩包解压后超过{limits.text_bytes // 1024**2}MB，请删除无关内容或拆分后重新报送。")


def _path_of(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where the member lies in the zip; None for a folder and for what programs leave behind."""
    name = _name_of(member)
    written = name.replace("\\", "/")
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if ".." in parts or written.startswith("/") or _DRIVE.match(written) or _has_control_characters(name):
        raise UnreadableFileError(
            f"压缩包里的“{shown_text(name)}”不是普通文件名（带有盘符、上级文件夹或看不见的字符），请改名后重新压缩报送。"
        )
    if any(map(is_leftover, parts)) or written.endswith("/") or not parts:
        return None
    if member.flag_bits & _ENCRYPTED:
        raise _locked()
    kind = stat.S_IFMT(member.external_attr >> 16) if member.create_system == _UNIX else 0
    if kind not in (0, stat.S_IFREG):
        raise UnreadableFileError(
            f"压缩包里的“{shown_text(name)}”不是文件，而是指向别处的链接，请换成文件本身后重新压缩报送。"
        )
    return PurePosixPath(*parts)


def _has_control_characters(name: str) -> bool:
    return any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name)


def _name_of(member: zipfile.ZipInfo) -> str:
    """The member's name; where nothing says that it is UTF-8, Chinese Windows has written GBK."""
    name = member.orig_filename
    if not member.flag_bits & _IS_UTF8:
        raw = name.encode("cp437")
        name = _unicode_name(member.extra, raw) or _guessed(raw)
    return unicodedata.normalize("NFC", name)


def _unicode_name(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= _EXTRA_HEAD.size:
        kind, size = _EXTRA_HEAD.unpack_from(extra)
        body, extra = extra[_EXTRA_HEAD.size : _EXTRA_HEAD.size + size], extra[_EXTRA_HEAD.size + size :]
        if kind == _UNICODE_NAME and len(body) > _UNICODE_HEAD.size:
            version, checksum = _UNICODE_HEAD.unpack_from(body)
            # Whoever renamed the file without knowing of this field left the old name in it.
            if version == 1 and checksum == zlib.crc32(raw):
                return body[_UNICODE_HEAD.size :].decode()
    return None


def _guessed(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Two characters of GBK may be Latin or Cyrillic letters of UTF-8.
        if encoding == "gb18030" or raw.isascii() or max(name) >= _FIRST_CHINESE:
            return name
    raise _unreadable_name()


def _flat_names(found: list[tuple[PurePosixPath, zipfile.ZipInfo]]) -> list[tuple[str, zipfile.ZipInfo]]:
    """The members by their names alone, in the order of names."""
    if not found:
        raise UnreadableFileError("压缩包里没有文件，请放入要报送的文件后重新压缩报送。")
    folders = {path.parent for path, _ in found if not is_document(path.name)}
    if len(folders) > 1:
        deepest = max(folders, key=lambda folder: (len(folder.parts), str(folder)))
        raise UnreadableFileError(f"压缩包里有子文件夹“{shown_text(str(deepest))}”，请把文件放在同一层后重新压缩报送。")
    seen: set[str] = set()
    for path, _ in found:
        if path.suffix.casefold() in _ARCHIVES:
            raise UnreadableFileError(f"压缩包里还有压缩包“{shown_text(path.name)}”，请解压后放在同一层重新压缩报送。")
        if path.name.casefold() in seen:
            raise UnreadableFileError(f"压缩包里有两个同名文件“{shown_text(path.name)}”，请只保留一个后重新压缩报送。")
        seen.add(path.name.casefold())
    return sorted(((path.name, member) for path, member in found), key=lambda each: each[0])


def _contents(
    archive: zipfile.ZipFile, named: list[tuple[str, zipfile.ZipInfo]], limits: Limits
) -> list[tuple[str, bytes]]:
    """The files, counted while they are unpacked: what the directory says of their sizes may be untrue."""
    files: list[tuple[str, bytes]] = []
    unpacked = 0
    for name, member in named:
        if member.compress_type not in _METHODS:
            raise UnreadableFileError(
                f"压缩包里的“{shown_text(name)}”用了不能读取的压缩方式，请用默认方式重新压缩为 zip 报送。"
            )
        pieces: list[bytes] = []
        with archive.open(member) as stream:
            while piece := stream.read(_CHUNK):
                unpacked += len(piece)
                if unpacked > limits.text_bytes:
                    raise _too_large(limits)
                pieces.append(piece)
        files.append((name, b"".join(pieces)))
    return files
