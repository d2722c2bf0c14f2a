"""Meta's errors in the words of `serving.integrations.platform`."""

import json
from collections.abc import Mapping
from typing import Any

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

#: Codes of rate limits: of the app, the account, pages, custom limits, and of a business use case.
THROTTLES = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
#: Codes of logins that are over, of missing permissions, of a retired version, and of faults that tell nothing.
LOGINS, VERSIONS, UNTOLD = frozenset({102, 190}), frozenset({2635}), frozenset({1, 2})
PERMISSIONS = frozenset({3, 10, *range(200, 300)})
#: Seconds to wait where no header tells: asking earlier prolongs a block.
WAIT_S = 300.0
#: How Meta calls fields, in the words of `serving.integrations.change`.
FIELDS = {
    "lifetime_budget": "total_budget",
    "bid_amount": "bid",
    "start_time": "starts_at",
    "stop_time": "ends_at",
    "end_time": "ends_at",
    "campaign_id": "parent",
    "adset_id": "parent",
}


def wait_s(error: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Seconds that a throttle asks to wait; None where the error is none."""
    if error.get("code") not in THROTTLES:
        return None
    named = {name.lower(): value for name, value in headers.items()}
    uses = json.loads(named.get("x-business-use-case-usage") or "{}")
    minutes = [float(one.get("estimated_time_to_regain_access", 0)) for said in uses.values() for one in said]
    account = json.loads(named.get("x-ad-account-usage") or "{}")
    told = max([*(60 * one for one in minutes), float(account.get("reset_time_duration", 0))], default=0.0)
    return told or WAIT_S


def fault(error: Mapping[str, Any]) -> PlatformFault:
    """The fault of a refused change, with the field that Meta blames."""
    data = error.get("error_data") or {}
    data = json.loads(data) if isinstance(data, str) else data
    blamed = data.get("blame_field_specs") or [[]]
    field = str(blamed[0][0]) if blamed[0] else ""
    code = str(error.get("code", "")) + (f"/{error['error_subcode']}" if error.get("error_subcode") else "")
    message = error.get("error_user_msg") or error.get("message") or "refused without a reason"
    return PlatformFault(code, str(message), FIELDS.get(field, field))


def of_call(error: Mapping[str, Any], headers: Mapping[str, str]) -> PlatformError | Unanswered:
    """The error of a whole call."""
    code, told = error.get("code"), str(error.get("message", ""))
    waits = wait_s(error, headers)
    if waits is not None:
        return Throttled(waits, f"meta: {told or 'too many calls'}")
    if code in LOGINS:
        why = "the login is over: make a new token for the system user and set ADLOOP_META_ACCESS_TOKEN"
        return LoginExpired(f"meta: {why} (code {code}/{error.get('error_subcode', '')})")
    if code in VERSIONS:
        return VersionRetired(f"meta: the API version is switched off: set ADLOOP_META_VERSION (meta says: {told})")
    if code in PERMISSIONS:
        return Denied(f"meta: {told}; give the token the permissions ads_management and ads_read")
    if code in UNTOLD or code is None:
        return Unanswered(f"meta: {told or 'an error without a code'}")
    return CallRefused(fault(error))
