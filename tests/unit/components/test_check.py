"""Tables are looked through as they are, and the schema that is proposed makes them usable."""

from pathlib import Path

import business
import pytest

from components.check.step import Checked, check
from components.ingest.step import ingest
from features.schema import Schema, read
from features.settings import Settings

GERMAN = "Kundennummer;Bestelldatum;Umsatz;Artikel\n{}\n".format(
    "\n".join(
        f"{number % 9};{number % 28 + 1:02}.{number % 12 + 1:02}.2023 10:00;1.{number:03},50;\u00e4"
        for number in range(99)
    )
)


def looked(folder: Path, schema: Schema | None = None) -> Checked:
    return check(str(folder), Settings(home=folder / "home"), schema or Schema())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_good_tables_can_be_used_and_are_described(tmp_path: Path) -> None:
    done = looked(business.write(tmp_path / "data", customers=20))
    assert done.usable and not done.problems and not done.proposed
    tables = {table.table: table for table in done.tables}
    assert set(tables) == {"customers", "transactions", "touches", "auctions"}
    bought = tables["transactions"]
    assert bought.kind == "Parquet" and bought.first.startswith("2023-01") and bought.duplicates == 0
    assert {column.name for column in bought.columns} >= {"customer_id", "occurred_at", "amount"}
    assert all(column.example for column in bought.columns)


def test_the_proposal_makes_somebody_elses_export_usable(folder: Path) -> None:
    (folder / "Bestellungen_2023.csv").write_bytes(GERMAN.encode("latin-1"))
    done = looked(folder)
    assert not done.usable and done.proposed_usable and not done.remaining
    table = done.proposed["tables"]["transactions"]
    assert table == {
        "file": ["Bestellungen_2023.csv"],
        "columns": {"customer_id": "Kundennummer", "occurred_at": "Bestelldatum", "amount": "Umsatz"},
        "date_format": {"occurred_at": "%d.%m.%Y %H:%M"},
        "decimal": ",",
        "encoding": "latin-1",
    }
    schema = read(done.proposed)
    assert looked(folder, schema).usable
    ingested = ingest([str(folder)], folder.parent / "staged", Settings(home=folder), schema)
    assert ingested.rows == {"customers": 9, "transactions": 99}


def test_what_is_wrong_is_told_with_its_place_and_what_a_schema_could_say(folder: Path) -> None:
    (folder / "transactions.csv").write_text("customer_id,occurred_at,amount\na,24.12.2023,5\nb,01.02.2024,$6\n")
    done = looked(folder)
    assert [problem["column"] for problem in done.problems] == ["occurred_at", "amount"]
    assert done.problems[0]["where"] == "file transactions.csv, line 2"
    assert done.problems[1]["mend"] == {"decimal": ".", "currency": "$"} or done.problems[1]["mend"] == {
        "currency": "$"
    }
    assert done.proposed_usable


def test_dates_in_doubt_are_left_to_whoever_knows(folder: Path) -> None:
    (folder / "transactions.csv").write_text("Client,Date,Total\na,03/04/2024,5\nb,05/06/2024,6\n")
    done = looked(folder)
    assert "date_format" not in done.proposed["tables"]["transactions"]
    assert not done.proposed_usable
    assert len(done.remaining) == 1 and "%d/%m/%Y and %m/%d/%Y" in done.remaining[0]


def test_ids_that_look_wrong_are_mended_by_the_proposal(folder: Path) -> None:
    (folder / "transactions.csv").write_text(
        "customer_id,occurred_at,amount\n101,2024-01-01,5\n 101,2024-01-02,5\nNULL,2024-01-02,5\n"
    )
    done = looked(folder)
    assert done.usable
    assert done.proposed["tables"]["transactions"] == {"na_values": ["NULL"], "ids": "clean", "missing_ids": "drop"}
    (told,) = looked(folder, read(done.proposed)).tables
    assert "differ" not in " ".join(told.notes)


def test_parts_of_a_table_are_found(folder: Path) -> None:
    for year in (2022, 2023):
        (folder / f"orders_{year}.csv").write_text(f"customer_id,occurred_at,amount\na,{year}-01-01,5\n")
    (folder / "readme.txt").write_text("nothing to read here\n")
    done = looked(folder)
    assert done.proposed["tables"]["transactions"]["file"] == ["orders_2022.csv", "orders_2023.csv"]
    assert done.proposed_usable


def test_rules_of_the_contract_are_problems_too(folder: Path) -> None:
    (folder / "customers.csv").write_text("customer_id,plan\na,x\n")
    (folder / "transactions.csv").write_text("customer_id,occurred_at,amount\nzoe,2024-01-01,5\n")
    done = looked(folder)
    assert not done.usable and done.problems[0]["rule"] == "customer_id is in the table customers"


def test_a_folder_without_any_table(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither"):
        looked(folder)


def test_a_bundled_source_needs_no_schema(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'cdnow' is a bundled source"):
        check("cdnow", Settings(home=tmp_path), Schema())


def test_a_files_name_says_more_than_its_columns(folder: Path) -> None:
    (folder / "members.csv").write_text("customer_id,Churn,created,value\na,0,x,1\nb,1,y,2\n")
    done = looked(folder)
    assert done.proposed["tables"] == {"customers": {"file": ["members.csv"], "columns": {"churned": "Churn"}}}
    assert done.proposed_usable
