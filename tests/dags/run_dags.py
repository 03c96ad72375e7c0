"""Runs the named DAGs by `dag.test()` on an Airflow of its own, in AIRFLOW_HOME; prints each run's states as JSON."""

from __future__ import annotations

import importlib.util
import json
import sys

from airflow.configuration import conf
from airflow.utils.db import initdb


def main(names: list[str]) -> None:
    initdb()
    folder = conf.get("core", "dags_folder")
    states: list[dict[str, str]] = []
    for name in names:
        spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        run = module.dag.test()
        states.append({task.task_id: str(task.state) for task in run.get_task_instances()} | {name: str(run.state)})
    sys.stdout.write("\n" + json.dumps(states) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
