"""Tests on regions whose truth is planted."""

import numpy as np
import pandas as pd
import pytest

from models.evaluation.geo.analysis import analyse
from models.evaluation.geo.conformal import p_value
from models.evaluation.geo.plan import candidates, plan
from models.evaluation.geo.synthetic import chosen_penalty, fit

START = pd.Timestamp("2026-03-02")


def panel(days=74, regions=12, noise=0.03, seed=0):
    """Regions that share a week and a course, each at its own level."""
    rng = np.random.default_rng(seed)
    week = 1 + 0.3 * np.sin(2 * np.pi * np.arange(days) / 7)
    course = np.cumsum(rng.normal(0, 0.02, days))
    loads = rng.normal(1, 0.3, (2, regions))
    shares = np.outer(week, loads[0]) + np.outer(course, loads[1]) + noise * rng.normal(0, 1, (days, regions))
    index = pd.date_range(START - pd.Timedelta(days=days - 14), periods=days)
    return pd.DataFrame(1000 * rng.lognormal(0, 0.4, regions) * shares, index, [f"r{at}" for at in range(regions)])


def test_an_exact_mix_of_regions_is_found_and_its_effect_measured():
    given = panel(noise=0.0)
    given["treated"] = 0.7 * given["r1"] + 0.3 * given["r2"] + 500
    given.loc[START:, "treated"] += 40
    found = analyse(given, ("treated",), START)
    assert found.effect.value == pytest.approx(40, rel=1e-3)
    assert found.incremental.value == pytest.approx(40 * 14, rel=1e-3)
    assert found.effect.low < 40 < found.effect.high


def test_the_weights_of_the_control_are_a_mean():
    given = panel()
    weights = fit(given["r0"].to_numpy(), given.drop(columns="r0").to_numpy(), np.inf).weights
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


def test_ridge_corrects_what_a_mean_of_regions_cannot_reach():
    given = panel(noise=0.005)
    donors = given[["r1", "r2", "r3"]].to_numpy()
    treated = 2.5 * donors[:, 0] - 0.5 * donors[:, 1]
    mean, ridge = (fit(treated, donors, penalty).predict(donors) for penalty in (np.inf, 1e-4))
    assert np.abs(ridge - treated).mean() < 0.2 * np.abs(mean - treated).mean()
    assert chosen_penalty(treated, donors) == 1e-4


def test_intervals_hold_a_planted_lift_and_small_effects_are_not_shown():
    held, refused = [], []
    for seed in range(30):
        given, treated = panel(seed=seed), ("r0", "r1")
        given.loc[START:, [*treated]] *= 1.1
        found = analyse(given, treated, START)
        truth = 0.1 / 1.1 * given.loc[START:, [*treated]].to_numpy().mean()
        held.append(found.effect.low <= truth <= found.effect.high)
        refused.append(found.p <= 0.05)
    assert sum(held) >= 26  # of 30 at 95%: fewer happens once in 300
    assert sum(refused) >= 24


def test_no_effect_is_rarely_shown():
    alarms = []
    for seed in range(40):
        given = panel(seed=100 + seed)
        alarms.append(p_value(given["r0"].to_numpy(), given.drop(columns="r0").to_numpy(), 14, 0.0, np.inf) <= 0.05)
    assert sum(alarms) <= 6  # of 40 at 5%: more happens once in 100


def test_a_plan_tells_a_smaller_effect_where_regions_are_steadier():
    steady, noisy = panel(noise=0.01), panel(noise=0.08)
    (first,), (second,) = (plan(given, [("r0", "r1")], 14) for given in (steady, noisy))
    assert 0 < first.detectable < second.detectable
    assert first.power[0.0] == first.false_alarms < 0.3
    assert list(first.power.values())[-1] == 1.0
    assert first.incremental == pytest.approx(first.detectable * steady[["r0", "r1"]].iloc[-14:].to_numpy().sum())


def test_candidates_are_sets_of_like_regions():
    sets = candidates(panel(), 3)
    assert all(len(set(one)) == 3 for one in sets)
    assert {name for one in sets for name in one} == set(panel())


def test_what_is_missing_is_named():
    given = panel()
    with pytest.raises(ValueError, match=r"expected some of r0, .*, got paris"):
        analyse(given, ("paris",), START)
    with pytest.raises(ValueError, match="at least 20 before the campaign and 1 in it, got 5"):
        analyse(given.iloc[55:], ("r0",), START)
    with pytest.raises(ValueError, match="at least 90 in the panel for a test of 30, got 74"):
        plan(given, [("r0",)], 30)
    with pytest.raises(ValueError, match="at least 3 without the campaign, got 2"):
        analyse(given, tuple(f"r{at}" for at in range(10)), START)
