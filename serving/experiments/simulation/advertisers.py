"""Who advertises in a simulation: campaigns drawn from the published ones, budgets, targets, and limits of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.simulator.market import Floats
from features.simulator.opportunities import SimulatedAuctions, Simulator, join
from features.simulator.published import PUBLISHED

#: Campaigns of one account.
TOGETHER = 4
#: A day's budget as a share of the cost of winning everything: between these, evenly in its logarithm.
LEAST, MOST = 1 / 16, 1 / 4
#: What an account may spend a day, as a share of its campaigns' budgets: sometimes it is the one that binds.
ACCOUNT = 0.97
#: The days that are played begin after those of the log that bidding learns from; an advertiser knows the week before.
FIRST_DAY, WEEK = 28, 7
HOURS = 24
#: Settings of a rule that an advertiser tries, as multiples of what bids the mean price for the mean impression.
SETTINGS = np.geomspace(0.05, 8, 80)


@dataclass(frozen=True)
class Advertiser:
    """A campaign as its advertiser runs it; money in the simulator's unit.

    Attributes:
        campaign_id: the published campaign it is drawn from.
        budget: a day.
        target_cpc: what a click may cost: the factor of the advertiser's linear rule.
        constant: the bid of whoever bids the same for everything.
        expected: auctions of each hour as they were in the week before, of (7, 24) from Monday.
    """

    account_id: str
    campaign_id: str
    simulator: Simulator
    budget: float
    target_cpc: float
    constant: float
    expected: Floats


def drawn(names: Sequence[str], count: int, seed: int) -> list[Advertiser]:
    """So many campaigns; no account has one twice. Each is tuned on the week before the simulation.

    Raises `ValueError` where no campaign is asked for.
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
    """What each account may spend a day."""
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
    """The factor of `relative` at which bids bring the most predicted clicks of a week with this budget a day."""
    day = (week.occurred_at.astype("datetime64[D]") - week.occurred_at[0].astype("datetime64[D]")).astype(np.int64)
    ends = np.searchsorted(day, np.arange(1, WEEK))
    columns = (relative, week.market_price, week.predicted_ctr)
    days = list(zip(*(np.split(column, ends) for column in columns), strict=True))
    won = [
        sum(_clicks(setting * unit * bids, prices, ctr, budget) for bids, prices, ctr in days) for setting in SETTINGS
    ]
    return float(SETTINGS[int(np.argmax(won))] * unit)


def _clicks(bids: Floats, prices: Floats, ctr: Floats, budget: float) -> float:
    """Predicted clicks of a day, until its budget is spent."""
    won = bids >= prices
    paid = np.cumsum(np.where(won, prices, 0.0))
    return float(ctr[won & (paid <= budget)].sum())
