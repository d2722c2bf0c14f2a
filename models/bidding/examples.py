"""Builds examples from logged auctions: one row per auction, with its observation and outcome."""

from typing import Protocol

import numpy as np
import pandas as pd

from features import auctions as log
from features.delayed import OPEN
from features.examples import Window
from features.tables import Tables
from models.bidding import frame, hindsight, market
from models.bidding.auctions import Floats
from models.bidding.environment import AuctionReplay, Pricing
from models.bidding.fit import RATIOS
from models.bidding.policies.pacing import Pacing
from models.bidding.shading import priced

_OF_EPISODE = ["campaign_id", "number"]


class _Told(Protocol):
    """The parameters of the family that examples depend on."""

    @property
    def window(self) -> Window: ...

    @property
    def goal(self) -> str: ...

    @property
    def auctions(self) -> int: ...

    @property
    def pricing(self) -> Pricing: ...


def examples(tables: Tables, params: _Told, as_of: str | None = None, cutoff: str | None = None) -> pd.DataFrame:
    """The auctions of all whole episodes, by campaign and time.

    Splits follow time: test is after `cutoff` or in the last horizon, valid in the horizon before. Episodes across the
    end of a split are left out, as are campaigns without training episodes. The episodes' budgets cycle through
    `fit.RATIOS`. Budget, time and results in an observation are those of the pacing policy.

    Returns:
        campaign_id, event_timestamp (as of when features are known), split, the columns `frame.LABEL` and
        `frame.CONTEXT`.

    Raises:
        ValueError: history is too short (names the missing days), or the log has no value of conversions.
    """
    rows = _rows(log.read(tables, as_of), params)
    length = _length(rows, params.auctions)
    rows["number"] = rows.groupby("campaign_id").cumcount() // length
    rows = rows[rows.groupby(_OF_EPISODE)["click"].transform("size") == length]
    rows = _in_splits(rows, params.window, cutoff).reset_index(drop=True)
    # Budgets rotate from round to round, so that no time of day always has the same.
    ratio = np.array(RATIOS)[(rows["number"] + rows["number"] // len(RATIOS)) % len(RATIOS)]
    price = rows["market_price"].where(rows["split"] == "train").groupby(rows["campaign_id"]).transform("mean")
    rows = rows.assign(budget=ratio * price * length, auctions=float(length))
    rows["episode"] = np.arange(len(rows)) // length
    return _played(rows.assign(bid_in_pace=float(params.pricing == "first")))


def with_budgets(rows: pd.DataFrame, budget: Floats) -> pd.DataFrame:
    """The same examples with other budgets, one per row, and the optimum in hindsight for them."""
    rows = rows.assign(budget=budget)
    episodes, order = frame.episodes(rows)
    chosen = np.empty(len(rows))
    chosen[order.ravel()] = hindsight.chosen(episodes, budget[order[:, 0]]).ravel()
    pace = rows["budget"] / rows["auctions"]
    own = (rows["bid_in_pace"] > 0) / pace
    return rows.assign(optimal=chosen, price_in_pace=rows["market_price"] / pace, bid_in_pace=own)


def by_budget(test: pd.DataFrame, learnt: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The episodes of `test` with each budget of `fit.RATIOS`, by that ratio of the cost of winning everything at the
    mean price of `learnt`."""
    price = test["campaign_id"].map(learnt.groupby("campaign_id")["market_price"].mean())
    everything = price.fillna(test.groupby("campaign_id")["market_price"].transform("mean")) * test["auctions"]
    return {f"1/{1 / ratio:g}": with_budgets(test, (ratio * everything).to_numpy()) for ratio in RATIOS}


def _rows(auctions: pd.DataFrame, params: _Told) -> pd.DataFrame:
    """The log with the value of the goal (clicks or conversions).

    For conversions, auctions whose conversions are mostly pending are left out; values of the others are divided by the
    share that has happened.
    """
    value, predicted = "click", "predicted_ctr"
    if params.goal == "conversions":
        value, predicted = "conversion_value", "predicted_value"
        if auctions[[value, predicted]].isna().any(axis=None):
            raise ValueError(f"goal 'conversions': the table 'auctions' needs {value} and {predicted} in every row")
        auctions = auctions[auctions["matured"] >= OPEN].reset_index(drop=True)
        auctions = auctions.assign(conversion_value=auctions["conversion_value"] / auctions["matured"])
    names = ["campaign_id", "occurred_at", "dated", "episode", "market_price", "click", "hour", "weekday"]
    return auctions[names].assign(
        value=auctions[value],
        predicted_value=auctions[predicted],
        channel=auctions["channel"].fillna("").astype(str),
    )


def _length(rows: pd.DataFrame, otherwise: int) -> int:
    """Auctions per episode: the replay file's, where it has one length."""
    if rows["episode"].isna().any():
        return otherwise
    sizes = rows.groupby(["campaign_id", "episode"]).size().unique()
    return int(sizes[0]) if len(sizes) == 1 else otherwise


def _in_splits(rows: pd.DataFrame, window: Window, cutoff: str | None) -> pd.DataFrame:
    of_episode = rows.groupby(_OF_EPISODE)["occurred_at"]
    start, end = of_episode.transform("min"), of_episode.transform("max")
    end = end.where(
        rows["dated"], start
    )  # without timestamps each campaign has its own time, and no episode crosses a split
    horizon, step = pd.Timedelta(days=window.horizon_days), pd.Timedelta(days=window.step_days)
    test = pd.Timestamp(cutoff) if cutoff else rows["occurred_at"].max().ceil("D") - horizon
    valid = test - horizon
    missing = window.min_history_days - (valid - rows["occurred_at"].min().floor("D")).total_seconds() / 86400
    if missing > 0:
        raise ValueError(
            f"history is {missing:.1f} days too short for {window.min_history_days} days to learn from before "
            f"{window.horizon_days} to tune on and {window.horizon_days} to test on: set a shorter window"
        )
    parts = {"train": end < valid, "valid": (start >= valid) & (end < test), "test": start >= test}
    rows = rows.assign(
        split=np.select(list(parts.values()), list(parts), ""),
        event_timestamp=(test + np.floor((start - test).to_numpy() / step.to_timedelta64()) * step).astype(
            "datetime64[us]"
        ),
    )
    learnt = rows.loc[rows["split"] == "train", "campaign_id"].unique()
    return rows[(rows["split"] != "") & rows["campaign_id"].isin(learnt)]


def _played(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the observation before each auction of a bidder that paces by the market of the train split."""
    rows = with_budgets(rows, rows["budget"].to_numpy())
    episodes, order = frame.episodes(rows)
    learnt, _ = frame.episodes(rows[rows["split"] == "train"])
    pricing = frame.pricing(rows)
    markets = market.fit(learnt, pricing=pricing)
    policy = priced(Pacing.fit(markets), markets)
    game, seen = AuctionReplay(episodes, rows["budget"].to_numpy()[order[:, 0]], pricing), []
    while not game.over:
        seen.append(game.observe())
        game.settle(policy.bid(seen[-1]))
    known = {}
    for name in frame.RESULTS:
        known[name] = np.empty(len(rows))
        known[name][order.ravel()] = np.array([getattr(now, name) for now in seen]).T.ravel()
    return rows.assign(**known)[["campaign_id", "event_timestamp", "split", *frame.LABEL, *frame.CONTEXT[1:]]]
