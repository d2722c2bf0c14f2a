"""REST fakes: an ASGI app on loopback, whose faults come from a script."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.fakes.faults import Script, ScriptedFault


class Scripted:
    """Middleware that notes each call (`GET /path`) and does to it what the script says."""

    def __init__(self, app: ASGIApp, script: Script) -> None:
        self.app, self.script = app, script

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        noted, fault = self.script.come(f"{scope['method']} {scope['path']}", headers)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                noted.status = message["status"]
            await send(message)

        if fault is None:
            await self.app(scope, receive, noting)
            return
        await asyncio.sleep(fault.delay_s)
        if fault.lost:
            noted.status = "lost"
            if fault.lost == "after":
                await self.app(scope, receive, _nowhere)
            await _hang_up(send)
        elif fault.status is not None:
            await _answer(fault)(scope, receive, noting)
        else:
            await self.app(scope, receive, noting)


async def _nowhere(_: Message) -> None:
    """Where an answer goes that the client never gets."""


async def _hang_up(send: Send) -> None:
    """End the connection in the middle of an answer, which no client takes for one."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise ConnectionAbortedError("scripted: the answer is lost")


def _answer(fault: ScriptedFault) -> Response:
    text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    headers = {"content-type": "application/json", **fault.headers}
    return Response("" if fault.body is None else text, int(fault.status or 200), headers)


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an ASGI app from a thread, on a free port of loopback; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
