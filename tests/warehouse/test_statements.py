"""Every SQL file is one statement with a head comment and bound parameters (CONTRIBUTING.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from five_precisions.settings import INCLUDE
from five_precisions.warehouse import load_statement, read_sql
from five_precisions.warehouse.statements import SQL_FOLDER

FILES = sorted(SQL_FOLDER.rglob("*.sql"))


def test_there_are_statements() -> None:
    assert INCLUDE / "sql" == SQL_FOLDER
    assert len(FILES) > 10


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SQL_FOLDER)))
def test_a_statement_file_is_fit_to_run(file: Path) -> None:
    sql = read_sql(file)
    assert sql.startswith("-- "), "it opens with a comment: the question that it answers, and the grain of the result"
    code = re.sub(r"--[^\n]*", "", sql)
    assert ";" not in code.rstrip().removesuffix(";"), "one statement a file"
    assert not re.search(r"%[(s]|\{[a-z_]*\}", code), "values come as bound parameters only"
    load_statement(str(file.relative_to(SQL_FOLDER).with_suffix("")))
