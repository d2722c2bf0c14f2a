"""Credit of channels by three rules, with intervals over groups of customers.

Last touch gives an order to the last channel before it. Shapley gives it evenly to all channels of its journey: that is
the Shapley value of the game in which channels are worth the orders whose journeys need no other channel (Zhao,
Mahboobi and Bagheri, "Shapley value methods for attribution modeling in online advertising", 2018). Markov gives it by
removal effect. None of them knows what would have been bought anyway; a holdout does.
"""

from dataclasses import dataclass

import numpy as np

from models.evaluation.attribution.markov import removal
from models.evaluation.attribution.paths import PathSums
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import Array

SAMPLES = 500


@dataclass(frozen=True)
class ChannelCredit:
    """Value that a channel is credited with, by each rule, with 95% intervals."""

    channel: str
    last_touch: Interval
    shapley: Interval
    markov: Interval


def credit(sums: PathSums, seed: int) -> list[ChannelCredit]:
    """The credit of each channel, the largest by Shapley first."""
    rng = np.random.default_rng(seed)
    groups = len(sums.last)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), SAMPLES).astype(float)
    whole, drawn = _rules(sums.whole), _rules(sums.drawn(weights))
    found = [
        ChannelCredit(channel, *(_interval(whole[rule][0, at], drawn[rule][:, at]) for rule in whole))
        for at, channel in enumerate(sums.channels)
    ]
    return sorted(found, key=lambda one: -one.shapley.value)


def _rules(sums: PathSums) -> dict[str, Array]:
    """Credit by rule, of (samples, channels)."""
    return {
        "last_touch": sums.last,
        "shapley": sums.shared,
        "markov": removal(sums) * sums.last.sum(axis=1, keepdims=True),
    }


def _interval(value: float, drawn: Array) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
