"""Builds the record of a simulation from its counts."""

from collections.abc import Mapping, Sequence

import numpy as np

from features.simulator.market import Floats
from models.evaluation.bootstrap import SAMPLES
from serving.experiments.simulation.account import BidderAccount
from serving.experiments.simulation.client import speed
from serving.experiments.simulation.records import CreativeDay, Estimate, SimulatedCampaign, Simulation
from serving.experiments.simulation.statistics import estimate
from serving.experiments.simulation.traffic import SimulatedTraffic


def of(
    traffic: SimulatedTraffic,
    rules: Sequence[BidderAccount],
    limits: dict[str, float],
    seed: int,
    days: int,
    versions: Mapping[str, str],
    settled: bool,
    seconds: float,
    creatives: CreativeDay | None = None,
) -> Simulation:
    """The record."""
    accounts = [traffic.account, *rules]
    weights = _weights(len(traffic.advertisers), seed)
    bought = {one.bidder: (one.total("worth"), one.total("spend")) for one in accounts}
    ours, budget = bought[traffic.account.bidder], sum(one.budget for one in traffic.advertisers) * days
    return Simulation(
        seed=seed,
        days=days,
        versions=versions,
        campaigns=tuple(
            SimulatedCampaign(
                one.account_id, one.campaign_id, one.budget, limits[one.account_id], one.target_cpc, one.constant
            )
            for one in traffic.advertisers
        ),
        hours=tuple(hour for one in accounts for hour in one.hours()),
        spend_of_budget={one.bidder: float(one.total("spend").sum() / budget) for one in accounts},
        worth_per_spend={name: _ratio(*parts, weights) for name, parts in bought.items()},
        value_per_spend={one.bidder: _ratio(one.total("value"), one.total("spend"), weights) for one in accounts},
        against={one.bidder: _against(ours, bought[one.bidder], weights) for one in rules},
        alone=speed(traffic.client.alone),
        batched=speed(traffic.client.batched),
        guardrails=dict(traffic.guardrails.most_common()),
        arms=dict(traffic.arms.most_common()),
        actions=dict(traffic.actions.most_common()),
        carried_out=traffic.carried_out,
        feedback=dict(traffic.client.feedback),
        overspent=tuple(traffic.account.overspent(limits)),
        settled=settled,
        seconds=seconds,
        creatives=creatives,
    )


def _weights(campaigns: int, seed: int) -> Floats:
    """How often each bootstrap sample drew each campaign (Efron, 1979)."""
    rng = np.random.default_rng([seed, 2])
    return rng.multinomial(campaigns, np.full(campaigns, 1 / campaigns), SAMPLES).astype(np.float64)


def _ratio(above: Floats, below: Floats, weights: Floats) -> Estimate:
    return estimate(_divided(above.sum(), below.sum()), _divided(weights @ above, weights @ below))


def _against(ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats], weights: Floats) -> Estimate:
    def times(weight: Floats) -> Floats:
        return _divided(_divided(weight @ ours[0], weight @ ours[1]), _divided(weight @ theirs[0], weight @ theirs[1]))

    return estimate(times(np.ones(weights.shape[1])), times(weights))


def _divided(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(above, below))
