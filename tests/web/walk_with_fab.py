"""Prints what each role of Airflow's FAB auth manager is answered on every route, as JSON.

In a process of its own: an auth manager is chosen once.
"""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")

ROLES = {"Public": "none", "Viewer": "viewer", "User": "user", "Op": "op", "Admin": "admin"}
"""FAB's roles, and what the test calls them."""


def main() -> None:
    from airflow.api_fastapi.app import get_auth_manager, init_auth_manager
    from airflow.providers.fab.www.app import create_app
    from airflow.utils.db import initdb
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from five_precisions.web.app import app
    from tests.web.all_routes import ask_all
    from tests.web.conftest import PREFIX

    initdb()
    init_auth_manager()
    flask = create_app(enable_plugins=False)
    browsers = {}
    server = FastAPI()
    server.mount(PREFIX, app)
    with flask.app_context():
        manager = flask.appbuilder.sm
        manager.sync_roles()
        for role, name in ROLES.items():
            user = manager.add_user(name, name, name, f"{name}@example.test", manager.find_role(role), password=name)
            client = TestClient(server, follow_redirects=False, raise_server_exceptions=False)
            client.cookies.set("_token", get_auth_manager().generate_jwt(user))
            browsers[name] = client
        browsers["stranger"] = TestClient(server, follow_redirects=False, raise_server_exceptions=False)
        answers = ask_all(browsers)
    print(json.dumps(answers))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
