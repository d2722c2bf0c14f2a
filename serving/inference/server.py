"""KServe's ModelServer for one model, on one interface, with a limit on request sizes."""

import json
import logging
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve.constants.constants import INFERENCE_CONTENT_LENGTH_HEADER, MAX_GRPC_MESSAGE_LENGTH
from kserve.errors import InvalidInput
from kserve.model import InferenceVerb
from kserve.model_repository import ModelRepository
from kserve.model_server import ModelServer, app
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.server import GRPCServer
from kserve.protocol.infer_type import InferRequest
from kserve.protocol.rest.v2_datamodels import InferenceRequest
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from features.settings import Settings
from models.bundle import open_bundle
from models.keys import public_key
from serving.access.body_limit import BodyLimit
from serving.inference.door import Door, GrpcDoor, Servicer, refusal
from serving.inference.errors import RequestError
from serving.inference.middleware import Marked, Typed
from serving.inference.model import Endpoint
from serving.inference.values import safe_text

#: Largest request in bytes, over REST and gRPC.
BODY_LIMIT: int = MAX_GRPC_MESSAGE_LENGTH


def serve(
    folder: Path, name: str, version: str | None, host: str, http_port: int, grpc_port: int, settings: Settings
) -> None:
    """Verify the bundle and serve it until SIGTERM. Raises `BundleTampered` before opening any of its files."""
    bundle = open_bundle(folder, public_key(settings), name, version)
    endpoint = Endpoint(name, version or bundle.digest[:12], bundle, settings)
    app.add_middleware(Typed)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT)
    app.add_middleware(Door, gate=endpoint.gate, version=endpoint.version)
    app.add_middleware(Marked, version=endpoint.version)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _said)
    server = InferenceServer(
        host, endpoint, http_port=http_port, grpc_port=grpc_port, grace_period=10, enable_latency_logging=False
    )
    _quiet()
    server.start([endpoint])


