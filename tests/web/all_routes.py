"""Every route of the pages with an address that a test can ask for, and what each role gets there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi.routing import APIRoute

from five_precisions.web.app import app
from tests.web.conftest import PREFIX

VALUES: Final[Mapping[str, str]] = {
    "case_id": "A01-C02-5d18365b1757",
    "code": "B01",
    "code_of_metric": "loan_balance",
    "dag_id": "monthly_collection",
    "draft": "1",
    "ending": "csv",
    "map_index": "0",
    "name": "desk.css",
    "number": "2019-06-B01-1",
    "path": "2019-06/index.html",
    "quarter": "2019-Q2",
    "rule": "L01",
    "run_id": "manual",
    "task_id": "collect",
}
"""A value for each part of an address that varies."""
SEES: Final = ("viewer", "user", "op", "admin")
ACTS: Final = ("op", "admin")
OF_EVERYBODY: Final = (f"GET {PREFIX}/", f"GET {PREFIX}/assets/")
"""What whoever is logged in gets: the way to the first page, and how the page looks that refuses the rest."""
OF_OPS: Final = (f"GET {PREFIX}/ranking/trial",)
"""What is only looked at, and costs the server too much for everybody."""
REFUSED: Final = frozenset({401, 403})


def routes() -> Iterator[tuple[str, str]]:
    """Method and address of every route."""
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is no route of ours"
        for method in sorted(route.methods):
            yield method, PREFIX + route.path_format.format(**VALUES)


def wrong_answers(answers: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What is not as it should be.

    Args:
        answers: By `METHOD address` and role, the status that was answered; of a stranger too, and of one without role.
    """
    wrong = []
    for route, by_role in answers.items():
        allowed = SEES if route.startswith("GET ") and route not in OF_OPS else ACTS
        if route == OF_EVERYBODY[0] or route.startswith(OF_EVERYBODY[1]):
            allowed = (*SEES, "none")
        for role, status in by_role.items():
            is_right = status not in REFUSED and status < 500 if role in allowed else status in REFUSED
            if not is_right:
                wrong.append(f"{route}: {role} gets {status}")
    return wrong


def ask_all(browsers: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What each role is answered on each route, as a program that follows nothing."""
    return {
        f"{method} {address}": {
            role: client.request(method, address, headers={"Accept": "*/*"}).status_code
            for role, client in browsers.items()
        }
        for method, address in routes()
    }
