"""Experience to learn from: logged auctions drawn anew into episodes, every turn of the bid tried on each stretch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.bidding import market
from models.bidding.auctions import ARRAYS, Episodes, Floats, Integers
from models.bidding.dqn.state import FEATURES, TURNS, features
from models.bidding.environment import Replay
from models.bidding.market import Markets
from models.bidding.planning import Plans
from models.bidding.policies.pacing import reference

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
    """What came of every turn, of as many rows as there were stretches.

    `state` is of (rows, FEATURES), `reward` of (rows, TURNS), `after` of (rows, TURNS, FEATURES), `last` of (rows,).
    """

    state: Singles
    reward: Singles
    after: Singles
    last: Singles


def nothing() -> Experience:
    """No rows."""
    turns = len(TURNS)
    shapes = ((0, FEATURES), (0, turns), (0, turns, FEATURES), (0,))
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
    choose: Callable[[Singles], Integers],
    rng: np.random.Generator,
) -> Experience:
    """Play episodes with budgets of many sizes; on each stretch try all turns from one state, and go on from one.

    That logs hold every price makes this possible: turns are compared on the same auctions, so their noise cancels.
    Wins count by their calibrated value, as realised clicks are too rare to learn from. The reward is shaped by what
    the plans expect of the money and time a stretch used up: Ng et al., "Policy Invariance under Reward
    Transformations" (1999). The network learns what the plans do not know. `choose` takes states and says by which turn
    to go on.
    """
    share = np.exp(rng.uniform(np.log(BUDGETS[0]), np.log(BUDGETS[1]), len(episodes)))
    budget = market.budgets(markets, episodes, (1.0,))[0] * share
    game = Replay(episodes, np.tile(budget, (len(TURNS), 1)), market.pricing(markets))
    turn = np.repeat(np.exp(TURNS), len(episodes))
    rows = []
    while not game.over:
        seen = game.observe()
        state = features(markets, seen)[: len(episodes)]
        reward = -plans.prospect(seen, market.prices(markets, seen)) + _stretch(game, markets, turn)
        if game.over:
            after, last = np.zeros((len(turn), state.shape[1])), 1.0
        else:
            seen = game.observe()
            reward = reward + plans.prospect(seen, market.prices(markets, seen))
            after, last = features(markets, seen), 0.0
            game.follow(choose(state))
        rows.append((state, _by_row(reward / REWARD), _by_row(after), np.full(len(state), last)))
    parts = [np.concatenate(column).astype(np.float32) for column in zip(*rows, strict=True)]
    return Experience(*parts)


def _stretch(game: Replay, markets: Markets, turn: Floats) -> Floats:
    """Play some auctions with each line's turn, and say what they won."""
    total = np.zeros(len(turn))
    for _ in range(min(STRETCH, game.episodes.auctions - game.at)):
        seen = game.observe()
        worth = market.worth(markets, seen)
        bid = turn * reference(markets, seen) * worth * market.prices(markets, seen)
        won, _ = game.settle(market.shaded(markets, seen, bid))
        total += won * worth
    return total


def _by_row(lines: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """From a turn after the other to (rows, TURNS, ...)."""
    return np.swapaxes(lines.reshape(len(TURNS), -1, *lines.shape[1:]), 0, 1)
