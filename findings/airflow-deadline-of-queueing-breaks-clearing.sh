#!/usr/bin/env bash
# A task cannot be cleared while its run has a deadline that is reckoned from when it was queued.
#
# Versions:   apache-airflow-core 3.3.2
# Behaviour:  Where a DAG has a DeadlineAlert with DeadlineReference.DAGRUN_QUEUED_AT, a clear reckons its deadlines anew.
#             The interval has become a serialized object, and is taken for a number there: TypeError. In the API and the
#             pages that is a 500, until the deadline has passed. A reference of one's own, which gives the time of its
#             call, is not reckoned anew and does no harm.
# Output seen:
#             DAGRUN_QUEUED_AT: TypeError: unsupported type for timedelta seconds component: dict
#             FIXED_DATETIME: cleared
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apache-airflow-core==3.3.2
mkdir "$folder/dags"
cat > "$folder/dags/late.py" <<'PYTHON'
from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference


async def callback():
    pass


def late(name, reference):
    alert = DeadlineAlert(reference=reference, interval=timedelta(hours=1), callback=AsyncCallback(callback))
    with DAG(name, schedule=None, deadline=alert) as dag:
        BaseOperator(task_id="task")
    return dag


queued = late("DAGRUN_QUEUED_AT", DeadlineReference.DAGRUN_QUEUED_AT)
fixed = late("FIXED_DATETIME", DeadlineReference.FIXED_DATETIME(datetime(2100, 1, 1, tzinfo=timezone.utc)))
PYTHON
cat > "$folder/show.py" <<'PYTHON'
import sys

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import clear_task_instances
from airflow.sdk.timezone import utcnow
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

initdb()
DagBundlesManager().sync_bundles_to_db()
sync_bag_to_db(DagBag(sys.argv[1], bundle_name="dags-folder"), "dags-folder", None)
found = []
for name in ("DAGRUN_QUEUED_AT", "FIXED_DATETIME"):
    with create_session() as session:
        dag = SerializedDagModel.get(name, session=session).dag
        run = dag.create_dagrun(
            run_id="run",
            run_type=DagRunType.MANUAL,
            run_after=utcnow(),
            state=DagRunState.QUEUED,
            triggered_by=DagRunTriggeredByType.TEST,
            session=session,
        )
        run.dag = dag
        run.verify_integrity(session=session, dag_version_id=run.created_dag_version_id)
        session.flush()
        try:
            clear_task_instances(run.get_task_instances(session=session), session)
            found.append("cleared")
        except TypeError as error:
            found.append(f"TypeError: {error}")
            session.rollback()
    print(f"{name}: {found[-1]}")
sys.exit(not found[0].startswith("TypeError") or found[1] != "cleared")
PYTHON
AIRFLOW_HOME="$folder/airflow" AIRFLOW__CORE__LOAD_EXAMPLES=false AIRFLOW__CORE__DAGS_FOLDER="$folder/dags" \
    AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR "$folder/venv/bin/python" "$folder/show.py" "$folder/dags"
