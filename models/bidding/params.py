"""What the bidding family learns by."""

from pydantic import PositiveInt

from features.examples import Window
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule
from models.bidding.environment import Pricing
from models.bidding.reserve import Goal, Spend
from models.family import Params


class BiddingParams(Params):
    """The `bidding` section of `params.yaml`.

    Of the window, the horizon is how long the test examples reach back from the end, and the valid ones from there;
    campaigns' features are as of every so many days (`step_days`), and train examples need their minimum of history.
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
        """How much the network learns."""
        return Schedule(rounds=self.rounds, episodes=self.episodes, steps=self.steps)
