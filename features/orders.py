"""Orders with their state over time: later lines under an order's id do not change its earlier state.

An order is the lines of one customer with one `order_id` on one day; without an id, those of one timestamp. A charge or
refund on another day is a separate order, so that a subscription billed monthly under one id is a purchase per month.
If lines of one day have different timestamps, the order has a row for each timestamp, with its totals so far.
"""

# `known_at` to `until` (exclusive): when the order stood so; 2262 is as far as nanoseconds reach. `occurred_at`: when
# its first line came. `added`: what this moment alone brought. An order is a purchase unless more was given back than
# bought by then.
_SQL = """
    WITH keyed AS (
        SELECT *, coalesce(order_id, occurred_at::VARCHAR) AS id, occurred_at::DATE AS day FROM ({lines})
    ), parts AS (
        SELECT customer_id, id, day, occurred_at AS known_at,
               sum(amount) AS amount,
               sum(quantity) AS quantity,
               count(*) AS lines,
               sum(on_promotion::INT) AS promoted_lines,
               sum(amount) FILTER (on_promotion) AS promoted_amount,
               sum(discount) AS discount,
               sum(coupon_discount) AS coupon_discount
        FROM keyed GROUP BY ALL
    ), ranges AS (
        SELECT customer_id, id, day, known_at, count(*) AS categories
        FROM (SELECT customer_id, id, day, category, min(occurred_at) AS known_at
              FROM keyed WHERE category IS NOT NULL GROUP BY ALL)
        GROUP BY ALL
    )
    SELECT customer_id,
           min(known_at) OVER so_far AS occurred_at,
           known_at,
           coalesce(lead(known_at) OVER so_far, TIMESTAMP '2262-01-01') AS until,
           amount AS added,
           sum(amount) OVER so_far AS amount,
           sum(quantity) OVER so_far AS quantity,
           sum(lines) OVER so_far AS lines,
           sum(promoted_lines) OVER so_far AS promoted_lines,
           sum(promoted_amount) OVER so_far AS promoted_amount,
           sum(discount) OVER so_far AS discount,
           sum(coupon_discount) OVER so_far AS coupon_discount,
           coalesce(sum(categories) OVER so_far, 0) AS categories,
           sum(amount) OVER so_far >= 0 AS purchase
    FROM parts LEFT JOIN ranges USING (customer_id, id, day, known_at)
    WINDOW so_far AS (PARTITION BY customer_id, id, day ORDER BY known_at)
"""


def sql(lines: str) -> str:
    """SQL of all orders of the query `lines`, which has all canonical columns of transactions."""
    return _SQL.format(lines=lines)
