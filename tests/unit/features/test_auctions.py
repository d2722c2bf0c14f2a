"""Auctions in their order, and what was known of a campaign before each of its moments, by hand count."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import auctions, store, transforms, views
from features.settings import Settings
from features.tables import Tables
from features.transforms import CAMPAIGN, market
from features.transforms.groups import Group

MIDNIGHT = "2024-01-05"


def log(**columns: object) -> pd.DataFrame:
    """Five auctions of campaign 7, one a day at 6 o'clock, and one of campaign 8; not in order of time."""
    told = pd.DataFrame(
        {
            "campaign_id": ["7", "7", "8", "7", "7", "7"],
            "occurred_at": pd.to_datetime([f"2024-01-0{day} 06:00" for day in (2, 1, 1, 3, 4, 5)]),
            "channel": ["web", "web", "web", "app", None, "web"],
            "market_price": [20.0, 10.0, 99.0, 30.0, 40.0, 1000.0],
            "click": [1.0, 0.0, 0.0, 0.0, 1.0, 1.0],
            "predicted_ctr": [0.25, 0.25, 0.1, 0.25, 0.25, 1.0],
            "conversion_value": [5.0, 0.0, 0.0, 0.0, 0.0, 7.0],
        }
    )
    return told.assign(**columns)


@pytest.fixture
def given(tmp_path: Path) -> Callable[[pd.DataFrame], Tables]:
    def write(rows: pd.DataFrame) -> Tables:
        rows.to_parquet(tmp_path / "auctions.parquet", index=False, coerce_timestamps="us")
        return Tables(tmp_path)

    return write


def known(tables: Tables, campaign: str, *moments: str) -> pd.DataFrame:
    spine = pd.DataFrame({"campaign_id": campaign, "event_timestamp": [pd.Timestamp(one) for one in moments]})
    with CAMPAIGN.open_history(tables, spine) as db:
        return db.sql(market.SQL).df().sort_values("event_timestamp", ignore_index=True)


def test_auctions_come_in_order_of_time_with_their_hours(given: Callable[..., Tables]) -> None:
    read = auctions.read(given(log()), as_of="2024-01-04 06:00")
    assert read["campaign_id"].tolist() == ["7"] * 4 + ["8"]
    assert read["market_price"].tolist() == [10, 20, 30, 40, 99]
    assert read["hour"].tolist() == [6] * 5 and read["weekday"].tolist() == [0, 1, 2, 3, 0]
    assert read["dated"].all()


def test_a_log_without_time_keeps_its_order_and_campaigns_end_together(given: Callable[..., Tables]) -> None:
    read = auctions.read(given(log().drop(columns="occurred_at")))
    assert read["market_price"].tolist() == [20, 10, 30, 40, 1000, 99]
    assert not read["dated"].any() and not read[["hour", "weekday"]].any(axis=None)
    ends = read.groupby("campaign_id")["occurred_at"].max()
    assert ends.nunique() == 1
    assert read[read["campaign_id"] == "7"]["occurred_at"].diff().dropna().eq(pd.Timedelta("1min")).all()


def test_the_last_auction_is_the_latest_moment(given: Callable[..., Tables]) -> None:
    tables = given(log())
    assert CAMPAIGN.latest(tables, None) == pd.Timestamp("2024-01-05 06:00")
    assert CAMPAIGN.latest(tables, "2024-01-03") == pd.Timestamp("2024-01-03")
    assert CAMPAIGN.moment(tables, "-2d") == "2024-01-03T06:00:00"


def test_no_auctions_are_said_to_be_none(given: Callable[..., Tables]) -> None:
    with pytest.raises(ValueError, match="auctions: the table is empty"):
        CAMPAIGN.latest(given(log().head(0)), None)


def test_what_is_known_at_midnight_is_what_came_before(given: Callable[..., Tables]) -> None:
    seen = known(given(log()), "7", MIDNIGHT).iloc[0]
    assert seen["auctions_seen"] == seen["auctions_7d"] == 4
    assert seen["campaign_age_days"] == 3.75
    assert (seen["ctr"], seen["ctr_7d"], seen["clicks_of_predicted"], seen["conversion_rate"]) == (0.5, 0.5, 2, 0.5)
    assert (seen["price_7d"], seen["price_median_7d"]) == (25, 25)
    assert seen["price_p10_7d"] == pytest.approx(13) and seen["price_p90_7d"] == pytest.approx(37)
    assert seen["price_trend"] == 40 / 25
    assert seen["volume_trend"] == pytest.approx(1 / (4 / 3.75))
    assert (seen["morning_share_7d"], seen["night_share_7d"], seen["channels_7d"]) == (1, 0, 2)
    assert seen["observed_until"] == pd.Timestamp("2024-01-04 06:00")


