"""What can be said of a change without asking: LinkedIn has no call that only validates."""

import re
from collections.abc import Mapping
from datetime import datetime

from serving.integrations.change import Change, PlatformFault

_ONLY: Mapping[str, tuple[str | bool, ...]] = {
    "status": ("live", "paused", "removed"),
    "bid_unit": ("click", "mille"),
    "kind": ("company", "member"),
    "political": (True, False),
}
_LANGUAGE = re.compile("[a-z]{2}_[A-Z]{2}")
_FIXED = ("language", "political")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "campaign": ("name",),
    "ad_group": ("name", "locations"),
    "ad": ("name", "post"),
    "post": ("text",),
    "audience": ("name", "kind"),
    "company": ("domain",),
}
_IN = ("ad_group", "ad", "company")
#: Longest names, with the 26 signs of the marker.
_NAME = {"campaign": 100, "ad_group": 255, "ad": 255, "audience": 255}
_MARKER_SIGNS = 26


def unspeakable(change: Change) -> PlatformFault | None:
    """What cannot be put into LinkedIn's words."""
    for name, only in _ONLY.items():
        if name in change.fields and change.fields[name] not in only:
            return PlatformFault(
                "unsupported", f"expected of {', '.join(map(str, only))}, got {change.fields[name]!r}", name
            )
    for name in ("starts_at", "ends_at"):
        try:
            datetime.fromisoformat(str(change.fields.get(name, "2000-01-01")))
        except ValueError:
            return PlatformFault("unsupported", f"expected a time (ISO 8601), got {change.fields[name]!r}", name)
    language = str(change.fields.get("language", "en_US"))
    if not _LANGUAGE.fullmatch(language):
        return PlatformFault("unsupported", f"expected a language and country (en_US), got {language!r}", "language")
    if change.doing == "update":
        fixed = next((name for name in _FIXED if name in change.fields), "")
        return PlatformFault("unsupported", "is set when it is created, and stays", fixed) if fixed else None
    missing = [name for name in _NEEDED[change.object] if not change.fields.get(name)]
    if not change.parent and change.object in _IN:
        missing.append("parent")
    return PlatformFault("missing", f"a new {change.object} needs it", missing[0]) if missing else None


def refused(change: Change) -> PlatformFault | None:
    """What LinkedIn would surely refuse."""
    for name in ("daily_budget", "total_budget", "bid"):
        value = change.fields.get(name, 1)
        if not isinstance(value, int | float) or value <= 0:
            return PlatformFault("FIELD_VALUE_TOO_LOW", f"expected a positive amount, got {value!r}", name)
    longest = _NAME.get(change.object, 0) - _MARKER_SIGNS
    if len(change.fields.get("name", "")) > longest > 0:
        return PlatformFault(
            "FIELD_LENGTH_TOO_LONG", f"expected at most {longest} characters beside the marker", "name"
        )
    return None
