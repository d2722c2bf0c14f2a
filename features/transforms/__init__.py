"""Feature groups: plain SQL from the canonical tables to features as of many moments at once.

Each group is one statement over the relations that its entity's history prepares, and yields one row a row of
the spine. Every number is a float64 and null where it cannot be known, so that a frame has the same types for every
business. Days are fractional. Literature for the buy-till-you-die columns: Fader, Hardie and Lee, "Counting your
customers the easy way" (2005) and "RFM and CLV" (2005).
"""

from collections.abc import Mapping

from features import auctions, examples, impressions
from features.transforms import (
    attributes,
    bidding,
    breadth,
    campaigns,
    creative_benchmarks,
    creative_content,
    creative_history,
    engagement,
    exposure,
    history,
    intervals,
    market,
    promotion,
    rfm,
    satisfaction,
    seasonality,
    trend,
)
from features.transforms.groups import Entity, Group

CUSTOMER = Entity("customer", "customer_id", "customers", history, examples.latest)
CAMPAIGN = Entity("campaign", "campaign_id", "auctions", bidding, auctions.latest)
CREATIVE = Entity("creative", "creative_id", "creatives", exposure, impressions.latest)

GROUPS: Mapping[str, Group] = {
    "rfm": Group.of(CUSTOMER, rfm.SQL, rfm.MOVES),
    "trend": Group.of(CUSTOMER, trend.SQL),
    "intervals": Group.of(CUSTOMER, intervals.SQL, intervals.MOVES),
    "seasonality": Group(CUSTOMER, seasonality.sql, lambda _: seasonality.MOVES),
    "breadth": Group.of(CUSTOMER, breadth.SQL, breadth.MOVES),
    "promotion": Group.of(CUSTOMER, promotion.SQL, promotion.MOVES),
    "campaigns": Group.of(CUSTOMER, campaigns.SQL, campaigns.MOVES),
    "engagement": Group(CUSTOMER, engagement.sql),
    "satisfaction": Group(CUSTOMER, satisfaction.sql, satisfaction.moves),
    "attributes": Group(CUSTOMER, attributes.sql, attributes.moves),
    "market": Group.of(CAMPAIGN, market.SQL, market.MOVES),
    "creative_content": Group(CREATIVE, creative_content.sql, creative_content.moves),
    "creative_history": Group.of(CREATIVE, creative_history.SQL, creative_history.MOVES),
    "creative_benchmarks": Group(CREATIVE, creative_benchmarks.sql, lambda _: creative_benchmarks.MOVES),
}
