"""An installation's own files in the place of ours, or beside them (docs/own-city.md#reference-files).

The environment variable FIVE_PRECISIONS_REFERENCE names the folder. It is read at each call: processes that are forked
or started, and tasks of Airflow, find the same files. At the top of the folder lies what replaces `include/reference`.
The folders in it are called as those of `include`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import wraps
from operator import is_
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from five_precisions.errors import SetupError

Made = TypeVar("Made")

VARIABLE: Final = "FIVE_PRECISIONS_REFERENCE"
SHIPPED: Final = Path(__file__).resolve().parents[1]
"""The folder include."""
MIGRATIONS: Final = "migrations"
"""Folder of the installation's own migrations (warehouse/own_migrations.py)."""
_REFERENCE: Final = "reference"
_SUFFIXES: Final = {
    _REFERENCE: (".yaml", ".csv"),
    "expectations": (".json",),
    "sql/alerts": (".sql",),
    "sql/checks": (".sql",),
    "sql/metrics": (".sql",),
    "sql/evidence": (".sql",),
    "sql/facts": (".sql",),
    "sql/assessment/indicators": (".sql",),
    "templates/mail": (".html",),
    "templates/bulletin": (".txt", ".typ"),
}
"""Folders of include whose files an installation may replace or add to, and how the names of these end."""
_NOT_SHIPPED: Final = ("holidays.csv",)
_TABLE_ENDINGS: Final = frozenset({".yaml", ".yml", ".csv"})
_IS_REFUSED: ContextVar[bool] = ContextVar("_IS_REFUSED", default=True)
_LEFT_ALONE: Final = frozenset({".md", ".rst", ".pyc"})


class Origin(StrEnum):
    """What an own file is to ours."""

    REPLACES = "replaces"
    ADDED = "added"
    SAME = "same"
    """It has the place of ours and says the same."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of the own folder that counts."""

    name: str
    """As in include, e.g. `sql/alerts/a05.sql`."""
    path: Path
    origin: Origin


def own_folder() -> Path | None:
    """The folder that the environment names; None where it names none.

    Raises:
        SetupError: it is not there; without a word our own files would count.
    """
    named = os.environ.get(VARIABLE)
    return require_folder(Path(named)) if named else None


def require_folder(folder: Path) -> Path:
    """The folder.

    Raises:
        SetupError: it is none.
    """
    if not folder.is_dir():
        raise SetupError(f"{VARIABLE} names {folder}, which is no folder.")
    return folder


def found(path: Path) -> Path:
    """The file that counts in the place of one of include: the installation's own, where it has one.

    Raises:
        SetupError: the own folder is not there.
    """
    folder = own_folder()
    return path if folder is None else found_in(folder, path)


def found_in(folder: Path, path: Path) -> Path:
    """The same, of an own folder that is given."""
    counterpart = _counterpart(folder, path.parent)
    if counterpart is None:
        return path
    own = counterpart / path.name
    # Also where a link leads nowhere: the file that ops mean to have cannot be read then, and ours is not it.
    return own if os.path.lexists(own) else path


def replaced_by(path: Path) -> Path | None:
    """The file of include in whose place an own file stands; None of any other."""
    folder = own_folder()
    if folder is None or folder not in path.parents:
        return None
    part = path.parent.relative_to(folder).as_posix()
    shipped = SHIPPED / (_REFERENCE if part == "." else part) / path.name
    return shipped if shipped.exists() else None


def files_of(folder: Path, suffix: str) -> list[Path]:
    """The files that count of a folder of include, the installation's own among them, in the order of their names.

    Raises:
        SetupError: the own folder is not there.
    """
    own = own_folder()
    counterpart = None if own is None else _counterpart(own, folder)
    files = {path.name: path for path in folder.glob(f"*{suffix}")}
    if counterpart is not None:
        files |= {path.name: path for path in counterpart.glob(f"*{suffix}")}
    return [files[name] for name in sorted(files)]


def all_files_of(folder: Path, suffix: str) -> dict[str, Path]:
    """The same of a folder and those in it, by their names from it."""
    inner = sorted({folder, *(path for path in folder.rglob("*") if path.is_dir()), *_own_counterparts(folder)})
    return {
        (each.relative_to(folder) / path.name).as_posix(): path for each in inner for path in files_of(each, suffix)
    }


def edition_of(path: Path) -> tuple[int, int]:
    """What differs once a file has other content: a process that lives long reads an own file anew then."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a hundred thousand calls a month
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


def kept_while_same(basis: Callable[[], Sequence[object]]) -> Callable[[Callable[[], Made]], Callable[[], Made]]:
    """Keep what a function makes until what it is made of has been read anew: for processes that live long.

    Args:
        basis: What it is made of; compared as objects, for each is read from its file once.
    """

    def decorate(make: Callable[[], Made]) -> Callable[[], Made]:
        kept: list[tuple[Sequence[object], Made]] = []

        @wraps(make)
        def made() -> Made:
            now = basis()
            for before, result in kept:
                if len(before) == len(now) and all(map(is_, before, now)):
                    return result
            result = make()
            kept[:] = [(now, result)]
            return result

        return made

    return decorate


def list_own_files(folder: Path | None = None) -> list[OwnFile]:
    """Every file of the own folder that counts, in the order of their names in include.

    Raises:
        SetupError: the folder is not there, or holds what would silently not count.
    """
    own = own_folder() if folder is None else require_folder(folder)
    if own is None:
        return []
    refuse_what_would_not_count(own)
    return counting_files(own)


def counting_files(folder: Path) -> list[OwnFile]:
    """The same of a folder that may also hold what would not count."""
    return sorted(_list(folder), key=lambda each: each.name)


def refuse_what_would_not_count(folder: Path) -> None:
    """Refuse a file that somebody means to count and that nothing reads.

    Raises:
        SetupError: there is one; the sentence says what is meant.
    """
    for sentence in uncounted_files(folder) if _IS_REFUSED.get() else ():
        raise SetupError(sentence)


@contextmanager
def uncounted_left_alone() -> Iterator[None]:
    """Let what would not count stop nothing in the block: whoever lists every mistake has named it."""
    token = _IS_REFUSED.set(False)
    try:
        yield
    finally:
        _IS_REFUSED.reset(token)


def uncounted_files(folder: Path) -> Iterator[str]:
    """What somebody means to count and nothing reads, a sentence each."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _in_folder(folder, path, PurePosixPath(path.name))
        else:
            yield from _at_top(path)


