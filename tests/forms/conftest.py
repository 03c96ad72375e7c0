"""A form is made for the register's institutions, and judged when it is filled in."""

from tests.intake.conftest import register, ruleset  # noqa: F401 - fixtures
