"""What is committed of docs/reference, and the picture of the layers, is what `make docs` writes.

tests/dags/test_dags.py does it for docs/reference/dags.md, for there Airflow has read the DAG files.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.settings import ROOT, Settings
from five_precisions_docs import ARCHITECTURE, REFERENCE, described_by_files
from five_precisions_docs.layers import BEGIN, END, with_picture
from five_precisions_docs.page import linked, question_of, table
from five_precisions_docs.warehouse import warehouse_page

ADVICE = "what the program declares has changed; run: make docs"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return described_by_files(Settings(_env_file=None, var=tmp_path_factory.mktemp("var")))


def test_every_page_is_checked(pages: dict[str, str]) -> None:
    assert {*pages, "warehouse.md", "dags.md"} == {path.name for path in REFERENCE.iterdir()}


@pytest.mark.parametrize("name", ["alerts.md", "cli.md", "metrics.md", "rules.md", "settings.md"])
def test_a_page_says_what_the_program_declares(pages: dict[str, str], name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages[name], ADVICE


def test_the_page_of_the_warehouse_says_what_a_migrated_one_holds(engine: Engine) -> None:
    with engine.connect() as connection:
        assert (REFERENCE / "warehouse.md").read_text(encoding="utf-8") == warehouse_page(connection), ADVICE


def test_a_column_without_a_comment_is_refused(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("alter table mart.pace add column made_up integer"))
        with pytest.raises(LookupError, match=r"mart.pace or its column made_up bears no comment"):
            warehouse_page(connection)


def test_the_layers_are_drawn_as_they_are_enforced(tmp_path: Path) -> None:
    committed = ARCHITECTURE.read_text(encoding="utf-8")
    assert with_picture(committed, ROOT / "pyproject.toml") == committed, ADVICE
    changed = tmp_path / "pyproject.toml"
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changed.write_text(contracts.replace('"register",', '"register | made_up",', 1), encoding="utf-8")
    drawn = with_picture(committed, changed)
    assert '["register · made_up"]' in drawn
    assert drawn.partition(BEGIN)[0] == committed.partition(BEGIN)[0]
    assert drawn.partition(END)[2] == committed.partition(END)[2]


def test_a_page_without_marks_gets_no_picture() -> None:
    with pytest.raises(LookupError, match="lacks"):
        with_picture("# Architecture\n", ROOT / "pyproject.toml")


def test_what_would_break_a_cell_is_made_harmless() -> None:
    assert table(["a", "b"], [["x | y", "one\ntwo"]]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| x \\| y | one two |",
    ]
    assert linked("see docs/intake.md#bad-input, docs/decisions/typst.md") == (
        "see [intake.md](../intake.md#bad-input), [decisions/typst.md](../decisions/typst.md)"
    )
    assert question_of("-- Who?\n-- One row each.\n--\n-- rule: X99\nselect 1") == "Who? One row each."
