"""Airflow makes its home folder when it is imported: here one of the tests' own, and gone when they end.

The conftest of each folder whose tests import Airflow takes the hook from here, before anything imports Airflow.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Final

HOME: Final = tempfile.mkdtemp(prefix="five-precisions-airflow-")
os.environ["AIRFLOW_HOME"] = HOME


def pytest_unconfigure() -> None:
    """Each process of the session has a folder, also one that ran no test of Airflow."""
    shutil.rmtree(HOME, ignore_errors=True)
