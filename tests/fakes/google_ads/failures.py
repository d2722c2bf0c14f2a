"""Errors as Google tells them: a `GoogleAdsFailure` of errors with code, message and the place in the request."""

from collections.abc import Iterable, Sequence
from typing import Any

import grpc
from google.ads.googleads.v26.errors.types.errors import GoogleAdsError, GoogleAdsFailure
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import ParseDict
from google.rpc.status_pb2 import Status

_ERROR = GoogleAdsError.pb()
#: A part of a field's path, and its position where the field is a list.
Element = tuple[str, int | None]


class Refusal(Exception):
    """One error. `code` as `campaign_error.DUPLICATE_CAMPAIGN_NAME`; `path` below the operation."""

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.path = code, message, path


class CallFailure(Exception):
    """An error of the whole call."""

    def __init__(self, status: grpc.StatusCode, failure: Any, details: str = "") -> None:
        super().__init__(details)
        self.status, self.failure = status, failure
        self.details = details or (failure.errors[0].message if failure is not None else "")


def error(refusal: Refusal, place: Sequence[Element] = ()) -> Any:
    """The error message of a refusal at a place of the request."""
    kind, name = refusal.code.split(".")
    made = _ERROR(message=refusal.message)
    about = made.error_code.DESCRIPTOR.fields_by_name[kind]
    setattr(made.error_code, kind, about.enum_type.values_by_name[name].number)
    for field, index in [*place, *_elements(refusal.path)]:
        element = made.location.field_path_elements.add(field_name=field)
        if index is not None:
            element.index = index
    return made


def _elements(path: str) -> list[Element]:
    found = list[Element]()
    for part in path.split(".") if path else ():
        name, _, index = part.rstrip("]").partition("[")
        found.append((name, int(index) if index else None))
    return found


def failure(errors: Iterable[Any], request_id: str) -> Any:
    return GoogleAdsFailure.pb()(errors=errors, request_id=request_id)


def refused(refusal: Refusal) -> CallFailure:
    """The whole call refused for one reason."""
    return CallFailure(grpc.StatusCode.INVALID_ARGUMENT, failure([error(refusal)], ""))


def partial(errors: Iterable[Any], version: str, request_id: str) -> Any:
    """The status of an answer some of whose operations failed."""
    told = failure(errors, request_id)
    detail = AnyMessage(
        type_url=f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure",
        value=told.SerializeToString(),
    )
    return Status(code=3, message="Multiple errors in 'details'.", details=[detail])


def scripted(body: Any) -> Any:
    """A failure from its JSON form, as a scripted fault has it; None without one."""
    return ParseDict(body, GoogleAdsFailure.pb()()) if body else None
