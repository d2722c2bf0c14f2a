"""The CRM API over HTTP."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.faults import Script
from tests.fakes.hubspot import lists, records
from tests.fakes.hubspot.state import APP, HUB, PROPERTIES, HubSpotState
from tests.fakes.rest import Scripted
from tests.fakes.rest import serve as served

TOKEN = "s3cr3t-hubspot"  # noqa: S105
DATED = "2026-03"
SCOPES = [
    *("crm.objects.contacts.read", "crm.objects.contacts.write", "crm.lists.read", "crm.lists.write"),
    "crm.objects.deals.read",
]


def serve(state: HubSpotState, script: Script) -> AbstractContextManager[str]:
    return served(Scripted(app(state), script))


Answer = Callable[[HubSpotState, Request], Awaitable[Response]]


def app(state: HubSpotState) -> Starlette:
    answers: list[tuple[str, str, Answer, str]] = [
        ("objects", "/{kind}/batch/read", read, "POST"),
        ("objects", "/{kind}/batch/{doing}", write, "POST"),
        ("objects", "/{kind}/search", search, "POST"),
        ("objects", "/{kind}/{key}", one, "GET"),
        ("associations", "/{kind}/{to}/batch/read", associated, "POST"),
        ("associations", "/{kind}/{to}/batch/associate/default", associate, "POST"),
        ("properties", "/{kind}", properties, "GET"),
        *(("lists", path, answer, method) for path, answer, method in lists.ANSWERS),
    ]
    numbers = {"associations": "v4"}
    routes = [
        Route(base + path, partial(answer, state), methods=[method])
        for area, path, answer, method in answers
        for base in (f"/crm/{numbers.get(area, 'v3')}/{area}", f"/crm/{area}/{DATED}")
    ]
    routes.append(Route("/account-info/v3/details", details))
    routes.append(Route("/oauth/v2/private-apps/get/access-token-info", token, methods=["POST"]))
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=_enter)])


async def _enter(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        said = {
            "status": "error",
            "message": "Authentication credentials not found",
            "category": "INVALID_AUTHENTICATION",
        }
        return JSONResponse(said, 401)
    return await go_on(request)


async def details(_: Request) -> Response:
    zone = {"timeZone": "Europe/Berlin", "companyCurrency": "EUR", "uiDomain": "app.hubspot.com"}
    return JSONResponse({"portalId": int(HUB), "accountType": "DEVELOPER_TEST", **zone})


async def token(request: Request) -> Response:
    if (await request.json()).get("tokenKey") != TOKEN:
        return JSONResponse({"status": "error", "message": "unknown token"}, 400)
    return JSONResponse({"userId": 1, "hubId": int(HUB), "appId": APP, "scopes": SCOPES})


async def properties(_: HubSpotState, request: Request) -> Response:
    kind = PROPERTIES[request.path_params["kind"]]
    return JSONResponse(
        {"results": [{"name": name, "hasUniqueValue": is_a == "unique"} for name, is_a in kind.items()]}
    )


async def read(state: HubSpotState, request: Request) -> Response:
    said, kind = await request.json(), request.path_params["kind"]
    if len(said["inputs"]) > (50 if said.get("propertiesWithHistory") else 100):
        return JSONResponse({"status": "error", "message": "too many inputs", "category": "VALIDATION_ERROR"}, 400)
    with TURN:
        ids = {str(one["id"]): str(one["id"]) for one in said["inputs"]}
        if said.get("idProperty"):
            ids = {value: state.by_unique(kind, said["idProperty"], value) for value in ids}
        missing = [value for value, key in ids.items() if key not in state.kept[kind]]
        histories = said.get("propertiesWithHistory") or ()
        asked = said.get("properties") or ()
        found = [
            records.shown(state.kept[kind][key], asked, histories) for key in ids.values() if key in state.kept[kind]
        ]
    body: dict[str, Any] = {"status": "COMPLETE", "results": found}
    if not missing:
        return JSONResponse(body)
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": missing}, "message": "not found"}
    return JSONResponse({**body, "numErrors": len(missing), "errors": [error]}, 207)


async def write(state: HubSpotState, request: Request) -> Response:
    """200 where all were written, 207 where some were and all have trace ids, else the first error and nothing."""
    inputs, kind = (await request.json())["inputs"], request.path_params["kind"]
    if len(inputs) > 100 or request.path_params["doing"] not in ("upsert", "update"):
        return JSONResponse({"status": "error", "message": "bad batch", "category": "VALIDATION_ERROR"}, 400)
    results, errors = list[Any](), list[records.RefusedInput]()
    wrong = list[dict[str, Any]]()
    with TURN:
        for one in inputs:
            try:
                results.append(records.written(state, kind, request.path_params["doing"], one))
            except records.RefusedInput as fault:
                errors.append(fault)
                wrong.append(fault.body(one.get("objectWriteTraceId", "") if state.traced else ""))
    body = {"status": "COMPLETE", "results": results}
    if not errors:
        return JSONResponse(body)
    if not all("objectWriteTraceId" in one for one in inputs):
        return JSONResponse(errors[0].body(), 400)
    return JSONResponse({**body, "numErrors": len(wrong), "errors": wrong}, 207)


async def search(state: HubSpotState, request: Request) -> Response:
    said = await request.json()
    with TURN:
        return JSONResponse(records.search(state, request.path_params["kind"], said))


async def one(state: HubSpotState, request: Request) -> Response:
    kept, key = state.kept[request.path_params["kind"]], request.path_params["key"]
    if request.query_params.get("idProperty"):
        key = state.by_unique(request.path_params["kind"], request.query_params["idProperty"], key)
    if key not in kept:
        return JSONResponse({"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"}, 404)
    asked = request.query_params.getlist("properties")
    return JSONResponse(records.shown(kept[key], [name for value in asked for name in value.split(",")]))


async def associated(state: HubSpotState, request: Request) -> Response:
    place = request.path_params["kind"], request.path_params["to"]
    there = state.links.get(place, {})
    found = [
        {"from": {"id": one["id"]}, "to": [{"toObjectId": int(other), "associationTypes": []} for other in others]}
        for one in (await request.json())["inputs"]
        if (others := there.get(str(one["id"]), []))
    ]
    return JSONResponse({"status": "COMPLETE", "results": found})


async def associate(state: HubSpotState, request: Request) -> Response:
    kind, to = request.path_params["kind"], request.path_params["to"]
    with TURN:
        for pair in (await request.json())["inputs"]:
            state.link(kind, to, str(pair["from"]["id"]), str(pair["to"]["id"]))
    return JSONResponse({"status": "COMPLETE", "results": []})
