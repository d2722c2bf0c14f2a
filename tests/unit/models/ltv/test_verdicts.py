import numpy as np
import pandas as pd

from models.evaluation.gates import Evidence
from models.ltv import FAMILY
from models.ltv.verdicts import best, risk_is_calibrated


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
