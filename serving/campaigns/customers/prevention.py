"""Whom to keep, by what: the intervention with the most expected saved value above its cost, within a budget.

What an intervention saves is predicted by an uplift model where it was tried at random before. Where it was not, a
share of the value at stake is assumed, and it is tried only where the churn model recommends its kind. A random share
of those chosen gets nothing, so that the next plan knows more.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from serving.campaigns.customers.interventions import PreventionPolicy
from serving.experiments.trials.assignment import position

#: The arm of customers who would get an intervention and get none.
HOLDOUT = "holdout"
#: Columns of a plan.
COLUMNS = (
    "customer_id",
    "occurred_at",
    "trigger",
    "risk",
    "value",
    "at_stake",
    "intervention",
    "evidence",
    "saved",
    "cost",
    "arm",
    "propensity",
    "reason",
)


def triggered(customers: pd.DataFrame, policy: PreventionPolicy) -> pd.DataFrame:
    """The customers whose risk or engagement calls for something, with the name of the trigger.

    Args:
        customers: a row a customer: `customer_id`, `risk`, `value`, `engagement` (the recent share of the earlier use;
            missing where it is unknown).
    """
    rules = [
        (customers["risk"] >= policy.high, "churn_high"),
        (customers["risk"] >= policy.medium, "churn_medium"),
        (customers["engagement"] < policy.engagement, "declining_engagement"),
    ]
    found = np.select([rule.to_numpy() for rule, _ in rules], [name for _, name in rules], default="")
    return customers.assign(trigger=found)[found != ""]


def planned(
    calling: pd.DataFrame, uplift: Mapping[str, "pd.Series[float]"], policy: PreventionPolicy, at: pd.Timestamp
) -> pd.DataFrame:
    """The plan, a row a customer who would get an intervention, the largest gain for its cost first.

    Args:
        calling: as `triggered` gives them, and what the churn model has `recommended`.
        uplift: by intervention, the value that it is predicted to save for each customer, on the same index.
    """
    some = calling.assign(at_stake=calling["risk"] * calling["value"])
    saved = pd.DataFrame({name: _saved(some, uplift, policy, name) for name in policy.interventions}, index=some.index)
    costs = pd.Series({name: one.cost for name, one in policy.interventions.items()})
    gains = saved - costs
    worth = gains.max(axis=1) > 0
    some, saved, gains = some[worth], saved[worth], gains[worth]
    chosen = gains.idxmax(axis=1) if len(gains) else pd.Series(dtype=object, index=some.index)
    rows = some.assign(
        occurred_at=at,
        intervention=chosen,
        evidence=chosen.map(lambda name: "measured" if name in uplift else "assumed"),
        saved=saved.to_numpy()[np.arange(len(saved)), saved.columns.get_indexer(pd.Index(chosen))],
        cost=chosen.map(costs).astype(float),
    )
    return _assigned(_within(rows, policy.budget), policy, at)[list(COLUMNS)].reset_index(drop=True)


def _saved(
    some: pd.DataFrame, uplift: Mapping[str, "pd.Series[float]"], policy: PreventionPolicy, name: str
) -> "pd.Series[float]":
    """What an intervention is expected to save; nothing where it is neither measured nor recommended."""
    if name in uplift:
        return uplift[name].reindex(some.index)
    one = policy.interventions[name]
    found: pd.Series[float] = (one.saves * some["at_stake"]).where(some["recommended"] == one.strategy, 0.0)
    return found


def _within(rows: pd.DataFrame, budget: float) -> pd.DataFrame:
    """The rows that bring most for their cost, as far as the budget goes; a holdout costs what it would."""
    ranked = rows.assign(ratio=(rows["saved"] - rows["cost"]) / rows["cost"].clip(lower=1e-9))
    ranked = ranked.sort_values(["ratio", "customer_id"], ascending=[False, True])
    return ranked[ranked["cost"].cumsum() <= budget]


def _assigned(rows: pd.DataFrame, policy: PreventionPolicy, at: pd.Timestamp) -> pd.DataFrame:
    """Hold a random share out: by a hash of day and customer, so that the same plan has the same holdout."""
    place = position(f"prevention {at.date()}", rows["customer_id"].astype(str))
    held = place < policy.holdout
    return rows.assign(
        arm=np.where(held, HOLDOUT, rows["intervention"]),
        propensity=np.where(held, policy.holdout, 1 - policy.holdout),
        reason=[_reason(row, out) for row, out in zip(rows.to_dict("records"), held, strict=True)],
    )


def _reason(row: Mapping[Any, Any], held: bool) -> str:
    """Why a customer gets an intervention, or none."""
    why = (
        f"use fell to {row['engagement']:.0%} of before"
        if row["trigger"] == "declining_engagement"
        else f"churn probability {row['risk']:.2f}"
    )
    what = f"{row['intervention']}, {row['evidence']} to save {row['saved']:.2f} for {row['cost']:.2f}"
    return f"{why}, {row['at_stake']:.2f} at stake: {f'held out from {what}' if held else what}"
