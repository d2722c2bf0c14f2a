"""The limit: what a budget could have bought for somebody who knew every price and every click beforehand."""

import numpy as np

from models.bidding.auctions import Episodes, Floats


def optimum(episodes: Episodes, budget: Floats) -> Floats:
    """The most value of each episode for its budget; `budget` and the answer are of (..., episodes).

    Choosing auctions is a knapsack. Where all wins of an episode that bring anything bring the same (clicks), the
    cheapest first is the optimum, exactly. Else this is the optimum of the relaxed problem, in which the last auction
    may be won in part (Dantzig, 1957): an upper bound, at most one auction's value too high.
    """
    ranked = _Ranked(episodes)
    lines = [(ranked.bought(line) * ranked.value).sum(axis=1) for line in budget.reshape(-1, len(episodes))]
    return np.array(lines).reshape(budget.shape)


def chosen(episodes: Episodes, budget: Floats) -> Floats:
    """Which auctions the optimum buys for a budget each, of (episodes, auctions): 1, 0, or the part that is won."""
    ranked = _Ranked(episodes)
    parts = np.empty(ranked.order.shape)
    np.put_along_axis(parts, ranked.order, ranked.bought(budget), axis=1)
    return parts


class _Ranked:
    """Auctions of each episode, most value for the money first; `whole` where none may be won in part."""

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
        """What part of each auction a budget pays for; nothing of one that brings nothing."""
        left = budget[:, None] - self.before
        with np.errstate(over="ignore"):  # what costs next to nothing is paid for as a whole
            part = np.clip(left / np.where(self.price > 0, self.price, 1.0), 0, 1)
        part = np.where(self.whole[:, None] | (self.price == 0), left >= self.price, part)
        return np.asarray(part * (self.value > 0))
