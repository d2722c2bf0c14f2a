"""Journeys of a few customers, written out by hand."""

import pandas as pd
import pytest

from features import journeys
from features.tables import Tables

TOUCHES = [
    ("a", "2026-01-01", "email"),
    ("a", "2026-01-02", "email"),
    ("a", "2026-01-03", "search"),
    ("a", "2026-01-20", "social"),
    ("b", "2026-01-01", "email"),
    ("b", "2026-03-01", "search"),
    ("c", "2026-01-05", None),
]
ORDERS = [
    ("a", "2026-01-04", 10.0, "1"),
    ("a", "2026-01-04", 5.0, "1"),
    ("a", "2026-01-05", 7.0, "2"),
    ("b", "2026-03-02", 20.0, "3"),
    ("c", "2025-12-01", 99.0, "4"),
    ("c", "2026-01-06", -4.0, "5"),
]


@pytest.fixture
def tables(tmp_path):
    touches = pd.DataFrame(TOUCHES, columns=["customer_id", "occurred_at", "channel"])
    orders = pd.DataFrame(ORDERS, columns=["customer_id", "occurred_at", "amount", "order_id"])
    for name, frame in {"touches": touches.assign(campaign_id="x"), "transactions": orders}.items():
        frame.assign(occurred_at=pd.to_datetime(frame["occurred_at"])).to_parquet(tmp_path / f"{name}.parquet")
    return Tables(tmp_path)


def counted(found):
    return {
        tuple(row.path): (row.journeys, row.orders, row.value)
        for row in found.counts.groupby(found.counts["path"].map(tuple))
        .sum(numeric_only=True)
        .reset_index()
        .itertuples()
    }


def test_a_journey_ends_with_an_order_or_a_silence(tables):
    found = journeys.read(tables, "channel", 30)
    assert counted(found) == {
        ("email", "search"): (1, 1, 15.0),  # a: two e-mails in a row are one
        (): (1, 1, 7.0),  # a's second order: the touches belong to the first
        ("social",): (1, 0, 0.0),
        ("email",): (1, 0, 0.0),  # b: nothing followed for two months
        ("search",): (1, 1, 20.0),
        ("(unnamed)",): (1, 0, 0.0),  # c gave more back than it bought; its order before all touches is left out
    }
    assert found.reached == {"(unnamed)": 1, "email": 2, "search": 2, "social": 1}


def test_a_shorter_window_parts_journeys(tables):
    assert ("email", "search") not in counted(journeys.read(tables, "channel", 0))


def test_a_predicted_lifetime_value_is_shared_among_orders(tables, tmp_path):
    scores = pd.DataFrame({"customer_id": ["a", "b"], "value": [100.0, 40.0]})
    (tmp_path / "scores").mkdir()
    scores.to_parquet(tmp_path / "scores" / "part.parquet")
    found = counted(journeys.read(tables, "channel", 30, str(tmp_path / "scores")))
    assert found[("email", "search")][2] == 50.0
    assert found[()][2] == 50.0
    assert found[("search",)][2] == 40.0


def test_the_same_tables_give_the_same_journeys(tables):
    first, again = (journeys.read(tables, "campaign_id", 30).counts for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_a_missing_table_or_column_is_named(tables, tmp_path):
    with pytest.raises(ValueError, match="'medium': expected one of its columns"):
        journeys.read(tables, "medium", 30)
    tables.path("touches").unlink()
    with pytest.raises(ValueError, match="got no table 'touches'"):
        journeys.read(tables, "channel", 30)
