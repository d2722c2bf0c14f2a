"""The one interface drift detectors answer to, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from serving.monitoring.coding import Coding, Matrix

Array = npt.NDArray[np.float64]
#: Bins of equal mass in the reference, for the population stability index.
BINS = 10


@dataclass(frozen=True)
class Drift:
    """One column: the two-sample test's statistic (Kolmogorov-Smirnov's for numbers, chi-square for categories), its
    p-value, how large the shift is (population stability index), and whether it is both sure and large enough.
    """

    statistic: float
    p_value: float
    psi: float
    drifted: bool


class TwoSample(Protocol):
    """A set of two-sample tests, fitted on the coded reference."""

    def __call__(self, window: Matrix) -> tuple[Array, Array]:
        """The statistic and the p-value of each column of `window` against the reference."""


class MakeTwoSample(Protocol):
    def __call__(self, reference: Matrix, categorical: tuple[int, ...]) -> TwoSample: ...


class Detector:
    """Compares windows of live rows with the reference a model was shipped with.

    `threshold` is the chance that a window of unmoved rows is called drifted in any column: it is shared out over the
    columns (Bonferroni).
    """

    def __init__(self, reference: pd.DataFrame, make: MakeTwoSample, threshold: float, min_psi: float) -> None:
        self.coding = Coding.of(reference)
        self.reference = self.coding.encode(reference)
        self.test = make(self.reference, self.coding.categorical)
        self.threshold, self.min_psi = threshold, min_psi

    def detect(self, window: pd.DataFrame) -> Mapping[str, Drift]:
        """What each column of the reference did in `window`."""
        rows = self.coding.encode(window)
        statistics, p_values = self.test(rows)
        sure = p_values < self.threshold / len(self.coding.columns)
        drifts = {}
        for place, name in enumerate(self.coding.columns):
            shift = psi(self.reference[:, place], rows[:, place], place in self.coding.categorical)
            drifted = bool(sure[place]) and shift >= self.min_psi
            drifts[name] = Drift(float(statistics[place]), float(p_values[place]), shift, drifted)
        return drifts


def detector(kind: Literal["alibi", "scipy"], reference: pd.DataFrame, threshold: float, min_psi: float) -> Detector:
    """The set of detectors that the setting names, fitted on `reference`."""
    if kind == "alibi":
        from serving.monitoring.alibi import two_sample
    else:
        from serving.monitoring.permissive import two_sample
    return Detector(reference, two_sample, threshold, min_psi)


def psi(reference: Array, window: Array, categorical: bool) -> float:
    """Population stability index: the symmetrised relative entropy of two binned distributions.

    Numbers are binned by the reference's deciles, ties falling into one bin; half a row is added to each bin, so that
    an empty one does not make the index infinite.
    """
    if categorical:
        edges = np.unique(np.concatenate([reference, window]))[:-1]
    else:
        edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    expected, found = (_shares(np.searchsorted(edges, values), len(edges) + 1) for values in (reference, window))
    return float(np.sum((found - expected) * np.log(found / expected)))


def _shares(bins: npt.NDArray[np.intp], count: int) -> Array:
    rows = np.bincount(bins, minlength=count) + 0.5
    return np.asarray(rows / rows.sum(), dtype=float)
