"""The simulated market of creatives has the effects that were planted, and tells the same each time."""

import numpy as np
import pandas as pd
import pytest

from features.simulator.creatives import AUDIENCES, CHANNELS, TRAITS, CreativeMarket

MARKET = CreativeMarket(seed=5, campaigns=4, creatives=40, days=28, volume=100.0)


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return MARKET.log()


def test_is_seeded(log: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(log, CreativeMarket(5, 4, 40, 28, 100.0).log())
    assert not log.equals(CreativeMarket(6, 4, 40, 28, 100.0).log())


def test_counts_follow_the_true_rates(log: pd.DataFrame) -> None:
    where = log["creative_id"].tolist(), log["channel"].tolist(), log["audience"].tolist()
    day = (log["occurred_at"] - log["occurred_at"].min().normalize()).dt.days
    expected = MARKET.click_rate(*where, day) * log["impressions"]
    assert log["clicks"].sum() == pytest.approx(expected.sum(), abs=4 * expected.sum() ** 0.5)
    converted = MARKET.conversion_rate(*where, day) * log["clicks"]
    assert log["conversions"].sum() == pytest.approx(converted.sum(), abs=4 * converted.sum() ** 0.5)
    engaged = MARKET.engagement_rate(*where, day) * log["impressions"]
    assert log["engagements"].sum() == pytest.approx(engaged.sum(), abs=4 * engaged.sum() ** 0.5)
    assert log["spend"].sum() == pytest.approx((MARKET.cost(*where, day) * log["clicks"]).sum(), rel=0.02)


def test_planted_traits_are_in_the_true_rates() -> None:
    ids = list(MARKET.all)
    rate = MARKET.click_rate(ids, "feed", "35-54", 0)
    copies = [MARKET.all[one].copy for one in ids]
    found = pd.DataFrame({name: [float(getattr(one, name)) for one in copies] for name in TRAITS})
    campaign = pd.get_dummies([MARKET.all[one].campaign for one in ids]).astype(float)
    matrix = np.hstack([found.to_numpy(), campaign.to_numpy()])
    effects = np.linalg.lstsq(matrix, np.log(rate / (1 - rate)), rcond=None)[0]
    assert effects[: len(TRAITS)] == pytest.approx(list(TRAITS.values()), abs=0.15)


def test_creatives_tire_and_contexts_differ() -> None:
    one = [next(iter(MARKET.all))]
    first = MARKET.all[one[0]].first_day
    assert MARKET.click_rate(one, "feed", "18-34", first + 14) < MARKET.click_rate(one, "feed", "18-34", first)
    rates = {MARKET.click_rate(one, channel, who, 0).item() for channel in CHANNELS for who in AUDIENCES}
    assert len(rates) == len(CHANNELS) * len(AUDIENCES)
    with pytest.raises(KeyError, match="nobody"):
        MARKET.click_rate(one, "feed", "nobody", 0)


def test_experiments_split_impressions_evenly(log: pd.DataFrame) -> None:
    tested = log.dropna(subset="experiment_id")
    arms = tested.groupby(["experiment_id", "arm"])["impressions"].sum().unstack()
    assert len(arms) == 2
    assert (tested["propensity"] == 0.5).all()
    assert ((arms["A"] - arms["B"]).abs() < 4 * (arms["A"] + arms["B"]) ** 0.5).all()
    assert tested.groupby("experiment_id")["creative_id"].nunique().eq(2).all()
