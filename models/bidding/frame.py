"""Columns of the family's rows: request context, labels, and conversion between rows and episodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from features.movement import FEW, clock
from models.bidding.auctions import Episodes, Floats, Integers
from models.bidding.environment import Pricing
from models.bidding.observation import Observation
from models.inputs import InvalidRows
from models.tabular import require

ENTITY = "campaign_id"
#: What came of an auction. `episode` numbers those that share a budget; `value` is what winning brings; `optimal` is 1
#: where hindsight would have bought it for the episode's budget; `price_in_pace` is the market price as a multiple of
#: what the budget has for each auction, and `bid_in_pace` what a bid of 1 is of that where a winner pays its own bid,
#: else 0.
LABEL = ("episode", "market_price", "click", "value", "optimal", "price_in_pace", "bid_in_pace")
#: What a bidder knows of its results, as in `Observation`.
RESULTS = ("left", "remaining", "wins", "offered_value", "recent_cost", "pacing_debt")
#: What a request brings. `predicted_value` is what winning is expected to bring, as predicted by whoever asks.
CONTEXT = (ENTITY, "predicted_value", "hour", "weekday", "channel", "budget", "auctions", *RESULTS)
#: Those that are not a sample of the same all the time: budgets are a few, by campaign.
MOVES = {"hour": clock(0, 23), "weekday": clock(0, 6), "budget": FEW, "auctions": FEW}
#: What a number is taken to be where a request leaves it out: nothing to spend, nothing known.
_ABSENT: Mapping[str, float] = dict.fromkeys(CONTEXT, 0.0) | {"auctions": 1.0, "remaining": 1.0}
#: Features of the service that tell where prices stand; missing ones are.
PRICE, PRICES = "price_7d", "auctions_7d"
NUMBERS = tuple(name for name in CONTEXT if name not in (ENTITY, "channel"))


def observed(rows: pd.DataFrame) -> Observation:
    """Convert rows to observations. Raises `InvalidRows` for a missing column or a non-finite or non-numeric value."""
    require(rows, CONTEXT)
    return observation({name: number(rows, name) for name in NUMBERS}, _texts(rows, ENTITY), _texts(rows, "channel"))


def observation(numbers: Mapping[str, Floats], campaigns: Sequence[str], channels: Sequence[str]) -> Observation:
    """The same from the columns `NUMBERS` as arrays, NaN where a number is missing, and texts, '' where one is."""
    known: dict[str, Any] = {name: np.nan_to_num(numbers[name], nan=_ABSENT[name]) for name in NUMBERS}
    # Where nobody knows how many auctions are left, all of the money would be for this one.
    known["left"] = np.where(np.isnan(numbers["remaining"]), _ABSENT["left"], known["left"])
    known["remaining"] = np.maximum(known["remaining"], 1.0)
    known["auctions"] = np.maximum(known["auctions"], known["remaining"])
    known |= {name: known[name].astype(np.int64) for name in ("hour", "weekday")}
    campaign, names = _codes(campaigns)
    channel, channel_names = _codes(channels)
    expected = np.maximum(known.pop("predicted_value"), 0.0)
    return Observation(
        campaign=campaign,
        campaigns=names,
        channel=channel,
        channels=channel_names,
        expected_value=expected,
        **known,
    )


def number(rows: pd.DataFrame, name: str) -> Floats:
    """A column of numbers, NaN where missing. Raises `InvalidRows` on other types and on infinity."""
    column = rows[name]
    if column.dtype.kind not in "iuf":
        for value in column.dropna():
            if types.is_bool(value) or not types.is_number(value):
                raise InvalidRows(name, "a number", value)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise InvalidRows(name, "a finite number", values[np.isinf(values)][0])
    return np.asarray(values)


def _texts(rows: pd.DataFrame, name: str) -> list[str]:
    """A column of texts, '' where missing. Raises `InvalidRows` on other types."""
    column = rows[name].astype(object).where(rows[name].notna(), "").tolist()
    for value in column:
        if not isinstance(value, str):
            raise InvalidRows(name, "text", value)
    return column


def _codes(texts: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    """The index of each text, and the distinct texts."""
    codes, names = pd.factorize(np.array(texts, dtype=object))
    return codes.astype(np.int64), tuple(str(name) for name in names)


def pricing(rows: pd.DataFrame) -> Pricing:
    """The auction type of the examples."""
    return "first" if (rows["bid_in_pace"] > 0).any() else "second"


def episodes(rows: pd.DataFrame) -> tuple[Episodes, npt.NDArray[np.int64]]:
    """Convert examples to episodes, with the row index of each auction, of (episodes, auctions).

    Rows of an episode must be in order, but may be interleaved with others. Raises ValueError where episodes are
    incomplete or differ in length.
    """
    order = np.argsort(rows["episode"].to_numpy(), kind="stable")
    sizes = rows.groupby("episode").size().to_numpy()
    length = int(rows["auctions"].iloc[0]) if len(rows) else 0
    if not len(rows) or (sizes != length).any():
        raise ValueError(f"episodes: expected {length} auctions in each, got {sorted(set(sizes.tolist()))}")
    places = order.reshape(-1, length)
    codes, names = pd.factorize(rows["channel"], sort=True)
    columns: dict[str, npt.NDArray[Any]] = {
        name: rows[column].to_numpy(dtype=np.float64)[places]
        for name, column in (("predicted_ctr", "predicted_value"), ("expected_value", "predicted_value"), *_SAME)
    }
    columns |= {name: rows[name].to_numpy(dtype=np.int64)[places] for name in ("hour", "weekday")}
    campaign = rows[ENTITY].to_numpy(dtype=str)[places[:, 0]]
    return Episodes(campaign, **columns, channel=codes[places], channels=tuple(map(str, names))), places


_SAME = tuple((name, name) for name in ("market_price", "click", "value"))
