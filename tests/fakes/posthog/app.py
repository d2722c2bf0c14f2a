"""The routes of the fake of PostHog."""

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.posthog.queries import results
from tests.fakes.posthog.state import OWNER, PERSONAL_KEY, PROJECT, PROJECT_KEY, PosthogState, new_flag


class PosthogRoutes:
    """One handler a route."""

    def __init__(self, state: PosthogState) -> None:
        self.state = state

    async def batch(self, request: Request) -> Response:
        body = await _body(request)
        if body.get("api_key") != PROJECT_KEY:
            return _failed(401, "authentication_error", "API key invalid")
        if not all(one.get("event") and one.get("distinct_id") for one in body["batch"]):
            return _failed(400, "validation_error", "event submitted without a distinct_id")
        with TURN:
            self.state.events += body["batch"]
        return JSONResponse({"status": 1})

    async def flags(self, request: Request) -> Response:
        person = str((await _body(request))["distinct_id"])
        with TURN:
            keys = [one["key"] for one in self.state.flags.values() if not one["deleted"]]
            told = {key: {"key": key, "enabled": self.state.enabled(key, person), "variant": None} for key in keys}
        return JSONResponse({"flags": told, "errorsWhileComputingFlags": False, "requestId": "1"})

    async def query(self, request: Request) -> Response:
        asked = (await request.json())["query"]
        with TURN:
            found = results(asked, self.state.events)
        if found is None:
            return _failed(400, "validation_error", "the fake does not know this query")
        return JSONResponse({"results": found, "columns": []})

    async def list_flags(self, request: Request) -> Response:
        with TURN:
            return _page(request, [one for one in self.state.flags.values() if not one["deleted"]])

    async def create_flag(self, request: Request) -> Response:
        body = await request.json()
        with TURN:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", body.get("key", "")):
                return _failed(400, "validation_error", "Only letters, numbers, hyphens & underscores.", "key")
            if any(one["key"] == body["key"] and not one["deleted"] for one in self.state.flags.values()):
                return _failed(400, "validation_error", "There is already a feature flag with this key.", "key")
            place = str(len(self.state.flags) + 1)
            share = body["filters"]["groups"][0]["rollout_percentage"]
            self.state.flags[place] = new_flag(place, body["key"], body["name"], share, body["active"])
            self.state.log(place, OWNER, "created")
            return JSONResponse(self.state.flags[place], 201)

    async def flag(self, request: Request) -> Response:
        place = request.path_params["place"]
        with TURN:
            found = self.state.flags.get(place)
            if found is None:
                return _failed(404, "invalid_request", "Not found.")
            if request.method == "PATCH":
                body = await request.json()
                if body.get("version") not in (None, found["version"]):
                    return _failed(409, "conflict", "The feature flag was updated by somebody else.")
                return JSONResponse(self.state.change_flag(place, body, OWNER))
            return JSONResponse(found)

    async def activity(self, request: Request) -> Response:
        with TURN:
            return _page(request, self.state.activity)


def app(state: PosthogState) -> Any:
    """The application, which asks for the personal key under `/api`."""
    routes, api = PosthogRoutes(state), f"/api/projects/{PROJECT}"

    async def user(_: Request) -> Response:
        return JSONResponse({"email": OWNER})

    async def project(_: Request) -> Response:
        return JSONResponse({"id": int(PROJECT), "name": "Shop", "timezone": "UTC", "api_token": PROJECT_KEY})

    served = Starlette(
        routes=[
            Route("/batch/", routes.batch, methods=["POST"]),
            Route("/flags/", routes.flags, methods=["POST"]),
            Route("/api/users/@me/", user),
            Route(f"{api}/", project),
            Route(f"{api}/query/", routes.query, methods=["POST"]),
            Route(f"{api}/feature_flags/", routes.list_flags, methods=["GET"]),
            Route(f"{api}/feature_flags/", routes.create_flag, methods=["POST"]),
            Route(f"{api}/feature_flags/activity/", routes.activity),
            Route(f"{api}/feature_flags/{{place}}/", routes.flag, methods=["GET", "PATCH"]),
        ]
    )

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        api_call = scope["type"] == "http" and scope["path"].startswith("/api/")
        if api_call and Request(scope).headers.get("authorization") != f"Bearer {PERSONAL_KEY}":
            await _failed(401, "authentication_error", "Invalid personal API key.")(scope, receive, send)
            return
        await served(scope, receive, send)

    return guarded


async def _body(request: Request) -> Mapping[str, Any]:
    body = await request.body()
    found = json.loads(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)
    assert isinstance(found, dict)
    return found


def _failed(status: int, kind: str, detail: str, attr: str | None = None) -> Response:
    return JSONResponse({"type": kind, "code": "invalid", "detail": detail, "attr": attr}, status)


def _page(request: Request, found: list[Any]) -> Response:
    limit, offset = int(request.query_params.get("limit", "100")), int(request.query_params.get("offset", "0"))
    following = str(request.url.include_query_params(offset=offset + limit)) if offset + limit < len(found) else None
    return JSONResponse({"count": len(found), "next": following, "results": found[offset : offset + limit]})
