"""A file that cannot be read is told by file, line, column and cause, in adloop's own words."""

import gzip

import pandas as pd
import pytest

H = "customer_id,occurred_at,amount\n"
GOOD = H + "a,2024-01-01,5\nb,2024-01-02,6\n"


@pytest.mark.parametrize(
    ("content", "line", "column", "cause"),
    [
        (GOOD + "c,2024-01-03\n" + "d,2024-01-04,1\n", 4, "amount", "it has 2 values"),
        (GOOD + "c,2024-01-03,12,5\n", 4, "amount", "it has 4 values"),
        (GOOD + 'c,"2024-01-03,7\nd,2024-01-04,8\n', 4, "occurred_at", "a quotation mark is not closed"),
        (GOOD + 'c,2024-01-03,"7"5"\n', 4, "amount", "a quotation mark"),
        (GOOD.encode() + b"Andr\xe9,2024-01-03,7\n", 4, "customer_id", "in latin-1 the value is 'Andr\u00e9'"),
        (GOOD.encode() + b"c,\x8024,7\n", 4, "occurred_at", "in cp1252 the value is '\u20ac24'"),
        (GOOD + "c,2024-01-03,\0\n", 4, "amount", "it contains NUL bytes"),
        (H, 1, "customer_id", "the file has only a header"),
        (GOOD + "c,2024-01-03,7 or so\n", 4, "amount", "7 or so"),
        ('customer_id,occurred_at,amount\n"a\nb",2024-01-01,x\n', 3, "amount", "'x' is not a number"),
        (GOOD + ",2024-01-03,7\n", 4, "customer_id", "customer_id is required"),
    ],
)
def test_where_and_why(refused, content: str | bytes, line: int, column: str, cause: str) -> None:
    error = refused(content)
    assert (error.table, error.column, error.where) == ("transactions", column, f"file transactions.csv, line {line}")
    assert cause in str(error)
    assert "read_csv" not in str(error) and "Possible" not in str(error)


def test_a_decimal_comma_without_quotes_is_what_the_hint_is_about(refused) -> None:
    assert "decimal comma" in refused(GOOD + "c,2024-01-03,12,5\n").hint


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is empty"),
        (b"\n\n", "all its lines are blank"),
        (b"PK\x03\x04...", "spreadsheet"),
        (gzip.compress(GOOD.encode() * 50, mtime=0)[:-9], "gzip"),
        (GOOD.encode("utf-16-le"), "UTF-16"),
        (b"customer_id,amount,amount\n1,2,3\n", "appears 2 times"),
    ],
)
def test_a_file_that_is_none(refused, content: bytes, cause: str) -> None:
    error = refused(content)
    assert error.where.startswith("file transactions.csv") and cause in str(error)


@pytest.mark.parametrize("content", [b"", b"customer_id\n1\n", b"PAR1 and then nothing"])
def test_a_file_that_is_no_parquet(refused, content: bytes) -> None:
    error = refused({"transactions.parquet": content})
    assert error.where == "file transactions.parquet" and "header" in str(error)


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        ("sep=;\n" + GOOD.replace(",", ";")).encode(),
        GOOD.replace("5\n", "5\r\n").encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        gzip.compress(GOOD.encode(), mtime=0),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.encode() + b"\n\n",
        GOOD.rstrip().encode(),
        GOOD.replace("customer_id", " Customer ID ").replace("amount", "AMOUNT").encode(),
    ],
)
def test_what_can_only_be_meant_one_way_is_understood(rows, content: bytes) -> None:
    found = rows(content)
    assert found["customer_id"].tolist() == ["a", "b"]
    assert found["amount"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "mac-roman"])
def test_a_schema_tells_the_encoding(rows, encoding: str) -> None:
    assert (
        rows((GOOD + "Andr\u00e9,2024-01-03,7\n").encode(encoding), encoding=encoding)["customer_id"][2] == "Andr\u00e9"
    )


def test_lines_are_counted_far_down_a_file(refused) -> None:
    many = H + "a,2024-01-01,5\n" * 300_000
    assert refused(many + "b,2024-01-02\n" + many[len(H) :]).where == "file transactions.csv, line 300002"


def test_several_files_are_one_table_and_the_broken_one_is_named(read, refused) -> None:
    said = {"tables": {"transactions": {"file": ["2023.csv", "2024.csv"]}}}
    error = refused({"2023.csv": GOOD, "2024.csv": GOOD + "c,2024-01-03,none\n"}, said)
    assert error.where == "file 2024.csv, line 4"


def test_several_files_are_read_in_their_order(read) -> None:
    said = {"tables": {"transactions": {"file": ["b.csv", "a.csv"]}}}
    tables, _ = read({"a.csv": GOOD, "b.csv": H + "z,2023-01-01,1\n"}, said)
    assert pd.read_parquet(tables.path("transactions"))["customer_id"].tolist() == ["z", "a", "b"]


def test_files_of_other_columns_are_not_one_table(refused) -> None:
    said = {"tables": {"transactions": {"file": ["a.csv", "b.csv"]}}}
    error = refused({"a.csv": GOOD, "b.csv": "customer_id,occurred_at\nz,2023-01-01\n"}, said)
    assert (error.column, error.where) == ("amount", "file b.csv")


def test_row_numbers_that_pandas_wrote_are_left_out(read) -> None:
    tables, told = read({"customers.csv": "Unnamed: 0,customer_id,plan\n0,a,x\n1,b,y\n", "transactions.csv": GOOD})
    assert tables.attributes() == {"plan": "VARCHAR"}
    assert "the column 'Unnamed: 0' holds row numbers" in told


def test_lines_below_an_introduction_are_counted_with_it(refused) -> None:
    assert refused("sep=;\n" + GOOD.replace(",", ";") + "c;2024-01-03;x\n").where == "file transactions.csv, line 5"


def test_a_title_above_the_header_is_told(refused) -> None:
    assert "the first line is read as the header" in refused("Sales of 2024\n\n" + GOOD).hint


def test_a_second_file_of_a_table_is_told(read) -> None:
    frame = pd.DataFrame({"customer_id": ["z"], "occurred_at": [pd.Timestamp("2024-01-01")], "amount": [1.0]})
    _, told = read({"transactions.csv": GOOD, "transactions.parquet": frame})
    assert "transactions.csv also exists and is not read" in told
