"""Every SQL file is one statement with a head comment and bound parameters (CONTRIBUTING.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from five_precisions.reference.sql_files import SQL_FOLDER, read_sql
from five_precisions.settings import INCLUDE
from five_precisions.warehouse import load_statement
from five_precisions_demo.replay.statements import DEMO_SQL_FOLDER, load_demo_statement

FILES = sorted(INCLUDE.rglob("*.sql"))


def test_there_are_statements() -> None:
    assert INCLUDE / "sql" == SQL_FOLDER
    assert len(list(SQL_FOLDER.rglob("*.sql"))) > 10
    assert len(list(DEMO_SQL_FOLDER.rglob("*.sql"))) > 5


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(INCLUDE)))
def test_a_statement_file_is_fit_to_run(file: Path) -> None:
    sql = read_sql(file)
    assert sql.startswith("-- "), "it opens with a comment: the question that it answers, and the grain of the result"
    code = re.sub(r"--[^\n]*", "", sql)
    assert ";" not in code.rstrip().removesuffix(";"), "one statement a file"
    assert not re.search(r"%[(s]|\{[a-z_]*\}", code), "values come as bound parameters only"
    for folder, load in ((SQL_FOLDER, load_statement), (DEMO_SQL_FOLDER, load_demo_statement)):
        if file.is_relative_to(folder):
            load(str(file.relative_to(folder).with_suffix("")))
