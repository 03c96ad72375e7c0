"""Prints what Airflow makes of our DAG files, as JSON; in a process of its own, for Airflow reads settings once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from five_precisions.settings import ROOT

DAGS = ROOT / "dags"


def main() -> None:
    """Print one line: errors of import, the DAGs by id, heavy modules that reading them has imported."""
    bag = DagBag(str(DAGS))
    dags = {
        dag.dag_id: {
            "file": Path(dag.fileloc).name,
            "display_name": dag.dag_display_name,
            "description": dag.description,
            "doc_md": dag.doc_md,
            "tags": sorted(dag.tags),
            "max_active_runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "schedule": type(dag.timetable).__name__,
            "expression": getattr(dag.timetable, "expression", None),
            "timezone": getattr(dag.timetable, "timezone", None),
            "asset": getattr(getattr(dag.timetable, "asset_condition", None), "name", None),
            "mapper": type(getattr(dag.timetable, "default_partition_mapper", None)).__name__,
            "start_date": None if dag.start_date is None else dag.start_date.isoformat(),
            "end_date": None if dag.end_date is None else dag.end_date.isoformat(),
            "failure_callbacks": [type(callback).__name__ for callback in _listed(dag.on_failure_callback)],
            "params": {name: dag.params.get_param(name).schema for name in dag.params},
            "tasks": {
                task.task_id: {
                    "owner": task.owner,
                    "retries": task.retries,
                    "policy": type(task.retry_policy).__name__,
                    "trigger_rule": str(task.trigger_rule),
                    "upstream": sorted(task.upstream_task_ids),
                    "outlets": [asset.name for asset in task.outlets],
                    "display_name": task.task_display_name,
                    "logs_what_it_returns": getattr(task, "show_return_value_in_logs", False),
                    "is_mapped": task.is_mapped,
                    "map_index_template": getattr(task, "map_index_template", None),
                }
                for task in dag.topological_sort()  # type: ignore[no-untyped-call]
            },
        }
        for dag in bag.dags.values()
    }
    heavy = [name for name in ("great_expectations", "altair", "vl_convert", "matplotlib") if name in sys.modules]
    json.dump({"import_errors": bag.import_errors, "dags": dags, "heavy": heavy}, sys.stdout)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


if __name__ == "__main__":
    main()
