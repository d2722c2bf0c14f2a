"""The limit: what a budget could have bought for somebody who knew every price and every click beforehand."""

import numpy as np
import numpy.typing as npt

from models.bidding.auctions import Episodes, Floats


@np.errstate(over="ignore")  # what costs next to nothing is worth its price however the ratio is rounded
def optimum(episodes: Episodes, budget: Floats) -> Floats:
    """The most value of each episode for its budget; `budget` and the answer are of (..., episodes).

    Choosing auctions is a knapsack. Where all wins of an episode that bring anything bring the same (clicks), the
    cheapest first is the optimum, exactly. Else this is the optimum of the relaxed problem, in which the last auction
    may be won in part (Dantzig, 1957): an upper bound, at most one auction's value too high.
    """
    value, price = episodes.value, episodes.market_price
    density = np.divide(value, price, out=np.where(value > 0, np.inf, 0.0), where=price > 0)
    order = np.argsort(-density, axis=1, kind="stable")
    value, price = (np.take_along_axis(array, order, axis=1) for array in (value, price))
    worth = np.where(value > 0, value, np.nan)
    whole = ~(np.nanmax(worth, axis=1, initial=0) > np.nanmin(worth, axis=1, initial=np.inf))
    before = np.cumsum(price, axis=1) - price
    lines = [_bought(value, price, before, whole, line) for line in budget.reshape(-1, len(episodes))]
    return np.array(lines).reshape(budget.shape)


def _bought(value: Floats, price: Floats, before: Floats, whole: npt.NDArray[np.bool_], budget: Floats) -> Floats:
    """Value of the auctions, best first, that a budget pays for; the last one in part unless `whole`."""
    left = budget[:, None] - before
    part = np.clip(left / np.where(price > 0, price, 1.0), 0, 1)
    part = np.where(whole[:, None] | (price == 0), left >= price, part)
    return np.asarray((part * np.maximum(value, 0)).sum(axis=1))
