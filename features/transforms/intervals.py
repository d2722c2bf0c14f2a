"""Intervals between purchases, and how unusual the time since the last one is."""

from features.movement import GROWS

MOVES = {"gap_max_days": GROWS}

# `gap` is null on a first purchase. `overdue` compares the silence with the customer's own rhythm: 1 is a gap like
# the usual one; `overdue_sigmas` and `silence_percentile` say how unusual it is among the gaps there have been.
SQL = """
    WITH silence AS (
        SELECT row, min(age) FILTER (purchase) AS recency, max(known_at) AS observed_until FROM past GROUP BY row
    ), sums AS (
        SELECT row,
               avg(gap) AS mean_gap,
               stddev_samp(gap) AS std_gap,
               median(gap) AS median_gap,
               quantile_cont(gap, 0.9) AS long_gap,
               max(gap) AS max_gap,
               arg_max(gap, nth) AS last_gap,
               avg(gap) FILTER (age < 84) AS recent_gap,
               avg((gap < recency)::INT) AS shorter
        FROM past JOIN silence USING (row) WHERE gap IS NOT NULL GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           mean_gap::DOUBLE AS gap_mean_days,
           std_gap::DOUBLE AS gap_std_days,
           median_gap::DOUBLE AS gap_median_days,
           long_gap::DOUBLE AS gap_p90_days,
           max_gap::DOUBLE AS gap_max_days,
           last_gap::DOUBLE AS gap_last_days,
           (last_gap / nullif(mean_gap, 0))::DOUBLE AS gap_last_ratio,
           (recent_gap / nullif(mean_gap, 0))::DOUBLE AS gap_trend,
           (std_gap / nullif(mean_gap, 0))::DOUBLE AS gap_variation,
           (recency / greatest(mean_gap, 1))::DOUBLE AS overdue,
           (recency / greatest(max_gap, 1))::DOUBLE AS overdue_of_longest,
           ((recency - mean_gap) / nullif(std_gap, 0))::DOUBLE AS overdue_sigmas,
           shorter::DOUBLE AS silence_percentile
    FROM spine s LEFT JOIN silence USING (row) LEFT JOIN sums USING (row)
"""
