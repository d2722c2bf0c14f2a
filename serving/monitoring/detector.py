"""The one interface drift detectors answer to, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.movement import Movement
from serving.monitoring.aspects import Aspect, aspects
from serving.monitoring.coding import Coding, Matrix

Array = npt.NDArray[np.float64]
#: Bins of equal mass in the reference, for the population stability index.
BINS = 10


@dataclass(frozen=True)
class Drift:
    """One column: the two-sample test's statistic (Kolmogorov-Smirnov's for numbers, chi-square for categories), its
    p-value, how large the shift is (population stability index), whether anything of it is both sure and large enough,
    and what in words, where it is not the distribution as a whole.

    Of a column that moves as time goes by, test and index tell of missing and impossible values only.
    """

    statistic: float
    p_value: float
    psi: float
    drifted: bool
    why: str = ""


class TwoSample(Protocol):
    """A set of two-sample tests, fitted on the coded reference."""

    def __call__(self, window: Matrix) -> tuple[Array, Array]:
        """The statistic and the p-value of each column of `window` against the reference."""


class MakeTwoSample(Protocol):
    def __call__(self, reference: Matrix, categorical: tuple[int, ...]) -> TwoSample: ...


class Detector:
    """Compares windows of live rows with the reference a model was shipped with.

    Each column is looked at as a whole, by a two-sample test, and for what such a test does not see (`aspects`); what
    is too small to matter does not count. `threshold` is the chance that a window of unmoved rows is called drifted in
    any column: it is shared out over the aspects of a column (Bonferroni) and over the columns by Holm's step-down
    procedure ("A simple sequentially rejective multiple test procedure", 1979). A quarter of daily looks has ninety
    times that chance of a false alarm, at most.
    """

    def __init__(
        self,
        reference: pd.DataFrame,
        make: MakeTwoSample,
        threshold: float,
        min_psi: float,
        moving: Mapping[str, Movement] | None = None,
    ) -> None:
        self.rows, self.moving = reference, dict(moving or {})
        self.coding = Coding.of(reference, self.moving)
        self.reference = self.coding.encode(reference)
        self.test = make(self.reference, self.coding.categorical)
        self.threshold, self.min_psi = threshold, min_psi

    def detect(self, window: pd.DataFrame) -> Mapping[str, Drift]:
        """What each column of the reference did in `window`."""
        rows = self.coding.encode(window)
        statistics, p_values = self.test(rows)
        shifts = [self._psi(place, rows[:, place]) for place in range(len(self.coding.columns))]
        looks = [
            [
                Aspect(float(p_value), shift >= self.min_psi, ""),
                *aspects(self.rows[name], window[name], self.moving.get(name)),
            ]
            for name, p_value, shift in zip(self.coding.columns, p_values, shifts, strict=True)
        ]
        sure = holm(np.array([_chance(of_column) for of_column in looks]), self.threshold)
        return {
            name: Drift(float(statistic), float(p_value), shift, bool(moved), self._why(of_column) if moved else "")
            for name, statistic, p_value, shift, moved, of_column in zip(
                self.coding.columns, statistics, p_values, shifts, sure, looks, strict=True
            )
        }

    def _why(self, of_column: Sequence[Aspect]) -> str:
        """What there is a word for, the surest first; nothing where it is the distribution as a whole."""
        sure = [aspect for aspect in of_column if aspect.large and aspect.p_value < self.threshold]
        return min(sure, key=lambda aspect: (not aspect.why, aspect.p_value)).why

    def _psi(self, place: int, window: Array) -> float:
        categorical = place in self.coding.categorical
        return psi(self.reference[:, place], window, categorical, self.coding.missing[place])


def _chance(of_column: Sequence[Aspect]) -> float:
    """How likely an unmoved column is to look like this in any large aspect."""
    return min([1.0, *(len(of_column) * aspect.p_value for aspect in of_column if aspect.large)])


def holm(p_values: Array, threshold: float) -> npt.NDArray[np.bool_]:
    """Which of the hypotheses are rejected, at a chance of `threshold` that any true one is."""
    order = np.argsort(p_values)
    limits = threshold / np.arange(len(p_values), 0, -1)
    rejected = np.zeros(len(p_values), dtype=bool)
    rejected[order] = np.logical_and.accumulate(p_values[order] < limits)
    return rejected


def detector(
    kind: Literal["alibi", "scipy"],
    reference: pd.DataFrame,
    threshold: float,
    min_psi: float,
    moving: Mapping[str, Movement] | None = None,
) -> Detector:
    """The set of detectors that the setting names, fitted on `reference`, of which the columns `moving` move as time
    goes by."""
    if kind == "alibi":
        from serving.monitoring.alibi import two_sample
    else:
        from serving.monitoring.permissive import two_sample
    return Detector(reference, two_sample, threshold, min_psi, moving)


def psi(reference: Array, window: Array, categorical: bool, missing: float | None = None) -> float:
    """Population stability index: the symmetrised relative entropy of two binned distributions.

    Numbers are binned by the reference's quantiles; a value that many share, and the code of what is `missing`, have a
    bin of their own. Half a row is added to each bin, so that an empty one does not make the index infinite.
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
    """The rows in each bin: one a value that stands alone, then one between each two edges."""
    bins = len(alone) + np.searchsorted(edges, rows)
    if len(alone):
        places = np.minimum(np.searchsorted(alone, rows), len(alone) - 1)
        bins = np.where(alone[places] == rows, places, bins)
    return np.bincount(bins, minlength=len(alone) + len(edges) + 1)
