"""What LTV adds to the gates that all families share."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.evaluation import bootstrap, gates, metrics
from models.evaluation.gates import Evidence, Gate, Verdict

#: The share of customers who get the treatment of good customers: the decision that must be fair.
BEST = 0.2
#: Bands of the predicted value, by rank, whose coverage is told apart.
BANDS = 10


def best(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Who is among the most valuable, in truth or by the answers."""
    return frame["value"] > frame["value"].quantile(1 - BEST)


def risk_is_calibrated(evidence: Evidence) -> Verdict:
    """As many customers lapse, spending nothing over the horizon, as `churn_risk` says will."""
    lapsed = pd.DataFrame({"lapsed": (evidence.truth["value"] <= 0).astype(float)})
    return gates.calibrated("lapsed", "churn_risk")(replace(evidence, truth=lapsed))


def covers_spend(level: float, tolerance: float = 0.05) -> Gate:
    """A gate: intervals hold what is spent `level` of the time, give or take `tolerance`, beyond noise.

    An interval that begins at 0 holds whoever buys nothing. Where that is more than `level` of a shop's customers, no
    interval could hold fewer: too wide are only those of customers whose `churn_risk` is below `level`.
    """
    metric = metrics.coverage("value", "value_low", "value_high", level)

    def gate(evidence: Evidence) -> Verdict:
        truth, answers = evidence.truth, evidence.answers
        share = bootstrap.interval(metric, truth, answers, evidence.seed)
        open_ = (answers["churn_risk"] < level).to_numpy()
        width = bootstrap.interval(metric, truth[open_], answers[open_], evidence.seed) if open_.any() else share
        by_band = coverage_by_band(truth, answers)
        reason = (
            f"the {level:.0%} interval holds {share.value:.1%} of the truth, 95% interval {share.low:.1%} to "
            f"{share.high:.1%}; it must reach {level - tolerance:.0%}. Of the {open_.mean():.0%} of customers whose "
            f"churn_risk is below {level:.0%} it holds {width.value:.1%}, {width.low:.1%} to {width.high:.1%}; "
            f"{level + tolerance:.0%} must be reached from below. By bands of value it holds {by_band.min():.1%} to "
            f"{by_band.max():.1%}"
        )
        unbounded = float(np.isinf(answers["value_high"]).mean())
        if unbounded:
            reason += f". {unbounded:.0%} have no upper end: too few customers to learn one from"
        figures = {"coverage": share.value, "low": share.low, "high": share.high, "worst_band": float(by_band.min())}
        passed = share.high >= level - tolerance and width.low <= level + tolerance
        return Verdict("covers", bool(passed), reason, {**figures, "open": width.value, "unbounded": unbounded})

    return gate


def coverage_by_band(truth: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """The share of truths within their intervals in each band of the predicted value, lowest first."""
    within = truth["value"].between(answers["value_low"], answers["value_high"])
    ranks = answers["value"].rank(method="first", pct=True)
    return within.astype(float).groupby(np.ceil(ranks * min(BANDS, len(answers)))).mean()
