"""The sentences of comments and docstrings in Python and SQL are short (CONTRIBUTING.md#prose).

tests/test_pages.py holds the pages to the same.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from five_precisions.settings import ROOT
from tests.test_pages import LONGEST_SENTENCE

FOLDERS = ("benchmarks", "config", "dags", "docs", "findings", "include", "plugins", "tests")
_NEW_TEXT = re.compile(r"\n\s*\n|\n\s*(?:-|\d+\.) |\n\s*\w+: ")
"""What parts texts beside full stops: an empty line, an item of a list, an argument with its meaning."""


def texts(source: str, *, is_sql: bool = False) -> Iterator[tuple[int, str]]:
    """Docstrings and comments with their lines; comments below one another are one text.

    A comment behind a statement has no room for a long sentence: only lines of their own are looked at.
    """
    if not is_sql:
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield node.lineno, node.value.value
    mark = "--" if is_sql else "#"
    text = ""
    for line, written in enumerate([*source.splitlines(), ""], 1):
        if written.lstrip().startswith(mark):
            text += "\n" + written.lstrip().lstrip(f"{mark}: ")
        elif text:
            yield line - text.count("\n"), text
            text = ""


def sentences(text: str) -> Iterator[str]:
    """A text's sentences, without tables and examples of code; a colon or a semicolon parts sentences too."""
    first, _, rest = text.partition("\n")
    lines = [first, *textwrap.dedent(rest).splitlines()]
    prose = "\n".join("" if line.lstrip().startswith("|") or line.startswith("    five-") else line for line in lines)
    for part in _NEW_TEXT.split(prose):
        plain = re.sub(r"`[^`]*`", "code", " ".join(part.split()))
        yield from filter(None, re.split(r"(?<=[.!?:;])\s+", plain))


def long_sentences(path: Path) -> list[str]:
    """Where the path's sentences are too long, how long, and how they begin."""
    source = path.read_text(encoding="utf-8")
    return [
        f"{path.name}:{line}: {words} words: {sentence[:80]}"
        for line, text in texts(source, is_sql=path.suffix == ".sql")
        for sentence in sentences(text)
        if (words := sum(bool(re.search(r"\w", word)) for word in sentence.split())) > LONGEST_SENTENCE
    ]


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sql")]
    assert len(found) > 500
    return sorted(found)


def test_no_sentence_of_a_comment_is_long() -> None:
    assert [sentence for path in files() for sentence in long_sentences(path)] == []


def test_a_long_sentence_is_found(tmp_path: Path) -> None:
    long = "word " * 26
    module = tmp_path / "module.py"
    module.write_text(
        f'"""Short.\n\n| cell | {long} |\n\nArgs:\n    name: {long}\n"""\n\n# {long}\n#: {"word " * 20}\nx = 1\n',
        encoding="utf-8",
    )
    assert [each.split(":")[1:3] for each in long_sentences(module)] == [["1", " 26 words"], ["9", " 46 words"]]
    statement = tmp_path / "statement.sql"
    statement.write_text(f"-- What? {'word ' * 13}\n-- {'word ' * 13}\nselect '{long}'\n", encoding="utf-8")
    assert [each.split(":")[1:3] for each in long_sentences(statement)] == [["1", " 26 words"]]
