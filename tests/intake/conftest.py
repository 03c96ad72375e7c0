"""Fixtures of the intake's tests."""

from __future__ import annotations

import pytest

from five_precisions.intake.judging import Yardstick, yardstick_of
from five_precisions.register import Register, load_register
from five_precisions.settings import Settings
from tests.intake.packages import JUNE


@pytest.fixture(scope="session")
def register() -> Register:
    """The demo's register."""
    return load_register(Settings.model_fields["register_folder"].default)


@pytest.fixture(scope="session")
def yardstick(register: Register) -> Yardstick:
    """What packages of June 2019 are held against."""
    return yardstick_of(Settings(), register, JUNE)
