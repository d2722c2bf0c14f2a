"""Request errors, identical over REST and gRPC."""

from grpc_interceptor.exceptions import (
    GrpcException,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)


class RequestError(GrpcException):
    """A request error with its HTTP status; the gRPC status comes from its other base class."""

    http_status: int


class UnknownId(RequestError, NotFound):
    """No features are known for this id."""

    http_status = 404


class StoreGone(RequestError, Unavailable):
    """The online store does not answer."""

    http_status = 503


class NoKey(RequestError, Unauthenticated):
    """The key is missing or unknown."""

    http_status = 401


class NotAllowed(RequestError, PermissionDenied):
    """The key lacks the permission."""

    http_status = 403


class UnknownVersion(RequestError, NotFound):
    """The version is not served."""

    http_status = 404


class NotExplained(RequestError, Unimplemented):
    """The model gives no explanations."""

    http_status = 501


class NotServed(RequestError, Unimplemented):
    """The path or method is not served."""

    http_status = 404
