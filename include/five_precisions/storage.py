"""Folders by fsspec address, local or remote: opening them, what goes wrong there, writing a file whole.

See docs/intake.md.

One connection to a store is shared by all of a process, since an inbox is looked at every few seconds for each
institution. It is taken up again when it is lost. Host keys of SFTP servers are always verified.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import fsspec  # type: ignore[import-untyped]
from fsspec.asyn import sync  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from five_precisions.errors import FivePrecisionsError, SetupError, UnreachableError

logger = logging.getLogger(__name__)

_ASIDE = re.compile(r"\.?.+\.[0-9a-f]{32}\.part")
_LEFT_BEHIND_AFTER: Final = timedelta(days=1)
"""No write takes as long: a draft older than this was left behind by a process that was ended."""
_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")
_KNOWN_HOSTS: Final = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
_SSH_DEFAULTS: Final = {
    "connect_timeout": 20,
    "login_timeout": 20,
    # A peer that vanished without a word is noticed after a minute, in the middle of a read as well.
    "keepalive_interval": 15,
    "keepalive_count_max": 4,
}
# Officers' file names come in GBK as well: such a name must not hide the rest of a listing.
_SFTP_CLIENT: Final = {"path_encoding": "utf-8", "path_errors": "surrogateescape"}
_LOST: Final = frozenset(
    {
        errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH,
        errno.ENETDOWN, errno.ENOTCONN, errno.EBUSY,
    }
)  # fmt: skip
_NOT_FOR_FOLDERS: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What some file systems answer who are asked to sync a folder; there is no more to be had of them."""


class Store(StrEnum):
    """What kind of store an address names: they differ in what a folder and a link are."""

    LOCAL = "local"
    SFTP = "sftp"
    OBJECTS = "objects"


_opened: dict[tuple[int, str, str], Any] = {}
_opening = threading.Lock()


