"""The routes of the fake of Google Analytics."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.google_analytics.state import ACCOUNT, API_SECRET, PROPERTY, STREAM, GoogleAnalyticsState
from tests.fakes.google_analytics.tokens import EMAIL, TOKEN, assertion_is_right

_ADMIN, _DATA = f"/v1alpha/properties/{PROPERTY}", f"/v1beta/properties/{PROPERTY}"


class GoogleAnalyticsRoutes:
    """One handler a route."""

    def __init__(self, state: GoogleAnalyticsState) -> None:
        self.state = state

    async def report(self, request: Request) -> Response:
        asked = await request.json()
        day = asked["dateRanges"][0]["startDate"].replace("-", "")
        names = [one["name"] for one in asked.get("dimensions", [])]
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 10_000))
        with TURN:
            for name in ("tokensPerDay", "tokensPerHour", "tokensPerProjectPerHour"):
                self.state.quota[name] -= 10
            found = [one for one in self.state.visits if one[1].startswith(day)] or [_daily(day)]
            quota = {name: {"consumed": 10, "remaining": left} for name, left in self.state.quota.items()}
        rows = [
            {
                "dimensionValues": [{"value": value} for value in one[:4]],
                "metricValues": [{"value": str(value)} for value in one[4:]],
            }
            for one in found[offset : offset + limit]
        ]
        metadata = {"timeZone": "Europe/Berlin", "currencyCode": "EUR"}
        if self.state.thresholded:
            metadata |= {"subjectToThresholding": True}  # type: ignore[dict-item]
        told = {"rows": rows if names else [], "rowCount": len(found), "metadata": metadata}
        return JSONResponse(told | ({"propertyQuota": quota} if asked.get("returnPropertyQuota") else {}))

    async def list_audiences(self, request: Request) -> Response:
        size, start = int(request.query_params.get("pageSize", "50")), int(request.query_params.get("pageToken", "0"))
        with TURN:
            live = [one for place, one in self.state.audiences.items() if place not in self.state.archived]
        following = {"nextPageToken": str(start + size)} if start + size < len(live) else {}
        return JSONResponse({"audiences": live[start : start + size], **following})

    async def create_audience(self, request: Request) -> Response:
        body = await request.json()
        if not 1 <= body.get("membershipDurationDays", 0) <= 540:
            return _invalid("audience.membership_duration_days", "membershipDurationDays must be 1 to 540")
        if not body.get("displayName") or not body.get("filterClauses"):
            return _invalid("audience.display_name", "displayName and filterClauses are required")
        with TURN:
            place = str(len(self.state.audiences) + 1)
            self.state.audiences[place] = {"name": f"properties/{PROPERTY}/audiences/{place}", **body}
            self.state.change_audience(place, "CREATED", EMAIL)
            return JSONResponse(self.state.audiences[place])

    async def audience(self, request: Request) -> Response:
        place = request.path_params["place"].removesuffix(":archive")
        with TURN:
            found = self.state.audiences.get(place)
            if found is None or place in self.state.archived:
                return _failed(404, "NOT_FOUND", "Requested entity was not found.")
            if request.method == "POST":
                self.state.archived.add(place)
                self.state.change_audience(place, "DELETED", EMAIL)
                return JSONResponse({})
            if request.method == "PATCH":
                body, mask = await request.json(), request.query_params["updateMask"].split(",")
                if not set(mask) <= {"displayName", "description"}:
                    return _failed(400, "INVALID_ARGUMENT", "The update mask holds immutable fields.")
                found |= {name: body[name] for name in mask}
                self.state.change_audience(place, "UPDATED", EMAIL)
            return JSONResponse(found)

    async def changes(self, request: Request) -> Response:
        since = (await request.json())["earliestChangeTime"]
        with TURN:
            return JSONResponse(
                {"changeHistoryEvents": [one for one in self.state.history if one["changeTime"] >= since]}
            )

    async def collect(self, request: Request) -> Response:
        """Takes anything, as Google does; only what is right counts."""
        body, asked = await request.json(), request.query_params
        right = asked.get("measurement_id") == STREAM and asked.get("api_secret") == API_SECRET
        if right and not _messages(body):
            with TURN:
                self.state.events.append(body)
        return Response(status_code=204)

    async def debug(self, request: Request) -> Response:
        return JSONResponse({"validationMessages": _messages(await request.json())})


def app(state: GoogleAnalyticsState) -> Any:
    """The application, which asks for the token of a login."""
    routes = GoogleAnalyticsRoutes(state)

    async def token(request: Request) -> Response:
        form = await request.form()
        if not assertion_is_right(str(form.get("assertion", ""))):
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        return JSONResponse({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    async def described(_: Request) -> Response:
        told = {"displayName": "Shop", "currencyCode": "EUR", "timeZone": "Europe/Berlin", "account": ACCOUNT}
        return JSONResponse({"name": f"properties/{PROPERTY}", **told})

    served = Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route(f"{_DATA}:runReport", routes.report, methods=["POST"]),
            Route(_ADMIN, described),
            Route(f"{_ADMIN}/audiences", routes.list_audiences, methods=["GET"]),
            Route(f"{_ADMIN}/audiences", routes.create_audience, methods=["POST"]),
            Route(f"{_ADMIN}/audiences/{{place}}", routes.audience, methods=["GET", "PATCH", "POST"]),
            Route(f"/v1alpha/{ACCOUNT}:searchChangeHistoryEvents", routes.changes, methods=["POST"]),
            Route("/mp/collect", routes.collect, methods=["POST"]),
            Route("/debug/mp/collect", routes.debug, methods=["POST"]),
        ]
    )

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        asks = scope["type"] == "http" and scope["path"].startswith(("/v1alpha", "/v1beta"))
        if asks and Request(scope).headers.get("authorization") != f"Bearer {TOKEN}":
            await _failed(401, "UNAUTHENTICATED", "Request had invalid credentials.")(scope, receive, send)
            return
        await served(scope, receive, send)

    return guarded


def _daily(day: str) -> tuple[str, str, str, str, int, int]:
    """Every day somebody comes in the morning."""
    return "ann", f"{day}09", "spring", "Email", 1, 0


def _messages(body: dict[str, Any]) -> list[dict[str, str]]:
    """What the debug endpoint finds wrong. As at Google, it does not check the stream and its secret."""
    found = list[tuple[str, str, str]]()
    if not body.get("client_id"):
        found.append(("client_id", "Measurement requires a client_id.", "VALUE_REQUIRED"))
    for event in body["events"]:
        name = event.get("name", "")
        if not name or not name[0].isalpha() or len(name) > 40 or not name.replace("_", "").isalnum():
            told = f"Event at index: [0] has invalid name [{name}]."
            found.append(("events.name", told, "NAME_INVALID"))
    return [{"fieldPath": path, "description": told, "validationCode": code} for path, told, code in found]


def _failed(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"code": status, "message": message, "status": kind}}, status)


def _invalid(field: str, message: str) -> Response:
    violations = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": field}]}]
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": violations}
    return JSONResponse({"error": error}, 400)
