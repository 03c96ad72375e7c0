"""The replay's SQL statements: files under `five_precisions_demo/sql`, one statement each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import TextClause, text

from five_precisions.reference.sql_files import read_sql

DEMO_SQL_FOLDER: Final = Path(__file__).parents[1] / "sql"


def load_demo_statement(name: str) -> TextClause:
    """The statement `<name>.sql`, ready to take bound parameters."""
    return text(read_sql(DEMO_SQL_FOLDER / f"{name}.sql"))
