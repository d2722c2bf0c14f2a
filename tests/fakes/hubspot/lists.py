"""Static lists and their members."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.fake import TURN
from tests.fakes.hubspot.state import HubSpotState


async def create(state: HubSpotState, request: Request) -> Response:
    said = await request.json()
    with TURN:
        if any(one["name"] == said["name"] for one in state.lists.values()):
            message = f"List name {said['name']} is taken"
            body = {"status": "error", "message": message, "subCategory": "ILS.DUPLICATE_LIST_NAMES"}
            return JSONResponse(body, 400)
        key = state.new_id()
        state.lists[key] = {**said, "listId": key, "listVersion": 1}
        state.members[key] = []
        return JSONResponse({"list": state.lists[key]})


async def get(state: HubSpotState, request: Request) -> Response:
    return _shown(state.lists.get(request.path_params["key"]))


async def by_name(state: HubSpotState, request: Request) -> Response:
    named = [one for one in state.lists.values() if one["name"] == request.path_params["name"]]
    return _shown(named[0] if named else None)


async def search(state: HubSpotState, request: Request) -> Response:
    said = await request.json()
    start, count = said.get("offset", 0), said.get("count", 20)
    found = [one for one in state.lists.values() if said.get("query", "").lower() in one["name"].lower()]
    page = found[start : start + count]
    end = start + len(page)
    return JSONResponse({"lists": page, "offset": end, "hasMore": end < len(found), "total": len(found)})


async def members(state: HubSpotState, request: Request) -> Response:
    found = state.members.get(request.path_params["key"])
    if found is None:
        return _shown(None)
    start, count = int(request.query_params.get("after", "0")), int(request.query_params.get("limit", "100"))
    page: dict[str, Any] = {"results": [{"recordId": one} for one in found[start : start + count]], "total": len(found)}
    if start + count < len(found):
        page["paging"] = {"next": {"after": str(start + count)}}
    return JSONResponse(page)


async def change(state: HubSpotState, request: Request) -> Response:
    """Adds or removes contacts; those that are there already, or not at all, are passed over."""
    key, doing = request.path_params["key"], request.path_params["doing"]
    ids = [str(one) for one in await request.json()]
    with TURN:
        there = state.members.get(key)
        if there is None:
            return _shown(None)
        known = [one for one in ids if one in state.kept["contacts"]]
        changed = [one for one in known if (one in there) == (doing == "remove")]
        state.members[key] = [*there, *changed] if doing == "add" else [one for one in there if one not in changed]
        told = {"recordsIdsAdded": changed if doing == "add" else [], "recordIdsRemoved": changed}
    return JSONResponse({**told, "recordIdsMissing": [one for one in ids if one not in known]})


def _shown(found: Any) -> Response:
    if found is None:
        body = {"status": "error", "message": "List does not exist", "category": "OBJECT_NOT_FOUND"}
        return JSONResponse(body, 404)
    return JSONResponse({"list": found})


ANSWERS: list[tuple[str, Callable[[HubSpotState, Request], Awaitable[Response]], str]] = [
    ("/", create, "POST"),
    ("/search", search, "POST"),
    ("/object-type-id/0-1/name/{name:path}", by_name, "GET"),
    ("/{key}/memberships", members, "GET"),
    ("/{key}/memberships/{doing}", change, "PUT"),
    ("/{key}", get, "GET"),
]
