"""What customers buy and where they came from, counted by hand."""

from collections.abc import Callable

import pandas as pd
import pytest

from features import baskets
from features.acquired import NONE, acquired
from features.tables import Tables

BREAD, MILK = {"category": "bread", "order_id": "1"}, {"category": "milk", "order_id": "2"}
BOUGHT = [
    ("ann", "2024-01-01", 2.0, BREAD),
    ("ann", "2024-01-01", 2.0, BREAD),
    ("ann", "2024-02-26", 3.0, MILK),
    ("bob", "2024-02-26", -3.0, MILK),
    ("bob", "2024-03-10", 5.0, {**BREAD, "order_id": "3"}),
]


def test_an_order_counts_once_and_older_ones_for_less(given: Callable[..., Tables]) -> None:
    found = baskets.read(given(BOUGHT), "category", pd.Timestamp("2024-02-26"))
    assert found.to_dict("list") == {
        "customer_id": ["ann", "ann"],
        "item": ["bread", "milk"],
        "weight": pytest.approx([0.5, 1.0]),
    }


def test_later_purchases_are_those_after_a_moment(given: Callable[..., Tables]) -> None:
    found = baskets.read(given(BOUGHT), "category", pd.Timestamp("2024-03-31"), pd.Timestamp("2024-02-26"))
    assert found[["customer_id", "item"]].to_numpy().tolist() == [["bob", "bread"]]


def test_a_missing_column_is_named(given: Callable[..., Tables]) -> None:
    with pytest.raises(ValueError, match="column 'brand': expected one of its columns"):
        baskets.read(given(BOUGHT), "brand", pd.Timestamp("2024-03-31"))


def test_customers_came_from_the_last_channel_before_their_first_order(given: Callable[..., Tables]) -> None:
    touches = pd.DataFrame(
        {
            "customer_id": ["ann", "ann", "ann", "bob"],
            "occurred_at": pd.to_datetime(["2023-12-10", "2023-12-20", "2024-01-02", "2023-01-01"]),
            "campaign_id": "x",
            "channel": ["search", "email", "social", "email"],
        }
    )
    found = acquired(given(BOUGHT, touches=touches), 30)
    assert found["channel"].tolist() == ["email", NONE]
    assert found["first_at"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-03-10")]
    with pytest.raises(ValueError, match="got no table 'touches'"):
        tables = given(BOUGHT)
        tables.path("touches").unlink()
        acquired(tables, 30)
