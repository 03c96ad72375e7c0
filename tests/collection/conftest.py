"""What is collected wants the register too."""

from tests.intake.conftest import engine, inbox  # noqa: F401 - fixtures
