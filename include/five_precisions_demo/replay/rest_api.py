"""Airflow's REST API, as a person's browser uses it."""

from __future__ import annotations

from typing import Any

import httpx

from five_precisions_demo.stack import Site


class Airflow:
    """Airflow's REST API, as a user of the stack."""

    def __init__(self, site: Site, user: str) -> None:
        # Never by way of a proxy that the caller's environment names.
        self._client = httpx.Client(base_url=site.url, timeout=30, trust_env=False)
        answer = self._client.post("/auth/token", json={"username": user, "password": site.password(user)})
        self._client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def dags(self) -> set[str]:
        """Identifiers of the DAGs that are parsed."""
        return {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}

    def unpause(self) -> None:
        """Let all DAGs run."""
        body = {"is_paused": False}
        self._client.patch("/api/v2/dags", params={"dag_id_pattern": "~"}, json=body).raise_for_status()

    def import_error(self) -> str | None:
        """File and last line of a DAG file that does not import."""
        for error in self._get("/importErrors")["import_errors"]:
            return f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
        return None

    def runs(self) -> list[dict[str, Any]]:
        """Every run."""
        return list(self._get("/dags/~/dagRuns", limit=100)["dag_runs"])

    def failed_tasks(self, run: dict[str, Any]) -> list[str]:
        """The tasks that failed in a run."""
        path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return sorted({task["task_id"] for task in self._get(path, state="failed", limit=100)["task_instances"]})

    def waiting_approvals(self) -> list[dict[str, Any]]:
        """The tasks that wait for a person."""
        found = self._get("/dags/quarterly_bulletin/dagRuns/~/hitlDetails", response_received=False)["hitl_details"]
        return [detail["task_instance"] for detail in found if detail["task_instance"]["state"] == "awaiting_input"]

    def approve(self, task: dict[str, Any], remark: str) -> bool:
        """Approve with a remark; whether Airflow took it."""
        answer = self._client.patch(
            f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}"
            f"/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails",
            json={"chosen_options": ["Approve"], "params_input": {"remark": remark}},
        )
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        answer.raise_for_status()
        return True

    def _get(self, path: str, **params: str | int | bool) -> dict[str, Any]:
        answer = self._client.get(f"/api/v2{path}", params=params).raise_for_status().json()
        return dict(answer)
