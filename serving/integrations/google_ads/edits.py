"""Who edited what, by the account's change history."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.google_ads.fields import OBJECTS
from serving.integrations.platform import OutsideEdit

#: Google tells of the last 30 days, and of 10,000 edits a query.
TOLD_S, MOST = 29 * 86_400.0, 10_000
_COLLECTIONS = {one.collection: one.object for one in OBJECTS.values()}


def edits(connection: GoogleAdsConnection, since: float, zone: ZoneInfo) -> list[OutsideEdit]:
    """The edits since then (Unix seconds) by others. Edits through the API count as adloop's own, unless the login's
    address is configured: then those of other logins are told too."""
    now = time.time()
    begin, end = (_local(at, zone) for at in (max(since, now - TOLD_S), now + 60))
    rows = connection.query(
        "SELECT change_event.change_resource_name, change_event.change_date_time, change_event.user_email,"  # noqa: S608
        " change_event.client_type, change_event.changed_fields FROM change_event"
        f" WHERE change_event.change_date_time >= '{begin}' AND change_event.change_date_time <= '{end}'"
        f" ORDER BY change_event.change_date_time DESC LIMIT {MOST}"
    )
    events = [row.change_event for row in rows if not _own(row.change_event, connection.credentials.user_email)]
    budgets = _campaigns(connection, {one.change_resource_name for one in events})
    return [edit for event in events for edit in _edits(event, budgets, zone)]


def _own(event: Any, email: str) -> bool:
    client = event.DESCRIPTOR.fields_by_name["client_type"].enum_type.values_by_number[event.client_type].name
    return client == "GOOGLE_ADS_API" and email in ("", event.user_email)


def _campaigns(connection: GoogleAdsConnection, names: set[str]) -> dict[str, list[str]]:
    """The campaigns of budgets among the resource names."""
    budgets = sorted(name for name in names if "/campaignBudgets/" in name)
    if not budgets:
        return {}
    listed, found = ", ".join(f"'{name}'" for name in budgets), dict[str, list[str]]()
    for row in connection.query(
        f"SELECT campaign.campaign_budget FROM campaign WHERE campaign.campaign_budget IN ({listed})"  # noqa: S608
    ):
        found.setdefault(row.campaign.campaign_budget, []).append(row.campaign.resource_name)
    return found


def _edits(event: Any, budgets: dict[str, list[str]], zone: ZoneInfo) -> Iterator[OutsideEdit]:
    at = datetime.fromisoformat(event.change_date_time).replace(tzinfo=zone).timestamp()
    for name in budgets.get(event.change_resource_name, [event.change_resource_name]):
        collection, _, place = name.rpartition("/")
        kind = _COLLECTIONS.get(collection.rpartition("/")[2])
        if kind:
            yield OutsideEdit(kind, place, event.user_email, at, ", ".join(event.changed_fields.paths))


def _local(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
