"""Gathers experience: resamples logged auctions into episodes, and tries every action on each stretch of auctions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from models.bidding import market
from models.bidding.auctions import ARRAYS, Episodes, Floats, Integers
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.state import FEATURES, KEEP, TURNS, features
from models.bidding.environment import AuctionReplay
from models.bidding.market import Markets
from models.bidding.planning import Plans

Singles = npt.NDArray[np.float32]
#: Auctions for which a turn is held while learning.
STRETCH = 20
#: Budgets to learn for, as shares of the cost of winning everything; drawn evenly in their logarithm.
BUDGETS = (1 / 64, 1 / 2)
#: Prices of an episode are shifted together by this much (standard deviation of the logarithm), to learn to adapt.
SHIFT = 0.1
#: Rewards are divided by this: about the spread of what a stretch wins.
REWARD = 5.0


@dataclass(frozen=True)
class Experience:
    """The result of every action in every branch, one row per stretch.

    `state` is of (rows, FEATURES), `reward` of (rows, branches, TURNS), `after` of (rows, branches, TURNS, FEATURES),
    `last` of (rows,).
    """

    state: Singles
    reward: Singles
    after: Singles
    last: Singles


def nothing(branches: int) -> Experience:
    """No rows."""
    turns = len(TURNS)
    shapes = ((0, FEATURES), (0, branches, turns), (0, branches, turns, FEATURES), (0,))
    return Experience(*(np.zeros(shape, dtype=np.float32) for shape in shapes))


def resample(episodes: Episodes, campaign_episodes: int, rng: np.random.Generator) -> Episodes:
    """New episodes of each campaign: auctions drawn with replacement from one logged episode each, prices shifted."""
    places = [np.flatnonzero(episodes.campaign == name) for name in episodes.campaigns]
    source = np.concatenate([rng.choice(place, campaign_episodes) for place in places])
    drawn = rng.integers(0, episodes.auctions, (len(source), episodes.auctions))
    arrays = {name: getattr(episodes, name)[source[:, None], drawn] for name in ARRAYS if name != "campaign"}
    arrays["market_price"] = arrays["market_price"] * np.exp(rng.normal(0, SHIFT, (len(source), 1)))
    return Episodes(campaign=episodes.campaign[source], **arrays, channels=episodes.channels)


def gather(
    episodes: Episodes,
    markets: Markets,
    plans: Plans,
    rewarded: Reward,
    choose: Callable[[Singles], Integers],
    rng: np.random.Generator,
) -> Experience:
    """Replay episodes with many budgets; on each stretch try all actions from one state, and continue from one.

    Logs have every price, so actions are compared on the same auctions and their noise cancels. With several channels,
    each is a branch: its actions are tried while the others take the chosen ones; on the last stretch they keep the
    bid. Wins count by their calibrated value, as realized clicks are too rare; `rewarded` adds further terms in the
    same unit. The reward is shaped by the planned value of the money and time that a stretch used: Ng et al., "Policy
    Invariance under Reward Transformations" (1999). `choose` maps states to the actions to continue with, of (rows,
    branches).
    """
    share = np.exp(rng.uniform(np.log(BUDGETS[0]), np.log(BUDGETS[1]), len(episodes)))
    budget = market.budgets(markets, episodes, (1.0,))[0] * share
    branches = len(episodes.channels)
    game = AuctionReplay(episodes, np.tile(budget, (branches * len(TURNS), 1)), market.pricing(markets))
    by_row = partial(_by_row, branches)
    whole = plans.prospect(game.observe(), market.prices(markets, game.observe()))
    rows = []
    while not game.over:
        seen = game.observe()
        state = features(markets, seen)[: len(episodes)]
        final = seen.remaining[0] <= STRETCH
        going = np.full((len(episodes), branches), KEEP) if final else choose(state)
        reward = -plans.prospect(seen, market.prices(markets, seen)) + _stretch(game, markets, rewarded, _tried(going))
        reward = reward - whole * _penalty(game, rewarded, seen.remaining[0])
        if final:
            after = np.zeros((len(reward), FEATURES), dtype=np.float32)
        else:
            seen = game.observe()
            reward = reward + plans.prospect(seen, market.prices(markets, seen))
            after = features(markets, seen)
            game.follow(going[:, 0])
        rows.append((state, by_row(reward / REWARD), by_row(after), np.full(len(state), float(final))))
    parts = [np.concatenate(column).astype(np.float32) for column in zip(*rows, strict=True)]
    return Experience(*parts)


def _tried(going: Integers) -> Floats:
    """Factors on bids by line and channel: each branch tries every turn while the others take those of `going`.

    Of (branches * TURNS * episodes, branches), from `going` of (episodes, branches).
    """
    branches = going.shape[1]
    turns = np.tile(going, (branches, len(TURNS), 1, 1))
    for branch in range(branches):
        turns[branch, :, :, branch] = np.arange(len(TURNS))[:, None]
    return np.asarray(np.exp(TURNS)[turns.reshape(-1, branches)])


def _stretch(game: AuctionReplay, markets: Markets, rewarded: Reward, turns: Floats) -> Floats:
    """Replay one stretch with each line's actions. Returns the rewards."""
    lines = np.arange(len(turns))
    total = np.zeros(len(turns))
    for _ in range(min(STRETCH, game.episodes.auctions - game.at)):
        seen = game.observe()
        worth = market.worth(markets, seen)
        bid = turns[lines, seen.channel] * market.reference(markets, seen) * worth * market.prices(markets, seen)
        won, _ = game.settle(market.shaded(markets, seen, bid))
        total += won * rewarded.of_win(worth)
    return total


def _penalty(game: AuctionReplay, rewarded: Reward, remaining: float) -> Floats:
    """Penalty of a stretch with `remaining` auctions before it, as a share of the planned value of the budget."""
    auctions = game.episodes.auctions
    left = game.left / np.maximum(game.budget, np.finfo(float).tiny)
    return rewarded.penalty(left, float(remaining) / auctions, 1 - game.at / auctions)


def _by_row(branches: int, lines: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Reshape lines to (rows, branches, TURNS, ...)."""
    return np.moveaxis(lines.reshape(branches, len(TURNS), -1, *lines.shape[1:]), 2, 0)
