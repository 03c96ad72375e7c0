"""Fixtures of the intake's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions.intake.ruleset import Ruleset, ruleset_of
from five_precisions.register import Register, load_register
from five_precisions.settings import Settings
from tests.packages import JUNE


@pytest.fixture(scope="session")
def register() -> Register:
    """The demo's register."""
    return load_register(Settings.model_fields["register_folder"].default)


@pytest.fixture(scope="session")
def ruleset(register: Register) -> Ruleset:
    """What packages of June 2019 are held against."""
    return ruleset_of(Settings(), register, JUNE)


@pytest.fixture
def engine(register_saved_engine: Engine) -> Engine:
    """A fresh warehouse with the register: without it nobody's package is taken in."""
    return register_saved_engine


@pytest.fixture
def inbox(settings: Settings) -> Path:
    """Where the packages of June 2019 lie."""
    return Path(settings.inbox_address) / str(JUNE)
