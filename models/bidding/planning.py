"""Dynamic programming: the value of a budget by number of remaining auctions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation

#: Budgets that plans are made for; between them worth is interpolated.
BUDGETS = 160
#: What a little more money is worth, at least: with the last auction it is worth nothing.
TINY = 1e-9


def budget_grid(most: float, points: int) -> Floats:
    """Budgets from 0 to `most`, closer together where they are small and each unit matters more."""
    return np.asarray(most * np.linspace(0, 1, points) ** 2)


def plan(values: Floats, prices: Floats, auctions: int, budgets: Floats, shades: Sequence[float] = ()) -> Floats:
    """The optimal expected value, of (auctions + 1, budgets): row t has t auctions to go.

    Each auction is one of the pairs of `values` and `prices`, both of (pairs,), with equal probability; its value is
    known before bidding and its price is paid on winning. After Cai et al., "Real-Time Bidding by Reinforcement
    Learning in Display Advertising" (2017), equation 7; with one value for all pairs it equals theirs, which plans by
    the mean. Values are interpolated linearly between budgets of the grid, which starts at 0; with integer prices and
    an integer grid they are exact.

    With the `shades` of a first-price market, in the units of `prices`, winners pay their bids, which are optimal for
    the value at the plan's marginal value of money.
    """
    # Equal pairs are planned for once, with their number: prices are whole, so that many are equal.
    (values, prices), count = np.unique([values, prices], axis=1, return_counts=True)
    place, part = _places(budgets[:, None] - prices, budgets)
    lost = prices > budgets[:, None]
    table, kept, after = np.zeros((auctions + 1, len(budgets))), np.empty(place.shape), np.empty(place.shape)
    for t in range(1, auctions + 1):
        later = table[t - 1]
        if shades:
            margin = np.maximum(np.gradient(later, budgets), TINY)[:, None]
            cost = np.minimum(market.shade(values / margin, shades), budgets[:, None])
            lost, kept = cost < prices, np.interp(budgets[:, None] - cost, budgets, later)
        else:  # In place: new arrays for each step would take most of the time.
            np.multiply(part, np.take(np.diff(later), place, out=kept, mode="clip"), out=kept)
            kept += np.take(later, place, out=after, mode="clip")
        kept += values
        np.copyto(kept, 0, where=lost)
        np.maximum(kept, later[:, None], out=kept)
        table[t] = np.einsum("bp,p->b", kept, count) / count.sum()
    return table


@lru_cache(maxsize=32)
def _planned(
    values: tuple[float, ...], prices: tuple[float, ...], auctions: int, shades: tuple[float, ...]
) -> npt.NDArray[np.float32]:
    """`plan` for the grid of budgets, kept: RLB and the network plan by the same markets, which takes half a second."""
    return plan(np.array(values), np.array(prices), auctions, budget_grid(auctions, BUDGETS), shades).astype(np.float32)


def _places(rest: Floats, budgets: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Index of the lower neighbour in the grid of each amount, and the interpolation weight."""
    place = np.clip(np.searchsorted(budgets, rest.ravel(), side="right") - 1, 0, len(budgets) - 2).reshape(rest.shape)
    return place, np.clip((rest - budgets.take(place)) / np.diff(budgets).take(place), 0, 1)


class Plans:
    """Value of a remaining budget for every campaign, in units of its mean value and mean price.

    Attributes:
        campaigns: campaign names, in order.
        tables: of (campaigns, auctions to go from 0 on, budgets), see `plan`.
        budgets: the budgets of the tables.
    """

    def __init__(self, campaigns: Sequence[str], tables: npt.NDArray[np.float32]) -> None:
        self.campaigns, self.tables = tuple(campaigns), tables
        self.budgets = budget_grid(tables.shape[1] - 1, tables.shape[2])

    @classmethod
    def fit(cls, markets: Markets, auctions: int, by_mean: bool = False) -> Self:
        """Plan for episodes of this many auctions by each market's pairs, or with all values equal to the mean."""
        tables = []
        for _, one in sorted(markets.items()):
            values = (1.0,) * len(one.pair_values) if by_mean else tuple(one.pair_values)
            tables.append(_planned(values, tuple(one.pair_prices), auctions, tuple(one.shades)))
        return cls(sorted(markets), np.array(tables))

    def lines(self, seen: Observation, price: Floats, settled: int) -> tuple[Floats, Floats]:
        """The value of each budget after `settled` of the remaining auctions, and the remaining budget.

        Of (episodes, budgets) and (episodes,). Where more auctions remain than were planned, their number and the
        budget are scaled alike: bids depend on the ratio when both are large.
        """
        scale = np.minimum(1.0, (self.tables.shape[1] - 1) / seen.remaining)
        to_go = np.maximum(np.rint(seen.remaining * scale).astype(np.int64) - settled, 0)
        place = seen.look_up({name: i for i, name in enumerate(self.campaigns)})
        return self.tables[place, to_go], np.minimum(seen.left / price * scale, self.budgets[-1])

    def prospect(self, seen: Observation, price: Floats) -> Floats:
        """Expected value of the remaining budget, including the current auction, of (episodes,)."""
        later, left = self.lines(seen, price, 0)
        return _at(later, self.budgets, left)


def highest_bid(later: Floats, budgets: Floats, left: Floats, value: Floats) -> Floats:
    """The highest price at which winning is worth the lost value of later auctions, one per row; at most `left`.

    `later` is of (rows, budgets): value of each budget after this auction. `left` and `value` are of (rows,).
    """
    lines = np.arange(len(left))
    needed = _at(later, budgets, left) - value
    place = np.clip((later <= needed[:, None]).sum(axis=1) - 1, 0, len(budgets) - 2)
    low, high = later[lines, place], later[lines, place + 1]
    part = np.clip((needed - low) / np.where(high > low, high - low, 1.0), 0, 1)
    kept = np.where(needed <= 0, 0.0, budgets[place] + part * (budgets[place + 1] - budgets[place]))
    return np.clip(left - kept, 0.0, left)


def _at(table: Floats, budgets: Floats, left: Floats) -> Floats:
    lines = np.arange(len(left))
    place = np.clip(np.searchsorted(budgets, left, side="right") - 1, 0, len(budgets) - 2)
    part = np.clip((left - budgets[place]) / (budgets[place + 1] - budgets[place]), 0, 1)
    low = table[lines, place]
    return np.asarray(low + part * (table[lines, place + 1] - low))
