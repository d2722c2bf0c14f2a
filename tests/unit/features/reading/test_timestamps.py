"""A moment is what was written, to the last sign: in UTC, whatever the zone, or refused with what to do."""

import pandas as pd
import pytest

from features.reading import timestamps

HEADER = "customer_id,occurred_at,amount\n"


def lines(*texts: str) -> str:
    return HEADER + "".join(f'c{number},"{text}",1\n' for number, text in enumerate(texts))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-03-10T02:30:00-05:00", "2024-03-10 07:30"),
        ("2024-03-10 02:30:00 -0500", "2024-03-10 07:30"),
        ("2024-01-01 10:00:00+0530", "2024-01-01 04:30"),
        ("2024-01-01T10:00+05", "2024-01-01 05:00"),
        ("2024-06-01T10:00:00.25Z", "2024-06-01 10:00:00.25"),
        ("2024-06-01 10:00 UTC", "2024-06-01 10:00"),
        ("2024-11-03 01:30:00 America/New_York", "2024-11-03 06:30"),
        ("2024-07-01 12:00 Europe/Berlin", "2024-07-01 10:00"),
        ("2024-07-01T12:00:00[Asia/Kolkata]", "2024-07-01 06:30"),
        ("2024-07-01T12:00:00+02:00[Europe/Berlin]", "2024-07-01 10:00"),
        ("2024-06-01 10:00:00 PM", "2024-06-01 22:00"),
        ("2024-06-01 12:15:00 AM", "2024-06-01 00:15"),
        ("2024-06-01 12:15 p.m.", "2024-06-01 12:15"),
        ("2024-06-01 11:00 PM -05:00", "2024-06-02 04:00"),
        ("2024/6/1 9:05", "2024-06-01 09:05"),
        ("2024-06-01", "2024-06-01"),
    ],
)
def test_all_that_is_written_is_read(rows, text: str, utc: str) -> None:
    assert rows(lines(text))["occurred_at"].tolist() == [pd.Timestamp(utc)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-06-01 10:00:00 Uhr",
        "2024-06-01 13:00:00 PM",
        "2024-06-01 10:00:00 EST",
        "2024-06-01 (BC)",
        "2024-06-01T10:00:00+25:00",
        "2024-06-01T10:00:00-05:60",
        "2024-06-01 10:00:00 and a bit",
        "2024-02-31",
        "2024-06-01 25:00",
    ],
)
def test_what_cannot_be_read_to_its_end_is_refused(refused, text: str) -> None:
    error = refused(lines("2024-05-01", text))
    assert (error.column, error.where) == ("occurred_at", "file transactions.csv, line 3")
    assert f"'{text}' is not a date or timestamp" in error.rule


def test_zoned_and_local_times_in_one_column_are_refused_with_one_of_each(refused) -> None:
    error = refused(lines("2024-03-10T02:30:00-05:00", "2024-03-10 02:30:00", "2024-03-11T02:30:00Z"))
    assert (error.column, error.where) == ("occurred_at", "file transactions.csv, line 2")
    assert [row["occurred_at"] for row in error.rows] == ["2024-03-10 02:30:00", "2024-03-10T02:30:00-05:00"]
    assert "zone" in error.hint


@pytest.mark.parametrize(
    "texts",
    [
        ("2024-03-10T02:30:00Z", "2024-03-10"),
        ("2024-03-10 02:30", "2024-03-10 02:30 Europe/Berlin"),
        ("2024-03-10 02:30 PM", "2024-03-10 02:30 PM +01:00"),
    ],
)
def test_a_mix_is_refused_whatever_its_forms_and_order(refused, texts: tuple[str, str]) -> None:
    assert {row["occurred_at"] for row in refused(lines(*texts)).rows} == set(texts)


def test_a_zone_that_there_is_not_is_refused_by_name(refused) -> None:
    assert refused(lines("2024-03-10 02:30:00 America/Newyork")).rows == [{"occurred_at": "America/Newyork"}]


def test_local_times_are_of_the_zone_that_the_schema_names(rows) -> None:
    read = rows(lines("2024-07-01 12:00", "2024-12-01 12:00"), zone="America/Los_Angeles")
    assert read["occurred_at"].tolist() == [pd.Timestamp("2024-07-01 19:00"), pd.Timestamp("2024-12-01 20:00")]
    assert read["zone"].unique().tolist() == ["America/Los_Angeles"]


def test_moments_that_name_their_zone_keep_its_clock(rows) -> None:
    read = rows(lines("2024-07-01 12:00 Europe/Berlin", "2024-07-01 12:00 Asia/Tokyo"))
    assert read["zone"].tolist() == ["Europe/Berlin", "Asia/Tokyo"]


