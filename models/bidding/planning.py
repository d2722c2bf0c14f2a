"""Planning by dynamic programming: what a budget is worth with so many auctions to go, for all budgets and times."""

import numpy as np

from models.bidding.auctions import Floats, Integers


def budget_grid(most: float, points: int) -> Floats:
    """Budgets from 0 to `most`, closer together where they are small and each unit matters more."""
    return np.asarray(most * np.linspace(0, 1, points) ** 2)


def plan(values: Floats, prices: Floats, auctions: int, budgets: Floats) -> Floats:
    """The most value that can be expected, of (auctions + 1, budgets): line t has t auctions to go.

    Each auction is one of the pairs of `values` and `prices`, both of (pairs,), with equal chances; its value is seen
    before bidding and its price is paid on winning. After Cai et al., "Real-Time Bidding by Reinforcement Learning in
    Display Advertising" (2017), equation 7; with one value for all pairs it is theirs, which plans by the mean. Between
    budgets of the grid, which starts at 0, worth is linear; with whole prices and a grid of whole budgets it is exact.
    """
    rest = budgets[:, None] - prices
    place = np.clip(np.searchsorted(budgets, rest.ravel(), side="right") - 1, 0, len(budgets) - 2).reshape(rest.shape)
    part = np.clip((rest - budgets[place]) / (budgets[place + 1] - budgets[place]), 0, 1)
    table = np.zeros((auctions + 1, len(budgets)))
    for t in range(1, auctions + 1):
        later = table[t - 1]
        after = later[place] + part * np.diff(later)[place]
        gain = values + after - later[:, None]
        table[t] = later + np.where((rest >= 0) & (gain > 0), gain, 0).mean(axis=1)
    return table


def highest_bid(later: Floats, budgets: Floats, left: Floats, value: Floats) -> Floats:
    """The highest price at which winning is worth what it takes from later auctions, one a line; never above `left`.

    `later` is of (lines, budgets): what each budget is worth after this auction. `left` and `value` are of (lines,).
    """
    lines = np.arange(len(left))
    needed = _at(later, budgets, left, lines) - value
    place = np.clip((later <= needed[:, None]).sum(axis=1) - 1, 0, len(budgets) - 2)
    low, high = later[lines, place], later[lines, place + 1]
    part = np.clip((needed - low) / np.where(high > low, high - low, 1.0), 0, 1)
    kept = np.where(needed <= 0, 0.0, budgets[place] + part * (budgets[place + 1] - budgets[place]))
    return np.clip(left - kept, 0.0, left)


def _at(table: Floats, budgets: Floats, left: Floats, lines: Integers) -> Floats:
    place = np.clip(np.searchsorted(budgets, left, side="right") - 1, 0, len(budgets) - 2)
    part = np.clip((left - budgets[place]) / (budgets[place + 1] - budgets[place]), 0, 1)
    low = table[lines, place]
    return np.asarray(low + part * (table[lines, place + 1] - low))
