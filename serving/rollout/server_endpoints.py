"""The endpoints of `adloop serve` itself: health, models, metrics and the OpenAPI document."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from threading import Thread
from typing import Any, ClassVar

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse, Response

from features import __version__
from features.certificates import trusted
from features.settings import Settings
from serving.access.keys import Forbidden, Keys, Unknown, bearer
from serving.rollout import merged_metrics, openapi
from serving.rollout.envoy_filters import SERVICE
from serving.rollout.processes import free_port
from serving.rollout.server_grpc import of_models, started

log = logging.getLogger("adloop.serve")

#: Timeout of requests to the servers, in seconds.
PATIENCE = 5.0
_ABOUT = {"name": "adloop", "version": __version__, "extensions": ["binary_tensor_data"]}


class ServerEndpoints:
    """Serves in a thread, on loopback ports behind Envoy.

    Args:
        report: health report: `ready`, `serving` (champions by family) and faults.

    Attributes:
        ports: server ports by name: a family, `decisions` or `texts`.
    """

    PATHS: ClassVar = (
        *("/", "/v2", "/v1/models", "/v2/models", "/metrics", "/openapi.json", "/docs"),
        *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
        *("/v1/models/*", "/v2/models/*"),  # unknown models
    )
    #: Methods without a model, and those of unknown models.
    METHODS: ClassVar = (f"{SERVICE}Server*", f"{SERVICE}ModelInfer", f"{SERVICE}ModelReady", f"{SERVICE}ModelMetadata")

    def __init__(self, settings: Settings, report: Callable[[], dict[str, Any]]) -> None:
        self._report, self._keys = report, Keys(settings)
        self.ports: Callable[[], Mapping[str, int]] = dict
        self._open = settings.inference_keys == "off"
        self._socket, self.grpc_port = socket.create_server(("127.0.0.1", 0)), free_port()
        self.port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(uvicorn.Config(self._app(), ws="none", log_level="warning", access_log=False))
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="front", daemon=True)
        self._thread.start()

    @property
    def port_by_path(self) -> dict[str, int]:
        """Its ports by path."""
        return {**dict.fromkeys(self.PATHS, self.port), **dict.fromkeys(self.METHODS, self.grpc_port)}

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)

    async def _run(self) -> None:
        grpc = await started(self.grpc_port, self._report, _ABOUT)
        await self._server.serve(sockets=[self._socket])
        await grpc.stop(None)

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        for path, answer in self._answers().items():
            app.add_api_route(path, answer, methods=["GET", "HEAD"], response_class=Response)
        for path in ("/v1/models/{name:path}", "/v2/models/{name:path}"):
            app.add_api_route(path, self._absent, methods=["GET", "POST"], response_class=Response)
        return app

    async def _absent(self, name: str) -> Response:
        names = sorted((await asyncio.to_thread(self._report))["serving"])
        return JSONResponse({"error": f"no model answers '{name[:80]}'; there are: {', '.join(names)}"}, 404)

    def _answers(self) -> dict[str, Callable[..., Awaitable[Response]]]:
        async def live() -> Response:
            return JSONResponse({"status": "alive", "live": True})

        async def ready() -> Response:
            report = await asyncio.to_thread(self._report)
            return JSONResponse(report, 200 if report["ready"] else 503)

        async def models_ready() -> Response:
            ready = of_models(await asyncio.to_thread(self._report))
            return JSONResponse({"ready": ready}, 200 if ready else 503)

        async def about() -> Response:
            return JSONResponse(_ABOUT)

        async def models() -> Response:
            report = await asyncio.to_thread(self._report)
            return JSONResponse({"models": sorted(report["serving"])})

        async def docs() -> Response:
            return get_swagger_ui_html(openapi_url="/openapi.json", title="adloop")

        healths = {"/health/live": live, "/health/ready": ready}
        healths |= {"/v2/health/live": live, "/v2/health/ready": models_ready}
        lists = {"/": live, "/v2": about, "/v1/models": models, "/v2/models": models}
        return {**healths, **lists, "/docs": docs, "/metrics": self._metrics, "/openapi.json": self._document}

    async def _metrics(self, request: Request) -> Response:
        """Metrics of all servers with the label `server`, for keys with the scope `metrics`."""
        given = request.headers.get("authorization", "")
        try:
            self._keys.check(bearer(given), "metrics")
        except Unknown as unknown:
            return JSONResponse({"error": str(unknown)}, 401, {"www-authenticate": "Bearer"})
        except Forbidden as forbidden:
            return JSONResponse({"error": str(forbidden)}, 403)
        found = await self._asked({name: "/metrics" for name in self.ports()}, {"authorization": given})
        texts = {name: answer.text for name, answer in found.items()}
        return Response(merged_metrics.merge(texts), media_type="text/plain; version=0.0.4")

    async def _document(self) -> Response:
        paths = {name: "/openapi.json" if name in openapi.BESIDE else f"/v2/models/{name}" for name in self.ports()}
        found = {name: answer.json() for name, answer in (await self._asked(paths, {})).items()}
        return JSONResponse(openapi.of(found, keyed=not self._open))

    async def _asked(self, paths: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, httpx.Response]:
        """The responses of the servers; unavailable ones are left out."""
        ports = self.ports()
        async with httpx.AsyncClient(timeout=PATIENCE, headers=headers, verify=trusted()) as client:

            async def ask(name: str) -> tuple[str, httpx.Response | None]:
                try:
                    answer = await client.get(f"http://127.0.0.1:{ports[name]}{paths[name]}")
                except httpx.HTTPError as gone:
                    log.warning("%s does not answer: %s", name, gone)
                    return name, None
                return name, answer if answer.is_success else None

            found = await asyncio.gather(*(ask(name) for name in paths if name in ports))
        return {name: answer for name, answer in found if answer is not None}
