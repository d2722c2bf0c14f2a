"""What customers buy: counts of items as of a moment."""

import pandas as pd

from features.tables import Tables, quoted

#: Items that are known at most, those of most customers first; a purchase counts half after so many days.
MOST, HALF_LIFE = 2000, 56

_LINES = """
    CREATE TABLE bought AS
    SELECT DISTINCT customer_id, {order} AS id, occurred_at::DATE AS day, {item}::VARCHAR AS item
    FROM {transactions} WHERE amount > 0 AND {item} IS NOT NULL AND occurred_at <= $until AND occurred_at > $since
"""
_KNOWN = """
    DELETE FROM bought WHERE item NOT IN (
        SELECT item FROM bought GROUP BY item ORDER BY count(DISTINCT customer_id) DESC, item LIMIT {most})
"""
_BOUGHT = """
    SELECT customer_id, item, sum(exp(-ln(2) * date_diff('day', day, $until::DATE) / {half}))::DOUBLE AS weight
    FROM bought GROUP BY ALL ORDER BY ALL
"""


def read(tables: Tables, by: str, until: pd.Timestamp, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """Items bought up to `until`, and after `since` where that is given: `customer_id`, `item`, `weight` (orders, older
    ones for less).

    Args:
        by: the column of transactions that tells the item: `category` or `product_id`.

    Raises:
        ValueError: transactions have no such column; names those they have.
    """
    there = tables.columns("transactions")
    if by not in there:
        raise ValueError(f"table 'transactions', column '{by}': expected one of its columns, got {', '.join(there)}")
    order = "coalesce(order_id, occurred_at::VARCHAR)" if "order_id" in there else "occurred_at::VARCHAR"
    lines = _LINES.format(order=order, item=quoted(by), transactions=tables.sql("transactions"))
    with tables.connect() as db:
        db.execute(lines, {"until": until, "since": since or pd.Timestamp("1970-01-01")})
        db.execute(_KNOWN.format(most=MOST))
        return db.execute(_BOUGHT.format(half=HALF_LIFE), {"until": until}).df()
