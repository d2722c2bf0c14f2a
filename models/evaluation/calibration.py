"""Calibration curves, and the calibration error expected by chance."""

import numpy as np
import pandas as pd

from models.evaluation import metrics
from models.evaluation.metrics import Array

#: Draws of labels from a model's own probabilities.
DRAWS = 200


def curve(truth: Array, predicted: Array, bins: int = 10) -> pd.DataFrame:
    """Mean prediction and mean truth in bins of equal mass, lowest first: columns `predicted`, `actual`, `rows`.

    Equal predictions stay in one bin, so there may be fewer bins than asked for.
    """
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, predicted, side="right")
    rows = pd.DataFrame({"predicted": predicted, "actual": truth}).groupby(place)
    return rows.mean().assign(rows=rows.size()).reset_index(drop=True)


def noise(probability: Array, seed: int) -> float:
    """The expected calibration error of a perfectly calibrated model with these probabilities.

    With few rows it is far from 0, as the rate in a bin differs from its probability by chance.
    """
    rng = np.random.default_rng(seed)
    bins = metrics.equal_bins(probability)
    order = np.argsort(bins, kind="stable")  # once: each draw is added up bin by bin, next to each other
    starts, expected = np.flatnonzero(np.diff(bins[order], prepend=-1)), probability[order]
    drawn = (rng.random(len(probability)) < probability for _ in range(DRAWS))
    off = [np.abs(np.add.reduceat(labels[order] - expected, starts)).sum() for labels in drawn]
    return float(np.mean(off) / len(probability))
