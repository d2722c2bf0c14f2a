"""How a creative has done so far, beside its campaign and format."""

from features.movement import FEW, GROWS
from features.transforms.exposure import CLICKS, ratio

MOVES = {
    **dict.fromkeys(("shown_impressions", "shown_clicks", "shown_conversions", "shown_expected_clicks"), GROWS),
    **dict.fromkeys(("shown_age_days", "shown_idle_days"), GROWS),
    **dict.fromkeys(
        (
            *("account_ctr", "account_conversion_rate", "account_engagement", "account_cpc"),
            *("campaign_ctr", "campaign_conversion_rate", "campaign_engagement", "campaign_cpc"),
            *("campaign_impressions", "campaign_impressions_7d", "campaign_creatives_7d", "format_lift"),
        ),
        FEW,
    ),
}


def _lift(clicks: str, expected: str) -> str:
    return ratio(f"coalesce(k.{clicks}, 0)", f"coalesce(k.{expected}, 0)", "p.of_clicks", "coalesce(f.lift, 1)")


# A lift is the creative's ratio to its contexts (1: as expected): that of its format until it was shown itself.
SQL = f"""
    WITH known AS (
        SELECT s.row, s.creative_id, s.event_timestamp, h.* EXCLUDE (moment, creative_id, format, campaign_id),
               coalesce(m.campaign_id, h.campaign_id) AS campaign_id, m.format
        FROM spine s LEFT JOIN made m USING (creative_id)
        LEFT JOIN counted h ON h.moment = s.event_timestamp AND h.creative_id = s.creative_id
    )
    SELECT k.creative_id, k.event_timestamp, a.observed_until,
           a.ctr::DOUBLE AS account_ctr,
           a.conversion_rate::DOUBLE AS account_conversion_rate,
           a.engagement::DOUBLE AS account_engagement,
           a.cpc::DOUBLE AS account_cpc,
           c.ctr::DOUBLE AS campaign_ctr,
           c.conversion_rate::DOUBLE AS campaign_conversion_rate,
           c.engagement::DOUBLE AS campaign_engagement,
           c.cpc::DOUBLE AS campaign_cpc,
           c.impressions::DOUBLE AS campaign_impressions,
           c.impressions_7d::DOUBLE AS campaign_impressions_7d,
           c.creatives_7d::DOUBLE AS campaign_creatives_7d,
           f.lift::DOUBLE AS format_lift,
           coalesce(k.impressions, 0)::DOUBLE AS shown_impressions,
           coalesce(k.clicks, 0)::DOUBLE AS shown_clicks,
           coalesce(k.conversions, 0)::DOUBLE AS shown_conversions,
           coalesce(k.expected_clicks, 0)::DOUBLE AS shown_expected_clicks,
           coalesce(k.clicks_7d, 0)::DOUBLE AS shown_clicks_7d,
           coalesce(k.expected_clicks_7d, 0)::DOUBLE AS shown_expected_clicks_7d,
           {_lift("clicks", "expected_clicks")}::DOUBLE AS ctr_lift,
           {_lift("clicks_7d", "expected_clicks_7d")}::DOUBLE AS ctr_lift_7d,
           {ratio("coalesce(k.conversions, 0)", "coalesce(k.expected_conversions, 0)", "p.of_conversions")}
               ::DOUBLE AS conversion_lift,
           {ratio("coalesce(k.engagements, 0)", "coalesce(k.expected_engagements, 0)", "p.of_engagements")}
               ::DOUBLE AS engagement_lift,
           ((coalesce(k.spend, 0) + {CLICKS} * c.cpc)
               / (coalesce(k.expected_spend, 0) + {CLICKS} * c.cpc))::DOUBLE AS cpc_lift,
           (date_diff('second', k.first_day, k.event_timestamp) / 86400.0)::DOUBLE AS shown_age_days,
           (date_diff('second', k.last_at, k.event_timestamp) / 86400.0)::DOUBLE AS shown_idle_days,
           (k.impressions_7d / nullif(c.impressions_7d, 0))::DOUBLE AS campaign_share_7d
    FROM known k
    LEFT JOIN account a ON a.moment = k.event_timestamp
    LEFT JOIN campaigns c ON c.moment = k.event_timestamp AND c.campaign_id IS NOT DISTINCT FROM k.campaign_id
    LEFT JOIN formats f ON f.moment = k.event_timestamp AND f.format = k.format
    LEFT JOIN priors p ON p.moment = k.event_timestamp
"""