def test_the_auction_at_the_moment_itself_is_not_known(given: Callable[..., Tables]) -> None:
    at = known(given(log()), "7", "2024-01-05 06:00").iloc[0]
    assert at["auctions_seen"] == 4 and at["price_7d"] == 25


def test_of_a_campaign_nobody_has_seen_nothing_is_known(given: Callable[..., Tables]) -> None:
    seen = known(given(log()), "9", MIDNIGHT).iloc[0]
    assert seen["auctions_seen"] == seen["auctions_7d"] == 0
    assert seen.drop(["campaign_id", "event_timestamp", "auctions_seen", "auctions_7d"]).isna().all()


def test_a_week_is_forgotten_and_the_campaign_is_not(given: Callable[..., Tables]) -> None:
    later = known(given(log()), "7", "2024-01-12").iloc[0]
    assert (later["auctions_seen"], later["auctions_7d"], later["price_7d"]) == (5, 1, 1000)


def test_many_moments_at_once_equal_one_at_a_time(given: Callable[..., Tables]) -> None:
    tables, moments = given(log()), ["2024-01-01", "2024-01-02 12:00", MIDNIGHT, "2024-01-09"]
    alone = pd.concat([known(tables, "7", one) for one in moments], ignore_index=True)
    pd.testing.assert_frame_equal(known(tables, "7", *moments), alone)


def test_a_log_without_conversions_has_no_rate_of_them(given: Callable[..., Tables]) -> None:
    assert np.isnan(known(given(log().drop(columns="conversion_value")), "7", MIDNIGHT)["conversion_rate"].iloc[0])


@pytest.fixture
def examples() -> pd.DataFrame:
    """Two auctions of one campaign at one moment, and another's."""
    at = pd.Timestamp(MIDNIGHT).as_unit("us")
    return pd.DataFrame({"campaign_id": ["7", "8", "7"], "event_timestamp": at, "click": [1.0, 0.0, 0.0]})


def test_examples_of_one_moment_share_what_is_known_and_online_equals_offline(
    given: Callable[..., Tables], examples: pd.DataFrame, tmp_path: Path
) -> None:
    settings, tables = Settings(home=tmp_path / "home"), given(log())
    snapshot = store.build(tables, "bidding_v1", examples, CAMPAIGN.latest(tables, None), settings)
    frame = store.training_frame(snapshot, examples, settings)
    assert frame["price_7d"].tolist() == [25, 99, 25] and frame["click"].tolist() == [1, 0, 0]
    store.publish(snapshot, settings)
    asked = pd.DataFrame({"campaign_id": ["8", "7"], "event_timestamp": pd.Timestamp(snapshot.as_of)})
    offline = store.training_frame(snapshot, asked, settings).drop(columns="event_timestamp")
    online = store.Online(settings)
    pd.testing.assert_frame_equal(online.read("bidding_v1", ["8", "7"])[offline.columns], offline)
    with pytest.raises(store.UnknownEntity, match="no campaign '9'"):
        online.read("bidding_v1", ["9"])


LEAKY = """
    SELECT s.campaign_id, s.event_timestamp, max(occurred_at) AS observed_until, sum(click)::DOUBLE AS clicks_to_come
    FROM spine s LEFT JOIN auctions USING (campaign_id) GROUP BY ALL
"""


def test_a_feature_that_knows_the_future_is_refused(
    given: Callable[..., Tables], examples: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transforms.GROUPS, "leaky", Group(CAMPAIGN, lambda tables: LEAKY))
    monkeypatch.setitem(views.SERVICES, "bidding_v1", views.Service(CAMPAIGN, ("market", "leaky")))
    with pytest.raises(store.FutureLeak, match="view 'leaky'"):
        store.build(given(log()), "bidding_v1", examples, pd.Timestamp(MIDNIGHT), Settings(home=tmp_path / "home"))
