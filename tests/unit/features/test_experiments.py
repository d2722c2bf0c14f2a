import numpy as np
import pandas as pd
import pytest

from features.experiments import SUMS, of_decisions, of_exposures, of_impressions, units
from features.tables import Tables

DAY = pd.Timestamp("2026-03-02")


@pytest.fixture
def tables(tmp_path):
    def written(**frames):
        for name, frame in frames.items():
            frame.to_parquet(tmp_path / f"{name}.parquet", index=False, coerce_timestamps="us")
        return Tables(tmp_path)

    return written


def impressions(**changed):
    rows = {
        "creative_id": ["a", "a", "b", "c"],
        "occurred_at": [DAY, DAY + pd.Timedelta(hours=5), DAY, DAY + pd.Timedelta(days=2)],
        "impressions": [100.0, 50.0, 150.0, 10.0],
        "clicks": [3.0, 2.0, 9.0, 1.0],
        "spend": [1.5, 1.0, 4.5, 0.2],
        "experiment_id": ["headline", "headline", "headline", None],
        "arm": ["A", "A", "B", None],
        "propensity": [0.5, 0.5, 0.5, None],
    }
    return pd.DataFrame(rows | changed)


def test_impressions_are_counted_by_experiment_arm_and_day(tables):
    found = of_impressions(tables(impressions=impressions()))
    clicks = found.daily[found.daily["metric"] == "clicks"].set_index("arm")
    assert list(clicks["units"]) == [150, 150]
    assert list(clicks["total"]) == [5, 9]
    # Clicks and impressions are as good as single ones.
    assert list(clicks["squares"]) == list(clicks["total"])
    assert list(clicks["units_squares"]) == list(clicks["units"])
    spend = found.daily[found.daily["metric"] == "spend"].set_index("arm")
    assert spend.loc["A", "squares"] == 1.5**2 + 1.0**2
    assert spend.loc["A", "cross"] == 100 * 1.5 + 50 * 1.0
    assert found.ends == DAY + pd.Timedelta(days=3)
    assert found.propensities == {("headline", "A"): 0.5, ("headline", "B"): 0.5}


def test_impressions_without_experiments_say_so(tables):
    with pytest.raises(LookupError, match="no column experiment_id and arm"):
        of_impressions(tables(impressions=impressions().drop(columns=["experiment_id", "arm"])))


def exposures(rows=400):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "experiment_id": "headline",
            "unit_id": [str(number) for number in range(rows)],
            "arm": rng.choice(["A", "B"], rows),
            "occurred_at": DAY + pd.to_timedelta(rng.integers(0, 72, rows), unit="h"),
            "converted": rng.binomial(1, 0.1, rows).astype(float),
            "value": rng.normal(5, 2, rows),
            "before": rng.normal(5, 2, rows),
        }
    )


def test_exposures_are_summed_exactly(tables):
    rows = exposures()
    daily = of_exposures(tables(exposures=rows), "headline", ["value", "converted"]).daily
    mine = rows[(rows["arm"] == "B") & (rows["occurred_at"].dt.normalize() == DAY)]
    (value,) = daily[(daily["metric"] == "value") & (daily["arm"] == "B") & (daily["day"] == DAY)][[*SUMS]].to_numpy()
    y, x = mine["value"], mine["before"]
    sums = [len(mine), len(mine), y.sum(), y @ y, y.sum(), x.sum(), x @ x, x @ y]
    assert value == pytest.approx(np.array(sums, dtype=float))
    assert daily.groupby("metric")["units"].sum().tolist() == [400, 400]
    assert len(units(Tables(tables().folder), "headline")) == 400


def test_a_unit_that_is_there_twice_is_named(tables):
    rows = pd.concat([exposures(), exposures().iloc[[7]].assign(arm="C")])
    with pytest.raises(ValueError, match="column 'unit_id': '7' is in headline 2 times"):
        of_exposures(tables(exposures=rows), "headline", ["value"])


def test_a_missing_metric_is_told_with_those_there_are(tables):
    with pytest.raises(LookupError, match=r"no column orders; it has experiment_id.*converted"):
        of_exposures(tables(exposures=exposures()), "headline", ["orders"])


def test_decisions_are_units_and_those_with_open_outcomes_wait():
    joined = pd.DataFrame(
        {
            "decided_at": [DAY.timestamp(), DAY.timestamp() + 3600, DAY.timestamp() + 90_000],
            "arm": ["policy", "baseline", "policy"],
            "campaign_id": "spring",
            "propensity": 0.9,
            "click": np.array([1, 0, 1], dtype="int8"),
            "conversions": [1, 0, 0],
            "value": [20.0, 0.0, 0.0],
            "cost": [0.5, 0.4, 0.3],
            "known": [True, True, False],
        }
    )
    found = of_decisions(joined, "engine")
    clicks = found.daily[found.daily["metric"] == "click"]
    assert clicks[["arm", "units", "total"]].to_numpy().tolist() == [["baseline", 1.0, 0.0], ["policy", 1.0, 1.0]]
    assert set(found.daily["day"]) == {DAY}
