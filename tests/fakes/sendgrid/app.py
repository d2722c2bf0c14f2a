"""The routes of the fake of SendGrid."""

import json
import re
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN
from tests.fakes.sendgrid.mail_errors import mail_errors
from tests.fakes.sendgrid.state import ACCOUNT, GROUPS, KEY, SendGridState, SentMessage

_SCOPES = (
    *("mail.send", "messages.read", "suppression.read", "asm.groups.read", "categories.read"),
    *("categories.stats.read", "user.username.read"),
)
_CLAUSE = re.compile(r"\(unique_args\['(?P<name>[^']+)'\]=\"(?P<value>[^\"]*)\"\)")


class SendGridRoutes:
    """One handler a route."""

    def __init__(self, state: SendGridState) -> None:
        self.state = state

    async def send(self, request: Request) -> Response:
        mail = await request.json()
        errors = mail_errors(mail)
        if errors:
            return _failed(400, *errors)
        if ((mail.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable"):
            return Response(status_code=200)
        with TURN:
            place = self.state.take(mail)
        return Response(status_code=202, headers={"X-Message-Id": place})

    async def messages(self, request: Request) -> Response:
        query, limit = request.query_params.get("query", ""), int(request.query_params.get("limit", "10"))
        if not 1 <= limit <= 1000:
            return _failed(400, ("limit must be between 1 and 1000", "limit"))
        clauses = [_CLAUSE.fullmatch(one) for one in query.split(" OR ")] if query else []
        if None in clauses:
            return _failed(400, ("query syntax error", "query"))
        wanted = {(one["name"], one["value"]) for one in clauses if one}
        with TURN:
            found = [one for one in self.state.messages.values() if not query or wanted & set(one.arguments.items())]
        return JSONResponse({"messages": [_listed(one) for one in found[:limit]]})

    async def message(self, request: Request) -> Response:
        with TURN:
            found = self.state.messages.get(request.path_params["place"])
        if found is None:
            return _failed(404, ("not found", None))
        listed = {name: value for name, value in _listed(found).items() if not name.endswith(("_count", "_time"))}
        return JSONResponse({**listed, "unique_args": json.dumps(found.arguments), "events": []})

    async def suppressed(self, request: Request) -> Response:
        held, address = request.path_params["held"], request.path_params["address"]
        with TURN:
            there = address.casefold() in self.state.lists[held]
        return JSONResponse([{"created": 1_790_000_000, "email": address, "reason": "550"}] if there else [])

    async def unsubscribed(self, request: Request) -> Response:
        address = request.path_params["address"]
        with TURN:
            there = address.casefold() in self.state.lists["unsubscribes"]
        return JSONResponse({"recipient_email": address} if there else {})

    async def unsubscribe(self, request: Request) -> Response:
        addresses = (await request.json())["recipient_emails"]
        with TURN:
            self.state.lists["unsubscribes"] |= {one.casefold() for one in addresses}
        return JSONResponse({"recipient_emails": addresses}, 201)

    async def groups(self, request: Request) -> Response:
        address = request.path_params["address"].casefold()
        with TURN:
            told = [
                {"id": place, "name": name, "suppressed": address in self.state.groups[place]}
                for place, name in GROUPS.items()
            ]
        return JSONResponse({"suppressions": told})

    async def leave_group(self, request: Request) -> Response:
        addresses = (await request.json())["recipient_emails"]
        with TURN:
            self.state.groups[request.path_params["group"]] |= {one.casefold() for one in addresses}
        return JSONResponse({"recipient_emails": addresses}, 201)

    async def categories(self, request: Request) -> Response:
        limit, offset = int(request.query_params.get("limit", "50")), int(request.query_params.get("offset", "0"))
        with TURN:
            names = sorted({"winter"} | {name for one in self.state.messages.values() for name in one.categories})
        return JSONResponse([{"category": name} for name in names[offset : offset + limit]])

    async def stats(self, request: Request) -> Response:
        asked = request.query_params
        names = asked.getlist("categories")
        if not 1 <= len(names) <= 10:
            return _failed(400, ("you must specify 1 to 10 categories", "categories"))
        with TURN:
            told = [{"type": "category", "name": one, "metrics": self._metrics(one)} for one in names]
        return JSONResponse([{"date": asked["start_date"], "stats": told}])

    def _metrics(self, category: str) -> dict[str, int]:
        """Counts of a day; those of `winter`, which is there at first, are the same each day."""
        sent = [one for one in self.state.messages.values() if category in one.categories]
        delivered = 400 if category == "winter" else sum(not one.dropped for one in sent)
        clicked = 24 if category == "winter" else sum(one.clicks > 0 for one in sent)
        return {"requests": len(sent), "delivered": delivered, "unique_clicks": clicked, "clicks": clicked}


def app(state: SendGridState) -> Any:
    """The application, which asks for the key."""
    routes, get, post = SendGridRoutes(state), ["GET"], ["POST"]

    async def username(_: Request) -> Response:
        return JSONResponse({"username": ACCOUNT, "user_id": 1})

    async def scopes(_: Request) -> Response:
        return JSONResponse({"scopes": _SCOPES})

    served = Starlette(
        routes=[
            Route("/v3/mail/send", routes.send, methods=post),
            Route("/v3/messages", routes.messages, methods=get),
            Route("/v3/messages/{place}", routes.message, methods=get),
            Route("/v3/asm/suppressions/global", routes.unsubscribe, methods=post),
            Route("/v3/asm/suppressions/global/{address}", routes.unsubscribed, methods=get),
            Route("/v3/asm/groups/{group:int}/suppressions", routes.leave_group, methods=post),
            Route("/v3/asm/suppressions/{address}", routes.groups, methods=get),
            Route("/v3/suppression/{held}/{address}", routes.suppressed, methods=get),
            Route("/v3/categories", routes.categories, methods=get),
            Route("/v3/categories/stats", routes.stats, methods=get),
            Route("/v3/user/username", username, methods=get),
            Route("/v3/scopes", scopes, methods=get),
        ]
    )

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and Request(scope).headers.get("authorization") != f"Bearer {KEY}":
            refused = _failed(401, ("The provided authorization grant is invalid, expired, or revoked", None))
            await refused(scope, receive, send)
            return
        await served(scope, receive, send)

    return guarded


def _failed(status: int, *errors: tuple[str, str | None]) -> Response:
    return JSONResponse({"errors": [{"message": why, "field": where, "help": None} for why, where in errors]}, status)


def _listed(one: SentMessage) -> dict[str, Any]:
    return {
        "from_email": one.sender,
        "msg_id": one.message_id,
        "subject": one.subject,
        "to_email": one.to,
        "status": "not_delivered" if one.dropped else "delivered",
        "opens_count": 0,
        "clicks_count": one.clicks,
        "last_event_time": "2026-11-30T08:00:00Z",
    }
