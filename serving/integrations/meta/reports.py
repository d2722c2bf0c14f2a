"""Meta's daily reports as canonical tables."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from serving.integrations.meta.fields import READ, Words
from serving.integrations.meta.graph import Graph

if TYPE_CHECKING:
    import pyarrow as pa

_FIELDS = "ad_id,campaign_id,impressions,inline_link_clicks,inline_post_engagement,spend,actions,action_values"
#: The action that counts as a conversion: purchases of the pixel, the app and offline in one.
PURCHASE = "omni_purchase"


def tables(graph: Graph, act: str, day: date) -> "dict[str, pa.Table]":
    """`impressions` of the account's day by ad and publisher platform; on days with any, the ads as `creatives`."""
    import pyarrow as pa

    window = {"since": day.isoformat(), "until": day.isoformat()}
    said = {"level": "ad", "time_range": window, "breakdowns": "publisher_platform", "fields": _FIELDS}
    rows = [_row(one, day) for one in graph.pages(f"{act}/insights", **said)]
    if not rows:
        return {}
    ads = [_creative(one) for one in graph.pages(f"{act}/ads", fields=READ["ad"])]
    return {"impressions": pa.Table.from_pylist(rows), "creatives": pa.Table.from_pylist(ads)}


def _row(one: Mapping[str, Any], day: date) -> dict[str, Any]:
    shown, clicks = float(one["impressions"]), float(one.get("inline_link_clicks", 0))
    return {
        "creative_id": str(one["ad_id"]),
        "campaign_id": str(one["campaign_id"]),
        "channel": f"meta {one['publisher_platform']}",
        "occurred_at": datetime(day.year, day.month, day.day),
        "impressions": shown,
        "clicks": min(clicks, shown),  # a click may be counted a day before its impression is
        "engagements": float(one.get("inline_post_engagement", 0)),
        "conversions": _counted(one.get("actions", [])),
        "conversion_value": _counted(one.get("action_values", [])),
        "spend": float(one["spend"]),
    }


def _counted(actions: list[Mapping[str, Any]]) -> float:
    return sum(float(one["value"]) for one in actions if one["action_type"] == PURCHASE)


def _creative(one: Mapping[str, Any]) -> dict[str, Any]:
    fields = Words("", "").of_meta("ad", one).fields
    return {
        "creative_id": str(one["id"]),
        "campaign_id": str(one["campaign_id"]),
        "headline": (fields.get("headlines") or [None])[0],
        "body": (fields.get("bodies") or [None])[0],
        "image": fields.get("image"),
        "format": "meta link ad",
    }
