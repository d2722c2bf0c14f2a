"""Turning a policy's dial: every setting is played on logged episodes, and each campaign and budget keeps its best."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy
from models.bidding.market import Markets
from models.bidding.policies.dial import Dial
from models.bidding.shading import play

#: Settings that are tried, as multiples of a campaign's unit.
SETTINGS = tuple(np.geomspace(0.1, 8, 36).tolist())


def tuned(
    make: Callable[[Dial], Policy],
    units: Mapping[str, float],
    episodes: Episodes,
    markets: Markets,
    ratios: Sequence[float],
) -> Dial:
    """The dial with which `make` wins the most realised value; of settings that do equally well the middle one."""
    prices = {name: markets[name].price for name in episodes.campaigns}
    budget = market.budgets(markets, episodes, ratios)
    won = []
    for setting in SETTINGS:
        flat = {name: (setting * units[name],) * len(ratios) for name in prices}
        policy = make(Dial(ratios=ratios, prices=prices, settings=flat))
        won.append(play(episodes, budget, policy, markets).value)
    value = np.array(won)
    settings = {name: _best(value[:, :, episodes.campaign == name].sum(axis=2), units[name]) for name in prices}
    return Dial(ratios=ratios, prices=prices, settings=settings)


def _best(value: Floats, unit: float) -> tuple[float, ...]:
    """Of (settings, ratios) the best setting by ratio."""
    places = [np.flatnonzero(line == line.max()) for line in value.T]
    return tuple(SETTINGS[int(best[len(best) // 2])] * unit for best in places)
