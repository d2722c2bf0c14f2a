"""How far predictions may be off: the strength of a rate as a Beta prior, and the spread of a price.

A creative's rate, over all its contexts, is taken to be Beta(p s, (1 - p) s) distributed around its prediction p. The
events that the prior counts for, k = p s, are few where the predictor has proved to err, and more with the events that
the creative's own history rests on. They are fitted by the beta-binomial likelihood of examples held out.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from models.creative.outputs import EDGE, Array, Output

#: Before anything is known: 20 events (rates vary by 22%), half of the history's, and at most 400.
START = np.log([20.0, 0.5, 400.0])
#: How far examples have to speak against `START`, as standard deviations of its logarithms.
SPREAD = np.array([1.5, 1.0, 1.5])
#: Name of the precision of click rates beside others of the campaign, whose common error cancels.
WITHIN = "within"
#: Limits of the strength in events.
LEAST, MOST = 0.5, 10_000.0


@dataclass(frozen=True)
class Precision:
    """Events that a prediction counts for: `base` without history, plus `share` of those in it, at most `most`."""

    base: float
    share: float
    most: float

    def events(self, exposure: Array) -> Array:
        """k of each row, by the events expected of its history."""
        grown = self.base + self.share * exposure
        return np.asarray(np.clip(1 / (1 / grown + 1 / self.most), LEAST, MOST))

    @classmethod
    def fit(cls, rate: Array, exposure: Array, events: Array, trials: Array) -> Self:
        """Maximum likelihood, of one row per creative."""
        from scipy.optimize import minimize
        from scipy.special import betaln

        def loss(values: Array) -> float:
            k = cls(*np.exp(values)).events(exposure)
            first, second = k, np.maximum(k / rate - k, EDGE)
            told = betaln(events + first, trials - events + second) - betaln(first, second)
            return float(-told.sum() + np.sum(((values - START) / SPREAD) ** 2) / 2)

        return cls(*_read(minimize(loss, START, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01}).x))


@dataclass(frozen=True)
class Spread:
    """Variance of a price's logarithm: of the prediction, and of a single click's price."""

    own: float
    click: float

    @classmethod
    def fit(cls, price: Array, paid: Array, clicks: Array) -> Self:
        """Maximum likelihood of log-normal mean prices over so many clicks, of one row per creative."""
        from scipy.optimize import minimize

        error = np.log(np.maximum(paid / clicks, EDGE)) - np.log(price)

        def loss(values: Array) -> float:
            variance = np.exp(values[0]) + np.exp(values[1]) / clicks
            return float(np.sum(np.log(variance) + error**2 / variance) / 2 + np.sum((values - start) ** 2) / 8)

        start = np.log([0.05, 0.3])
        return cls(*_read(minimize(loss, start, method="Nelder-Mead").x))


def _read(logarithms: Array) -> list[float]:
    return [float(one) for one in np.exp(logarithms)]


def gamma_quantile(mean: Array, events: Array, z: float) -> Array:
    """Quantile, at the normal score `z`, of a rate around `mean` with the strength of so many events: as of a gamma
    distribution, which is the Beta's for small rates, by Wilson and Hilferty (1931)."""
    cubed = np.maximum(1 - 1 / (9 * events) + z / (3 * np.sqrt(events)), 0) ** 3
    return np.asarray(np.clip(mean * cubed, 0, 1))


def by_creative(output: Output, frame: pd.DataFrame, linked: Array, exposure: Array) -> pd.DataFrame:
    """Examples that tell an output, added up by window, campaign and creative.

    Returns:
        window, campaign, creative; `rate` (or price) and `exposure`, means by trials; `events` and `trials`.
    """
    told = output.told(frame)
    rows = frame[told]
    events, trials = output.counts(rows)
    made = pd.DataFrame(
        {
            "window": rows["event_timestamp"].to_numpy(),
            "campaign": rows["of_campaign"].to_numpy(),
            "creative": rows["of_creative"].to_numpy(),
            "rate": output.unlink(linked[told]) * trials,
            "exposure": exposure[told] * trials,
            "events": events,
            "trials": trials,
        }
    )
    counted = ["rate", "exposure", "events", "trials"]
    by = made.groupby(["window", "campaign", "creative"], as_index=False)[counted].sum()
    by[["rate", "exposure"]] = by[["rate", "exposure"]].div(by["trials"], axis=0)
    return by


def within_campaigns(by: pd.DataFrame) -> Array:
    """The rates at each campaign's actual level: what is left is how far creatives are off beside each other."""
    place = by.groupby(["window", "campaign"]).ngroup().to_numpy()
    expected = np.bincount(place, by["rate"] * by["trials"])
    actual = np.bincount(place, by["events"])
    # A level of few events is not told by them alone.
    ratio = (actual + 1) / (expected + 1)
    return np.asarray(np.clip(by["rate"] * ratio[place], EDGE, 1 - EDGE))