def open_folder(name: str, address: str, options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """The file system of an address, and the folder's path in it.

    Args:
        name: What the folder is, for the sentence: `outbox`.
        address: An fsspec address.
        options: fsspec's storage options. For SFTP those of `asyncssh.connect`: `username`, `password`, `client_keys`,
            `passphrase`, `port`. Beside them `private_key`, the text of a key instead of its file. The server's
            public keys come by `host_key`, one a line, as in its `ssh_host_ed25519_key.pub`; or by `known_hosts`, a
            file. With neither, the user's and the machine's hold.

    Raises:
        SetupError: the address or the options mean nothing, or the server refuses the account or is not the one known.
        UnreachableError: the server does not answer.
    """
    given = dict(options or {})
    key = (os.getpid(), address, json.dumps(given, sort_keys=True, default=str))
    with _opening:
        files = _opened.get(key)
        if files is not None and _is_closed(files):
            files = _opened.pop(key, None) and None
        if files is None:
            files = _opened[key] = _connect(name, address, given)
    try:
        root = str(type(files)._strip_protocol(address))  # noqa: SLF001 - fsspec has no public name for it
    except (ValueError, TypeError) as error:
        raise SetupError(f"The {name}'s address cannot be used: {type(error).__name__}.") from None
    return files, root.rstrip("/")


def store_of(address: str) -> Store:
    """The kind of store that an address names."""
    match = _PROTOCOL.match(address)
    protocol = match[1] if match else "file"
    return {"file": Store.LOCAL, "local": Store.LOCAL, "sftp": Store.SFTP, "ssh": Store.SFTP}.get(
        protocol, Store.OBJECTS
    )


def shown_address(address: str) -> str:
    """An address without the password that may stand in it."""
    return re.sub(r"//[^/]*@", "//", address)


@contextmanager
def reaching(place: str, files: Any = None) -> Iterator[None]:
    """Say in one sentence what a store of any kind has against us, and use no lost connection again.

    What concerns a single file (it is not there, it may not be read) is raised as the OSError that it is.

    Args:
        place: What is reached for, for the sentence: `inbox sftp://host/home`.
        files: Its file system.

    Raises:
        SetupError: the account, the key or the host key is refused: a person must act.
        UnreachableError: it does not answer, or the connection was lost.
    """
    try:
        yield
    except Exception as error:
        explained = _explain(place, error, files)
        if isinstance(explained, UnreachableError) and files is not None:
            _forget(files)
        if explained is None:
            raise
        raise explained from error


def modified_at(entry: Mapping[str, Any]) -> datetime | None:
    """When a listed file last changed, by the clock of the store; None where the store does not say."""
    names = ("mtime", "LastModified", "last_modified", "created")
    modified = next((entry[name] for name in names if entry.get(name) is not None), None)
    if modified is None:
        return None
    if isinstance(modified, int | float):
        return datetime.fromtimestamp(modified, UTC)
    when = modified if isinstance(modified, datetime) else datetime.fromisoformat(str(modified))
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def write_whole(
    files: Any,
    path: str,
    content: bytes | Iterable[bytes],
    *,
    on_disk: bool = False,
    prove: Callable[[str], None] | None = None,
) -> None:
    """Write a file of an fsspec file system aside and move it to its place: readers find all of it, or nothing.

    Aside means under a hidden name in the same folder. What earlier writers that were ended left there is cleared.

    Args:
        files: The file system.
        path: The file's place in it.
        content: All of it, or piece by piece.
        on_disk: Whether it must outlive a power cut: see `sync_file`.
        prove: Called with the path of what was written, before it takes its place; where it raises, what is there
            stays as it is.

    Raises:
        OSError: it cannot be written there.
    """
    folder, _, name = path.rpartition("/")
    _make_folder(files, folder, on_disk=on_disk)
    _clear_left_behind(files, folder)
    aside = f"{folder}/.{name}.{uuid4().hex}.part"
    try:
        if isinstance(content, bytes) and not on_disk:
            files.pipe_file(aside, content)
        else:
            with files.open(aside, "wb") as file:
                for chunk in [content] if isinstance(content, bytes) else content:
                    file.write(chunk)
                if on_disk:
                    _sync_written(files, file)
        if prove is not None:
            prove(aside)
        _move(files, aside, path, on_disk=on_disk)
        if on_disk and isinstance(files, LocalFileSystem):
            _sync_folder(folder)
    except Exception:
        with suppress(Exception):
            files.rm_file(aside)
        raise


def sync_file(files: Any, path: str, root: str) -> None:
    """Make sure that a file which is there outlives a power cut, whoever wrote it: it and its folders up to the root.

    By SFTP the file alone, and only where the server offers it (`fsync@openssh.com`): a folder cannot be asked for. An
    object store has stored what it says it has.

    Raises:
        OSError: it is not there, or the disk fails.
    """
    if _is_sftp(files):
        with files.open(path, "rb") as file:
            _sync_written(files, file)
    elif isinstance(files, LocalFileSystem):
        with Path(path).open("rb") as file:
            os.fsync(file.fileno())
        for folder in Path(path).parents:
            _sync_folder(folder)
            if folder == Path(root):
                break


def is_aside(name: str) -> bool:
    """Whether a file of that name is one on its way to its place, or left behind there."""
    return _ASIDE.fullmatch(name) is not None


def write_into(
    name: str, address: str, contents: dict[str, bytes], options: Mapping[str, Any] | None = None
) -> list[str]:
    """Write files into a folder, each whole or not at all; their addresses.

    Args:
        name: What the folder is, for the sentence: `outbox`.
        address: An fsspec address.
        contents: By path below the folder.
        options: As for `open_folder`.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: the folder cannot be written to.
    """
    files, root = open_folder(name, address, options)
    paths = {f"{root}/{path}": content for path, content in contents.items()}
    try:
        with reaching(f"{name} {shown_address(address)}", files):
            for path, content in paths.items():
                write_whole(files, path, content)
    except OSError as error:
        raise UnreachableError(f"The {name} cannot be written to: {error.strerror or type(error).__name__}.") from error
    return list(paths)


def list_files(name: str, address: str, folder: str, options: Mapping[str, Any] | None = None) -> dict[str, int]:
    """The files that lie straight in a folder below the address, with their bytes; none where it is not there.

    Args:
        name: What the address is, for the sentence: `outbox`.
        address: An fsspec address.
        folder: Below it.
        options: As for `open_folder`.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: it cannot be looked into.
    """
    files, root = open_folder(name, address, options)
    try:
        with reaching(f"{name} {shown_address(address)}", files):
            # The connection outlives the call, and a store of objects remembers what it once listed.
            files.invalidate_cache()
            entries = files.ls(f"{root}/{folder}", detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UnreachableError(f"The {name} cannot be read: {error.strerror or type(error).__name__}.") from error
    sizes = {str(entry["name"]).rpartition("/")[2]: int(entry["size"] or 0) for entry in _regular(entries)}
    return {found: size for found, size in sorted(sizes.items()) if found and not is_aside(found)}


def read_file(name: str, address: str, path: str, options: Mapping[str, Any] | None = None) -> bytes | None:
    """The content of a file below the address; None where it is not there.

    Args:
        name: What the address is, for the sentence: `outbox`.
        address: An fsspec address.
        path: Below it.
        options: As for `open_folder`.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: it cannot be read.
    """
    files, root = open_folder(name, address, options)
    try:
        with reaching(f"{name} {shown_address(address)}", files):
            return bytes(files.cat_file(f"{root}/{path}"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UnreachableError(f"The {name} cannot be read: {error.strerror or type(error).__name__}.") from error


def _regular(entries: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    # A link may lead out of the folder.
    return (entry for entry in entries if entry["type"] == "file" and not entry.get("islink"))


def _connect(name: str, address: str, options: dict[str, Any]) -> Any:
    place = f"{name} {shown_address(address)}"
    try:
        with reaching(place):
            if store_of(address) is Store.SFTP:
                options = _ssh_options(name, options)
                from sshfs import SSHFileSystem

                for protocol in ("sftp", "ssh"):
                    fsspec.register_implementation(protocol, SSHFileSystem, clobber=True)
            # Ours is the only cache: fsspec's would give out a lost connection for ever.
            return fsspec.url_to_fs(address, skip_instance_cache=True, **options)[0]
    except PermissionError as error:
        raise SetupError(f"The {place} refuses the account, its password or its key.") from error
    except (ValueError, TypeError, ImportError, OSError) as error:
        # Their messages may quote an option, and an option may be a password.
        raise SetupError(f"The {name}'s address or options cannot be used: {type(error).__name__}.") from None


def _ssh_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    import asyncssh

    ours = {**_SSH_DEFAULTS, "sftp_client_kwargs": _SFTP_CLIENT, **options}
    private_key = ours.pop("private_key", None)
    if private_key is not None:
        ours["client_keys"] = [asyncssh.import_private_key(private_key, ours.get("passphrase"))]
    host_key, known_hosts = ours.pop("host_key", None), ours.pop("known_hosts", None)
    if host_key is not None:
        lines = [line.strip() for line in str(host_key).splitlines() if line.strip()]
        # Read here already: the error of a key that does not parse says so.
        keys = [asyncssh.import_public_key(line) for line in lines]
        ours["known_hosts"] = "".join(f"* {key.export_public_key().decode()}" for key in keys).encode()
    elif known_hosts is not None:
        if not Path(str(known_hosts)).expanduser().is_file():
            raise SetupError(f"The {name}'s file of known hosts, {known_hosts}, is not there.")
        ours["known_hosts"] = Path(str(known_hosts)).expanduser().read_bytes()
    else:
        there = [path.expanduser() for path in _KNOWN_HOSTS if path.expanduser().is_file()]
        ours["known_hosts"] = b"\n".join(path.read_bytes() for path in there)
    return ours


def _explain(place: str, error: Exception, files: Any) -> Exception | None:
    """What to raise instead; None where the error speaks for itself."""
    kind, package = type(error).__name__, type(error).__module__.partition(".")[0]
    lost = UnreachableError(f"The {place} does not answer: {kind}.")
    if isinstance(error, FivePrecisionsError):
        return None
    if package == "asyncssh":
        return _explain_ssh(place, error, lost)
    if package in ("aiobotocore", "aiohttp", "botocore"):
        wants_credentials = "Credential" in kind or "Token" in kind
        return SetupError(f"The {place} is given no usable credentials: {kind}.") if wants_credentials else lost
    if isinstance(error, ConnectionError | TimeoutError | EOFError):
        return lost
    # gaierror and its like bring errno of their own; so does s3fs for a server in trouble.
    if isinstance(error, OSError) and (error.errno in _LOST or package == "socket"):
        return lost
    return lost if files is not None and _is_closed(files) else None


def _explain_ssh(place: str, error: Exception, lost: UnreachableError) -> Exception | None:
    import asyncssh

    match error:
        case asyncssh.HostKeyNotVerifiable() | asyncssh.KeyExchangeFailed():
            return SetupError(
                f"The {place} shows a host key that is not the known one; compare it with the server's own before "
                "changing anything."
            )
        case asyncssh.PermissionDenied():
            return SetupError(f"The {place} refuses the account, its password or its key.")
        case asyncssh.SFTPNoConnection() | asyncssh.SFTPConnectionLost():
            return lost
        case asyncssh.SFTPPermissionDenied():
            return PermissionError(errno.EACCES, "Permission denied")
        case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath() | asyncssh.SFTPNotADirectory():
            return FileNotFoundError(errno.ENOENT, "No such file or directory")
        case asyncssh.SFTPError():
            return OSError(type(error).__name__)
        case asyncssh.Error():
            return lost
        case _:
            # A private or public key that does not parse.
            return SetupError(f"The {place} cannot be reached with that key: {type(error).__name__}.")


def _is_closed(files: Any) -> bool:
    client = getattr(files, "client", None)
    return client is not None and bool(client.is_closed())


def _forget(files: Any) -> None:
    """Take up no lost connection again, and let go of it."""
    with _opening:
        for key in [key for key, other in _opened.items() if other is files]:
            del _opened[key]
    client = getattr(files, "client", None)
    if client is not None:
        files.loop.call_soon_threadsafe(client.abort)


def _is_sftp(files: Any) -> bool:
    return type(files).__module__.partition(".")[0] == "sshfs"


def _make_folder(files: Any, folder: str, *, on_disk: bool) -> None:
    if not on_disk or not isinstance(files, LocalFileSystem):
        files.makedirs(folder, exist_ok=True)
    elif not Path(folder).is_dir():
        above = str(Path(folder).parent)
        _make_folder(files, above, on_disk=True)
        try:
            Path(folder).mkdir(exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from None
        _sync_folder(above)


def _sync_written(files: Any, file: Any) -> None:
    """Wait until what was written to an open file is on the disk."""
    if isinstance(files, LocalFileSystem):
        file.flush()
        os.fsync(file.fileno())
    elif _is_sftp(files):
        from asyncssh import SFTPOpUnsupported

        with suppress(SFTPOpUnsupported):
            file.fsync()


def _sync_folder(folder: str | Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS:
            raise
    finally:
        os.close(opened)


def _move(files: Any, aside: str, path: str, *, on_disk: bool) -> None:
    """In one step, or not at all."""
    if isinstance(files, LocalFileSystem):
        # fsspec's own copies where it cannot rename, over what is there.
        Path(aside).replace(path)
    elif on_disk and _is_sftp(files):
        # So does sshfs, by a shell.
        sync(files.loop, _rename, files, aside, path)
    else:
        files.mv(aside, path)


async def _rename(files: Any, aside: str, path: str) -> None:
    from asyncssh import SFTPOpUnsupported

    async with files._pool.get() as channel:  # noqa: SLF001 - sshfs has no public name for it
        try:
            await channel.posix_rename(aside, path)
        except SFTPOpUnsupported:
            # It refuses to replace a file.
            await channel.rename(aside, path)


def _clear_left_behind(files: Any, folder: str) -> None:
    now = datetime.now(UTC)
    files.invalidate_cache()
    try:
        entries = files.ls(folder, detail=True)
    except FileNotFoundError:
        # An object store has no empty folders.
        return
    for entry in entries:
        written_at = modified_at(entry)
        is_old = written_at is not None and now - written_at > _LEFT_BEHIND_AFTER
        if is_old and entry["type"] == "file" and is_aside(str(entry["name"]).rpartition("/")[2]):
            # Another writer may have been here first.
            with suppress(FileNotFoundError):
                files.rm_file(entry["name"])
