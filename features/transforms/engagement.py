"""How much customers use what they have, and whether that falls: logins, use of features and content."""

from features.tables import Tables

# Each kind counts from the day that the business first recorded one: before it, none is not nothing but unknown. A
# trend compares the last 28 days with the 56 before them, each with a head start, so that a first visit makes none
# without end.
SQL = """
    WITH begun AS (
        SELECT min(occurred_at) FILTER (kind = 'login') AS logins,
               min(occurred_at) FILTER (kind = 'feature') AS features,
               min(occurred_at) FILTER (kind = 'content') AS contents,
               min(occurred_at) FILTER (kind IN ('login', 'feature', 'content')) AS any_use
        FROM interactions
    ), used AS (
        SELECT row, kind, i.occurred_at, date_diff('second', i.occurred_at, s.event_timestamp) / 86400.0 AS age
        FROM spine s JOIN interactions i ON i.customer_id = s.customer_id AND i.occurred_at <= s.event_timestamp
        WHERE kind IN ('login', 'feature', 'content')
    ), sums AS (
        SELECT row,
               max(occurred_at) AS observed_until,
               count(*) FILTER (kind = 'login' AND age < 28) AS logins,
               count(*) FILTER (kind = 'login' AND age >= 28 AND age < 84) AS logins_before,
               min(age) FILTER (kind = 'login') AS login_age,
               count(*) FILTER (kind = 'feature' AND age < 28) AS features,
               count(*) FILTER (kind = 'feature' AND age >= 28 AND age < 84) AS features_before,
               count(*) FILTER (kind = 'content' AND age < 28) AS contents,
               count(*) FILTER (kind = 'content' AND age >= 28 AND age < 84) AS contents_before,
               count(*) FILTER (age < 28) AS uses,
               count(*) FILTER (age >= 28 AND age < 84) AS uses_before,
               count(DISTINCT floor(age)) FILTER (age < 28) AS days,
               min(age) AS use_age
        FROM used GROUP BY row
    ), known AS (
        SELECT s.row,
               CASE WHEN event_timestamp >= logins THEN 0 END AS no_logins,
               CASE WHEN event_timestamp >= features THEN 0 END AS no_features,
               CASE WHEN event_timestamp >= contents THEN 0 END AS no_contents,
               CASE WHEN event_timestamp >= any_use THEN 0 END AS no_uses
        FROM spine s CROSS JOIN begun
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           (coalesce(logins, 0) + no_logins)::DOUBLE AS engagement_logins_28d,
           (2 * (coalesce(logins, 0) + 1.0) / (coalesce(logins_before, 0) + 2) + no_logins)
               ::DOUBLE AS engagement_login_trend,
           login_age::DOUBLE AS engagement_login_recency_days,
           (coalesce(features, 0) + no_features)::DOUBLE AS engagement_features_28d,
           (2 * (coalesce(features, 0) + 1.0) / (coalesce(features_before, 0) + 2) + no_features)
               ::DOUBLE AS engagement_feature_trend,
           (coalesce(contents, 0) + no_contents)::DOUBLE AS engagement_contents_28d,
           (2 * (coalesce(contents, 0) + 1.0) / (coalesce(contents_before, 0) + 2) + no_contents)
               ::DOUBLE AS engagement_content_trend,
           (2 * (coalesce(uses, 0) + 1.0) / (coalesce(uses_before, 0) + 2) + no_uses)::DOUBLE AS engagement_trend,
           (coalesce(days, 0) + no_uses)::DOUBLE AS engagement_active_days_28d,
           use_age::DOUBLE AS engagement_recency_days
    FROM spine s JOIN known USING (row) LEFT JOIN sums USING (row)
"""

#: Of tables without interactions there are no such features.
NOTHING = "SELECT customer_id, event_timestamp, NULL::TIMESTAMP AS observed_until FROM spine"


def sql(tables: Tables) -> str:
    return SQL if "interactions" in tables.names else NOTHING
