"""Conversions that come late, by planted delays: the rate that is learnt is the one that was planted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import auctions, delayed
from features.delayed import ALL, OPEN
from features.tables import Tables
from features.transforms import CAMPAIGN, market

START, DAYS, CLICKS, RATE = pd.Timestamp("2024-03-01"), 28, 600, 0.2
END = START + pd.Timedelta(days=DAYS)
Hours = Callable[[np.random.Generator, int], np.ndarray]
SHAPES: dict[str, Hours] = {
    "at once": lambda rng, count: np.zeros(count),
    "an hour": lambda rng, count: rng.exponential(1, count),
    "a day": lambda rng, count: rng.exponential(24, count),
    "four days": lambda rng, count: rng.exponential(96, count),
    "after two days exactly": lambda rng, count: np.full(count, 48.0),
    "soon or much later": lambda rng, count: np.where(rng.random(count) < 0.6, 0.5, 144 * rng.random(count)),
    "heavy tailed": lambda rng, count: np.minimum(rng.lognormal(3, 1.2, count), 400),
}


def log(delay: Hours, seed: int = 1, campaign: str = "spring", told: bool = True) -> pd.DataFrame:
    """Clicks of four weeks, one in five of which converts, as far as that has come when the log ends."""
    rng = np.random.default_rng(seed)
    count = DAYS * CLICKS
    at = START + pd.to_timedelta(np.sort(rng.random(count)) * DAYS, unit="D")
    converted_at = pd.Series(at + pd.to_timedelta(delay(rng, count), unit="h"))
    converted_at[(rng.random(count) >= RATE) | (converted_at > END)] = pd.NaT
    rows = pd.DataFrame(
        {
            "campaign_id": campaign,
            "occurred_at": at,
            "market_price": 1.0,
            "click": 1.0,
            "predicted_ctr": 0.5,
            "predicted_value": 0.2,
            "conversion_value": converted_at.notna().astype(float),
            "converted_at": converted_at,
        }
    )
    return rows if told else rows.drop(columns="converted_at")


def tables(rows: pd.DataFrame, folder: Path) -> Tables:
    rows.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us", allow_truncated_timestamps=True)
    return Tables(folder)


def learnt(read: pd.DataFrame) -> float:
    """Conversions a click of what examples are made of."""
    kept = read[read["matured"] >= OPEN]
    return float((kept["conversion_value"] / kept["matured"]).sum() / kept["click"].sum())


def feature(given: Tables, moment: pd.Timestamp, campaign: str = "spring") -> float:
    spine = pd.DataFrame({"campaign_id": [campaign], "event_timestamp": [moment]})
    with CAMPAIGN.open_history(given, spine) as db:
        return float(db.sql(market.SQL).df()["conversion_rate"].iloc[0])


#: Four standard errors of the planted rate, over all clicks.
NOISE = 4 * (RATE * (1 - RATE) / (DAYS * CLICKS)) ** 0.5


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rate_that_is_learnt_is_the_one_that_was_planted(shape: str, tmp_path: Path) -> None:
    given = tables(log(SHAPES[shape]), tmp_path)
    read = auctions.read(given)

    assert learnt(read) == pytest.approx(RATE, abs=NOISE)
    assert feature(given, END) == pytest.approx(RATE, abs=NOISE)
    week = read[read["occurred_at"] >= END - pd.Timedelta(days=7)]
    assert learnt(week) == pytest.approx(RATE, abs=4 * NOISE)


@pytest.mark.parametrize("shape", ["four days", "soon or much later"])
def test_a_rate_of_an_earlier_moment_knows_nothing_that_came_later(shape: str, tmp_path: Path) -> None:
    given, early = tables(log(SHAPES[shape]), tmp_path), START + pd.Timedelta(days=9)

    assert feature(given, early) == pytest.approx(RATE, abs=3 * NOISE)
    rows = log(SHAPES[shape])
    came = rows[(rows["occurred_at"] < early) & (rows["converted_at"] < early)]
    with CAMPAIGN.open_history(given, pd.DataFrame({"campaign_id": ["spring"], "event_timestamp": [early]})) as db:
        assert db.sql("SELECT conversions FROM totals").fetchall() == [(len(came),)]


def test_what_comes_after_the_moment_asked_for_has_not_come(tmp_path: Path) -> None:
    given, until = tables(log(SHAPES["four days"]), tmp_path), START + pd.Timedelta(days=20)

    read = auctions.read(given, as_of=until.isoformat())

    known = log(SHAPES["four days"])
    known = known[(known["occurred_at"] <= until) & (known["converted_at"] <= until)]
    assert read["conversion_value"].sum() == len(known)
    assert learnt(read) == pytest.approx(RATE, abs=2 * NOISE)


def test_without_times_the_days_on_which_too_few_have_come_are_open(tmp_path: Path) -> None:
    at = [START + pd.Timedelta(days=day, minutes=minute) for day in range(6) for minute in range(100)]
    came = [float(minute < many) for many in (20, 20, 20, 20, 1, 0) for minute in range(100)]
    rows = pd.DataFrame({"campaign_id": "spring", "occurred_at": at, "market_price": 1.0, "click": 1.0})
    given = tables(rows.assign(predicted_ctr=0.5, predicted_value=0.2, conversion_value=came), tmp_path)

    read = auctions.read(given)

    assert read.loc[read["matured"] < OPEN, "occurred_at"].dt.day.unique().tolist() == [5, 6]
    assert learnt(read) == pytest.approx(0.2)
    assert feature(given, START + pd.Timedelta(days=6)) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("shape", ["four days", "after two days exactly"])
def test_without_times_the_rate_is_nearer_to_the_planted_one(shape: str, tmp_path: Path) -> None:
    read = auctions.read(tables(log(SHAPES[shape], told=False), tmp_path))

    plain = read["conversion_value"].sum() / read["click"].sum()
    assert plain < RATE - NOISE
    assert learnt(read) == pytest.approx(RATE, abs=1.5 * NOISE)


def test_a_log_whose_conversions_come_at_once_has_no_open_day() -> None:
    rng, age, clicks = np.random.default_rng(3), np.arange(28.0), np.full(28, 200.0)
    assert np.mean([delayed.open_days(age, clicks, rng.poisson(20, 28).astype(float)) > 0 for _ in range(200)]) < 0.05
    assert delayed.open_days(age, clicks, np.zeros(28)) == 0
    assert delayed.open_days(np.zeros(0), np.zeros(0), np.zeros(0)) == 0


def test_campaigns_with_conversions_enough_have_delays_of_their_own(tmp_path: Path) -> None:
    rows = [
        log(SHAPES["an hour"], 1, "it's quick"),
        log(SHAPES["four days"], 2, "slow"),
        log(SHAPES["a day"], 3, "new").tail(300),
    ]
    given = tables(pd.concat(rows), tmp_path)
    found = delayed.learn(given)

    assert set(found.shares) == {ALL, "it's quick", "slow"}
    read = auctions.read(given)
    for name in ("it's quick", "slow"):
        assert learnt(read[read["campaign_id"] == name]) == pytest.approx(RATE, abs=1.5 * NOISE)


def test_few_conversions_or_none_tell_no_delay() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(delayed.come_by(none, none)) == 0
    assert len(delayed.come_by(np.array([5, 9]), np.array([90, 90]))) == 0
