"""Relations of each customer's history before each timestamp of the spine."""

import pandas as pd

from features import orders
from features.database import Database
from features.tables import Tables

# In order of customers: a part of the spine then reads a part of the table.
_ORDERS = f"CREATE TABLE orders AS {orders.sql('SELECT * FROM lines')} ORDER BY customer_id"

# What was bought of each category, returns apart.
_BOUGHT = """
    CREATE TABLE bought AS
    SELECT customer_id, category, occurred_at, sum(amount) AS amount
    FROM lines WHERE category IS NOT NULL AND amount >= 0 GROUP BY ALL ORDER BY customer_id
"""

# `no_orders` and `no_touches`: what a customer without any comes to. That is nothing, and null as long as the business
# has recorded none of anybody.
_SPINE = """
    CREATE OR REPLACE TABLE spine AS
    SELECT row_number() OVER (ORDER BY event_timestamp, customer_id) AS row,
           customer_id::VARCHAR AS customer_id, event_timestamp::TIMESTAMP AS event_timestamp,
           CASE WHEN event_timestamp >= (SELECT min(known_at) FROM orders) THEN 0 END AS no_orders,
           CASE WHEN event_timestamp >= (SELECT min(occurred_at) FROM touches) THEN 0 END AS no_touches
    FROM given
"""

# Orders as they stood at the moment; what lies after it is never joined. `age`: days from the order to the moment;
# `nth` counts purchases (or returns), `gap` is the days since the one before.
_PAST = """
    CREATE OR REPLACE TABLE past AS
    SELECT s.row, o.* EXCLUDE (customer_id, until, added),
           date_diff('second', o.occurred_at, s.event_timestamp) / 86400.0 AS age,
           CASE WHEN purchase
                THEN date_diff('second', lag(o.occurred_at) OVER turn, o.occurred_at) / 86400.0 END AS gap,
           CASE WHEN purchase THEN row_number() OVER turn END AS nth
    FROM spine s JOIN orders o ON o.customer_id = s.customer_id
        AND o.known_at <= s.event_timestamp AND s.event_timestamp < o.until
    WINDOW turn AS (PARTITION BY s.row, purchase ORDER BY o.occurred_at, amount, lines)
"""

#: Statements that define the relations; part of the snapshot's hash.
STATEMENTS = (_ORDERS, _BOUGHT, _SPINE, _PAST)


def read_events(db: Database, tables: Tables) -> None:
    """Make `lines`, `touches` and `interactions` (the canonical tables with every column of the specification, null
    where the business has none), `orders` (see `features.orders`) and `bought` (customer_id, category, occurred_at,
    amount)."""
    db.execute(f"CREATE VIEW lines AS {tables.whole('transactions')}")
    db.execute(f"CREATE TABLE touches AS {tables.whole('touches')} ORDER BY customer_id")
    db.execute(f"CREATE TABLE interactions AS {tables.whole('interactions')} ORDER BY customer_id")
    db.execute(_ORDERS)
    db.execute(_BOUGHT)


def stand_at(db: Database, tables: Tables, spine: pd.DataFrame) -> None:
    """Make `spine` (row, customer_id, event_timestamp, no_orders, no_touches) and `past`: the orders each row of it may
    know. What was made for another spine is replaced.

    Args:
        spine: columns customer_id and event_timestamp, in any order, without duplicates.
    """
    db.register("given", spine[["customer_id", "event_timestamp"]])
    db.execute(_SPINE)
    db.execute(_PAST)
