"""The population stability index."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Bins of equal mass in the reference.
BINS = 10


def psi(reference: Array, window: Array, categorical: bool, missing: float | None = None) -> float:
    """Population stability index: the symmetrised relative entropy of two binned distributions.

    Numbers are binned by the reference's quantiles; frequent values and the code of `missing` have their own bins. Half
    a row is added to each bin, so that empty ones do not make the index infinite.
    """
    values, counts = np.unique(reference, return_counts=True)
    if categorical:
        alone = np.unique(np.concatenate([values, window]))
    else:
        alone = values[counts >= len(reference) / (2 * BINS)]
        alone = alone if missing is None else np.union1d(alone, [missing])
    others = reference[~np.isin(reference, alone)]
    parts = int(np.ceil(BINS * len(others) / len(reference)))
    edges = np.unique(np.quantile(others, np.linspace(0, 1, parts + 1)[1:-1])) if len(others) else np.array([])
    counted = np.array([_counts(rows, alone, edges) for rows in (reference, window)])
    smoothed = counted[:, counted.any(axis=0)] + 0.5
    expected, found = smoothed / smoothed.sum(axis=1, keepdims=True)
    return float(np.sum((found - expected) * np.log(found / expected)))


def _counts(rows: Array, alone: Array, edges: Array) -> npt.NDArray[np.intp]:
    """Rows per bin: one bin per frequent value, then one between each two edges."""
    bins = len(alone) + np.searchsorted(edges, rows)
    if len(alone):
        places = np.minimum(np.searchsorted(alone, rows), len(alone) - 1)
        bins = np.where(alone[places] == rows, places, bins)
    return np.bincount(bins, minlength=len(alone) + len(edges) + 1)
