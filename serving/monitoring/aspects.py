"""Drift tests for changes that tests of whole distributions miss, each with a p-value and a minimum effect size.

They detect missing values, constant columns, new values, and a changed unit where most values are equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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


def aspects(reference: "pd.Series[Any]", window: "pd.Series[Any]", movement: Movement | None) -> Iterator[Aspect]:
    """The tests that apply to a column, given its expected movement."""
    yield missing(reference, window)
    of = kind(reference)
    if of == "empty":
        return
    known, seen = (numbers(one) if of == "number" else names(one) for one in (reference, window))
    before, now = (pd.Series(one).dropna() for one in (known, seen))
    if before.empty or now.empty:
        return
    if movement is None:
        yield _constant(before, now)
        if of == "category" or before.nunique() <= CATEGORIES:
            yield _new(before, now)
        if of == "number":
            yield from _unusual(before.to_numpy(), now.to_numpy())
    elif movement.kind != "clock" and of == "number":
        if movement.kind == "grows":
            yield _constant(before, now)
        yield from _unit(before.to_numpy(), now.to_numpy())


def missing(reference: "pd.Series[Any]", window: "pd.Series[Any]") -> Aspect:
    from scipy.stats import fisher_exact  # here and below: half a second, and most processes need none

    absent = [int(_absent(one, reference)) for one in (reference, window)]
    rows = [len(reference), len(window)]
    before, now = (count / total for count, total in zip(absent, rows, strict=True))
    table = [[count, total - count] for count, total in zip(absent, rows, strict=True)]
    p_value = float(fisher_exact(table).pvalue) if before != now else 1.0
    appeared = min(before, now) < SELDOM and abs(now - before) >= SELDOM
    return Aspect(p_value, appeared or abs(now - before) >= MISSING_SHIFT, f"missing: {before:.0%} to {now:.0%}")


def _absent(values: "pd.Series[Any]", reference: "pd.Series[Any]") -> int:
    """Number of missing values; text in a numeric column counts as missing."""
    return int(np.isnan(numbers(values)).sum() if kind(reference) == "number" else values.isna().sum())


def _constant(before: "pd.Series[Any]", now: "pd.Series[Any]") -> Aspect:
    """Test for a column that became constant: the probability that all rows have the same value."""
    if now.nunique() > 1:
        return Aspect(1.0, False, "")
    share = (int((before == now.iloc[0]).sum()) + 1) / (len(before) + 1)
    return Aspect(float(share ** len(now)), share <= 1 - VARIED, "constant")


def _new(before: "pd.Series[Any]", now: "pd.Series[Any]") -> Aspect:
    """Test for new values, beyond their expected share: that of values seen once (Good, 1953)."""
    from scipy.stats import binomtest

    counts = before.value_counts()
    expected = (int((counts == 1).sum()) + 1) / (len(before) + 1)
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
