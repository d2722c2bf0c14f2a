"""The control port of a fake: script faults, look at calls and state, edit as a person would. Asks for a token."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.fake import TURN, FakeState
from tests.fakes.faults import Script, ScriptedFault

TOKEN = "x-control-token"  # noqa: S105 (a header's name)


def app(state: FakeState, script: Script, token: str) -> Starlette:
    """`POST /faults`, `DELETE /faults`, `GET /calls`, `GET /objects`, `POST /edit`."""

    async def add_faults(request: Request) -> Response:
        script.add(*(ScriptedFault(**one) for one in await request.json()))
        return JSONResponse({"ok": True})

    async def clear_faults(_: Request) -> Response:
        script.clear()
        return JSONResponse({"ok": True})

    async def calls(_: Request) -> Response:
        return JSONResponse([asdict(one) for one in script.calls])

    async def objects(_: Request) -> Response:
        with TURN:
            return JSONResponse(state.objects())

    async def edit(request: Request) -> Response:
        said = await request.json()
        with TURN:
            state.edit(said["object"], said["object_id"], said["fields"], said.get("by", "somebody"))
        return JSONResponse({"ok": True})

    guarded = partial(_guarded, token)
    return Starlette(
        routes=[
            Route("/faults", guarded(add_faults), methods=["POST"]),
            Route("/faults", guarded(clear_faults), methods=["DELETE"]),
            Route("/calls", guarded(calls)),
            Route("/objects", guarded(objects)),
            Route("/edit", guarded(edit), methods=["POST"]),
        ]
    )


Answer = Callable[[Request], Awaitable[Response]]


def _guarded(token: str, answer: Answer) -> Answer:
    async def checked(request: Request) -> Response:
        if request.headers.get(TOKEN) != token:
            return JSONResponse({"error": f"expected the token in the header {TOKEN}"}, 401)
        return await answer(request)

    return checked
