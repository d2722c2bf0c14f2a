"""Both sets of detectors, side by side: the same decisions on the same windows."""

import numpy as np
import pandas as pd
import pytest

from serving.monitoring.coding import CATEGORIES, Coding
from serving.monitoring.detector import detector
from serving.monitoring.stability import psi

KINDS = ("alibi", "scipy")


def rows(count: int, seed: int, recency: float = 30.0, card: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    spend = rng.lognormal(3, 1, count)
    spend[rng.random(count) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "recency": rng.exponential(recency, count),
            "orders": rng.poisson(4, count),
            "spend": spend,
            "card": rng.random(count) < card,
            "region": rng.choice(["north", "south", "east", None], count, p=[0.5, 0.3, 0.1, 0.1]),
            "top_drivers": [[{"feature": "recency", "effect": 1.0}]] * count,
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_unmoved_rows_do_not_drift(kind):
    found = detector(kind, rows(2000, 1), threshold=0.01, min_psi=0.1).detect(rows(1000, 2))
    assert set(found) == {"recency", "orders", "spend", "card", "region"}
    assert not any(drift.drifted for drift in found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", ["recency", "card", "spend", "region"])
def test_planted_drift_is_found_in_its_column_alone(kind, column):
    window = rows(1000, 2, recency=60.0 if column == "recency" else 30.0, card=0.7 if column == "card" else 0.4)
    if column == "spend":
        window["spend"] = np.nan  # a feature that stopped coming in
    if column == "region":
        window["region"] = window["region"].replace("south", "overseas")
    found = detector(kind, rows(2000, 1), threshold=0.01, min_psi=0.1).detect(window)
    assert [name for name, drift in found.items() if drift.drifted] == [column]


def test_both_sets_agree():
    reference, window = rows(2000, 1), rows(1000, 3, recency=40.0, card=0.5)
    alibi, scipy = (detector(kind, reference, 0.01, 0.1).detect(window) for kind in KINDS)
    for name in scipy:
        assert alibi[name].statistic == pytest.approx(scipy[name].statistic, rel=1e-5)
        assert alibi[name].p_value == pytest.approx(scipy[name].p_value, rel=1e-4, abs=1e-30)
        assert alibi[name].drifted == scipy[name].drifted


def test_false_alarms_stay_below_the_threshold():
    watch = detector("scipy", rows(2000, 1), threshold=0.05, min_psi=0.0)
    alarms = sum(any(d.drifted for d in watch.detect(rows(300, seed)).values()) for seed in range(100, 200))
    assert alarms <= 11  # 5 expected, more than 11 has a chance below 1%


def test_a_sure_but_small_shift_is_no_drift():
    watch = detector("scipy", rows(20_000, 1), threshold=0.01, min_psi=0.1)
    drift = watch.detect(rows(20_000, 2, recency=32.0))["recency"]
    assert drift.p_value < 0.001 and not drift.drifted


def test_a_column_that_is_not_logged_is_named():
    watch = detector("scipy", rows(500, 1), threshold=0.01, min_psi=0.1)
    with pytest.raises(KeyError, match="orders"):
        watch.detect(rows(500, 2).drop(columns="orders"))


def test_rare_categories_are_pooled():
    names = pd.DataFrame({"city": [f"city {place % 200}" for place in range(2000)]})
    coded = Coding.of(names).encode(names)
    assert len(np.unique(coded)) == CATEGORIES + 1


def test_psi_matches_its_definition():
    reference, window = np.repeat([0.0, 1.0], [600, 400]), np.repeat([0.0, 1.0], [300, 700])
    p, q = np.array([600.5, 400.5]) / 1001, np.array([300.5, 700.5]) / 1001
    assert psi(reference, window, categorical=True) == pytest.approx(float(np.sum((q - p) * np.log(q / p))))
    assert psi(reference, reference, categorical=True) == 0.0