def _at_top(path: Path) -> Iterator[str]:
    """A file beside those that replace include/reference; what is called quite otherwise is left alone."""
    known = {name: Path(name).stem for name in (*_names(_REFERENCE), *_NOT_SHIPPED)}
    if path.name in known or path.suffix.lower() not in _TABLE_ENDINGS:
        return
    near = get_close_matches(path.stem.lower(), known.values(), n=1, cutoff=0.8)
    if near:
        meant = next(name for name, stem in known.items() if stem == near[0])
        yield f"{path} would not count, for no reference file is called so; do you mean {meant}?"


def _in_folder(top: Path, folder: Path, name: PurePosixPath) -> Iterator[str]:
    """A folder of the own folder; at its top, one that is called quite otherwise is left alone."""
    parts = [PurePosixPath(part) for part in _SUFFIXES if part != _REFERENCE]
    ways = {each for part in parts for each in part.parents} - {PurePosixPath()}
    if str(name) == MIGRATIONS or _is_left_alone(folder):
        return
    if name in parts:
        yield from _in_part(top, folder, str(name))
    elif name in ways:
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                yield from _in_folder(top, path, name / path.name)
            elif not _is_left_alone(path):
                yield f"{path} would not count; in {name} only these folders do: {_inner(name)}."
    else:
        beside = {each.name: each for each in (*parts, *ways) if each.parent == name.parent}
        near = get_close_matches(name.name.lower(), beside, n=1, cutoff=0.8)
        if near:
            yield f"{folder} would not count; do you mean {beside[near[0]]}?"
        elif name.parent != PurePosixPath():
            yield f"{folder} would not count; in {name.parent} only these folders do: {_inner(name.parent)}."


def _in_part(top: Path, folder: Path, part: str) -> Iterator[str]:
    suffixes = _SUFFIXES[part]
    for path in sorted(folder.iterdir()):
        if _is_left_alone(path):
            continue
        if path.suffix not in suffixes or (path.is_dir() and not path.is_symlink()):
            yield f"{path} would not count; files of {part} end in {' or '.join(suffixes)}."
        elif part.startswith("templates/") and path.name not in _names(part) and not _is_taken_in(top, part, path.name):
            near = get_close_matches(path.name, _names(part), n=1)
            advice = f"do you mean {near[0]}?" if near else "no template of yours takes it in."
            yield f"{path} would not count, for no template is called so; {advice}"


def _is_taken_in(top: Path, part: str, name: str) -> bool:
    """Whether another own template names it, as what it includes, extends or imports."""
    named = f"{part.removeprefix('templates/')}/{name}".encode()
    others = [path for path in (top / part).iterdir() if path.name != name and path.is_file()]
    return any(named in path.read_bytes() for path in others)


def _is_left_alone(path: Path) -> bool:
    """Notes of people, and what editors and Python leave."""
    return path.name.startswith((".", "__")) or path.name.endswith("~") or path.suffix.lower() in _LEFT_ALONE


def _inner(name: PurePosixPath) -> str:
    return ", ".join(part for part in _SUFFIXES if name in PurePosixPath(part).parents)


def _names(part: str) -> list[str]:
    """Names of our files of a part."""
    return sorted(path.name for path in (SHIPPED / part).iterdir() if path.suffix in _SUFFIXES[part])


def _counterpart(own: Path, folder: Path) -> Path | None:
    """The folder of the own folder that answers to one of include; None where nothing of that can be replaced."""
    try:
        part = folder.relative_to(SHIPPED).as_posix()
    except ValueError:
        return None
    if part not in _SUFFIXES:
        return None
    return own if part == _REFERENCE else own / part


def _own_counterparts(folder: Path) -> list[Path]:
    """Folders in a folder of include that we may not have, and an installation may."""
    return [SHIPPED / part for part in _SUFFIXES if folder in (SHIPPED / part).parents]


def _list(own: Path) -> Iterator[OwnFile]:
    for part, suffixes in _SUFFIXES.items():
        folder = own if part == _REFERENCE else own / part
        for path in folder.iterdir() if folder.is_dir() else ():
            known = part != _REFERENCE or path.name in (*_names(part), *_NOT_SHIPPED)
            if known and path.suffix in suffixes and not _is_left_alone(path):
                shipped = SHIPPED / part / path.name
                yield OwnFile(f"{part}/{path.name}", path, _origin(path, shipped))


def _origin(path: Path, shipped: Path) -> Origin:
    if not shipped.exists():
        return Origin.ADDED
    try:
        return Origin.SAME if path.read_bytes() == shipped.read_bytes() else Origin.REPLACES
    except OSError:
        return Origin.REPLACES
