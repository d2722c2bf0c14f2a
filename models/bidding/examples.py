"""From logged auctions to examples: one row an auction, with what its bidder knows and what came of it."""

from typing import Protocol

import numpy as np
import pandas as pd

from features import auctions as log
from features.delayed import OPEN
from features.examples import Window
from features.tables import Tables
from models.bidding import frame, hindsight, market
from models.bidding.auctions import Floats
from models.bidding.environment import Pricing, Replay
from models.bidding.fit import RATIOS
from models.bidding.policies.pacing import Pacing
from models.bidding.shading import priced

_OF_EPISODE = ["campaign_id", "number"]


class _Told(Protocol):
    """The part of the family's parameters that examples are made by."""

    @property
    def window(self) -> Window: ...

    @property
    def goal(self) -> str: ...

    @property
    def auctions(self) -> int: ...

    @property
    def pricing(self) -> Pricing: ...


def examples(tables: Tables, params: _Told, as_of: str | None = None, cutoff: str | None = None) -> pd.DataFrame:
    """Every auction of whole episodes, campaign after campaign, in order of time.

    Splits follow time: test is what came after `cutoff` or in the last horizon, valid what came in the horizon before.
    Episodes that lie across the end of a split are left out, and campaigns that have none to learn from. The episodes'
    budgets go around `fit.RATIOS`. What a bidder knows of its budget, time and results is that of one who paces.

    Returns:
        campaign_id, event_timestamp (as of when features are known), split, the columns `frame.LABEL` and
        `frame.CONTEXT`.

    Raises:
        ValueError: where history is too short (says by how much), or the log does not tell the value of conversions.
    """
    rows = _rows(log.read(tables, as_of), params)
    length = _length(rows, params.auctions)
    rows["number"] = rows.groupby("campaign_id").cumcount() // length
    rows = rows[rows.groupby(_OF_EPISODE)["click"].transform("size") == length]
    rows = _in_splits(rows, params.window, cutoff).reset_index(drop=True)
    # One budget after the other, and from a round to the next another one: no time of day has always the same.
    ratio = np.array(RATIOS)[(rows["number"] + rows["number"] // len(RATIOS)) % len(RATIOS)]
    price = rows["market_price"].where(rows["split"] == "train").groupby(rows["campaign_id"]).transform("mean")
    rows = rows.assign(budget=ratio * price * length, auctions=float(length))
    rows["episode"] = np.arange(len(rows)) // length
    return _played(rows.assign(bid_in_pace=float(params.pricing == "first")))


def with_budgets(rows: pd.DataFrame, budget: Floats) -> pd.DataFrame:
    """The same examples with other budgets, a budget a row, and what hindsight would have bought for them."""
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
    """The log in terms of what is bought.

    Of conversions, auctions that too few have come of yet are left out; those of the others are made as many more as
    are still to come.
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
    """Auctions in an episode: a replay's own, where it has one length."""
    if rows["episode"].isna().any():
        return otherwise
    sizes = rows.groupby(["campaign_id", "episode"]).size().unique()
    return int(sizes[0]) if len(sizes) == 1 else otherwise


def _in_splits(rows: pd.DataFrame, window: Window, cutoff: str | None) -> pd.DataFrame:
    of_episode = rows.groupby(_OF_EPISODE)["occurred_at"]
    start, end = of_episode.transform("min"), of_episode.transform("max")
    end = end.where(rows["dated"], start)  # campaigns without time have each their own clock: nothing lies across
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
    """With what a bidder knows before each auction, if it bids by the pacing of the market that train tells of."""
    rows = with_budgets(rows, rows["budget"].to_numpy())
    episodes, order = frame.episodes(rows)
    learnt, _ = frame.episodes(rows[rows["split"] == "train"])
    pricing = frame.pricing(rows)
    markets = market.fit(learnt, pricing=pricing)
    policy = priced(Pacing.fit(markets), markets)
    game, seen = Replay(episodes, rows["budget"].to_numpy()[order[:, 0]], pricing), []
    while not game.over:
        seen.append(game.observe())
        game.settle(policy.bid(seen[-1]))
    known = {}
    for name in frame.RESULTS:
        known[name] = np.empty(len(rows))
        known[name][order.ravel()] = np.array([getattr(now, name) for now in seen]).T.ravel()
    return rows.assign(**known)[["campaign_id", "event_timestamp", "split", *frame.LABEL, *frame.CONTEXT[1:]]]
