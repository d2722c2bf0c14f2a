"""The application of the text server: its routers behind keys, with metrics, health and a limit of bodies.

A router comes from the `api.py` of its package; `_routers` is the one place that names them.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import ceil
from time import perf_counter
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client.exposition import generate_latest
from pydantic import BaseModel
from redis import RedisError
from starlette.exceptions import HTTPException

from features.settings import Settings
from models.text.embedding import embed
from serving.access.body_limit import BodyLimit
from serving.access.keys import Forbidden, Key, Keys, Unknown, bearer
from serving.access.limits import Buckets, TooMany
from serving.access.scopes import Scope
from serving.campaigns import api as campaigns
from serving.content import api as content
from serving.conversations import api as conversations
from serving.conversations.metrics import REGISTRY as OF_CONVERSATIONS
from serving.images import api as images
from serving.listening import api as listening
from serving.texts.classifier import ReleasedClassifier
from serving.texts.health import readiness, ready, running
from serving.texts.metrics import REGISTRY, REQUESTS

log = logging.getLogger("adloop.texts")

#: Largest request body in bytes.
BODY_LIMIT = 2 * 1024 * 1024


class TextError(BaseModel):
    """What is wrong with a request; `field` is the invalid one."""

    error: str
    field: str | None = None


def _routers(settings: Settings, classifier: ReleasedClassifier) -> Iterator[APIRouter]:
    """The routers of all parts."""
    yield content.router(settings)
    yield conversations.router(settings, classifier)
    yield listening.router(settings, classifier, embed)


def make_app(settings: Settings) -> FastAPI:
    """The application."""
    classifier = ReleasedClassifier(settings)
    checks = readiness(settings, classifier)
    app = FastAPI(title="adloop texts", version="1", docs_url=None, redoc_url=None, lifespan=running(checks))
    app.middleware("http")(_measured)
    access = Access(settings)
    app.add_middleware(BodyLimit, limit=access.body_limit)
    for kind, answer in _REFUSALS.items():
        app.add_exception_handler(kind, answer)
    for router in _routers(settings, classifier):
        app.include_router(router, dependencies=[Depends(access.of("texts"))], responses=_ERRORS)
    app.include_router(images.router(settings), dependencies=[Depends(access.of("images"))], responses=_ERRORS)
    app.include_router(campaigns.router(settings, access.of), responses=_ERRORS)
    app.add_api_route("/health/live", _live, include_in_schema=False)
    app.add_api_route("/health/ready", ready(checks), include_in_schema=False)
    app.add_api_route("/metrics", _metrics, dependencies=[Depends(access.of("metrics"))], include_in_schema=False)
    _secured(app)
    return app


class Access:
    """Authenticates, authorizes and rate-limits requests."""

    def __init__(self, settings: Settings) -> None:
        self._keys, self._buckets = Keys(settings), Buckets()

    def of(self, scope: Scope) -> Callable[[Request], Key]:
        """A dependency that needs a key with this scope."""

        def key(request: Request) -> Key:
            found = self._keys.check(bearer(request.headers.get("authorization", "")), scope)
            self._buckets.take(found, 1)
            return found

        return key

    def body_limit(self, request: Mapping[str, Any]) -> int:
        """Most bytes of a request: more for pictures, of those who may send them, as a body is read before its key."""
        if not request["path"].startswith(f"{images.PREFIX}/"):
            return BODY_LIMIT
        given = bearer(dict(request["headers"]).get(b"authorization", b"").decode("latin-1"))
        return images.BODY_LIMIT if "images" in self._keys.scopes(given) else BODY_LIMIT


async def _measured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    started = perf_counter()
    response = await call_next(request)
    route = request.scope.get("route")
    REQUESTS.labels(getattr(route, "path", "unknown"), str(response.status_code)).observe(perf_counter() - started)
    response.headers["cache-control"] = "no-store"
    response.headers["x-content-type-options"] = "nosniff"
    return response


async def _live() -> dict[str, bool]:
    return {"alive": True}


async def _metrics() -> Response:
    told = generate_latest(REGISTRY) + generate_latest(OF_CONVERSATIONS)
    return Response(told, media_type="text/plain; version=0.0.4")


async def _unknown(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 401, {"www-authenticate": "Bearer"})


async def _forbidden(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 403)


async def _too_many(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 429, {"retry-after": str(ceil(cast(TooMany, error).wait_s))})


async def _away(request: Request, error: Exception) -> Response:
    log.error("a store is away: %s: %s", type(error).__name__, error)
    told = "the store of this server cannot be reached; /health/ready has the reason"
    return JSONResponse({"error": told}, 503, {"retry-after": "30"})


async def _refused(request: Request, error: Exception) -> Response:
    """What a route refuses, and what no route answers."""
    refusal = cast(HTTPException, error)
    return JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Names the first invalid field, what was expected, and a short form of what was received."""
    first = cast(RequestValidationError, error).errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    got = repr(first.get("input"))
    shown = got if len(got) <= 80 else f"{got[:77]}..."
    return JSONResponse(
        {"error": f"{field}: {first['msg'].removeprefix('Value error, ')}, got {shown}", "field": field}, 422
    )


_REFUSALS: dict[type[Exception], Any] = {
    Unknown: _unknown,
    Forbidden: _forbidden,
    TooMany: _too_many,
    RedisError: _away,
    sqlite3.OperationalError: _away,
    HTTPException: _refused,
    RequestValidationError: _invalid,
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": TextError, "description": description}
    for status, description in {
        401: "The key is missing or unknown.",
        403: "The key lacks the scope.",
        413: "The body is too large.",
        415: "The body is of a kind that is not read.",
        422: "A field is missing, unknown or invalid; the answer names it.",
        429: "The key's rate limit is reached; retry after `retry-after` seconds.",
        503: "The classifier, a store or the brand list is missing; the answer names it.",
    }.items()
}


#: Of paths that need another scope than `texts`.
_SCOPES: dict[str, Scope] = {campaigns.PREFIX: "campaigns", images.PREFIX: "images"}


def _secured(app: FastAPI) -> None:
    """Declare the keys in the OpenAPI document."""
    make = app.openapi

    def document() -> dict[str, Any]:
        found = make()
        scheme = {"type": "http", "scheme": "bearer", "description": "Key made by `adloop key`."}
        found.setdefault("components", {}).setdefault("securitySchemes", {})["key"] = scheme
        for path, route in found["paths"].items():
            scope = next((scope for prefix, scope in _SCOPES.items() if path.startswith(prefix)), "texts")
            for operation in route.values():
                operation["security"] = [{"key": [scope]}]
        return found

    app.openapi = document  # type: ignore[method-assign]
