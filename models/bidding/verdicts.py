"""Release gates of bidding, in addition to the common ones."""

import pandas as pd

from models.bidding.metrics import CALIBRATION, paid
from models.evaluation import bootstrap
from models.evaluation.gates import Evidence, Verdict

#: Tolerance for rounding, as a share of an episode's budget.
ROUNDING = 1e-9
#: Tolerated range of the ratio of realized to expected value.
TOLERANCE = 0.2


def never_overspends(evidence: Evidence) -> Verdict:
    """No episode costs more than its budget, for the bids of the policy."""
    spent = pd.Series(paid(evidence.truth, evidence.answers), index=evidence.truth.index)
    use = spent.groupby(evidence.truth["episode"]).mean()
    over = int((use > 1 + ROUNDING).sum())
    return Verdict(
        "never_overspends",
        over == 0,
        f"{over} of {len(use)} episodes spent more than their budget (at most {use.max():.1%}); none may",
        {"over": float(over), "most": float(use.max())},
    )


def value_is_calibrated(evidence: Evidence) -> Verdict:
    """The ratio of realized to expected value of all auctions is not significantly outside the tolerance."""
    ratio = bootstrap.interval(CALIBRATION, evidence.truth, evidence.answers, evidence.seed)
    low, high = 1 - TOLERANCE, 1 / (1 - TOLERANCE)
    return Verdict(
        "value_is_calibrated",
        bool(ratio.high >= low and ratio.low <= high),
        f"realized value is {ratio.value:.2f} of expected value, 95% interval {ratio.low:.2f} to {ratio.high:.2f}; "
        f"it must reach {low:.2f} to {high:.2f}",
        {"ratio": ratio.value, "low": ratio.low, "high": ratio.high},
    )
