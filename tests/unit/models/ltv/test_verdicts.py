from dataclasses import replace

import numpy as np
import pandas as pd

from models.evaluation.gates import Evidence, Verdict
from models.ltv import FAMILY
from models.ltv.verdicts import best, covers_spend, risk_is_calibrated


def evidence(risk: np.ndarray, value: np.ndarray) -> Evidence:
    truth = pd.DataFrame({"value": value, "horizon_days": 60})
    answers = pd.DataFrame({"value": 1 - risk, "churn_risk": risk})
    return Evidence(
        rows=truth[[]],
        truth=truth,
        answers=answers,
        baselines={"past_spend": answers},
        champion=None,
        train=truth,
        metric=FAMILY.metrics[0],
        sensitive=(),
        seed=1,
    )


def test_a_risk_that_comes_true_passes_and_one_that_does_not_is_refused() -> None:
    rng = np.random.default_rng(1)
    risk = rng.random(4000)
    value = np.where(rng.random(4000) < risk, 0.0, rng.gamma(2, 10, 4000))

    assert risk_is_calibrated(evidence(risk, value)).passed
    refused = risk_is_calibrated(evidence(risk / 2, value))
    assert not refused.passed and "calibration error" in refused.reason


def test_the_best_are_the_top_fifth() -> None:
    chosen = best(pd.DataFrame({"value": np.arange(100.0)}))

    assert chosen.sum() == 20 and chosen.iloc[-20:].all()


def covered(risk: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> Verdict:
    found = evidence(risk, value)
    answers = found.answers.assign(value_low=low, value_high=high)
    return covers_spend(0.8)(replace(found, answers=answers))


def test_intervals_that_hold_what_they_promise_pass_and_others_are_refused() -> None:
    rng = np.random.default_rng(2)
    value, risk, none = rng.uniform(0.01, 1, 4000), np.full(4000, 0.1), np.zeros(4000)

    assert covered(risk, value, none + 0.1, none + 0.9).passed
    narrow, wide = covered(risk, value, none + 0.3, none + 0.7), covered(risk, value, none, none + 0.95)
    assert not narrow.passed and not wide.passed
    assert narrow.figures["coverage"] < 0.5 and wide.figures["open"] > 0.9


def test_who_surely_buys_nothing_makes_no_interval_too_wide() -> None:
    rng = np.random.default_rng(3)
    risk = np.repeat([0.95, 0.1], [3000, 1000])
    value = np.where(rng.random(4000) < risk, 0.0, rng.uniform(0.01, 1, 4000))

    right = covered(risk, value, np.zeros(4000), np.where(risk > 0.8, 0.0, 0.78))

    assert right.passed and right.figures["coverage"] > 0.9
    wide = covered(risk, value, np.zeros(4000), np.where(risk > 0.8, 0.0, 0.99))
    assert not wide.passed


def test_the_zeros_of_some_do_not_hide_that_too_few_are_held_in_all() -> None:
    rng = np.random.default_rng(4)
    risk = np.repeat([0.85, 0.1], [1000, 3000])
    value = np.where(rng.random(4000) < risk, 0.0, rng.uniform(0.01, 1, 4000))

    refused = covered(risk, value, np.zeros(4000), np.where(risk > 0.8, 0.0, 0.5))

    assert not refused.passed and refused.figures["worst_band"] < 0.6 and "By bands of value" in refused.reason


def test_an_interval_without_an_upper_end_is_told() -> None:
    value, none = np.random.default_rng(5).uniform(0.01, 1, 400), np.zeros(400)

    refused = covered(none + 0.1, value, none, none + np.inf)

    assert not refused.passed and "100% have no upper end: too few customers" in refused.reason
