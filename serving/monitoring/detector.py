"""The drift detector: tests every column of a window against the reference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.movement import Movement
from serving.monitoring.aspects import Aspect, ReferenceColumn, aspects, missing
from serving.monitoring.coding import Coding, Matrix
from serving.monitoring.embedding import Embed, Embedded
from serving.monitoring.stability import psi
from serving.monitoring.two_sample import Array, Fit

#: A column has to move this many times as far as it did over an equal time before the reference.
MARGIN = 1.5


@dataclass(frozen=True)
class Drift:
    """Drift of one column: the test's statistic (Kolmogorov-Smirnov for numbers, chi-square for categories, squared
    mean discrepancy for vectors), its p-value, the effect size (population stability index), whether it drifted
    (significant and large enough), and why, where it is not the whole distribution.

    For a column with expected movement, test and index only cover missing and invalid values.
    """

    statistic: float
    p_value: float
    psi: float
    drifted: bool
    why: str = ""


@dataclass(frozen=True)
class Expected:
    """Expected behaviour of columns without drift.

    Attributes:
        moving: declared movement by column.
        usual: stability index by column between the reference and an equal time before it; a column must exceed it
            `MARGIN` times.
        embed: embedding functions by column; with None, only missing values are tested.
    """

    moving: Mapping[str, Movement] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    embed: Mapping[str, Embed | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Look:
    """The test of a column's distribution, and those of its aspects."""

    column: str
    statistic: float
    p_value: float
    psi: float
    aspects: Sequence[Aspect]


NOTHING = Expected()


class Detector:
    """Compares windows of live rows with the reference of a model.

    Each column is tested by a two-sample test and by tests for what that misses (`aspects`); small shifts, and those
    within its usual movement, do not count. `threshold` is the probability that a window without drift raises an alarm
    in any column: it is divided over the aspects of a column (Bonferroni) and over the columns by Holm's step-down
    procedure ("A simple sequentially rejective multiple test procedure", 1979). A quarter of daily runs has at most
    ninety times that probability of a false alarm.
    """

    def __init__(
        self,
        reference: pd.DataFrame,
        make: Fit,
        threshold: float,
        min_psi: float,
        expected: Expected,
    ) -> None:
        self.known, self.moving = {name: ReferenceColumn(reference[name]) for name in reference}, expected.moving
        embed = {name: made for name, made in expected.embed.items() if name in reference}
        self.coding = Coding.of(reference.drop(columns=list(embed)), self.moving)
        self.reference = self.coding.encode(reference)
        self.test = make(self.reference, self.coding.categorical)
        self.embedded = {name: Embedded(reference[name], made) if made else None for name, made in embed.items()}
        self.threshold, self.min_psi = threshold, min_psi
        self.least = [max(min_psi, MARGIN * expected.usual.get(name, 0.0)) for name in self.coding.columns]

    def detect(self, window: pd.DataFrame) -> Mapping[str, Drift]:
        """The drift of each column of the reference in `window`."""
        looks = [*self._coded(window), *self._by_vectors(window)]
        sure = holm(np.array([_chance(look.aspects) for look in looks]), self.threshold)
        return {
            look.column: Drift(look.statistic, look.p_value, look.psi, moved, self._why(look.aspects) if moved else "")
            for look, moved in zip(looks, sure.tolist(), strict=True)
        }

    def _coded(self, window: pd.DataFrame) -> Iterator["_Look"]:
        if not self.coding.columns:
            return
        rows = self.coding.encode(window)
        statistics, p_values = self.test(rows)
        shifts = stability(self.coding, self.reference, rows)
        for name, statistic, p_value, shift, least in zip(
            self.coding.columns, statistics, p_values, shifts, self.least, strict=True
        ):
            others = aspects(self.known[name], window[name], self.moving.get(name))
            seen = (Aspect(float(p_value), shift >= least, ""), *others)
            yield _Look(name, float(statistic), float(p_value), shift, seen)

    def _by_vectors(self, window: pd.DataFrame) -> Iterator["_Look"]:
        for name, embedded in self.embedded.items():
            statistic, p_value, psi = embedded.compare(window[name]) if embedded else (0.0, 1.0, 0.0)
            whole = Aspect(p_value, psi >= self.min_psi, "")
            yield _Look(name, statistic, p_value, psi, (whole, missing(self.known[name], window[name])))

    def _why(self, of_column: Sequence[Aspect]) -> str:
        """Descriptions of the drifted aspects, most significant first; empty where the whole distribution drifted."""
        sure = [aspect for aspect in of_column if aspect.large and aspect.p_value < self.threshold]
        return min(sure, key=lambda aspect: (not aspect.why, aspect.p_value)).why


def _chance(of_column: Sequence[Aspect]) -> float:
    """p-value of a column over its large aspects."""
    return min([1.0, *(len(of_column) * aspect.p_value for aspect in of_column if aspect.large)])


def holm(p_values: Array, threshold: float) -> npt.NDArray[np.bool_]:
    """The rejected hypotheses, with a family-wise error rate of `threshold`."""
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
    expected: Expected = NOTHING,
) -> Detector:
    """The detectors of the setting `ADLOOP_DETECTORS`, fitted on `reference`."""
    if kind == "alibi":
        from serving.monitoring.alibi import fit
    else:
        from serving.monitoring.two_sample import fit
    return Detector(reference, fit, threshold, min_psi, expected)


def usual(reference: pd.DataFrame, earlier: Iterable[pd.DataFrame], moving: Mapping[str, Movement]) -> dict[str, float]:
    """Largest population stability index of each column between `reference` and earlier dates."""
    coding = Coding.of(reference, moving)
    known = coding.encode(reference)
    found = [stability(coding, known, coding.encode(rows)) for rows in earlier]
    return {name: max(of_column) for name, *of_column in zip(coding.columns, *found, strict=True) if of_column}


def stability(coding: Coding, reference: Matrix, window: Matrix) -> list[float]:
    """The stability index of each column."""
    return [
        psi(reference[:, place], window[:, place], place in coding.categorical, coding.missing[place])
        for place in range(len(coding.columns))
    ]
