"""Fatigue: the click rate of a creative declines against that of the other creatives, beyond chance.

Season and whatever happens to the whole account change all creatives alike, so the others' rates tell what was to be
expected on each day. A decline is found by an e-detector (Shin, Ramdas and Rinaldo, 2023): the sum over all days on
which it may have begun of the likelihood ratios of a decline to none. While nothing declines, alarms come at least as
many days apart as the threshold, however often one looks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Declines a day that are looked for, as changes of the log rate.
DECLINES = np.array([0.01, 0.02, 0.04, 0.08, 0.16])
#: Days by which the first decline is looked for, as the creative's own rate must be known.
LEARNT = 7
#: Clicks of the other creatives on a day from which they tell what was to be expected.
ENOUGH = 50

Array = npt.NDArray[np.float64]


class Daily(NamedTuple):
    """Outcomes by day and creative, arrays of (days, creatives).

    Attributes:
        frequency: impressions per person who saw it; NaN where unknown.
    """

    impressions: Array
    clicks: Array
    frequency: Array


@dataclass(frozen=True)
class Fatigue:
    """The state of a creative.

    Attributes:
        evidence: the e-detector: expected days between false alarms, if it counted as one.
        drop: present decline of the click rate since it began, as a share, at its most likely course.
        since: days ago that it began, most likely.
        by_frequency: share of the decline that goes along with people seeing it more often; None where unknown.
    """

    evidence: float
    drop: float
    since: int
    by_frequency: float | None = None


def fatigue(daily: Daily) -> list[Fatigue]:
    """The fatigue of each creative at the end of the last day."""
    noise = _overdispersion(daily)
    told = _frequency_effect(daily)
    return [_one(daily, place, noise, told) for place in range(daily.clicks.shape[1])]


def expected(daily: Daily, place: int) -> Array:
    """Clicks to be expected of one creative by day, up to its own rate, from the others' on the same day.

    The others' clicks of a day relative to what their own mean rates would have brought; days on which they had too few
    count as usual ones.
    """
    others = np.arange(daily.clicks.shape[1]) != place
    clicks, impressions = daily.clicks[:, others], daily.impressions[:, others]
    rates = (clicks.sum(0) + 0.5) / (impressions.sum(0) + 1)
    usual = impressions @ rates
    known = usual >= ENOUGH
    factor: Array = np.ones(len(usual))
    factor[known] = clicks.sum(1)[known] / usual[known]
    return daily.impressions[:, place] * np.maximum(factor, 0.01)


def _one(daily: Daily, place: int, noise: float, slope: float | None) -> Fatigue:
    clicks, exposure = daily.clicks[:, place], expected(daily, place)
    shown = np.flatnonzero(daily.impressions[:, place] > 0)
    days = len(clicks)
    if len(shown) <= LEARNT:
        return Fatigue(0.0, 0.0, 0)
    begun = shown[LEARNT:]
    # (starts, declines, days): log rate relative to the time before the start.
    ages = np.maximum(0, np.arange(days)[None, :] - begun[:, None] + 1)
    course = -DECLINES[None, :, None] * ages[:, None, :]
    log_ratio = (clicks * course).sum(-1) - clicks.sum() * np.log((exposure * np.exp(course)).sum(-1) / exposure.sum())
    ratios = np.exp(np.minimum(log_ratio / noise, 600.0))
    start, decline = np.unravel_index(np.argmax(log_ratio), log_ratio.shape)
    since = int(days - begun[start])
    drop = float(1 - np.exp(-DECLINES[decline] * since))
    return Fatigue(float(ratios.mean(axis=1).sum()), drop, since, _explained(daily, place, since, drop, slope))


def _overdispersion(daily: Daily) -> float:
    """Variance of daily clicks relative to that of chance alone, at least 1, over all creatives (Pearson)."""
    residuals, freedom = 0.0, 0
    for place in range(daily.clicks.shape[1]):
        exposure, clicks = expected(daily, place), daily.clicks[:, place]
        usable = exposure > 0
        if usable.sum() < 3 or not clicks.sum():
            continue
        # Differences of neighbouring days, so that a slow decline is no noise.
        mean = exposure[usable] * clicks[usable].sum() / exposure[usable].sum()
        scaled = (clicks[usable] - mean) / np.sqrt(mean)
        residuals, freedom = residuals + float((np.diff(scaled) ** 2).sum() / 2), freedom + int(usable.sum()) - 1
    return max(1.0, residuals / freedom) if freedom else 1.0


def _frequency_effect(daily: Daily) -> float | None:
    """Change of the log rate with the log frequency, within creatives; None without frequencies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        often = np.log(daily.frequency)
        rate = np.log((daily.clicks + 0.5) / (daily.impressions + 1))
    known = np.isfinite(often) & (daily.impressions > 0)
    if known.sum() < 2 * LEARNT:
        return None
    weight = np.where(known, daily.clicks + 0.5, 0.0)
    often, rate = (_centred(np.where(known, values, 0.0), weight) for values in (often, rate))
    spread = float((weight * often**2).sum())
    return float((weight * often * rate).sum()) / spread if spread > 0 else None


def _centred(values: Array, weight: Array) -> Array:
    total = weight.sum(0)
    mean: Array = (weight * values).sum(0) / np.where(total > 0, total, 1)
    return values - mean


def _explained(daily: Daily, place: int, since: int, drop: float, slope: float | None) -> float | None:
    """The share of a decline that the rise of the frequency since it began goes along with."""
    often = daily.frequency[:, place]
    before, after = often[:-since], often[-since:]
    if slope is None or drop <= 0 or not (np.isfinite(before).any() and np.isfinite(after).any()):
        return None
    risen = np.log(np.nanmean(after) / np.nanmean(before))
    return float(np.clip(slope * risen / np.log1p(-drop), 0, 1))
