"""What of a budget is worth spending: money is kept where it would bring less than was planned for its last unit.

A budget says what may be spent, not that it must be. The plan for it, at the prices of the log, says what its last unit
buys: the multiplier at which bids would spend it. A policy that only looks at what is left bids past that once auctions
are known to cost more than planned, and pays the more for less. So the part of the budget is kept that would be spent
only by bidding past the plan: total value is traded for value per spend, and no more of it than that part would buy.

Money that lies behind an even pace within an episode is not kept: without a rise that is known, what it costs in total
value in a steady market is more than it saves in one that rises unseen.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Market
from models.bidding.observation import Observation

#: What a budget is for: to be spent as far as that is worth it, or all of it, whatever it brings.
Spend = Literal["worthwhile", "all"]
#: What is bought.
Goal = Literal["clicks", "conversions"]


def spendable(markets: Mapping[str, Market], seen: Observation, level: Floats) -> Observation:
    """The same with what is worth spending in place of the budget and of what is left.

    `level` is how many times as high as planned prices are known to be, of (rows,).
    """
    pace = seen.budget / seen.auctions / market.prices(markets, seen)
    kept = seen.budget * (1 - _worthwhile(markets, seen, pace, np.maximum(level, 1.0)))
    return replace(seen, budget=seen.budget - kept, left=np.maximum(seen.left - kept, 0.0))


def _worthwhile(markets: Mapping[str, Market], seen: Observation, pace: Floats, level: Floats) -> Floats:
    """The share of the budget that the planned multiplier spends at prices so many times as high."""
    lines = seen.look_up({name: known.multipliers for name, known in markets.items()})
    spent = level * market.pace_at(lines, market.on_line(lines, pace) / level)
    return np.asarray(np.minimum(1.0, spent / np.clip(pace, *market.PACES)))
