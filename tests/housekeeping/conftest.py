"""A small installation with something on record and in the archive, and an empty one to restore into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from tests.packages import JUNE, put, sound_package

from five_precisions.collection import collect
from five_precisions.settings import Settings


@pytest.fixture
def collected(register_saved_engine: Engine, settings: Settings) -> Engine:
    """A warehouse with one delivery on record, whose files are archived."""
    put(Path(settings.inbox_address) / str(JUNE) / "B07", sound_package("grid"))
    collect(register_saved_engine, settings, JUNE, institution="B07")
    assert archived(settings)
    return register_saved_engine


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without our schema."""
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def other(settings: Settings, empty_database_url: str, tmp_path: Path) -> Settings:
    """Settings of an empty installation with the same secrets."""
    return settings.model_copy(update={"var": tmp_path / "other", "warehouse": empty_database_url})


def archived(settings: Settings) -> dict[str, bytes]:
    """What lies in an archive, as it is stored."""
    folder = Path(settings.archive_address)
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
