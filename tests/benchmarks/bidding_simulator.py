"""Bidding for conversions on the simulator: value for money beside the baselines, also at prices never trained on."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from features.simulator.campaigns import Shift
from features.simulator.opportunities import Simulator
from models.bidding import market
from models.bidding.auctions import ARRAYS, Episodes, Floats, join
from models.bidding.dqn.training import Schedule
from models.bidding.environment import Policy
from models.bidding.evaluation import Comparison, compare
from models.bidding.fit import FITS, RATIOS, TrainingData, best, held_out
from models.bidding.frame import ENTITY
from models.bidding.model import BiddingModel, CampaignPrices
from models.bidding.observation import Observation
from models.bidding.policies.linear import Linear
from models.bidding.shading import priced
from models.bidding.simulation import episodes
from models.bidding.training import DRIVEN_BY, made
from tests.benchmarks import bidding_market

#: The campaigns with enough conversions a day to learn their value from a log of `LEARN` days.
CAMPAIGNS = ("2997", "search")
#: Days that are learnt from, days after them that are reported on, and auctions a day: an episode.
LEARN, TEST, AUCTIONS = 100, 100, 1000
SEED = 1
SCHEDULE = Schedule(rounds=3, episodes=6, steps=200)
OTHERS = ("linear", "mcpc", "constant", "pid", "ortb", "rlb")
#: What is released, among the policies that are compared; and days of which the feature service knows the prices.
RELEASED, WEEK = "released", 7
#: What the days learnt from had none of: prices a third higher, on mobile and in the evening half as much again.
SHIFTS = (
    Shift(from_day=LEARN, price=4 / 3),
    Shift(from_day=LEARN, price=1.5, channel="mobile"),
    Shift(from_day=LEARN, price=1.5, hours=(18, 23)),
)
KINDS: Mapping[str, tuple[Shift, ...]] = {"": (), "shifted.": SHIFTS}


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Rows of the policy that is released by held-out parts of the days learnt from; budgets are those of `RATIOS`.

    It bids as it ships: it keeps what is not worth spending, and knows the prices of the week up to the night before.
    The others bid as the field has them. What is learnt from are conversions as they came. What is reported is what
    winning brings on average by the true chances, which the simulator alone knows. Budgets are the same amounts before
    and after a shift.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = TrainingData(drawn(0, LEARN), SEED, Path(folder) / "second", schedule=SCHEDULE)
        told = second_price(data)
        shading = first_price(data, replace(data, checkpoint=Path(folder) / "first", pricing="first"))
        branches = branching(data, FITS["dqn"](whole(data)))
    return [*bidding_market.rows(), *told, *shading, *branches]


def second_price(data: TrainingData) -> list[dict[str, Any]]:
    """Rows of what is released beside the field's rules, on days as before and on days with a shift."""
    released = best(held_out(data))
    model = made(released, FITS[released](data), data, pd.DataFrame(columns=[ENTITY, *DRIVEN_BY]))
    policies = {name: FITS[name](data) for name in OTHERS}
    return [row for kind in KINDS for row in figures(kind, data, policies, model)]


def drawn(first_day: int, days: int, shifts: tuple[Shift, ...] = (), expected: bool = False) -> Episodes:
    """Days of all campaigns."""
    simulators = [Simulator.published(name, SEED, shifts) for name in CAMPAIGNS]
    return join([episodes(one, days, AUCTIONS, first_day, expected) for one in simulators])


class Shipped:
    """A model that is told, in each line of a replay, what the feature service knows of the week before its day."""

    def __init__(self, model: BiddingModel, test: Episodes, before: Episodes) -> None:
        self.model = model
        price = np.empty(len(test))
        for name in test.campaigns:
            days = np.concatenate([before.of(name).market_price[-WEEK:], test.of(name).market_price]).mean(axis=1)
            price[test.campaign == name] = np.convolve(days, np.full(WEEK, 1 / WEEK), "valid")[:-1]
        self.known = CampaignPrices.of_arrays(
            np.tile(price, len(RATIOS)), np.full(len(RATIOS) * len(test), float(WEEK * AUCTIONS))
        )

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return self.model.bid(seen, self.known)


