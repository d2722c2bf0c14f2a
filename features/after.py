"""What customers bought after a moment of their own: the outcome of what was done then."""

import pandas as pd

from features import orders
from features.tables import Tables

_SQL = """
    SELECT a.customer_id, a.occurred_at,
           coalesce(sum(added), 0)::DOUBLE AS bought,
           (count(*) FILTER (purchase AND o.occurred_at > a.occurred_at) > 0)::INT AS stayed
    FROM moments a LEFT JOIN orders o ON o.customer_id = a.customer_id
        AND o.known_at > a.occurred_at AND o.known_at <= a.occurred_at + to_days($days)
    GROUP BY ALL
"""


def after(tables: Tables, moments: pd.DataFrame, days: int) -> pd.DataFrame:
    """The value that each customer `bought` within so many days, and whether it `stayed`: bought at all.

    Args:
        moments: columns customer_id and occurred_at. Those whose days are not all in the tables are left out.
    """
    with tables.connect() as db:
        db.execute(f"CREATE TABLE orders AS {orders.sql(tables.whole('transactions'))}")
        last = db.execute("SELECT max(known_at) FROM orders").fetchall()[0][0]
        over = moments["occurred_at"] + pd.Timedelta(days=days) <= pd.Timestamp(last)
        db.register("moments", moments.loc[over, ["customer_id", "occurred_at"]])
        found = db.execute(_SQL, {"days": days}).df()
    found["occurred_at"] = found["occurred_at"].astype(moments["occurred_at"].dtype)
    return moments[over].merge(found, on=["customer_id", "occurred_at"], how="left")
