"""Intervals hold what they promise, from few rows too."""

import numpy as np
import pandas as pd
import pytest

from models.evaluation import bootstrap, metrics
from models.evaluation.gates import Evidence, covers

SCORE = metrics.auc("left", "score")


@pytest.mark.parametrize("rows", [8, 12, 40])
def test_a_mean_of_few_rows_lies_within_as_often_as_promised(rows: int) -> None:
    rng = np.random.default_rng(rows)
    error, held = metrics.mae("spend", "said"), 0
    for trial in range(300):
        truth = pd.DataFrame({"spend": rng.normal(10, 1, rows)})
        found = bootstrap.interval(error, truth, pd.DataFrame({"said": np.zeros(rows)}), trial)
        held += found.low <= 10 <= found.high

    assert held / 300 >= 0.93


@pytest.mark.parametrize("leavers", [8, 15])
def test_two_equal_models_are_told_apart_by_few_leavers_no_oftener_than_promised(leavers: int) -> None:
    rng = np.random.default_rng(leavers)
    apart = 0
    for trial in range(200):
        left = (np.arange(80) < leavers).astype(int)
        one, other = (pd.DataFrame({"score": left + rng.normal(0, 1, 80)}) for _ in range(2))
        found = bootstrap.gain(SCORE, pd.DataFrame({"left": left}), one, other, trial)
        apart += found.low > 0 or found.high < 0

    assert apart / 200 <= 0.07


def test_too_few_rows_bound_nothing() -> None:
    truth = pd.DataFrame({"left": [1, 1, 1, *[0] * 300]})
    found = bootstrap.interval(SCORE, truth, pd.DataFrame({"score": truth["left"] * 1.0}), 1)

    assert (found.value, found.low, found.high) == (1.0, -np.inf, np.inf)


def test_many_rows_have_the_percentiles_they_always_had() -> None:
    rng = np.random.default_rng(1)
    truth, said = pd.DataFrame({"spend": rng.normal(10, 1, 5000)}), pd.DataFrame({"said": np.zeros(5000)})
    error = metrics.mae("spend", "said")

    found = bootstrap.interval(error, truth, said, 1)

    plain = np.quantile(bootstrap.samples(error, truth, said, 1), [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(plain), abs=1e-3)


@pytest.mark.parametrize(("inside", "rows", "passes"), [(8, 8, True), (60, 60, False), (3, 8, True), (1, 8, False)])
def test_an_interval_is_not_refused_for_what_a_few_rows_show_by_chance(inside: int, rows: int, passes: bool) -> None:
    truth = pd.DataFrame({"spend": np.where(np.arange(rows) < inside, 0.0, 9.0)})
    answers = pd.DataFrame({"low": np.full(rows, -1.0), "high": np.full(rows, 1.0)})
    evidence = Evidence(truth, truth, answers, {"naive": answers}, None, truth, metrics.mae("spend", "low"), (), 1)

    assert covers("spend", "low", "high", 0.8)(evidence).passed is passes