class InferenceServer(ModelServer):  # type: ignore[misc]
    """A ModelServer that binds a given interface; KServe's own binds all of them."""

    def __init__(self, host: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(workers=1, enable_grpc=False, **options)
        self.host, self.endpoint, self._stopping = host, endpoint, False
        self.dataplane = Lenient(endpoint.version, self.registered_models)

    def start(self, models: list[Endpoint]) -> None:
        """Serve until a signal, and then write the rest of the log, after the last answer."""
        try:
            super().start(models)
        finally:
            self._stopping = True
            self.endpoint.close()

    def stop(self, sig: int) -> None:
        """As KServe's, once: it runs in a signal handler, so a second signal can come while it runs."""
        if not self._stopping:
            self._stopping = True
            super().stop(sig)

    def register_signal_handler(self) -> None:
        """Set the addresses, and that nobody speaks WebSocket; KServe calls this after creating the servers and before
        starting them."""
        super().register_signal_handler()
        self._rest_server.config.host, self._rest_server.config.ws = self.host, "none"
        self._grpc_server = HostGRPC(
            self.host, self.endpoint, self.grpc_port, self.dataplane, self.model_repository_extension, {}
        )
        self.servers.append(self._grpc_server.start(self.max_threads))


class HostGRPC(GRPCServer):  # type: ignore[misc]
    """KServe's gRPC service on one interface, behind the door."""

    def __init__(self, host: str, endpoint: Endpoint, *args: Any) -> None:
        super().__init__(*args, grace_period=10)
        self._host, self._endpoint = host, endpoint

    async def start(self, max_workers: int) -> None:
        limits = [("grpc.max_send_message_length", BODY_LIMIT), ("grpc.max_receive_message_length", BODY_LIMIT)]
        pool = futures.ThreadPoolExecutor(max_workers=max_workers)
        doors = (GrpcDoor(self._endpoint.gate), ExceptionToStatusInterceptor())
        self._server = grpc.aio.server(pool, interceptors=doors, options=limits)
        servicer = Servicer(self._endpoint.version, self._data_plane, self._model_repository_extension)
        grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        self._server.add_insecure_port(f"{self._host}:{self._port}")
        await self._server.start()
        await self._server.wait_for_termination()


class Lenient(DataPlane):  # type: ignore[misc]
    """Parses leniently, so that errors can name the field, and refuses invalid requests."""

    def __init__(self, version: str, models: ModelRepository) -> None:
        super().__init__(model_registry=models)
        self._version = version

    def metadata(self) -> dict[str, Any]:
        """KServe's metadata without the model repository, which is not reachable from outside."""
        return {**super().metadata(), "extensions": ["binary_tensor_data"]}

    async def model_metadata(self, model_name: str) -> dict[str, Any]:
        """KServe's metadata with the served version."""
        return {**await super().model_metadata(model_name), "versions": [self._version]}

    def decode(self, body: Any, headers: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().decode(body, headers, *args, **options)
        except InvalidInput:
            if not isinstance(body, bytes) or "protocol_version" in options:
                raise
            return _with_nan(body), {}
        except ValidationError as invalid:
            raise InvalidInput(_faults(invalid.errors())) from invalid
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as broken:
            raise InvalidInput(f"not a request of the Open Inference Protocol: {safe_text(broken)}") from broken

    def decode_inference_request(self, body: Any, headers: dict[str, str], model_name: str) -> InferRequest:
        """Keeps binary tensors as arrays; KServe makes lists, in which NaN and invalid numbers look alike."""
        if not isinstance(body, bytes):
            return super().decode_inference_request(body, headers, model_name)
        if INFERENCE_CONTENT_LENGTH_HEADER not in headers:
            raise InvalidInput(f"expected JSON, or '{INFERENCE_CONTENT_LENGTH_HEADER}' and tensors after the JSON")
        length = int(headers[INFERENCE_CONTENT_LENGTH_HEADER])
        if not 0 <= length <= len(body):
            raise InvalidInput(f"{INFERENCE_CONTENT_LENGTH_HEADER}: expected 0 to {len(body)}, got {length}")
        return _with_tensors(json.loads(body[:length]), body[length:], model_name)

    async def explain(self, model_name: str, request: Any, headers: dict[str, str] | None = None) -> Any:
        """As KServe's, but without returning the request's headers, which include credentials."""
        model = await self.get_model(model_name)
        return await model(request, headers=headers, verb=InferenceVerb.EXPLAIN)


def _with_nan(body: bytes) -> Any:
    """Parse JSON that may contain NaN or infinities; a later check names the field."""
    try:
        found = json.loads(body)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as broken:
        raise InvalidInput(f"the body is not JSON: {safe_text(broken)}") from broken
    return found


def _with_tensors(body: Any, behind: bytes, model_name: str) -> InferRequest:
    """A request with binary tensors after its JSON, in their order. Raises `ValueError` and subclasses."""
    contents: list[bytes | None] = []
    for tensor in body["inputs"]:
        size = (tensor.get("parameters") or {}).get("binary_data_size")
        if size is None or tensor.get("data") is not None:
            contents.append(None)
            continue
        if not isinstance(size, int) or not 0 <= size <= len(behind):
            raise InvalidInput(f"'{tensor['name']}': expected a binary_data_size up to {len(behind)}, got {size!r}")
        contents.append(behind[:size])
        behind, tensor["data"] = behind[size:], []
    if behind:
        raise InvalidInput(f"{len(behind)} unexpected bytes after the last tensor")
    request = InferRequest.from_inference_request(InferenceRequest.model_validate(body), model_name)
    for tensor, content in zip(request.inputs, contents, strict=True):
        tensor._raw_data = content
    return request


async def _refused(_: Request, refused: RequestError) -> JSONResponse:
    return refusal(refused)


async def _said(_: Request, wrong: HTTPException) -> JSONResponse:
    return JSONResponse({"error": wrong.detail}, status_code=wrong.status_code, headers=wrong.headers)


async def _invalid(_: Request, invalid: RequestValidationError) -> JSONResponse:
    return JSONResponse({"error": _faults(invalid.errors())}, status_code=400)


def _faults(found: Sequence[Any]) -> str:
    """Validation errors by their place in the request; the first of many."""
    places = [[part for part in fault["loc"] if part not in ("body", "InferenceRequest")] for fault in found]
    messages = [
        f"{'.'.join(map(str, place)) or 'body'}: {fault['msg']}"
        for place, fault in zip(places, found, strict=True)
        if place != ["bytes"]  # a body is JSON or bytes, and this one is JSON
    ]
    return safe_text("; ".join(messages[:10]))


def _quiet() -> None:
    """Silence KServe's log lines per request and tracebacks per error; the request log has both as columns."""
    for name in ("kserve", "kserve.trace", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.ERROR)
