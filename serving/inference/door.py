"""Restricts KServe's server to an allow-list of paths and to authorized keys."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from fastapi.responses import JSONResponse
from kserve.errors import InvalidInput
from kserve.protocol.grpc.servicer import InferenceServicer
from starlette.types import ASGIApp, Receive, Scope, Send

from features.settings import Settings
from models.inputs import InvalidRows
from serving.access import scopes
from serving.access.keys import Forbidden, Keys, Unknown, bearer
from serving.inference.errors import NoKey, NotAllowed, NotServed, RequestError, UnknownVersion
from serving.inference.rows import known_datatype

log = logging.getLogger("adloop.access")

_MODEL = r"/v[12]/models/[^/:]+"
#: Allowed paths with the scope that they need; None for no key.
_PATHS: dict[str, scopes.Scope | None] = {
    rf"{_MODEL}:predict|{_MODEL}/infer": "predict",
    rf"{_MODEL}:explain": "explain",
    "/metrics": "metrics",
    rf"/|/v2|/v2/health/(live|ready)|/v[12]/models|{_MODEL}|{_MODEL}/ready": None,
}
_VERSION = re.compile(r"(/v2/models/[^/:]+)/versions/([^/]+)((?:/infer|/ready)?)")
_SERVICE = "/inference.GRPCInferenceService/"
_METHODS: dict[str, scopes.Scope | None] = {
    f"{_SERVICE}ModelInfer": "predict",
    **{f"{_SERVICE}{open_}": None for open_ in ("ServerLive", "ServerReady", "ServerMetadata")},
    **{f"{_SERVICE}{open_}": None for open_ in ("ModelReady", "ModelMetadata")},
}


class Gate:
    """Authorizes requests to the model of a family."""

    def __init__(self, family: str, settings: Settings) -> None:
        self._family = family
        self._keys = Keys(settings) if settings.inference_keys == "required" else None
        if self._keys is None:
            log.warning(scopes.OPEN)

    def check(self, headers: Mapping[str, str], scope: scopes.Scope) -> None:
        """Raises `NoKey` or `NotAllowed` unless the key in the headers has this scope."""
        if self._keys is None:
            return
        try:
            self._keys.check(bearer(headers.get("authorization", "")), scope).need(families=[self._family])
        except Unknown as unknown:
            raise NoKey(str(unknown)) from unknown
        except Forbidden as forbidden:
            raise NotAllowed(str(forbidden)) from forbidden


class Door:
    """REST middleware: refuses requests before their body is read, and removes a served version from the path."""

    def __init__(self, app: ASGIApp, gate: Gate, version: str) -> None:
        self.app, self._gate, self._version = app, gate, version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope = self._let_in(scope)
            except RequestError as refused:
                await refusal(refused)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _let_in(self, scope: Scope) -> Scope:
        """The ASGI scope to pass on. Raises `RequestError`."""
        path, version = scope["path"], _VERSION.fullmatch(scope["path"])
        if version is not None:
            path = version[1] + version[3]
        open_ = [need for pattern, need in _PATHS.items() if re.fullmatch(pattern, path)]
        if not open_:
            raise NotServed(f"{scope['path']} is not served here")
        need = open_[0]
        if need is not None:
            given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            self._gate.check({"authorization": given}, need)
        if version is not None:
            served(version[2], self._version)
        return {**scope, "path": path, "raw_path": path.encode()}


class GrpcDoor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """gRPC interceptor: refuses requests before the message is read."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def intercept_service(self, go_on: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        try:
            if details.method not in _METHODS:
                raise NotServed(f"{details.method} is not served here")
            need = _METHODS[details.method]
            if need is not None:
                self._gate.check(dict(details.invocation_metadata), need)
        except RequestError as refused:
            return _refusing(refused)
        return await go_on(details)


class Servicer(InferenceServicer):  # type: ignore[misc]
    """KServe's methods for the served version only; KServe itself ignores the requested version."""

    def __init__(self, version: str, *args: Any) -> None:
        super().__init__(*args)
        self._version = version

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        served(request.model_version, self._version)
        for tensor in request.inputs:
            try:
                known_datatype(tensor.name, tensor.datatype)
            except InvalidRows as wrong:
                raise InvalidInput(str(wrong)) from wrong
        return await super().ModelInfer(request, context)

    async def ModelReady(self, request: Any, context: Any) -> Any:
        served(request.version, self._version)
        return await super().ModelReady(request, context)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        served(request.version, self._version)
        found = await super().ModelMetadata(request, context)
        found.versions.append(self._version)  # KServe omits them
        return found


def served(asked: str, version: str) -> None:
    """Raises `UnknownVersion` where another version is requested."""
    if asked not in ("", version):
        raise UnknownVersion(f"version '{asked[:80]}' is not served, expected '{version}' or none")


def refusal(refused: RequestError) -> JSONResponse:
    """The REST response of an error."""
    headers = {"www-authenticate": "Bearer"} if isinstance(refused, NoKey) else {}
    return JSONResponse({"error": refused.details}, status_code=refused.http_status, headers=headers)


def _refusing(refused: RequestError) -> Any:
    async def refuse(_: bytes, context: Any) -> None:
        await context.abort(refused.status_code, refused.details)

    return grpc.unary_unary_rpc_method_handler(refuse)
