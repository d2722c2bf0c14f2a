"""Relations of what was shown before each timestamp of the spine, with rates shrunken level by level.

Each level corrects the one above it: account, campaign, context within it, format, creative. A correction is a ratio of
counted to expected events with a gamma prior around the level above, (events + a) / (expected + a): the
empirical-Bayes estimate of a Poisson rate (Robbins, 1956; Gelman et al., Bayesian Data Analysis). `a` is estimated as
of each timestamp by the method of moments: how much more the ratios vary than counts alone would.
"""

import pandas as pd

from features import impressions
from features.database import Database
from features.tables import Tables

#: Limits of `a`, in events: the standard deviation of ratios is taken to be 5% to 50% of their mean.
LEAST, MOST = 4.0, 400.0
#: Prior of a price per click, in clicks.
CLICKS = 10.0


def ratio(events: str, expected: str, prior: str, above: str = "1") -> str:
    """SQL of a shrunken ratio."""
    return f"(({events} + {prior} * {above}) / ({expected} + {prior}))"


def _prior(events: str, expected: str) -> str:
    """SQL aggregate of `a` over the ratios of a level."""
    excess = f"sum(({events} - {expected}) ** 2) - sum({expected})"
    squares = f"sum({expected} ** 2)"
    return f"coalesce(least({MOST}, greatest({LEAST}, {squares} / greatest({excess}, {squares} / {MOST}))), {MOST})"


_SPINE = """
    CREATE OR REPLACE TABLE spine AS
    SELECT row_number() OVER (ORDER BY event_timestamp, creative_id) AS row,
           creative_id::VARCHAR AS creative_id, event_timestamp::TIMESTAMP AS event_timestamp
    FROM given
"""

# All counts up to each timestamp of the spine; `*_7d` of the week before.
_SO_FAR = """
    CREATE OR REPLACE TABLE so_far AS
    SELECT moment, creative_id, campaign_id, channel, audience,
           max(known_at) AS known_at, min(day) AS first_day, max(known_at) FILTER (impressions > 0) AS last_at,
           sum(impressions) AS impressions, sum(clicks) AS clicks,
           sum(conversions) AS conversions, sum(conversion_clicks) AS conversion_clicks,
           sum(engagements) AS engagements, sum(engagement_impressions) AS engagement_impressions,
           sum(spend) AS spend, sum(spend_clicks) AS spend_clicks,
           coalesce(sum(impressions) FILTER (day >= moment - INTERVAL 7 DAY), 0) AS impressions_7d,
           coalesce(sum(clicks) FILTER (day >= moment - INTERVAL 7 DAY), 0) AS clicks_7d
    FROM (SELECT DISTINCT event_timestamp AS moment FROM spine) JOIN shown ON known_at <= moment
    GROUP BY ALL
"""

_ACCOUNT = """
    CREATE OR REPLACE TABLE account AS
    SELECT moment, max(known_at) AS observed_until,
           sum(clicks) / nullif(sum(impressions), 0) AS ctr,
           sum(conversions) / nullif(sum(conversion_clicks), 0) AS conversion_rate,
           sum(engagements) / nullif(sum(engagement_impressions), 0) AS engagement,
           sum(spend) / nullif(sum(spend_clicks), 0) AS cpc
    FROM so_far GROUP BY moment
"""

_CAMPAIGNS = f"""
    CREATE OR REPLACE TABLE campaigns AS
    WITH summed AS (
        SELECT moment, campaign_id, sum(impressions) AS impressions, sum(impressions_7d) AS impressions_7d,
               count(DISTINCT creative_id) FILTER (impressions_7d > 0) AS creatives_7d,
               sum(clicks) AS clicks, any_value(a.ctr) * sum(impressions) AS expected_clicks,
               sum(conversions) AS conversions,
               any_value(a.conversion_rate) * sum(conversion_clicks) AS expected_conversions,
               sum(engagements) AS engagements,
               any_value(a.engagement) * sum(engagement_impressions) AS expected_engagements,
               sum(spend) AS spend, sum(spend_clicks) AS spend_clicks
        FROM so_far JOIN account a USING (moment) GROUP BY moment, campaign_id
    ), priors AS (
        SELECT moment, {_prior("clicks", "expected_clicks")} AS of_clicks,
               {_prior("conversions", "expected_conversions")} AS of_conversions,
               {_prior("engagements", "expected_engagements")} AS of_engagements
        FROM summed GROUP BY moment
    )
    SELECT moment, campaign_id, s.impressions, impressions_7d, creatives_7d,
           a.ctr * {ratio("clicks", "expected_clicks", "of_clicks")} AS ctr,
           a.conversion_rate
               * {ratio("coalesce(conversions, 0)", "coalesce(expected_conversions, 0)", "of_conversions")}
               AS conversion_rate,
           a.engagement * {ratio("coalesce(engagements, 0)", "coalesce(expected_engagements, 0)", "of_engagements")}
               AS engagement,
           (coalesce(spend, 0) + {CLICKS} * a.cpc) / (coalesce(spend_clicks, 0) + {CLICKS}) AS cpc
    FROM summed s JOIN account a USING (moment) JOIN priors USING (moment)
"""

