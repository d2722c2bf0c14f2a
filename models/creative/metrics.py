"""Metrics of creatives: each weighs examples by what was counted, and resamples creatives with all their examples."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from models.creative.outputs import CONVERSION_RATE, CPC, CTR, EDGE, ENGAGEMENT, Array, Output
from models.creative.precision import gamma_quantile
from models.evaluation.metrics import Metric, Resample

#: Label whose examples are resampled together, and the one whose creatives are compared.
CREATIVE, CAMPAIGN = "of_creative", "of_campaign"
#: Bins of equal weight for the expected calibration error.
BINS = 10
#: Normal score beyond which two creatives' rates differ significantly.
SIGNIFICANT = 1.96
#: Points of a rate's distribution that its counts are averaged over.
NODES = 33

#: `(truth, answers) -> (above, below)`: sums by creative, in order of their names, whose ratio is the metric.
Sums = Callable[[pd.DataFrame, pd.DataFrame], tuple[Array, Array]]


def log_loss(output: Output) -> Metric:
    """Mean negative log-likelihood of a trial, in nats."""

    def sums(truth: pd.DataFrame, answers: pd.DataFrame) -> tuple[Array, Array]:
        told = output.told(truth)
        events, trials = output.counts(truth)
        chance = np.clip(answers[output.name].to_numpy(dtype=np.float64), EDGE, 1 - EDGE)
        loss = -(events * np.log(chance) + (trials - events) * np.log1p(-chance))
        return _by_creative(truth, np.where(told, loss, 0)), _by_creative(truth, np.where(told, trials, 0))

    return _metric("log_loss" if output is CTR else f"{output.name}_log_loss", output.name, sums)


def price_error() -> Metric:
    """Total absolute error of what the clicks of an example cost, as a share of what was paid."""

    def sums(truth: pd.DataFrame, answers: pd.DataFrame) -> tuple[Array, Array]:
        told = truth["spend"].notna().to_numpy()
        paid, clicks = truth["spend"].to_numpy(dtype=np.float64), truth["clicks"].to_numpy(dtype=np.float64)
        off = answers[CPC.name].to_numpy(dtype=np.float64) * clicks - paid
        return _by_creative(truth, np.where(told, np.abs(off), 0)), _by_creative(truth, np.where(told, paid, 0))

    return _metric("cpc_error", CPC.name, sums)


def ece() -> Metric:
    """Expected calibration error of the click rate, by impressions, as a share of the mean rate."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        rate, shown = answers["ctr"].to_numpy(dtype=np.float64), truth["impressions"].to_numpy(dtype=np.float64)
        gap = truth["clicks"].to_numpy(dtype=np.float64) - rate * shown
        bins, off = bins_of(rate, shown), np.zeros(len(weights))
        for place in range(bins.max() + 1):
            off += np.abs(weights @ _by_creative(truth, np.where(bins == place, gap, 0)))
        clicks = weights @ _by_creative(truth, truth["clicks"].to_numpy(dtype=np.float64))
        return _ratio(off, clicks)

    return _of_creatives("ece", resample, "ctr", "ctr", higher_is_better=False)


def bins_of(rate: Array, shown: Array) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The bin of each example, by its predicted rate; bins have equal impressions."""
    order = np.argsort(rate, kind="stable")
    passed = np.cumsum(shown[order]) - shown[order] / 2
    bins = np.empty(len(rate), dtype=np.intp)
    bins[order] = np.minimum(passed / max(shown.sum(), 1) * BINS, BINS - 1)
    return bins


def pair_accuracy() -> Metric:
    """Share of a campaign's pairs of significantly different creatives whose better one is predicted to be."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        found = pairs(truth, answers["ctr"].to_numpy(dtype=np.float64))
        found = found[found["z"].abs() > SIGNIFICANT]
        right = np.where(found["ahead"] == 0, 0.5, (found["ahead"] > 0) == (found["z"] > 0))
        drawn = weights[:, found["first"]] * weights[:, found["second"]]
        return _ratio(drawn @ right, drawn.sum(axis=1))

    return _of_creatives("pair_accuracy", resample, "", "ctr", higher_is_better=True)


