"""An installation's own migrations: a line of their own beside ours, whichever came first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text
from tests.rows import rows

from five_precisions.errors import RefusedError, SetupError
from five_precisions.own_files import SHIPPED, VARIABLE
from five_precisions.period import Period
from five_precisions.warehouse import draft_migration as drafting
from five_precisions.warehouse import migrate
from five_precisions.warehouse.draft_migration import draft_migration
from five_precisions.warehouse.own_migrations import read_own_revision, upgrade_own
from five_precisions.warehouse.schema import (
    MIGRATIONS,
    alembic_config,
    create_period_partitions,
    read_revision,
    require_migrated,
)

pytestmark = pytest.mark.integration

TRAINING = """
training:
  title: 就业培训台账
  owners: [county_office]
  kind: flow
  key: [household_no]
  columns:
    - {header: 户编号, name: household_no, type: text, max: 30, code: true}
    - {header: 培训天数, name: days, type: int, min: 1, max: 365}
"""
INSURED = "\n    - {header: 是否投保, name: insured, type: yesno, optional: true}\n\nposition:"


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without our schema."""
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own%folder"
    (folder / "migrations").mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def declare(own: Path, *, training: bool = True, insured: bool = False) -> None:
    content = (SHIPPED / "reference" / "reports.yaml").read_text(encoding="utf-8")
    content += TRAINING if training else ""
    if insured:
        content = content.replace("\n\nposition:", INSURED, 1)
        assert "insured" in content
    (own / "reports.yaml").write_text(content, encoding="utf-8")


def draft(own: Path, engine: Engine, name: str) -> Path:
    return draft_migration(engine, name, own / "migrations", is_own=True)


def own_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return read_own_revision(connection)


def test_what_is_declared_and_missing_is_refused_and_nothing_is_changed(empty: Engine, own: Path) -> None:
    declare(own)
    with pytest.raises(SetupError) as refused:
        migrate(empty)
    assert str(refused.value) == (
        f"The warehouse lacks the report training, as {own / 'reports.yaml'} declares; "
        "run: five-precisions declare migration NAME"
    )
    with empty.connect() as connection:
        assert read_revision(connection) is None


def test_an_own_form_is_written_applied_and_used(empty: Engine, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(empty)
    declare(own)
    with pytest.raises(SetupError, match=r"lacks the report training, as .* declares; run: five-precisions declare"):
        require_migrated(empty)
    path = draft(own, empty, "training")
    assert path.name == "own_0001_training.py"
    with pytest.raises(SetupError, match=r"^The warehouse lacks a migration of your own; run: five-precisions init$"):
        require_migrated(empty)
    migrate(empty)
    require_migrated(empty)
    assert own_revision(empty) == "own_0001"
    with empty.begin() as connection:
        create_period_partitions(connection, Period(2020, 1))
        assert connection.execute(text("select count(*) from core.training")).scalar() == 0
    with pytest.raises(RefusedError, match="core holds every report and column"):
        draft(own, empty, "again")

    declare(own, insured=True)
    assert draft(own, empty, "insured").name == "own_0002_insured.py"
    migrate(empty)
    assert own_revision(empty) == "own_0002"
    assert [row["insured"] for row in rows(empty, "select insured from core.loans")] == []
    # Without the folder the forms would be others than the warehouse's.
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(
        SetupError, match=r"has the own migration own_0002, and FIVE_PRECISIONS_REFERENCE names no folder"
    ):
        require_migrated(empty)
    with pytest.raises(SetupError, match="has the own migration own_0002"):
        migrate(empty)


def test_ours_are_upgraded_after_an_own_one(empty: Engine, own: Path) -> None:
    """The own migration was written and applied under an older program than ours."""
    declare(own)
    config = alembic_config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0024")
    path = draft(own, empty, "training")
    with empty.begin() as connection:
        upgrade_own(connection, MIGRATIONS)
    assert own_revision(empty) == "own_0001"
    migrate(empty)
    require_migrated(empty)
    with empty.connect() as connection:
        assert read_revision(connection) not in (None, "0024")
        assert connection.execute(text("select count(*) from core.training")).scalar() == 0
    # On a new machine the same files lead to the same tables, in the other order.
    assert path.read_text(encoding="utf-8").count("down_revision = None") == 1


def test_a_new_machine_gets_both_at_once(empty: Engine, own: Path, empty_database_url: str) -> None:
    shutil.copytree(_written_elsewhere(own), own / "migrations", dirs_exist_ok=True)
    declare(own)
    migrate(empty)
    require_migrated(empty)
    assert own_revision(empty) == "own_0001"
    assert empty_database_url


def _written_elsewhere(own: Path) -> Path:
    """A migration of the report training, as draft_own writes it by a warehouse of nothing."""
    declare(own)
    path = drafting.draft_own("training")
    elsewhere = own.parent / "elsewhere"
    path.parent.rename(elsewhere)
    return elsewhere


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda text: text.replace("create table core", "create tabel core"),
            "cannot be applied: syntax error at or near",
        ),
        (lambda text: text + "\nif:\n", "cannot be read: "),
        (
            lambda text: text.replace('"own_0001"', '"mine"', 1),
            "have the revision mine; an own one is called own_0001.",
        ),
        (lambda text: text.replace("= None", '= "own_0000"', 1), "cannot be read: "),
        (lambda text: text.replace("core.delivered_training", "core.delivered_visits"), "cannot be applied: relation"),
    ],
    ids=["SQL", "Python", "name", "line", "doubled table"],
)
def test_a_wrong_own_migration_is_one_sentence(empty: Engine, own: Path, change: object, sentence: str) -> None:
    declare(own)
    migrate(empty, is_draft=True)
    path = draft(own, empty, "training")
    assert callable(change)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        migrate(empty)
    assert str(refused.value).startswith(f"The migrations in {own / 'migrations'} ")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert own_revision(empty) is None


def test_two_own_migrations_after_one_are_no_line(empty: Engine, own: Path) -> None:
    declare(own)
    migrate(empty, is_draft=True)
    path = draft(own, empty, "training")
    twin = path.read_text(encoding="utf-8").replace('"own_0001"', '"own_0002"', 1)
    (own / "migrations" / "own_0002_twin.py").write_text(twin, encoding="utf-8")
    with pytest.raises(SetupError, match="are no line: own_0001, own_0002 have nothing after them"):
        migrate(empty)