_CONTEXTS = f"""
    CREATE OR REPLACE TABLE contexts AS
    WITH summed AS (
        SELECT s.moment, s.campaign_id, channel, audience, any_value(c.ctr) AS ctr,
               sum(clicks) AS clicks, any_value(c.ctr) * sum(s.impressions) AS expected
        FROM so_far s JOIN campaigns c ON c.moment = s.moment AND c.campaign_id IS NOT DISTINCT FROM s.campaign_id
        GROUP BY s.moment, s.campaign_id, channel, audience
    ), priors AS (SELECT moment, {_prior("clicks", "expected")} AS a FROM summed GROUP BY moment)
    SELECT moment, campaign_id, channel, audience, ctr * {ratio("clicks", "expected", "a")} AS ctr
    FROM summed JOIN priors USING (moment)
"""

# A creative's counts beside what is expected of its contexts (clicks) or its campaigns (what follows clicks).
_CREATIVES = """
    CREATE OR REPLACE TABLE counted AS
    SELECT s.moment, s.creative_id, any_value(i.format) AS format,
           arg_max(s.campaign_id, s.impressions) AS campaign_id,
           min(first_day) AS first_day, max(last_at) AS last_at,
           sum(s.impressions) AS impressions, sum(s.impressions_7d) AS impressions_7d,
           sum(clicks) AS clicks, sum(x.ctr * s.impressions) AS expected_clicks,
           sum(clicks_7d) AS clicks_7d, sum(x.ctr * s.impressions_7d) AS expected_clicks_7d,
           sum(conversions) AS conversions, sum(c.conversion_rate * conversion_clicks) AS expected_conversions,
           sum(engagements) AS engagements, sum(c.engagement * engagement_impressions) AS expected_engagements,
           sum(spend) AS spend, sum(c.cpc * spend_clicks) AS expected_spend, sum(spend_clicks) AS spend_clicks
    FROM so_far s
    JOIN campaigns c ON c.moment = s.moment AND c.campaign_id IS NOT DISTINCT FROM s.campaign_id
    JOIN contexts x ON x.moment = s.moment AND x.campaign_id IS NOT DISTINCT FROM s.campaign_id
        AND x.channel IS NOT DISTINCT FROM s.channel AND x.audience IS NOT DISTINCT FROM s.audience
    LEFT JOIN made i ON i.creative_id = s.creative_id
    GROUP BY s.moment, s.creative_id
"""

_PRIORS = f"""
    CREATE OR REPLACE TABLE priors AS
    SELECT moment, {_prior("clicks", "expected_clicks")} AS of_clicks,
           {_prior("conversions", "expected_conversions")} AS of_conversions,
           {_prior("engagements", "expected_engagements")} AS of_engagements
    FROM counted GROUP BY moment
"""

_FORMATS = f"""
    CREATE OR REPLACE TABLE formats AS
    WITH summed AS (
        SELECT moment, format, sum(clicks) AS clicks, sum(expected_clicks) AS expected
        FROM counted WHERE format IS NOT NULL GROUP BY moment, format
    ), priors AS (SELECT moment, {_prior("clicks", "expected")} AS a FROM summed GROUP BY moment)
    SELECT moment, format, {ratio("clicks", "expected", "a")} AS lift FROM summed JOIN priors USING (moment)
"""

#: Statements that define the relations; part of the snapshot's hash.
STATEMENTS = (
    impressions.SQL,
    *(_SPINE, _SO_FAR, _ACCOUNT, _CAMPAIGNS, _CONTEXTS, _CREATIVES, _PRIORS, _FORMATS),
)


def read_events(db: Database, tables: Tables) -> None:
    """Make `made` (the canonical table of creatives) and `shown` (see `features.impressions.sql`)."""
    db.execute(f"CREATE TABLE made AS {tables.whole('creatives')}")
    db.execute(f"CREATE TABLE shown AS {impressions.sql(tables)}")


def stand_at(db: Database, tables: Tables, spine: pd.DataFrame) -> None:
    """Make `spine` (row, creative_id, event_timestamp) and, by timestamp `moment`, the shrunken rates of the `account`,
    of its `campaigns` and their `contexts`, the lift of `formats`, and what was `counted` of each creative beside what
    was expected, with the `priors` of its ratios. What was made for another spine is replaced.

    Args:
        spine: columns creative_id and event_timestamp, in any order, without duplicates.
    """
    db.register("given", spine[["creative_id", "event_timestamp"]])
    for statement in STATEMENTS[1:]:
        db.execute(statement)
