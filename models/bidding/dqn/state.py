"""State features of the network, relative to the campaign's market, and its actions."""

import numpy as np
import numpy.typing as npt

from models.bidding import market
from models.bidding.market import LOWEST, Markets
from models.bidding.observation import Observation

#: Logarithms of the factor on the pacing rule's bid; the middle one leaves it as it is.
TURNS = np.linspace(-0.8, 0.8, 9)
KEEP = len(TURNS) // 2
#: Paces at which a market is described to the network.
PACES = (1 / 32, 1 / 8, 1 / 2)
FEATURES = 9 + len(PACES)


def features(markets: Markets, seen: Observation) -> npt.NDArray[np.float32]:
    """Budget, time and market as numbers around 0, of (episodes, FEATURES).

    Recent wins and costs are excluded because actions change them: high bids look like a cheap market, and networks
    with these features bid too high.
    """
    price = market.prices(markets, seen)
    pace = np.maximum(seen.pace / price, LOWEST)
    gains = seen.by_campaign({name: known.gains for name, known in markets.items()})
    each = np.arange(len(gains))
    hour = seen.hour * (2 * np.pi / 24)
    columns = [
        np.log(pace) / 3 + 1,
        np.log(seen.remaining) / 3 - 1,
        seen.remaining / seen.auctions,
        (seen.auctions - seen.remaining) / (seen.auctions - seen.remaining + 50),
        np.log(np.maximum(market.reference(markets, seen), LOWEST)),
        np.log(np.maximum(market.on_line(gains, seen.campaign, pace), LOWEST)) / 2,
        np.sin(hour),
        np.cos(hour),
        (seen.weekday >= 5).astype(float),
        *(np.log(market.on_line(gains, each, np.full(len(each), at)))[seen.campaign] for at in PACES),
    ]
    return np.column_stack(columns).astype(np.float32)
