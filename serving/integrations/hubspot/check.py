"""What can be said of a change without asking: HubSpot has no call that only validates."""

from collections.abc import Mapping

from serving.integrations.change import Change, PlatformFault

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "lead": ("customer_id", "score", "reason"),
    "list": ("name",),
    "list_member": ("customer_id",),
}


def unspeakable(change: Change) -> PlatformFault | None:
    """What cannot be put into HubSpot's words."""
    status = change.fields.get("status", "live")
    if status not in ("live", "removed"):
        return PlatformFault("unsupported", f"expected live or removed, got {status!r}", "status")
    if not isinstance(change.fields.get("score", 0), int | float):
        return PlatformFault("unsupported", f"expected a number, got {change.fields['score']!r}", "score")
    if change.doing == "update":
        return None
    missing = [name for name in _NEEDED[change.object] if change.fields.get(name) in (None, "")]
    if change.object == "list_member" and not change.parent:
        missing.append("parent")
    return PlatformFault("missing", f"a new {change.object} needs it", missing[0]) if missing else None


def refused(change: Change) -> PlatformFault | None:
    """What HubSpot would surely refuse."""
    email = str(change.fields.get("email", "a@b"))
    name, _, host = email.partition("@")
    return None if name and host else PlatformFault("INVALID_EMAIL", f"expected an address, got {email!r}", "email")
