"""Rates and their intervals."""

import numpy as np
import pytest

from serving.campaigns.rules.metrics import RATES, SeenRate, noise, value_spread


@pytest.mark.parametrize("metric", ["ctr", "cpa"])
@pytest.mark.parametrize("events", [2.0, 30.0])
def test_an_interval_misses_the_truth_as_rarely_as_told(metric: str, events: float) -> None:
    rng, size = np.random.default_rng(3), 1000.0
    truth = size / events if metric == "cpa" else events / size
    ends = np.array([SeenRate(RATES[metric], k, size).interval(0.05) for k in rng.poisson(events, 2000)])
    assert (ends[:, 0] > truth).mean() <= 0.06
    assert (ends[:, 1] < truth).mean() <= 0.06


def test_a_return_is_events_times_their_value() -> None:
    seen = SeenRate(RATES["roas"], 50, 1000, worth=40.0)
    low, high = seen.interval(0.025)
    assert seen.value == 2.0
    assert (low, high) == pytest.approx((1.4845, 2.6367), abs=1e-3)  # Garwood: 50 [37.11, 65.92]


def test_nothing_seen_is_unknown_and_has_no_bounds() -> None:
    assert SeenRate(RATES["cpa"], 0, 0).value is None
    assert SeenRate(RATES["ctr"], 0, 0).interval(0.01) == (0.0, float("inf"))
    assert SeenRate(RATES["cpa"], 0, 100).interval(0.01)[1] == float("inf")


def test_a_rate_is_compared_with_what_it_was() -> None:
    fell, was = SeenRate(RATES["ctr"], 60, 10_000), SeenRate(RATES["ctr"], 400, 40_000)
    assert fell.beyond(was, 1.0, above=False) < 0.001
    assert fell.beyond(was, 1.0, above=True) > 0.99
    dear, usual = SeenRate(RATES["cpa"], 10, 1000), SeenRate(RATES["cpa"], 100, 4000)
    assert dear.beyond(usual, 1.0, above=True) < 0.01


def test_noise_is_that_of_chance_for_poisson_counts_and_more_for_others() -> None:
    rng, size = np.random.default_rng(5), np.full(2000, 100.0)
    assert noise(rng.poisson(20, 2000).astype(float), size) == pytest.approx(1.0, abs=0.1)
    assert noise(rng.poisson(rng.gamma(5, 4, 2000)).astype(float), size) == pytest.approx(5.0, abs=0.6)
    step = np.concatenate([rng.poisson(20, 100), rng.poisson(10, 100)]).astype(float)
    assert noise(step, np.full(200, 100.0)) < 1.5  # a change of the rate is no noise


def test_the_spread_of_values_is_found_from_sums_of_days() -> None:
    rng = np.random.default_rng(7)
    k = rng.poisson(10, 3000).astype(float)
    value = np.array([rng.gamma(4, 10, int(one)).sum() for one in k])
    assert value_spread(k, value) == pytest.approx(0.25, abs=0.03)
