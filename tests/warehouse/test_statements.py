"""Every SQL file is one statement with a head comment and bound parameters (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from five_precisions.reference.sql_files import SQL_FOLDER, read_sql
from five_precisions.settings import INCLUDE
from five_precisions.warehouse import load_statement
from five_precisions_demo.replay.statements import DEMO_SQL_FOLDER, load_demo_statement

FILES = sorted(INCLUDE.rglob("*.sql"))
PYTHON = [path for path in sorted(INCLUDE.rglob("*.py")) if "migrations" not in path.parts]
LONGEST_IN_PYTHON = 5
"""Lines of a statement that may stand in a Python string; longer ones have a file."""
BEGINNING = re.compile(r"\s*(select|with|insert|update|delete|merge|create|alter|drop|lock|truncate)\s")


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


def statements_in(code: str) -> Iterator[tuple[int, int]]:
    """Line and number of lines of each Python string that holds SQL."""
    parts: set[ast.AST] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            words = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            words = node.value
        else:
            continue
        if BEGINNING.match(words):
            lines = words.strip().count("\n") + 1
            yield node.lineno, lines if lines > 1 else (node.end_lineno or node.lineno) - node.lineno + 1


def test_statements_in_python_are_found() -> None:
    code = '''
one = text("select 1")
two = text("""
insert into t (a)
values (:a)
""")
three = text(
    f"select {one} "
    "from t "
    "where b"
)
"""Select nothing."""
'''
    assert sorted(statements_in(code)) == [(2, 1), (3, 2), (8, 3)]


def test_python_holds_short_statements_only() -> None:
    found = {
        file.relative_to(INCLUDE).as_posix()
        for file in PYTHON
        for _, lines in statements_in(file.read_text(encoding="utf-8"))
        if lines > LONGEST_IN_PYTHON
    }
    assert found == set()
