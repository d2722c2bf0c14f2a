"""The methods of gRPC that are of no one model, answered for all of them."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

Report = Callable[[], dict[str, Any]]


class Servicer(service.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Whether all is well, and what this is. Methods of models are answered by their servers."""

    def __init__(self, report: Report, about: dict[str, Any]) -> None:
        self._report, self._about = report, about

    async def ServerLive(self, request: Any, context: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:
        report = await asyncio.to_thread(self._report)
        return pb.ServerReadyResponse(ready=report["ready"])

    async def ServerMetadata(self, request: Any, context: Any) -> Any:
        return pb.ServerMetadataResponse(**self._about)

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        await self._absent(request.model_name, context)

    async def ModelReady(self, request: Any, context: Any) -> Any:
        await self._absent(request.name, context)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        await self._absent(request.name, context)

    async def _absent(self, name: str, context: Any) -> None:
        there = sorted((await asyncio.to_thread(self._report))["serving"])
        await context.abort(grpc.StatusCode.NOT_FOUND, f"no model '{name[:80]}'; there are: {', '.join(there)}")


async def started(port: int, report: Report, about: dict[str, Any]) -> Any:
    """A server of these methods on loopback."""
    server = grpc.aio.server()
    service.add_GRPCInferenceServiceServicer_to_server(Servicer(report, about), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server
