"""The inbox: whose packages lie there, and what is in them (docs/intake.md#the-package)."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from five_precisions.errors import SetupError
from five_precisions.intake.documents import is_document
from five_precisions.intake.findings import printable
from five_precisions.intake.leftovers import is_leftover, is_upload
from five_precisions.intake.package import DeliveredFile, load_files, mask_file_names
from five_precisions.intake.reading.cover import COVER_TITLE, EXPLANATIONS_TITLE
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, Limits
from five_precisions.own_files import kept_while_same
from five_precisions.period import SHANGHAI, Period
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from five_precisions.storage import Store, modified_at, open_folder, reaching, shown_address, store_of

logger = logging.getLogger(__name__)

_VERSION_FOLDER = re.compile(r"v([0-9]+)")
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""A file time further ahead than that was set by hand, when the file was whole; no clock will ever catch it up."""
_LONGEST_UPLOAD: Final = timedelta(hours=1)
_CHUNK: Final = 4 * 1024**2
_MISSING: Final = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file as the inbox lists it."""

    name: str
    path: str
    size: int
    modified_at: datetime
    mark: str = ""
    """What else changes when it is written anew, where the store says so: an ETag, or inode and change time."""

    @property
    def identity(self) -> str:
        """What changes when another file takes its place."""
        return f"{self.size} {self.modified_at.isoformat()} {self.mark}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files that belong together: a package, or one `v<N>` folder of it in a replay."""

    institution_code: str
    files: tuple[InboxFile, ...]
    uploads: tuple[InboxFile, ...] = ()
    """Files under the name of an upload that is not done: never read, but while they change, nothing has settled."""
    in_folders: tuple[InboxFile, ...] = ()
    """Files in folders beside them, which are never read: a package lies on one level."""
    stuck: tuple[InboxFile, ...] = ()
    """Files of an earlier delivery that is on record, which could not be taken out: they are no part of this one."""

    def split(self, identities: Mapping[str, str]) -> tuple[Delivery, Delivery]:
        """The files of these identities, by printable path, which are on record; and the others."""
        known = tuple(file for file in self.files if identities.get(printable(file.path)) == file.identity)
        return replace(self, files=known), replace(self, files=tuple(file for file in self.files if file not in known))

    @property
    def fingerprint(self) -> str:
        """What changes when a file is added, taken away or written again."""
        lines = (f"{file.name} {file.identity}\n" for file in (*self.files, *self.uploads, *self._alone))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def newest_at(self) -> datetime:
        """When a file last changed, in Shanghai."""
        return max(file.modified_at for file in (*self.files, *self._alone)).astimezone(SHANGHAI)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders beside the files in which files lie."""
        return tuple(dict.fromkeys(file.name.partition("/")[0] for file in self.in_folders))

    @property
    def has_reports_in_folders(self) -> bool:
        """Whether more lies in the folders than scans and texts."""
        return any(not is_document(file.name) for file in self.in_folders)

    @property
    def _alone(self) -> tuple[InboxFile, ...]:
        """The files in folders, where there are no others: somebody has delivered them."""
        return () if self.files else self.in_folders

    def has_settled(self, now: datetime, settle: timedelta) -> bool:
        """Whether no file has changed for that time."""
        return self.settles_at(now, settle) <= now

    def settles_at(self, now: datetime, settle: timedelta) -> datetime:
        """When no file will have changed for that time, if none does any more; now or earlier where that has come."""
        changing = (*self.files, *self.uploads, *self._alone)
        return max(
            (each.modified_at + settle for each in changing if now - each.modified_at >= -_CLOCKS_DIFFER), default=now
        )


def digest_of(files: Sequence[DeliveredFile]) -> str:
    """What makes two deliveries the same: SHA-256 over the sorted hashes of their files, and what their names say.

    A name counts where it says what the file is: `grid.csv` is not the same as `position.csv` with its bytes, but
    `月报(1).xlsx` is the same as `月报.xlsx`.
    """
    lines = sorted(f"{file.sha256} {_name_in_digest(file.name)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _name_in_digest(name: str) -> str:
    """What the name of a file says of its contents: its kind, and the report, cover or explanations that it is."""
    path = PurePosixPath(name.casefold())
    return path.name if normal_header(path.stem) in _names_of_contents() else path.suffix


@kept_while_same(lambda: (load_reports(),))
def _names_of_contents() -> frozenset[str]:
    named = {normal_header(report.title).casefold() for report in load_reports().values()}
    return frozenset({*load_reports(), *named, "cover", COVER_TITLE, "explanations", EXPLANATIONS_TITLE})


class Inbox:
    """Where packages lie: `<address>/<period>/<institution>/`, or as `{period}` and `{institution}` in it say.

    Args:
        address: An fsspec address, with or without placeholders in its path.
        options: As for `storage.open_folder`.
        largest: Bytes that are held of a package; of the files beyond, only size and hash are taken, and they are read
            again, one by one, where they lie.

    Raises:
        SetupError: the address or the options mean nothing, or the server refuses them.
        UnreachableError: the server does not answer. Every method raises it too, whenever the connection is lost.
    """

    def __init__(
        self, address: str, options: Mapping[str, Any] | None = None, *, largest: int = DEFAULT_LIMITS.packed_bytes
    ) -> None:
        root = address.partition("{")[0]
        if root != address:
            root = root[: root.rfind("/") + 1]
        if root.endswith("://"):
            raise SetupError("The inbox's address may hold {period} and {institution} in its path only.")
        self._layout = address[len(root) :].strip("/")
        self._place = f"inbox {shown_address(root)}"
        self._largest = largest
        self._files, self._root = open_folder("inbox", root, options)
        self._store = store_of(root)

    @classmethod
    def of(cls, settings: Settings) -> Inbox:
        """The inbox that the settings name.

        Raises:
            SetupError: its address or options mean nothing, the server refuses them, or a folder there is missing
                that nobody but ops can make.
            UnreachableError: the server does not answer.
        """
        limits = Limits.of(settings)
        inbox = cls(settings.inbox_address, settings.storage_options("inbox"), largest=limits.packed_bytes)
        inbox._require_root()
        return inbox

    def deliveries(self, period: Period, institution_code: str, *, replay: bool) -> list[Delivery]:
        """What lies there for the institution, in order: in a replay the loose files, then v1, v2 and so on.

        Nothing is found behind a link: whoever may write into one folder could point it at another's.
        """
        folder = self._folder(period, institution_code)
        entries = self._list(folder)
        if entries and self._leads_elsewhere(folder):
            logger.warning("%s %s: its folder is a link, and links are not followed", period, institution_code)
            return []
        found = [self._with_folders(self._delivery(institution_code, entries), entries, replay=replay)]
        versions = {
            int(match[1]): entry["name"]
            for entry in entries
            if _is_folder(entry) and (match := _VERSION_FOLDER.fullmatch(_name(entry)))
        }
        if replay:
            found += [self._delivery(institution_code, self._list(versions[version])) for version in sorted(versions)]
        elif versions:
            logger.warning("%s %s: version folders are read in a replay only", period, institution_code)
        return [delivery for delivery in found if delivery.files or (delivery.has_reports_in_folders and not replay)]

    def _with_folders(self, delivery: Delivery, entries: Sequence[dict[str, Any]], *, replay: bool) -> Delivery:
        """The delivery with what lies in folders beside it, but in a replay for the versions'."""
        folders = [
            entry
            for entry in entries
            if _is_folder(entry)
            and not is_leftover(_name(entry))
            and not (replay and _VERSION_FOLDER.fullmatch(_name(entry)))
        ]
        found = [
            replace(file, name=f"{_name(folder)}/{file.name}")
            for folder in sorted(folders, key=_name)
            for file in self._delivery(delivery.institution_code, self._list(folder["name"])).files
        ]
        return replace(delivery, in_folders=tuple(found))

    def month_folders(self) -> list[str]:
        """Names of the folders that stand where the months' do; none where they stand below the institutions'."""
        layout = self._layout or "{period}"
        above, placeholder, below = layout.partition("{period}")
        is_a_folder = (not above or above.endswith("/")) and (not below or below.startswith("/"))
        if not placeholder or not is_a_folder or "{institution}" in above:
            return []
        entries = self._list_if_allowed(f"{self._root}/{above}".rstrip("/")) or []
        return sorted(_name(entry) for entry in entries if entry["type"] != "file")

    def unknown_folders(self, period: Period, known_codes: set[str]) -> list[str]:
        """Folders of the period that belong to no institution that is open in it."""
        if "{institution}" in self._layout:
            return []
        parent = self._folder(period, "").rstrip("/")
        entries = self._list_if_allowed(parent) or []
        names = (_name(entry) for entry in entries if entry["type"] != "file")
        return sorted(name for name in names if name not in known_codes)

    def holding(self, places: Iterable[tuple[Period, str]], *, in_folders: bool = False) -> list[tuple[Period, str]]:
        """Those of the periods and institutions in whose folders something lies.

        Each folder above them is listed once, and of theirs only those that are there: on an object store a few
        listings, whatever the history.

        Args:
            places: Periods and institutions.
            in_folders: Whether files count that lie in folders beside the package only.
        """
        folders: dict[str, frozenset[str] | None] = {}

        def is_there(folder: str) -> bool:
            if len(folder) <= len(self._root):
                return True
            parent, _, name = folder.rpartition("/")
            if not is_there(parent):
                return False
            if parent not in folders:
                entries = self._list_if_allowed(parent)
                folders[parent] = (
                    None if entries is None else frozenset(_name(entry) for entry in entries if _is_folder(entry))
                )
            names = folders[parent]
            return names is None or name in names

        def holds(period: Period, code: str) -> bool:
            try:
                found = self.deliveries(period, code, replay=False)
                return any(delivery.files or in_folders for delivery in found)
            except PermissionError:
                # Whoever takes it in says so, and goes on with the others.
                return True

        return [
            (period, code) for period, code in places if is_there(self._folder(period, code)) and holds(period, code)
        ]

    def read(self, delivery: Delivery) -> list[DeliveredFile]:
        """A delivery's files, in the order of their names; of no more than the limit together the bytes are held.

        None at all where a file was taken out, or replaced, while we looked: whoever did that, or the next look, takes
        the delivery in.
        """
        stale = [file for file in delivery.uploads if datetime.now(UTC) - file.modified_at > _LONGEST_UPLOAD]
        if stale:
            logger.warning("%s: %d unfinished uploads are left where they are", delivery.institution_code, len(stale))
        files = [(file.name, partial(self._chunks, file)) for file in delivery.files]
        try:
            return mask_file_names(load_files(files, held=self._largest))
        except _MISSING:
            return []

    def is_unchanged(self, delivery: Delivery) -> bool:
        """Whether the files are still as they were listed."""
        there = self._there(delivery)
        return (set(there.files), there.uploads) == ({*delivery.files, *delivery.stuck}, delivery.uploads)

    def remove(self, delivery: Delivery) -> tuple[InboxFile, ...]:
        """Take the files out, but none that has changed since: that is a delivery of its own.

        Returns:
            Those that could not be taken out and lie there still.
        """
        if not delivery.files:
            return ()
        stuck: list[InboxFile] = []
        for file in set(delivery.files) & set(self._there(delivery).files):
            try:
                with reaching(self._place, self._files):
                    self._files.rm_file(file.path)
            except FileNotFoundError:
                continue
            except OSError as error:
                stuck.append(file)
                logger.warning("cannot take a file of %s out: %s", delivery.institution_code, type(error).__name__)
        return tuple(stuck)

    def _require_root(self) -> None:
        """Refuse a store without the bucket, or a server without the folder: nobody's files would ever be seen."""
        if self._store is Store.LOCAL:
            # Nobody has delivered anything yet.
            return
        root = self._root.partition("/")[0] if self._store is Store.OBJECTS else self._root
        try:
            with reaching(self._place, self._files):
                self._files.invalidate_cache()
                self._files.info(root or "/")
        except _MISSING:
            raise SetupError(f"The {self._place} is not there.") from None
        except PermissionError:
            # Whoever may list each institution's folder need not be allowed to list what is above.
            logger.debug("the inbox itself may not be looked at")

    def _folder(self, period: Period, institution_code: str) -> str:
        layout = self._layout
        for placeholder, value in (("{period}", str(period)), ("{institution}", institution_code)):
            filled = layout.replace(placeholder, value)
            layout = filled if placeholder in layout else f"{layout}/{value}".lstrip("/")
        return f"{self._root}/{layout}"

    def _list(self, folder: str) -> list[dict[str, Any]]:
        try:
            with reaching(self._place, self._files):
                self._files.invalidate_cache()
                entries: list[dict[str, Any]] = self._files.ls(folder or "/", detail=True)
        except _MISSING:
            return []
        # An object store may hold an empty object in the folder's own name.
        return [entry for entry in entries if str(entry["name"]).rstrip("/") != folder.rstrip("/")]

    def _list_if_allowed(self, folder: str) -> list[dict[str, Any]] | None:
        """As `_list`; None where whoever may list each institution's folder may not list what is above."""
        try:
            return self._list(folder)
        except PermissionError:
            return None

    def _leads_elsewhere(self, folder: str) -> bool:
        """Whether the folder, or one above it up to the inbox itself, is a link."""
        if self._store is Store.OBJECTS:
            return False
        parent, wanted = self._root, folder[len(self._root) :].strip("/").split("/")
        for name in wanted:
            entries = {_name(entry): entry for entry in self._list(parent)}
            if name not in entries or not _is_folder(entries[name]):
                return True
            parent = f"{parent}/{name}"
        return False

    def _there(self, delivery: Delivery) -> Delivery:
        folder = delivery.files[0].path.rpartition("/")[0]
        entries = [] if self._leads_elsewhere(folder) else self._list(folder)
        return self._delivery(delivery.institution_code, entries)

    def _delivery(self, institution_code: str, entries: Sequence[dict[str, Any]]) -> Delivery:
        files = [
            InboxFile(_name(entry), str(entry["name"]), int(entry["size"] or 0), self._modified_at(entry), _mark(entry))
            for entry in entries
            if entry["type"] == "file" and not entry.get("islink") and not _is_no_part(_name(entry))
        ]
        files.sort(key=lambda file: file.name)
        uploads = [file for file in files if is_upload(file.name)]
        whole = tuple(file for file in files if file not in uploads)
        return Delivery(institution_code, whole, tuple(uploads))

    def _modified_at(self, entry: dict[str, Any]) -> datetime:
        listed = modified_at(entry)
        if listed is not None:
            return listed
        with reaching(self._place, self._files):
            asked = modified_at({"mtime": self._files.modified(entry["name"])})
        return asked or datetime.now(UTC)

    def _chunks(self, file: InboxFile) -> Iterator[bytes]:
        with reaching(self._place, self._files), self._files.open(file.path, "rb") as opened:
            while chunk := opened.read(_CHUNK):
                yield chunk


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def _is_folder(entry: Mapping[str, Any]) -> bool:
    return entry["type"] == "directory" and not entry.get("islink")


def _mark(entry: Mapping[str, Any]) -> str:
    if entry.get("ETag"):
        return str(entry["ETag"])
    return f"{entry['ino']} {entry.get('created')}" if entry.get("ino") else ""


def _is_no_part(name: str) -> bool:
    """What programs leave behind; a file that is being uploaded will be a part of the package."""
    return is_leftover(name) and not is_upload(name)
