"""Events out, each found by its own uuid."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from serving.integrations.change import Change, PlatformFault
from serving.integrations.posthog.calls import PosthogCalls

FIELDS = ("name", "customer_id", "occurred_at", "properties")
#: Property of adloop's own events.
MARKER = "adloop"
_NAMES = UUID("6f9a3b0e-5d0c-4f43-9a3e-1d7f6f0a2f11")


def uuid(change: Change) -> str:
    """The uuid of the change's event."""
    return str(uuid5(_NAMES, change.marker))


def fault(change: Change) -> PlatformFault | None:
    """What is wrong with an event. PostHog refuses a whole call for one of them, and names no field."""
    for name in ("name", "customer_id", "occurred_at"):
        if not isinstance(change.fields.get(name), str) or not change.fields[name]:
            return PlatformFault("missing", f"expected a text, got {change.fields.get(name)!r}", name)
    try:
        datetime.fromisoformat(change.fields["occurred_at"])
    except ValueError:
        told = f"expected a time such as 2026-11-30T08:00:00, got '{change.fields['occurred_at']}'"
        return PlatformFault("time", told, "occurred_at")
    return None


def payload(change: Change) -> dict[str, Any]:
    """The event as PostHog takes it. Its time is that of the change, because events merge only at one time."""
    fields = change.fields
    own = {MARKER: change.marker, "$lib": "adloop", "$geoip_disable": True}
    return {
        "uuid": uuid(change),
        "event": fields["name"],
        "distinct_id": fields["customer_id"],
        "timestamp": _moment(change).isoformat(),
        "properties": {**fields.get("properties", {}), **own},
    }


def sent(calls: PosthogCalls, changes: Sequence[Change]) -> dict[str, str]:
    """Uuids of the events that PostHog has, by `change_id`."""
    by_uuid = {uuid(change): change.change_id for change in changes if fault(change) is None}
    if not by_uuid:
        return {}
    times = [_moment(change) for change in changes if fault(change) is None]
    day = timedelta(days=1)  # the server may correct a time by the sender's clock
    rows = calls.query(
        "SELECT DISTINCT toString(uuid) FROM events WHERE uuid IN {uuids} AND timestamp >= {start}"
        " AND timestamp <= {end} LIMIT 1000",
        uuids=list(by_uuid),
        start=(min(times) - day).isoformat(),
        end=(max(times) + day).isoformat(),
    )
    return {by_uuid[row[0]]: row[0] for row in rows if row[0] in by_uuid}


def _moment(change: Change) -> datetime:
    at = datetime.fromisoformat(change.fields["occurred_at"])
    return at if at.tzinfo else at.replace(tzinfo=UTC)
