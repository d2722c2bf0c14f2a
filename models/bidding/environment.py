"""Logged auctions played again with other bids, one auction at a time over many episodes and budgets at once."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bidding.auctions import Episodes, Floats, Integers
from models.bidding.hindsight import optimum
from models.bidding.observation import NEWEST, Observation

#: What a winner pays: the highest bid of the others, or its own.
Pricing = Literal["second", "first"]


class Policy(Protocol):
    """A way to bid. Its answer depends on what it is shown and on nothing else."""

    def bid(self, seen: Observation) -> Floats:
        """What to bid in each auction on offer, of (episodes,), in the log's currency; 0 is no bid."""


@dataclass(frozen=True)
class Outcome:
    """What came of episodes; every array has the shape of the budgets they were played with.

    `optimum` is the most value that money could have bought, knowing everything: see `hindsight.optimum`.
    """

    clicks: Floats
    value: Floats
    expected_value: Floats
    cost: Floats
    wins: Floats
    optimum: Floats

    @property
    def share(self) -> float:
        """Value won of all episodes as a share of what hindsight would have won; NaN where there was nothing to win."""
        most = float(self.optimum.sum())
        return float(self.value.sum()) / most if most else float("nan")

    def frame(self) -> pd.DataFrame:
        """One row an episode and budget, budgets one after the other."""
        return pd.DataFrame({name: array.ravel() for name, array in vars(self).items()})


class Replay:
    """Episodes under way: `observe` what is on offer, `settle` what was bid, until `over`.

    A bid wins at or above the market price, ties included, as the log's price is what winning took; a bid of 0 or less
    is none. A bid is capped at the budget left, so no win can cost more than that.
    """

    def __init__(self, episodes: Episodes, budget: Floats, pricing: Pricing = "second") -> None:
        """`budget` is of (episodes,), or of (budgets, episodes) to play every episode with several budgets.

        Raises ValueError where a budget is negative or not finite, or the shape is another.
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
        """The auction on offer in every episode."""
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
        """Hold the auction: which episodes won it, as 0 and 1, and what each paid."""
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
        """Go on in every line of an episode from the state of one: `line` says which, of (episodes,).

        With one budget in all lines, this tries several bids on the same auctions and goes on from the chosen one.
        """
        picked = (line * len(self.episodes)).take(self.episode) + self.episode
        self.won = {name: array[picked] for name, array in self.won.items()}
        self.left, self.debt = self.left[picked], self.debt[picked]
        self.offered_value = self.offered_value[picked]
        self.recent_cost = self.recent_cost[picked]

    def outcome(self) -> Outcome:
        """What was won so far."""
        won = {name: array.reshape(self.shape) for name, array in self.won.items()}
        cost = (self.budget - self.left).reshape(self.shape)
        return Outcome(**won, cost=cost, optimum=optimum(self.episodes, self.budget.reshape(self.shape)))

    def _now(self, column: str) -> npt.NDArray[Any]:
        return np.asarray(self.columns[column][self.at].take(self.episode))

    def _remember(self, paid: Floats) -> None:
        self.offered_value = self.offered_value + self._now("expected_value")
        self.recent_cost = self.recent_cost + NEWEST * (paid - self.recent_cost)
        spent = 1 - self.left / np.maximum(self.budget, np.finfo(float).tiny)
        self.debt = self.debt + (self.at + 1) / self.episodes.auctions - spent


def replay(episodes: Episodes, budget: Floats, policy: Policy, pricing: Pricing = "second") -> Outcome:
    """Play whole episodes by a policy; shapes and errors as for `Replay`."""
    game = Replay(episodes, budget, pricing)
    while not game.over:
        game.settle(policy.bid(game.observe()))
    return game.outcome()
