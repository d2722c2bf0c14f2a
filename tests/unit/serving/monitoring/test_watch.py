"""A look at a log: what moved, how the answers held, and when there is too little to say."""

import numpy as np
import pandas as pd
import pytest

from models.evaluation.metrics import brier, ece
from serving.monitoring.params import Monitoring
from serving.monitoring.watch import Log, look

PARAMS = Monitoring(threshold=0.01, min_psi=0.1, min_rows=100, window_rows=5000, retrain=True, schedule="0 0 4 * * *")
METRICS = (ece("churned", "probability"), brier("churned", "probability"))


def asked(count: int, seed: int, recency: float = 30.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"recency": rng.exponential(recency, count), "card": rng.random(count) < 0.4})


def answered(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"probability": 1 - np.exp(-rows["recency"] / 60), "top_drivers": "[]"}, index=rows.index)


def a_log(rows: pd.DataFrame) -> Log:
    ids = [f"request {place // 10}" for place in range(len(rows))]
    key = pd.DataFrame({"request_id": ids, "row": np.arange(len(rows)) % 10})
    return Log(key, rows, answered(rows))


def seen(log: Log, outcomes: pd.DataFrame | None = None):
    rows = asked(2000, 1)
    reference = rows.join(answered(rows)["probability"])
    none = pd.DataFrame(columns=["request_id", "row"])
    known = none if outcomes is None else outcomes
    return look("scipy", log, known, reference, list(rows.columns), METRICS, {"ece": 0.01}, PARAMS)


def outcomes_of(log: Log, truth: np.ndarray) -> pd.DataFrame:
    # In another order than they were asked: outcomes come when they come.
    return log.key.assign(churned=truth).sample(frac=1, random_state=1, ignore_index=True)


def test_the_same_world_is_steady():
    found = seen(a_log(asked(800, 2)))
    assert (found.verdict, found.rows, found.note) == ("steady", 800, "")
    assert set(found.features) == {"recency", "card"} and set(found.answers) == {"probability"}


def test_a_moved_world_is_named_in_features_and_answers():
    found = seen(a_log(asked(800, 2, recency=90.0)))
    assert found.verdict == "drifted" and found.note == "moved: recency, probability"
    assert found.features["recency"].drifted and found.answers["probability"].drifted
    assert not found.features["card"].drifted


def test_too_few_rows_are_unknown_and_not_steady():
    found = seen(a_log(asked(99, 2, recency=500.0)))
    assert found.verdict == "unknown" and found.features == {}
    assert found.note == "99 logged rows; 100 are needed"


def test_answers_that_came_true_hold_and_those_that_did_not_are_seen():
    log = a_log(asked(4000, 2))
    rng = np.random.default_rng(3)
    probability = log.answers["probability"].to_numpy()
    true = seen(log, outcomes_of(log, rng.random(4000) < probability))
    off = seen(log, outcomes_of(log, rng.random(4000) < np.clip(probability + 0.3, 0, 1)))
    assert true.outcomes == off.outcomes == 4000
    assert true.held["ece"].value < 0.03 and true.held["ece"].at_release == 0.01
    assert off.held["ece"].value == pytest.approx(np.mean(np.clip(probability + 0.3, 0, 1) - probability), abs=0.03)
    assert true.held["brier"].at_release is None


def test_a_few_outcomes_say_nothing_yet():
    log = a_log(asked(800, 2))
    few = outcomes_of(log, np.ones(800)).head(99)
    found = seen(log, few)
    assert found.outcomes == 99 and found.held == {}
