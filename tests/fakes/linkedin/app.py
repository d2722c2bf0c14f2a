"""The API over HTTP: headers that are demanded, paths, statuses and bodies."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.fake import TURN
from tests.fakes.faults import Script
from tests.fakes.linkedin import checks, reports
from tests.fakes.linkedin.asked import by_count, listed, parsed, query
from tests.fakes.linkedin.state import ACCOUNT, KINDS, MEMBER, URN, LinkedInState
from tests.fakes.rest import Scripted
from tests.fakes.rest import serve as served

TOKEN = "s3cr3t-linkedin"  # noqa: S105
#: Months whose version is served.
ACTIVE = {f"2025{month:02}" for month in (11, 12)} | {f"2026{month:02}" for month in range(1, 11)}
#: Longest address; longer queries come as the body of a POST that stands for a GET.
_LONGEST = 4096
PATHS = {f"/rest/adAccounts/{{account}}/{collection}": collection for collection in KINDS.values()}
PATHS |= {f"/rest/{collection}": collection for collection in ("posts", "dmpSegments")}


def serve(state: LinkedInState, script: Script) -> AbstractContextManager[str]:
    return served(Scripted(app(state), script))


def app(state: LinkedInState) -> Starlette:
    routes = [
        Route("/rest/adAccounts/{account}", partial(account, state)),
        Route("/rest/adAccountUsers", partial(users, state)),
        Route("/rest/adAnalytics", partial(reports.analytics, state)),
        Route("/rest/leadFormResponses", partial(reports.leads, state)),
        Route("/rest/dmpSegments/{segment}/companies", partial(companies, state), methods=["POST"]),
        *(
            Route(f"{path}{key}", partial(answer, state, collection), methods=["GET", "POST"])
            for path, collection in PATHS.items()
            for key in ("", "/{key}")
        ),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Demands)])


class _Demands:
    """What every call must have, in the order in which LinkedIn looks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {key.decode(): value.decode() for key, value in scope["headers"]}
            length = len(scope["path"]) + len(scope["query_string"])
            refused = _refused(scope["method"], headers, length)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _refused(method: str, headers: Mapping[str, str], length: int) -> Response | None:
    version = headers.get("linkedin-version", "")
    if headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({**checks.old(401, "Invalid access token", 65600), "code": "INVALID_ACCESS_TOKEN"}, 401)
    if not version:
        return JSONResponse({"status": 400, "code": "VERSION_MISSING", "message": "A version must be present"}, 400)
    if version not in ACTIVE:
        message = f"Requested version {version}01 is not active"
        return JSONResponse({"status": 426, "code": "NONEXISTENT_VERSION", "message": message}, 426)
    if headers.get("x-restli-protocol-version") != "2.0.0":
        return JSONResponse(checks.old(400, "Invalid query parameters passed to request", 0), 400)
    if length > _LONGEST:
        return Response("<h1>URI Too Long</h1>", 414, media_type="text/html")
    if method == "POST" and "content-length" not in headers:
        return Response("<h1>Length Required</h1>", 411, media_type="text/html")
    return None


async def account(state: LinkedInState, request: Request) -> Response:
    if request.path_params["account"] != ACCOUNT:
        return JSONResponse(checks.old(404, "Could not find entity", 100), 404)
    return JSONResponse({"id": int(ACCOUNT), "name": "Example", "currency": "EUR", "status": "ACTIVE", "test": True})


async def users(state: LinkedInState, request: Request) -> Response:
    found = [{"account": URN, "user": MEMBER, "role": "CAMPAIGN_MANAGER"}]
    return JSONResponse({"elements": found, "paging": {"start": 0, "count": 100, "links": []}})


async def companies(state: LinkedInState, request: Request) -> Response:
    with TURN:
        segment = request.path_params["segment"]
        if segment not in state.kept["dmpSegments"]:
            return JSONResponse(checks.old(404, f"Segment {segment} does not exist", 404), 404)
        elements = list[dict[str, Any]]()
        for one in (await request.json())["elements"]:
            if not one.get("companyWebsiteDomain") and not one.get("companyName"):
                elements.append({"status": 400, "error": checks.old(400, "a name or a domain is required")})
                continue
            if (segment, one) not in state.companies:
                state.companies.append((segment, one))
            elements.append({"status": 201})
        return JSONResponse({"elements": elements})


