"""The REST API over HTTP."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.faults import Script
from tests.fakes.rest import Scripted
from tests.fakes.rest import serve as served
from tests.fakes.salesforce import soql, writes
from tests.fakes.salesforce.state import EXTERNAL, FIELDS, ORGANIZATION, USER, SalesforceState

TOKEN, SECRET = "s3cr3t-salesforce", "s3cr3t-app"
VERSIONS = range(31, 67)
_BASE = "/services/data/v{version}/"


def serve(state: SalesforceState, script: Script) -> AbstractContextManager[str]:
    return served(Scripted(app(state), script))


def app(state: SalesforceState) -> Starlette:
    answers: list[tuple[str, Callable[[SalesforceState, Request], Awaitable[Response]], list[str]]] = [
        ("", root, ["GET"]),
        ("query", query, ["GET"]),
        ("query/", query, ["GET"]),
        ("queryAll", query, ["GET"]),
        ("queryAll/", query, ["GET"]),
        ("query/{locator}", more, ["GET"]),
        ("sobjects/{kind}/describe", describe, ["GET"]),
        ("sobjects/{kind}/{key}", one, ["PATCH", "GET", "DELETE"]),
        ("composite/sobjects", collection, ["POST", "PATCH"]),
        ("composite/sobjects/{kind}/{field}", collection, ["PATCH"]),
    ]
    routes = [Route(_BASE + path, partial(answer, state), methods=methods) for path, answer, methods in answers]
    routes.append(Route("/services/oauth2/token", token, methods=["POST"]))
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=partial(_enter, state))])


async def _enter(state: SalesforceState, request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The session, the version and the calls of the day."""
    if request.url.path == "/services/oauth2/token":
        return await go_on(request)
    state.calls += 1
    version = request.url.path.split("/v")[-1].split("/")[0]
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        found: Response = refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    elif not version.removesuffix(".0").isdigit() or int(version.removesuffix(".0")) > max(VERSIONS):
        found = refused(404, "NOT_FOUND", "The requested resource does not exist")
    elif int(version.removesuffix(".0")) < min(VERSIONS):
        found = refused(410, "GONE", "The requested resource is no longer available")
    elif state.calls > state.most_calls:
        found = refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    else:
        found = await go_on(request)
    found.headers["sforce-limit-info"] = f"api-usage={state.calls}/{state.most_calls}"
    return found


def refused(status: int, code: str, message: str, *fields: str) -> Response:
    error: dict[str, Any] = {"message": message, "errorCode": code}
    return JSONResponse([{**error, "fields": list(fields)} if fields else error], status)


async def token(request: Request) -> Response:
    """The flow of client credentials."""
    said = dict(parse_qsl((await request.body()).decode()))
    if said.get("grant_type") != "client_credentials" or said.get("client_secret") != SECRET:
        return JSONResponse({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
    return JSONResponse({"access_token": TOKEN, "token_type": "Bearer"})


async def root(state: SalesforceState, request: Request) -> Response:
    identity = f"https://login.salesforce.com/id/{ORGANIZATION}/{USER}"
    return JSONResponse({"sobjects": "/services/data/v59.0/sobjects", "identity": identity})


async def query(state: SalesforceState, request: Request) -> Response:
    with TURN:
        try:
            rows = soql.run(state, request.query_params["q"], "queryAll" in request.url.path)
        except soql.MalformedQuery as fault:
            return refused(400, "MALFORMED_QUERY", str(fault))
        except KeyError as fault:
            return refused(400, "INVALID_FIELD", f"No such column {fault}")
        state.kept.setdefault("cursors", {})["01g000000000001AAA"] = {"rows": rows}
        return JSONResponse(_page(state, request, rows, 0))


async def more(state: SalesforceState, request: Request) -> Response:
    key, _, start = request.path_params["locator"].rpartition("-")
    rows = state.kept.get("cursors", {}).get(key, {}).get("rows")
    if rows is None:
        return refused(404, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return JSONResponse(_page(state, request, rows, int(start)))


def _page(state: SalesforceState, request: Request, rows: list[Any], start: int) -> dict[str, Any]:
    end = start + state.page
    found: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
    if not found["done"]:
        base = request.url.path.split("/query")[0]
        found["nextRecordsUrl"] = f"{base}/query/01g000000000001AAA-{end}"
    return found


async def describe(state: SalesforceState, request: Request) -> Response:
    fields = FIELDS.get(request.path_params["kind"])
    if fields is None:
        return refused(404, "NOT_FOUND", "The requested resource does not exist")
    kind = request.path_params["kind"]
    shown = [
        {"name": name, "createable": True, "updateable": True, "externalId": EXTERNAL.get(kind) == name}
        for name in fields
    ]
    return JSONResponse({"name": kind, "fields": shown})


async def one(state: SalesforceState, request: Request) -> Response:
    said = await request.json() if request.method == "PATCH" else {}
    kind, key = request.path_params["kind"], request.path_params["key"]
    with TURN:
        record = state.kept.get(kind, {}).get(key)
        if record is None or record["IsDeleted"]:
            return refused(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible")
        if request.method == "GET":
            return JSONResponse({"attributes": {"type": kind}, **record})
        if request.method == "DELETE":
            state.put(kind, key, {"IsDeleted": True})
            return Response(status_code=204)
        since = request.headers.get("if-unmodified-since")
        if since and datetime.fromisoformat(record["SystemModstamp"]) > parsedate_to_datetime(since):
            return Response(status_code=412)
        try:
            writes.update(state, kind, key, said)
        except writes.RefusedRecord as fault:
            return refused(400, fault.code, fault.message, *fault.fields)
        return Response(status_code=204)


async def collection(state: SalesforceState, request: Request) -> Response:
    """200 whatever became of the records, which are at most 200."""
    said = await request.json()
    if len(said["records"]) > 200:
        return refused(400, "INVALID_INPUT", "Too many records: at most 200")
    kind, field = request.path_params.get("kind"), request.path_params.get("field")
    values = [record.get(field) for record in said["records"]] if field else []
    answers = list[Any]()
    with TURN:
        for record in said["records"]:
            try:
                if field and values.count(record.get(field)) > 1:
                    raise writes.RefusedRecord("DUPLICATE_VALUE", "Duplicate external id specified", field)
                answers.append(_written(state, request.method, kind, field, record))
            except writes.RefusedRecord as fault:
                answers.append(writes.answer(fault))
    return JSONResponse(answers)


def _written(state: SalesforceState, method: str, kind: str | None, field: str | None, record: Any) -> Any:
    if kind and field:
        return writes.upsert(state, kind, field, record)
    fields = {name: value for name, value in record.items() if name not in ("attributes", "id")}
    if method == "POST":
        return writes.create(state, record["attributes"]["type"], fields)
    return writes.update(state, record["attributes"]["type"], record["id"], fields)
