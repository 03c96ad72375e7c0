"""Each recipe of CONTRIBUTING.md is done in one copy of the repository, to the letter, and what comes of it looked at.

The looking is tests/recipes/trials.py, which runs in that copy, in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from five_precisions.settings import PREFIX, ROOT
from tests.conftest import empty_database
from tests.recipes.page import Migration, Recipe, Writing, read_recipes

FOLDERS = ("config", "dags", "docs", "include", "plugins", "tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "fixtures", "mails", "pages")
RECIPES = read_recipes()
_LONGEST = 240
"""Seconds that all trials together may take; less than a minute on an idle machine."""


@dataclass(frozen=True)
class House:
    """A copy of the repository in which every recipe has been done."""

    root: Path
    address: str
    """Of a database that holds nothing, or what the copy's migrations make."""

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A program, in the copy and with its packages."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "AIRFLOW"))}
        environment |= {"PYTHONPATH": str(self.root / "include"), "RECIPES_WAREHOUSE": self.address}
        ended = subprocess.run(
            words, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST
        )
        assert not check or ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def do(self, recipe: Recipe) -> list[Path]:
        """Do what a recipe says; the files that it has made or changed."""
        made = []
        for step in recipe.steps:
            match step:
                case Writing():
                    step.do(self.root)
                    made.append(self.root / step.path)
                case Migration():
                    module = "five_precisions.warehouse.draft_migration"
                    written = self.run(sys.executable, "-m", module, step.name, self.address)
                    made.append(Path(written.stdout.strip()))
        return made


@dataclass(frozen=True)
class Done:
    """A copy of the repository after all recipes."""

    house: House
    files: list[Path]


@pytest.fixture(scope="module")
def done(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    root = tmp_path_factory.mktemp("house")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", root)
    with empty_database(server_url) as address:
        house = House(root, address)
        yield Done(house, [path for recipe in RECIPES for path in house.do(recipe)])


@pytest.fixture(scope="module")
def trials(done: Done) -> Mapping[str, str]:
    """By trial what went wrong in it; nothing where it went well."""
    report = done.house.root / "trials.xml"
    ended = done.house.run(
        *(sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"),
        "tests/recipes/trials.py",
        check=False,
    )
    assert report.exists(), ended.stdout + ended.stderr
    return {
        str(case.get("name")): "\n".join(fault.text or "" for kind in ("failure", "error") for fault in case.iter(kind))
        for case in ET.parse(report).iter("testcase")
    }


def test_there_is_a_recipe_for_everything_that_comes_to_the_house() -> None:
    assert [recipe.title for recipe in RECIPES] == [
        "A metric", "An alert", "A row rule", "A cross rule", "A column", "A report", "An indicator", "A board",
        "A DAG", "A page", "A mail", "A header from January",
    ]  # fmt: skip


def test_every_recipe_has_its_trial(trials: Mapping[str, str]) -> None:
    assert sorted(trials) == sorted(recipe.trial for recipe in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_recipe_is_enough(trials: Mapping[str, str], recipe: Recipe) -> None:
    if fault := trials[recipe.trial]:
        pytest.fail(fault, pytrace=False)


def test_what_recipes_write_is_in_the_style_of_the_house(done: Done) -> None:
    python = sorted({str(path) for path in done.files if path.suffix == ".py"})
    assert len(python) >= 6
    done.house.run(sys.executable, "-m", "ruff", "check", *python)
    done.house.run(sys.executable, "-m", "ruff", "format", "--check", *python)
    statements = sorted({str(path) for path in done.files if path.suffix == ".sql"})
    assert len(statements) >= 3
    done.house.run(sys.executable, "-m", "sqlfluff", "lint", "--disable-progress-bar", *statements)
