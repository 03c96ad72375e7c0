"""Registers our pages with Airflow's API server."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class FivePrecisionsPlugin(AirflowPlugin):
    """The pages under /five-precisions."""

    name = "five_precisions"

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Asked for by the API server only: every process loads plugins, each task too, and imports no web app."""
        from five_precisions.web.app import app

        return [{"app": app, "url_prefix": "/five-precisions", "name": "Five Precisions"}]
