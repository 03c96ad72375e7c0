"""Airflow has a home of its own here."""

from tests.airflow_home import pytest_unconfigure  # noqa: F401 - the import makes the home, the hook takes it away
