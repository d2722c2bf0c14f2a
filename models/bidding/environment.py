"""Replays logged auctions with other bids, one auction at a time, vectorized over episodes and budgets."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from models.bidding.auctions import Episodes, Floats, Integers
from models.bidding.hindsight import optimum
from models.bidding.observation import NEWEST, Observation

#: What a winner pays: the highest competing bid (second-price) or its own (first-price).
Pricing = Literal["second", "first"]
#: What a replay adds up of the auctions that are won.
WON = ("clicks", "value", "expected_value", "wins")


class Policy(Protocol):
    """A bidding policy: a pure function of the observation."""

    def bid(self, seen: Observation) -> Floats:
        """Bids for the current auctions, of (episodes,), in the log's currency; 0 is no bid."""


@dataclass(frozen=True)
class ReplayOutcome:
    """Results of replayed episodes; every array has the shape of the budgets."""

    clicks: Floats
    value: Floats
    expected_value: Floats
    wins: Floats
    cost: Floats
    episodes: Episodes
    budget: Floats

    @cached_property
    def optimum(self) -> Floats:
        """The optimal value in hindsight: see `hindsight.optimum`. Tuning asks for none."""
        return optimum(self.episodes, self.budget)


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
        self.budgets = budget.size // max(len(episodes), 1)
        #: Whose auctions each line of an episode and a budget meets.
        self.episode = np.tile(np.arange(len(episodes)), self.budgets)
        self.campaigns = tuple(episodes.campaigns)
        self.campaign = np.searchsorted(np.array(self.campaigns), episodes.campaign).take(self.episode)
        self.budget = budget.ravel().astype(float)
        self.left = self.budget.copy()
        self.at = 0
        self.won = np.zeros((len(WON), budget.size))
        self.offered_value, self.recent_cost, self.debt = (np.zeros(budget.size) for _ in range(3))
        # Auctions are read one at a time: next to each other in memory.
        columns = ("market_price", "expected_value", "hour", "weekday", "channel")
        self.columns = {name: np.ascontiguousarray(getattr(episodes, name).T) for name in columns}
        offers = (episodes.click, episodes.value, episodes.expected_value, np.ones_like(episodes.click))
        self.columns["offers"] = np.ascontiguousarray(np.transpose(offers, (2, 0, 1)))

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
            wins=self.won[WON.index("wins")],
            offered_value=self.offered_value,
            recent_cost=self.recent_cost,
            pacing_debt=self.debt,
        )

    def settle(self, bids: Floats) -> tuple[Floats, Floats]:
        """Run the auction. Returns wins, as 0 and 1, and costs."""
        bids, price = np.minimum(bids, self.left), self._now("market_price")
        won = ((bids >= price) & (bids > 0)).astype(float)
        paid = np.where(won > 0, price if self.pricing == "second" else bids, 0.0)
        self.won = self.won + won * self._now("offers")
        self.left = self.left - paid
        self._remember(paid)
        self.at += 1
        return won, paid

    def follow(self, line: Integers) -> None:
        """Set the state of all lines of an episode to that of one `line`, of (episodes,).

        With one budget in all lines, this tries several bids on the same auctions and continues from the chosen one.
        """
        picked = (line * len(self.episodes)).take(self.episode) + self.episode
        self.won = self.won[:, picked]
        self.left, self.debt = self.left[picked], self.debt[picked]
        self.offered_value = self.offered_value[picked]
        self.recent_cost = self.recent_cost[picked]

    def outcome(self) -> ReplayOutcome:
        """The results so far."""
        won = dict(zip(WON, self.won.reshape(-1, *self.shape), strict=True))
        cost, budget = self.budget - self.left, self.budget.reshape(self.shape)
        return ReplayOutcome(**won, cost=cost.reshape(self.shape), episodes=self.episodes, budget=budget)

    def _now(self, column: str) -> npt.NDArray[Any]:
        """Of the current auction, once for every budget: where budgets are many, a copy is several times as fast as
        looking each line's episode up."""
        of_episodes = self.columns[column][self.at]
        repeated = of_episodes[..., None, :].repeat(self.budgets, axis=-2)
        return repeated.reshape(*of_episodes.shape[:-1], -1)

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
