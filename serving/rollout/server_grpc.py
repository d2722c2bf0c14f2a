"""The gRPC methods without a model: liveness, readiness and metadata of the server.

The three small messages are encoded by hand: the generated code comes with KServe, which takes seconds to import.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc

from serving.rollout.envoy_filters import SERVICE
from serving.rollout.openapi import BESIDE

Report = Callable[[], dict[str, Any]]
Answer = Callable[[bytes, Any], Awaitable[bytes]]


async def started(port: int, report: Report, about: Mapping[str, Any]) -> Any:
    """Start a server of these methods on loopback."""

    async def live(_: bytes, context: Any) -> bytes:
        return flag(True)

    async def ready(_: bytes, context: Any) -> bytes:
        return flag(of_models(await asyncio.to_thread(report)))

    async def metadata(_: bytes, context: Any) -> bytes:
        return texts([about["name"]], [about["version"]], about["extensions"])

    async def absent(_: bytes, context: Any) -> bytes:
        names = sorted((await asyncio.to_thread(report))["serving"])
        await context.abort(grpc.StatusCode.NOT_FOUND, f"no such model answers; there are: {', '.join(names)}")
        return b""

    of_all: dict[str, Answer] = {"ServerLive": live, "ServerReady": ready, "ServerMetadata": metadata}
    answers = of_all | dict.fromkeys(("ModelInfer", "ModelReady", "ModelMetadata"), absent)
    methods = {name: grpc.unary_unary_rpc_method_handler(answer) for name, answer in answers.items()}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE.strip("/"), methods)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server


def of_models(report: Mapping[str, Any]) -> bool:
    """Whether all models are ready, as the Open Inference Protocol defines readiness, without the servers beside."""
    return not set(report["faults"]) - set(BESIDE)


def flag(value: bool) -> bytes:
    """A protobuf message with this boolean as field 1."""
    return b"\x08\x01" if value else b""


def texts(*fields: list[str]) -> bytes:
    """A protobuf message with these texts as fields from 1 on, each shorter than 128 bytes."""
    found = b""
    for number, values in enumerate(fields, 1):
        for text in (value.encode() for value in values):
            found += bytes([number << 3 | 2, len(text)]) + text
    return found
