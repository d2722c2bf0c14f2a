"""A schema file says what was meant, or which key is wrong."""

from pathlib import Path

import pytest

from features.schema import Schema, load, read, write


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tabels: {}", "tabels"),
        ("tables: {orders: {}}", "'orders' is unknown; expected customers, transactions"),
        ("tables: {transactions: {colums: {}}}", "tables.transactions.colums"),
        ("tables: {transactions: {decimal: ';'}}", "tables.transactions.decimal"),
        ("tables: {transactions: {duplicates: maybe}}", "tables.transactions.duplicates"),
        ("tables: {transactions: {encoding: latin-99}}", "'latin-99' is not an encoding"),
        ("tables: {transactions: {date_format: DD.MM.YYYY}}", "'DD.MM.YYYY' is not a format"),
        ("zone: Berlin", "'Berlin' is not an IANA time zone"),
        ("tables: {transactions: {columns: {amount: x, quantity: x}}}", "the header 'x' is mapped to two columns"),
        ("tables: [", "expected YAML"),
        ("- a", "file: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "schema.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"schema\.yaml") as caught:
        load(tmp_path / "schema.yaml")
    assert fault in str(caught.value)


def test_it_can_be_written_and_read_again(tmp_path: Path) -> None:
    said = {
        "zone": "Europe/Berlin",
        "tables": {
            "transactions": {"file": ["a.csv"], "columns": {"amount": "Betrag"}, "na_values": ["NULL"], "decimal": ","},
            "customers": {"columns": {"churned": None}},
        },
    }
    (tmp_path / "schema.yaml").write_text(write(read(said)), encoding="utf-8")
    assert load(tmp_path / "schema.yaml") == read(said)
    assert read(said).plain() == said


def test_the_zone_of_all_is_that_of_each_table_that_names_none() -> None:
    schema = read({"zone": "Asia/Tokyo", "tables": {"touches": {"zone": "UTC"}}})
    assert (schema.of("transactions").zone, schema.of("touches").zone) == ("Asia/Tokyo", "UTC")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("")
    assert load(tmp_path / "schema.yaml") == Schema()
