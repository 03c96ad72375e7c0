"""The recipes of CONTRIBUTING.md, as the page says them: what they write where, and what they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from five_precisions.settings import ROOT

PAGE: Final = ROOT / "CONTRIBUTING.md"
_RECIPE: Final = re.compile(r"^### (\d+)\. (.+)$", re.MULTILINE)
_STEP: Final = re.compile(
    r"^`(?P<path>[^`\n]+)`(?P<register> of the register)?, "
    r"(?:a new file|at the end|after `(?P<after>[^`\n]+)`|in place of `(?P<instead>[^`\n]+)`):\n\n"
    r"```\w+\n(?P<text>.*?)^```$"
    r"|^ {4}make migration NAME=(?P<migration>\w+)$",
    re.MULTILINE | re.DOTALL,
)
_BLOCK: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
REGISTER: Final = "include/demo_register"
"""Whose register a recipe changes that speaks of one."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that a recipe puts into a file: a new one, at the end, or at the one line that holds another text."""

    path: str
    text: str
    is_new: bool
    line: str | None
    """What the line holds that it comes after, or takes the place of."""
    is_instead: bool

    def do(self, root: Path) -> None:
        """Add it in a copy of the repository."""
        path = root / self.path
        assert path.exists() != self.is_new, f"{self.path} is said to be {'new' if self.is_new else 'there'}"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(self._added(before), encoding="utf-8")

    def _added(self, before: str) -> str:
        if self.line is None:
            return before + self.text
        assert before.count(self.line) == 1, f"{self.path} holds {self.line} {before.count(self.line)} times"
        begin = before.rfind("\n", 0, before.index(self.line)) + 1
        end = before.index("\n", begin) + 1
        return before[: begin if self.is_instead else end] + self.text + before[end:]


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration that a recipe has written."""

    name: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe: its title, and its steps in their order."""

    title: str
    steps: tuple[Writing | Migration, ...]

    @property
    def trial(self) -> str:
        """The test of tests/recipes/trials.py that looks at what comes of it."""
        return f"test_{self.title.lower().replace(' ', '_')}"

    @property
    def files(self) -> list[str]:
        """What it touches, a migration by its folder."""
        versions = "include/five_precisions/warehouse/migrations/versions/"
        touched = [step.path if isinstance(step, Writing) else versions for step in self.steps]
        return list(dict.fromkeys(touched))


def read_recipes() -> list[Recipe]:
    """The recipes of the page, in their order."""
    rest = PAGE.read_text(encoding="utf-8").partition("\n## Recipes\n")[2]
    # What a recipe writes may hold headings too.
    bare = _BLOCK.sub(lambda block: " " * len(block[0]), rest)
    page = rest[: len(bare.partition("\n## ")[0])]
    heads = list(_RECIPE.finditer(page))
    assert [int(head[1]) for head in heads] == list(range(1, len(heads) + 1))
    ends = [head.start() for head in heads[1:]] + [len(page)]
    recipes = []
    for head, end in zip(heads, ends, strict=True):
        content = page[head.end() : end]
        steps = tuple(_step(found) for found in _STEP.finditer(content))
        # A block or a command whose line above is written otherwise would be passed over.
        written = content.count("\n```") // 2 + content.count("\n    make ")
        assert len(steps) == written > 0, f"{head[2]}: {len(steps)} steps are understood, {written} written"
        recipes.append(Recipe(head[2], steps))
    return recipes


def _step(found: re.Match[str]) -> Writing | Migration:
    if found["migration"]:
        return Migration(found["migration"])
    path = f"{REGISTER}/{found['path']}" if found["register"] else found["path"]
    return Writing(
        path,
        found["text"],
        is_new=", a new file:" in found[0],
        line=found["after"] or found["instead"],
        is_instead=found["instead"] is not None,
    )
