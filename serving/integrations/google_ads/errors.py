"""Google's errors as those of every platform.

An error of a call is a gRPC code with a `GoogleAdsFailure` in its trailing metadata; an error of one operation is in
the failure of an answer. Each names a code (`campaign_budget_error` `MONEY_AMOUNT_TOO_LARGE`), a message and where in
the request it lies.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from serving.integrations.change import PlatformFault
from serving.integrations.google_ads.credentials import GoogleAdsCredentials
from serving.integrations.google_ads.fields import canonical
from serving.integrations.platform import (
    CallRefused,
    Denied,
    LoginExpired,
    PlatformError,
    Throttled,
    Unanswered,
    VersionRetired,
)

#: Seconds to wait where Google tells none: for its quota, and for what was edited at the same moment.
QUOTA_S, BUSY_S = 60.0, 5.0
#: Authentication errors that no new login mends.
_NO_LOGIN = ("CUSTOMER_NOT_FOUND", "NOT_ADS_USER", "CLIENT_CUSTOMER_ID_INVALID", "DEVELOPER_TOKEN_INVALID")
_REFUSED = (
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "ALREADY_EXISTS",
    "NOT_FOUND",
    "OUT_OF_RANGE",
    "RESOURCE_EXHAUSTED",
)
Failure = Sequence[Any]


class OperationsRefused(CallRefused):
    """A call was refused for errors that lie in its operations; `errors` has them by the operation's position."""

    def __init__(self, errors: Mapping[int, Any]) -> None:
        super().__init__(fault(next(iter(errors.values()))))
        self.errors = errors


def told(raised: Exception, credentials: GoogleAdsCredentials) -> Exception:
    """The platform's error that an exception of the client library means; itself where it means none."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, RefreshError

    if isinstance(raised, RefreshError) and not raised.retryable:
        return _login("the login cannot be renewed")
    if isinstance(raised, GoogleAuthError):
        return Unanswered(f"google_ads: the login was not renewed ({type(raised).__name__})")
    if not isinstance(raised, GoogleAPICallError):
        return raised
    status = raised.grpc_status_code.name if raised.grpc_status_code else "UNKNOWN"
    return _of_call(status, list(_errors_of_call(raised)), raised.message, credentials)


def _of_call(status: str, errors: Failure, message: str, credentials: GoogleAdsCredentials) -> Exception:
    codes = {code(error) for error in errors}
    said = errors[0].message if errors else message
    waits = max((wait_s(error) for error in errors), default=QUOTA_S)
    if status == "RESOURCE_EXHAUSTED" and waits:
        return Throttled(waits, f"google_ads: {said}")
    if status == "UNIMPLEMENTED" or "request_error UNSUPPORTED_VERSION" in codes:
        return VersionRetired(
            f"google_ads: API {credentials.version} is switched off; set ADLOOP_GOOGLE_ADS_VERSION to a later one"
        )
    if status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return _access(status, codes, said, credentials)
    if status in _REFUSED:
        if errors and all(position(error) is not None for error in errors):
            return OperationsRefused(by_operation(errors))
        return CallRefused(fault(errors[0]) if errors else PlatformFault(status, message))
    return Unanswered(f"google_ads: {status}: {said}")


def _access(status: str, codes: set[str], said: str, credentials: GoogleAdsCredentials) -> PlatformError:
    unmended = any(one.partition(" ")[2] in _NO_LOGIN for one in codes)
    if status == "UNAUTHENTICATED" and not unmended:
        return _login(said)
    return Denied(
        f"google_ads: {said} The login needs access to account {credentials.customer_id}: check"
        " ADLOOP_GOOGLE_ADS_CUSTOMER_ID, ADLOOP_GOOGLE_ADS_LOGIN_CUSTOMER_ID and ADLOOP_GOOGLE_ADS_DEVELOPER_TOKEN"
    )


def _login(said: str) -> LoginExpired:
    return LoginExpired(
        f"google_ads: {said}: log in again for the scope adwords, set ADLOOP_GOOGLE_ADS_REFRESH_TOKEN and run again"
    )


def _errors_of_call(raised: Any) -> Iterator[Any]:
    """The errors in the trailing metadata of a call's exception."""
    for cause in raised.errors:
        for key, value in getattr(cause, "trailing_metadata", tuple)() or ():
            if key.endswith("errors.googleadsfailure-bin"):
                yield from _failure(key, value).errors


def of_answer(answer: Any) -> dict[int, Any]:
    """The errors of an answer's operations, by position."""
    errors = list[Any]()
    for detail in answer.partial_failure_error.details:
        if detail.type_url.endswith("GoogleAdsFailure"):
            errors += _failure(detail.type_url.removeprefix("type.googleapis.com/"), detail.value).errors
    return by_operation(errors)


def _failure(said: str, value: bytes) -> Any:
    """A `GoogleAdsFailure` of the version that its key or type names."""
    version = said.split(".")[3]
    module = import_module(f"google.ads.googleads.{version}.errors.types.errors")
    return module.GoogleAdsFailure.pb().FromString(value)


def position(error: Any) -> int | None:
    """The position of the operation that an error lies in; None where it lies in the call."""
    first = next(iter(error.location.field_path_elements), None)
    return first.index if first is not None and first.field_name in ("mutate_operations", "operations") else None


def by_operation(errors: Failure) -> dict[int, Any]:
    """The first error of each operation, by its position in the request."""
    found = dict[int, Any]()
    for error in errors:
        place = position(error)
        if place is not None:
            found.setdefault(place, error)
    return found


def code(error: Any) -> str:
    """`campaign_error DUPLICATE_CAMPAIGN_NAME`."""
    for field, value in error.error_code.ListFields():
        named = field.enum_type.values_by_number.get(value)
        return f"{field.name} {named.name if named else value}"
    return "unknown"


def wait_s(error: Any) -> float:
    """Seconds to wait until it may be sent again; 0 where it is refused for good."""
    kind, _, name = code(error).partition(" ")
    if kind == "quota_error":
        delay = error.details.quota_error_details.retry_delay
        return float(delay.seconds + delay.nanos / 1e9) or QUOTA_S
    return BUSY_S if name in ("CONCURRENT_MODIFICATION", "TRANSIENT_ERROR") else 0.0


def fault(error: Any) -> PlatformFault:
    """Why an operation was refused, with its field in adloop's words."""
    elements = list(error.location.field_path_elements)
    path = [f"{one.field_name}[{one.index}]" if one.HasField("index") else one.field_name for one in elements]
    return PlatformFault(code(error), error.message, canonical(path))
