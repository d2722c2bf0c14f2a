"""How satisfied customers are: scores, ratings, complaints, support and refunds."""

from collections.abc import Mapping

from features.movement import GROWS, Movement
from features.tables import Tables
from features.transforms.engagement import NOTHING

_MOVES = dict.fromkeys(("satisfaction_complaints", "satisfaction_refunds"), GROWS)

# As of `engagement`: none of a kind is nothing from the day on that the business first recorded one.
SQL = """
    WITH begun AS (
        SELECT min(occurred_at) FILTER (kind = 'support') AS support,
               min(occurred_at) FILTER (kind = 'complaint') AS complaints,
               min(occurred_at) FILTER (kind = 'refund') AS refunds
        FROM interactions
    ), told AS (
        SELECT row, kind, value, i.occurred_at,
               date_diff('second', i.occurred_at, s.event_timestamp) / 86400.0 AS age
        FROM spine s JOIN interactions i ON i.customer_id = s.customer_id AND i.occurred_at <= s.event_timestamp
        WHERE kind IN ('support', 'rating', 'nps', 'complaint', 'refund')
    ), sums AS (
        SELECT row,
               max(occurred_at) AS observed_until,
               arg_max(value, occurred_at) FILTER (kind = 'nps') AS last_nps,
               avg(value) FILTER (kind = 'nps') AS mean_nps,
               arg_max(value, occurred_at) FILTER (kind = 'rating') AS last_rating,
               avg(value) FILTER (kind = 'rating') AS mean_rating,
               avg(value) FILTER (kind = 'support') AS support_value,
               count(*) FILTER (kind = 'support' AND age < 84) AS support,
               count(*) FILTER (kind = 'complaint') AS complaints,
               count(*) FILTER (kind = 'complaint' AND age < 84) AS complaints_84d,
               min(age) FILTER (kind = 'complaint') AS complaint_age,
               count(*) FILTER (kind = 'refund') AS refunds,
               sum(value) FILTER (kind = 'refund') AS refunded
        FROM told GROUP BY row
    ), bought AS (
        SELECT row, count(*) AS purchases, sum(amount) AS spent FROM past WHERE purchase GROUP BY row
    ), known AS (
        SELECT s.row,
               CASE WHEN event_timestamp >= support THEN 0 END AS no_support,
               CASE WHEN event_timestamp >= complaints THEN 0 END AS no_complaints,
               CASE WHEN event_timestamp >= refunds THEN 0 END AS no_refunds
        FROM spine s CROSS JOIN begun
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           last_nps::DOUBLE AS satisfaction_nps,
           (last_nps - mean_nps)::DOUBLE AS satisfaction_nps_change,
           last_rating::DOUBLE AS satisfaction_rating,
           mean_rating::DOUBLE AS satisfaction_rating_mean,
           support_value::DOUBLE AS satisfaction_support_mean,
           (coalesce(support, 0) + no_support)::DOUBLE AS satisfaction_support_84d,
           (coalesce(complaints, 0) + no_complaints)::DOUBLE AS satisfaction_complaints,
           (coalesce(complaints_84d, 0) + no_complaints)::DOUBLE AS satisfaction_complaints_84d,
           complaint_age::DOUBLE AS satisfaction_complaint_recency_days,
           (coalesce(refunds, 0) + no_refunds)::DOUBLE AS satisfaction_refunds,
           ((coalesce(refunds, 0) + no_refunds) / nullif(purchases, 0))::DOUBLE AS satisfaction_refund_rate,
           ((coalesce(refunded, 0) + no_refunds) / nullif(spent, 0))::DOUBLE AS satisfaction_refunded_share
    FROM spine s JOIN known USING (row) LEFT JOIN sums USING (row) LEFT JOIN bought USING (row)
"""


def sql(tables: Tables) -> str:
    return SQL if "interactions" in tables.names else NOTHING


def moves(tables: Tables) -> Mapping[str, Movement]:
    return _MOVES if "interactions" in tables.names else {}
