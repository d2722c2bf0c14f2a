"""What is to be beaten: one feature alone, and the field's usual logistic regression and LightGBM."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn import explanation
from models.churn.basis import Basis, Floats
from models.churn.model import Answers
from models.churn.params import ChurnParams
from models.churn.stacking import EDGE, Array
from models.churn.training import ENTITY, LABEL
from models.tabular import Encoder, feature_columns

RECENCY = "recency_days"


@dataclass(frozen=True)
class Baseline:
    """One learner behind the same encoding and the same answers as the ensemble.

    `effects` are contributions to the log-odds of churn by encoded column, and one for what all rows share, last.
    """

    encoder: Encoder
    answers: Answers
    effects: Callable[[Floats], Array]
    fitted: str

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The same columns as the ensemble's."""
        logit = self.effects(self.encoder.encode(rows)).sum(axis=1)
        # As far from 0 and 1 as the ensemble stays.
        probability = np.clip(1 / (1 + np.exp(-np.clip(logit, -30, 30))), EDGE, 1 - EDGE)
        return self.answers.frame(probability, rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers` of each row."""
        why = explanation.drivers(self.effects(self.encoder.encode(rows))[:, :-1], self.encoder.origins)
        return pd.DataFrame({"top_drivers": pd.Series(why, rows.index, dtype=object)}, index=rows.index)

    def save(self, folder: Path) -> None:
        """The encoding and what was fitted, as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "baseline.json").write_text(json.dumps({"encoder": self.encoder.to_dict(), "fitted": self.fitted}))


def one_feature(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> Baseline:
    """Days since the last purchase alone; where nothing is bought (subscriptions), the one column that tells most.

    Answers bend with the feature as the logistic member's do, so that it is beaten by more than a straight line is.
    """
    from sklearn.metrics import roc_auc_score

    frame, churned = _both(train, valid)
    told = RECENCY in frame and frame[RECENCY].notna().any()
    varied = [name for name in Encoder.fit(frame).columns if frame[name].nunique() > 1]
    names = [RECENCY] if told else varied
    fits = [_logistic(frame[[name]], churned, params) for name in names]
    scores = [roc_auc_score(churned, fit.predict(frame)["churn_probability"]) for fit in fits]
    return fits[int(np.argmax(scores))]


def logistic_regression(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> Baseline:
    """On standardized numbers and one column a category, missing numbers at their median."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame, churned = _both(train, valid)
    encoder = Encoder.fit(frame)
    scale = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    model = LogisticRegression(max_iter=2000).fit(scale.fit_transform(encoder.encode(frame)), churned)

    def effects(x: Floats) -> Array:
        return _with_intercept(scale.transform(x) * model.coef_[0], model.intercept_[0])

    return Baseline(encoder, _answers(params), effects, json.dumps(model.coef_[0].tolist()))


def lightgbm(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> Baseline:
    """Shallow gradient boosting, stopped when `valid` no longer gains."""
    import lightgbm as library

    (rows, churned), (held, truth) = _one(train), _one(valid)
    encoder = Encoder.fit(rows)
    settings = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.03, "min_data_in_leaf": 20}
    fixed = {"seed": params.seed, "deterministic": True, "num_threads": 1, "verbosity": -1}
    learnt = library.Dataset(encoder.encode(rows), churned)
    stop = library.early_stopping(50, verbose=False)
    booster = library.train(
        settings | fixed, learnt, 500, [learnt.create_valid(encoder.encode(held), truth)], callbacks=[stop]
    )

    def effects(x: Floats) -> Array:
        return np.asarray(booster.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)

    return Baseline(encoder, _answers(params), effects, booster.model_to_string())


def _logistic(rows: pd.DataFrame, churned: npt.NDArray[np.float64], params: ChurnParams) -> Baseline:
    from sklearn.linear_model import LogisticRegression

    encoder = Encoder.fit(rows)
    x = encoder.encode(rows)
    basis = Basis.fit(x)
    model = LogisticRegression(max_iter=1000).fit(basis.expand(x), churned)
    owners = np.append(basis.column, basis.gaps)

    def effects(x: Floats) -> Array:
        moved = np.zeros((x.shape[1], len(x)))
        np.add.at(moved, owners, (basis.expand(x) * model.coef_[0]).T)
        return _with_intercept(moved.T, model.intercept_[0])

    return Baseline(encoder, _answers(params), effects, json.dumps(model.coef_[0].tolist()))


def _with_intercept(moved: Array, intercept: float) -> Array:
    return np.column_stack([moved, np.full(len(moved), intercept)])


def _answers(params: ChurnParams) -> Answers:
    return Answers(params.window.horizon_days, params.bands)


def _one(frame: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    return frame[feature_columns(frame, ENTITY, (LABEL,))], frame[LABEL].to_numpy(dtype=np.float64)


def _both(train: pd.DataFrame, valid: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    return _one(pd.concat([train, valid], ignore_index=True))
