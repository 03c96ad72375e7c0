"""Everything that has a name for people is explained in docs/."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import pytest

from five_precisions.cli import make_app
from five_precisions.figures.alerts import load_alert_rules
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.rules.suites import load_suite
from five_precisions.reference import load_catalogue
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.settings import PREFIX, ROOT, Settings
from five_precisions_docs.commands import commands
from five_precisions_docs.settings import setting_names
from tests.docs.tracked import text_files

DOCS = ROOT / "docs"
MARK = PREFIX + "STACK"
"""Set by the local stack for its own processes, for nobody to set."""
PROGRAM = ("include/five_precisions/", "include/five_precisions_demo/", "include/sql/", "include/reference/", "dags/")
_SETTING = re.compile(rf"\b{PREFIX}[A-Z_]*[A-Z]\b")
_RULE = re.compile(r"""["'](?:rule: )?([A-Z][0-9]{2})["']""")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return dict(text_files())


@pytest.fixture(scope="module")
def reference(texts: Mapping[str, str]) -> Mapping[str, str]:
    return {path.rpartition("/")[2]: text for path, text in texts.items() if path.startswith("docs/reference/")}


def unexplained(names: Iterable[str], page: str) -> list[str]:
    """Names that stand on the page neither in a row's first cell nor in a heading."""
    known = set(re.findall(r"^(?:\| `?|#+ )([^`|\n]+?)`? *(?:\||$)", page, re.MULTILINE))
    return sorted({*names} - known)


def test_every_setting_is_explained(reference: Mapping[str, str]) -> None:
    names = setting_names()
    assert len(names) > 30
    assert unexplained(names, reference["settings.md"]) == []
    assert unexplained([PREFIX + "MADE_UP"], reference["settings.md"]) == [PREFIX + "MADE_UP"]


def test_no_other_setting_is_named_anywhere(texts: Mapping[str, str], reference: Mapping[str, str]) -> None:
    named = {name for path, text in texts.items() if not path.startswith("tests/") for name in _SETTING.findall(text)}
    assert len(named) > 25
    assert unexplained(named - {MARK}, reference["settings.md"]) == []


def test_every_command_is_explained(reference: Mapping[str, str]) -> None:
    names = [name for name, command in commands(make_app()) if not getattr(command, "commands", None)]
    assert len(names) > 25
    assert unexplained(names, reference["cli.md"]) == []
    assert unexplained(["five-precisions made-up"], reference["cli.md"]) == ["five-precisions made-up"]


def test_pages_name_only_commands_that_there_are(texts: Mapping[str, str]) -> None:
    """A page that tells a person to run what is no command leaves them standing."""
    known = {name.removeprefix("five-precisions ") for name, _ in commands(make_app())}
    named = {
        match[1]
        for path, text in texts.items()
        if path.endswith(".md")
        for match in re.finditer(r"(?:`|    |bin/)five-precisions ([a-z-]+)", text)
    }
    assert len(named) > 15
    assert named - {name.split()[0] for name in known} == set()


def declared_rules() -> set[str]:
    """Codes of everything that deliveries are held against."""
    of_rows = {rule.rule for report in load_reports().values() for rule in load_suite(report).rules}
    return {rule.code for rule in PackageRule} | of_rows | {rule.rule for rule in load_cross_rules()}


def test_every_rule_is_explained(reference: Mapping[str, str]) -> None:
    assert len(declared_rules()) > 50
    assert unexplained(declared_rules(), reference["rules.md"]) == []
    assert unexplained(["X99"], reference["rules.md"]) == ["X99"]


def test_every_alert_is_explained(reference: Mapping[str, str]) -> None:
    rules = {rule.rule for rule in load_alert_rules()}
    assert len(rules) > 15
    assert unexplained(rules, reference["alerts.md"]) == []
    assert unexplained(["A99"], reference["alerts.md"]) == ["A99"]


def undeclared(sources: Iterable[str], declared: Collection[str]) -> set[str]:
    """Codes that sources name and that nothing declares."""
    return {code for source in sources for code in _RULE.findall(source)} - {*declared}


def test_no_code_is_used_that_nothing_declares(texts: Mapping[str, str]) -> None:
    declared = declared_rules() | {rule.rule for rule in load_alert_rules()}
    # Codes of the demo's institutions look alike.
    sources = [text for path, text in texts.items() if path.startswith(("include/five_precisions/", "include/sql/"))]
    assert len(sources) > 200
    assert undeclared(sources, declared) == set()
    assert undeclared(['rule="F99"'], declared) == {"F99"}


def test_every_metric_is_explained(reference: Mapping[str, str]) -> None:
    metrics = load_catalogue(Settings.load()).metrics
    assert len(metrics) > 50
    assert unexplained(metrics, reference["metrics.md"]) == []
    assert unexplained(["made_up"], reference["metrics.md"]) == ["made_up"]


def test_every_dag_is_explained(reference: Mapping[str, str]) -> None:
    dags = [path.stem for path in (ROOT / "dags").glob("*.py")]
    assert len(dags) > 5
    assert unexplained(dags, reference["dags.md"]) == []
    assert unexplained(["made_up"], reference["dags.md"]) == ["made_up"]
