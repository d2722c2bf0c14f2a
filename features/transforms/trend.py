"""Trend of a customer's purchases: recent against earlier."""

# Ratios of a recent window to the one before, damped so that a first order does not make an infinite trend; a window of
# more returns than purchases counts as one of no spending.
SQL = """
    WITH sums AS (
        SELECT row,
               max(known_at) AS observed_until,
               count(*) FILTER (purchase AND age < 28) AS n28,
               count(*) FILTER (purchase AND age >= 28 AND age < 56) AS n56,
               count(*) FILTER (purchase AND age < 84) AS n84,
               count(*) FILTER (purchase) AS n,
               greatest(max(age) FILTER (purchase), 1) AS tenure,
               greatest(coalesce(sum(amount) FILTER (age < 28), 0), 0) AS spend28,
               greatest(coalesce(sum(amount) FILTER (age >= 28 AND age < 56), 0), 0) AS spend56,
               sum(amount) AS spend,
               regr_slope(amount, -age) FILTER (purchase) AS slope,
               avg(amount) FILTER (purchase AND age < 56) AS recent_value,
               avg(amount) FILTER (purchase) AS value,
               arg_max(amount, nth) FILTER (purchase) AS last_value,
               arg_max(lines, nth) FILTER (purchase) AS last_lines,
               avg(lines) FILTER (purchase) AS mean_lines,
               sum(exp(-age / 14.0)) FILTER (purchase) AS decayed_14,
               sum(exp(-age / 56.0)) FILTER (purchase) AS decayed_56,
               count(DISTINCT floor(age / 7)) FILTER (purchase AND age < 84) AS weeks
        FROM past GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           ((n28 + 1.0) / (n56 + 1.0))::DOUBLE AS frequency_trend_28d,
           ((n84 / least(tenure, 84.0)) / nullif(n / tenure, 0))::DOUBLE AS frequency_trend_84d,
           ((spend28 + value) / nullif(spend56 + value, 0))::DOUBLE AS spend_trend_28d,
           slope::DOUBLE AS order_value_slope,
           (recent_value / nullif(value, 0))::DOUBLE AS order_value_trend_56d,
           (last_value / nullif(value, 0))::DOUBLE AS last_order_ratio,
           (last_lines / nullif(mean_lines, 0))::DOUBLE AS last_order_lines_ratio,
           coalesce(decayed_14, s.no_orders)::DOUBLE AS activity_14d,
           coalesce(decayed_56, s.no_orders)::DOUBLE AS activity_56d,
           (n / tenure)::DOUBLE AS orders_per_day,
           (spend / tenure)::DOUBLE AS spend_per_day,
           (weeks / 12.0)::DOUBLE AS active_weeks_84d
    FROM spine s LEFT JOIN sums USING (row)
"""
