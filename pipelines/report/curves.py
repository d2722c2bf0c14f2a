"""Summary curves of held-out rows for plots and texts.

Frames have one row per customer or creative with `truth` and `predicted`, and optionally `naive`, `low` and `high`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def is_chance(rows: pd.DataFrame) -> bool:
    """Whether the truth is binary, so that predictions are probabilities and not amounts."""
    return bool(rows["truth"].isin([0, 1]).all())


def gain(rows: pd.DataFrame, by: str) -> tuple[Array, Array]:
    """Cumulative gain: share of rows from the top of the ranking `by`, and share of the truth among them.

    Tied rows count with the mean of their tie, so that their order has no effect.
    """
    ranked = rows.groupby(by)["truth"].agg(["sum", "size"]).sort_index(ascending=False)
    total = ranked["sum"].sum()
    found = ranked["sum"].cumsum() / total if total else ranked["size"].cumsum() / ranked["size"].sum()
    taken = ranked["size"].cumsum() / ranked["size"].sum()
    return np.r_[0.0, taken.to_numpy()], np.r_[0.0, found.to_numpy()]


def captured(rows: pd.DataFrame, share: float, by: str = "predicted") -> float:
    """Share of the truth in the best `share` of rows by the ranking `by`."""
    return float(np.interp(share, *gain(rows, by)))


@dataclass(frozen=True)
class Bins:
    """Bins of equally many rows, from the lowest predictions to the highest.

    `low` and `high` are the 95% interval of `actual` (Wilson for a rate, normal for a mean); `band_low` and
    `band_high` the mean prediction interval, where the model gives one.
    """

    predicted: Array
    actual: Array
    low: Array
    high: Array
    band_low: Array | None = None
    band_high: Array | None = None


def bins(rows: pd.DataFrame, count: int = 10) -> Bins:
    """Cut rows into `count` bins by predicted value; compare predictions with outcomes."""
    rank = rows["predicted"].rank(method="first")
    groups = rows.groupby(np.minimum(((rank - 1) * count // len(rows)).astype(int), count - 1))
    mean, size = groups.mean(), np.asarray(groups.size(), dtype=float)
    predicted, actual = np.asarray(mean["predicted"], dtype=float), np.asarray(mean["truth"], dtype=float)
    spread = np.asarray(groups["truth"].std(ddof=0), dtype=float)
    low, high = _wilson(actual, size) if is_chance(rows) else _normal(actual, spread, size)
    if not {"low", "high"} <= set(rows.columns):
        return Bins(predicted, actual, low, high)
    return Bins(predicted, actual, low, high, np.asarray(mean["low"]), np.asarray(mean["high"]))


def _wilson(rate: Array, size: Array, z: float = 1.96) -> tuple[Array, Array]:
    """Wilson's score interval (1927): stays inside [0, 1], and is valid for rare events."""
    middle = (rate + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(rate * (1 - rate) / size + z**2 / (4 * size**2))
    return middle - half, middle + half


def _normal(mean: Array, spread: Array, size: Array, z: float = 1.96) -> tuple[Array, Array]:
    half = z * spread / np.sqrt(size)
    return np.maximum(mean - half, 0.0), mean + half
