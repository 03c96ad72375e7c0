"""The house: a name means one thing, and is a word of the field or the trade (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("include", "dags", "plugins", "benchmarks")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
STATEMENTS = sorted((ROOT / "include").rglob("*.sql"))

MOST_CLASSES_NAMED_TWICE = 8
"""Words that mean one thing in the register's files and another in a bulletin; more are a lack of names."""
COINED = frozenset(
    {
        "blamed", "blaming", "coverless", "homeless", "lacking", "stray", "strays", "tell", "telling", "tells", "told",
        "yardstick",
    }
)  # fmt: skip
"""Words that neither the field nor the trade uses; each had a better one."""
BARE = "standing"
"""Says something beside another word, as in `standing_report`, and nothing alone."""
OF_THE_WAREHOUSE = frozenset({"told_at", "told_finding"})
"""A view and its column, which others read by these names (docs/reference/warehouse.md)."""
_NO_NAME = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
"""Comments and text of a statement."""


def test_there_is_code() -> None:
    assert len(FILES) > 150


def test_few_class_names_are_used_twice() -> None:
    names = Counter(node.name for path in FILES for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef))
    twice = sorted(name for name, times in names.items() if times > 1)
    assert len(twice) <= MOST_CLASSES_NAMED_TWICE, twice


def test_no_name_is_coined() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        for name in [path.parent.name, path.stem, *identifiers(parsed(path))]
        if is_coined(name)
    ]
    assert found == []


def test_no_name_in_a_statement_is_coined() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in STATEMENTS
        for name in [path.parent.name, path.stem, *names_in(path.read_text(encoding="utf-8"))]
        if is_coined(name)
    ]
    assert found == []


def test_names_of_a_statement_are_found() -> None:
    statement = "-- what was told?\nselect one.two_three, 'it''s told' as four from five as one where six = :seven\n"
    assert len(STATEMENTS) > 100
    assert names_in(statement) == {"as", "five", "four", "from", "one", "select", "seven", "six", "two_three", "where"}
    assert [name for name in ("told_key", "standing", "lacking") if not is_coined(name)] == []
    assert [name for name in ("told_finding", "standing_report", "missing") if is_coined(name)] == []


def test_identifiers_are_found() -> None:
    code = (
        "def one(two, *three, **four):\n    five.six = seven.skipped(eight=9)\n    with nine as (ten, eleven): pass\n"
    )
    assert set(identifiers(ast.parse(code))) == {
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    }  # fmt: skip


def test_a_file_is_called_by_its_content() -> None:
    assert len([path for path in FILES if path.name == "outcome.py"]) <= 1


def is_coined(name: str) -> bool:
    """Whether a name is, or has in it, a word that means nothing to the trade; a contract's own are as they are."""
    return name not in OF_THE_WAREHOUSE and (name == BARE or bool(COINED.intersection(name.lower().split("_"))))


def names_in(statement: str) -> set[str]:
    """Every word of a statement but those of its comments and texts: names, and SQL's own."""
    return set(re.findall(r"[A-Za-z_]\w*", _NO_NAME.sub(" ", statement)))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name in the code: of what is defined, asked for, imported or given."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name():
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                # What is only read is named where it is made: a file's `tell` is Python's.
                yield node.attr
            case ast.arg() | ast.keyword():
                yield node.arg or ""
            case ast.alias():
                yield from node.name.split(".")
                yield node.asname or ""
