"""The simulator's own books: bids, wins, spend and outcomes by hour, and whether limits held."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.simulator.market import Floats
from features.simulator.opportunities import SimulatedAuctions
from features.simulator.settlement import Settlement
from serving.decisions.records import MICRO
from serving.decisions.state.book import micros
from serving.experiments.simulation.advertisers import HOURS, Advertiser
from serving.experiments.simulation.records import Hour

_COLUMNS = ("auctions", "bids", "bid", "wins", "spend", "clicks", "conversions", "value", "worth")


class BidderAccount:
    """The books of one bidder. Spend is in millionths, as in the engine, to check limits exactly."""

    def __init__(self, bidder: str, advertisers: Sequence[Advertiser], days: int) -> None:
        self.bidder, self._advertisers = bidder, advertisers
        self.figures: Floats = np.zeros((len(advertisers), days * HOURS, len(_COLUMNS)))
        self.paid: npt.NDArray[np.int64] = np.zeros((len(advertisers), days), dtype=np.int64)

    def take(self, place: int, hour: int, offered: SimulatedAuctions, bids: Floats, came: Settlement) -> None:
        """Add some auctions of a campaign in an hour since the start of the simulation."""
        value = self._advertisers[place].simulator.campaign.conversions.value
        self.figures[place, hour] += [
            len(offered),
            (bids > 0).sum(),
            bids.sum(),
            came.won.sum(),
            came.paid.sum(),
            came.click.sum(),
            (came.conversion_value > 0).sum(),
            came.conversion_value.sum(),
            (offered.ctr * offered.cvr * came.won).sum() * value,
        ]
        self.paid[place, hour // HOURS] += sum(micros(paid) for paid in came.paid[came.won].tolist())

    def total(self, name: str) -> Floats:
        """A sum by campaign."""
        return np.asarray(self.figures[:, :, _COLUMNS.index(name)].sum(axis=1))

    def hours(self) -> list[Hour]:
        """The figures by hour and campaign."""
        found = []
        for place, hour in np.ndindex(*self.figures.shape[:2]):
            row = dict(zip(_COLUMNS, self.figures[place, hour].tolist(), strict=True))
            whole = {name: int(row.pop(name)) for name in ("auctions", "bids", "wins", "conversions")}
            bid = row.pop("bid") / max(whole["bids"], 1)
            found.append(Hour(place=int(place), hour=int(hour), bidder=self.bidder, bid=bid, **whole, **row))
        return found

    def overspent(self, limits: dict[str, float]) -> list[str]:
        """Daily budgets and account limits that were exceeded, as text."""
        found, by_account = [], {account: np.zeros(self.paid.shape[1], dtype=np.int64) for account in limits}
        for one, paid in zip(self._advertisers, self.paid, strict=True):
            by_account[one.account_id] += paid
            name = f"campaign {one.campaign_id} of {one.account_id}"
            found += [_above(name, day, spent, one.budget) for day, spent in enumerate(paid.tolist())]
        for account, paid in by_account.items():
            found += [
                _above(f"account {account}", day, spent, limits[account]) for day, spent in enumerate(paid.tolist())
            ]
        return [one for one in found if one]


def _above(name: str, day: int, spent: int, limit: float) -> str:
    return f"{name} spent {spent / MICRO:.6f} of {limit} on day {day}" if spent > micros(limit) else ""
