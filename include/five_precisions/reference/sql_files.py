"""SQL files, and what they declare of themselves (include/sql).

A file opens with a comment: the question that it answers and what a row of its result is. Rules (checks, alerts,
invariants) go on, after an empty comment line, with a declaration in YAML of what their rows mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from five_precisions.errors import SetupError
from five_precisions.own_files import edition_of, files_of, found, replaced_by
from five_precisions.reference.files import parse_yaml
from five_precisions.settings import INCLUDE

SQL_FOLDER: Final = INCLUDE / "sql"
_COMMENT: Final = re.compile(r"^--(?: (.*))?$")

Declared = TypeVar("Declared", bound=BaseModel)


def statement_path(name: str) -> Path:
    """The file of the statement `folder/name`: of include/sql, or the one that replaces it."""
    return found(SQL_FOLDER / f"{name}.sql")


def read_sql(path: Path) -> str:
    """The text of a statement file.

    Raises:
        SetupError: it cannot be read, or is not in UTF-8.
    """
    return _read(path, edition_of(path))


@lru_cache(maxsize=1024)
def _read(path: Path, _edition: tuple[int, int]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not UTF-8; save it as UTF-8.") from None


def load_heads(
    folder: Path, model: type[Declared], key: str, basis: Callable[[], object] | None = None
) -> tuple[Declared, ...]:
    """What the files of a folder declare in their head comments, in the order of their names.

    Args:
        folder: Of SQL files; of one of include, those that an installation has in its own folder count too.
        model: Of a declaration; its field `sql` is the statement.
        key: The field by which declarations differ.
        basis: Gives what the model holds a declaration against; where that is another one, the files are read anew.

    An installation's file in the place of ours may say `switched_off: true`, beside the `key` alone: the rule is not
    held then.

    Raises:
        SetupError: a file cannot be read, declares nothing or something that the model refuses, or what another file of
            the folder declares; or an own file declares another rule than ours at its place.
    """
    files = tuple((path, edition_of(path)) for path in files_of(folder, ".sql"))
    # An object as it is, not what it holds: it is read from a file once, and again where that has changed.
    return cast("tuple[Declared, ...]", _load_all(files, model, key, None if basis is None else _Itself(basis())))


def head_faults(folder: Path, model: type[Declared], key: str) -> Iterator[str]:
    """What is wrong with the declarations of a folder, a sentence for each file (`load_heads` refuses the first)."""
    declared = set()
    for path in files_of(folder, ".sql"):
        try:
            one = _load_rule(path, model, key)
        except SetupError as error:
            yield str(error)
            continue
        if one is not None and (value := getattr(one, key)) in declared:
            yield f"{path} declares the {key} {value}, which another file of the folder declares."
        elif one is not None:
            declared.add(getattr(one, key))


class _Itself:
    """An object that equals itself alone, whether or not it can be hashed."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)


@lru_cache(maxsize=32)
def _load_all(
    files: tuple[tuple[Path, tuple[int, int]], ...], model: type[Declared], key: str, _basis: _Itself | None
) -> tuple[Declared, ...]:
    declared: dict[object, Declared] = {}
    for path, _ in files:
        one = _load_rule(path, model, key)
        if one is None:
            continue
        value = getattr(one, key)
        if value in declared:
            raise SetupError(f"{path} declares the {key} {value}, which another file of the folder declares.")
        declared[value] = one
    return tuple(declared.values())


def load_head(path: Path, model: type[Declared]) -> Declared:
    """What the head comment of a statement file declares.

    Args:
        path: Of the file.
        model: Of the declaration; its field `sql` is the statement.

    Raises:
        SetupError: the file cannot be read, declares nothing, or something that the model refuses.
    """
    sql = read_sql(path)
    return _validated(path, model, _head_of(path, sql), sql)


def _load_rule(path: Path, model: type[Declared], key: str) -> Declared | None:
    """What a file declares; None where it switches off the rule that we have at its place."""
    sql = read_sql(path)
    content = _head_of(path, sql)
    ours = replaced_by(path)
    if ours is not None and content.get(key) != (same := _declared(ours)[key]):
        raise SetupError(f"{path} stands in the place of {key} {same}, and declares {key} {content.get(key)}.")
    if content.get("switched_off") is True:
        _require_switch_alone(path, content, key, is_ours=ours is not None, says_more=bool(_statement(sql)))
        return None
    return _validated(path, model, content, sql)


def _head_of(path: Path, sql: str) -> dict[str, object]:
    refusal = f"{path} does not say in its head comment what its rows mean"
    content = parse_yaml(_declaration(sql), refusal)
    if not isinstance(content, dict):
        raise SetupError(f"{refusal}.")
    return content


def _validated(path: Path, model: type[Declared], content: dict[str, object], sql: str) -> Declared:
    try:
        return model.model_validate({**content, "sql": sql})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its head comment"
        raise SetupError(
            f"{path} is wrong at {place}: {first['msg'].removeprefix('Value error, ').removesuffix('.')}."
        ) from None


def _require_switch_alone(path: Path, content: dict[str, object], key: str, *, is_ours: bool, says_more: bool) -> None:
    """Hold a file that switches off a rule against what such a file may say.

    Raises:
        SetupError: it is not in the place of a rule of ours, or says more.
    """
    if not is_ours:
        raise SetupError(f"{path} says switched_off, and stands in the place of none of ours; take the file out.")
    if says_more or {*content} != {key, "switched_off"}:
        raise SetupError(f"{path} says switched_off, so it declares its {key} alone and has no statement.")


def _declared(path: Path) -> dict[str, object]:
    return dict(parse_yaml(_declaration(read_sql(path)), f"{path} cannot be read"))


def _statement(sql: str) -> str:
    """What of a file is no comment."""
    return "".join(line for line in sql.splitlines() if not _COMMENT.match(line)).strip()


def _declaration(sql: str) -> str:
    """What stands below the first empty line of the head comment, on the lines of the file."""
    lines = [match[1] or "" for match in takewhile(bool, map(_COMMENT.match, sql.splitlines())) if match]
    question = lines.index("") if "" in lines else len(lines)
    return "\n" * question + "\n".join(lines[question:])
