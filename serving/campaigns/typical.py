"""First bids from like campaigns: what a click is worth at the goal, and what the budget buys, with intervals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.campaign_history import history
from features.tables import Tables
from serving.campaigns.plan import CampaignPlan

if TYPE_CHECKING:
    import pandas as pd

#: Conversions below which a campaign tells nothing, and campaigns below which there is no typical one.
CONVERSIONS, CAMPAIGNS = 10, 3
LEVEL = 0.9


@dataclass(frozen=True)
class FirstBid:
    """The first bid of an ad group.

    Attributes:
        bid: None where neither plan nor data has one.
        low, high: 90% interval of what a click of a new campaign like those is worth at the goal; None without data.
        daily: conversions a day that the budget buys, and `daily_low`, `daily_high`; None without data.
        source: where the bid comes from, as people read it.
    """

    bid: float | None
    source: str
    low: float | None = None
    high: float | None = None
    daily: float | None = None
    daily_low: float | None = None
    daily_high: float | None = None


@dataclass(frozen=True)
class TypicalCampaign:
    """Conversion rate of clicks and cost of a conversion of like campaigns: the median, and a 90% interval of another
    one's."""

    rate: tuple[float, float, float]
    cost: tuple[float, float, float]
    campaigns: int


def first_bids(plan: CampaignPlan, tables: Tables | None) -> dict[str, FirstBid]:
    """The first bid of each ad group, by `platform/ad group`. The plan's own bids stay; `limits.bid` bounds all."""
    found = dict[str, FirstBid]()
    for platform, group in plan.groups():
        typical, why = (None, "no data") if tables is None else _typical(tables, platform)
        worth = None if typical is None else _worth(plan, typical)
        found[f"{platform}/{group.name}"] = _first(plan, platform, group.bid, typical, worth, why)
    return found


def bids(found: Mapping[str, FirstBid]) -> dict[str, float]:
    """The bids that there are."""
    return {name: one.bid for name, one in found.items() if one.bid is not None}


def _first(
    plan: CampaignPlan,
    platform: str,
    own: float | None,
    typical: TypicalCampaign | None,
    worth: tuple[float, float, float] | None,
    why: str,
) -> FirstBid:
    if typical is None or worth is None:
        return FirstBid(own, f"the plan's own; not enough data: {why}" if own else f"not enough data: {why}")
    most = plan.limits.bid or math.inf
    daily = plan.budget.daily * plan.share(platform)
    number, low, high = (daily / one for one in (typical.cost[0], typical.cost[2], typical.cost[1]))
    said = f"{typical.campaigns} like campaigns"
    bid, source = (own, f"the plan's own, beside {said}") if own else (round(min(worth[0], most), 2), said)
    return FirstBid(bid, source, worth[1], worth[2], number, low, high)


def _worth(plan: CampaignPlan, typical: TypicalCampaign) -> tuple[float, float, float] | None:
    """What a click is worth: conversion rate times the goal's cost. A return on ad spend says nothing of clicks."""
    goal = plan.goal.cost_per_conversion
    return None if goal is None else tuple(goal * one for one in typical.rate)  # type: ignore[return-value]


def _typical(tables: Tables, platform: str) -> tuple[TypicalCampaign | None, str]:
    """Like campaigns: those of the platform's channel where the table names it, else all."""
    try:
        found = history(tables, "campaign")
    except LookupError as missing:
        return None, str(missing)
    same = found[found["channel"] == platform]
    like = same if len(same) else found
    like = like[(like["conversions"] >= CONVERSIONS) & (like["clicks"] > 0) & (like["spend"] > 0)]
    if len(like) < CAMPAIGNS:
        return None, f"{len(like)} like campaigns with {CONVERSIONS} conversions, {CAMPAIGNS} needed"
    rates, costs = like["conversions"] / like["clicks"], like["spend"] / like["conversions"]
    return TypicalCampaign(predicted(rates), predicted(costs), len(like)), ""


def predicted(seen: "pd.Series[float]") -> tuple[float, float, float]:
    """Median of a log-normal, and the prediction interval of one more."""
    from scipy.special import stdtrit  # takes a twentieth of the start of a server, and of drafts alone

    logs = seen.map(math.log)
    count = len(logs)
    wide = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * float(logs.std()) * math.sqrt(1 + 1 / count)
    mean = float(logs.mean())
    return math.exp(mean), math.exp(mean - wide), math.exp(mean + wide)
