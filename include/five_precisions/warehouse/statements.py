"""SQL statements: files under include/sql, one statement each, values only as bound parameters.

A file opens with a comment: the question that it answers and what a row of its result is. Rules (checks, alerts,
invariants) go on, after an empty comment line, with a declaration in YAML of what their rows mean.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from sqlalchemy import TextClause, text

from five_precisions.errors import SetupError
from five_precisions.settings import INCLUDE

SQL_FOLDER = INCLUDE / "sql"
_COMMENT = re.compile(r"^--(?: (.*))?$")

Declared = TypeVar("Declared", bound=BaseModel)


@cache
def read_sql(path: Path) -> str:
    """The text of a statement file."""
    return path.read_text(encoding="utf-8")


def load_statement(name: str) -> TextClause:
    """The statement `include/sql/<name>.sql`, ready to take bound parameters."""
    return text(read_sql(SQL_FOLDER / f"{name}.sql"))


def load_declared(path: Path, model: type[Declared]) -> Declared:
    """A rule's file: what its head comment declares, with the statement as `sql`.

    Raises:
        SetupError: the head comment declares nothing, or something that the model refuses.
    """
    sql = read_sql(path)
    comment: list[str] = []
    for line in sql.splitlines():
        match = _COMMENT.match(line)
        if match is None:
            break
        comment.append(match[1] or "")
    _, _, declaration = "\n".join(comment).partition("\n\n")
    try:
        content: Any = yaml.safe_load(declaration)
        return model(**content, sql=sql)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its head comment"
        raise SetupError(f"{path} is wrong at {place}: {first['msg']}.") from None
    except (yaml.YAMLError, TypeError):
        raise SetupError(f"{path} does not say in its head comment what its rows mean.") from None
