"""Prints what Airflow makes of our plugins folder, as JSON; in a process of its own, for Airflow loads plugins once."""

from __future__ import annotations

import json
import sys

from airflow import plugins_manager

HEAVY = ("altair", "apprise", "great_expectations", "pandas", "vl_convert")


def main() -> None:
    plugins, errors = plugins_manager._get_plugins()
    loaded = "five_precisions.web.app" in sys.modules
    before = set(sys.modules)
    apps, middlewares = plugins_manager.get_fastapi_plugins()
    views, _ = plugins_manager._get_ui_plugins()
    described = {
        "errors": errors,
        "loads_the_app_at_once": loaded,
        "plugins": [plugin.name for plugin in plugins if "$PLUGINS_FOLDER" in str(plugin.source)],
        "apps": [[app["name"], app["url_prefix"], app["app"].title] for app in apps],
        "views": [[view["destination"], view["href"]] for view in views],
        "middlewares": [middleware["name"] for middleware in middlewares],
        "due_moments": [path.rpartition(".")[2] for path in plugins_manager.get_deadline_references_plugins()],
        "info": [plugin for plugin in plugins_manager.get_plugin_info() if plugin["name"] == "five_precisions"],
        "heavy": [name for name in HEAVY if name in sys.modules and name not in before],
    }
    print(json.dumps(described, default=str))  # noqa: T201


if __name__ == "__main__":
    main()
