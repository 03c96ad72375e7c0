"""SQL statements: files under include/sql, one statement each, values only as bound parameters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

from five_precisions.settings import INCLUDE

SQL_FOLDER = INCLUDE / "sql"


@cache
def read_sql(path: Path) -> str:
    """The text of a statement file."""
    return path.read_text(encoding="utf-8")


def load_statement(name: str) -> TextClause:
    """The statement `include/sql/<name>.sql`, ready to take bound parameters."""
    return text(read_sql(SQL_FOLDER / f"{name}.sql"))
