"""A campaign's prices, response rates, their trends, and its time zone."""

import re

from features.movement import FEW

# Ratios compare the last day with the week; they are null where one of the two saw no auction.
SQL = """
    WITH week AS (
        SELECT row,
               max(occurred_at) AS observed_until,
               count(*) AS n,
               count(*) FILTER (age < 1) AS n_day,
               least(max(age), 7) AS days,
               avg(market_price) AS price,
               stddev_samp(market_price) AS price_std,
               quantile_cont(market_price, [0.1, 0.5, 0.9]) AS price_quantiles,
               avg(market_price) FILTER (age < 1) AS price_day,
               avg(predicted_ctr) AS predicted_ctr,
               avg(predicted_ctr) FILTER (age < 1) AS predicted_ctr_day,
               avg(click) AS ctr,
               avg((hour < 6)::INT) AS night,
               avg((hour >= 6 AND hour < 12)::INT) AS morning,
               avg((hour >= 12 AND hour < 18)::INT) AS afternoon,
               avg((weekday >= 5)::INT) AS weekend,
               count(DISTINCT channel) AS channels
        FROM recent GROUP BY row
    )
    SELECT s.campaign_id, s.event_timestamp, greatest(observed_until, last_at) AS observed_until,
           CASE WHEN t.auctions > 0 THEN coalesce(t.zone, 'UTC') END::VARCHAR AS zone,
           coalesce(t.auctions, 0)::DOUBLE AS auctions_seen,
           (date_diff('second', first_at, s.event_timestamp) / 86400.0)::DOUBLE AS campaign_age_days,
           (t.clicks / nullif(t.auctions, 0))::DOUBLE AS ctr,
           (t.clicks / nullif(t.predicted_clicks, 0))::DOUBLE AS clicks_of_predicted,
           CASE WHEN conversions_known > 0
                THEN conversions / nullif(t.clicks - coalesce(young.clicks, 0), 0) END::DOUBLE AS conversion_rate,
           coalesce(n, 0)::DOUBLE AS auctions_7d,
           (n_day * days / nullif(n, 0))::DOUBLE AS volume_trend,
           price::DOUBLE AS price_7d,
           price_std::DOUBLE AS price_std_7d,
           price_quantiles[1]::DOUBLE AS price_p10_7d,
           price_quantiles[2]::DOUBLE AS price_median_7d,
           price_quantiles[3]::DOUBLE AS price_p90_7d,
           (price_day / nullif(price, 0))::DOUBLE AS price_trend,
           week.ctr::DOUBLE AS ctr_7d,
           predicted_ctr::DOUBLE AS predicted_ctr_7d,
           (predicted_ctr_day / nullif(predicted_ctr, 0))::DOUBLE AS predicted_ctr_trend,
           night::DOUBLE AS night_share_7d,
           morning::DOUBLE AS morning_share_7d,
           afternoon::DOUBLE AS afternoon_share_7d,
           weekend::DOUBLE AS weekend_share_7d,
           channels::DOUBLE AS channels_7d
    FROM spine s JOIN totals t USING (row) LEFT JOIN young USING (row) LEFT JOIN week USING (row)
"""


#: Every number: there are few campaigns, and all auctions of a campaign's day share its features.
MOVES = dict.fromkeys(re.findall(r"::DOUBLE AS (\w+)", SQL), FEW)
