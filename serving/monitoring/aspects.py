"""Drift tests for changes that tests of whole distributions miss, each with a p-value and a minimum effect size.

They detect missing values, constant columns, new values, and a changed unit where most values are equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.movement import Movement
from serving.monitoring.coding import CATEGORIES, kind, names, numbers

#: Minimum effect sizes, as shares of rows: change of missing values, and where next to none were or are missing;
#: unexpected new values; other values before a column became constant.
MISSING_SHIFT, SELDOM, NEW_SHARE, VARIED = 0.1, 0.02, 0.01, 0.01
#: A value with this share is frequent: the others are tested separately, with this minimum Kolmogorov-Smirnov distance,
#: if there are enough.
USUAL, FAR, SOME = 0.5, 0.5, 10
#: Cumulative columns may change their median by this factor before it counts as another unit.
GROWTH = 5.0


@dataclass(frozen=True)
class Aspect:
    """One test of a column: p-value, whether the effect is large enough, and its description."""

    p_value: float
    large: bool
    why: str


@dataclass(frozen=True)
class ReferenceColumn:
    """The reference of a column. What the tests of every window ask of it is found once."""

    reference: "pd.Series[Any]"

    @cached_property
    def kind(self) -> str | None:
        return kind(self.reference)

    @cached_property
    def absent(self) -> int:
        return self.absent_from(self.reference)

    @cached_property
    def present(self) -> "pd.Series[Any]":
        return self.present_in(self.reference)

    @cached_property
    def counts(self) -> "pd.Series[Any]":
        """How often each value is present."""
        return self.present.value_counts()

    def absent_from(self, values: "pd.Series[Any]") -> int:
        """Number of missing values; text in a numeric column counts as missing."""
        return int(np.isnan(numbers(values)).sum() if self.kind == "number" else values.isna().sum())

    def present_in(self, values: "pd.Series[Any]") -> "pd.Series[Any]":
        """The values that are there, as numbers or as names of categories."""
        return pd.Series(numbers(values) if self.kind == "number" else names(values)).dropna()


def aspects(known: ReferenceColumn, window: "pd.Series[Any]", movement: Movement | None) -> Iterator[Aspect]:
    """The tests that apply to a column, given its expected movement."""
    yield missing(known, window)
    if known.kind == "empty":
        return
    before, now = known.present, known.present_in(window)
    if before.empty or now.empty:
        return
    if movement is None:
        yield _constant(before, now)
        if known.kind == "category" or len(known.counts) <= CATEGORIES:
            yield _new(known.counts, now)
        if known.kind == "number":
            yield from _unusual(before.to_numpy(), now.to_numpy())
    elif movement.kind != "clock" and known.kind == "number":
        if movement.kind == "grows":
            yield _constant(before, now)
        yield from _unit(before.to_numpy(), now.to_numpy())


def missing(known: ReferenceColumn, window: "pd.Series[Any]") -> Aspect:
    from scipy.stats import fisher_exact  # here and below: half a second, and most processes need none

    absent = [known.absent, known.absent_from(window)]
    rows = [len(known.reference), len(window)]
    before, now = (count / total for count, total in zip(absent, rows, strict=True))
    table = [[count, total - count] for count, total in zip(absent, rows, strict=True)]
    p_value = float(fisher_exact(table).pvalue) if before != now else 1.0
    appeared = min(before, now) < SELDOM and abs(now - before) >= SELDOM
    return Aspect(p_value, appeared or abs(now - before) >= MISSING_SHIFT, f"missing: {before:.0%} to {now:.0%}")


def _constant(before: "pd.Series[Any]", now: "pd.Series[Any]") -> Aspect:
    """Test for a column that became constant: the probability that all rows have the same value."""
    if now.nunique() > 1:
        return Aspect(1.0, False, "")
    share = (int((before == now.iloc[0]).sum()) + 1) / (len(before) + 1)
    return Aspect(float(share ** len(now)), share <= 1 - VARIED, "constant")


def _new(counts: "pd.Series[Any]", now: "pd.Series[Any]") -> Aspect:
    """Test for new values, beyond their expected share: that of values seen once (Good, 1953)."""
    from scipy.stats import binomtest

    expected = (int((counts == 1).sum()) + 1) / (int(counts.sum()) + 1)
    new = int((~now.isin(counts.index)).sum())
    p_value = float(binomtest(new, len(now), min(expected, 1.0), alternative="greater").pvalue)
    return Aspect(p_value, new / len(now) >= expected + NEW_SHARE, f"new values: {new / len(now):.0%}")


def _unusual(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> Iterator[Aspect]:
    """Test of the values other than a frequent one: for example of the non-zeros in a column of mostly zeros."""
    from scipy.stats import ks_2samp

    values, counts = np.unique(before, return_counts=True)
    if counts.max() < USUAL * len(before):
        return
    others, found = (rows[rows != values[counts.argmax()]] for rows in (before, now))
    if min(len(others), len(found)) < SOME:
        return
    test = ks_2samp(others, found, method="asymp")
    yield Aspect(float(test.pvalue), test.statistic >= FAR, "its less frequent values moved")


def _unit(before: npt.NDArray[Any], now: npt.NDArray[Any]) -> Iterator[Aspect]:
    """Sign test of the median of non-zero values against its expected range."""
    from scipy.stats import binomtest

    others, found = (np.abs(rows[rows != 0]) for rows in (before, now))
    if min(len(others), len(found)) < SOME:
        return
    middle = float(np.median(others))
    for count, why in (
        (int((found > middle * GROWTH).sum()), f"more than {GROWTH:g} times as large"),
        (int((found < middle / GROWTH).sum()), f"less than 1/{GROWTH:g} as large"),
    ):
        p_value = float(binomtest(count, len(found), 0.5, alternative="greater").pvalue)
        yield Aspect(p_value, count > len(found) / 2, why)
