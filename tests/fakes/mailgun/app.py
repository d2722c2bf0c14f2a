"""The routes of the fake of Mailgun."""

import base64
import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.mailgun.state import DOMAIN, KEY, MailgunState

#: Seconds ahead that an e-mail may be scheduled for.
_AHEAD_S = 3 * 86_400
_LOGIN = "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode()


class MailgunRoutes:
    """One handler a route."""

    def __init__(self, state: MailgunState) -> None:
        self.state = state

    async def send(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        wrong = _wrong(form)
        if wrong:
            return JSONResponse({"message": wrong}, 400)
        if form.get("o:testmode") == "yes":
            place = form.get("h:Message-Id", "<test>")
        else:
            with TURN:
                place = f"<{self.state.take(form)}>"
        return JSONResponse({"id": place, "message": "Queued. Thank you."})

    async def events(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if "begin" not in asked or not ("end" in asked or "ascending" in asked):
            return JSONResponse({"message": "begin and one of end and ascending are required"}, 400)
        return self._page(request, asked, 0)

    async def more_events(self, request: Request) -> Response:
        token = json.loads(base64.urlsafe_b64decode(request.path_params["token"]))
        return self._page(request, token["asked"], token["offset"])

    def _page(self, request: Request, asked: Mapping[str, str], offset: int) -> Response:
        limit = int(asked.get("limit", "100"))
        if not 1 <= limit <= 300:
            return JSONResponse({"message": "limit must be at most 300"}, 400)
        with TURN:
            found = [one for one in self.state.events if _asked_for(one, asked)][offset : offset + limit]
        token = base64.urlsafe_b64encode(json.dumps({"asked": asked, "offset": offset + limit}).encode()).decode()
        address = f"{request.url.scheme}://{request.url.netloc}/v3/{DOMAIN}/events/{token}"
        return JSONResponse({"items": found, "paging": {"next": address, "previous": address}})

    async def suppressed(self, request: Request) -> Response:
        held, address = request.path_params["held"], request.path_params["address"]
        with TURN:
            there = address.casefold() in self.state.lists[held]
        if not there:
            return JSONResponse({"message": f"Address not found in {held} table"}, 404)
        return JSONResponse({"address": address, "created_at": "Mon, 30 Nov 2026 08:00:00 UTC"})

    async def listed(self, request: Request) -> Response:
        with TURN:
            return JSONResponse({"items": [{"address": one} for one in self.state.lists[request.path_params["held"]]]})

    async def suppress(self, request: Request) -> Response:
        form = await request.form()
        with TURN:
            self.state.lists[request.path_params["held"]].add(str(form["address"]).casefold())
        return JSONResponse({"message": "Address has been added", "address": str(form["address"])})


def app(state: MailgunState) -> Any:
    """The application, which asks for the key."""
    routes = MailgunRoutes(state)

    async def domain(request: Request) -> Response:
        if request.path_params["name"] != DOMAIN:
            return JSONResponse({"message": "Domain not found"}, 404)
        return JSONResponse({"domain": {"name": DOMAIN, "state": "active", "type": "custom"}})

    served = Starlette(
        routes=[
            Route("/{version:str}/domains/{name}", domain),
            Route(f"/v3/{DOMAIN}/messages", routes.send, methods=["POST"]),
            Route(f"/v3/{DOMAIN}/events", routes.events),
            Route(f"/v3/{DOMAIN}/events/{{token}}", routes.more_events),
            Route(f"/v3/{DOMAIN}/{{held}}", routes.listed, methods=["GET"]),
            Route(f"/v3/{DOMAIN}/{{held}}", routes.suppress, methods=["POST"]),
            Route(f"/v3/{DOMAIN}/{{held}}/{{address}}", routes.suppressed),
        ]
    )

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and Request(scope).headers.get("authorization") != _LOGIN:
            await PlainTextResponse("Forbidden", 401)(scope, receive, send)
            return
        await served(scope, receive, send)

    return guarded


def _wrong(form: Mapping[str, str]) -> str:
    """What is wrong with an e-mail, as Mailgun says it."""
    if "@" not in form.get("to", ""):
        return "'to' parameter is not a valid address. please check documentation"
    if "from" not in form:
        return "from parameter is missing"
    if not any(name in form for name in ("text", "html", "template")):
        return "Need at least one of 'text' or 'html' parameters specified"
    later = form.get("o:deliverytime")
    if later and parsedate_to_datetime(later).timestamp() > time.time() + _AHEAD_S:
        return "o:deliverytime parameter is too far in the future"
    return ""


def _asked_for(event: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    values = {"event": event["event"], "message-id": event["message"]["headers"]["message-id"]}
    wanted = all(values[name] in asked[name].split(" OR ") for name in values if name in asked)
    return wanted and float(asked["begin"]) <= event["timestamp"] < float(asked.get("end", "inf"))
