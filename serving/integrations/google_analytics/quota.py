"""How long to wait for Google Analytics."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

#: Google's days of quota are those of California.
_ZONE = ZoneInfo("America/Los_Angeles")
MINUTE_S, HOUR_S = 60.0, 3600.0
#: Server errors of an hour that are left when reading stops by itself: at none Google closes the project's access.
_ERRORS_LEFT = 2


def wait_s(message: str, retry_after: str = "") -> float:
    """Seconds to wait after an answer that says so: as its header tells, or until the quota that it names is new."""
    if retry_after.isdigit():
        return float(retry_after)
    if re.search(r"per ?day|daily", message, re.IGNORECASE):
        return until_midnight_s(datetime.now(_ZONE))
    return HOUR_S if re.search(r"hour", message, re.IGNORECASE) else MINUTE_S


def until_midnight_s(now: datetime) -> float:
    """Seconds until a new day of quota."""
    local = now.astimezone(_ZONE)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), _ZONE)
    return midnight.timestamp() - now.timestamp()


def spent(left: Mapping[str, int], cost: int, now: datetime) -> tuple[float, str]:
    """Seconds to wait before another report of the same cost, and the quota that is short; (0, "") where none is.

    Args:
        left: what is left by quota, as `PropertyQuota` names them.
    """
    if left.get("tokens_per_day", cost) < cost:
        return until_midnight_s(now), "tokens_per_day"
    for name in ("tokens_per_hour", "tokens_per_project_per_hour"):
        if left.get(name, cost) < cost:
            return HOUR_S, name
    if left.get("server_errors_per_project_per_hour", _ERRORS_LEFT + 1) <= _ERRORS_LEFT:
        return HOUR_S, "server_errors_per_project_per_hour"
    return 0.0, ""
