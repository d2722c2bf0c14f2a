"""REST fakes: an ASGI app on loopback, whose faults come from a script."""

import asyncio
import json
import socket
import threading
import time
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
    """Serve an ASGI app from a thread, on a free port of loopback; gives its address.

    The server ends as soon as its connections have: by itself it looks for that ten times a second, which is longer
    than most tests take.
    """
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    loop = (server.config.get_loop_factory() or asyncio.new_event_loop)()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(_begin(server, listening), loop).result()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        listening.close()


async def _begin(server: uvicorn.Server, listening: socket.socket) -> None:
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listening])


async def _end(server: uvicorn.Server, within_s: float = 1.0) -> None:
    for one in server.servers:
        one.close()
    state, until = server.server_state, time.monotonic() + within_s
    for connection in list(state.connections):
        connection.shutdown()
    while (state.connections or state.tasks) and time.monotonic() < until:
        await asyncio.sleep(0.001)
    for task in state.tasks:
        task.cancel()
