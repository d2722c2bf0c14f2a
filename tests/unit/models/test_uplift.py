"""Uplift on planted effects."""

import numpy as np
import pandas as pd
import pytest

from models.uplift.x_learner import fit


def past(effect, count=3000, seed=0):
    """Half of the customers got an intervention that adds `effect` for those who care."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"cares": rng.integers(0, 2, count).astype(float), "noise": rng.normal(size=count)})
    took = pd.Series(rng.random(count) < 0.5)
    value = 10 + 3 * rows["noise"] + effect * rows["cares"] * took + rng.normal(0, 2, count)
    return rows, took, value


def test_those_who_care_are_told_from_those_who_do_not():
    rows, took, value = past(4.0)
    model = fit(rows, took, value, 0)
    found = pd.Series(model.predict(rows)).groupby(rows["cares"]).mean()
    assert found[0.0] == pytest.approx(0, abs=0.5)
    assert found[1.0] == pytest.approx(4, abs=0.5)
    assert model.trust > 0.8
    np.testing.assert_array_equal(model.predict(rows), fit(rows, took, value, 0).predict(rows))


def test_without_an_effect_differences_are_not_believed():
    trusted = [fit(*past(0.0, seed=seed), seed).trust for seed in range(4)]
    assert np.mean(trusted) < 0.3
    rows, took, value = past(0.0)
    assert abs(fit(rows, took, value, 0).mean) < 0.4


def test_too_small_an_arm_is_refused():
    rows, took, value = past(1.0, count=300)
    with pytest.raises(ValueError, match="at least 200 customers in each arm"):
        fit(rows, took, value, 0)
