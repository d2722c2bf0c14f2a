"""Simulated advertisers: campaigns drawn from the published ones, with budgets, targets and account limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.simulator.market import Floats
from features.simulator.opportunities import SimulatedAuctions, Simulator, join
from features.simulator.published import PUBLISHED

#: Campaigns per account.
TOGETHER = 4
#: Range of daily budgets as shares of the cost of winning everything, log-uniform.
LEAST, MOST = 1 / 16, 1 / 4
#: Range of an account's daily limit as a share of its campaigns' budgets; sometimes it binds.
ACCOUNT = 0.97
#: First simulated day, after the log that bidding learns from. An advertiser knows the week before.
FIRST_DAY, WEEK = 28, 7
HOURS = 24
#: Settings of a rule that an advertiser tries, as multiples of the one that bids the mean price for the mean
#: impression.
SETTINGS = np.geomspace(0.05, 8, 80)


@dataclass(frozen=True)
class Advertiser:
    """A simulated campaign; money in the simulator's unit.

    Attributes:
        campaign_id: the published campaign it is drawn from.
        budget: daily budget.
        target_cpc: target cost per click: the factor of the advertiser's linear rule.
        constant: bid of the constant rule.
        expected: auctions per hour in the week before, of (7, 24) from Monday.
    """

    account_id: str
    campaign_id: str
    simulator: Simulator
    budget: float
    target_cpc: float
    constant: float
    expected: Floats


def drawn(names: Sequence[str], count: int, seed: int) -> list[Advertiser]:
    """Draw campaigns, each at most once per account, and tune them on the week before the simulation.

    Raises `ValueError` for a count below 1.
    """
    if count < 1:
        raise ValueError(f"campaigns: expected at least 1, got {count}")
    rng, found = np.random.default_rng([seed, 1]), list[Advertiser]()
    together = min(TOGETHER, len(names))
    for account in range(-(-count // together)):
        for name in rng.permutation(sorted(names))[:together].tolist():
            budget = float(np.exp(rng.uniform(np.log(LEAST), np.log(MOST))))
            found.append(_advertiser(f"simulated-{account}", name, budget, seed + account))
    return found[:count]


def limits(advertisers: Sequence[Advertiser]) -> dict[str, float]:
    """Daily limit of each account."""
    budgets: dict[str, float] = {}
    for one in advertisers:
        budgets[one.account_id] = budgets.get(one.account_id, 0.0) + one.budget
    return {account: round(total * ACCOUNT, 2) for account, total in budgets.items()}


def _advertiser(account: str, name: str, ratio: float, seed: int) -> Advertiser:
    simulator, published = Simulator.published(name, seed), PUBLISHED[name]
    first = (FIRST_DAY - WEEK) * HOURS
    hours = [simulator.hour(first + hour) for hour in range(WEEK * HOURS)]
    budget, week = round(ratio * published.price * published.daily, 2), join(hours)
    return Advertiser(
        account_id=account,
        campaign_id=name,
        simulator=simulator,
        budget=budget,
        target_cpc=_tuned(week, budget, week.predicted_ctr, published.price / published.ctr),
        constant=_tuned(week, budget, np.ones(len(week)), published.price),
        expected=np.array([len(hour) for hour in hours], dtype=np.float64).reshape(WEEK, HOURS),
    )


def _tuned(week: SimulatedAuctions, budget: float, relative: Floats, unit: float) -> float:
    """The factor of `relative` whose bids bring the most predicted clicks of a week with this daily budget."""
    day = (week.occurred_at.astype("datetime64[D]") - week.occurred_at[0].astype("datetime64[D]")).astype(np.int64)
    ends = np.searchsorted(day, np.arange(1, WEEK))
    columns = (relative, week.market_price, week.predicted_ctr)
    days = list(zip(*(np.split(column, ends) for column in columns), strict=True))
    won = [
        sum(_clicks(setting * unit * bids, prices, ctr, budget) for bids, prices, ctr in days) for setting in SETTINGS
    ]
    return float(SETTINGS[int(np.argmax(won))] * unit)


def _clicks(bids: Floats, prices: Floats, ctr: Floats, budget: float) -> float:
    """Predicted clicks of a day until its budget is spent."""
    won = bids >= prices
    paid = np.cumsum(np.where(won, prices, 0.0))
    return float(ctr[won & (paid <= budget)].sum())
