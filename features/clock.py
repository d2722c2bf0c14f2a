"""Local hour and weekday at request time, by the same rule as `features.tables.local` in training: the campaign's zone,
else UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOUR_S, DAY_S = 3600, 86_400
#: Days from a Monday to the first day of Unix time.
THURSDAY = 3
#: UTC offsets only change at multiples of a quarter of an hour.
STEP_S = 900


def known(zone: str | None) -> bool:
    """Whether this is None or an IANA time zone."""
    if zone is None:
        return True
    try:
        return bool(ZoneInfo(zone).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name, or one that leads out of the folder
        return False


def hour_and_weekday(moments: Floats, zones: Sequence[str | None]) -> tuple[Floats, Floats]:
    """Local hour, 0-23, and weekday, 0-6 from Monday, of Unix seconds, each in its zone.

    None is UTC. Raises `ZoneInfoNotFoundError` for an unknown zone.
    """
    ahead = [0 if zone is None else _ahead_s(zone, int(at // STEP_S)) for at, zone in zip(moments, zones, strict=True)]
    local = moments + np.array(ahead, dtype=np.float64)
    return np.floor(local % DAY_S / HOUR_S), (local // DAY_S + THURSDAY) % 7


@lru_cache(maxsize=65_536)
def _ahead_s(zone: str, step: int) -> int:
    """UTC offset of the zone in seconds; 0 outside the calendar's range."""
    clock = ZoneInfo(zone)
    try:
        ahead = datetime.fromtimestamp(step * STEP_S, UTC).astimezone(clock).utcoffset()
    except (OverflowError, ValueError, OSError):
        return 0
    return int(ahead.total_seconds()) if ahead is not None else 0
