import numpy as np
import pandas as pd
import pytest

from models.evaluation.personalisation import personalisation


def units(gain, rows=8000, seed=0):
    """Three arms; `gain` is how much more often a matching device converts on B or C."""
    rng = np.random.default_rng(seed)
    arm, device = rng.choice(["A", "B", "C"], rows), rng.choice(["phone", "desktop"], rows)
    match = ((arm == "B") & (device == "phone")) | ((arm == "C") & (device == "desktop"))
    rate = 0.2 + 0.02 * (arm == "B") + gain * match
    return pd.DataFrame({"arm": arm, "device": device, "age": rng.normal(40, 9, rows), "won": rng.binomial(1, rate)})


def test_a_planted_gain_is_recovered():
    found = personalisation(units(0.2), "arm", "won", ["device", "age"], 0)
    # B for everybody has 0.22 + 0.1; a personal choice 0.21 + 0.2.
    assert found.shown
    assert found.gain.low < 0.09 < found.gain.high
    assert found.arm == "B"
    assert found.personal.low < 0.41 < found.personal.high
    assert found.chosen["B"] == pytest.approx(0.5, abs=0.1)


def test_without_a_gain_none_is_shown():
    found = [personalisation(units(0.0, 2400, seed), "arm", "won", ["device", "age"], 0) for seed in range(6)]
    assert sum(one.shown for one in found) <= 1
    assert all("no gain shown" in str(one) for one in found if not one.shown)


def test_amounts_and_missing_values_are_understood():
    rows = units(0.2)
    rows["spent"] = rows["won"] * np.random.default_rng(1).lognormal(1, 0.5, len(rows))
    rows.loc[::7, "age"] = np.nan
    assert personalisation(rows, "arm", "spent", ["device", "age"], 0).shown


def test_what_cannot_be_compared_is_named():
    with pytest.raises(ValueError, match=r"expected columns of the units, got \['region'\]"):
        personalisation(units(0.1), "arm", "won", ["region"], 0)
    few = units(0.1, 300)
    with pytest.raises(ValueError, match=r"arm 'A': .* at least 100 are needed"):
        personalisation(few, "arm", "won", ["device"], 0)
