"""XGBoost with capacity chosen on held-out rows: the member for interactions."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.churn import conversion
from models.churn.members import Boosted, Learn, Member
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats

#: Few interactions among much noise, or many that are there: what is learnt from decides.
CAPACITIES: tuple[dict[str, float], ...] = (
    {"max_depth": 3, "eta": 0.03, "min_child_weight": 20, "subsample": 0.7, "colsample_bytree": 0.4, "reg_lambda": 5.0},
    {"max_depth": 6, "eta": 0.06, "min_child_weight": 3, "subsample": 0.8, "colsample_bytree": 0.8, "reg_lambda": 2.0},
)
#: Rounds without a gain on held-out rows after which learning stops.
PATIENCE = 50


@dataclass(frozen=True)
class Capacity:
    """XGBoost's settings and number of rounds."""

    settings: Mapping[str, float]
    rounds: int

    @classmethod
    def chosen(cls, x: Floats, churned: Floats, held: npt.NDArray[np.bool_], params: ChurnParams) -> Self:
        """The entry of `CAPACITIES` with the lowest log-loss on the `held` rows, with early stopping.

        A member trained on all rows uses the same number of rounds.
        """
        tried = [_stopped(settings, x, churned, held, params) for settings in CAPACITIES]
        settings, booster = min(zip(CAPACITIES, tried, strict=True), key=lambda pair: float(pair[1].best_score))
        return cls(settings, booster.best_iteration + 1)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    def learner(self) -> Learn:
        """Boosting of this capacity."""

        def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
            from models.lean_xgboost import xgboost

            settings = _settings(self.settings, seed)
            booster = xgboost.train(settings, xgboost.DMatrix(x, churned), self.rounds)
            return Member.of(conversion.of_xgboost(booster), Boosted("xgboost", bytes(booster.save_raw("json"))))

        return fit


def _stopped(
    settings: Mapping[str, float], x: Floats, churned: Floats, held: npt.NDArray[np.bool_], params: ChurnParams
) -> Any:
    from models.lean_xgboost import xgboost

    learnt, watched = (xgboost.DMatrix(x[rows], churned[rows]) for rows in (~held, held))
    return xgboost.train(
        _settings(settings, params.seed),
        learnt,
        params.rounds,
        evals=[(watched, "held")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )


def _settings(settings: Mapping[str, float], seed: int) -> dict[str, Any]:
    return {"objective": "binary:logistic", "max_bin": 64, "nthread": 1, "seed": seed, **settings}
