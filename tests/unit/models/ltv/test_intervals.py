import json

import numpy as np
import pytest

from models.ltv.intervals import Intervals


def draw(seed: int, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chance of buying, expected value, actual spend: mostly zero, else heavy-tailed."""
    rng = np.random.default_rng(seed)
    buys = rng.beta(1, 2, rows)
    amount = rng.gamma(2, 20, rows)
    actual = (rng.random(rows) < buys) * amount * rng.lognormal(-0.5, 1, rows)
    return buys, buys * amount, actual


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_new_customers_fall_within_as_often_as_asked(coverage: float) -> None:
    buys, value, actual = draw(1)
    fitted = Intervals.fit(buys, value, actual, coverage)

    buys, value, actual = draw(2)
    low, high = fitted.of(buys, value)
    within = (actual >= low) & (actual <= high)

    group = np.searchsorted(fitted.borders, buys)
    # Zero is always within: a group of which more buy nothing than asked cannot be covered less.
    wanted = [max(coverage, np.mean(actual[group == k] == 0)) for k in range(group.max() + 1)]
    assert [within[group == k].mean() for k in range(group.max() + 1)] == pytest.approx(wanted, abs=0.05)


def test_the_expected_value_is_always_within() -> None:
    buys, value, actual = draw(3)

    low, high = Intervals.fit(buys, value, actual, 0.8).of(buys, value)

    assert (low <= value).all() and (value <= high).all() and (low >= 0).all()


def test_sure_buyers_have_a_low_end_above_zero() -> None:
    rng = np.random.default_rng(4)
    buys, value = np.full(2000, 0.999), np.full(2000, 50.0)

    low, high = Intervals.fit(buys, value, value * rng.lognormal(0, 0.3, 2000), 0.8).of(buys, value)

    assert low[0] == pytest.approx(50 * np.exp(-0.3 * 1.2816), rel=0.05)
    assert high[0] == pytest.approx(50 * np.exp(0.3 * 1.2816), rel=0.05)


def test_a_handful_of_customers_gives_finite_wide_intervals() -> None:
    fitted = Intervals.fit(np.array([0.1, 0.9]), np.array([0.0, 10.0]), np.array([0.0, 30.0]), 0.8)

    low, high = fitted.of(np.array([0.5]), np.array([10.0]))

    assert low[0] <= 10 <= high[0] < np.inf


def test_json_keeps_it() -> None:
    fitted = Intervals.fit(*draw(5), 0.8)

    assert Intervals.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
