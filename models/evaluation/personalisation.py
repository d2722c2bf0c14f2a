"""Whether a personal choice of the arm would beat one arm for everybody, from a finished randomised experiment.

A plain model of the outcome in each arm chooses for units that it was not fitted on (cross-fitting); the value of its
choices is estimated doubly robustly, beside that of the best arm for everybody on the same units (Dudík, Langford and
Li, 2011; Athey and Wager, "Policy Learning with Observational Data", 2021). That arm is picked by these very units,
which favours it a little: a gain is shown too rarely rather than too often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.evaluation import bootstrap
from models.evaluation.bootstrap import Interval
from models.evaluation.policy_value import DOUBLY_ROBUST, check

FOLDS = 5
#: Units of an arm, and of the rarer outcome in it, below which no model is fitted.
FEWEST = 100
#: Values of an attribute that are rarer than this share are one value.
RARE = 0.005


@dataclass(frozen=True)
class Personalisation:
    """Mean outcome a unit of a personal choice and of one arm for everybody, with 95% intervals.

    Attributes:
        arm: the best for everybody.
        gain: of the personal choice over it; `shown` if its interval is above 0.
        chosen: share of the units that each arm would be shown.
    """

    personal: Interval
    everybody: Interval
    gain: Interval
    arm: str
    chosen: dict[str, float]

    @property
    def shown(self) -> bool:
        return self.gain.low > 0

    def __str__(self) -> str:
        verdict = "a gain is shown" if self.shown else "no gain shown"
        return (
            f"{self.arm} for everybody {self.everybody.value:.4g}, a personal choice {self.personal.value:.4g}: "
            f"difference {self.gain.value:+.4f} ({self.gain.low:+.4f} to {self.gain.high:+.4f}), {verdict}"
        )


def personalisation(
    units: pd.DataFrame, arm: str, outcome: str, attributes: Sequence[str], seed: int
) -> Personalisation:
    """Compare a personal choice with one arm for everybody.

    Args:
        units: one row a randomised unit: the columns `arm`, `outcome` (0 or 1, or an amount), and `attributes`, known
            before the exposure: numbers or texts.

    Raises:
        ValueError: a column is missing, or an arm has too few units or outcomes; names it.
    """
    missing = [name for name in (arm, outcome, *attributes) if name not in units]
    if missing or not attributes:
        raise ValueError(f"attributes: expected columns of the units, got {missing or 'none'}; there are {list(units)}")
    units = units.reset_index(drop=True)
    arms, logged = np.unique(units[arm].astype(str), return_inverse=True)
    reward = units[outcome].to_numpy(dtype=float)
    binary = bool(np.isin(reward, (0, 1)).all())
    for at, name in enumerate(arms):
        mine = reward[logged == at]
        count = int(min(mine.sum(), len(mine) - mine.sum())) if binary else len(mine)
        if count < FEWEST:
            raise ValueError(f"arm '{name}': {count} units of the rarer outcome; at least {FEWEST} are needed")
    expected = _cross_fitted(units[list(attributes)], logged, reward, binary, seed)
    share = np.bincount(logged) / len(logged)
    best = int(np.argmax(np.bincount(logged, reward) / np.bincount(logged)))
    log = pd.DataFrame({"reward": reward, "propensity": share[logged]})
    choice = expected.argmax(axis=1)
    personal = _policy(choice, logged, expected)
    everybody = _policy(np.full_like(choice, best), logged, expected)
    check(log, personal)
    chosen = np.bincount(choice, minlength=len(arms)) / len(logged)
    return Personalisation(
        personal=bootstrap.interval(DOUBLY_ROBUST, log, personal, seed),
        everybody=bootstrap.interval(DOUBLY_ROBUST, log, everybody, seed),
        gain=bootstrap.gain(DOUBLY_ROBUST, log, personal, everybody, seed),
        arm=str(arms[best]),
        chosen=dict(zip(map(str, arms), map(float, chosen), strict=True)),
    )


def _policy(choice: Any, logged: Any, expected: Any) -> pd.DataFrame:
    rows = np.arange(len(logged))
    return pd.DataFrame(
        {
            "probability": (choice == logged).astype(float),
            "expected": expected[rows, choice],
            "expected_logged": expected[rows, logged],
        }
    )


def _cross_fitted(attributes: pd.DataFrame, logged: Any, reward: Any, binary: bool, seed: int) -> Any:
    """Expected outcome of (units, arms), each from the other folds."""
    fold = np.random.default_rng(seed).permutation(len(logged)) % FOLDS
    arms = logged.max() + 1
    expected = np.empty((len(logged), arms))
    for held in range(FOLDS):
        test, learn = fold == held, fold != held
        for arm in range(arms):
            mine = learn & (logged == arm)
            model = _model(attributes, binary).fit(attributes[mine], reward[mine])
            rows = attributes[test]
            expected[test, arm] = model.predict_proba(rows)[:, 1] if binary else model.predict(rows)
    return expected


def _model(attributes: pd.DataFrame, binary: bool) -> Any:
    """Logistic or ridge regression on standardised numbers and one-hot values."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in attributes if pd.api.types.is_numeric_dtype(attributes[name])]
    values = [name for name in attributes if name not in numbers]
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE), values),
    )
    return make_pipeline(encode, LogisticRegression(max_iter=1000) if binary else Ridge())
