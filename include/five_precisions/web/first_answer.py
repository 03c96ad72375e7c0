"""Of several answers to one approval the first stands (docs/decisions/human-approval.md#decision).

Airflow 3.3.2 locks the rows of an answer and then looks at what it read before the lock. So answers that come within
one moment all get 200, and the task goes on with the last. Here the row is read once more, under that lock. Whoever
comes later is told who was first, by a sentence in place of Airflow's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from fastapi import HTTPException, status
from sqlalchemy import event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import object_session

from five_precisions.period import SHANGHAI
from five_precisions.web.decision_words import DECISION_WORDS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

_ANSWER: Final = re.compile(
    r"/api/v2/dags/(?P<dag_id>[^/]+)/dagRuns/(?P<run_id>.+)"
    r"/taskInstances/(?P<task_id>[^/]+)/(?P<map_index>-?[0-9]+)/hitlDetails/?$"
)
"""Where Airflow takes an answer, below the path at which it stands."""
_DECIDED: Final = {"Approve": DECISION_WORDS["approved"], "Reject": DECISION_WORDS["rejected"]}
"""Airflow's options of an approval, as the sentence says them."""
_TOO_LATE: Final = "已有人先作出决定，以第一次的决定为准，您的这一次没有记录。"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The answer that stands."""

    by: str
    at: datetime
    options: list[str]

    def words(self) -> str:
        """The sentence for whoever comes later."""
        chosen = "、".join(_DECIDED.get(option, option) for option in self.options)
        at = self.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        return f"{self.by}已于{at}先作出决定（{chosen}），以第一次的决定为准，您的这一次没有记录。"


def keep_first_answer() -> None:
    """Have this process refuse an answer to what is answered, also where both come at once; calling it again is fine.

    It holds wherever Airflow writes an answer in this process. What clears an answer, for a new decision, passes.
    """
    if not event.contains(HITLDetail.responded_at, "set", _refuse_second):
        event.listen(HITLDetail.responded_at, "set", _refuse_second)


def _refuse_second(detail: HITLDetail, value: datetime | None, *_: object) -> None:
    """Called before Airflow writes when an answer came.

    Raises:
        HTTPException: 409, it is answered.
    """
    session = object_session(detail)
    if value is None or session is None:
        return
    with session.no_autoflush:
        # A column, not the object: what the session knows of that was read before Airflow's lock.
        first = session.scalar(select(HITLDetail.responded_at).where(HITLDetail.ti_id == detail.ti_id))
    if first is not None:
        raise HTTPException(status.HTTP_409_CONFLICT, _TOO_LATE)


class FirstAnswerMiddleware:
    """Names, to whoever answers too late, the person who was first; everything else passes as it is.

    Where that cannot be read, Airflow's own answer goes out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; of an answer that came too late, replace the refusal."""
        asked = _ANSWER.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PATCH" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        replaced = False

        async def pass_on(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == status.HTTP_409_CONFLICT:
                first = await asyncio.to_thread(_read_first, asked.groupdict())
                if first is not None:
                    replaced = True
                    for part in _refusal(first):
                        await send(part)
            if not replaced:
                await send(message)

        await self._app(scope, receive, pass_on)


def _read_first(asked: dict[str, str]) -> FirstAnswer | None:
    """The answer that stands; None where there is none, or Airflow's database does not say."""
    its_task = (
        (TaskInstance.dag_id == asked["dag_id"])
        & (TaskInstance.run_id == asked["run_id"])
        & (TaskInstance.task_id == asked["task_id"])
        & (TaskInstance.map_index == int(asked["map_index"]))
    )
    columns = select(HITLDetail.responded_by, HITLDetail.responded_at, HITLDetail.chosen_options)
    try:
        with create_session(scoped=False) as session:
            row = session.execute(
                columns.join(TaskInstance, HITLDetail.ti_id == TaskInstance.id).where(its_task)
            ).first()
    except SQLAlchemyError as error:
        logger.warning("Who was first cannot be said: %s", type(error).__name__)
        return None
    if row is None or row.responded_at is None:
        return None
    person: dict[str, Any] = row.responded_by or {}
    return FirstAnswer(person.get("name") or person.get("id") or "系统", row.responded_at, row.chosen_options or [])


def _refusal(first: FirstAnswer) -> list[Message]:
    """The answer 409, as Airflow's pages and programs read it."""
    body = json.dumps({"detail": first.words()}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return [
        {"type": "http.response.start", "status": status.HTTP_409_CONFLICT, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]
