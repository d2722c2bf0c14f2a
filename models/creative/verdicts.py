"""Release gates of creatives, in addition to the common ones."""

import numpy as np

from models.creative.metrics import BINS, bins_of, covered
from models.creative.outputs import Output
from models.evaluation import bootstrap
from models.evaluation.gates import Evidence, Gate, Verdict
from models.evaluation.metrics import Metric

#: Draws of clicks from the predictions, for the calibration error expected by chance.
DRAWS = 100


def calibrated(metric: Metric, limit: float = 0.1) -> Gate:
    """A gate: the click rate's calibration error, as a share of the rate, is at most `limit` above that by chance."""

    def gate(evidence: Evidence) -> Verdict:
        error = metric.measure(evidence.truth, evidence.answers)
        chance = _chance(evidence)
        reason = f"expected calibration error {error:.1%} of the rate, of which {chance:.1%} by chance; the rest may be"
        figures = {"ece": error, "noise": chance, "limit": limit}
        return Verdict("calibrated", bool(error - chance <= limit), f"{reason} {limit:.0%}", figures)

    return gate


def _chance(evidence: Evidence) -> float:
    """The calibration error expected where each creative's rate is off as its strength says, and clicks are drawn.

    Creatives share no other error in this draw.
    """
    rng = np.random.default_rng(evidence.seed)
    rate = evidence.answers["ctr"].to_numpy(dtype=np.float64)
    shown = evidence.truth["impressions"].to_numpy(dtype=np.float64)
    strength = evidence.answers["ctr_strength"].to_numpy(dtype=np.float64)
    _, place = np.unique(evidence.truth["of_creative"].to_numpy(dtype=str), return_inverse=True)
    events = np.bincount(place, rate * strength * shown) / np.bincount(place, shown)
    bins, expected, found = bins_of(rate, shown), rate * shown, 0.0
    for _ in range(DRAWS):
        own = rng.gamma(events) / events
        gap = rng.poisson(expected * own[place]) - expected
        found += np.abs(np.bincount(bins, gap, minlength=BINS)).sum() / max(expected.sum(), 1e-12)
    return found / DRAWS


def covers(level: float, tolerance: float = 0.07) -> Gate:
    """A gate: the interval of the click rate covers `level` of the creatives, within `tolerance` and noise."""

    def gate(evidence: Evidence) -> Verdict:
        from scipy.stats import binomtest

        inside = covered(evidence.truth, evidence.answers, level)
        share, count = float(inside.mean()), len(inside)
        found = binomtest(round(share * count), count).proportion_ci()
        reason = (
            f"the {level:.0%} interval of the click rate, with the chance of clicks, covers {share:.1%} of {count} "
            f"creatives, 95% interval {found.low:.1%} to {found.high:.1%}; it must reach {level - tolerance:.0%} to "
            f"{level + tolerance:.0%}"
        )
        passed = found.high >= level - tolerance and found.low <= level + tolerance
        return Verdict("covers", bool(passed), reason, {"coverage": share, "low": found.low, "high": found.high})

    return gate


def not_worse_than_naive(output: Output, metric: Metric) -> Gate:
    """A gate on one more output: not significantly worse than the naive baseline. An output that is left out passes."""

    def gate(evidence: Evidence) -> Verdict:
        name = f"{output.name}_not_worse_than_naive"
        if output.name not in evidence.answers:
            return Verdict(name, True, f"{output.name} is left out: the data holds too few outcomes of it")
        naive = next(iter(evidence.baselines.values()))
        if output.name not in naive or not output.told(evidence.truth).any():
            return Verdict(name, True, f"{output.name} is not compared: no held-out example tells it")
        gain = bootstrap.gain(metric, evidence.truth, evidence.answers, naive, evidence.seed)
        reason = (
            f"{metric.name} better than the naive baseline by {gain.value:.4g}, 95% interval {gain.low:.4g} to "
            f"{gain.high:.4g}; the upper bound must reach 0"
        )
        return Verdict(name, bool(gain.high >= 0), reason, {"gain": gain.value, "low": gain.low, "high": gain.high})

    return gate
