"""The app that Airflow's API server mounts: our pages behind Airflow's login (docs/outputs.md#pages).

A plugin's app is open to the world unless it says otherwise. Here every route wants a user whom Airflow knows, and each
router says what that user must be allowed. FastAPI's own pages, which would list the routes to anybody, are off.
Nothing is read when this is imported: settings that are wrong break a page, not the server.
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from five_precisions.errors import FivePrecisionsError
from five_precisions.web import drafts
from five_precisions.web.page import SECURITY_HEADERS, sentence_page

logger = logging.getLogger(__name__)
# Looking up the schema's revision for each page says nothing to who reads the API server's log.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)

_SENTENCES = {
    status.HTTP_403_FORBIDDEN: "您没有查看这个页面的权限，请与系统管理员联系。",
    status.HTTP_404_NOT_FOUND: "没有这个页面。",
    status.HTTP_405_METHOD_NOT_ALLOWED: "这个页面只供查看。",
}


def make_app() -> FastAPI:
    """All pages, without anything read or opened."""
    made = FastAPI(
        title="Five Precisions",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(get_user)],
        exception_handlers={
            StarletteHTTPException: _answer_refusal,
            FivePrecisionsError: _answer_failure,
            Exception: _answer_failure,
        },
    )
    made.include_router(drafts.router)
    return made


async def _answer_refusal(request: Request, error: Exception) -> Response:
    """To the login who is not logged in; to everybody else one sentence."""
    if not isinstance(error, StarletteHTTPException):
        raise error
    if _is_logged_out(error):
        if "text/html" not in request.headers.get("accept", ""):
            # A program, not a person: as Airflow's own API answers.
            return JSONResponse({"detail": error.detail}, error.status_code, headers=dict(SECURITY_HEADERS))
        # As Airflow's own pages do it.
        wanted = urlencode({"next": request.url.path})
        return RedirectResponse(f"{request.base_url.path}api/v2/auth/login?{wanted}", headers=dict(SECURITY_HEADERS))
    ours = isinstance(error, HTTPException) and error.status_code == status.HTTP_404_NOT_FOUND
    words = error.detail if ours else _SENTENCES.get(error.status_code, "这个页面打不开。")
    return sentence_page(words, error.status_code)


def _is_logged_out(error: StarletteHTTPException) -> bool:
    """Whether Airflow knows no user of this request: none, one whose login has run out, or a forged one."""
    forged = error.status_code == status.HTTP_403_FORBIDDEN and error.detail == "Invalid JWT token"
    return error.status_code == status.HTTP_401_UNAUTHORIZED or forged


async def _answer_failure(request: Request, error: Exception) -> Response:
    """Log what went wrong, for it may name addresses; the page says whom to ask."""
    if isinstance(error, FivePrecisionsError):
        logger.error("%s cannot be shown: %s", request.url.path, error)
    else:
        logger.error("%s cannot be shown", request.url.path, exc_info=error)
    return sentence_page(
        "页面暂时打不开：系统设置有误，或数据库、发件箱连接不上；原因记在 API 服务器的日志里，请与运维人员联系。",
        status.HTTP_503_SERVICE_UNAVAILABLE,
    )


app = make_app()
