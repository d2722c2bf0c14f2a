"""Simulated auctions as episodes, for training without a log."""

import numpy as np

from features.simulator.opportunities import Simulator, join
from models.bidding.auctions import Episodes


def episodes(simulator: Simulator, count: int, auctions: int, first_day: int = 0, expected: bool = False) -> Episodes:
    """Episodes of one day each from `first_day`; a day depends only on the seed.

    The value of winning is that of the conversion, or with `expected` its mean by the true probabilities: the same in
    the long run, without the noise of rare conversions. Raises ValueError where `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1 episode, got {count}")
    drawn = join([simulator.day(first_day + number, auctions) for number in range(count)])
    value = drawn.ctr * drawn.cvr * simulator.campaign.conversions.value if expected else drawn.conversion_value
    names = ("predicted_ctr", "market_price", "click", "hour", "weekday", "channel")
    return Episodes(
        campaign=np.full(count, simulator.campaign.name),
        value=value.reshape(count, auctions),
        expected_value=drawn.predicted_value.reshape(count, auctions),
        channels=tuple(channel.name for channel in simulator.campaign.channels),
        **{name: getattr(drawn, name).reshape(count, auctions) for name in names},
    )
