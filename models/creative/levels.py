"""Where a prediction starts: the level of the campaign, times what the creative did so far or its text is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from models.creative.outputs import CTR, EDGE, Array, Output

#: A function to the numbers of a column, NaN where missing.
Column = Callable[[str], Array]
#: Counts of a creative so far and in the last week, and its format's ratio.
HISTORY = ("shown_clicks", "shown_expected_clicks", "shown_clicks_7d", "shown_expected_clicks_7d", "format_lift")


@dataclass(frozen=True)
class Levels:
    """Newest rates by campaign and of the account, for requests without them."""

    campaigns: Mapping[str, Mapping[str, float]]
    account: Mapping[str, float]

    @classmethod
    def fit(cls, frame: pd.DataFrame, outputs: Sequence[Output]) -> Self:
        """From the newest examples of each campaign, and the outcomes of all."""
        newest = frame.sort_values("event_timestamp", kind="stable").dropna(subset=["campaign_id"])
        names = {one.name: f"campaign_{one.name}" for one in outputs}
        last = newest.groupby("campaign_id")[list(names.values())].last().set_axis(list(names), axis=1)
        campaigns = {str(key): _numbers(row) for key, row in last.iterrows()}
        account = {}
        for one in outputs:
            events, trials = one.counts(frame[one.told(frame)])
            account[one.name] = float(events.sum() / trials.sum())
        return cls(campaigns, account)

    def of(self, output: Output, column: Column, campaigns: Sequence[str | None]) -> Array:
        """The level of each row: its campaign's by the features, else as learnt, else the account's."""
        level = column(f"campaign_{output.name}")
        missing = np.isnan(level)
        if missing.any():
            known = np.array([self.campaigns.get(one or "", {}).get(output.name, np.nan) for one in campaigns])
            account = column(f"account_{output.name}")
            account = np.where(np.isnan(account), self.account[output.name], account)
            level = np.where(missing, np.where(np.isnan(known), account, known), level)
        return np.asarray(np.maximum(level, EDGE))


def _numbers(row: "pd.Series[Any]") -> dict[str, float]:
    return {str(name): float(value) for name, value in row.dropna().items()}


@dataclass(frozen=True)
class HistoryPrior:
    """A creative's ratio of clicks to expected ones, drawn to what its format and text let expect.

    Attributes:
        prior: clicks that the expectation counts for.
        trust: power of the text's worth in it.
        older: weight of clicks before the last week.
    """

    prior: float
    trust: float
    older: float

    def lift(self, column: Column, score: Array) -> Array:
        """The ratio of each row; exp(trust * score) times its format's where nothing was shown."""
        clicks, expected, clicks_7d, expected_7d = self._counts(column)
        kind = np.nan_to_num(column(HISTORY[4]), nan=1.0) * np.exp(self.trust * score)
        counted = clicks_7d + self.older * (clicks - clicks_7d)
        of = expected_7d + self.older * (expected - expected_7d)
        return np.asarray((counted + self.prior * kind) / (of + self.prior))

    def exposure(self, column: Column) -> Array:
        """Expected clicks that the ratio rests on."""
        _, expected, _, expected_7d = self._counts(column)
        return np.asarray(expected_7d + self.older * (expected - expected_7d))

    def _counts(self, column: Column) -> Array:
        """The counts of `HISTORY`; without one of them, none: clicks tell nothing without those expected."""
        counts = np.stack([column(name) for name in HISTORY[:4]])
        return np.where(np.isnan(counts).any(axis=0), 0.0, counts)

    @classmethod
    def fit(cls, frame: pd.DataFrame, score: Array) -> Self:
        """Maximum likelihood of each creative's share of the clicks of its campaign, context and window."""
        from scipy.optimize import minimize

        told = CTR.told(frame)
        frame, score = frame[told], score[told]
        peers = frame.groupby(["event_timestamp", "campaign_id", "channel", "audience"], dropna=False).ngroup()
        place, clicks = peers.to_numpy(), frame["clicks"].to_numpy(dtype=np.float64)
        shown = frame["impressions"].to_numpy(dtype=np.float64)
        column = columns_of(frame)

        def loss(values: Array) -> float:
            lift = shown * cls.read(values).lift(column, score)
            share = lift / np.bincount(place, lift)[place]
            # A weak prior keeps what the data does not tell where it starts.
            return float(-clicks @ np.log(share) + np.sum((values - START) ** 2))

        return cls.read(minimize(loss, START, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.1}).x)

    @classmethod
    def read(cls, values: Array) -> Self:
        """From unbounded numbers."""
        return cls(float(np.exp(values[0])), float(values[1]), float(1 / (1 + np.exp(-values[2]))))


#: Before anything is known: a prior of 12 clicks, texts trusted, older clicks worth three in four.
START = np.array([2.5, 1.0, 1.0])


def columns_of(frame: pd.DataFrame) -> Column:
    """The numbers of a frame by column; NaN for one it lacks."""
    kept: dict[str, Array] = {}

    def column(name: str) -> Array:
        if name not in kept:
            values: Any = frame[name] if name in frame else np.full(len(frame), np.nan)
            kept[name] = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64)
        return kept[name]

    return column
