"""Settles bids on simulated auctions: wins, costs, clicks and conversions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.simulator.market import Floats
from features.simulator.opportunities import SimulatedAuctions


@dataclass(frozen=True)
class Settlement:
    """Every array is of (auctions,), in their order.

    Attributes:
        won: whether the bid won.
        paid: cost of the impression, 0 where lost.
        click: 1 where the impression was clicked, else 0.
        conversion_value: value of the conversion, 0 without one.
        converted_at: time of the conversion, datetime64[us]; NaT without one.
    """

    won: npt.NDArray[np.bool_]
    paid: Floats
    click: Floats
    conversion_value: Floats
    converted_at: npt.NDArray[np.datetime64]


def settle(offered: SimulatedAuctions, bids: Floats, pricing: Literal["second", "first"] = "second") -> Settlement:
    """Run the auctions: a bid above 0 wins at or above the market price, and pays that price or (`first`) the bid.

    Potential outcomes are drawn before bidding, so that policies differ only by their bids.
    """
    won = (bids > 0) & (bids >= offered.market_price)
    price = offered.market_price if pricing == "second" else bids
    delay = np.where(won, offered.delay_hours, np.nan) * 3_600_000_000
    later = np.full(len(offered), np.timedelta64("NaT", "us"))
    converted = ~np.isnan(delay)
    later[converted] = delay[converted].astype("timedelta64[us]")
    return Settlement(
        won=won,
        paid=np.where(won, price, 0.0),
        click=offered.click * won,
        conversion_value=offered.conversion_value * won,
        converted_at=offered.occurred_at + later,
    )