async def answer(state: LinkedInState, collection: str, request: Request) -> Response:
    """Finders, batch gets, creations and partial updates of a collection."""
    body = await request.body()
    key = request.path_params.get("key", "")
    method = request.headers.get("x-restli-method", "").upper()
    if request.path_params.get("account", ACCOUNT) != ACCOUNT:
        return JSONResponse(checks.old(403, "Not enough permissions to access this account"), 403)
    with TURN:
        if request.method == "GET":
            return _read(state, collection, key, query(request))
        if request.headers.get("x-http-method-override") == "GET":
            return _read(state, collection, key, parsed(body.decode()))
        said = json.loads(body or b"{}")
        if method == "BATCH_CREATE":
            return JSONResponse({"elements": [_one_created(state, collection, one) for one in said["elements"]]})
        if method == "BATCH_PARTIAL_UPDATE":
            return _each_updated(state, collection, said["entities"])
        if method == "PARTIAL_UPDATE" and key:
            wrong = _updated(state, collection, key, said["patch"])
            return Response(status_code=204) if wrong is None else JSONResponse(wrong, wrong["status"])
        wrong = checks.created(state, collection, said)
        if wrong is not None:
            return JSONResponse(wrong, wrong["status"])
        return Response(status_code=201, headers={"x-restli-id": state.create(collection, said)})


def _one_created(state: LinkedInState, collection: str, body: dict[str, Any]) -> dict[str, Any]:
    wrong = checks.created(state, collection, body)
    if wrong is not None:
        return {"status": wrong["status"], "error": wrong}
    key = state.create(collection, body)
    return {"status": 201, "id": int(key) if key.isdigit() else key}


def _each_updated(state: LinkedInState, collection: str, entities: Mapping[str, Any]) -> Response:
    wrong = {key: _updated(state, collection, key, said["patch"]) for key, said in entities.items()}
    return JSONResponse(
        {
            "results": {key: {"status": 204} for key, fault in wrong.items() if fault is None},
            "errors": {key: fault for key, fault in wrong.items() if fault is not None},
        }
    )


def _updated(state: LinkedInState, collection: str, key: str, patch: Mapping[str, Any]) -> dict[str, Any] | None:
    if key not in state.kept[collection]:
        return checks.old(404, "Could not find entity")
    now = state.kept[collection][key].get("runSchedule", {})
    schedule = {**now, **patch.get("runSchedule", {}).get("$set", {})}
    wrong = checks.values(collection, {**patch.get("$set", {}), "runSchedule": schedule})
    if wrong is None:
        state.patch(collection, key, patch)
    return wrong


def _read(state: LinkedInState, collection: str, key: str, asked: Mapping[str, str]) -> Response:
    kept = state.kept[collection]
    if key:
        return JSONResponse(kept[key]) if key in kept else JSONResponse(checks.old(404, "Could not find entity"), 404)
    if "ids" in asked:
        ids = listed(asked["ids"])
        errors = {one: checks.old(404, "Could not find entity") for one in ids if one not in kept}
        return JSONResponse(
            {"results": {one: kept[one] for one in ids if one in kept}, "statuses": {}, "errors": errors}
        )
    found = list(kept.values())
    if "search" in asked:
        names = listed(asked["search"])
        found = [one for one in found if one["name"] in names]
    if "campaigns" in asked:
        campaigns = listed(asked["campaigns"])
        found = [one for one in found if one["campaign"] in campaigns]
    if collection in ("posts", "dmpSegments"):
        return JSONResponse(by_count(found, asked))
    if "start" in asked:
        return JSONResponse(checks.new("start", "INVALID_VALUE", "page by pageSize and pageToken"), 400)
    start, size = int(asked.get("pageToken", "0")), min(int(asked.get("pageSize", "100")), 1000)
    metadata = {"nextPageToken": str(start + size)} if start + size < len(found) else {}
    return JSONResponse({"elements": found[start : start + size], "metadata": metadata})
