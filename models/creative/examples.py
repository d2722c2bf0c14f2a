"""Examples of creatives: what came of each in each context in the days after a cutoff, by weekday."""

import hashlib

import pandas as pd

from features import examples, impressions
from features.examples import Windowed
from features.tables import Tables

ENTITY = "creative_id"
#: What requests say of the place that the creative is shown in.
CONTEXT = ("campaign_id", "channel", "audience", "weekday")
#: Rates (null where their outcome is not in the data), what they are of, and whose rows depend on each other.
LABEL = ("ctr", "conversion_rate", "engagement", "cpc", "impressions", "clicks", "spend", "of_creative", "of_campaign")
#: The labels that are outcomes.
OUTCOMES = ("ctr", "conversion_rate", "engagement", "cpc")
#: Shares of creatives to train and to tune on where there is no time order; the rest tests.
LEARNT, TUNED = 60, 80

_COUNTED = """
    SELECT s.creative_id, c.event_timestamp, c.split, campaign_id, channel, audience,
           (isodow(day) - 1)::DOUBLE AS weekday,
           sum(impressions) AS impressions, sum(clicks) AS clicks,
           sum(conversions) / nullif(sum(conversion_clicks), 0) AS conversion_rate,
           sum(engagements) / nullif(sum(engagement_impressions), 0) AS engagement,
           sum(spend) AS spend, sum(spend_clicks) AS spend_clicks
    FROM cutoffs c JOIN shown s ON s.day >= c.event_timestamp AND s.day < c.ends_at
    GROUP BY ALL HAVING sum(impressions) > 0
"""
# `draw` is uniform, and lasts a creative's life.
_EXAMPLES = """
    SELECT * EXCLUDE (spend_clicks, draw, row_count), clicks / impressions AS ctr,
           spend / nullif(spend_clicks, 0) AS cpc,
           creative_id AS of_creative, coalesce(campaign_id, '') AS of_campaign
    FROM (
        SELECT *, count(*) OVER (PARTITION BY split) AS row_count,
               md5_number_lower('drawn' || creative_id || $seed) / 18446744073709551616.0 AS draw
        FROM counted
    )
    WHERE draw * row_count < $most
    ORDER BY event_timestamp, creative_id, campaign_id, channel, audience, weekday
"""


def creative_examples(
    tables: Tables, params: Windowed, as_of: str | None = None, cutoff: str | None = None
) -> pd.DataFrame:
    """Creatives shown in the `horizon_days` after each cutoff, with what was counted of them.

    Where history is too short for cutoffs of their own, each creative is in one split, and nothing is known of it yet.

    Returns:
        creative_id, event_timestamp, split (`train`, `valid`, `test`), the columns of `CONTEXT` and of `LABEL`.

    Raises `ValueError` where there are no impressions.
    """
    last = impressions.latest(tables, as_of).floor("D")
    with tables.connect() as db:
        db.execute(f"CREATE TABLE shown AS {impressions.sql(tables)}")
        ((first,),) = db.execute("SELECT min(day) FROM shown").fetchall()
        cutoffs = _cutoffs(pd.Timestamp(first), last, params, cutoff)
        db.register("cutoffs", cutoffs)
        db.execute(f"CREATE TABLE counted AS {_COUNTED}")
        found = db.execute(_EXAMPLES, {"seed": str(params.seed), "most": params.window.max_examples}).df()
    if not found["split"].isna().any():
        return found
    return found.assign(split=found[ENTITY].map(lambda one: _split(one, params.seed)))


def _cutoffs(first: pd.Timestamp, last: pd.Timestamp, params: Windowed, cutoff: str | None) -> pd.DataFrame:
    """One row per cutoff and split: event_timestamp, split (null where creatives are divided), ends_at."""
    try:
        found = examples.plan(first, last, params.window, cutoff, shorten=True)
    except ValueError:
        if cutoff is not None:
            raise
        whole = {"event_timestamp": [first], "split": pd.Series([None], dtype=object), "ends_at": [last]}
        return pd.DataFrame(whole)
    return found.frame()


def _split(creative_id: str, seed: int) -> str:
    draw = int(hashlib.sha256(f"{creative_id} {seed}".encode()).hexdigest()[:8], 16) % 100
    return "train" if draw < LEARNT else "valid" if draw < TUNED else "test"
