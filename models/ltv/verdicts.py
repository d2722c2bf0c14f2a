"""Release gates of LTV, in addition to the common ones."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.evaluation import bootstrap, gates, metrics
from models.evaluation.gates import Evidence, Gate, Verdict

#: Share of customers treated as valuable: the decision that must be fair.
BEST = 0.2
#: Bands of the predicted value, by rank, whose coverage is reported.
BANDS = 10


def best(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Customers in the top share, by truth or by answers."""
    return frame["value"] > frame["value"].quantile(1 - BEST)


def risk_is_calibrated(evidence: Evidence) -> Verdict:
    """A gate: `churn_risk` is calibrated to the share of customers without spend over the horizon."""
    lapsed = pd.DataFrame({"lapsed": (evidence.truth["value"] <= 0).astype(float)})
    return gates.calibrated("lapsed", "churn_risk")(replace(evidence, truth=lapsed))


def covers_spend(level: float, tolerance: float = 0.05) -> Gate:
    """A gate: intervals contain the spend `level` of the time, within `tolerance` and statistical noise.

    Intervals that begin at 0 contain all customers without spend. Where these are more than `level` of the customers,
    no interval could contain fewer, so the upper limit of coverage only applies to customers with `churn_risk` below
    `level`.
    """
    metric = metrics.coverage("value", "value_low", "value_high", level)

    def gate(evidence: Evidence) -> Verdict:
        truth, answers = evidence.truth, evidence.answers
        share = bootstrap.interval(metric, truth, answers, evidence.seed)
        open_ = (answers["churn_risk"] < level).to_numpy()
        width = bootstrap.interval(metric, truth[open_], answers[open_], evidence.seed) if open_.any() else share
        by_band = coverage_by_band(truth, answers)
        reason = (
            f"the {level:.0%} interval contains {share.value:.1%} of the truth, 95% interval {share.low:.1%} to "
            f"{share.high:.1%}; it must reach {level - tolerance:.0%}. For the {open_.mean():.0%} of customers with "
            f"churn_risk below {level:.0%} it contains {width.value:.1%}, {width.low:.1%} to {width.high:.1%}; "
            f"the lower end must not exceed {level + tolerance:.0%}. By bands of value it contains "
            f"{by_band.min():.1%} to {by_band.max():.1%}"
        )
        unbounded = float(np.isinf(answers["value_high"]).mean())
        if unbounded:
            reason += f". {unbounded:.0%} have no upper end: too few customers to estimate one"
        figures = {"coverage": share.value, "low": share.low, "high": share.high, "worst_band": float(by_band.min())}
        passed = share.high >= level - tolerance and width.low <= level + tolerance
        return Verdict("covers", bool(passed), reason, {**figures, "open": width.value, "unbounded": unbounded})

    return gate


def coverage_by_band(truth: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """The share of truths within their intervals in each band of the predicted value, lowest first."""
    within = truth["value"].between(answers["value_low"], answers["value_high"])
    ranks = answers["value"].rank(method="first", pct=True)
    return within.astype(float).groupby(np.ceil(ranks * min(BANDS, len(answers)))).mean()
