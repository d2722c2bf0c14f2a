"""Replays logged auctions with other bids, one auction at a time, vectorized over episodes and budgets."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bidding.auctions import Episodes, Floats, Integers
from models.bidding.hindsight import optimum
from models.bidding.observation import NEWEST, Observation

#: What a winner pays: the highest competing bid (second-price) or its own (first-price).
Pricing = Literal["second", "first"]


class Policy(Protocol):
    """A bidding policy: a pure function of the observation."""

    def bid(self, seen: Observation) -> Floats:
        """Bids for the current auctions, of (episodes,), in the log's currency; 0 is no bid."""


@dataclass(frozen=True)
class ReplayOutcome:
    """Results of replayed episodes; every array has the shape of the budgets.

    `optimum` is the optimal value in hindsight: see `hindsight.optimum`.
    """

    clicks: Floats
    value: Floats
    expected_value: Floats
    cost: Floats
    wins: Floats
    optimum: Floats

    @property
    def share(self) -> float:
        """Total value won as a share of the optimum in hindsight; NaN where there was nothing to win."""
        most = float(self.optimum.sum())
        return float(self.value.sum()) / most if most else float("nan")

    def frame(self) -> pd.DataFrame:
        """One row per episode and budget, sorted by budget."""
        return pd.DataFrame({name: array.ravel() for name, array in vars(self).items()})


class AuctionReplay:
    """A running replay: `observe` the current auctions, `settle` the bids, until `over`.

    A bid wins at or above the market price, ties included, as the log's price is what winning took; a bid of 0 or less
    is no bid. Bids are capped at the remaining budget.
    """

    def __init__(self, episodes: Episodes, budget: Floats, pricing: Pricing = "second") -> None:
        """`budget` is of (episodes,), or of (budgets, episodes) to replay every episode with several budgets.

        Raises ValueError for a negative or infinite budget, or another shape.
        """
        if budget.shape[-1] != len(episodes) or not ((budget >= 0) & np.isfinite(budget)).all():
            raise ValueError(f"budget: expected amounts of at least 0, {len(episodes)} a line, got {budget.shape}")
        self.episodes, self.pricing, self.shape = episodes, pricing, budget.shape
        #: Whose auctions each line of an episode and a budget meets.
        self.episode = np.tile(np.arange(len(episodes)), budget.size // max(len(episodes), 1))
        self.campaigns = tuple(episodes.campaigns)
        self.campaign = np.searchsorted(np.array(self.campaigns), episodes.campaign).take(self.episode)
        self.budget = budget.ravel().astype(float)
        self.left = self.budget.copy()
        self.at = 0
        names = ("clicks", "value", "expected_value", "wins")
        self.won = {name: np.zeros(budget.size) for name in names}
        self.offered_value, self.recent_cost, self.debt = (np.zeros(budget.size) for _ in range(3))
        # Auctions are read one at a time: next to each other in memory.
        columns = ("market_price", "click", "value", "expected_value", "hour", "weekday", "channel")
        self.columns = {name: np.ascontiguousarray(getattr(episodes, name).T) for name in columns}

    @property
    def over(self) -> bool:
        """Whether no auction is left."""
        return self.at >= self.episodes.auctions

    def observe(self) -> Observation:
        """The current auction of every episode."""
        count = self.episodes.auctions
        return Observation(
            campaign=self.campaign,
            campaigns=self.campaigns,
            budget=self.budget,
            left=self.left,
            auctions=np.full(len(self.left), float(count)),
            remaining=np.full(len(self.left), float(count - self.at)),
            expected_value=self._now("expected_value"),
            hour=self._now("hour"),
            weekday=self._now("weekday"),
            channel=self._now("channel"),
            channels=self.episodes.channels,
            wins=self.won["wins"],
            offered_value=self.offered_value,
            recent_cost=self.recent_cost,
            pacing_debt=self.debt,
        )

    def settle(self, bids: Floats) -> tuple[Floats, Floats]:
        """Run the auction. Returns wins, as 0 and 1, and costs."""
        bids, price = np.minimum(bids, self.left), self._now("market_price")
        won = ((bids >= price) & (bids > 0)).astype(float)
        paid = np.where(won > 0, price if self.pricing == "second" else bids, 0.0)
        gains = {"clicks": "click", "value": "value", "expected_value": "expected_value"}
        self.won = {name: self.won[name] + won * self._now(column) for name, column in gains.items()} | {
            "wins": self.won["wins"] + won
        }
        self.left = self.left - paid
        self._remember(paid)
        self.at += 1
        return won, paid

    def follow(self, line: Integers) -> None:
        """Set the state of all lines of an episode to that of one `line`, of (episodes,).

        With one budget in all lines, this tries several bids on the same auctions and continues from the chosen one.
        """
        picked = (line * len(self.episodes)).take(self.episode) + self.episode
        self.won = {name: array[picked] for name, array in self.won.items()}
        self.left, self.debt = self.left[picked], self.debt[picked]
        self.offered_value = self.offered_value[picked]
        self.recent_cost = self.recent_cost[picked]

    def outcome(self) -> ReplayOutcome:
        """The results so far."""
        won = {name: array.reshape(self.shape) for name, array in self.won.items()}
        cost = (self.budget - self.left).reshape(self.shape)
        return ReplayOutcome(**won, cost=cost, optimum=optimum(self.episodes, self.budget.reshape(self.shape)))

    def _now(self, column: str) -> npt.NDArray[Any]:
        return np.asarray(self.columns[column][self.at].take(self.episode))

    def _remember(self, paid: Floats) -> None:
        self.offered_value = self.offered_value + self._now("expected_value")
        self.recent_cost = self.recent_cost + NEWEST * (paid - self.recent_cost)
        spent = 1 - self.left / np.maximum(self.budget, np.finfo(float).tiny)
        self.debt = self.debt + (self.at + 1) / self.episodes.auctions - spent


def replay(episodes: Episodes, budget: Floats, policy: Policy, pricing: Pricing = "second") -> ReplayOutcome:
    """Replay whole episodes with a policy; shapes and errors as for `AuctionReplay`."""
    game = AuctionReplay(episodes, budget, pricing)
    while not game.over:
        game.settle(policy.bid(game.observe()))
    return game.outcome()
