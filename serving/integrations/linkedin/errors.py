"""What LinkedIn's errors mean. Bodies come in an old form (message, serviceErrorCode) and a new one (errorDetails)."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from serving.integrations.change import PlatformFault
from serving.integrations.platform import CallRefused, Denied, LoginExpired, PlatformError, Throttled, VersionRetired

#: Limits are not published and a 429 has no header. Those told are of five minutes or of a day, which ends at midnight
#: UTC; so a wait is five minutes, twice as long each time in a row, and at most until then.
WINDOW_S, DAY_S = 300.0, 86_400.0
#: Names of the platform's fields in the words of changes.
_FIELDS = {
    "dailyBudget": "daily_budget",
    "totalBudget": "total_budget",
    "unitCost": "bid",
    "costType": "bid_unit",
    "intendedStatus": "status",
    "content": "post",
    "objectiveType": "objective",
    "commentary": "text",
    "campaignGroup": "parent",
    "campaign": "parent",
    "companyWebsiteDomain": "domain",
}


class LinkedInThrottle:
    """How long to wait after the next 429."""

    def __init__(self) -> None:
        self.in_a_row = 0

    def wait_s(self, message: str, now: float) -> float:
        to_midnight = DAY_S - now % DAY_S
        if " DAY " in message:
            return to_midnight
        self.in_a_row += 1
        return max(WINDOW_S, min(WINDOW_S * 2.0 ** (self.in_a_row - 1), to_midnight))


def fault(body: Mapping[str, Any]) -> PlatformFault:
    """The first thing that is wrong, by the error's body."""
    details = body.get("errorDetails") or {}
    wrong = next(iter(details.get("inputErrors") or ()), {})
    path = str(wrong.get("input", {}).get("inputPath", {}).get("fieldPath", ""))
    code = wrong.get("code") or body.get("code") or body.get("serviceErrorCode") or body.get("status")
    said = wrong.get("description") or body.get("message") or "refused without a message"
    return PlatformFault(str(code), str(said), _field(path))


def raised(answer: httpx.Response, version: str, throttle: LinkedInThrottle) -> PlatformError:
    """The error of an answer from 400 to 499."""
    body = _body(answer)
    message = str(body.get("message", "")) or f"answered {answer.status_code}"
    if answer.status_code == 401:
        return LoginExpired(f"linkedin: {message}; get a new token and set ADLOOP_LINKEDIN_ACCESS_TOKEN")
    if answer.status_code == 403:
        return Denied(f"linkedin: {message}; the token needs the scope, and its member a role in the ad account")
    if answer.status_code == 426:
        return VersionRetired(
            f"linkedin: {message}; version {version} is switched off: set ADLOOP_LINKEDIN_VERSION to a month (YYYYMM)"
            " of the last twelve"
        )
    if answer.status_code == 429:
        return Throttled(throttle.wait_s(message, time.time()), message)
    return CallRefused(fault(body or {"message": message, "status": answer.status_code}))


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:  # a gateway answers in HTML
        return {}
    return body if isinstance(body, dict) else {}


def _field(path: str) -> str:
    first = path.strip("/").split("/")[0]
    if path.startswith("runSchedule"):
        return "ends_at" if path.endswith("end") else "starts_at"
    return _FIELDS.get(first, path)
