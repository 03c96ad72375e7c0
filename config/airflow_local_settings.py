"""Airflow's local settings: what every task needs is imported once, where tasks are forked.

Great Expectations takes eight seconds of CPU to import. Imported in the process that forks the tasks (the scheduler
with LocalExecutor, a Celery worker), a task pays nothing for it. Charts are not drawn here: the engine that draws them
starts threads, which do not survive a fork.
"""

from __future__ import annotations

import logging
import sys

if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    import great_expectations  # noqa: F401 - the import is what this file is for

    import five_precisions.orchestration.assessment
    import five_precisions.orchestration.collection
    import five_precisions.orchestration.late_submissions
    import five_precisions.orchestration.publication
    import five_precisions.orchestration.reminders  # noqa: F401

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
