"""What had happened to each customer by each moment that features are wanted for."""

import duckdb
import pandas as pd

from features.tables import Tables

# An order's lines together. Orders with returns only are kept for spending, and do not count as purchases.
_ORDERS = """
    CREATE TABLE orders AS
    WITH whole AS (
        SELECT customer_id,
               min(occurred_at) AS occurred_at,
               sum(amount) AS amount,
               sum(quantity) AS quantity,
               count(*) AS lines,
               sum(on_promotion::INT) AS promoted_lines,
               sum(amount) FILTER (on_promotion) AS promoted_amount,
               sum(discount) AS discount,
               sum(coupon_discount) AS coupon_discount,
               count(DISTINCT category) AS categories,
               sum(amount) >= 0 AS purchase
        FROM lines
        GROUP BY customer_id, coalesce(order_id, occurred_at::VARCHAR)
    )
    SELECT *,
           CASE WHEN purchase THEN date_diff('second', lag(occurred_at) OVER turn, occurred_at) / 86400.0 END AS gap,
           CASE WHEN purchase THEN row_number() OVER turn END AS nth
    FROM whole
    WINDOW turn AS (PARTITION BY customer_id, purchase ORDER BY occurred_at, amount, lines)
"""

# `age`: days from the event to the moment that features are wanted for. What lies after that moment is never joined.
_PAST = """
    CREATE TABLE past AS
    SELECT s.row, o.*, date_diff('second', o.occurred_at, s.event_timestamp) / 86400.0 AS age
    FROM spine s JOIN orders o ON o.customer_id = s.customer_id AND o.occurred_at <= s.event_timestamp
"""


# What a customer without orders comes to: nothing, and null in a business that records none.
_NONE = """
    CREATE TABLE trade AS SELECT CASE WHEN count(*) > 0 THEN 0 END AS none FROM orders;
    CREATE MACRO or_none(sum) AS coalesce(sum, (SELECT none FROM trade))::DOUBLE
"""

#: What decides the relations, for the name of a snapshot.
STATEMENTS = (_ORDERS, _PAST, _NONE)


def open_history(tables: Tables, spine: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """A connection with the relations that the groups read.

    `spine` (row, customer_id, event_timestamp), `lines` and `touches` (the canonical tables with every column of the
    specification, null where the business has none), `orders`, and `past`: the orders each row of the spine may know.
    `or_none(sum)` is the sum, or what a customer without orders comes to.

    Args:
        spine: columns customer_id and event_timestamp, in any order, without duplicates.
    """
    db = duckdb.connect()
    db.register("given", spine[["customer_id", "event_timestamp"]])
    db.execute(
        "CREATE TABLE spine AS SELECT row_number() OVER (ORDER BY event_timestamp, customer_id) AS row,"
        " customer_id::VARCHAR AS customer_id, event_timestamp::TIMESTAMP AS event_timestamp FROM given"
    )
    for relation, table in {"lines": "transactions", "touches": "touches"}.items():
        db.execute(f"CREATE VIEW {relation} AS {tables.whole(table)}")
    db.execute(_ORDERS)
    db.execute(_PAST)
    db.execute(_NONE)
    return db
