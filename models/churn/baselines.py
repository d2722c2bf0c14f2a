"""Baselines of churn: one feature, standard models, and LightGBM with early stopping."""

from pathlib import Path

import numpy as np
import pandas as pd

from models.churn import conversion, logistic
from models.churn.members import Boosted, Learn, Member
from models.churn.model import Answers, ChurnModel
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats
from models.churn.plain import PLAIN
from models.churn.stacking import Stack
from models.churn.training import LABEL, telling, typical
from models.family import Fit
from models.tabular import Encoder

RECENCY = "recency_days"


def one_feature(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> ChurnModel:
    """Days since the last purchase; for subscriptions, the single most predictive column.

    Uses the piecewise-linear encoding of the logistic member, which is a stronger baseline than a straight line.
    """
    from sklearn.metrics import roc_auc_score

    frame = pd.concat([train, valid], ignore_index=True)
    rows, churned = telling(frame), frame[LABEL].to_numpy(dtype=np.float32)
    names = [RECENCY] if RECENCY in rows else [name for name in rows if Encoder.fit(rows[[name]]).columns]
    fits = [_alone("one_feature", logistic.fit, rows[[name]], churned, params, checkpoint) for name in names]
    scores = [roc_auc_score(churned, fit.predict(rows)["churn_probability"]) for fit in fits]
    return fits[int(np.argmax(scores))]


def lightgbm_stopped(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> ChurnModel:
    """LightGBM with a low learning rate and shallow trees, with early stopping on `valid`."""
    from models.lean_lightgbm import lightgbm as library

    rows = telling(train)
    encoder = Encoder.fit(rows)
    held = valid[LABEL].to_numpy(dtype=np.float32)

    def learn(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
        settings = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.03, "min_data_in_leaf": 20}
        fixed = {"seed": seed, "deterministic": True, "num_threads": 1, "verbosity": -1}
        learnt = library.Dataset(x, churned)
        watched = learnt.create_valid(encoder.encode(valid), held)
        stop = library.early_stopping(50, verbose=False)
        booster = library.train(settings | fixed, learnt, 500, [watched], callbacks=[stop])
        return Member.of(conversion.of_lightgbm(booster), Boosted("lightgbm", booster.model_to_string().encode()))

    return _alone("lightgbm_stopped", learn, rows, train[LABEL].to_numpy(dtype=np.float32), params, checkpoint)


def _plain(name: str) -> Fit:
    def fit(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> ChurnModel:
        frame = pd.concat([train, valid], ignore_index=True)
        return _alone(name, PLAIN[name], telling(frame), frame[LABEL].to_numpy(dtype=np.float32), params, checkpoint)

    return fit


def _alone(
    name: str, learn: Learn, rows: pd.DataFrame, churned: Floats, params: ChurnParams, checkpoint: Path
) -> ChurnModel:
    """One learner with the encoding and answers of the ensemble, without calibration."""
    encoder = Encoder.fit(rows)
    x = encoder.encode(rows)
    member = learn(x, churned, params, params.seed, checkpoint / f"{name}.npz")
    answers = Answers(params.window.horizon_days, params.bands)
    return ChurnModel(encoder, {name: member}, Stack((1.0,), 0.0), answers, typical(x))


BASELINES: dict[str, Fit] = {
    "one_feature": one_feature,
    **{name: _plain(name) for name in PLAIN},
    "lightgbm_stopped": lightgbm_stopped,
}
