"""Where winners pay what they bid and channels differ in price, a branch for each channel buys more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule, Study
from models.bidding.policies.dqn import Dqn
from models.bidding.shading import play
from tests.unit.models.bidding.test_branches import CHANNELS, channelled, on

SCHEDULE = Schedule(rounds=1, episodes=20, steps=100)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dqn]:
    learn = channelled(seed=1, count=60)
    whole = replace(learn, channel=np.zeros_like(learn.channel), channels=("",))
    return {name: fit(one, tmp_path_factory.mktemp(name)) for name, one in (("branched", learn), ("whole", whole))}


def fit(episodes: Episodes, folder: Path) -> Dqn:
    return Dqn.fit(episodes, market.fit(episodes, pricing="first"), Study(SCHEDULE, Reward(), 3, folder))


def won(network: Dqn, held: Episodes) -> Floats:
    budget = market.budgets(network.markets, held, [1 / 8, 1 / 4])
    outcome = play(held, budget, network, network.markets)
    assert (outcome.cost <= budget).all()
    return outcome.expected_value.sum(axis=0)


def test_money_moves_to_the_channel_where_bids_were_too_low(networks: dict[str, Dqn]) -> None:
    cheap, dear = (networks["branched"].bid(on(networks["branched"], name)) for name in CHANNELS)
    assert (cheap < dear).mean() > 0.9


def test_branches_buy_more_than_one_turn_for_all_channels_beyond_noise(networks: dict[str, Dqn]) -> None:
    held = channelled(seed=7, count=300)
    more = won(networks["branched"], held) - won(networks["whole"], held)
    assert more.mean() > 2 * more.std() / len(more) ** 0.5
