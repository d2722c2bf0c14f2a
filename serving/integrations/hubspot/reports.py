"""Reads HubSpot: deals that were won, as transactions."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from serving.integrations.hubspot.calls import HubSpotCalls

if TYPE_CHECKING:
    import pyarrow as pa

_PROPERTIES = ("amount", "closedate", "dealtype", "hs_analytics_source")


def read(calls: HubSpotCalls, id_property: str, day: date) -> "Mapping[str, pa.Table]":
    """What was won on a day in UTC."""
    import pyarrow as pa

    won = list(calls.search("deals", _filters(day), _PROPERTIES))
    contacts = calls.associated("deals", "contacts", [str(one["id"]) for one in won])
    known = {
        str(one["id"]): one["properties"].get(id_property)
        for one in calls.read("contacts", contacts.values(), [id_property])
    }
    rows = list[dict[str, Any]]()
    for one in won:
        deal, said = str(one["id"]), one["properties"]
        contact = contacts.get(deal)
        customer = known.get(contact or "") or (f"hubspot:{contact}" if contact else f"hubspot:deal:{deal}")
        rows.append(
            {
                "customer_id": customer,
                "occurred_at": datetime.fromisoformat(said["closedate"]).astimezone(UTC).replace(tzinfo=None),
                "amount": float(said["amount"]),
                "order_id": deal,
                "channel": said.get("hs_analytics_source") or None,
                "category": said.get("dealtype") or None,
            }
        )
    if not rows:
        return {}
    customers = pa.Table.from_pylist(
        [{"customer_id": key} for key in dict.fromkeys(row["customer_id"] for row in rows)]
    )
    return {"transactions": pa.Table.from_pylist(rows), "customers": customers}


def _filters(day: date) -> list[dict[str, str]]:
    start = datetime.combine(day, datetime.min.time(), UTC)
    first, last = (round(one.timestamp() * 1000) for one in (start, start + timedelta(days=1)))
    return [
        {"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"},
        {"propertyName": "amount", "operator": "HAS_PROPERTY"},
        {"propertyName": "closedate", "operator": "BETWEEN", "value": str(first), "highValue": str(last - 1)},
    ]
