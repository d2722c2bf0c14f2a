"""Examples of churn: customer, cutoff, and whether the customer left."""

import pandas as pd

from features.examples import VALID_SHARE, Windowed, latest, observed
from features.tables import Tables

#: Of the customers of a snapshot, beside `VALID_SHARE`.
TEST_SHARE = 0.2


def churn_examples(
    tables: Tables, params: Windowed, as_of: str | None = None, cutoff: str | None = None
) -> pd.DataFrame:
    """Who leaves. Label `churned` (0 or 1).

    Where the customers table says who had `churned` by its snapshot, that is the label and the splits are random by
    the seed and stratified. Otherwise a customer with at least one purchase by the cutoff has churned when the horizon
    passes without another, and the splits follow time.

    Returns:
        customer_id, event_timestamp, split (`train`, `valid`, `test`), churned.
    """
    if "churned" in tables.columns("customers"):
        return _contractual(tables, params.seed, as_of)
    if "transactions" not in tables.names:
        there = ", ".join(tables.columns("customers"))
        raise ValueError(
            "churn is learnt from the column churned of customers, or from transactions: there are neither;"
            f" customers has: {there}"
        )
    examples = observed(tables, params, as_of, cutoff)
    examples["churned"] = (examples.pop("purchases") == 0).astype("int64")
    return examples.drop(columns=["value", "horizon_days"])


# Within each outcome the customers are put in an order that only their name and the seed decide, and cut in three.
_CONTRACTUAL = """
    SELECT customer_id, {at} AS event_timestamp,
           CASE WHEN place < $test THEN 'test' WHEN place < $test + $valid THEN 'valid' ELSE 'train' END AS split,
           churned::BIGINT AS churned
    FROM (
        SELECT *, percent_rank() OVER (PARTITION BY churned ORDER BY md5(customer_id || $seed)) AS place
        FROM {customers} WHERE churned IS NOT NULL
    )
    ORDER BY customer_id
"""


def _contractual(tables: Tables, seed: int, as_of: str | None) -> pd.DataFrame:
    at = "$at::TIMESTAMP"
    if "snapshot_at" in tables.columns("customers"):
        at = f"coalesce(snapshot_at, {at})"
    with tables.connect() as db:
        return db.execute(
            _CONTRACTUAL.format(customers=tables.sql("customers"), at=at),
            {"seed": str(seed), "test": TEST_SHARE, "valid": VALID_SHARE, "at": str(latest(tables, as_of))},
        ).df()
