"""SQL files, and what they declare of themselves (include/sql).

A file opens with a comment: the question that it answers and what a row of its result is. Rules (checks, alerts,
invariants) go on, after an empty comment line, with a declaration in YAML of what their rows mean.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from five_precisions.errors import SetupError
from five_precisions.reference.files import parse_yaml
from five_precisions.settings import INCLUDE

SQL_FOLDER: Final = INCLUDE / "sql"
_COMMENT: Final = re.compile(r"^--(?: (.*))?$")

Declared = TypeVar("Declared", bound=BaseModel)


def statement_path(name: str) -> Path:
    """The file of the statement `folder/name`."""
    return SQL_FOLDER / f"{name}.sql"


@cache
def read_sql(path: Path) -> str:
    """The text of a statement file."""
    return path.read_text(encoding="utf-8")


def load_heads(folder: Path, model: type[Declared], key: str) -> tuple[Declared, ...]:
    """What the files of a folder declare in their head comments, in the order of their names.

    Args:
        folder: Of SQL files.
        model: Of a declaration; its field `sql` is the statement.
        key: The field by which declarations differ.

    Raises:
        SetupError: a file cannot be read, declares nothing or something that the model refuses, or what another file of
            the folder declares.
    """
    declared: dict[object, Declared] = {}
    for path in sorted(folder.glob("*.sql")):
        one = load_head(path, model)
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
    try:
        sql = read_sql(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}.") from error
    refusal = f"{path} does not say in its head comment what its rows mean"
    content = parse_yaml(_declaration(sql), refusal)
    if not isinstance(content, dict):
        raise SetupError(f"{refusal}.")
    try:
        return model(**content, sql=sql)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its head comment"
        raise SetupError(f"{path} is wrong at {place}: {first['msg']}.") from None


def _declaration(sql: str) -> str:
    """What stands below the first empty line of the head comment, on the lines of the file."""
    lines = [match[1] or "" for match in takewhile(bool, map(_COMMENT.match, sql.splitlines())) if match]
    question = lines.index("") if "" in lines else len(lines)
    return "\n" * question + "\n".join(lines[question:])
