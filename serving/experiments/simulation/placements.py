"""A simulated day of placements: the endpoint chooses creatives, and the market's true rates decide who clicks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.simulator.creatives import AUDIENCES, CHANNELS, CreativeMarket
from features.simulator.market import Floats
from models.evaluation.bootstrap import SAMPLES
from serving.decisions.records import Action
from serving.experiments.simulation.advertisers import HOURS
from serving.experiments.simulation.client import Client
from serving.experiments.simulation.records import CreativeDay, Estimate
from serving.experiments.simulation.statistics import estimate

ACCOUNT = "simulated-creatives"
#: Placements of each campaign on the day, seen by that many customers.
PLACEMENTS, CUSTOMERS = 240, 120


@dataclass(frozen=True)
class Placed:
    """One campaign's day: true click rates of (placements, candidates), and the places of the chosen ones, -1 for none.

    Attributes:
        clicked: of each placement.
    """

    campaign_id: str
    rates: Floats
    chosen: Any
    clicked: Any


def play(client: Client, market: CreativeMarket, began: float, seed: int, version: str) -> CreativeDay:
    """Let the endpoint choose creatives for a day after the market's log, and report what came of it.

    Args:
        began: start of the day in Unix seconds by the caller's clock.
    """
    arms, placed = Counter[str](), list[Placed]()
    for campaign in range(market.campaigns):
        candidates = _running(market, campaign)
        if len(candidates) > 1:
            placed.append(_campaign(client, market, candidates, began, np.random.default_rng([seed, campaign]), arms))
    return _day(placed, arms, seed, version)


def _running(market: CreativeMarket, campaign: int) -> list[str]:
    """The creatives of a campaign that are shown on the day after the log."""
    those = [(name, one) for name, one in market.all.items() if one.campaign == campaign]
    return [name for name, one in those if one.first_day + one.days > market.days]


def _campaign(
    client: Client,
    market: CreativeMarket,
    candidates: Sequence[str],
    began: float,
    rng: np.random.Generator,
    arms: Counter[str],
) -> Placed:
    name = f"market-{market.all[candidates[0]].campaign:02d}"
    channels, audiences = (rng.choice(list(names), PLACEMENTS).tolist() for names in (CHANNELS, AUDIENCES))
    customers = rng.integers(0, CUSTOMERS, PLACEMENTS).tolist()
    at = np.sort(rng.uniform(0, 86_400, PLACEMENTS))
    rates = np.column_stack(
        [market.click_rate([one] * PLACEMENTS, channels, audiences, market.days) for one in candidates]
    )
    luck, chosen = rng.random(PLACEMENTS), np.full(PLACEMENTS, -1)
    for hour in range(HOURS):
        rows = np.flatnonzero(at // 3600 == hour).tolist()
        asked = [
            {
                "asked": "creative",
                "opportunity_id": f"place-{name}-{row}",
                "occurred_at": began + float(at[row]),
                "account_id": ACCOUNT,
                "campaign_id": name,
                "channel": channels[row],
                "audience": audiences[row],
                "customer_id": f"{name}-{customers[row]}",
                "candidates": {one: {} for one in candidates},
            }
            for row in rows
        ]
        made = client.decide(asked)
        for row, decision in zip(rows, made, strict=True):
            arms[decision["arm"]] += 1
            if decision["action"] == Action.SHOW_CREATIVE:
                chosen[row] = candidates.index(decision["target"])
        clicked = luck < np.where(chosen >= 0, rates[np.arange(PLACEMENTS), chosen], 0.0)
        client.tell([event for row, one in zip(rows, made, strict=True) for event in _came(one, bool(clicked[row]))])
    return Placed(name, rates, chosen, clicked)


def _came(decision: dict[str, Any], clicked: bool) -> list[dict[str, Any]]:
    if decision["action"] != Action.SHOW_CREATIVE:
        return []
    kinds = ("impression", "click") if clicked else ("impression",)
    about = {"account_id": ACCOUNT, "decision_id": decision["decision_id"], "occurred_at": decision["decided_at"]}
    return [{**about, "event_id": f"{kind}-{decision['opportunity_id']}", "kind": kind} for kind in kinds]


def _day(placed: Sequence[Placed], arms: Counter[str], seed: int, version: str) -> CreativeDay:
    """The result: expected clicks of the chosen creatives, of equal rotation and of the best one each time."""
    shown = [one.chosen >= 0 for one in placed]
    kept = [(one.rates[seen], one.chosen[seen]) for one, seen in zip(placed, shown, strict=True)]
    ours = np.array([rates[np.arange(len(rates)), chosen].sum() for rates, chosen in kept])
    equal, best = (np.array([found(rates, axis=1).sum() for rates, _ in kept]) for found in (np.mean, np.max))
    counts = np.array([float(seen.sum()) for seen in shown])
    weights = np.random.default_rng([seed, 3]).multinomial(len(placed), np.full(len(placed), 1 / len(placed)), SAMPLES)
    return CreativeDay(
        version=version,
        placements=sum(len(one.chosen) for one in placed),
        clicks=int(sum(one.clicked.sum() for one in placed)),
        rates={
            one.campaign_id: (float(a / n), float(b / n), float(c / n))
            for one, a, b, c, n in zip(placed, ours, equal, best, counts, strict=True)
        },
        against_equal=_ratio(ours, equal, weights),
        of_best=_ratio(ours, best, weights),
        arms=dict(arms.most_common()),
    )


def _ratio(above: Floats, below: Floats, weights: Any) -> Estimate:
    return estimate(above.sum() / below.sum(), (weights @ above) / (weights @ below))
