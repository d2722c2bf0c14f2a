"""Middleware that bounds the size of a request."""

from collections.abc import Callable

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuses bodies above a limit in bytes with 413, by their header or while they arrive.

    Args:
        limit: of all requests, or of each by what it asks.
    """

    def __init__(self, app: ASGIApp, limit: int | Callable[[Scope], int]) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit if isinstance(self.limit, int) else self.limit(scope)
        body = bytearray()
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        more = not declared.isdigit() or int(declared) <= limit
        too_large = not more
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                too_large, more = True, False
        if too_large:
            reason = {"error": f"request body: expected at most {limit} bytes"}
            await JSONResponse(reason, status_code=413, headers={"connection": "close"})(scope, receive, send)
            return
        await self.app(scope, _replay(bytes(body), receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
