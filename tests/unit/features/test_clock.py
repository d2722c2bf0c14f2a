"""One clock: the hour that training reads in SQL is the hour that the endpoint reads of a moment, in every zone."""

import numpy as np
import pandas as pd
import pytest

from features import auctions, clock
from features.tables import Tables
from features.transforms import CAMPAIGN, market

#: Days on which clocks are moved, by zone: by an hour, by half of one, on another day than elsewhere, at midnight.
DAYS = {
    "America/Los_Angeles": ("2024-03-10", "2024-11-03"),
    "Europe/Berlin": ("2024-03-31", "2024-10-27"),
    "Australia/Lord_Howe": ("2024-04-06", "2024-10-05"),
    "America/Santiago": ("2024-04-07", "2024-09-08"),
    "Asia/Kolkata": ("2024-03-10", "2024-07-01"),
    "UTC": ("2024-03-10", "2024-12-31"),
    None: ("2024-03-10", "2024-02-29"),
}


def log(zone: str | None, day: str) -> pd.DataFrame:
    """An auction every ten minutes from the day before to the day after."""
    at = pd.date_range(pd.Timestamp(day) - pd.Timedelta("1D"), periods=3 * 144, freq="10min")
    return pd.DataFrame(
        {"campaign_id": zone or "nowhere", "occurred_at": at, "zone": zone, "market_price": 1.0, "click": 0.0}
    ).assign(predicted_ctr=0.1)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("zones")
    rows = pd.concat([log(zone, day) for zone, days in DAYS.items() for day in days])
    rows.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return Tables(folder)


def test_training_and_the_endpoint_read_the_same_hour_and_day_when_clocks_are_moved(tables: Tables) -> None:
    read = auctions.read(tables)
    seconds = (read["occurred_at"] - pd.Timestamp(0)).dt.total_seconds().to_numpy()
    zones = [None if pd.isna(zone) else zone for zone in read["zone"]]

    hour, weekday = clock.hour_and_weekday(seconds, zones)

    assert len(read) == 2 * 3 * 144 * len(DAYS)
    np.testing.assert_array_equal(hour, read["hour"])
    np.testing.assert_array_equal(weekday, read["weekday"])


def test_the_clock_of_a_campaign_is_read_and_not_that_of_utc() -> None:
    evening = pd.Timestamp("2024-07-02T04:00Z").timestamp()  # a Tuesday; in Los Angeles the evening before
    hour, weekday = clock.hour_and_weekday(np.full(3, evening), ["America/Los_Angeles", "UTC", None])
    assert hour.tolist() == [21, 4, 4] and weekday.tolist() == [0, 1, 1]


def test_an_hour_that_summer_time_skips_is_never_read_and_one_that_comes_twice_is_read_twice() -> None:
    for day, hours in (("2024-03-10", 0), ("2024-11-03", 2)):
        utc = pd.date_range(f"{day}T08:00Z", periods=24, freq="1h")
        hour, _ = clock.hour_and_weekday(utc.map(pd.Timestamp.timestamp).to_numpy(), ["America/Los_Angeles"] * 24)
        assert (hour == (2 if hours == 0 else 1)).sum() == hours


def test_features_tell_whose_clock_a_campaign_runs_by(tables: Tables) -> None:
    spine = pd.DataFrame({"campaign_id": ["Europe/Berlin", "nowhere"], "event_timestamp": pd.Timestamp("2024-12-01")})
    with CAMPAIGN.open_history(tables, spine) as db:
        found = db.sql(market.SQL).df().set_index("campaign_id")
    assert found["zone"].to_dict() == {"Europe/Berlin": "Europe/Berlin", "nowhere": "UTC"}


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "/etc/passwd", "../UTC", "America"])
def test_what_is_no_zone_is_known_as_none(name: str) -> None:
    assert not clock.known(name)


@pytest.mark.parametrize("moment", [1e300, -1e18, 0.0])
def test_a_moment_beyond_all_calendars_has_an_hour_too(moment: float) -> None:
    hour, weekday = clock.hour_and_weekday(np.array([moment]), ["Europe/Berlin"])
    assert 0 <= hour[0] < 24 and 0 <= weekday[0] < 7
