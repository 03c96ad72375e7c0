"""What the pages show is collected first, which wants the register."""

from tests.intake.conftest import engine, inbox  # noqa: F401 - fixtures
