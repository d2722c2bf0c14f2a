"""A day of ads as canonical tables."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.google_ads.fields import MICROS

if TYPE_CHECKING:
    import pyarrow as pa

_AD = "ad_group_ad.ad"
_SELECTED = (
    *("campaign.id", f"{_AD}.type", f"{_AD}.responsive_search_ad.headlines"),
    *(f"{_AD}.responsive_search_ad.descriptions", "segments.ad_network_type"),
    *("metrics.impressions", "metrics.clicks", "metrics.conversions", "metrics.conversions_value"),
    *("metrics.interactions", "metrics.cost_micros"),
)


def read(connection: GoogleAdsConnection, day: date) -> "Mapping[str, pa.Table]":
    """`impressions` of ads by network, and the `creatives` that were shown; of the account's day.

    `conversion_value` is what Google credits to the ad's conversions, in the account's currency.
    """
    import pyarrow as pa

    query = f"SELECT {', '.join(_SELECTED)} FROM ad_group_ad WHERE segments.date = '{day}'"  # noqa: S608 (GAQL)
    shows, creatives = list[dict[str, Any]](), dict[str, dict[str, Any]]()
    for row in connection.query(query):
        creative = _creative(row)
        creatives[creative["creative_id"]] = creative
        shows.append(_shown(row, creative, day))
    tables = {"impressions": shows, "creatives": list(creatives.values())}
    return {name: pa.Table.from_pylist(rows) for name, rows in tables.items() if rows}


def _creative(row: Any) -> dict[str, Any]:
    ad = row.ad_group_ad.ad
    return {
        "creative_id": row.ad_group_ad.resource_name.rpartition("/")[2],
        "campaign_id": str(row.campaign.id),
        "headline": " | ".join(one.text for one in ad.responsive_search_ad.headlines),
        "body": " | ".join(one.text for one in ad.responsive_search_ad.descriptions),
        "format": _name(ad, "type_"),
    }


def _shown(row: Any, creative: Mapping[str, Any], day: date) -> dict[str, Any]:
    metrics = row.metrics
    return {
        "creative_id": creative["creative_id"],
        "campaign_id": creative["campaign_id"],
        "channel": f"google_{_name(row.segments, 'ad_network_type')}",
        "occurred_at": datetime.combine(day, datetime.min.time()),
        "impressions": float(metrics.impressions),
        "clicks": float(metrics.clicks),
        "conversions": metrics.conversions,
        "engagements": float(metrics.interactions),
        "spend": metrics.cost_micros / MICROS,
        "conversion_value": metrics.conversions_value,
    }


def _name(message: Any, field: str) -> str:
    """An enumeration's name in lower case."""
    about = message.DESCRIPTOR.fields_by_name[field].enum_type
    return str(about.values_by_number[getattr(message, field)].name).lower()
