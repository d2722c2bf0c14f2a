"""Campaign contacts of a customer, and responses."""

from features.movement import GROWS

MOVES = dict.fromkeys(("touches", "campaigns", "campaign_responses"), GROWS)

# A response counts from the day it was made, not from the day of the campaign.
SQL = """
    WITH reached AS (
        SELECT row, t.*, date_diff('second', t.occurred_at, s.event_timestamp) / 86400.0 AS age,
               s.event_timestamp AS now,
               t.responded_at <= s.event_timestamp AS responded
        FROM spine s JOIN touches t ON t.customer_id = s.customer_id AND t.occurred_at <= s.event_timestamp
    ), sums AS (
        SELECT row,
               greatest(max(occurred_at), max(responded_at) FILTER (responded)) AS observed_until,
               count(*) AS touches,
               count(*) FILTER (age < 84) AS touches_84d,
               count(DISTINCT campaign_id) AS campaigns,
               count(*) FILTER (ends_at >= now) AS active,
               min(age) AS touch_age,
               count(*) FILTER (responded) AS responses
        FROM reached GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           coalesce(touches, s.no_touches)::DOUBLE AS touches,
           coalesce(touches_84d, s.no_touches)::DOUBLE AS touches_84d,
           coalesce(campaigns, s.no_touches)::DOUBLE AS campaigns,
           coalesce(active, s.no_touches)::DOUBLE AS campaigns_active,
           touch_age::DOUBLE AS touch_recency_days,
           coalesce(responses, s.no_touches)::DOUBLE AS campaign_responses,
           (responses / nullif(touches, 0))::DOUBLE AS campaign_response_share
    FROM spine s LEFT JOIN sums USING (row)
"""
