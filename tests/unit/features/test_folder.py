"""Folders of Parquet and CSV are read as they are meant, and what cannot be read is named."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from features import sources
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import Tables, content_hash

CUSTOMERS = "customer_id,churned,plan,visits\n007,yes,gold,3\n008,no,,4\n"
TRANSACTIONS = "customer_id,occurred_at,amount,order_id,mood\n007,2024-01-01,5.5,1,good\n008,2024-02-01 10:30:00,7,2,\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "customers.csv").write_text(CUSTOMERS)
    (folder / "transactions.csv").write_text(TRANSACTIONS)
    return folder


def read(source: Path, tmp_path: Path) -> Tables:
    destination = tmp_path / "read"
    sources.read([str(source)], destination, Settings(home=tmp_path / "home"))
    return Tables(destination)


def test_row_numbers_that_pandas_wrote_are_no_attribute(tmp_path: Path) -> None:
    customers = pd.DataFrame({"customer_id": ["a", "b", "c"], "plan": ["x", "y", "x"]})
    (tmp_path / "source").mkdir()
    customers[customers["plan"] == "x"].to_parquet(tmp_path / "source" / "customers.parquet")
    assert read(tmp_path / "source", tmp_path).attributes() == {"plan": "VARCHAR"}


def test_csv_keeps_ids_as_text_and_types_the_rest(source: Path, tmp_path: Path) -> None:
    tables = read(source, tmp_path)
    customers = pd.read_parquet(tables.path("customers"))
    assert customers["customer_id"].tolist() == ["007", "008"]
    assert customers["churned"].tolist() == [True, False]
    assert tables.attributes() == {"plan": "VARCHAR", "visits": "BIGINT"}
    transactions = pd.read_parquet(tables.path("transactions"))
    assert transactions["occurred_at"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01 10:30")]
    assert transactions["amount"].tolist() == [5.5, 7.0]
    assert tables.columns("transactions")["order_id"] == "VARCHAR"


def test_the_kind_of_file_does_not_matter(source: Path, tmp_path: Path) -> None:
    expected = content_hash(read(source, tmp_path).folder)
    packed = tmp_path / "packed"
    packed.mkdir()
    with gzip.open(packed / "customers.csv.gz", "wt") as file:
        file.write(CUSTOMERS)
    pd.read_parquet(tmp_path / "read" / "transactions.parquet").to_parquet(packed / "transactions.parquet")
    assert content_hash(read(packed, tmp_path).folder) == expected


@pytest.mark.parametrize(
    ("line", "column", "kind"),
    [
        ("008,31.31.2024,7,2,", "occurred_at", "TIMESTAMP"),
        ("008,2024-02-01,a lot,2,", "amount", "DOUBLE"),
    ],
)
def test_a_value_that_cannot_be_read_is_shown(source: Path, tmp_path: Path, line: str, column: str, kind: str) -> None:
    (source / "transactions.csv").write_text(TRANSACTIONS + line + "\n")
    with pytest.raises(ContractBroken) as caught:
        read(source, tmp_path)
    assert (caught.value.table, caught.value.column) == ("transactions", column)
    assert kind in caught.value.rule
    assert caught.value.rows[0]["customer_id"] == "008"


def test_a_missing_column_is_named(source: Path, tmp_path: Path) -> None:
    (source / "transactions.csv").write_text("customer_id,when,amount\n007,2024-01-01,5\n")
    with pytest.raises(ContractBroken, match=r"occurred_at.*column is required.*customer_id, when, amount"):
        read(source, tmp_path)


def test_customers_are_those_who_bought_where_no_table_tells(source: Path, tmp_path: Path) -> None:
    (source / "customers.csv").unlink()
    assert pd.read_parquet(read(source, tmp_path).path("customers"))["customer_id"].tolist() == ["007", "008"]


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_moments_with_a_zone_are_kept_in_utc(source: Path, tmp_path: Path, unit: str) -> None:
    when = pd.to_datetime(["2024-01-01 23:30", "2024-06-01 00:30"]).tz_localize("America/New_York").as_unit(unit)
    (source / "transactions.csv").unlink()
    frame = pd.DataFrame({"customer_id": ["007", "008"], "occurred_at": when, "amount": [1, 2], "shipped": when})
    frame.to_parquet(source / "transactions.parquet")
    found = pd.read_parquet(read(source, tmp_path).path("transactions"))
    expected = [pd.Timestamp("2024-01-02 04:30"), pd.Timestamp("2024-06-01 04:30")]
    assert found["occurred_at"].tolist() == found["shipped"].tolist() == expected


def test_blanks_in_a_column_of_numbers_are_missing_numbers(source: Path, tmp_path: Path) -> None:
    (source / "customers.csv").write_text("customer_id,total\n007,29.85\n008, \n")
    tables = read(source, tmp_path)
    assert tables.attributes() == {"total": "DOUBLE"}


def test_no_source_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="complete_jorney"):
        sources.read(["complete_jorney"], tmp_path / "read", Settings(home=tmp_path))


def test_the_fingerprint_follows_content_only(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    before = sources.fingerprint([str(source)], settings)
    (source / "transactions.csv").write_text(TRANSACTIONS)  # a new time of writing, the same content
    (source / "notes.txt").write_text("no table")
    assert sources.fingerprint([str(source)], settings) == before
    (source / "transactions.csv").write_text(TRANSACTIONS.replace("5.5", "5.6"))
    assert sources.fingerprint([str(source)], settings) != before


AUCTIONS = "campaign_id,market_price,click,predicted_ctr,exchange\n07,70,0,0.001,2\n07,12.5,1,0.02,3\n"


def test_a_folder_of_auctions_alone_makes_no_customers(source: Path, tmp_path: Path) -> None:
    for name in ("customers", "transactions"):
        (source / f"{name}.csv").unlink()
    (source / "auctions.csv").write_text(AUCTIONS)
    tables = read(source, tmp_path)
    assert tables.names == ("auctions",)
    rows = pd.read_parquet(tables.path("auctions"))
    assert rows["campaign_id"].tolist() == ["07", "07"]
    assert rows["click"].tolist() == [0.0, 1.0]
    assert tables.columns("auctions")["click"] == "DOUBLE"
    assert rows["exchange"].tolist() == [2, 3]


def test_customers_are_not_sought_in_auctions(source: Path, tmp_path: Path) -> None:
    (source / "customers.csv").unlink()
    (source / "auctions.csv").write_text(AUCTIONS)
    assert pd.read_parquet(read(source, tmp_path).path("customers"))["customer_id"].tolist() == ["007", "008"]
