"""Keeps money whose marginal value falls below the plan.

A budget is a limit, not a target. At the prices of the log, the plan gives the value of the budget's last unit: the
multiplier at which bids would spend it all. When prices are known to have risen, a policy that only follows the
remaining budget bids above that multiplier and pays more for less. So the part of the budget that could only be spent
above the planned multiplier is kept: it trades total value for value per spend.

Unspent money within an episode is not kept: without a known rise of prices, that would cost more total value in a
steady market than it would save in a rising one.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Market
from models.bidding.observation import Observation

#: Whether to spend a budget only as far as it is worth it, or completely.
Spend = Literal["worthwhile", "all"]
#: What is bought.
Goal = Literal["clicks", "conversions"]


def spendable(markets: Mapping[str, Market], seen: Observation, level: Floats) -> Observation:
    """The observation with budget and remaining budget reduced to what is worth spending.

    `level` is the ratio of current to planned prices, of (rows,).
    """
    pace = seen.budget / seen.auctions / market.prices(markets, seen)
    kept = seen.budget * (1 - _worthwhile(markets, seen, pace, np.maximum(level, 1.0)))
    return replace(seen, budget=seen.budget - kept, left=np.maximum(seen.left - kept, 0.0))


def _worthwhile(markets: Mapping[str, Market], seen: Observation, pace: Floats, level: Floats) -> Floats:
    """The share of the budget that the planned multiplier spends at prices higher by `level`."""
    lines = seen.look_up({name: known.multipliers for name, known in markets.items()})
    spent = level * market.pace_at(lines, market.on_line(lines, np.arange(len(lines)), pace) / level)
    return np.asarray(np.minimum(1.0, spent / np.clip(pace, *market.PACES)))
