"""The observation before an auction: the complete state, so that a policy is a pure function of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bidding.auctions import Floats, Integers
from models.inputs import InvalidRows
from models.tabular import require

#: `recent_cost` is an exponential mean with this weight on the newest auction.
NEWEST = 1 / 50


@dataclass(frozen=True)
class Observation:
    """The current auction of many episodes; every array is of (episodes,). Money is in the log's currency.

    Attributes:
        campaign: index in `campaigns`.
        budget, left: budget of the episode, and the part left before this auction.
        auctions, remaining: auctions of the episode, and those left including this one.
        expected_value: predicted value of winning this auction; uncalibrated.
        hour, weekday: local time of this auction, as in `Episodes`.
        channel: index in `channels`.
        wins: auctions won so far.
        offered_value: sum of expected values of the auctions so far, won or not.
        recent_cost: exponential mean of the cost per auction.
        pacing_debt: sum over the auctions so far of the share of the budget by which spending was behind an even pace.
    """

    campaign: Integers
    budget: Floats
    left: Floats
    auctions: Floats
    remaining: Floats
    expected_value: Floats
    hour: Integers
    weekday: Integers
    channel: Integers
    wins: Floats
    offered_value: Floats
    recent_cost: Floats
    pacing_debt: Floats
    campaigns: tuple[str, ...]
    channels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.campaign)

    @property
    def pace(self) -> Floats:
        """Remaining budget per remaining auction, of (episodes,)."""
        return self.left / self.remaining

    def first(self, count: int) -> Self:
        """Of the first `count` episodes alone."""
        return replace(self, **{name: getattr(self, name)[:count] for name in ARRAYS})

    def look_up(self, known: Mapping[str, Any]) -> npt.NDArray[Any]:
        """The value in `known` of each episode's campaign. Raises `InvalidRows` for an unknown campaign."""
        return self.by_campaign(known)[self.campaign]

    def by_campaign(self, known: Mapping[str, Any]) -> npt.NDArray[Any]:
        """The value in `known` of each of `campaigns`. Raises `InvalidRows` for an unknown one."""
        for name in self.campaigns:
            if name not in known:
                raise InvalidRows("campaign_id", f"one of {', '.join(sorted(known))}", name)
        return np.array([known[name] for name in self.campaigns])

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Self:
        """From a frame with the names `campaign_id` and `channel`, and a column for every other array.

        Raises `InvalidRows` where a column is missing, a number is not finite or no auction is left.
        """
        require(rows, ("campaign_id", "channel", *COLUMNS))
        arrays: dict[str, npt.NDArray[Any]] = {
            name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in COLUMNS
        }
        for name, values in arrays.items():
            if not np.isfinite(values).all():
                raise InvalidRows(name, "a finite number", values[~np.isfinite(values)][0])
        if (arrays["remaining"] < 1).any():
            raise InvalidRows("remaining", "at least 1", arrays["remaining"].min())
        arrays |= {name: arrays[name].astype(np.int64) for name in CODES}
        campaign, campaigns = pd.factorize(rows["campaign_id"].astype(str))
        channel, channels = pd.factorize(rows["channel"].astype(str))
        arrays |= {"campaign": campaign.astype(np.int64), "channel": channel.astype(np.int64)}
        return cls(**arrays, campaigns=tuple(campaigns), channels=tuple(channels))

    def rows(self) -> pd.DataFrame:
        """The frame that `of` reads."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        names = {
            "campaign_id": np.array(self.campaigns)[self.campaign],
            "channel": np.array(self.channels)[self.channel],
        }
        return pd.DataFrame(names | columns)


CODES = ("hour", "weekday")
_NAMED = ("campaign", "campaigns", "channel", "channels")
ARRAYS = tuple(field.name for field in fields(Observation) if field.name not in ("campaigns", "channels"))
COLUMNS = tuple(field.name for field in fields(Observation) if field.name not in _NAMED)
