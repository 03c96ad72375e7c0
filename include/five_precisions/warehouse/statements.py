"""SQL statements: files under include/sql, one statement each, values only as bound parameters."""

from __future__ import annotations

from sqlalchemy import TextClause, text

from five_precisions.reference.sql_files import read_sql, statement_path


def load_statement(name: str) -> TextClause:
    """The statement `include/sql/<name>.sql`, ready to take bound parameters."""
    return text(read_sql(statement_path(name)))
