"""REST middleware before KServe: content type, and the version header."""

from fastapi.responses import JSONResponse
from kserve.constants.constants import INFERENCE_CONTENT_LENGTH_HEADER
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.inference.model import VERSION_HEADER


class Typed:
    """Sets the content type from the content, for clients that send another: tensors where a header has the length of
    the JSON before them; else JSON (`curl -d` declares a form), except for cloud events."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if headers.get(b"content-encoding", b"identity") not in (b"", b"identity"):
                reason = {"error": "content-encoding: expected an uncompressed body"}
                await JSONResponse(reason, status_code=415)(scope, receive, send)
                return
            declared = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if INFERENCE_CONTENT_LENGTH_HEADER.encode() in headers:
                headers[b"content-type"] = _TENSORS
            elif declared not in (_TENSORS, b"application/cloudevents+json"):
                headers[b"content-type"] = b"application/json"
            scope = {**scope, "headers": list(headers.items())}
        await self.app(scope, receive, send)


_TENSORS = b"application/octet-stream"


class Marked:
    """Adds the version to every response, including errors."""

    def __init__(self, app: ASGIApp, version: str) -> None:
        self.app, self.mark = app, (VERSION_HEADER.encode(), version.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [header for header in message["headers"] if header[0] != self.mark[0]]
                message["headers"] = [*kept, self.mark]
            await send(message)

        await self.app(scope, receive, marked)
