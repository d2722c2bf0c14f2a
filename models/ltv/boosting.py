"""LightGBM boosters: the two of the hurdle model start from the buy-till-you-die estimate, the plain one from the mean.

Each is saved once finished.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.ltv.btyd import Array
from models.ltv.model import Design
from models.ltv.params import LtvParams
from models.tabular import Matrix

if TYPE_CHECKING:
    import lightgbm

#: Trains one booster.
Make = Callable[[], "lightgbm.Booster"]
#: Rounds without a better loss on the later examples after which a booster has enough trees.
PATIENCE = 50


@dataclass(frozen=True)
class BoosterData:
    """Training data of one booster: `label`, and `prior`, the initial raw score (default: the mean)."""

    objective: str
    matrix: Matrix
    label: Array
    prior: Array | None = None

    def dataset(self) -> "lightgbm.Dataset":
        """As LightGBM takes it."""
        from models.lean_lightgbm import lightgbm

        return lightgbm.Dataset(self.matrix, self.label, init_score=self.prior)


def booster_data(design: Design, value: Array, days: Array) -> dict[str, BoosterData]:
    """Training data by booster: purchase (all customers), amount (buyers only), and spend per day (all customers).

    Negative totals count as no purchase.
    """
    bought = value > 0
    if not bought.any():
        raise ValueError("label 'value': expected at least one customer who bought, got none")
    return {
        "occurrence": BoosterData("cross_entropy", design.matrix, bought.astype(np.float64), design.buys),
        "amount": BoosterData("gamma", design.matrix[bought], value[bought], design.amount[bought]),
        "plain": plain_booster_data(design.encoded, value, days),
    }


def plain_booster_data(encoded: Matrix, value: Array, days: Array) -> BoosterData:
    """Training data of spend per day, from the features alone."""
    return BoosterData("tweedie", encoded, value / days)


@dataclass(frozen=True)
class Checkpoint:
    """Finished boosters in a folder named by a hash of their inputs, so that a killed run resumes."""

    folder: Path
    inputs: str

    @classmethod
    def of(cls, folder: Path, train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams) -> "Checkpoint":
        """The checkpoint of these frames and parameters."""
        digest = hashlib.sha256(params.model_dump_json().encode())
        for frame in (train, valid):
            digest.update("\n".join(frame.columns).encode())
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return cls(folder, digest.hexdigest()[:16])

    def boosters(self, stage: str, made: Mapping[str, Make]) -> "dict[str, lightgbm.Booster]":
        """The boosters of a stage: loaded, or trained by `made[name]()` and saved."""
        return {name: self._booster(f"{self.inputs}-{stage}-{name}.txt", make) for name, make in made.items()}

    def _booster(self, name: str, make: Make) -> "lightgbm.Booster":
        from models.lean_lightgbm import lightgbm

        path = self.folder / name
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(f".{os.getpid()}")
            make().save_model(aside)
            aside.replace(path)
        # Read back even when just made: resumed or not, the model is the same to the bit.
        return lightgbm.Booster(model_file=path)


def tune(data: BoosterData, later: BoosterData, params: LtvParams) -> "lightgbm.Booster":
    """Train with early stopping on `later`."""
    from models.lean_lightgbm import lightgbm

    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return lightgbm.train(_settings(data, params), data.dataset(), params.trees, [later.dataset()], callbacks=[stop])


def grow(data: BoosterData, trees: int, params: LtvParams) -> "lightgbm.Booster":
    """Train a fixed number of trees."""
    from models.lean_lightgbm import lightgbm

    return lightgbm.train(_settings(data, params), data.dataset(), trees)


def _settings(data: BoosterData, params: LtvParams) -> dict[str, Any]:
    return {
        "objective": data.objective,
        # Where a prior is the start, an average on top of it would be learnt from one season and kept for all.
        "boost_from_average": data.prior is None,
        "learning_rate": params.learning_rate,
        "num_leaves": params.leaves,
        "min_data_in_leaf": params.leaf_rows,
        "lambda_l2": 10.0,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
