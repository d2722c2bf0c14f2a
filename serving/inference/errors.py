"""Refusals that are the same over REST and gRPC."""

from grpc_interceptor.exceptions import (
    GrpcException,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)


class RequestError(GrpcException):
    """An answer that cannot be given, with its HTTP status; the gRPC status comes from the parent beside it."""

    http_status: int


class UnknownId(RequestError, NotFound):
    """No features are known for this id."""

    http_status = 404


class StoreGone(RequestError, Unavailable):
    """The online store does not answer."""

    http_status = 503


class NoKey(RequestError, Unauthenticated):
    """No key, or none that is known."""

    http_status = 401


class NotAllowed(RequestError, PermissionDenied):
    """A key that may not do this."""

    http_status = 403


class UnknownVersion(RequestError, NotFound):
    """A version that is not served."""

    http_status = 404


class NotExplained(RequestError, Unimplemented):
    """A model that gives no explanations."""

    http_status = 501


class NotServed(RequestError, Unimplemented):
    """A path or method that is none of those that answer."""

    http_status = 404
