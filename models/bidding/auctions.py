"""Logged auctions as episodes: offers, prices and the value of winning."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.inputs import InvalidRows

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
#: Required columns of an `auctions` table.
REQUIRED = ("campaign_id", "market_price", "click", "predicted_ctr")


@dataclass(frozen=True)
class Episodes:
    """Auctions in order, cut into episodes of one length; an episode has one campaign and one budget.

    Attributes:
        campaign: campaign name, text of (episodes,).
        predicted_ctr: predicted click probability, of (episodes, auctions) like all that follow.
        market_price: highest competing bid, in the currency of the log.
        click: 1 where the impression was clicked, else 0.
        value: value of winning: the conversion value where the log has one, else the click.
        expected_value: prediction of `value` before the auction; may be uncalibrated.
        hour, weekday: local time of the auction, 0-23 and 0-6 from Monday; 0 where the log has no time.
        channel: index in `channels`.
    """

    campaign: npt.NDArray[np.str_]
    predicted_ctr: Floats
    market_price: Floats
    click: Floats
    value: Floats
    expected_value: Floats
    hour: Integers
    weekday: Integers
    channel: Integers
    channels: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.campaign)

    @property
    def auctions(self) -> int:
        """Auctions per episode."""
        return int(self.market_price.shape[1])

    @property
    def campaigns(self) -> list[str]:
        """Campaign names, sorted."""
        return sorted({str(name) for name in self.campaign})

    @property
    def cost(self) -> Floats:
        """Cost of winning everything at the market price, of (episodes,)."""
        return np.asarray(self.market_price.sum(axis=1))

    def select(self, which: Any) -> Self:
        """The episodes at a slice, mask or list of indices."""
        picked = {name: getattr(self, name)[which] for name in ARRAYS}
        return type(self)(**picked, channels=self.channels)

    def among(self, channels: Sequence[str]) -> Self:
        """The same auctions, with `channels` as the first channels."""
        names = tuple(dict.fromkeys((*channels, *self.channels)))
        place = np.array([names.index(name) for name in self.channels])
        return replace(self, channel=place[self.channel], channels=names)

    def of(self, campaign: str) -> Self:
        """The episodes of one campaign."""
        return self.select(self.campaign == campaign)


ARRAYS = tuple(field.name for field in fields(Episodes) if field.name != "channels")


def join(parts: Sequence[Episodes]) -> Episodes:
    """Concatenate episodes. Raises ValueError where lengths or channels differ."""
    if len({(part.auctions, part.channels) for part in parts}) != 1:
        raise ValueError("episodes to join: expected the same auctions and channels in each")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    return Episodes(**arrays, channels=parts[0].channels)


def read_ipinyou(path: Path) -> Episodes:
    """One campaign's replay file as Cai et al. (2017) published it; the campaign is the file's name up to a dot.

    The first line ends with the auctions per episode. Each episode is a line with its number, then a line per auction:
    click, market price and predicted click rate, separated by tabs. Raises ValueError for another format.
    """
    names = ["click", "market_price", "predicted_ctr"]
    lines = pd.read_csv(path, sep="\t", header=None, names=names, dtype=float)
    length = int(lines["market_price"].iloc[0])
    rows = lines.iloc[1:].dropna().to_numpy()
    episodes, left = divmod(len(rows), length)
    if left or len(lines) != 1 + episodes * (length + 1):
        raise ValueError(f"{path}: expected whole episodes of {length} auctions, each after its number")
    click, price, ctr = rows.reshape(episodes, length, 3).transpose(2, 0, 1).copy()
    zeros = np.zeros((episodes, length), dtype=np.int64)
    campaign = np.full(episodes, path.name.partition(".")[0])
    return Episodes(campaign, ctr, price, click, click, ctr, zeros, zeros, zeros)


def from_table(auctions: pd.DataFrame, length: int) -> Episodes:
    """A canonical `auctions` table cut into episodes of `length` auctions, in order of time where it has one.

    The expected value is `predicted_value` where the table has it, else `predicted_ctr`. Incomplete episodes are left
    out. Raises `InvalidRows` naming a missing column, a missing value or a negative price.
    """
    _check(auctions)
    rows = auctions.sort_values("occurred_at", kind="stable") if "occurred_at" in auctions else auctions
    place = rows.groupby("campaign_id").cumcount()
    size = rows.groupby("campaign_id")["click"].transform("size")
    rows = rows[place < size // length * length].sort_values("campaign_id", kind="stable")
    ctr, click = _numbers(rows, "predicted_ctr"), _numbers(rows, "click")
    hour, weekday = _time(rows)
    channel, channels = _channels(rows)
    columns: dict[str, npt.NDArray[Any]] = {
        "predicted_ctr": ctr,
        "market_price": _numbers(rows, "market_price"),
        "click": click,
        "value": _numbers(rows, "conversion_value") if "conversion_value" in rows else click,
        "expected_value": _numbers(rows, "predicted_value") if "predicted_value" in rows else ctr,
        "hour": hour,
        "weekday": weekday,
        "channel": channel,
    }
    arrays = {name: column.reshape(-1, length) for name, column in columns.items()}
    campaign = rows["campaign_id"].to_numpy(dtype=str).reshape(-1, length)[:, 0]
    return Episodes(campaign, **arrays, channels=channels)


def _check(auctions: pd.DataFrame) -> None:
    for name in REQUIRED:
        if name not in auctions:
            raise InvalidRows(name, "a column of this name", "no such column")
        if auctions[name].isna().any():
            raise InvalidRows(name, "a value in every auction", None)
    lowest = auctions["market_price"].min()
    if lowest < 0:
        raise InvalidRows("market_price", "at least 0", lowest)


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy(dtype=np.float64, na_value=0.0)


def _time(rows: pd.DataFrame) -> tuple[Integers, Integers]:
    if "occurred_at" not in rows:
        return np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    moments = pd.DatetimeIndex(rows["occurred_at"])
    return np.asarray(moments.hour, dtype=np.int64), np.asarray(moments.weekday, dtype=np.int64)


def _channels(rows: pd.DataFrame) -> tuple[Integers, tuple[str, ...]]:
    if "channel" not in rows:
        return np.zeros(len(rows), dtype=np.int64), ("",)
    codes, names = pd.factorize(rows["channel"].fillna("").astype(str), sort=True)
    return codes.astype(np.int64), tuple(names)
