"""LTV: what a customer will spend, how sure that is, and the risk of spending nothing."""

import pandas as pd

from features.examples import value_examples
from models.evaluation import gates
from models.family import Family
from models.ltv.baselines import bg_nbd_gamma_gamma, past_spend
from models.ltv.fit import ENTITY, LABEL, fit
from models.ltv.metrics import METRICS
from models.ltv.model import ValueModel
from models.ltv.params import LtvParams

#: The share of customers who get the treatment of good customers: the decision that must be fair.
BEST = 0.2


def _best(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Who is among the most valuable, in truth or by the answers."""
    return frame["value"] > frame["value"].quantile(1 - BEST)


FAMILY = Family(
    name="ltv",
    entity=ENTITY,
    feature_service="ltv_v1",
    label=LABEL,
    examples=value_examples,
    params=LtvParams,
    fit=fit,
    load=ValueModel.load,
    baselines={"past_spend": past_spend, "bg_nbd_gamma_gamma": bg_nbd_gamma_gamma},
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_worse_than_champion,
        gates.covers("value", "value_low", "value_high", 0.8),
        gates.fair(_best, _best),
        gates.no_leak,
    ),
)
