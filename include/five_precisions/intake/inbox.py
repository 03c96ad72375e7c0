"""The inbox: whose packages lie there, and what is in them (spec/03, The package)."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import fsspec  # type: ignore[import-untyped]

from five_precisions.errors import UnreachableError
from five_precisions.intake.judging import DeliveredFile
from five_precisions.period import SHANGHAI, Period

logger = logging.getLogger(__name__)

_VERSION_FOLDER = re.compile(r"v([0-9]+)")
_LEFTOVERS: Final = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file as the inbox lists it."""

    name: str
    path: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files that belong together: a package, or one `v<N>` folder of it in a replay."""

    institution_code: str
    files: tuple[InboxFile, ...]

    @property
    def fingerprint(self) -> str:
        """What changes when a file is added, taken away or written again; tells whether somebody has been here."""
        lines = (f"{file.name} {file.size} {file.modified_at.isoformat()}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def newest_at(self) -> datetime:
        """When a file last changed, in Shanghai."""
        return max(file.modified_at for file in self.files).astimezone(SHANGHAI)


def digest_of(files: Sequence[DeliveredFile]) -> str:
    """What makes two deliveries the same: SHA-256 over the sorted names and hashes of their files."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in files)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


class Inbox:
    """Where packages lie: `<address>/<period>/<institution>/`, or as `{period}` and `{institution}` in it say."""

    def __init__(self, address: str) -> None:
        self._address = address
        root = address.partition("{")[0]
        try:
            self._files, path = fsspec.url_to_fs(root)
            self._files.ls(path)
        except FileNotFoundError:
            # Nobody has delivered anything yet.
            pass
        except Exception as error:
            # Each kind of inbox has errors of its own.
            where = _without_password(root)
            raise UnreachableError(f"The inbox {where} cannot be read: {type(error).__name__}.") from error

    def deliveries(self, period: Period, institution_code: str, *, replay: bool) -> list[Delivery]:
        """What lies there for the institution, in order: in a replay the loose files, then v1, v2 and so on."""
        folder = self._folder(period, institution_code)
        entries = self._list(folder)
        found = [self._delivery(institution_code, entries)]
        versions = {
            int(match[1]): entry["name"]
            for entry in entries
            if entry["type"] == "directory" and (match := _VERSION_FOLDER.fullmatch(_name(entry)))
        }
        if replay:
            found += [self._delivery(institution_code, self._list(versions[version])) for version in sorted(versions)]
        elif versions:
            logger.warning("%s %s: version folders are read in a replay only", period, institution_code)
        return [delivery for delivery in found if delivery.files]

    def unknown_folders(self, period: Period, known_codes: set[str]) -> list[str]:
        """Folders of the period that belong to no institution that is open in it."""
        if "{institution}" in self._address:
            return []
        parent = self._folder(period, "").rstrip("/")
        return sorted(
            _name(entry)
            for entry in self._list(parent)
            if entry["type"] == "directory" and _name(entry) not in known_codes
        )

    def read(self, delivery: Delivery) -> list[DeliveredFile]:
        """The bytes of a delivery's files, in the order of their names."""
        try:
            return [DeliveredFile(file.name, self._files.cat_file(file.path)) for file in delivery.files]
        except FileNotFoundError:
            # Taken out, or replaced, while we looked: whoever did that, or the next look, takes it in.
            return []

    def is_unchanged(self, delivery: Delivery) -> bool:
        """Whether the files are still as they were listed."""
        folder = delivery.files[0].path.rpartition("/")[0]
        return self._delivery(delivery.institution_code, self._list(folder)).files == delivery.files

    def remove(self, delivery: Delivery) -> None:
        """Take the files out, but none that has changed since: that is a delivery of its own."""
        folder = delivery.files[0].path.rpartition("/")[0]
        there = set(self._delivery(delivery.institution_code, self._list(folder)).files)
        for file in delivery.files:
            if file in there:
                try:
                    self._files.rm_file(file.path)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    logger.warning("cannot take a file of %s out: %s", delivery.institution_code, type(error).__name__)

    def _folder(self, period: Period, institution_code: str) -> str:
        address = self._address.replace("{period}", str(period))
        if "{period}" not in self._address:
            address = f"{address.rstrip('/')}/{period}"
        if "{institution}" in address:
            address = address.replace("{institution}", institution_code)
        else:
            address = f"{address.rstrip('/')}/{institution_code}"
        return str(fsspec.url_to_fs(address)[1])

    def _list(self, folder: str) -> list[dict[str, Any]]:
        try:
            self._files.invalidate_cache()
            entries: list[dict[str, Any]] = self._files.ls(folder, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return entries

    def _delivery(self, institution_code: str, entries: Sequence[dict[str, Any]]) -> Delivery:
        files = [
            InboxFile(_name(entry), entry["name"], int(entry["size"] or 0), self._modified_at(entry))
            for entry in entries
            if entry["type"] == "file" and not entry.get("islink") and not _is_leftover(_name(entry))
        ]
        return Delivery(institution_code, tuple(sorted(files, key=lambda file: file.name)))

    def _modified_at(self, entry: dict[str, Any]) -> datetime:
        modified = next(
            (entry[name] for name in ("mtime", "LastModified", "last_modified", "created") if entry.get(name)), None
        )
        if modified is None:
            modified = self._files.modified(entry["name"])
        if isinstance(modified, int | float):
            return datetime.fromtimestamp(modified, UTC)
        when = modified if isinstance(modified, datetime) else datetime.fromisoformat(str(modified))
        return when if when.tzinfo else when.replace(tzinfo=UTC)


def _name(entry: dict[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def _without_password(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//", address)


def _is_leftover(name: str) -> bool:
    """What spreadsheet programs and file managers leave behind; no part of a package."""
    return name.startswith((".", "~$")) or name.casefold() in _LEFTOVERS
