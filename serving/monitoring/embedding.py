"""Drift of vectors, texts, URIs and lists by the distance of their embeddings.

The test is the maximum mean discrepancy with a Gaussian kernel of the median distance; its null distribution is a gamma
with the mean and variance over permutations (Gretton et al., "A Kernel Two-Sample Test", 2012). The effect size is the
stability index of the witness function, which is high near the reference and low near the window.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from models.inputs import Kind, Matrix
from serving.monitoring.stability import psi

Embed = Callable[["pd.Series[Any]"], Matrix]
#: Most compared rows per side, as time and memory grow with their square; with fewer than `SOME`, there is no result.
MOST, SOME = 500, 20
PERMUTATIONS = 500


def embeds(kinds: Mapping[str, Kind], own: Mapping[str, Embed]) -> dict[str, Embed | None]:
    """Embedding functions of columns of these kinds: vectors as they are, others by the family's `own` function; None
    without one. Lists may be JSON, as in the request log."""
    found: dict[str, Embed | None] = {}
    for name, kind in kinds.items():
        if kind in ("text", "uri"):
            found[name] = own.get(name)
        elif kind == "candidates":
            found[name] = _of_lists(own[name]) if name in own else None
        elif kind == "vector":
            found[name] = _of_lists(lambda values: np.array(values.tolist(), dtype=np.float64))
    return found


def _of_lists(embed: Embed) -> Embed:
    return lambda values: embed(values.map(lambda value: json.loads(value) if isinstance(value, str) else value))


class Embedded:
    """The embeddings of a reference column, to compare windows with."""

    def __init__(self, reference: "pd.Series[Any]", embed: Embed) -> None:
        self._embed = embed
        self._reference = self._sample(reference)

    def compare(self, window: "pd.Series[Any]") -> tuple[float, float, float]:
        """The discrepancy, its p-value, and the stability index of the shift; 0, 1 and 0 from too few rows."""
        found = self._sample(window)
        if min(len(self._reference), len(found)) < SOME:
            return 0.0, 1.0, 0.0
        count, kernel = len(self._reference), _kernel(np.vstack([self._reference, found]))
        statistic, p_value = _discrepancy(kernel, count)
        return statistic, p_value, psi(*_witness(kernel, count), categorical=False)

    def _sample(self, values: "pd.Series[Any]") -> Matrix:
        present = values.dropna()
        if present.empty:
            return np.empty((0, 0))
        return self._embed(present.sample(min(MOST, len(present)), random_state=0))


def _kernel(vectors: Matrix) -> Matrix:
    squares = np.einsum("ij,ij->i", vectors, vectors)
    distances = np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0)
    width = float(np.median(distances[np.triu_indices(len(vectors), 1)]))
    return np.asarray(np.exp(-distances / (width if width > 0 else 1.0)))


def _discrepancy(kernel: Matrix, count: int) -> tuple[float, float]:
    """The squared discrepancy of the first `count` rows from the others, and its p-value."""
    from scipy.stats import gamma

    signs = np.where(np.arange(len(kernel)) < count, 1 / count, -1 / (len(kernel) - count))
    permuted = np.random.default_rng(0).permuted(np.tile(signs, (PERMUTATIONS, 1)), axis=1)
    by_chance = np.einsum("ij,ij->i", permuted @ kernel, permuted)
    mean, variance, found = by_chance.mean(), by_chance.var(), float(signs @ kernel @ signs)
    if variance == 0:  # all vectors are equal
        return found, 1.0
    return found, float(gamma.sf(found, mean**2 / variance, scale=variance / mean))


def _witness(kernel: Matrix, count: int) -> tuple[Matrix, Matrix]:
    """The witness function at the first `count` rows and at the others: of one half of them at the other half.

    So no row has a part in its own value, and equal rows of one half have equal values, whichever side they are on.
    Rounded, as equal rows of a matrix product may differ in their last bits.
    """
    place = np.arange(len(kernel))
    first, half = place < count, place % 2
    values = np.empty(len(kernel))
    for one in (0, 1):
        near, far = kernel[:, first & (half == one)], kernel[:, ~first & (half == one)]
        values[half != one] = (near.mean(axis=1) - far.mean(axis=1))[half != one]
    values = values.round(9)
    return values[first], values[~first]
