"""Registry of policies: how to fit and load each, and how to choose the one to release."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule, Study
from models.bidding.environment import Policy, Pricing
from models.bidding.market import Market
from models.bidding.policies.chance import Random
from models.bidding.policies.constant import Constant
from models.bidding.policies.dqn import Dqn
from models.bidding.policies.linear import Linear
from models.bidding.policies.mcpc import Mcpc
from models.bidding.policies.ortb import Ortb
from models.bidding.policies.pacing import Pacing
from models.bidding.policies.pid import Pid
from models.bidding.policies.rlb import Rlb
from models.bidding.reserve import Goal, Spend
from models.bidding.shading import play

#: Budgets as shares of the cost of winning everything at the mean price of the log that is learnt from.
RATIOS = (1 / 32, 1 / 16, 1 / 8, 1 / 4)
#: Parts of the log, one after the other, each of which is held out once where policies are chosen between.
PARTS = 2


class SavablePolicy(Policy, Protocol):
    """A policy that can be saved."""

    def save(self, folder: Path) -> None:
        """Write the parts that `load` needs: JSON, safetensors, ONNX."""


@dataclass(frozen=True)
class TrainingData:
    """Training data of a policy. `checkpoint` is the folder for progress of long fits; `known` are earlier markets."""

    episodes: Episodes
    seed: int
    checkpoint: Path
    ratios: tuple[float, ...] = RATIOS
    schedule: Schedule = field(default_factory=Schedule)
    known: Mapping[str, Market] = field(default_factory=dict)
    reward: Reward = field(default_factory=Reward)
    pricing: Pricing = "second"
    spend: Spend = "worthwhile"
    goal: Goal = "clicks"

    @cached_property
    def markets(self) -> Mapping[str, Market]:
        """The market of every campaign."""
        return market.fit(self.episodes, self.seed, self.pricing, self.known)

    @cached_property
    def linear(self) -> Linear:
        """The tuned linear policy, shared with the PID controller."""
        return Linear.fit(self.episodes, self.markets, self.ratios)

    @property
    def study(self) -> Study:
        """Training settings of a network."""
        return Study(self.schedule, self.reward, self.seed, self.checkpoint)


FITS: Mapping[str, Callable[[TrainingData], SavablePolicy]] = {
    "constant": lambda given: Constant.fit(given.episodes, given.markets, given.ratios),
    "random": lambda given: Random.fit(given.episodes, given.markets, given.ratios, given.seed),
    "mcpc": lambda given: Mcpc.fit(given.episodes),
    "linear": lambda given: given.linear,
    "ortb": lambda given: Ortb.fit(given.episodes, given.markets, given.ratios),
    "pid": lambda given: Pid.fit(given.episodes, given.markets, given.ratios, given.linear),
    "rlb": lambda given: Rlb.fit(given.episodes, given.markets, calibrated=False),
    "rlb_calibrated": lambda given: Rlb.fit(given.episodes, given.markets, calibrated=True),
    "pacing": lambda given: Pacing.fit(given.markets),
    "dqn": lambda given: Dqn.fit(given.episodes, given.markets, given.study),
}
LOADS: Mapping[str, Callable[[Path], SavablePolicy]] = {
    "constant": Constant.load,
    "random": Random.load,
    "mcpc": Mcpc.load,
    "linear": Linear.load,
    "ortb": Ortb.load,
    "pid": Pid.load,
    "rlb": Rlb.load,
    "rlb_calibrated": Rlb.load,
    "pacing": Pacing.load,
    "dqn": Dqn.load,
}
#: The policies that may be released: all of the field's and ours. Where the log cannot tell them apart the first is
#: taken: what follows from the market alone comes before what is tuned to the log, and what looks at the budget that is
#: left before what does not. The network, which learns most, comes last.
CANDIDATES = ("pacing", "rlb_calibrated", "rlb", "pid", "linear", "ortb", "mcpc", "constant", "dqn")
#: Standard errors of a difference beyond which it is no noise.
BEYOND = 1.96


def held_out(data: TrainingData) -> dict[str, list[float]]:
    """What each candidate won in each episode, over all budgets, on parts of the log that it had not learnt from."""
    won: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for part, (learn, rest) in enumerate(_parts(data.episodes)):
        given = replace(data, episodes=learn, checkpoint=data.checkpoint / f"part{part}")
        budget = market.budgets(given.markets, rest, given.ratios)
        for name in CANDIDATES:
            outcome = play(rest, budget, FITS[name](given), given.markets)
            won[name] += outcome.value.sum(axis=0).tolist()
    return won


def best(won: Mapping[str, Sequence[float]]) -> str:
    """The name of the policy to release: the first that none beats beyond noise, in the order of `won`.

    Policies are compared on the same episodes: what makes an episode rich or poor for all of them is no noise.
    """
    most = max(won, key=lambda name: sum(won[name]))
    for name, values in won.items():
        behind = np.array(won[most]) - np.array(values)
        if behind.sum() <= BEYOND * behind.std() * len(behind) ** 0.5:
            return name
    return most


def _parts(episodes: Episodes) -> Iterator[tuple[Episodes, Episodes]]:
    """Of every campaign all parts but one, and that one: neighbouring episodes share a market, so parts are runs."""
    part = np.empty(len(episodes), dtype=np.int64)
    for name in episodes.campaigns:
        place = np.flatnonzero(episodes.campaign == name)
        part[place] = np.arange(len(place)) * PARTS // len(place)
    for one in range(PARTS):
        yield episodes.select(part != one), episodes.select(part == one)
