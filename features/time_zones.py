"""The names of time zones."""

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """All names, kept: to list them anew, Python opens some hundred files."""
    return frozenset(available_timezones())
