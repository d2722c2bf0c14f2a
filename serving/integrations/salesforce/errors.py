"""What Salesforce's errors mean: an array of message, errorCode and fields, or one for each record of a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

from simple_salesforce.exceptions import SalesforceError

from serving.integrations.change import PlatformFault
from serving.integrations.platform import (
    CallRefused,
    Denied,
    LoginExpired,
    PlatformError,
    Throttled,
    Unanswered,
    VersionRetired,
)

#: A row that another transaction holds is free again within seconds; too many calls at once end within a minute. The
#: calls of a day are counted over the last 24 hours, so that an hour later there are some again.
LOCK_S, CONCURRENT_S, DAY_S = 5.0, 60.0, 3600.0
CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
LOCKED = "UNABLE_TO_LOCK_ROW"
DUPLICATE = "DUPLICATE_VALUE"
_DENIED = ("API_CURRENTLY_DISABLED", "API_DISABLED_FOR_ORG", "FUNCTIONALITY_NOT_ENABLED", "INSUFFICIENT_ACCESS")


def fault(errors: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> PlatformFault:
    """All that is wrong with one record; `names` are fields in the words of changes. The first error gives code and
    field."""
    said = "; ".join(dict.fromkeys(str(one.get("message", "")) for one in errors)) or "refused without a message"
    first = errors[0] if errors else {}
    fields = first.get("fields") or [""]
    return PlatformFault(code(first), said, names.get(fields[0], fields[0]))


def code(error: Mapping[str, Any]) -> str:
    """Whole calls name it `errorCode`, records of a batch `statusCode`."""
    return str(error.get("errorCode") or error.get("statusCode") or "")


def raised(refused: SalesforceError, version: str, names: Mapping[str, str]) -> PlatformError | Unanswered:
    """The error of a whole call."""
    content: Any = refused.content
    errors = content if isinstance(content, list) and content and isinstance(content[0], dict) else []
    said = fault(errors, names)
    message = f"salesforce: {said.message}"
    if refused.status >= 500:
        return Unanswered(f"salesforce: answered {refused.status}")
    if refused.status == 401:
        return LoginExpired(f"{message}; get a new token and set ADLOOP_SALESFORCE_ACCESS_TOKEN")
    if refused.status == 410:
        return VersionRetired(f"{message}; version {version} is retired: set ADLOOP_SALESFORCE_VERSION to a later one")
    if refused.status == 412:
        return Throttled(1.0, "the record was edited since it was read")
    if refused.status == 300:
        message = "the external id matches more than one record; merge them"
        return CallRefused(PlatformFault("MULTIPLE_CHOICES", message, "customer_id"))
    return _by_code(said, message, refused.status)


def _by_code(said: PlatformFault, message: str, status: int) -> PlatformError:
    if said.code == "REQUEST_LIMIT_EXCEEDED":
        return Throttled(CONCURRENT_S if "concurrent" in message.lower() else DAY_S, said.message)
    if said.code == LOCKED:
        return Throttled(LOCK_S, said.message)
    if said.code.startswith(_DENIED) or status == 403:
        return Denied(f"{message} ({said.code}); give the token's user this right")
    return CallRefused(said)
