"""Refusals that are the same over REST and gRPC."""

from grpc_interceptor.exceptions import GrpcException, NotFound, Unavailable


class Refused(GrpcException):
    """An answer that cannot be given, with its HTTP status; the gRPC status comes from the parent beside it."""

    http_status: int


class UnknownId(Refused, NotFound):
    """No features are known for this id."""

    http_status = 404


class StoreGone(Refused, Unavailable):
    """The online store does not answer."""

    http_status = 503
