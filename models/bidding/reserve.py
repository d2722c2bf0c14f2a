"""What of a budget is worth spending: money is kept where it would bring less than was planned for its last unit.

A budget says what may be spent, not that it must be. The plan for it, at the prices of the log, says what its last unit
buys: the multiplier at which bids would spend it. A policy that only looks at what is left bids past that once auctions
cost more than planned, and pays the more for less. So money is kept, twice:

- Where prices are known to have risen, the part of the budget that would be spent only by bidding past the plan.
- Within an episode, what lies behind an even pace by more than chance explains: something costs more than is known. Up
  to `CARRIED` standard deviations of logged episodes all of it is carried on to later auctions, from `KEPT` on none.
  This is Hampel's (1974) redescending weight, which ignores what is far off.

Total value and value per spend are traded against each other here. Carrying on what chance leaves costs next to nothing
of the total; keeping the rest gives up what bids past the plan would buy, and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Self

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy, Replay
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.policies.dial import Document
from models.bidding.policies.pacing import Pacing
from models.bidding.shading import Shaded

#: What a budget is for: to be spent as far as that is worth it, or all of it, whatever it brings.
Spend = Literal["worthwhile", "all"]
#: How far behind an even pace an episode may be for its money to be carried on, all of it and any of it, in standard
#: deviations of logged ones. Chosen on simulated markets: at 1.5 and 3, or 2 and 4, prices that rise unseen by a half
#: or more bought less for the money than the linear bid; at 1 and 2 a steady market lost 1% of its value.
CARRIED, KEPT = 1.5, 2.0
#: Shares of an episode after which logged ones are looked at.
LOOKS = (0.2, 0.35, 0.5, 0.65, 0.8)


class Reserve(Document):
    """What is worth spending, by campaign.

    Attributes:
        spread: by pace (see `Market.multipliers`) the variance of what an auction costs, in units of the mean price
            squared, made as much larger as logged episodes strayed further from an even pace than chance explains.
    """

    spread: Mapping[str, tuple[float, ...]]

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], before: Self | None = None) -> Self:
        """Learn from logged episodes how far pacing strays; what `before` knows of other campaigns stays."""
        chance = cls(spread={name: _variance(markets[name]) for name in episodes.campaigns})
        wider = chance._strayed(episodes, markets, ratios)
        learnt = {name: tuple(wider[name] * value for value in line) for name, line in chance.spread.items()}
        return cls(spread={**(before.spread if before is not None else {}), **learnt})

    def spendable(self, markets: Markets, seen: Observation, level: Floats | float = 1.0) -> Observation:
        """The same with what is worth spending in place of the budget and of what is left.

        `level` is how many times as high as planned prices are known to be, of (episodes,).
        """
        price = market.prices(markets, seen)
        pace = seen.budget / seen.auctions / price
        kept = seen.budget * (1 - _worthwhile(markets, seen, pace, np.maximum(level, 1.0)))
        budget, left = seen.budget - kept, np.maximum(seen.left - kept, 0.0)
        even = budget / seen.auctions * seen.remaining
        price = price * level
        behind, deviation = left - even, self._deviation(seen, budget / seen.auctions / price) * price
        far = np.divide(behind, deviation, out=np.full(len(seen), KEPT), where=deviation > 0)
        carried = np.where(behind > 0, behind * np.clip((KEPT - far) / (KEPT - CARRIED), 0, 1), behind)
        return replace(seen, budget=budget, left=even + carried)

    def _deviation(self, seen: Observation, pace: Floats) -> Floats:
        """Of what lies behind an even pace by now, in mean prices: a random walk that pacing leads to 0 at the end."""
        gone = seen.auctions - seen.remaining
        return np.asarray(np.sqrt(market.at_pace(self.spread, seen, pace) * gone * seen.remaining / seen.auctions))

    def _strayed(self, episodes: Episodes, markets: Markets, ratios: Sequence[float]) -> dict[str, float]:
        """How many times the variance by chance the mean square of what lay behind an even pace was, by campaign."""
        policy = Shaded(Pacing.fit(markets), markets)
        game = Replay(episodes, market.budgets(markets, episodes, ratios), market.pricing(markets))
        looks, squares = {round(share * episodes.auctions) for share in LOOKS} - {0}, []
        while not game.over:
            seen = game.observe()
            if game.at in looks:
                price, pace = market.prices(markets, seen), seen.budget / seen.auctions
                squares.append(((seen.left - pace * seen.remaining) / price / self._deviation(seen, pace / price)) ** 2)
            game.settle(policy.bid(seen))
        mean = np.mean(squares, axis=0) if squares else np.ones(len(game.left))
        return {name: max(float(mean[game.campaign == place].mean()), 1.0) for place, name in enumerate(game.campaigns)}


class Reserved:
    """A policy that is shown what is worth spending."""

    def __init__(self, policy: Policy, markets: Markets, reserve: Reserve) -> None:
        self.policy, self.markets, self.reserve = policy, markets, reserve

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return self.policy.bid(self.reserve.spendable(self.markets, seen))


def _worthwhile(markets: Markets, seen: Observation, pace: Floats, level: Floats) -> Floats:
    """The share of the budget that the planned multiplier spends at prices so many times as high."""
    lines = seen.look_up({name: known.multipliers for name, known in markets.items()})
    spent = level * market.pace_at(lines, market.on_line(lines, pace) / level)
    return np.asarray(np.minimum(1.0, spent / np.clip(pace, *market.PACES)))


def _variance(known: Market) -> tuple[float, ...]:
    """By pace, the mean square of what an auction costs at the multiplier that spends it."""
    value, price = np.array(known.pair_values), np.array(known.pair_prices)
    worth = np.multiply.outer(np.array(known.multipliers), value)
    bid = market.shade(worth, known.shades) if known.shades else worth
    paid = (bid if known.shades else price) * (bid >= price)
    return tuple((paid**2).mean(axis=1).tolist())
