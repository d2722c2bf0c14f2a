"""Prepares impressions by creative, context and day, for features of creatives and for their examples."""

import pandas as pd

from features.tables import Tables

#: Context of an impression.
CONTEXT = ("campaign_id", "channel", "audience")

# A day's counts are known from its end on, whatever moments of the day they were told at. An outcome that was not
# counted is null, and so is what it is compared with: `*_clicks` and `*_impressions`. More conversions than clicks or
# engagements than impressions count as one of each: they are rates.
SQL = """
    SELECT i.creative_id, coalesce(i.campaign_id, c.campaign_id) AS campaign_id, channel, audience,
           date_trunc('day', occurred_at) AS day,
           date_trunc('day', occurred_at) + INTERVAL 1 DAY AS known_at,
           sum(impressions) AS impressions,
           sum(clicks) AS clicks,
           sum(least(conversions, clicks)) FILTER (conversions IS NOT NULL) AS conversions,
           sum(clicks) FILTER (conversions IS NOT NULL) AS conversion_clicks,
           sum(least(engagements, impressions)) FILTER (engagements IS NOT NULL) AS engagements,
           sum(impressions) FILTER (engagements IS NOT NULL) AS engagement_impressions,
           sum(spend) AS spend,
           sum(clicks) FILTER (spend IS NOT NULL) AS spend_clicks
    FROM ({impressions}) i LEFT JOIN ({creatives}) c USING (creative_id)
    GROUP BY ALL
"""


def sql(tables: Tables) -> str:
    """SQL of the counts by creative, `CONTEXT` and `day` (UTC), and `known_at`, from when features may use them."""
    return SQL.format(impressions=tables.whole("impressions"), creatives=tables.whole("creatives"))


def latest(tables: Tables, as_of: str | None = None) -> pd.Timestamp:
    """End of the last day with impressions up to `as_of`. Raises `ValueError` where there are none."""
    with tables.connect() as db:
        last = db.execute(f"SELECT max(known_at) FROM ({sql(tables)})").fetchall()[0][0]
    if last is None:
        raise ValueError("impressions: the table is empty")
    return min(pd.Timestamp(last), pd.Timestamp(as_of)) if as_of else pd.Timestamp(last)
