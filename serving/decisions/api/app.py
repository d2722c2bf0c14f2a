"""HTTP routes: authenticate, parse, answer, and map exceptions to status codes."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import Any, get_args

import orjson
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from serving.access.keys import Forbidden, Key, Keys, Unknown, bearer
from serving.access.limits import Buckets, TooMany
from serving.access.scopes import Scope
from serving.decisions.api import openapi, requests
from serving.decisions.api.batcher import Batcher, Overloaded
from serving.decisions.api.intake import FeedbackAway
from serving.decisions.api.requests import Invalid, NotJson, Outcome
from serving.decisions.feedback import Observed, Status
from serving.decisions.kinds import kinds
from serving.decisions.metrics import REQUESTS, exposed, observe
from serving.decisions.records import Decision, Opportunity, Override
from serving.decisions.state.store import Store, StoreUnavailable
from serving.inference.outcomes import Labels
from serving.records.writer import LogUnavailable

#: Largest request body in bytes: a thousand opportunities with a hundred features each.
BODY_LIMIT = 4 * 1024 * 1024
#: Responses must not be cached, nor interpreted as a page.
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]

Answer = tuple[int, Any, Mapping[str, str]]


class TooLarge(ValueError):
    """The request body exceeds the limit."""


@dataclass(frozen=True)
class Backend:
    """Dependencies of the routes.

    Attributes:
        status: returns `(ready, details)` of the endpoint.
    """

    keys: Keys
    buckets: Buckets
    decide: Batcher[Opportunity, Decision]
    outcomes: Batcher[Outcome, Status]
    store: Store
    status: Callable[[], tuple[bool, dict[str, Any]]]
    close: Callable[[], None]


#: Status, body and headers.
Encoded = tuple[int, bytes, list[tuple[bytes, bytes]]]
Handler = Callable[[Request], Awaitable[Encoded]]


class App(FastAPI):
    """Dispatches known routes directly. FastAPI serves the rest: the OpenAPI document, 404 and 405.

    FastAPI's middleware and routing would take a third of the time of a decision.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.handlers: dict[tuple[str, str], Handler] = {}

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        handle = self.handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handle is None:
            await super().__call__(scope, receive, send)
            return
        status, content, headers = await handle(Request(scope, receive))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def make_app(backend: Backend) -> FastAPI:
    """The application. Closes its dependencies on shutdown."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(backend.close)

    app = App(title="adloop decisions", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    for route in openapi.ROUTES:
        handle = _handler(route.path, _ANSWERS[route.path], route.scope, backend)
        app.handlers[route.method, route.path] = handle
        app.add_api_route(
            route.path,
            handle,
            methods=[route.method],
            summary=route.summary,
            response_class=Response,
            response_model=None,
            deprecated=route.deprecated or None,
            name=route.name,
            operation_id=route.name,
        )
    app.openapi = openapi.completed(app)  # type: ignore[method-assign]
    return app


def _handler(path: str, answer: Callable[..., Awaitable[Answer]], scope: Scope | None, backend: Backend) -> Handler:
    async def handle(request: Request) -> Encoded:
        started = perf_counter()
        try:
            key = None if scope is None else backend.keys.check(bearer(request.headers.get("authorization", "")), scope)
            status, body, headers = await answer(request, backend, key)
        except Exception as error:
            status, body, headers = _error_response(error)
        observe(REQUESTS.labels(path, str(status)), perf_counter() - started)
        content, kind = (
            (body, b"text/plain; version=0.0.4; charset=utf-8")
            if isinstance(body, bytes)
            else (orjson.dumps(body), _JSON)
        )
        own = [(name.encode(), value.encode()) for name, value in headers.items()] if headers else ()
        about = [*_HEADERS, (b"content-type", kind), (b"content-length", b"%d" % len(content)), *own]
        return status, content, about

    return handle


_JSON = b"application/json"


async def _decide(request: Request, backend: Backend, key: Key) -> Answer:
    opportunities, batch = requests.opportunities(requests.parsed(await _body(request)))
    key.need(
        {one.account_id for one in opportunities},
        (name for one in opportunities for name in kinds()[one.asked].families),
    )
    backend.buckets.take(key, len(opportunities))
    decisions: Sequence[Decision] = await backend.decide.ask(opportunities)
    return 200, {"decisions": decisions} if batch else decisions[0], {}


async def _outcomes(request: Request, backend: Backend, key: Key) -> Answer:
    outcomes = requests.outcomes(requests.parsed(await _body(request)))
    labels = [one for one in outcomes if isinstance(one, Labels)]
    # Labels are about customers, who belong to no account.
    accounts = {one.account_id for one in outcomes if isinstance(one, Observed)} | ({None} if labels else set())
    key.need(accounts, {one.family for one in labels})
    backend.buckets.take(key, len(outcomes))
    counts = Counter(await backend.outcomes.ask(outcomes))
    return 200, {status: counts[status] for status in get_args(Status)}, {}


async def _campaign(request: Request, backend: Backend, key: Key) -> Answer:
    values = requests.CAMPAIGN.read(requests.parsed(await _body(request)))
    key.need([values["account_id"]])
    await asyncio.to_thread(
        backend.store.configure, values["account_id"], values["campaign_id"], requests.campaign_settings(values)
    )
    return 200, values, {}


async def _account(request: Request, backend: Backend, key: Key) -> Answer:
    values = requests.ACCOUNT.read(requests.parsed(await _body(request)))
    key.need([values["account_id"]])
    await asyncio.to_thread(backend.store.limit, **values)
    return 200, values, {}


async def _budgets(request: Request, backend: Backend, key: Key) -> Answer:
    account = request.query_params.get("account_id")
    key.need([account])
    found = await asyncio.to_thread(backend.store.budgets, account)
    return 200, {"killed": await asyncio.to_thread(backend.store.stopped), "budgets": found}, {}


async def _kill(request: Request, backend: Backend, key: Key) -> Answer:
    values = requests.stop(requests.parsed(await _body(request)))
    account, campaign = values.get("account_id"), values.get("campaign_id")
    key.need([account])
    why = None if values["why"] is None else f"{values['why']} ({key.name})"
    await asyncio.to_thread(backend.store.kill, why, account, campaign)
    return 200, {"killed": why}, {}


async def _override(request: Request, backend: Backend, key: Key) -> Answer:
    values = requests.OVERRIDE.read(requests.parsed(await _body(request)))
    key.need([values["account_id"]])
    stands = values["stands"] == "yes"
    override = Override(values.get("bid"), key.name, values["why"]) if stands else None
    await asyncio.to_thread(backend.store.override, values["account_id"], values["campaign_id"], override)
    return 200, {"override": override}, {}


async def _metrics(request: Request, backend: Backend, key: Key) -> Answer:
    return 200, exposed(), {}


async def _live(request: Request, backend: Backend, key: None) -> Answer:
    alive = backend.decide.fault() is None
    return (200 if alive else 503), {"alive": alive}, {}


async def _ready(request: Request, backend: Backend, key: None) -> Answer:
    ready, details = backend.status()
    return (200 if ready else 503), {"ready": ready, **details}, {}


_ANSWERS: dict[str, Callable[..., Awaitable[Answer]]] = {
    "/v1/decisions": _decide,
    "/v1/feedback": _outcomes,
    "/v1/outcomes": _outcomes,
    "/v1/campaigns": _campaign,
    "/v1/accounts": _account,
    "/v1/budgets": _budgets,
    "/v1/kill": _kill,
    "/v1/override": _override,
    "/metrics": _metrics,
    "/health/live": _live,
    "/health/ready": _ready,
}


async def _body(request: Request) -> bytes:
    """Read the body. Raises `TooLarge` as soon as it exceeds the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise TooLarge(f"request body: expected at most {BODY_LIMIT} bytes")
    body, more = bytearray(), True
    while more:  # `request.stream` would read an end after the last part
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            raise TooLarge(f"request body: expected at most {BODY_LIMIT} bytes")
    return bytes(body)


def _error_response(error: Exception) -> Answer:
    """The error response of an exception. Raises an unexpected one again."""
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            details: dict[str, Any] = {"message": str(error)}
            headers: dict[str, str] = {}
            if isinstance(error, Invalid):
                details |= {"field": error.field, "expected": error.expected, "got": error.got}
            if status in (429, 503):
                headers["retry-after"] = str(ceil(error.wait_s) if isinstance(error, TooMany) else 1)
            if status == 401:
                headers["www-authenticate"] = "Bearer"
            if status == 413:
                headers["connection"] = "close"
            return status, {"error": details}, headers
    raise error


_STATUS: dict[type[Exception], int] = {
    NotJson: 400,
    ClientDisconnect: 400,
    Unknown: 401,
    Forbidden: 403,
    TooLarge: 413,
    Invalid: 422,
    TooMany: 429,
    Overloaded: 503,
    StoreUnavailable: 503,
    FeedbackAway: 503,
    LogUnavailable: 503,
    sqlite3.Error: 503,
}