def figures(kind: str, data: TrainingData, others: Mapping[str, Policy], model: BiddingModel) -> list[dict[str, Any]]:
    """Rows on days with the shifts of one kind."""
    test = drawn(LEARN, TEST, KINDS[kind], expected=True)
    policies = {**others, RELEASED: Shipped(model, test, data.episodes)}
    compared = compare(policies, test, data.markets, RATIOS, SEED)
    found: dict[str, dict[str, Any]] = {
        f"value_per_spend_vs_{other}": vars(compared.per_spend(RELEASED, other)) for other in OTHERS
    }
    found["value_per_spend_vs_linear"] |= {"goal": ">= 1"}
    found["value_vs_linear"] = vars(compared.values(RELEASED, "linear"))
    budget = market.budgets(data.markets, test, RATIOS)
    use = {name: float(compared.outcomes[name].cost.sum() / budget.sum()) for name in (RELEASED, "linear")}
    found["budget_use"] = {"value": use[RELEASED], "baseline": use["linear"]}
    found["budget_use"]["unit"] = f"of the budgets by {model.about.policy}; baseline linear"
    return _told(kind, found | {"overspent": _overspent(compared, budget)}, model.about.policy, test)


def first_price(second: TrainingData, first: TrainingData) -> list[dict[str, Any]]:
    """The same days where winners pay what they bid.

    Beside what is released for such auctions: the same policy as it is fitted for second-price auctions, unshaded, and
    the linear bid, its factor tuned on first-price auctions, unshaded.
    """
    test = drawn(LEARN, TEST, expected=True)
    released = best(held_out(first))
    unshaded = {name: known.model_copy(update={"shades": ()}) for name, known in first.markets.items()}
    policies: dict[str, Policy] = {
        "shaded": priced(FITS[released](first), first.markets),
        "unshaded": FITS[released](second),
        "linear": Linear.fit(first.episodes, unshaded, RATIOS),
    }
    compared = compare(policies, test, first.markets, RATIOS, SEED, "first")
    found = {
        f"{what}_vs_{other}": vars(measure("shaded", other))
        for what, measure in (("value", compared.values), ("value_per_spend", compared.per_spend))
        for other in ("unshaded", "linear")
    }
    over = _overspent(compared, market.budgets(first.markets, test, RATIOS))
    return _told("first_price.", found | {"overspent": over}, released, test)


def whole(data: TrainingData) -> TrainingData:
    """The same log, its channels untold."""
    learn = data.episodes
    alone = replace(learn, channel=np.zeros_like(learn.channel), channels=("",))
    return replace(data, episodes=alone, checkpoint=data.checkpoint.with_name("whole"))


def branching(data: TrainingData, one: Policy) -> list[dict[str, Any]]:
    """The network with a branch for each channel beside the one with a single turn, of the same seed and schedule."""
    test = drawn(LEARN, TEST, expected=True)
    compared = compare({"branched": FITS["dqn"](data), "whole": one}, test, data.markets, RATIOS, SEED)
    found = {"dqn_branched_vs_whole": vars(compared.values("branched", "whole"))}
    return _told("", found, "dqn", test)


def _overspent(compared: Comparison, budget: Floats) -> dict[str, Any]:
    over = sum(int((outcome.cost > budget).sum()) for outcome in compared.outcomes.values())
    return {"value": float(over), "goal": "<= 0", "unit": "episodes, of all policies"}


def _told(kind: str, found: Mapping[str, Mapping[str, Any]], released: str, test: Episodes) -> list[dict[str, Any]]:
    about = {
        "unit": f"of the other's by {released}, expected conversion value",
        "seed": SEED,
        "data_hash": digest(test),
    }
    return [{"name": f"bidding.simulator.{kind}{name}", **about, **figure} for name, figure in found.items()]


def digest(test: Episodes) -> str:
    """Of the episodes that are reported on."""
    arrays = [np.ascontiguousarray(getattr(test, name)) for name in ARRAYS if name != "campaign"]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]
