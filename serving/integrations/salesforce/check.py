"""What can be said of a change without asking: Salesforce has no call that only validates."""

from collections.abc import Mapping

from serving.integrations.change import Change, PlatformFault

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "lead": ("customer_id", "score", "reason"),
    "list": ("name",),
    "list_member": ("customer_id",),
}
_STATUS: Mapping[str, tuple[str, ...]] = {
    "lead": ("live", "removed"),
    "list": ("live", "paused", "removed"),
    "list_member": ("live", "removed"),
}
#: Longest texts.
_SIGNS = {"reason": 255, "name": 80, "last_name": 80, "first_name": 40, "email": 80, "company": 255}


def unspeakable(change: Change) -> PlatformFault | None:
    """What cannot be put into Salesforce's words."""
    status = change.fields.get("status", "live")
    if status not in _STATUS[change.object]:
        return PlatformFault(
            "unsupported", f"expected of {', '.join(_STATUS[change.object])}, got {status!r}", "status"
        )
    if not isinstance(change.fields.get("score", 0), int | float):
        return PlatformFault("unsupported", f"expected a number, got {change.fields['score']!r}", "score")
    if change.doing == "update":
        return None
    missing = [name for name in _NEEDED[change.object] if change.fields.get(name) in (None, "")]
    if change.object == "list_member" and not change.parent:
        missing.append("parent")
    return PlatformFault("missing", f"a new {change.object} needs it", missing[0]) if missing else None


def refused(change: Change) -> PlatformFault | None:
    """What Salesforce would surely refuse."""
    for name, most in _SIGNS.items():
        if len(str(change.fields.get(name, ""))) > most:
            return PlatformFault("STRING_TOO_LONG", f"expected at most {most} signs", name)
    return None
