"""Recency, frequency and monetary value, with the sufficient statistics of buy-till-you-die models."""

from features.movement import GROWS

#: What adds up over all of history.
MOVES = dict.fromkeys(
    (
        "tenure_days",
        "frequency",
        "monetary",
        "order_value_max",
        "returns",
        "btyd_frequency",
        "btyd_recency",
        "btyd_age",
    ),
    GROWS,
)

# The btyd columns count days with a purchase, as BG/NBD and Gamma-Gamma do: `btyd_frequency` is the number of repeat
# days x, `btyd_recency` the days t_x from the first to the last of them, `btyd_age` the days T from the first until
# now, `btyd_value` the mean spend on a repeat day (null for who bought on one day only).
SQL = """
    WITH days AS (
        SELECT row, occurred_at::DATE AS day, sum(amount) AS spend
        FROM past WHERE purchase GROUP BY ALL
    ), firsts AS (
        SELECT row, min(day) AS first, max(day) AS last, count(*) AS n,
               sum(spend) AS spend, arg_min(spend, day) AS spend_first
        FROM days GROUP BY row
    ), sums AS (
        SELECT row,
               max(known_at) AS observed_until,
               min(age) FILTER (purchase) AS recency_days,
               max(age) FILTER (purchase) AS tenure_days,
               count(*) FILTER (purchase) AS frequency,
               count(*) FILTER (purchase AND age < 7) AS frequency_7d,
               count(*) FILTER (purchase AND age < 14) AS frequency_14d,
               count(*) FILTER (purchase AND age < 28) AS frequency_28d,
               count(*) FILTER (purchase AND age < 56) AS frequency_56d,
               count(*) FILTER (purchase AND age < 84) AS frequency_84d,
               sum(amount) AS monetary,
               sum(amount) FILTER (age < 28) AS spend_28d,
               sum(amount) FILTER (age < 56) AS spend_56d,
               sum(amount) FILTER (age < 84) AS spend_84d,
               avg(amount) FILTER (purchase) AS order_value,
               max(amount) FILTER (purchase) AS order_value_max,
               stddev_samp(amount) FILTER (purchase) AS order_value_std,
               avg(quantity) FILTER (purchase) AS order_quantity,
               count(*) FILTER (NOT purchase) AS returns,
               avg((NOT purchase)::INT) AS return_share
        FROM past GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           recency_days::DOUBLE AS recency_days,
           tenure_days::DOUBLE AS tenure_days,
           coalesce(frequency, s.no_orders)::DOUBLE AS frequency,
           coalesce(frequency_7d, s.no_orders)::DOUBLE AS frequency_7d,
           coalesce(frequency_14d, s.no_orders)::DOUBLE AS frequency_14d,
           coalesce(frequency_28d, s.no_orders)::DOUBLE AS frequency_28d,
           coalesce(frequency_56d, s.no_orders)::DOUBLE AS frequency_56d,
           coalesce(frequency_84d, s.no_orders)::DOUBLE AS frequency_84d,
           coalesce(monetary, s.no_orders)::DOUBLE AS monetary,
           coalesce(spend_28d, s.no_orders)::DOUBLE AS spend_28d,
           coalesce(spend_56d, s.no_orders)::DOUBLE AS spend_56d,
           coalesce(spend_84d, s.no_orders)::DOUBLE AS spend_84d,
           order_value::DOUBLE AS order_value,
           order_value_max::DOUBLE AS order_value_max,
           order_value_std::DOUBLE AS order_value_std,
           order_quantity::DOUBLE AS order_quantity,
           coalesce(returns, s.no_orders)::DOUBLE AS returns,
           return_share::DOUBLE AS return_share,
           (n - 1)::DOUBLE AS btyd_frequency,
           date_diff('day', first, last)::DOUBLE AS btyd_recency,
           date_diff('day', first, s.event_timestamp::DATE)::DOUBLE AS btyd_age,
           ((f.spend - spend_first) / nullif(n - 1, 0))::DOUBLE AS btyd_value
    FROM spine s LEFT JOIN sums USING (row) LEFT JOIN firsts f USING (row)
"""
