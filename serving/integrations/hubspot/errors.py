"""What HubSpot's errors mean. Every field of them may be missing."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hubspot.crm.objects.exceptions import ApiException

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

#: A lock lasts two seconds. A data center's migration takes up to a day, and says how long.
LOCK_S, MIGRATION_S = 2.0, 86_400.0
#: Seconds until there are calls again, by the policy that was exceeded; the day's are given anew at midnight in the
#: account's zone, which is asked for every hour.
POLICY_S = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}
_NAME = re.compile(r'"name":"([^"]+)"')


def fault(body: Mapping[str, Any], names: Mapping[str, str]) -> PlatformFault:
    """What is wrong; `names` are properties in the words of changes."""
    said = str(body.get("message") or "refused without a message")
    properties = [name for name in _properties(body) if name]
    code = str(body.get("subCategory") or body.get("category") or body.get("status") or "")
    return PlatformFault(code, said, names.get(properties[0], properties[0]) if properties else "")


def _properties(body: Mapping[str, Any]) -> Iterator[str]:
    for one in body.get("errors") or ():
        context = one.get("context")
        yield from (context.get("propertyName") or ()) if isinstance(context, dict) else ()
        yield str(one.get("in") or "")
    yield from (body.get("context") or {}).get("propertyName") or ()
    yield from _NAME.findall(str(body.get("message") or ""))  # values that were refused are JSON within the message


def raised(refused: ApiException, version: str, names: Mapping[str, str]) -> PlatformError | Unanswered:
    """The error of a whole call."""
    body, status = _body(refused.body), int(refused.status or 0)
    message = str(body.get("message") or refused.reason or "")
    headers = {name.lower(): value for name, value in (refused.headers or {}).items()}
    if status == 0 or status >= 500:
        return Unanswered(f"hubspot: answered {status or refused.reason}")
    if status == 401:
        return LoginExpired(f"hubspot: {message}; make a new token and set ADLOOP_HUBSPOT_ACCESS_TOKEN")
    if status == 403:
        scopes = (body.get("errors") or [{}])[0].get("context", {}).get("requiredGranularScopes", [])
        return Denied(f"hubspot: {message} {', '.join(scopes)}; give the private app this scope")
    if status == 410:
        return VersionRetired(f"hubspot: {message}; set ADLOOP_HUBSPOT_VERSION to a later one than {version}")
    wait_s = _wait_s(status, body, headers)
    return CallRefused(fault(body or {"message": message}, names)) if wait_s is None else Throttled(wait_s, message)


def _wait_s(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    told = float(headers["retry-after"]) if headers.get("retry-after", "").isdigit() else None
    if status == 423:
        return max(LOCK_S, told or 0.0)
    if status == 429:
        policy = str(body.get("policyName") or "TEN_SECONDLY_ROLLING")
        return POLICY_S.get(policy, POLICY_S["TEN_SECONDLY_ROLLING"]) if told is None else told
    if status == 477:
        return MIGRATION_S if told is None else told
    return None


def _body(text: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(text or "")
    except ValueError:  # a gateway answers in HTML
        return {}
    return body if isinstance(body, dict) else {}
