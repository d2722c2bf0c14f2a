"""Numbers, ids, labels and attributes are what was meant, or are refused with what to say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.contracts import check

HEADER = "customer_id,occurred_at,amount\n"


def bought(*amounts: str) -> str:
    return HEADER + "".join(f'c{number},2024-01-01,"{amount}"\n' for number, amount in enumerate(amounts))


def who(*ids: str) -> str:
    return HEADER + "".join(f"{one},2024-01-{number + 1:02},1\n" for number, one in enumerate(ids))


@pytest.mark.parametrize(
    ("amounts", "said", "numbers"),
    [
        (["29,94", "1.234,56", "-7"], {"decimal": ","}, [29.94, 1234.56, -7]),
        (["29.94", "1,234.56", "1 000.5"], {"decimal": "."}, [29.94, 1234.56, 1000.5]),
        (["$29.94", "-$5.00", "$-1", "7"], {"currency": "$"}, [29.94, -5, -1, 7]),
        (["29,94 \u20ac", "1.234,56\u00a0\u20ac"], {"currency": "\u20ac", "decimal": ","}, [29.94, 1234.56]),
        (["CHF 1'234.50", "CHF 2.00"], {"currency": "CHF", "decimal": "."}, [1234.5, 2]),
        (["1e3", " 5 ", ".5", "+2."], {}, [1000, 5, 0.5, 2]),
        (["(5.00)", "( 1e3 )", "7-", ".5 -", "7"], {}, [-5, -1000, -7, -0.5, 7]),  # as accounts write them
        (["($5.00)", "$(1,234.5)", "$7-", "5- $"], {"currency": "$", "decimal": "."}, [-5, -1234.5, -7, -5]),
        (["(1.234,5)", "1 000,5-"], {"decimal": ","}, [-1234.5, -1000.5]),
    ],
)
def test_numbers_are_read_by_their_signs(rows, amounts: list[str], said: dict[str, str], numbers: list[float]) -> None:
    assert rows(bought(*amounts), **said)["amount"].tolist() == numbers


@pytest.mark.parametrize(
    "amount",
    [
        "1_000",
        "0x1F",
        "inf",
        "nan",
        "5 apples",
        "1,2,3",
        "1.2.3",
        "--5",
        "(-5)",
        "(5-)",
        "((5))",
        "(5",
        "5)",
        "()",
        "-",
        "-5-",
        "(+5)",
    ],
)
def test_what_is_no_number_is_refused(refused, amount: str) -> None:
    assert refused(bought("5", amount)).where == "file transactions.csv, line 3"


@pytest.mark.parametrize(
    ("amounts", "mend"),
    [
        (["29,94", "7,00"], {"decimal": ","}),
        (["1,234.50", "7.00"], {"decimal": "."}),
        (["$29.94"], {"decimal": ".", "currency": "$"}),
        (["29,94 \u20ac", "1.000,00 \u20ac"], {"decimal": ",", "currency": "\u20ac"}),
        (["1,234", "5,678"], {}),  # a thousand, or a little more than one
        (["5 EUR", "6 USD"], {}),
        (["(1,234.50)", "($7)"], {"decimal": ".", "currency": "$"}),
        (["1.234,50- \u20ac", "7 \u20ac"], {"decimal": ",", "currency": "\u20ac"}),
        (["(5.00", "7.00"], {}),  # a bracket is no currency
    ],
)
def test_signs_that_fit_are_proposed_and_doubt_is_not(refused, amounts: list[str], mend: dict[str, str]) -> None:
    assert refused(bought(*amounts)).mend == mend


@pytest.mark.parametrize(
    ("label", "truth"),
    [
        ("0", False),
        ("1.0", True),
        ("0.0", False),
        ("true", True),
        ("No", False),
        ("YES", True),
        ("f", False),
        ("", None),
    ],
)
def test_labels_as_people_write_them(read, label: str, truth: bool | None) -> None:
    tables, _ = read({"customers.csv": f"customer_id,churned\na,{label}\nb,1\n"})
    assert pd.read_parquet(tables.path("customers"))["churned"].tolist() == [truth, True]


@pytest.mark.parametrize("values", [[0.0, 1.0], [0, 1], [False, True], ["no", "yes"]])
def test_labels_of_parquet(read, values: list[Any]) -> None:
    tables, _ = read({"customers.parquet": pd.DataFrame({"customer_id": ["a", "b"], "churned": values})})
    assert pd.read_parquet(tables.path("customers"))["churned"].tolist() == [False, True]


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0])
def test_a_label_between_yes_and_no_is_refused(refused, value: float) -> None:
    error = refused({"customers.parquet": pd.DataFrame({"customer_id": ["a", "b"], "churned": [1.0, value]})})
    assert (error.column, error.where) == ("churned", "file customers.parquet, row 2")


def test_labels_in_other_words(read, refused) -> None:
    files = {"customers.csv": "customer_id,churned\na,Existing Customer\nb,Attrited Customer\n"}
    mend = refused(files).mend
    assert mend == {"true_values": ["Attrited Customer"], "false_values": ["Existing Customer"]}


@pytest.mark.parametrize(
    "header", ["churnd", "Churn", "is_churned", "chruned", "Exited", "customer_churned", "churned_flag", "Churned Y/N"]
)
def test_a_misspelt_label_is_asked_about(refused, header: str) -> None:
    error = refused({"customers.csv": f"customer_id,{header}\na,0\nb,1\n"})
    assert (error.column, error.rule) == ("churned", "column churned is missing")
    assert f"did you mean '{header}'?" in str(error)


def test_a_column_that_only_sounds_like_a_label_may_be_an_attribute(read) -> None:
    said = {"tables": {"customers": {"columns": {"churned": None}}}}
    tables, _ = read({"customers.csv": "customer_id,churn\na,0\nb,1\n"}, said)
    assert tables.attributes() == {"churn": "BIGINT"}


def test_a_score_is_no_label(read) -> None:
    tables, _ = read({"customers.csv": "customer_id,churn\na,0.1\nb,0.7\nc,0.3\n"})
    assert tables.attributes() == {"churn": "DOUBLE"}


@pytest.mark.parametrize("numbers", [[101.0, 202.0], [101, 202]])
def test_ids_that_were_numbers_have_no_point(read, numbers: list[float]) -> None:
    frame = pd.DataFrame({"customer_id": numbers, "occurred_at": pd.Timestamp("2024-01-01"), "amount": 1.0})
    tables, _ = read({"transactions.parquet": frame})
    assert pd.read_parquet(tables.path("customers"))["customer_id"].tolist() == ["101", "202"]


def test_ids_of_a_csv_that_were_numbers_have_no_point(rows) -> None:
    assert rows(who("101.0", "202.0"))["customer_id"].tolist() == ["101", "202"]


def test_long_ids_keep_their_digits(rows) -> None:
    ids = ["9007199254740993", "123456789012345678901234567890", "007"]
    assert rows(who(*ids))["customer_id"].tolist() == ids


@pytest.mark.parametrize("ids", [["9007199254740993.0", "1.0"], ["1.2345678901234568e+18", "5"], ["1e300", "2"]])
def test_ids_of_a_csv_that_lost_digits_are_refused(refused, ids: list[str]) -> None:
    error = refused(who(*ids))
    assert (error.column, error.where) == ("customer_id", "file transactions.csv, line 2")
    assert "lost digits" in error.rule


@pytest.mark.parametrize(("kind", "last"), [("float64", 2**53 - 1), ("float32", 2**24 - 1)])
def test_ids_of_parquet_that_lost_digits_are_refused(refused, kind: str, last: int) -> None:
    def bought(largest: int) -> pd.DataFrame:
        ids = np.array([1, largest], dtype=kind)
        return pd.DataFrame({"customer_id": ids, "occurred_at": pd.Timestamp("2024-01-01"), "amount": 1.0})

    error = refused({"transactions.parquet": bought(last + 1)})
    assert error.where == "file transactions.parquet, row 2" and "lost digits" in error.rule


@pytest.mark.parametrize(("kind", "last"), [("float64", 2**53 - 1), ("float32", 2**24 - 1)])
def test_ids_of_parquet_that_kept_digits_are_read(read, kind: str, last: int) -> None:
    frame = pd.DataFrame({"customer_id": np.array([1, last], dtype=kind), "occurred_at": pd.Timestamp("2024-01-01")})
    tables, _ = read({"transactions.parquet": frame.assign(amount=1.0)})
    assert pd.read_parquet(tables.path("transactions"))["customer_id"].tolist() == ["1", str(last)]


def test_ids_that_differ_by_spaces_or_a_point_are_told(read) -> None:
    tables, told = read({"transactions.csv": who("101", " 101", "101 ", "202.0", "202", "abc")})
    assert len(pd.read_parquet(tables.path("customers"))) == 6
    assert "' 101' and '101' and '101 '" in told and "'202' and '202.0'" in told and "ids: clean" in told


def test_clean_ids_are_one(read) -> None:
    said = {"tables": {"transactions": {"ids": "clean"}}}
    tables, told = read({"transactions.csv": who("101", " 101", "101 ", "202.0", "202", "abc")}, said)
    assert pd.read_parquet(tables.path("customers"))["customer_id"].tolist() == ["101", "202", "abc"]
    assert "differ" not in told


@pytest.mark.parametrize("text", ["nan", "NULL", "None", "N/A", "undefined"])
def test_texts_for_none_as_ids_are_told_and_can_be_dropped(read, refused, text: str) -> None:
    _, told = read({"transactions.csv": who("a", text)})
    assert f"'{text}' (file transactions.csv, line 3)" in told and "na_values" in told


def test_rows_without_an_id_are_refused_or_dropped(read, refused) -> None:
    said = {"tables": {"transactions": {"na_values": ["NULL"], "missing_ids": "drop"}}}
    tables, told = read({"transactions.csv": who("a", "NULL", "")}, said)
    assert pd.read_parquet(tables.path("transactions"))["customer_id"].tolist() == ["a"]
    assert "2 of 3 rows have no id" in told


def test_ids_that_two_tables_write_differently(refused) -> None:
    error = refused({"customers.csv": "customer_id,plan\n101,x\nabc,y\n", "transactions.csv": who("101.0", "abc")})
    assert (error.table, error.rule) == ("transactions", "customer_id is in the table customers")
    assert error.rows[0]["in customers"] == "101" and error.mend == {"ids": "clean"}


def test_attributes_have_the_narrowest_type(read) -> None:
    text = (
        "customer_id,n,x,b,d,t,z,w,local,price\n"
        'a,1,1.5,true,2024-01-02,2024-01-02 10:00,2024-01-02T10:00:00+01:00,word,03/04/2024,"1,5"\n'
        'b,,2,FALSE,2024-01-03,2024-01-03 11:30,2024-01-03T10:00:00Z,,04/05/2024,"2,5"\n'
    )
    tables, _ = read({"customers.csv": text}, {"tables": {"customers": {"decimal": ","}}})
    kinds = tables.attributes()
    assert kinds["n"] == "BIGINT" and kinds["b"] == "BOOLEAN" and kinds["d"] == "DATE" and kinds["price"] == "DOUBLE"
    assert kinds["t"] == kinds["z"] == "TIMESTAMP" and kinds["w"] == kinds["local"] == "VARCHAR"
    assert pd.read_parquet(tables.path("customers"))["z"][0] == pd.Timestamp("2024-01-02 09:00")


def test_clicks_may_be_true_or_false(read) -> None:
    text = "campaign_id,market_price,click,predicted_ctr\nc,7,true,0.1\nc,8,False,0.1\nc,8,1,0.1\n"
    tables, _ = read({"auctions.csv": text})
    assert pd.read_parquet(tables.path("auctions"))["click"].tolist() == [1.0, 0.0, 1.0]
    check(tables.folder)


def test_a_zone_that_there_is_not_in_a_column(refused) -> None:
    error = refused("customer_id,occurred_at,amount,zone\na,2024-01-01,5,Mars/Base\n")
    assert (error.column, error.where) == ("zone", "file transactions.csv, line 2")


def test_headers_by_a_schema(read, refused: Callable[..., Any]) -> None:
    said = {
        "tables": {"transactions": {"columns": {"customer_id": "Kunde", "occurred_at": "Datum", "amount": "Betrag"}}}
    }
    tables, _ = read({"transactions.csv": "Kunde;Datum;Betrag\n7;2024-01-01;5\n"}, said)
    assert pd.read_parquet(tables.path("transactions"))["customer_id"].tolist() == ["7"]


def test_a_header_that_the_schema_misspells(refused) -> None:
    said = {"tables": {"transactions": {"columns": {"amount": "Totl"}}}}
    error = refused("customer_id,occurred_at,Total\na,2024-01-01,5\n", said)
    assert error.column == "amount" and "did you mean 'Total'?" in error.hint


def test_all_missing_columns_are_guessed_once(refused) -> None:
    error = refused("Client,Date,Total\na,2024-01-01,5\n")
    assert error.mend == {"columns": {"customer_id": "Client"}}
