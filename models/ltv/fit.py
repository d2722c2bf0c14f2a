"""Trains the LTV model, which corrects buy-till-you-die estimates, in two passes.

The tuning pass trains on `train` only; its answers on `valid`, a later time, give the number of trees and the
intervals. The final pass trains on both. For horizons beyond those of the examples, part of the estimate is past spend,
and the intervals come from consecutive windows of history. Each booster is saved in the checkpoint folder once
finished, so that a killed run resumes with the next.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from models.ltv.boosting import Checkpoint, booster_data, grow, tune
from models.ltv.btyd import Array
from models.ltv.histories import BuyTillYouDie, Histories
from models.ltv.horizon_extrapolation import HorizonExtrapolation, chained, drift, pairs, weight
from models.ltv.intervals import Intervals, level
from models.ltv.model import Boosters, Design, Inputs, ValueModel
from models.ltv.params import LtvParams
from models.ltv.plain import Plain, per_day
from models.tabular import Encoder, feature_columns

if TYPE_CHECKING:
    import lightgbm

ENTITY = "customer_id"
#: What came of an example, and over how many days that was added up.
LABEL = ("value", "horizon_days")


@dataclass(frozen=True)
class Pass:
    """The models of one pass."""

    inputs: Inputs
    hurdle: Boosters
    plain: Plain

    @classmethod
    def of(cls, inputs: Inputs, design: Design, boosters: "dict[str, lightgbm.Booster]") -> Self:
        """From finished boosters by name, and what they were learnt from."""
        plain = Plain(boosters["plain"], most=float(per_day(boosters["plain"], design.encoded).max()))
        return cls(inputs, Boosters(boosters["occurrence"], boosters["amount"]), plain)

    def foresee(self, rows: pd.DataFrame, horizon: Array) -> tuple[Array, Array]:
        """What the hurdle model and what past spend say of so many days."""
        design = self.inputs.design(rows, horizon)
        buys, amount = self.hurdle.answer(design)
        return buys * amount, design.past

    def levelled(self, rows: pd.DataFrame, horizon: Array, extrapolation: HorizonExtrapolation) -> tuple[Plain, Array]:
        """The plain half at the level of these rows, and their values."""
        own, encoded = extrapolation.value(*self.foresee(rows, horizon)), self.inputs.encoder.encode(rows)
        plain = self.plain.levelled(encoded, horizon, own)
        return plain, plain.combined(encoded, horizon, own)


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> ValueModel:
    """A value model for the horizon of `params.window`, from examples over `horizon_days` each."""
    kept, everything = Checkpoint.of(checkpoint, train, valid, params), pd.concat([train, valid], ignore_index=True)
    encoder = Encoder.fit(train[feature_columns(train, ENTITY, LABEL)])

    inputs = Inputs(encoder, newest(train))
    design, later = inputs.design(train, days(train)), inputs.design(valid, days(valid))
    first, held_out = booster_data(design, spend(train), days(train)), booster_data(later, spend(valid), days(valid))
    tuned = kept.boosters("tuning", {name: partial(tune, first[name], held_out[name], params) for name in first})
    tuning = Pass.of(inputs, design, tuned)

    inputs = Inputs(encoder, newest(valid))
    design = inputs.design(everything, days(everything))
    second = booster_data(design, spend(everything), days(everything))
    grown = {name: partial(grow, second[name], tuned[name].num_trees(), params) for name in second}
    final = Pass.of(inputs, design, kept.boosters("final", grown))
    prior = (float(design.buys.mean()), float(design.amount.mean()))

    horizon = params.window.horizon_days
    extrapolation = _extrapolation(train, valid, horizon, tuning, final)
    plain, values = final.levelled(valid, np.full(len(valid), float(horizon)), extrapolation)
    intervals = _intervals(everything, valid, values, params, tuning)
    return ValueModel(inputs, final.hurdle, intervals, horizon, prior, extrapolation, plain)


def _extrapolation(
    train: pd.DataFrame, valid: pd.DataFrame, horizon: int, tuning: Pass, final: Pass
) -> HorizonExtrapolation:
    """The extrapolation, scaled by how far the horizon exceeds that of the examples."""
    beyond = 1 - float(days(valid).max()) / horizon
    if beyond <= 0:
        return HorizonExtrapolation()
    far = pairs(train, valid, ENTITY)
    if far.empty:
        return HorizonExtrapolation()
    believed = weight(*tuning.foresee(far, days(far)), spend(far))
    return HorizonExtrapolation.over(beyond * believed, *final.foresee(valid, np.full(len(valid), float(horizon))))


def _intervals(
    everything: pd.DataFrame, valid: pd.DataFrame, values: Array, params: LtvParams, tuning: Pass
) -> Intervals:
    """From the later examples or, where the horizon is longer, from windows that follow each other up to these.

    `values`: what the later customers are worth over the horizon. The final pass has learnt the level of the time that
    errors are known of, as well as a level is known: spread is counted around it.
    """
    window, horizon = int(valid["horizon_days"].max()), params.window.horizon_days
    seen = chained(everything, horizon, ENTITY) if horizon > window else valid
    expected = tuning.levelled(seen, days(seen), HorizonExtrapolation())[1]
    found, error = level(expected, spend(seen))
    unsure = float(np.hypot(drift(_levels(everything, window, tuning), window), error))
    return Intervals.fit(found * expected, spend(seen), params.coverage, drift=unsure, newest=values)


def _levels(everything: pd.DataFrame, window: int, tuning: Pass) -> dict[pd.Timestamp, float]:
    """The level of each cutoff that is a window before or after another."""
    times, after = everything["event_timestamp"], pd.Timedelta(days=window)
    cutoffs = {pd.Timestamp(at) for at in times.unique()}
    found = {}
    for at in sorted(cutoffs):
        if at + after in cutoffs or at - after in cutoffs:
            rows = everything[times == at]
            found[at], _ = level(tuning.levelled(rows, days(rows), HorizonExtrapolation())[1], spend(rows))
    return found


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
