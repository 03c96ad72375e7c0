"""Registers with Airflow our pages, tabs beside its own, and what we add to how it answers."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

_TABS = "five-precisions/tabs"


class FivePrecisionsPlugin(AirflowPlugin):
    """The pages under /five-precisions; of several answers to an approval the first stands; when months are late.

    Each is imported where Airflow asks for it: every process loads plugins, each task too, and only the API server
    imports a web app.
    """

    name = "five_precisions"
    # Airflow's pages have its own address as their base, so the addresses begin without a slash.
    external_views = [  # noqa: RUF012 - as Airflow's own class has it
        {"name": "五个精准", "href": "five-precisions/today", "destination": "nav", "url_route": "five-precisions"},
        {
            "name": "五个精准",
            "href": f"{_TABS}/runs/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "five-precisions-run",
        },
        {
            "name": "五个精准",
            "href": f"{_TABS}/tasks/{{DAG_ID}}/{{RUN_ID}}/{{TASK_ID}}/{{MAP_INDEX}}",
            "destination": "task_instance",
            "url_route": "five-precisions-task",
        },
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Our pages."""
        from five_precisions.web.app import app

        return [{"app": app, "url_prefix": "/five-precisions", "name": "Five Precisions"}]

    @property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:
        """What looks at answers to approvals."""
        from five_precisions.web.first_answer import FirstAnswerMiddleware, keep_first_answer

        keep_first_answer()
        return [{"middleware": FirstAnswerMiddleware, "name": "The first answer stands"}]

    @property
    def deadline_references(self) -> list[Any]:
        """From what moments the monthly runs are due; whoever reads a DAG or makes a run asks for them."""
        from five_precisions.orchestration.due_moments import MOMENTS

        return list(MOMENTS)
