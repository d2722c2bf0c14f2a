"""A broken table is named with its column, its rule and the rows that break it; a good one passes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        ((None, "2024-01-03", 1.0), "customer_id", "customer_id is required"),
        (("ann", None, 1.0), "occurred_at", "occurred_at is required"),
        (("ann", "0024-01-03", 1.0), "occurred_at", "occurred_at is between 1970 and 2100"),
        (("ann", "2024-01-03", None), "amount", "amount is required"),
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


def auctions(folder: Path, **last: Any) -> Tables:
    """A table of three auctions alone; the last one has these values."""
    good = {"campaign_id": "c", "market_price": 70.0, "click": 0.0, "predicted_ctr": 0.001, "predicted_value": 0.1}
    rows = pd.DataFrame([good, {**good, "click": 1.0}, {**good, **last}])
    rows.astype({name: "float64" for name in rows if name != "campaign_id"}).to_parquet(folder / "auctions.parquet")
    return Tables(folder)


def test_auctions_need_no_customers(tmp_path: Path) -> None:
    check(auctions(tmp_path, market_price=0.0, predicted_ctr=1.0, predicted_value=None).folder)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("campaign_id", None, "campaign_id is required"),
        ("market_price", None, "market_price is required"),
        ("market_price", -0.01, "market_price is at least 0"),
        ("market_price", float("inf"), "market_price is finite"),
        ("click", 2.0, "click is 0 or 1"),
        ("click", 0.5, "click is 0 or 1"),
        ("predicted_ctr", 1.01, "predicted_ctr is at least 0 and at most 1"),
        ("predicted_ctr", -0.01, "predicted_ctr is at least 0 and at most 1"),
        ("predicted_ctr", float("nan"), "predicted_ctr is required"),
        ("conversion_value", -1.0, "conversion_value is at least 0"),
        ("predicted_value", -1.0, "predicted_value is at least 0"),
    ],
)
def test_a_broken_auction_is_shown(tmp_path: Path, column: str, value: float | None, rule: str) -> None:
    error = broken(auctions(tmp_path, **{column: value}))
    assert (error.table, error.column, error.rule) == ("auctions", column, rule)
    assert len(error.rows) == 1
    assert pd.isna(error.rows[0][column]) if pd.isna(value) else error.rows[0][column] == value


@pytest.mark.parametrize("column", ["campaign_id", "market_price", "click", "predicted_ctr"])
def test_auctions_without_a_column_are_refused(tmp_path: Path, column: str) -> None:
    tables = auctions(tmp_path)
    pd.read_parquet(tables.path("auctions")).drop(columns=column).to_parquet(tables.path("auctions"))
    error = broken(tables)
    assert (error.table, error.column, error.rule) == ("auctions", column, "column is required")


def test_auctions_beside_transactions_do_not_stand_for_customers(given: Callable[..., Tables]) -> None:
    tables = given(GOOD)
    auctions(tables.folder)
    check(tables.folder)
    tables.path("customers").unlink()
    assert (broken(tables).table, broken(tables).rule) == ("customers", "the table is required")


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    assert (broken(Tables(tmp_path)).table, broken(Tables(tmp_path)).rule) == ("customers", "the table is required")
