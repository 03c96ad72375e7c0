"""Airflow's local settings: what every task needs is loaded once, where tasks are forked.

Great Expectations takes seconds of CPU to import, and what else a task loads first takes half a second. Loaded in the
process that forks the tasks (the scheduler with LocalExecutor, a Celery worker), a task pays nothing for it. The DAG
processor forks a process for each DAG file and each callback, which need less.
"""

from __future__ import annotations

import sys

if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    from five_precisions.orchestration.preloading import load_for_tasks

    load_for_tasks()
elif sys.argv[1:2] == ["dag-processor"]:
    from five_precisions.orchestration.preloading import load_for_dag_files

    load_for_dag_files()
