"""Learning to correct buy-till-you-die: once to tune and to know the errors, then again with the newest examples in.

The tuning pass learns from `train` alone; the number of trees and the intervals come from its answers on `valid`,
a later time that it has not seen. The final pass learns from both. Where the horizon is longer than they look ahead,
what lies beyond is left in part to past spend. Each booster is kept in the checkpoint folder as soon as it is finished,
so a run that was killed goes on with the next.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from models.ltv.boosting import Checkpoint, grow, lessons, tune
from models.ltv.btyd import Array
from models.ltv.histories import BuyTillYouDie, Histories
from models.ltv.intervals import Intervals
from models.ltv.leap import Leap, pairs, weight
from models.ltv.model import Boosters, Inputs, ValueModel
from models.ltv.params import LtvParams
from models.tabular import Encoder, feature_columns

ENTITY = "customer_id"
#: What came of an example, and over how many days that was added up.
LABEL = ("value", "horizon_days")
#: Of rows and the days to look ahead: what the boosters and what past spend says.
Foresee = Callable[[pd.DataFrame, Array], tuple[Array, Array]]


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> ValueModel:
    """A value model for the horizon of `params.window`, learnt from examples over `horizon_days` each."""
    kept = Checkpoint.of(checkpoint, train, valid, params)
    encoder = Encoder.fit(train[feature_columns(train, ENTITY, LABEL)])

    tuning = Inputs(encoder, newest(train))
    design, later = tuning.design(train, days(train)), tuning.design(valid, days(valid))
    first, held_out = lessons(design, spend(train)), lessons(later, spend(valid))
    tuned = kept.boosters("tuning", {name: partial(tune, first[name], held_out[name], params) for name in first})
    buys, amount = tuned.answer(later)
    intervals = Intervals.fit(buys, buys * amount, spend(valid), params.coverage)

    final, everything = Inputs(encoder, newest(valid)), pd.concat([train, valid], ignore_index=True)
    design = final.design(everything, days(everything))
    trees = {"occurrence": tuned.occurrence.num_trees(), "amount": tuned.amount.num_trees()}
    second = lessons(design, spend(everything))
    boosters = kept.boosters("final", {name: partial(grow, second[name], trees[name], params) for name in second})
    prior = (float(design.buys.mean()), float(design.amount.mean()))

    horizon = params.window.horizon_days
    leap = _leap(train, valid, horizon, partial(_foreseen, tuning, tuned), partial(_foreseen, final, boosters))
    return ValueModel(final, boosters, intervals, horizon, prior, leap)


def _leap(train: pd.DataFrame, valid: pd.DataFrame, horizon: int, tuned: Foresee, final: Foresee) -> Leap:
    """As much of what was learnt about leaps as the horizon reaches beyond the examples."""
    beyond = 1 - float(days(valid).max()) / horizon
    if beyond <= 0:
        return Leap()
    far = pairs(train, valid, ENTITY)
    if far.empty:
        return Leap()
    believed = weight(*tuned(far, days(far)), spend(far))
    return Leap.over(beyond * believed, *final(valid, np.full(len(valid), float(horizon))))


def _foreseen(inputs: Inputs, boosters: Boosters, rows: pd.DataFrame, horizon: Array) -> tuple[Array, Array]:
    design = inputs.design(rows, horizon)
    buys, amount = boosters.answer(design)
    return buys * amount, design.past


def newest(frame: pd.DataFrame, repeats_only: bool = False) -> BuyTillYouDie:
    """Buy-till-you-die as of the latest cutoff of a frame, when most of each history is known."""
    latest = frame["event_timestamp"] == frame["event_timestamp"].max()
    return BuyTillYouDie.fit(Histories.of(frame[latest]), repeats_only)


def days(frame: pd.DataFrame) -> Array:
    """Over how many days each example's label was added up."""
    return frame["horizon_days"].to_numpy(dtype=np.float64)


def spend(frame: pd.DataFrame) -> Array:
    """Each example's label; returns beyond purchases count as nothing bought."""
    return np.asarray(np.maximum(frame["value"].to_numpy(dtype=np.float64), 0.0))
