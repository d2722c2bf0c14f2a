import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.ltv import FAMILY, LtvParams
from models.ltv.intervals import Intervals, level


def draw(seed: int, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Expected value, actual spend: mostly zero, else heavy-tailed."""
    rng = np.random.default_rng(seed)
    buys = rng.beta(1, 2, rows)
    amount = rng.gamma(2, 20, rows)
    return buys * amount, (rng.random(rows) < buys) * amount * rng.lognormal(-0.5, 1, rows)


def within(fitted: Intervals, value: np.ndarray, actual: np.ndarray) -> np.ndarray:
    low, high = fitted.of(value)
    return (actual >= low) & (actual <= high)


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_new_customers_fall_within_as_often_as_asked(coverage: float) -> None:
    fitted, (value, actual) = Intervals.fit(*draw(1), coverage), draw(2)

    held, group = within(fitted, value, actual), np.searchsorted(fitted.borders, value)

    assert group.max() == 9
    # Zero is always within: a group of which more buy nothing than asked cannot be covered less.
    wanted = [max(coverage, np.mean(actual[group == k] == 0)) for k in range(group.max() + 1)]
    assert [held[group == k].mean() for k in range(group.max() + 1)] == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(
    ("customers", "coverage"),
    [(3, 0.8), (8, 0.8), (9, 0.8), (40, 0.8), (18, 0.9), (19, 0.9), (60, 0.9), (198, 0.99), (199, 0.99)],
)
@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_few_customers_hold_no_less_than_is_promised(customers: int, coverage: float, zeros: float) -> None:
    rng, trials = np.random.default_rng(customers), 800
    spend = rng.lognormal(0, 1, (trials, customers + 1)) * (rng.random((trials, customers + 1)) >= zeros)
    value, one = np.ones(customers), np.ones(1)

    held = [within(Intervals.fit(value, row[:-1], coverage), one, row[-1:])[0] for row in spend]

    assert np.mean(held) >= coverage - 3 * np.sqrt(coverage * (1 - coverage) / trials)


@pytest.mark.parametrize(("coverage", "needed"), [(0.8, 9), (0.9, 19), (0.99, 199)])
def test_too_few_customers_leave_the_interval_open(coverage: float, needed: int) -> None:
    spend, one = np.random.default_rng(1).lognormal(0, 1, needed), np.ones(1)

    low, high = Intervals.fit(np.ones(needed - 1), spend[1:], coverage).of(one)
    _, enough = Intervals.fit(np.ones(needed), spend, coverage).of(one)

    assert low[0] == 0 and high[0] == np.inf
    assert enough[0] < np.inf


def test_groups_are_large_enough_for_what_is_asked() -> None:
    value = np.random.default_rng(1).gamma(2, 10, 1500)

    fitted = Intervals.fit(value, value * np.random.default_rng(2).lognormal(0, 1, 1500), 0.99)

    assert 1 < len(fitted.high) <= 3 and np.isfinite(fitted.high).all()


def test_the_expected_value_is_always_within() -> None:
    value, _ = draw(3)

    low, high = Intervals.fit(*draw(3), 0.8).of(value)

    assert (low <= value).all() and (value <= high).all() and (low >= 0).all()


def test_sure_buyers_have_a_low_end_above_zero() -> None:
    rng = np.random.default_rng(4)
    value = np.full(2000, 50.0)

    low, high = Intervals.fit(value, value * rng.lognormal(0, 0.3, 2000), 0.8).of(value)

    assert low[0] == pytest.approx(50 * np.exp(-0.3 * 1.2816), rel=0.05)
    assert high[0] == pytest.approx(50 * np.exp(0.3 * 1.2816), rel=0.05)


def test_a_level_is_known_as_well_as_its_customers_tell() -> None:
    value, actual = draw(5)
    sampled = [np.log(level(value[rows], 1.6 * actual[rows])[0]) for rows in np.arange(20_000).reshape(100, 200)]

    found, error = level(value[:200], actual[:200])

    assert level(value, 1.6 * actual)[0] == pytest.approx(1.6 * level(value, actual)[0])
    assert error == pytest.approx(np.std(sampled), rel=0.3) and found > 0


def test_one_wholesaler_is_no_season() -> None:
    value, actual = draw(6)
    value[0], actual[0] = 1.0, 1e9

    assert level(value, actual)[0] == pytest.approx(level(*draw(6))[0], rel=0.02)


@pytest.mark.parametrize("drift", [0.2, 0.4])
def test_seasons_that_change_are_covered_on_average_over_seasons(drift: float) -> None:
    rng, value = np.random.default_rng(7), np.full(4000, 50.0)
    known = value * rng.lognormal(0, 0.2, 4000)
    seasons = rng.lognormal(0, drift, 400)
    later = 50 * seasons[:, None] * rng.lognormal(0, 0.2, (400, 50))

    def held(fitted: Intervals) -> float:
        low, high = (end[0] for end in fitted.of(value[:1]))
        return float(np.mean((later >= low) & (later <= high)))

    assert held(Intervals.fit(value, known, 0.8)) < 0.7
    assert held(Intervals.fit(value, known, 0.8, drift=drift)) == pytest.approx(0.8, abs=0.04)


def test_borders_follow_the_values_that_will_be_asked_for() -> None:
    """Over a horizon of other length all values are larger: the tenth that is worth least is still that."""
    value, actual = draw(8)

    fitted = Intervals.fit(value, actual, 0.8, newest=3 * value)

    assert fitted.borders == pytest.approx([3 * border for border in Intervals.fit(value, actual, 0.8).borders])
    assert within(fitted, 3 * value, 3 * actual).mean() == pytest.approx(within_own(value, actual), abs=1e-3)


def within_own(value: np.ndarray, actual: np.ndarray) -> float:
    return float(within(Intervals.fit(value, actual, 0.8), value, actual).mean())


def test_tied_values_make_no_empty_group() -> None:
    value = np.repeat([0.0, 10.0], 1000)

    fitted = Intervals.fit(value, np.random.default_rng(1).gamma(2, 10, 2000), 0.8)

    assert len(fitted.high) == 2


def test_json_keeps_it_without_an_upper_end_too() -> None:
    for rows in (20_000, 5):
        fitted = Intervals.fit(*draw(5, rows), 0.9)
        assert Intervals.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_intervals_of_an_older_model_go_by_the_chance_of_buying() -> None:
    old = Intervals.from_dict({"borders": [0.5], "low": [0.0, 0.5], "high": [1.0, 2.0]})

    _, high = old.of(np.full(2, 10.0), np.array([0.2, 0.9]))

    assert high.tolist() == [10.0, 20.0]


def test_a_fit_tells_how_far_levels_of_its_times_lie_apart_and_counts_spread_around_the_last(
    train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A season in which everybody spends twice or half as much as in the one before, and one like it."""
    asked, learn = [], Intervals.fit.__func__

    def watched(cls: type[Intervals], value: np.ndarray, actual: np.ndarray, *more: float, **named: Any) -> Intervals:
        asked.append((actual.sum() / value.sum(), named["drift"]))
        return learn(cls, value, actual, *more, **named)

    monkeypatch.setattr(Intervals, "fit", classmethod(watched))
    after = train["event_timestamp"].max() + pd.Timedelta(days=params.window.horizon_days)
    for times in (1.0, 2.0, 0.5):
        later = valid.assign(event_timestamp=after, value=times * valid["value"])
        FAMILY.fit(train, later, params, tmp_path / str(times))

    (_, steady), *moved = asked
    assert [level for level, _ in asked] == pytest.approx([1.0] * 3, abs=0.15)
    assert steady < 0.3 and all(drift > steady + 0.2 for _, drift in moved)
