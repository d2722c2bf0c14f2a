"""A broken table is named with its column, its rule and the rows that break it; a good one passes."""

from collections.abc import Callable

import pandas as pd
import pytest

from features.contracts import ContractBroken, check
from features.tables import Tables

GOOD = [("ann", "2024-01-01", 5.0), ("bob", "2024-01-02", -7.0)]


def broken(tables: Tables) -> ContractBroken:
    with pytest.raises(ContractBroken) as caught:
        check(tables.folder)
    return caught.value


def test_good_tables_pass_and_unknown_columns_are_attributes(given: Callable[..., Tables]) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob", "cid"], "shoe_size": [38, 44, None]})
    touches = [
        {"customer_id": "bob", "occurred_at": pd.Timestamp("2024-01-01"), "campaign_id": "spring", "tone": "warm"}
    ]
    check(given(GOOD, customers, touches).folder)


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ((None, "2024-01-03", 1.0), "customer_id", "customer_id is given"),
        (("ann", None, 1.0), "occurred_at", "occurred_at is given"),
        (("ann", "0024-01-03", 1.0), "occurred_at", "occurred_at lies between 1970 and 2100"),
        (("ann", "2024-01-03", None), "amount", "amount is given"),
        (("ann", "2024-01-03", float("inf")), "amount", "amount is finite"),
        (("zoe", "2024-01-03", 1.0), "customer_id", "customer_id is in the table customers"),
    ],
)
def test_a_broken_transaction_is_shown(given: Callable[..., Tables], row: tuple, column: str, rule: str) -> None:
    when = None if row[1] is None else pd.Timestamp(row[1]).as_unit("us")
    tables = given(GOOD, pd.DataFrame({"customer_id": ["ann", "bob"]}))
    frame = pd.read_parquet(tables.path("transactions")).astype({"occurred_at": "datetime64[us]"})
    frame.loc[len(frame)] = [row[0], when, row[2]]
    frame.astype({"occurred_at": "datetime64[us]", "amount": "float64"}).to_parquet(tables.path("transactions"))
    error = broken(tables)
    assert (error.table, error.column, error.rule) == ("transactions", column, rule)
    assert len(error.rows) == 1
    assert error.rows[0]["customer_id"] == row[0]
    assert f"'{column}'" in str(error)


def test_only_some_of_many_offending_rows_are_shown(given: Callable[..., Tables]) -> None:
    rows = [("ann", "2024-01-01", None)] * 50
    error = broken(given([*GOOD, *rows]))
    assert 1 <= len(error.rows) <= 5


def test_a_customer_told_twice(given: Callable[..., Tables]) -> None:
    error = broken(given(GOOD, pd.DataFrame({"customer_id": ["ann", "bob", "ann"], "plan": ["a", "b", "c"]})))
    assert (error.table, error.rule) == ("customers", "customer_id is unique")
    assert [row["plan"] for row in error.rows] == ["a", "c"]


def test_a_missing_column_and_a_wrong_type(given: Callable[..., Tables]) -> None:
    tables = given(GOOD)
    frame = pd.read_parquet(tables.path("transactions"))
    frame.drop(columns="amount").to_parquet(tables.path("transactions"))
    assert (broken(tables).column, broken(tables).rule) == ("amount", "column is required")
    frame.astype({"amount": "string"}).to_parquet(tables.path("transactions"))
    assert broken(tables).rule == "is of type DOUBLE"


def test_customers_are_required(given: Callable[..., Tables]) -> None:
    tables = given(GOOD)
    tables.path("customers").unlink()
    assert (broken(tables).table, broken(tables).rule) == ("customers", "the table is required")
