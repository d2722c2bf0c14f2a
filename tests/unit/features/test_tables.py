"""The content hash follows what the tables say and nothing else; the columns are told as they are."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from features.tables import Tables, content_hash

ROWS = [("ann", "2024-01-01", 5.0), ("bob", "2024-01-02", 7.0), ("ann", "2024-01-03", 1.0)]


def hashed(given: Callable[..., Tables], rows: list) -> str:
    return content_hash(given(rows, pd.DataFrame({"customer_id": ["ann", "bob"]})).folder)


def test_the_hash_does_not_follow_the_order_or_the_encoding(given: Callable[..., Tables]) -> None:
    first = hashed(given, ROWS)
    tables = given(ROWS[::-1])
    pd.read_parquet(tables.path("transactions")).to_parquet(
        tables.path("transactions"), compression="zstd", row_group_size=1, index=False, coerce_timestamps="us"
    )
    assert content_hash(tables.folder) == first


@pytest.mark.parametrize(
    "changed",
    [
        [("ann", "2024-01-01", 5.01), *ROWS[1:]],
        [("ann", "2024-01-01 00:00:01", 5.0), *ROWS[1:]],
        [("bob", "2024-01-01", 5.0), *ROWS[1:]],
        [*ROWS, ROWS[0]],
        [*ROWS, ROWS[0], ROWS[0]],
        ROWS[:2],
    ],
)
def test_the_hash_follows_every_value_and_count(given: Callable[..., Tables], changed: list) -> None:
    assert hashed(given, changed) != hashed(given, ROWS)


def test_values_do_not_run_into_each_other(given: Callable[..., Tables]) -> None:
    hashes = set()
    for first, second in [("a, b", "c"), ("a", "b, c"), ("a", None), (None, "a")]:
        customers = pd.DataFrame({"customer_id": ["ann"], "first": [first], "second": [second]}).astype("string")
        hashes.add(content_hash(given(customers=customers).folder))
    assert len(hashes) == 4


def test_attributes_are_the_customers_own_columns(given: Callable[..., Tables]) -> None:
    customers = pd.DataFrame({"customer_id": ["ann"], "churned": [True], "Monthly Charges": [3.5], "plan": ["gold"]})
    tables = given(customers=customers)
    assert tables.attributes() == {"Monthly Charges": "DOUBLE", "plan": "VARCHAR"}
    assert tables.names == ("customers",)
    assert tables.columns("touches") == {}


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "o'brien"
    folder.mkdir()
    pd.DataFrame({"customer_id": ["ann"]}).to_parquet(folder / "customers.parquet")
    assert Tables(folder).rows() == {"customers": 1}
