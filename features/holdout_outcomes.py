"""What customers of two arms bought in a span of time, from the table `transactions`."""

from datetime import datetime
from pathlib import Path

import pandas as pd

from features.tables import Tables, literal, path


def outcomes(tables: Tables, arms: Path, since: datetime, until: datetime) -> pd.DataFrame:
    """Sums by arm: `arm`, `units`, `total` and `squares` of what each customer bought; nothing bought counts as 0.

    Args:
        arms: Parquet file of `customer_id` and `arm`.

    Raises `LookupError` without transactions.
    """
    if "transactions" not in tables.names:
        raise LookupError(f"{tables.folder}: table transactions: expected, to tell what customers bought")
    span = f"occurred_at >= {_moment(since)} AND occurred_at < {_moment(until)}"
    query = f"""
        WITH bought AS (
            SELECT customer_id::VARCHAR AS customer_id, sum(amount) AS value
            FROM {tables.sql("transactions")} WHERE {span} GROUP BY ALL
        )
        SELECT arm, count(*) AS units, sum(coalesce(value, 0)) AS total, sum(coalesce(value, 0) ** 2) AS squares
        FROM read_parquet({path(arms)}) LEFT JOIN bought USING (customer_id) GROUP BY arm ORDER BY arm
    """
    with tables.connect() as db:
        return db.execute(query).df()


def last_purchase(tables: Tables) -> datetime | None:
    """When the last transaction was; None without any."""
    if "transactions" not in tables.names:
        return None
    with tables.connect() as db:
        found = db.execute(f"SELECT max(occurred_at) FROM {tables.sql('transactions')}").fetchall()[0][0]
    return None if found is None else found


def _moment(at: datetime) -> str:
    return f"{literal(at.replace(tzinfo=None).isoformat(sep=' '))}::TIMESTAMP"
