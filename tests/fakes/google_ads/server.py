"""Google Ads over gRPC, for API v23 to v26: their messages have the same fields by the same numbers."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from tests.fakes.fake import TURN
from tests.fakes.faults import ReceivedCall, Script, ScriptedFault
from tests.fakes.google_ads import failures, services
from tests.fakes.google_ads.state import CUSTOMER, GoogleAdsState
from tests.fakes.google_ads.tokens import DEVELOPER_TOKEN, issued, tokens
from tests.fakes.rest import Scripted, serve

VERSIONS = ("v23", "v24", "v25", "v26")
_PATH = re.compile(r"/google\.ads\.googleads\.(v\d+)\.services\.(\w+)/(\w+)")


@dataclass(frozen=True)
class Caller:
    """A call: its path, the API version, and the id of the request."""

    path: str
    version: str
    request_id: str


class GoogleAds(grpc.GenericRpcHandler):
    """Answers the methods of `services`; every other is UNIMPLEMENTED, as is every other version."""

    def __init__(self, state: GoogleAdsState, script: Script) -> None:
        self.state, self.script = state, script

    def service(self, details: Any) -> Any:
        found = _PATH.fullmatch(details.method)
        if not found or found[1] not in VERSIONS or (found[2], found[3]) not in services.METHODS:
            return None
        method = services.METHODS[found[2], found[3]]
        module = import_module(f"google.ads.googleads.v26.services.types.{method.module}")
        request = getattr(module, method.request).pb()
        handler = grpc.unary_stream_rpc_method_handler if method.streams else grpc.unary_unary_rpc_method_handler
        answer = self._streamed if method.streams else self._answered
        return handler(
            partial(answer, method.answer, details.method, found[1]),
            request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def _streamed(
        self, answer: Callable[..., Any], path: str, version: str, request: Any, context: Any
    ) -> Iterator[Any]:
        yield from self._answered(answer, path, version, request, context)

    def _answered(self, answer: Callable[..., Any], path: str, version: str, request: Any, context: Any) -> Any:
        caller = Caller(path, version, uuid.uuid4().hex[:22])
        headers = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        noted, fault = self.script.come(path, headers)
        context.set_trailing_metadata((("request-id", caller.request_id),))
        if fault is not None:
            _meet(fault, noted, caller, context)
        try:
            _check_caller(self.state, request, headers)
            with TURN:
                said = answer(self.state, request, caller)
        except failures.CallFailure as failed:
            noted.status = failed.status.name
            _fail(failed, caller, context)
        except failures.Refusal as refusal:
            noted.status = "INVALID_ARGUMENT"
            _fail(failures.refused(refusal), caller, context)
        if fault is not None and fault.lost == "after":
            _lose(noted, context)
        noted.status = "OK"
        return said


def _meet(fault: ScriptedFault, noted: ReceivedCall, caller: Caller, context: Any) -> None:
    """Do what comes before the answer; returns where there is one."""
    time.sleep(fault.delay_s)
    if fault.lost == "before":
        _lose(noted, context)
    if fault.status is not None and not fault.lost:
        noted.status = str(fault.status)
        failure = failures.scripted(fault.body)
        status = grpc.StatusCode[str(fault.status)]
        _fail(failures.CallFailure(status, failure, "" if failure is not None else "scripted"), caller, context)


def _lose(noted: ReceivedCall, context: Any) -> None:
    """End the call as its client sees a connection that broke."""
    noted.status = "lost"
    context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")


def _fail(failed: failures.CallFailure, caller: Caller, context: Any) -> None:
    trailing: list[tuple[str, str | bytes]] = [("request-id", caller.request_id)]
    if failed.failure is not None:
        failed.failure.request_id = caller.request_id
        name = f"google.ads.googleads.{caller.version}.errors"
        status = Status(code=failed.status.value[0], message=failed.details)
        status.details.add(
            type_url=f"type.googleapis.com/{name}.GoogleAdsFailure", value=failed.failure.SerializeToString()
        )
        trailing.append((f"{name}.googleadsfailure-bin", failed.failure.SerializeToString()))
        trailing.append(("grpc-status-details-bin", status.SerializeToString()))
    context.set_trailing_metadata(tuple(trailing))
    context.abort(failed.status, failed.details)


def _check_caller(state: GoogleAdsState, request: Any, headers: dict[str, str]) -> None:
    """Refuse calls without a valid token, and those about other accounts."""
    if headers.get("authorization", "").removeprefix("Bearer ") not in issued(state):
        _deny("authentication_error.OAUTH_TOKEN_INVALID", "OAuth token is invalid.", grpc.StatusCode.UNAUTHENTICATED)
    if headers.get("developer-token") != DEVELOPER_TOKEN:
        code = "authentication_error.DEVELOPER_TOKEN_INVALID"
        _deny(code, "The developer token is not valid.", grpc.StatusCode.UNAUTHENTICATED)
    asked = getattr(request, "customer_id", CUSTOMER)
    if not re.fullmatch(r"\d{10}", asked):
        raise failures.Refusal("request_error.INVALID_CUSTOMER_ID", "Invalid customer ID.")
    if asked != CUSTOMER:
        message = "User doesn't have permission to access customer."
        _deny("authorization_error.USER_PERMISSION_DENIED", message, grpc.StatusCode.PERMISSION_DENIED)


def _deny(code: str, message: str, status: grpc.StatusCode) -> None:
    raise failures.CallFailure(status, failures.failure([failures.error(failures.Refusal(code, message))], ""))


@contextmanager
def served(state: GoogleAdsState, script: Script) -> Iterator[str]:
    """Serve the account and its logins; gives both addresses, `http://HOST:PORT` each, parted by a space."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((GoogleAds(state, script),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with serve(Scripted(tokens(state), script)) as logins:
            yield f"http://127.0.0.1:{port} {logins}"
    finally:
        server.stop(grace=None).wait()
