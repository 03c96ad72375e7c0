"""Airflow makes its home folder when it is imported: not the developer's."""

from __future__ import annotations

import os
import tempfile

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="five-precisions-airflow-")
