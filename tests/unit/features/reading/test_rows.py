"""Rows that cannot be meant are set aside with a count; those that may be are told."""

import numpy as np
import pandas as pd
import pytest

from features.reading.rows import near

HEADER = "customer_id,occurred_at,amount\n"


def shop(days: int = 300, start: str = "2023-01-01") -> str:
    dates = pd.date_range(start, periods=days).strftime("%Y-%m-%d")
    return HEADER + "".join(f"c{number % 50},{date},5\n" for number, date in enumerate(dates))


@pytest.mark.parametrize("date", ["2099-03-01", "2215-01-01", "2025-11-01", "1970-01-01", "1999-12-31"])
def test_a_row_far_from_the_rest_is_set_aside_and_told(read, date: str) -> None:
    tables, told = read({"transactions.csv": shop() + f"zoe,{date},7\n"})
    found = pd.read_parquet(tables.path("transactions"))["occurred_at"]
    assert len(found) == 300 and found.dt.year.eq(2023).all()
    assert "1 of 301 rows" in told and f"{date} (file transactions.csv, line 302)" in told
    assert "zoe" not in pd.read_parquet(tables.path("customers"))["customer_id"].tolist()


def test_what_lies_after_now_is_set_aside_even_if_it_is_close(rows) -> None:
    now = pd.Timestamp.now("UTC").tz_localize(None).normalize()
    text = shop(200, str((now - pd.Timedelta(days=190)).date()))
    assert rows(text)["occurred_at"].max() <= now + pd.Timedelta(days=1)


def test_auctions_without_a_time_are_all_taken(read) -> None:
    text = "campaign_id,market_price,click,predicted_ctr,occurred_at\n"
    text += "c,7,0,0.1,\n" * 150 + "c,7,0,0.1,2024-01-01\n" * 150 + "c,7,0,0.1,2099-01-01\n"
    tables, _ = read({"auctions.csv": text})
    assert tables.rows() == {"auctions": 300}


@pytest.mark.parametrize("column", ["clicked_at", "converted_at"])
@pytest.mark.parametrize("date", ["2099-01-01", "2025-06-01", "1999-01-01"])
def test_a_row_whose_answer_is_dated_far_from_the_rest_is_set_aside_and_told(read, column: str, date: str) -> None:
    days = pd.date_range("2023-01-01", periods=200).strftime("%Y-%m-%d").tolist()
    text = f"campaign_id,market_price,click,predicted_ctr,occurred_at,{column}\n"
    text += "".join(f"c,7,1,0.1,{day},{day if number % 2 else ''}\n" for number, day in enumerate(days))
    tables, told = read({"auctions.csv": text + f"c,7,1,0.1,{days[-1]},{date}\n"})
    assert tables.rows() == {"auctions": 200}
    assert f"by {column}" in told and f"{date} (file auctions.csv, line 202)" in told


def test_a_response_that_is_still_to_come_is_set_aside_and_the_end_of_a_campaign_is_not(read) -> None:
    text = "customer_id,occurred_at,campaign_id,channel,ends_at,responded_at\n"
    text += "".join(f"c{number},2023-01-0{number % 9 + 1},x,post,2099-01-01,\n" for number in range(200))
    tables, told = read({"customers.csv": "customer_id\n" + "".join(f"c{number}\n" for number in range(200)),
                         "touches.csv": text + "c1,2023-01-02,x,post,2099-01-01,2099-01-02\n"})  # fmt: skip
    assert tables.rows()["touches"] == 200 and "by responded_at" in told


def test_a_table_that_lies_in_the_future_is_refused(refused) -> None:
    error = refused(HEADER + "a,2099-01-01,5\nb,2099-01-02,5\n")
    assert (error.column, error.where) == ("occurred_at", "file transactions.csv, line 2")


