"""Bidding rules that get the same auctions, budgets and limits as the engine."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from features.simulator.market import Floats
from features.simulator.opportunities import SimulatedAuctions
from features.simulator.settlement import settle
from serving.experiments.simulation.account import BidderAccount
from serving.experiments.simulation.advertisers import FIRST_DAY, HOURS, Advertiser
from serving.experiments.simulation.records import CONSTANT, LINEAR

#: A rule's bids for each offered auction of a campaign.
Rule = Callable[[Advertiser, SimulatedAuctions], Floats]
RULES: Mapping[str, Rule] = {
    CONSTANT: lambda one, offered: np.full(len(offered), one.constant),
    LINEAR: lambda one, offered: one.target_cpc * offered.predicted_ctr,
}


def play(bidder: str, advertisers: Sequence[Advertiser], limits: Mapping[str, float], days: int) -> BidderAccount:
    """Simulate days with a rule. It bids until a budget or the account's limit is spent, in order of time."""
    account = BidderAccount(bidder, advertisers, days)
    for hour in range(days * HOURS):
        if hour % HOURS == 0:
            left, of_account = np.array([one.budget for one in advertisers]), dict(limits)
        offered = [one.simulator.hour(FIRST_DAY * HOURS + hour) for one in advertisers]
        bids = [RULES[bidder](one, here) for one, here in zip(advertisers, offered, strict=True)]
        _hold(advertisers, offered, bids, left, of_account)
        for place, (here, bid) in enumerate(zip(offered, bids, strict=True)):
            account.take(place, hour, here, bid, settle(here, bid))
    return account


def _hold(
    advertisers: Sequence[Advertiser],
    offered: Sequence[SimulatedAuctions],
    bids: Sequence[Floats],
    left: Floats,
    of_account: dict[str, float],
) -> None:
    """Cap bids at what both limits have left, in order of time, and deduct what was paid."""
    lengths = [len(here) for here in offered]
    places = np.repeat(np.arange(len(offered)), lengths)
    rows = np.concatenate([np.arange(length) for length in lengths])
    order = np.argsort(np.concatenate([here.occurred_at for here in offered]), kind="stable")
    for place, row in zip(places[order].tolist(), rows[order].tolist(), strict=True):
        account, price = advertisers[place].account_id, float(offered[place].market_price[row])
        bid = min(float(bids[place][row]), float(left[place]), of_account[account])
        bids[place][row] = bid
        if 0 < bid >= price:
            left[place] -= price
            of_account[account] -= price
