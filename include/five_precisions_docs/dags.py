"""docs/reference/dags.md: every DAG with its tasks, and what it says of itself in Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from five_precisions.settings import PREFIX
from five_precisions_docs.page import code, linked, page, table


def read_dags(folder: Path, **variables: str) -> dict[str, Any]:
    """What Airflow makes of our DAG files, read in a process of its own.

    Args:
        folder: Empty; Airflow's home and `var` are made there.
        variables: More of the process's environment, which otherwise knows nothing of this installation.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "AIRFLOW"))}
    environment |= {"AIRFLOW_HOME": str(folder / "airflow"), PREFIX + "VAR": str(folder / "var"), **variables}
    # -P: the modules beside the script are not to be taken for others of their names.
    command = [sys.executable, "-P", str(Path(__file__).with_name("describe_dags.py"))]
    # No word of the command comes from outside.
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    described: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return described


def dags_page(dags: Mapping[str, Mapping[str, Any]]) -> str:
    """The page: a heading for each DAG, by id.

    Args:
        dags: The DAGs by id, as `read_dags` describes them.
    """
    blocks: list[str] = []
    for dag_id, dag in sorted(dags.items()):
        blocks += [
            f"## {dag_id}",
            f"{dag['display_name']}: {dag['description']}",
            f"Schedule: {_schedule(dag)}.",
            table(
                ["task", "name", "after", "emits"],
                [
                    [
                        code(task_id) + (" (several)" if task["is_mapped"] else ""),
                        task["display_name"],
                        ", ".join(map(code, task["upstream"])),
                        ", ".join(map(code, task["outlets"])),
                    ]
                    for task_id, task in dag["tasks"].items()
                ],
            ),
            linked(dag["doc_md"]),
        ]
    return page(
        "DAGs",
        "the files in `dags/`, as Airflow reads them",
        "Why they are cut so: [architecture.md](../architecture.md#dags). What to do when one is red also stands in"
        " Airflow, under *Docs* of the DAG.",
        *blocks,
    )


def _schedule(dag: Mapping[str, Any]) -> str:
    """When it runs, in words.

    Raises:
        LookupError: it runs by a timetable for which there are no words yet.
    """
    clock = f"`{dag['expression']}`, {dag['timezone']}"
    match dag["schedule"], dag["mapper"]:
        case "CronTriggerTimetable", _:
            return f"{clock}; never in a replay"
        case "CronPartitionTimetable", _:
            return f"{clock}, for the month before"
        case "PartitionedAssetTimetable", "IdentityMapper":
            return f"when the asset `{dag['asset']}` of a month is emitted"
        case "PartitionedAssetTimetable", "RollupMapper":
            return f"when the asset `{dag['asset']}` of all three months of a quarter is emitted"
        case "NullTimetable", _:
            return "none; asked for"
    raise LookupError(f"There are no words for the timetable {dag['schedule']} with the mapper {dag['mapper']}.")
