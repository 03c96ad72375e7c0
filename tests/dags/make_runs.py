"""Makes runs of the monthly DAGs as the scheduler does, on an Airflow in AIRFLOW_HOME; prints when each is late (JSON).

Takes the months. Of each run it also clears a task, and lets the last run miss its deadline.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.callback import Callback
from airflow.models.dagrun import DagRun
from airflow.models.deadline import Deadline
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import clear_task_instances
from airflow.sdk.timezone import utcnow
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from five_precisions.settings import ROOT

DAGS = ("monthly_assessment", "monthly_collection")


def main(months: list[str]) -> None:
    initdb()
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(str(ROOT / "dags"), bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    made: list[dict[str, Any]] = []
    for dag_id in DAGS:
        for month in months:
            with create_session() as session:
                model = SerializedDagModel.get(dag_id, session=session)
                assert model is not None
                run = model.dag.create_dagrun(
                    run_id=f"{dag_id}-{month}",
                    run_type=DagRunType.MANUAL,
                    run_after=utcnow(),
                    partition_key=month,
                    state=DagRunState.QUEUED,
                    triggered_by=DagRunTriggeredByType.TEST,
                    session=session,
                )
                run.dag = model.dag
                run.verify_integrity(session=session, dag_version_id=run.created_dag_version_id)
                session.flush()
                clear_task_instances(run.get_task_instances(session=session), session)
                due = [
                    each.deadline_time.isoformat() for each in session.scalars(select(Deadline)) if each.dagrun == run
                ]
                made.append({"dag": dag_id, "month": month, "made": run.queued_at.isoformat(), "late_at": due})
    with create_session() as session:
        for deadline in session.scalars(select(Deadline).join(DagRun).where(DagRun.run_id.endswith(months[-1]))):
            deadline.handle_miss(session)
    with create_session() as session:
        missed = [each.data | {"state": str(each.state)} for each in session.scalars(select(Callback)) if each.trigger]
    sys.stdout.write(
        "\n" + json.dumps({"import_errors": bag.import_errors, "runs": made, "missed": missed}, default=str)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
