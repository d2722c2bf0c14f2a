"""Breadth of a customer's purchases: products, categories and channels."""

from features.movement import GROWS

MOVES = {"categories": GROWS}

SQL = """
    WITH categories AS (
        SELECT row, category, sum(b.amount) AS amount, max(b.occurred_at) AS last_at, min(b.occurred_at) AS first_at
        FROM spine s JOIN bought b ON b.customer_id = s.customer_id AND b.occurred_at <= s.event_timestamp
        GROUP BY ALL
    ), ranges AS (
        SELECT row,
               max(last_at) AS observed_until,
               count(*) AS categories,
               count(*) FILTER (last_at > s.event_timestamp - INTERVAL 28 DAY) AS recent,
               count(*) FILTER (first_at > s.event_timestamp - INTERVAL 84 DAY) AS fresh,
               max(amount) / nullif(sum(amount), 0) AS top_share,
               1 - sum(amount * amount) / nullif(pow(sum(amount), 2), 0) AS diversity
        FROM categories JOIN spine s USING (row) GROUP BY row
    ), baskets AS (
        SELECT row, avg(lines) AS lines, avg(categories) FILTER (categories > 0) AS mixed
        FROM past WHERE purchase GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           categories::DOUBLE AS categories,
           recent::DOUBLE AS categories_28d,
           (recent / nullif(categories, 0))::DOUBLE AS category_retention_28d,
           (fresh / nullif(categories, 0))::DOUBLE AS new_category_share_84d,
           top_share::DOUBLE AS top_category_share,
           diversity::DOUBLE AS category_diversity,
           b.lines::DOUBLE AS lines_per_order,
           b.mixed::DOUBLE AS categories_per_order
    FROM spine s LEFT JOIN ranges USING (row) LEFT JOIN baskets b USING (row)
"""
