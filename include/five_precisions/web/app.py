"""The app that Airflow's API server mounts: our pages behind Airflow's login (docs/desk.md#pages).

A plugin's app is open to the world unless it says otherwise. Here every route wants a user whom Airflow knows, and each
router says what that user must be allowed. FastAPI's own pages, which would list the routes to anybody, are off.
Nothing is read when this is imported: settings that are wrong break a page, not the server.
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import get_user
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

from five_precisions.errors import FivePrecisionsError
from five_precisions.web import (
    bulletins,
    cases,
    drafts,
    figure_proof,
    figures,
    history,
    inspections,
    institutions,
    messages,
    quality,
    ranked_bank,
    ranking,
    reporting,
    restated,
    scheme_trial,
    self_check,
    tabs,
    today,
)
from five_precisions.web.access import FROM_ELSEWHERE
from five_precisions.web.limits import BusyError, RequestLimits
from five_precisions.web.page import (
    SECURITY_HEADERS,
    Choice,
    FollowedFromElsewhereError,
    NotThereError,
    assets,
    sentence_page,
)

logger = logging.getLogger(__name__)
# Looking up the schema's revision for each page says nothing to who reads the API server's log.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)

_SENTENCES = {
    status.HTTP_403_FORBIDDEN: "您没有查看或操作这个页面的权限，请与系统管理员联系。",
    status.HTTP_404_NOT_FOUND: "没有这个页面。",
    status.HTTP_405_METHOD_NOT_ALLOWED: "这个网址不能这样使用，请从页面进入。",
}
_ROUTERS = (
    today.router,
    reporting.router,
    ranking.router,
    ranked_bank.router,
    scheme_trial.router,
    figure_proof.router,
    restated.router,
    figures.router,
    inspections.router,
    cases.router,
    messages.router,
    bulletins.router,
    quality.router,
    institutions.router,
    self_check.router,
    history.router,
    drafts.router,
    tabs.router,
)


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
            NotThereError: _answer_not_there,
            FollowedFromElsewhereError: _answer_from_elsewhere,
            BusyError: _answer_busy,
            FivePrecisionsError: _answer_failure,
            Exception: _answer_failure,
        },
    )
    made.add_middleware(RequestLimits)
    made.add_api_route("/", lead_to_first_page, methods=["GET"])
    made.add_api_route("/assets/{name}", serve_asset, methods=["GET"])
    for router in _ROUTERS:
        for path in _only_posted(router):
            made.add_api_route(path, lead_to_form, methods=["GET"], dependencies=router.dependencies)
    for router in _ROUTERS:
        made.include_router(router)
    return made


def _only_posted(router: APIRouter) -> list[str]:
    """Addresses of a router that forms are sent to, and that are no pages."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    pages = {route.path for route in routes if "GET" in route.methods}
    return [route.path for route in routes if route.path not in pages]


def lead_to_form(request: Request) -> Response:
    """From where a form is sent to, which a browser shows after a refused one, to the page that has the form."""
    page = request.url.path.rpartition("/")[0]
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(page + query, headers=dict(SECURITY_HEADERS))


def lead_to_first_page(request: Request) -> Response:
    """The entry in Airflow's navigation leads to the page that ops open every morning."""
    return RedirectResponse(f"{request.scope['root_path']}/today", headers=dict(SECURITY_HEADERS))


def serve_asset(name: str) -> Response:
    """The style sheet or the script; its address changes with its content, so a browser keeps it."""
    asset = assets().get(name)
    if asset is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    headers = {**SECURITY_HEADERS, "Cache-Control": "private, max-age=31536000, immutable"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)


async def _answer_refusal(request: Request, error: Exception) -> Response:
    """To the login who is not logged in; to everybody else one sentence."""
    if not isinstance(error, StarletteHTTPException):
        raise error
    if _is_logged_out(error):
        if "text/html" not in request.headers.get("accept", ""):
            # A program, not a person: as Airflow's own API answers.
            return JSONResponse({"detail": error.detail}, error.status_code, headers=dict(SECURITY_HEADERS))
        # As Airflow's own pages do it. What was to be sent is not sent again by itself: the page is shown anew.
        query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
        wanted = urlencode({"next": request.url.path + query})
        return RedirectResponse(
            f"{request.base_url.path}api/v2/auth/login?{wanted}",
            status.HTTP_307_TEMPORARY_REDIRECT if request.method == "GET" else status.HTTP_303_SEE_OTHER,
            headers=dict(SECURITY_HEADERS),
        )
    ours = isinstance(error, HTTPException) and (
        error.status_code == status.HTTP_404_NOT_FOUND or error.detail == FROM_ELSEWHERE
    )
    words = _SENTENCES.get(error.status_code, "这个页面打不开。")
    if ours and error.detail != "Not Found":
        words = str(error.detail)
    return sentence_page(words, error.status_code, request.scope["root_path"], _first_page(request))


async def _answer_not_there(request: Request, error: Exception) -> Response:
    """What there is not, and what there is."""
    if not isinstance(error, NotThereError):
        raise error
    choices = error.choices or _first_page(request)
    return sentence_page(error.words, status.HTTP_404_NOT_FOUND, request.scope["root_path"], choices)


async def _answer_from_elsewhere(request: Request, _: Exception) -> Response:
    """A link in a mail may lead to a file, too: from this page of ours the same address saves it."""
    own = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    words = "这个文件还没有下载：谁下载了文件会记入操作记录，请点下面的链接下载。"
    choices = [Choice("下载文件", own), *_first_page(request)]
    return sentence_page(words, status.HTTP_200_OK, request.scope["root_path"], choices)


async def _answer_busy(request: Request, error: Exception) -> Response:
    """The server does as much of this as it can at once."""
    return sentence_page(
        str(error), status.HTTP_503_SERVICE_UNAVAILABLE, request.scope["root_path"], _first_page(request)
    )


def _first_page(request: Request) -> list[Choice]:
    return [Choice("回到今日", f"{request.scope['root_path']}/today")]


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
        request.scope["root_path"],
    )


app = make_app()