def test_a_snapshot_of_the_future_is_refused(refused) -> None:
    error = refused({"customers.csv": "customer_id,churned,snapshot_at\na,0,2024-01-01\nb,1,2099-01-01\n"})
    assert (error.column, error.where) == ("snapshot_at", "file customers.csv, line 3")


def days(*at: str, n: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"day": pd.to_datetime(list(at)), "n": np.full(len(at), n)})


def test_many_rows_are_never_far() -> None:
    assert near(days("2020-01-01", "2020-01-02", "2024-01-01")) == (None, None)


def test_a_seasonal_business_has_gaps() -> None:
    summers = pd.DataFrame({"day": pd.to_datetime(["2021-07-01", "2022-07-01", "2023-07-01"]), "n": [500, 500, 3]})
    assert near(summers) == (None, None)


def test_both_ends_are_looked_at() -> None:
    told = pd.concat([days("1970-01-01", n=1), days(*map(str, pd.date_range("2023-01-01", periods=30)))])
    told = pd.concat([told, days("2023-09-01", "2024-02-01", n=2)], ignore_index=True)
    assert near(told) == (pd.Timestamp("2023-01-01"), pd.Timestamp("2023-01-30"))


def test_a_small_table_is_taken_as_it_is(rows) -> None:
    assert len(rows(HEADER + "a,2019-01-01,5\nb,2024-01-01,5\n")) == 2


TWICE = HEADER + "a,2024-01-01,5\nb,2024-01-02,6\na,2024-01-01,5\na,2024-01-01,5\n"


@pytest.mark.parametrize(("said", "left"), [({}, 4), ({"duplicates": "keep"}, 4), ({"duplicates": "drop"}, 2)])
def test_rows_that_are_there_twice_are_told_kept_or_dropped(read, said: dict[str, str], left: int) -> None:
    tables, told = read({"transactions.csv": TWICE}, {"tables": {"transactions": said}})
    assert tables.rows()["transactions"] == left
    assert "2 of 4 rows equal an earlier one" in told and "line 2, file transactions.csv, line 4" in told


def test_rows_that_are_there_twice_can_be_refused(refused) -> None:
    error = refused(TWICE, {"tables": {"transactions": {"duplicates": "refuse"}}})
    assert "2 are" in error.rule and error.where.startswith("file transactions.csv, line 2")


def test_dropping_keeps_the_order_of_auctions(read) -> None:
    auctions = [f"c,{price},0,0.1,2024-01-01 00:00:{price:02}" for price in (9, 1, 9, 5, 1, 7)]
    text = "campaign_id,market_price,click,predicted_ctr,occurred_at\n" + "\n".join(auctions) + "\n"
    tables, _ = read({"auctions.csv": text}, {"tables": {"auctions": {"duplicates": "drop"}}})
    assert pd.read_parquet(tables.path("auctions"))["market_price"].tolist() == [9, 1, 5, 7]


def test_auctions_without_a_time_may_be_the_same(read) -> None:
    _, told = read({"auctions.csv": "campaign_id,market_price,click,predicted_ctr\n" + "c,7,0,0.1\n" * 5})
    assert told == ""


def test_a_customer_who_is_there_twice_alike_is_one(read) -> None:
    tables, told = read({"customers.csv": "customer_id,plan\na,x\nb,y\na,x\n"})
    assert tables.rows() == {"customers": 2} and "are dropped" in told


def test_of_several_snapshots_the_newest_is_taken(read) -> None:
    text = (
        "customer_id,churned,snapshot_at,plan\na,0,2024-01-01,x\na,1,2024-03-01,y\nb,0,2024-02-01,z\na,0,2024-02-01,w\n"
    )
    tables, told = read({"customers.csv": text})
    found = pd.read_parquet(tables.path("customers")).sort_values("customer_id")
    assert found["plan"].tolist() == ["y", "z"] and found["churned"].tolist() == [True, False]
    assert "2 customers have 4 snapshots: only the newest of each is kept" in told
