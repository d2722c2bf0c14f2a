"""KServe's ModelServer with one model: on one interface, with a limit on what it reads."""

import json
import logging
import struct
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import kserve
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve import InferRequest
from kserve.constants.constants import INFERENCE_CONTENT_LENGTH_HEADER, MAX_GRPC_MESSAGE_LENGTH
from kserve.errors import InvalidInput
from kserve.model import InferenceVerb
from kserve.model_server import app
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.server import GRPCServer
from kserve.protocol.grpc.servicer import InferenceServicer

from features.settings import Settings
from models.bundle import open_bundle
from models.keys import public_key
from serving.inference.errors import Refused
from serving.inference.middleware import BodyLimit, Json, Marked
from serving.inference.model import Endpoint

#: Bytes of one request, over REST as over gRPC.
BODY_LIMIT: int = MAX_GRPC_MESSAGE_LENGTH


def serve(
    folder: Path, name: str, version: str | None, host: str, http_port: int, grpc_port: int, settings: Settings
) -> None:
    """Verify the bundle and answer for it until SIGTERM. Raises `BundleTampered` before anything is opened."""
    bundle = open_bundle(folder, public_key(settings), name, version)
    endpoint = Endpoint(name, version or bundle.digest[:12], bundle, settings)
    app.add_middleware(Json)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT)
    app.add_middleware(Marked, version=endpoint.version)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    server = Server(host, http_port=http_port, grpc_port=grpc_port, grace_period=10, enable_latency_logging=False)
    _quiet()
    server.start([endpoint])


class Server(kserve.ModelServer):  # type: ignore[misc]
    """The ModelServer binds every interface and has no option for it; this one binds the one it is told."""

    def __init__(self, host: str, **options: Any) -> None:
        super().__init__(workers=1, enable_grpc=False, **options)
        self.host = host
        self.dataplane = Lenient(model_registry=self.registered_models)

    def register_signal_handler(self) -> None:
        """Called when the servers are made and none has started: the place to say where they listen."""
        super().register_signal_handler()
        self._rest_server.config.host = self.host
        self._grpc_server = HostGRPC(self.host, self.grpc_port, self.dataplane, self.model_repository_extension, {})
        self.servers.append(self._grpc_server.start(self.max_threads))


class HostGRPC(GRPCServer):  # type: ignore[misc]
    """KServe's gRPC service on one interface."""

    def __init__(self, host: str, *args: Any) -> None:
        super().__init__(*args, grace_period=10)
        self._host = host

    async def start(self, max_workers: int) -> None:
        limits = [("grpc.max_send_message_length", BODY_LIMIT), ("grpc.max_receive_message_length", BODY_LIMIT)]
        pool = futures.ThreadPoolExecutor(max_workers=max_workers)
        self._server = grpc.aio.server(pool, interceptors=(ExceptionToStatusInterceptor(),), options=limits)
        servicer = InferenceServicer(self._data_plane, self._model_repository_extension)
        grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        self._server.add_insecure_port(f"{self._host}:{self._port}")
        await self._server.start()
        await self._server.wait_for_termination()


class Lenient(DataPlane):  # type: ignore[misc]
    """Reads what is nearly right, so that the fault can be named by its field, and refuses the rest as invalid."""

    def decode(self, body: Any, headers: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().decode(body, headers, *args, **options)
        except InvalidInput:
            if not isinstance(body, bytes) or "protocol_version" in options:
                raise
            return _with_nan(body), {}
        except (KeyError, ValueError, TypeError, AttributeError, struct.error) as broken:
            raise InvalidInput(f"not a request of the Open Inference Protocol: {broken}") from broken

    def decode_inference_request(self, body: Any, headers: dict[str, str], model_name: str) -> InferRequest:
        """Keeps binary tensors binary: KServe makes lists of them, where NaN is no longer told from a bad number."""
        request = super().decode_inference_request(body, headers, model_name)
        if isinstance(body, bytes):
            start = int(headers[INFERENCE_CONTENT_LENGTH_HEADER])
            for tensor, said in zip(request.inputs, json.loads(body[:start])["inputs"], strict=True):
                size = (said.get("parameters") or {}).get("binary_data_size")
                if size is not None and said.get("data") is None:
                    tensor._raw_data, start = body[start : start + size], start + size
        return request

    async def explain(self, model_name: str, request: Any, headers: dict[str, str] | None = None) -> Any:
        """As KServe's own, which however sends the request's headers, credentials among them, back to the client."""
        model = await self.get_model(model_name)
        return await model(request, headers=headers, verb=InferenceVerb.EXPLAIN)


def _with_nan(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as broken:
        raise InvalidInput(f"the body is not JSON: {broken}") from broken


async def _refused(_: Request, refused: Refused) -> JSONResponse:
    return JSONResponse({"error": refused.details}, status_code=refused.http_status)


async def _invalid(_: Request, invalid: RequestValidationError) -> JSONResponse:
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in invalid.errors()]
    return JSONResponse({"error": "; ".join(faults)}, status_code=400)


def _quiet() -> None:
    """KServe logs a line a request and a traceback a refusal; the request log has them both, in columns."""
    for name in ("kserve", "kserve.trace", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.ERROR)
