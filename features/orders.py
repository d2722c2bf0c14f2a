"""Orders as they stood at each moment: what came later under an order's id changes nothing that was known before.

An order is the lines of one customer under one `order_id` on one day; without an id, those of one moment. A charge or a
refund on another day is an order of its own, so that a subscription billed monthly under one id is a purchase a month.
Lines of one day may still follow each other (an item is added, another given back): the order then has a row for each
moment at which something was added, with its totals so far.
"""

# `known_at` to `until` (exclusive): when the order stood so. `occurred_at`: when its first line came. `added`: what
# this moment alone brought. An order is a purchase unless more was given back than bought by then.
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
           coalesce(lead(known_at) OVER so_far, 'infinity'::TIMESTAMP) AS until,
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
    """The query of all orders of the query `lines`, which has every column of the specification of transactions."""
    return _SQL.format(lines=lines)
