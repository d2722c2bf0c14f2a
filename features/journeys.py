"""Journeys of customers: the channels that they met, in order, until an order or until nothing came of them.

A journey ends with its customer's next order, and with a silence longer than the window. Channels met twice in a row
count once: that changes neither who stands in a journey, nor the order, nor the last one.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.tables import Tables, literal, path, quoted

#: Groups of customers by the hash of their id: intervals draw groups, so that a customer's journeys stay together.
GROUPS = 200
#: The channel of a touch that names none.
UNNAMED = "(unnamed)"


@dataclass(frozen=True)
class Journeys:
    """Journeys, counted.

    Attributes:
        counts: a row a group of customers and path: `cluster`, `path` (channels in order; empty for orders that no
            touch came before), `journeys`, `orders`, `value`.
        reached: customers that met each channel.
        first, last: days of the first and last touch.
    """

    counts: pd.DataFrame
    reached: dict[str, int]
    first: pd.Timestamp
    last: pd.Timestamp


# A customer's events in order; a new journey begins after an order, and after a touch that nothing followed in time.
# Of one moment, touches come before orders. `next_at` is that of the next event, whatever it is.
_SQL = """
    WITH met AS (
        SELECT customer_id, occurred_at, coalesce({by}::VARCHAR, {unnamed}) AS channel FROM {touches}
    ), bought AS (
        SELECT customer_id, occurred_at, {value} AS value FROM ({orders}) o {ltv}
        WHERE occurred_at >= (SELECT min(occurred_at) FROM met)
    ), events AS (
        SELECT customer_id, occurred_at, channel, NULL AS value, false AS ends FROM met
        UNION ALL SELECT customer_id, occurred_at, NULL, value, true FROM bought
    ), ordered AS (
        SELECT *, lag(ends) OVER turn AS after_order, lag(occurred_at) OVER turn AS before_at,
               lag(channel) OVER turn AS before
        FROM events WINDOW turn AS (PARTITION BY customer_id ORDER BY occurred_at, ends, channel, value)
    ), numbered AS (
        SELECT *, occurred_at - before_at > INTERVAL {days} DAY AS after_silence,
               sum(coalesce(after_order OR occurred_at - before_at > INTERVAL {days} DAY, false)::INT) OVER
            (PARTITION BY customer_id ORDER BY occurred_at, ends, channel, value ROWS UNBOUNDED PRECEDING) AS number
        FROM ordered
    ), journeys AS (
        SELECT customer_id, number,
               coalesce(list(channel ORDER BY occurred_at, channel)
                        FILTER (channel IS NOT NULL
                                AND (after_order IS NOT FALSE OR after_silence OR channel <> before)), []) AS path,
               count(*) FILTER (ends) AS orders, coalesce(sum(value), 0) AS value
        FROM numbered GROUP BY ALL
    )
    SELECT (hash(customer_id) % {groups})::INT AS cluster, path, count(*) AS journeys, sum(orders)::BIGINT AS orders,
           sum(value)::DOUBLE AS value
    FROM journeys GROUP BY ALL ORDER BY ALL
"""

# Orders on which more was bought than given back.
_ORDERS = """
    SELECT customer_id, min(occurred_at) AS occurred_at, sum(amount) AS amount
    FROM {lines} GROUP BY customer_id, {order} HAVING sum(amount) > 0
"""


def read(tables: Tables, by: str, days: int, ltv: str | None = None) -> Journeys:
    """The journeys of all customers.

    Args:
        by: column of touches that tells the channel.
        days: the window: touches longer before the next event than this are not followed by it.
        ltv: a file or folder of Parquet with `customer_id` and `value`, the predicted lifetime value: it is shared
            evenly among a customer's orders, in place of their amounts.

    Raises:
        ValueError: a table or column is missing, or there is no touch; names it.
    """
    for table in ("touches", "transactions"):
        if table not in tables.names:
            raise ValueError(f"attribution: expected the tables touches and transactions, got no table '{table}'")
    if by not in tables.columns("touches"):
        there = ", ".join(tables.columns("touches"))
        raise ValueError(f"table 'touches', column '{by}': expected one of its columns, got {there}")
    keyed = "order_id" in tables.columns("transactions")
    order = "coalesce(order_id, occurred_at::VARCHAR), occurred_at::DATE" if keyed else "occurred_at"
    orders = _ORDERS.format(lines=tables.sql("transactions"), order=order)
    query = _SQL.format(
        by=quoted(by),
        unnamed=literal(UNNAMED),
        touches=tables.sql("touches"),
        orders=orders,
        value="amount" if ltv is None else "coalesce(l.value, 0) / count(*) OVER (PARTITION BY customer_id)",
        ltv="" if ltv is None else f"LEFT JOIN ({_values(ltv)}) l USING (customer_id)",
        days=days,
        groups=GROUPS,
    )
    channel = f"coalesce({quoted(by)}::VARCHAR, {literal(UNNAMED)})"
    with tables.connect() as db:
        met = f"SELECT {channel} AS channel, count(DISTINCT customer_id) FROM {tables.sql('touches')} GROUP BY 1"
        reached = {str(name): int(count) for name, count in db.execute(f"{met} ORDER BY 1").fetchall()}
        if not reached:
            raise ValueError("table 'touches': expected at least one row, got none")
        first, last = db.execute(f"SELECT min(occurred_at), max(occurred_at) FROM {tables.sql('touches')}").fetchall()[
            0
        ]
        return Journeys(db.execute(query).df(), reached, pd.Timestamp(first), pd.Timestamp(last))


def _values(ltv: str) -> str:
    """SQL of a predicted value a customer, from the files that `adloop score ltv` writes."""
    place = Path(ltv)
    files = path(place) if place.is_file() else f"{path(place)[:-1]}/**/*.parquet'"
    return f"SELECT customer_id::VARCHAR AS customer_id, avg(value) AS value FROM read_parquet({files}) GROUP BY 1"
