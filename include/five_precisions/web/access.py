"""Who may see a page and who may act on it: what Airflow says of its users (docs/desk.md#pages).

A viewer sees: whoever may read the runs of the DAG that a page is about. Ops act: whoever may change Airflow's
variables, which the roles Op and Admin may under both auth managers, and User and Viewer may not.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails, VariableDetails
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag, requires_access_variable
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request, status

COLLECTION: Final = "monthly_collection"
ASSESSMENT: Final = "monthly_assessment"
BULLETIN: Final = "quarterly_bulletin"
RESTATEMENT: Final = "restatement"
FROM_ELSEWHERE: Final = "这个请求不是从本系统的页面发出的，没有执行。"

User = Annotated[BaseUser, Depends(get_user)]


def sees_runs(dag_id: str) -> Any:
    """A dependency: the user may read runs of the DAG, and so what came of them."""
    return Depends(requires_access_dag("GET", DagAccessEntity.RUN, dag_id))


def is_of_ops() -> Any:
    """A dependency: the user is of ops."""
    return Depends(requires_access_variable("PUT"))


def acts() -> list[Any]:
    """Dependencies of every route that changes something: the user is of ops, and asks from a page of ours."""
    return [is_of_ops(), Depends(require_same_origin)]


def triggers(dag_id: str) -> Any:
    """A dependency: the user may trigger the DAG in Airflow, so a page of ours may do it for them."""
    return Depends(requires_access_dag("POST", DagAccessEntity.RUN, dag_id))


def may_trigger(user: BaseUser, dag_id: str) -> bool:
    """Whether the user may trigger the DAG in Airflow."""
    manager, details = get_auth_manager(), DagDetails(id=dag_id)
    return bool(manager.is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user))


def may_act(user: BaseUser) -> bool:
    """Whether the user is of ops: a page shows its forms to no other."""
    return bool(get_auth_manager().is_authorized_variable(method="PUT", details=VariableDetails(), user=user))


def require_same_origin(request: Request) -> None:
    """Refuse what another site makes a browser send in the name of whoever is logged in.

    A browser says by `Sec-Fetch-Site`, or by `Origin` where it is older, which page has sent a form. What says neither
    is no browser; it needs the form's signed key all the same (web/actions.py).

    Raises:
        HTTPException: 403, it comes from elsewhere.
    """
    came_from, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = {request.headers.get("host"), urlsplit(conf.get("api", "base_url", fallback="")).netloc} - {None, ""}
    if came_from not in (None, "same-origin") or (came_from is None and origin and urlsplit(origin).netloc not in own):
        raise HTTPException(status.HTTP_403_FORBIDDEN, FROM_ELSEWHERE)