def pairs(truth: pd.DataFrame, rate: Array) -> pd.DataFrame:
    """All pairs of creatives of a campaign.

    Returns:
        `first`, `second`: their places in the order of names; `ahead`: by how much the first is predicted to be better,
        as a logarithm; `z`: normal score of the difference of their rates as counted.
    """
    made = truth[[CREATIVE, CAMPAIGN, "clicks", "impressions"]].assign(expected=rate * truth["impressions"])
    by = made.groupby([CAMPAIGN, CREATIVE], as_index=False)[["clicks", "impressions", "expected"]].sum()
    by["place"] = np.unique(by[CREATIVE].to_numpy(dtype=str), return_inverse=True)[1]
    both = by.merge(by, on=CAMPAIGN, suffixes=("", "_other"))
    both = both[both["place"] < both["place_other"]]
    counted, other = both["clicks"] / both["impressions"], both["clicks_other"] / both["impressions_other"]
    pooled = (both["clicks"] + both["clicks_other"]) / (both["impressions"] + both["impressions_other"])
    error = np.sqrt(pooled * (1 - pooled) * (1 / both["impressions"] + 1 / both["impressions_other"]))
    said, beside = both["expected"] / both["impressions"], both["expected_other"] / both["impressions_other"]
    return pd.DataFrame(
        {
            "first": both["place"],
            "second": both["place_other"],
            "ahead": np.log(said / beside),
            "z": np.nan_to_num((counted - other) / np.where(error == 0, np.nan, error)),
        }
    ).reset_index(drop=True)


def coverage(level: float) -> Metric:
    """Share of creatives whose clicks lie between the quantiles that `level` leaves out on each side, of the counts
    that the interval of their rate and the chance of so many impressions let expect.

    A count that lies on a quantile counts with the share of it that lies within.
    """

    def sums(truth: pd.DataFrame, answers: pd.DataFrame) -> tuple[Array, Array]:
        inside = covered(truth, answers, level)
        return inside, np.ones(len(inside))

    metric = _metric(f"coverage{level * 100:.0f}", "ctr", sums, higher_is_better=True)
    return replace(metric, label="ctr", answer="ctr_strength", band=("ctr_low", "ctr_high"))


def covered(truth: pd.DataFrame, answers: pd.DataFrame, level: float) -> Array:
    """For each creative, in order of names, whether its count of clicks is within the limits of `coverage`."""
    from scipy.special import betainc, ndtri

    rate, shown = answers["ctr"].to_numpy(dtype=np.float64), truth["impressions"].to_numpy(dtype=np.float64)
    clicks, trials = _by_creative(truth, truth["clicks"].to_numpy(dtype=np.float64)), _by_creative(truth, shown)
    expected = _by_creative(truth, rate * shown)
    events = _by_creative(truth, rate * answers["ctr_strength"].to_numpy(dtype=np.float64) * shown) / trials
    nodes = ndtri((np.arange(NODES) + 0.5) / NODES)
    rates = np.stack([gamma_quantile(expected / trials, events, z) for z in nodes])
    # The binomial distribution of clicks below, and up to, the count.
    below = (1 - betainc(np.maximum(clicks, 1), trials - clicks + 1, rates)).mean(axis=0) * (clicks > 0)
    reached = np.where(
        clicks < trials, (1 - betainc(clicks + 1, np.maximum(trials - clicks, 1), rates)).mean(axis=0), 1
    )
    low, high = (1 - level) / 2, (1 + level) / 2
    within = np.minimum(reached, high) - np.maximum(below, low)
    return np.asarray(np.clip(within / np.maximum(reached - below, 1e-12), 0, 1))


def _by_creative(truth: pd.DataFrame, values: Array) -> Array:
    """Sums of each creative, in order of names."""
    names, place = np.unique(truth[CREATIVE].to_numpy(dtype=str), return_inverse=True)
    return np.asarray(np.bincount(place, values, minlength=len(names)), dtype=np.float64)


def _metric(name: str, answer: str, sums: Sums, higher_is_better: bool = False) -> Metric:
    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        above, below = sums(truth, answers)
        return _ratio(weights @ above, weights @ below)

    label = answer if name == "log_loss" else ""
    return _of_creatives(name, resample, label, answer, higher_is_better)


def _of_creatives(name: str, resample: Resample, label: str, answer: str, higher_is_better: bool) -> Metric:
    """A metric that is resampled by creative; its measure draws each of them once."""

    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, truth[CREATIVE].nunique())))[0])

    return Metric(name, measure, higher_is_better, resample, label, answer, unit=CREATIVE)


def _ratio(above: Array, below: Array) -> Array:
    return np.asarray(np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0))


METRICS = (
    log_loss(CTR),
    ece(),
    pair_accuracy(),
    coverage(0.8),
    log_loss(CONVERSION_RATE),
    log_loss(ENGAGEMENT),
    price_error(),
)
