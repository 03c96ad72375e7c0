"""An API server around our app: Airflow's own users, tokens and database, in a folder of the tests."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from five_precisions.settings import PREFIX as ENVIRONMENT
from tests.airflow_home import pytest_unconfigure  # noqa: F401 - the import makes the home, the hook takes it away
from tests.mail_server import MailServer

with warnings.catch_warnings():
    # Airflow imports it, and starlette tells whoever does so first that another httpx is to come.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

PREFIX = "/five-precisions"

Login = Callable[[str | None], TestClient]


@pytest.fixture(scope="session")
def api_server() -> Iterator[FastAPI]:
    """What Airflow's API server is to a plugin: it mounts the app, keeps sessions alive, and knows the users."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "only-for-tests-" * 5)
        from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
        from airflow.api_fastapi.auth.middlewares.refresh_token import JWTRefreshMiddleware
        from airflow.utils.db import initdb

        from five_precisions.web.app import app

        initdb()
        init_auth_manager()
        server = FastAPI()
        server.mount(PREFIX, app)
        server.add_middleware(JWTRefreshMiddleware)
        yield server
        purge_cached_app()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """The pages keep a warehouse open; the test's own is gone after it."""
    yield
    from five_precisions.web.opened import close_installation

    close_installation()


@pytest.fixture
def login(api_server: FastAPI) -> Login:
    """A browser in which a user of that role is logged in; None = one without any role."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    def logged_in(role: str | None) -> TestClient:
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="reader", role=role))
        client = browser(api_server)
        client.cookies.set("_token", token)
        return client

    return logged_in


@pytest.fixture
def mail_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The mail server that the API server knows."""
    with MailServer(tmp_path / "mails") as server:
        monkeypatch.setenv(ENVIRONMENT + "MAIL", server.url)
        yield server


@pytest.fixture
def stranger(api_server: FastAPI) -> TestClient:
    """A browser in which nobody is logged in."""
    return browser(api_server)


def browser(api_server: FastAPI) -> TestClient:
    return TestClient(
        api_server,
        headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
        follow_redirects=False,
        # What a browser sees of an error, not where it came from.
        raise_server_exceptions=False,
    )
