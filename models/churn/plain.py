"""The field's plain models, with their libraries' defaults: each is a baseline and a candidate of the ensemble."""

from pathlib import Path
from typing import Any

from models.churn import conversion, graphs
from models.churn.members import Boosted, Learn, Member
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats

#: Inverse L2 penalties that `shrunk_regression` chooses from.
STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def logistic_regression(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """On standardized numbers, missing ones at their median: scikit-learn's."""
    from sklearn.linear_model import LogisticRegression

    return _linear(LogisticRegression(max_iter=2000), x, churned)


def shrunk_regression(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """The same, its L2 penalty chosen in folds by log-loss: where rows are few or columns tell little."""
    from sklearn.linear_model import LogisticRegressionCV

    model = LogisticRegressionCV(Cs=STRENGTHS, cv=params.folds, scoring="neg_log_loss", max_iter=2000)
    return _linear(model, x, churned)


def _linear(model: Any, x: Floats, churned: Floats) -> Member:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    scale = StandardScaler()
    model.fit(scale.fit_transform(fill.fit_transform(x)), churned)
    return Member.of(graphs.linear(fill.statistics_, scale.mean_, scale.scale_, model.coef_[0], model.intercept_[0]))


def random_forest(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """A hundred trees of any depth: scikit-learn's."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(random_state=seed, n_jobs=-1).fit(conversion.filled(x), churned)
    return Member.of(conversion.of_forest(model, x.shape[1]))


def xgboost(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """A hundred rounds, six deep."""
    from models.lean_xgboost import xgboost as library

    settings = {"objective": "binary:logistic", "nthread": 1, "seed": seed}
    booster = library.train(settings, library.DMatrix(x, churned), 100)
    return Member.of(conversion.of_xgboost(booster), Boosted("xgboost", bytes(booster.save_raw("json"))))


def lightgbm(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """A hundred rounds of 31 leaves."""
    from models.lean_lightgbm import lightgbm as library

    settings = {"objective": "binary", "deterministic": True, "num_threads": 1, "verbosity": -1, "seed": seed}
    booster = library.train(settings, library.Dataset(x, churned), 100)
    return Member.of(conversion.of_lightgbm(booster), Boosted("lightgbm", booster.model_to_string().encode()))


PLAIN: dict[str, Learn] = {
    "logistic_regression": logistic_regression,
    "random_forest": random_forest,
    "xgboost": xgboost,
    "lightgbm": lightgbm,
}
