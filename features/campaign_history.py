"""What campaigns spent and brought, from the table `impressions`."""

from typing import Literal

import pandas as pd

from features.tables import Tables, literal

#: Columns of the table that histories need.
NEEDED = ("campaign_id", "spend", "conversions")
Level = Literal["campaign", "day"]


def history(tables: Tables, level: Level, since: str | None = None) -> pd.DataFrame:
    """Sums by campaign, or by campaign and day: `campaign_id`, `channel` (the most frequent), `day`, `impressions`,
    `clicks`, `conversions`, `spend`, `days`.

    Args:
        since: only from this day on.

    Raises `LookupError` naming the table or the columns that are missing.
    """
    there = tables.columns("impressions")
    missing = [name for name in NEEDED if name not in there]
    if missing:
        raise LookupError(f"{tables.folder}: table impressions: expected {', '.join(missing)} (adloop sync reads it)")
    channel = "mode(channel)" if "channel" in there else "NULL"
    day = "occurred_at::DATE" if level == "day" else "NULL"
    later = "true" if since is None else f"occurred_at >= {literal(since)}::TIMESTAMP"
    query = f"""
        SELECT campaign_id, {day} AS day, {channel} AS channel, sum(impressions) AS impressions, sum(clicks) AS clicks,
               coalesce(sum(conversions), 0) AS conversions, coalesce(sum(spend), 0) AS spend,
               count(DISTINCT occurred_at::DATE) AS days
        FROM {tables.sql("impressions")} WHERE campaign_id IS NOT NULL AND {later}
        GROUP BY campaign_id, {day} ORDER BY campaign_id, day
    """
    with tables.connect() as db:
        return db.execute(query).df()
