"""A small market made up for tests: two campaigns whose clicks and prices follow a hidden interest."""

import numpy as np

from models.bidding.auctions import Episodes, Floats


def market(seed: int, count: int = 8, auctions: int = 80) -> Episodes:
    rng = np.random.default_rng(seed)
    shape = (2 * count, auctions)
    interest = rng.normal(0, 0.8, shape)
    ctr = np.clip(0.05 * np.exp(interest), 0, 0.9)
    price = np.round(rng.gamma(2, 20, shape) * np.exp(0.3 * interest)) + 1
    click = (rng.random(shape) < ctr).astype(float)
    hour = np.tile(np.arange(auctions) % 24, (2 * count, 1))
    zeros = np.zeros(shape, dtype=np.int64)
    campaign = np.repeat(["north", "south"], count)
    return Episodes(campaign, ctr, price, click, click, ctr, hour, zeros, zeros)


def single(price: Floats, value: Floats, expected: Floats | None = None) -> Episodes:
    """One campaign's episodes from prices and values of (episodes, auctions)."""
    zeros = np.zeros(price.shape, dtype=np.int64)
    expected = value if expected is None else expected
    return Episodes(np.full(len(price), "one"), expected, price, value, value, expected, zeros, zeros, zeros)
