"""What a campaign added in the regions where it ran."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.evaluation.bootstrap import Interval
from models.evaluation.geo.conformal import interval, p_value, shuffled_p_value
from models.evaluation.geo.synthetic import chosen_penalty, fit
from models.evaluation.metrics import Array

#: Days before the campaign, and regions without it, below which nothing is told.
DAYS, REGIONS = 20, 3


@dataclass(frozen=True)
class GeoEffect:
    """The effect on the treated regions.

    Attributes:
        effect: added a region and day, with the conformal interval.
        lift: the same as a share of what would have been without the campaign.
        incremental: added in all treated regions and days.
        p: of no effect; `shuffled_p`: the same, if days were independent.
        error: how far the control was off before the campaign, a region and day, as a share of the level.
        weights: of the regions that the control is made of, the largest first.
        days: a row a day: `observed`, `expected`, a region; `treated`: whether the campaign ran.
    """

    effect: Interval
    lift: Interval
    incremental: Interval
    p: float
    shuffled_p: float
    error: float
    penalty: float
    weights: dict[str, float]
    days: pd.DataFrame


@dataclass(frozen=True)
class Regions:
    """A panel's treated regions (their mean, by day) and the others (days, regions)."""

    treated: Array
    donors: Array
    names: tuple[str, ...]


def split(panel: pd.DataFrame, treated: tuple[str, ...], left_out: tuple[str, ...] = ()) -> Regions:
    """Part a panel of days and regions. Raises `ValueError` naming regions that are not there."""
    unknown = [name for name in (*treated, *left_out) if name not in panel]
    if unknown or not treated:
        raise ValueError(f"regions: expected some of {', '.join(map(str, panel))}, got {', '.join(unknown) or 'none'}")
    others = tuple(str(name) for name in panel if name not in (*treated, *left_out))
    if len(others) < REGIONS:
        raise ValueError(f"regions: expected at least {REGIONS} without the campaign, got {len(others)}")
    return Regions(panel[list(treated)].to_numpy(dtype=float).mean(axis=1), panel[list(others)].to_numpy(float), others)


def analyse(
    panel: pd.DataFrame,
    treated: tuple[str, ...],
    start: pd.Timestamp,
    end: pd.Timestamp | None = None,
    left_out: tuple[str, ...] = (),
    alpha: float = 0.05,
) -> GeoEffect:
    """Measure what was added from `start` to `end` (the last day of the panel without one), inclusive.

    Args:
        panel: outcomes, a row a day and a column a region.
        treated: where the campaign ran; `left_out`: regions that are neither treated nor like the others.

    Raises:
        ValueError: a region is not there, or there are too few days or regions.
    """
    parts, days = split(panel, treated, left_out), panel.index
    used = days <= (end if end is not None else days[-1])
    before = int((days < start).sum())
    during = int(used.sum()) - before
    if before < DAYS or during < 1:
        raise ValueError(f"days: expected at least {DAYS} before the campaign and 1 in it, got {before} and {during}")
    observed, donors = parts.treated[used], parts.donors[used]
    penalty = chosen_penalty(observed[:before], donors[:before])
    control = fit(observed[:before], donors[:before], penalty)
    expected = control.predict(donors)
    level, added = float(expected[before:].mean()), float((observed - expected)[before:].mean())
    effect = interval(observed, donors, during, added, penalty, alpha)
    shown = pd.DataFrame({"observed": observed, "expected": expected, "treated": np.arange(len(observed)) >= before})
    order = np.argsort(-np.abs(control.weights))
    return GeoEffect(
        effect=effect,
        lift=_times(effect, 1 / level),
        incremental=_times(effect, len(treated) * during),
        p=p_value(observed, donors, during, 0.0, penalty),
        shuffled_p=shuffled_p_value(observed, donors, during, penalty),
        error=float(np.sqrt(np.mean((observed - expected)[:before] ** 2)) / np.abs(observed[:before].mean())),
        penalty=penalty,
        weights={parts.names[at]: float(control.weights[at]) for at in order if abs(control.weights[at]) >= 0.005},
        days=shown.set_index(days[used]),
    )


def _times(found: Interval, by: float) -> Interval:
    return Interval(found.value * by, found.low * by, found.high * by)