def test_times_that_summer_time_skips_or_repeats_are_told(read) -> None:
    text = lines("2024-03-10 02:30", "2024-11-03 01:30", "2024-06-01 12:00")
    tables, told = read({"transactions.csv": text}, {"zone": "America/New_York"})
    at = pd.read_parquet(tables.path("transactions"))["occurred_at"].tolist()
    assert at[:2] == [pd.Timestamp("2024-03-10 07:30"), pd.Timestamp("2024-11-03 06:30")]
    assert "1 times are ambiguous" in told and "1 times are skipped" in told


@pytest.mark.parametrize(
    ("text", "form", "utc"),
    [
        ("24.12.2024 10:00", "%d.%m.%Y %H:%M", "2024-12-24 10:00"),
        ("12/24/2024", "%m/%d/%Y", "2024-12-24"),
        ("20241224", "%Y%m%d", "2024-12-24"),
        ("1735034400", "epoch_s", "2024-12-24 10:00"),
        ("1735034400123", "epoch_ms", "2024-12-24 10:00:00.123"),
        ("2024-06-01 10:00:00 Uhr", "%Y-%m-%d %H:%M:%S Uhr", "2024-06-01 10:00"),
        ("24 Dec 2024", "%d %b %Y", "2024-12-24"),
        ("24.12.2024 10:00 +0100", "%d.%m.%Y %H:%M %z", "2024-12-24 09:00"),
    ],
)
def test_a_schema_tells_any_other_format(rows, text: str, form: str, utc: str) -> None:
    assert rows(lines(text), date_format=form)["occurred_at"].tolist() == [pd.Timestamp(utc)]


def test_a_format_leaves_nothing_unread(refused) -> None:
    said = {"tables": {"transactions": {"date_format": "%d.%m.%Y"}}}
    error = refused(lines("24.12.2024", "25.12.2024 Uhr"), said)
    assert error.where == "file transactions.csv, line 3"


def test_a_format_is_of_a_clock_too(rows) -> None:
    read = rows(lines("24.12.2024 10:00"), zone="Europe/Berlin", date_format="%d.%m.%Y %H:%M")
    assert read["occurred_at"].tolist() == [pd.Timestamp("2024-12-24 09:00")]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["13/04/2024", "01/05/2024"], ["%d/%m/%Y"]),
        (["04/13/2024", "05/01/2024"], ["%m/%d/%Y"]),
        (["03/04/2024", "05/06/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["4/13/2024 10:00 PM"], ["%m/%d/%Y %I:%M %p"]),
        (["1.2.2024"], ["%d.%m.%Y"]),
        (["20240105"], ["%Y%m%d"]),
        (["1704067200", "1704153600"], ["epoch_s"]),
        (["1704067200000"], ["epoch_ms"]),
        (["Jan 5, 2024"], ["%b %d, %Y"]),
        (["24.12.2024 13:00 Uhr"], ["%d.%m.%Y %H:%M Uhr"]),
        (["soon"], []),
        (["4711"], []),
    ],
)
def test_formats_that_fit_are_found_and_doubt_is_kept(texts: list[str], found: list[str]) -> None:
    assert timestamps.formats(texts) == found


def test_one_format_that_fits_is_proposed_and_two_are_named(refused, tmp_path) -> None:
    assert refused(lines("24.12.2024")).mend == {"date_format": {"occurred_at": "%d.%m.%Y"}}


def test_a_date_that_may_be_two_is_never_guessed(refused) -> None:
    error = refused(lines("03/04/2024", "05/06/2024"))
    assert not error.mend
    assert "%d/%m/%Y and %m/%d/%Y" in error.hint


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_moments_of_any_unit_are_of_the_schemas_zone(read, unit: str) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "occurred_at": [pd.Timestamp("2024-07-01 12:00")], "amount": [1.0]})
    frame["occurred_at"] = frame["occurred_at"].astype(f"datetime64[{unit}]")
    tables, _ = read({"transactions.parquet": frame}, {"zone": "Europe/Berlin"})
    assert pd.read_parquet(tables.path("transactions"))["occurred_at"].tolist() == [pd.Timestamp("2024-07-01 10:00")]


def test_a_zone_that_parquet_tells_is_kept(read) -> None:
    at = pd.to_datetime(["2024-07-01 12:00"]).tz_localize("Asia/Tokyo")
    frame = pd.DataFrame({"customer_id": ["a"], "occurred_at": at, "amount": [1.0]})
    tables, _ = read({"transactions.parquet": frame})
    found = pd.read_parquet(tables.path("transactions"))
    assert found["occurred_at"].tolist() == [pd.Timestamp("2024-07-01 03:00")]
    assert found["zone"].tolist() == ["Asia/Tokyo"]
