"""Parameters of the bidding family."""

from pydantic import PositiveInt

from features.examples import Window
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule
from models.bidding.environment import Pricing
from models.bidding.reserve import Goal, Spend
from models.family import FamilyParams


class BiddingParams(FamilyParams):
    """The `bidding` section of `params.yaml`.

    In `window`, the horizon is the length of the test split and of the valid split before it; campaign features are
    computed every `step_days`, and train examples need the minimum history.
    """

    window: Window
    #: What is bought: every click counts the same, or each conversion by its value, where the log tells that.
    goal: Goal
    #: What a winner pays: the highest bid of the others, or its own. In first-price auctions bids are shaded.
    pricing: Pricing
    #: What a budget is for: to be spent as far as it brings what was planned for its last unit, or all of it.
    spend: Spend
    #: In an episode, where the log does not tell its episodes.
    auctions: PositiveInt
    #: Of the deep Q-network: see `dqn.training.Schedule`.
    rounds: PositiveInt
    episodes: PositiveInt
    steps: PositiveInt

    #: Of the network too, beside the value won: see `dqn.reward.Reward`.
    reward: Reward

    @property
    def schedule(self) -> Schedule:
        """The network's training schedule."""
        return Schedule(rounds=self.rounds, episodes=self.episodes, steps=self.steps)
