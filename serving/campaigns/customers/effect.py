"""What interventions changed, from the customers held out, and what each unit of their cost brought."""

from dataclasses import dataclass

import pandas as pd

from models.evaluation.attribution.holdout import holdout_lift
from models.evaluation.bootstrap import Interval
from serving.campaigns.customers.prevention import HOLDOUT


@dataclass(frozen=True)
class PreventionEffect:
    """The effect of an intervention, or of all together, with 95% intervals.

    Attributes:
        retention: share of customers who stayed, above that of those held out.
        value: value a customer above theirs.
        saved: the same over all who got it.
        roi: saved value above the cost, per unit of the cost; None where it cost nothing.
    """

    intervention: str
    customers: int
    held_out: int
    retention: Interval
    value: Interval
    saved: Interval
    cost: float
    roi: Interval | None


def effects(plan: pd.DataFrame) -> list[PreventionEffect]:
    """All interventions together, then each for which enough customers were held out.

    Args:
        plan: rows of past plans with what came of them: `stayed` (0 or 1) and `bought`, the value since.

    Raises:
        ValueError: too few customers were held out; says how many.
    """
    if plan.empty:
        raise ValueError("effect: expected a plan whose days are over, got none; adloop prevent keeps one")
    found = [_effect("all", plan)]
    for name, rows in plan.groupby("intervention"):
        if min((rows["arm"] == HOLDOUT).sum(), (rows["arm"] != HOLDOUT).sum()) >= 30:
            found.append(_effect(str(name), rows))
    return found


def _effect(name: str, rows: pd.DataFrame) -> PreventionEffect:
    retention, value = (holdout_lift(_sums(rows, outcome)) for outcome in ("stayed", "bought"))
    acted = rows[rows["arm"] != HOLDOUT]
    saved, cost = value.over(len(acted)), float(acted["cost"].sum())
    roi = None
    if cost > 0:
        roi = Interval(*((one - cost) / cost for one in (saved.value, saved.low, saved.high)))
    return PreventionEffect(name, value.reached, value.held_out, retention.value, value.value, saved, cost, roi)


def _sums(rows: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Sums of an outcome by whether anything was done."""
    arm = rows["arm"].where(rows["arm"] == HOLDOUT, "acted")
    told = pd.DataFrame({"arm": arm, "total": rows[outcome].astype(float)})
    return told.assign(units=1.0, squares=told["total"] ** 2)
