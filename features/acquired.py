"""Where customers came from: the channel that they met last before their first order."""

import pandas as pd

from features.tables import Tables, literal

#: The channel of customers who met none in time.
NONE = "(none)"

_SQL = """
    WITH firsts AS (
        SELECT customer_id, min(occurred_at) AS first_at FROM {transactions} WHERE amount > 0 GROUP BY 1
    )
    SELECT f.customer_id::VARCHAR AS customer_id, f.first_at,
           coalesce(arg_max(t.channel::VARCHAR, t.occurred_at), {none}) AS channel
    FROM firsts f LEFT JOIN {touches} t ON t.customer_id = f.customer_id AND t.occurred_at <= f.first_at
        AND t.occurred_at >= f.first_at - to_days($days)
    GROUP BY ALL ORDER BY ALL
"""


def acquired(tables: Tables, days: int) -> pd.DataFrame:
    """`customer_id`, `first_at` and `channel` of all who bought.

    Raises `ValueError` where a table or the column channel is missing; names it.
    """
    for table in ("touches", "transactions"):
        if table not in tables.names:
            raise ValueError(f"acquisition: expected the tables touches and transactions, got no table '{table}'")
    if "channel" not in tables.columns("touches"):
        raise ValueError("table 'touches': expected the column channel, got none")
    query = _SQL.format(transactions=tables.sql("transactions"), touches=tables.sql("touches"), none=literal(NONE))
    with tables.connect() as db:
        return db.execute(query, {"days": days}).df()
