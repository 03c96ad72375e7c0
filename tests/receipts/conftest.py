"""Receipts want the register too."""

from tests.intake.conftest import engine, inbox, register, ruleset  # noqa: F401 - fixtures
