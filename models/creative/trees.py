"""Trains the forests and boosted trees: each on one row per example, weighted by what was counted."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.creative.design import CreativeDesign
from models.creative.outputs import Array, Output
from models.creative.params import CreativeParams

if TYPE_CHECKING:
    import lightgbm

Told = npt.NDArray[np.bool_]
#: Rounds without a better loss on the later examples after which boosting stops.
PATIENCE = 15
#: Events that a leaf needs.
LEAF = 15.0


def forest(output: Output, design: CreativeDesign, frame: pd.DataFrame, params: CreativeParams) -> "lightgbm.Booster":
    """A random forest (Breiman, 2001) of the ratio of events to those expected at the start, weighted by the latter."""
    from models.lean_lightgbm import lightgbm

    told, expected, events = _expected(output, design, frame)
    data = lightgbm.Dataset(design.matrix[told], events / expected, weight=expected)
    # With constant hessians a leaf's weight is the sum of its rows' weights: events that are expected.
    given = {"objective": "regression", "boosting": "rf", "num_leaves": 31, "bagging_freq": 1, "bagging_fraction": 0.6}
    more = {"feature_fraction": 0.4, "lambda_l2": 10.0, **_common(params, _leaf(expected))}
    return lightgbm.train({**given, **more}, data, params.trees)


def boosting(
    output: Output,
    design: CreativeDesign,
    frame: pd.DataFrame,
    params: CreativeParams,
    later: tuple[CreativeDesign, pd.DataFrame] | None,
    rounds: int,
) -> "lightgbm.Booster":
    """Boosted trees that begin where the output starts; with `later` examples, as many as these gain from."""
    from models.lean_lightgbm import lightgbm

    data = _dataset(output, design, frame)
    objective = "cross_entropy" if output.rate else "gamma"
    given = {
        "objective": objective,
        "num_leaves": 12,
        "learning_rate": 0.06,
        "bagging_freq": 1,
        "bagging_fraction": 0.7,
    }
    _, expected, _ = _expected(output, design, frame)
    more = {"feature_fraction": 0.6, "lambda_l2": 20.0, **_common(params, _leaf(expected))}
    more |= {"boost_from_average": False}
    stop: list[Any] = []
    valid: list[Any] = []
    if later is not None:
        valid = [_dataset(output, *later, reference=data)]
        stop = [lightgbm.early_stopping(PATIENCE, verbose=False)]
    return lightgbm.train({**given, **more}, data, rounds, valid_sets=valid, callbacks=stop)


def _dataset(output: Output, design: CreativeDesign, frame: pd.DataFrame, reference: Any = None) -> "lightgbm.Dataset":
    from models.lean_lightgbm import lightgbm

    told = output.told(frame)
    label, trials = frame[output.name].to_numpy(dtype=np.float64)[told], frame[output.trials].to_numpy()[told]
    label = np.clip(label, 0, 1) if output.rate else np.maximum(label, 1e-9)
    start = design.start[output.name][told]
    return lightgbm.Dataset(design.matrix[told], label, weight=trials, init_score=start, reference=reference)


def _expected(output: Output, design: CreativeDesign, frame: pd.DataFrame) -> tuple[Told, Array, Array]:
    """The examples that tell the output, with expected and counted events; of a price, clicks and its ratio in them."""
    told = output.told(frame)
    events, trials = output.counts(frame)
    start = output.unlink(design.start[output.name])
    if not output.rate:
        return told, trials[told], (events / start)[told]
    return told, (trials * start)[told], events[told]


def _leaf(expected: Array) -> float:
    """Events that a leaf needs: fewer where there are few in all."""
    return float(min(LEAF, expected.sum() / 20))


def _common(params: CreativeParams, leaf: float) -> dict[str, Any]:
    return {
        "min_sum_hessian_in_leaf": leaf,
        "min_data_in_leaf": 5,
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": int(os.environ.get("OMP_NUM_THREADS", "0")),
        "verbose": -1,
    }
