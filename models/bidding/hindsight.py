"""The optimum in hindsight: the most value a budget could buy with all prices and outcomes known."""

import numpy as np

from models.bidding.auctions import Episodes, Floats


def optimum(episodes: Episodes, budget: Floats) -> Floats:
    """The optimal value of each episode for its budget; `budget` and the result are of (..., episodes).

    Choosing auctions is a knapsack problem. Where all positive values of an episode are equal (clicks), buying the
    cheapest first is exactly optimal. Else this is the optimum of the relaxation in which the last auction may be won
    in part (Dantzig, 1957): an upper bound, at most one auction's value too high.
    """
    ranked = _Ranked(episodes)
    lines = [(ranked.bought(line) * ranked.value).sum(axis=1) for line in budget.reshape(-1, len(episodes))]
    return np.array(lines).reshape(budget.shape)


def chosen(episodes: Episodes, budget: Floats) -> Floats:
    """The share of each auction in the optimum, of (episodes, auctions): 1, 0, or a fraction."""
    ranked = _Ranked(episodes)
    parts = np.empty(ranked.order.shape)
    np.put_along_axis(parts, ranked.order, ranked.bought(budget), axis=1)
    return parts


class _Ranked:
    """Auctions of each episode by value per cost, descending; `whole` where none may be won in part."""

    def __init__(self, episodes: Episodes) -> None:
        value, price = np.maximum(episodes.value, 0), episodes.market_price
        with np.errstate(over="ignore"):  # what costs next to nothing is worth its price however the ratio is rounded
            density = np.divide(value, price, out=np.where(value > 0, np.inf, 0.0), where=price > 0)
        self.order = np.argsort(-density, axis=1, kind="stable")
        self.value, self.price = (np.take_along_axis(array, self.order, axis=1) for array in (value, price))
        worth = np.where(self.value > 0, self.value, np.nan)
        self.whole = ~(np.nanmax(worth, axis=1, initial=0) > np.nanmin(worth, axis=1, initial=np.inf))
        self.before = np.cumsum(self.price, axis=1) - self.price

    def bought(self, budget: Floats) -> Floats:
        """The share of each auction that a budget pays for; 0 for worthless ones."""
        left = budget[:, None] - self.before
        with np.errstate(over="ignore"):  # what costs next to nothing is paid for as a whole
            part = np.clip(left / np.where(self.price > 0, self.price, 1.0), 0, 1)
        part = np.where(self.whole[:, None] | (self.price == 0), left >= self.price, part)
        return np.asarray(part * (self.value > 0))
