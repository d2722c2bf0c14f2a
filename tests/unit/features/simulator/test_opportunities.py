"""What is drawn has the published means, the configured discrimination, its seasons, shifts and delays."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from features.simulator.campaigns import CampaignStatistics, Shift
from features.simulator.opportunities import START, SimulatedAuctions, Simulator, join
from features.simulator.published import IPINYOU, PUBLISHED, WORDSTREAM

#: Standard errors that a mean may lie from its expectation.
ERRORS = 4


def changed(name: str, **values: Any) -> CampaignStatistics:
    return CampaignStatistics.model_validate({**dict(PUBLISHED[name]), **values})


def weeks(campaign: CampaignStatistics, count: int = 2) -> SimulatedAuctions:
    return join(list(Simulator(campaign, seed=5).stream(7 * count)))


@pytest.fixture(scope="module")
def search() -> SimulatedAuctions:
    """Two weeks of 40,000 auctions a day."""
    return weeks(changed("search", daily=40_000))


def off(values: np.ndarray, expected: float) -> float:
    """Standard errors that the mean lies from its expectation."""
    return abs(values.mean() - expected) / (values.std() / len(values) ** 0.5)


def equal(one: SimulatedAuctions, other: SimulatedAuctions, but: tuple[str, ...] = ()) -> bool:
    names = [field.name for field in fields(SimulatedAuctions) if field.name not in but]
    return all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=n == "delay_hours") for n in names)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_means_and_spread_are_the_published_ones(name: str) -> None:
    if name in IPINYOU:
        impressions, clicks, cost, spread = IPINYOU[name]
        ctr, price = clicks / impressions, cost / impressions
        assert PUBLISHED[name].price_spread == spread
    else:
        ctr, dollars, _ = WORDSTREAM[name]
        price = 1000 * dollars * ctr
    drawn = weeks(changed(name, daily=20_000))
    assert off(drawn.click, ctr) < ERRORS
    assert off(drawn.predicted_ctr, ctr) < ERRORS
    assert off(drawn.market_price, price) < ERRORS
    assert drawn.market_price.std() == pytest.approx(PUBLISHED[name].price_spread, rel=0.02)
    assert drawn.market_price.min() >= 0


def test_no_season_and_one_channel_leave_the_moments_as_they_are() -> None:
    flat = {"amplitude": 0.0, "peak": 0.0, "weekend": 1.0}
    alone = ({"name": "all", "share": 1.0, "price": 3.0, "response": 0.2},)
    seasons = {"volume": flat, "price_season": flat, "response": flat}
    drawn = weeks(changed("search", channels=alone, daily=20_000, **seasons))
    assert off(drawn.market_price, PUBLISHED["search"].price) < ERRORS
    assert off(drawn.predicted_ctr, PUBLISHED["search"].ctr) < ERRORS


def test_predictions_are_calibrated_at_every_height(search: SimulatedAuctions) -> None:
    order = np.argsort(search.predicted_ctr)
    expected, clicks, truth = (
        np.array([part.sum() for part in np.array_split(values[order], 10)])
        for values in (search.predicted_ctr, search.click, search.ctr)
    )
    assert expected[-1] > 10 * expected[0]
    assert stats.chi2.sf(((clicks - expected) ** 2 / expected).sum(), 10) > 1e-4
    assert truth == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("auc", [0.6, 0.7, 0.8])
def test_predictions_discriminate_as_configured(auc: float) -> None:
    drawn = Simulator(changed("search", ctr=0.01, auc=auc), seed=1).day(0, 500_000)
    assert roc_auc_score(drawn.click, drawn.predicted_ctr) == pytest.approx(auc, abs=0.015)
    told = 2 * stats.norm.ppf(auc) ** 2 + PUBLISHED["search"].unseen ** 2  # the truth tells more than the prediction
    assert roc_auc_score(drawn.click, drawn.ctr) == pytest.approx(stats.norm.cdf((told / 2) ** 0.5), abs=0.015)


@pytest.mark.parametrize("tie", [-0.4, 0.0, 0.3])
def test_prices_follow_predictions_as_configured(tie: float) -> None:
    campaign = changed("1458", price_correlation=tie)
    drawn = Simulator(campaign, seed=1).day(0, 200_000)
    alike = (drawn.channel == 0) & (drawn.hour == 14)
    found = stats.spearmanr(drawn.predicted_ctr[alike], drawn.market_price[alike])[0]
    assert found == pytest.approx(6 / np.pi * np.arcsin(tie / 2), abs=0.03)  # what a Gaussian copula's rank one is


def test_auctions_come_by_the_season(search: SimulatedAuctions) -> None:
    counts = np.bincount(search.weekday * 24 + search.hour, minlength=168).reshape(7, 24)
    by_hour, by_day = counts.sum(axis=0), counts.sum(axis=1)
    assert by_hour.argmax() in (13, 14)
    assert by_hour.argmin() in (1, 2)
    assert by_hour.max() / by_hour.min() == pytest.approx(1.6 / 0.4, rel=0.05)
    assert by_day[5:].mean() / by_day[:5].mean() == pytest.approx(0.85, rel=0.02)
    assert len(search) == pytest.approx(14 * 40_000, abs=ERRORS * (14 * 40_000) ** 0.5)


def test_prices_peak_in_the_evening_and_clicks_at_noon(search: SimulatedAuctions) -> None:
    price, ctr = (
        np.bincount(search.hour, values) / np.bincount(search.hour)
        for values in (search.market_price, search.predicted_ctr)
    )
    assert price[19:21].mean() / price[7:9].mean() == pytest.approx(1.15 / 0.85, rel=0.02)
    assert ctr[11:14].mean() / ctr.mean() == pytest.approx(1.14, rel=0.02)
    assert search.market_price[search.weekday >= 5].mean() < search.market_price[search.weekday < 5].mean()


def test_times_are_in_order_and_tell_hour_and_weekday(search: SimulatedAuctions) -> None:
    assert (np.diff(search.occurred_at) >= np.timedelta64(0)).all()
    assert search.occurred_at[0] >= START
    hours = (search.occurred_at - START) // np.timedelta64(1, "h")
    assert np.array_equal(hours % 24, search.hour)
    assert np.array_equal(hours // 24 % 7, search.weekday)


def test_channels_have_their_share_price_and_response(search: SimulatedAuctions) -> None:
    channels = PUBLISHED["search"].channels
    counts = np.bincount(search.channel)
    assert counts / len(search) == pytest.approx([channel.share for channel in channels], abs=0.005)
    price, ctr = (np.bincount(search.channel, v) / counts for v in (search.market_price, search.predicted_ctr))
    assert price / price[0] == pytest.approx([channel.price for channel in channels], rel=0.02)
    assert ctr / ctr[0] == pytest.approx([channel.response for channel in channels], rel=0.02)


def test_a_shift_multiplies_prices_from_its_day_in_its_channel_and_nothing_else() -> None:
    plain = Simulator.published("2997", seed=3)
    shifts = (Shift(from_day=1.5, price=1.4, channel="mobile"), Shift(from_day=2, price=2.0))
    shifted = Simulator.published("2997", seed=3, shifts=shifts)
    before, after = (join(list(simulator.stream(3))) for simulator in (plain, shifted))
    assert equal(before, after, but=("market_price",))
    days = (before.occurred_at - START) / np.timedelta64(1, "D")
    mobile = before.channel == 1
    expected = np.where((days >= 1.5) & mobile, 1.4, 1.0) * np.where(days >= 2, 2.0, 1.0)
    assert after.market_price == pytest.approx(before.market_price * expected)
    assert {1.0, 1.4, 2.0, 2.8} == set(expected.round(2))


def test_a_shift_may_be_of_some_hours() -> None:
    shifted = Simulator.published("2997", seed=3, shifts=(Shift(from_day=1, price=1.4, hours=(18, 22)),))
    before, after = (join(list(simulator.stream(3))) for simulator in (Simulator.published("2997", seed=3), shifted))
    evening = (before.hour >= 18) & (before.hour < 22) & (before.occurred_at >= START + np.timedelta64(1, "D"))
    assert 0 < evening.mean() < 0.5
    assert after.market_price == pytest.approx(before.market_price * np.where(evening, 1.4, 1.0))


def test_conversions_come_at_their_rate_value_and_delay() -> None:
    sold = {**dict(PUBLISHED["search"].conversions), "rate": 0.2}
    drawn = Simulator(changed("search", ctr=0.05, conversions=sold), seed=2).day(0, 1_000_000)
    clicked, converted = drawn.click == 1, drawn.conversion_value > 0
    assert not (converted & ~clicked).any()
    assert np.array_equal(converted, ~np.isnan(drawn.delay_hours))
    assert off(converted[clicked], 0.2) < ERRORS
    value, delay = drawn.conversion_value[converted], drawn.delay_hours[converted]
    assert off(value, sold["value"]) < ERRORS
    assert value.std() == pytest.approx(sold["value_spread"], rel=0.1)
    assert off(delay < 24, 0.8) < ERRORS
    assert off(delay < 14 * 24, 0.97) < ERRORS
    quick = 1 - sold["delay"].slow_share
    assert off(delay < 1, quick * (1 - np.exp(-1)) + (1 - quick) * -np.expm1(-1 / sold["delay"].slow_hours)) < ERRORS
    earned = drawn.conversion_value - drawn.predicted_value
    assert off(earned, 0.0) < ERRORS  # the expected value is what winning brings on average


def test_the_same_seed_draws_the_same_in_any_order() -> None:
    one, other = Simulator.published("2821", seed=9), Simulator.published("2821", seed=9)
    later = one.hour(30)
    assert equal(join(list(other.stream(2))), join([one.hour(number) for number in range(48)]))
    assert equal(later, other.hour(30))
    assert equal(one.day(3, 50), other.day(3, 50))


@pytest.mark.parametrize(("name", "seed", "day"), [("2821", 10, 3), ("2997", 9, 3), ("2821", 9, 4)])
def test_another_seed_campaign_or_day_draws_others(name: str, seed: int, day: int) -> None:
    drawn = Simulator.published("2821", seed=9).day(3, 50)
    scores = stats.spearmanr(Simulator.published(name, seed).day(day, 50).market_price, drawn.market_price)
    assert abs(scores[0]) < 0.5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"auc": 0.51}, "price_spread or auc"),
        ({"price_spread": 1.0}, "price_spread or auc"),
    ],
)
def test_moments_that_no_distribution_has_are_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Simulator(changed("search", **values), seed=1)


def test_a_shift_in_no_channel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no channel \['radio'\]"):
        Simulator.published("search", 1, (Shift(from_day=0, price=2.0, channel="radio"),))


def test_campaigns_that_make_no_sense_are_refused() -> None:
    half = [{"name": "all", "share": 0.5, "price": 1.0, "response": 1.0}]
    with pytest.raises(ValueError, match="shares that sum to 1"):
        changed("search", channels=tuple(half))
    delay = {"quick_hours": 1.0, "within_day": 0.9, "within_fortnight": 0.8}
    with pytest.raises(ValueError, match="within_fortnight"):
        changed("search", conversions={**dict(PUBLISHED["search"].conversions), "delay": delay})
