"""What LTV adds to the gates that all families share."""

from dataclasses import replace

import pandas as pd

from models.evaluation import gates
from models.evaluation.gates import Evidence, Verdict

#: The share of customers who get the treatment of good customers: the decision that must be fair.
BEST = 0.2


def best(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Who is among the most valuable, in truth or by the answers."""
    return frame["value"] > frame["value"].quantile(1 - BEST)


def risk_is_calibrated(evidence: Evidence) -> Verdict:
    """As many customers lapse, spending nothing over the horizon, as `churn_risk` says will."""
    lapsed = pd.DataFrame({"lapsed": (evidence.truth["value"] <= 0).astype(float)})
    return gates.calibrated("lapsed", "churn_risk")(replace(evidence, truth=lapsed))
