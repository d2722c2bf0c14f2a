"""A network has a branch for each channel, and money goes where it buys more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bidding import market as markets
from models.bidding.auctions import Episodes
from models.bidding.dqn.experience import gather
from models.bidding.dqn.graph import graph
from models.bidding.dqn.network import HEADS, answers, start
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.state import FEATURES, KEEP, TURNS, features
from models.bidding.dqn.training import Schedule, Study, train
from models.bidding.environment import AuctionReplay
from models.bidding.observation import Observation
from models.bidding.planning import Plans
from models.bidding.policies.dqn import Dqn
from tests.unit.models.bidding.logs import market

CHANNELS = ("search", "social")


def channelled(seed: int, count: int) -> Episodes:
    """Half of the auctions are on each channel; others bid four times as much on the second."""
    drawn = market(seed, count, auctions=100)
    channel = np.random.default_rng(seed).integers(0, 2, drawn.market_price.shape)
    price = drawn.market_price * np.where(channel == 1, 2.0, 0.5)
    return replace(drawn, market_price=price, channel=channel, channels=CHANNELS)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Dqn:
    episodes = channelled(seed=1, count=10)
    schedule = Schedule(rounds=1, episodes=4, steps=20)
    return Dqn.fit(episodes, markets.fit(episodes), Study(schedule, Reward(), 3, tmp_path_factory.mktemp("dqn")))


def seen(policy: Dqn) -> Observation:
    episodes = channelled(seed=2, count=50)
    budget = markets.budgets(policy.markets, episodes, [1 / 8])[0]
    return AuctionReplay(episodes, budget).observe()


def on(policy: Dqn, channel: str) -> Observation:
    here = seen(policy)
    return replace(here, channel=np.zeros_like(here.channel), channels=(channel,))


def test_experience_tells_where_a_bid_overpays_and_where_it_loses() -> None:
    episodes = channelled(seed=1, count=150)
    known = markets.fit(episodes, pricing="first")
    rng = np.random.default_rng(1)
    found = gather(episodes, known, Plans.fit(known, 100), Reward(), lambda state: np.full((len(state), 2), KEEP), rng)
    gain = (found.reward - found.reward[:, :, KEEP : KEEP + 1]).mean(axis=0)
    cheap, dear = gain.argmax(axis=1)
    assert cheap <= KEEP < dear


def test_a_channel_that_was_not_learnt_goes_by_the_mean_of_all(policy: Dqn) -> None:
    state = torch.from_numpy(features(policy.markets, seen(policy)))
    weights = [torch.tensor(layer) for layer in _layers(policy)]
    expected = answers(weights, state).mean(dim=2).numpy()
    np.testing.assert_allclose(policy._answers(on(policy, "radio")), expected, atol=1e-5)


def test_a_channel_is_known_by_its_name_and_not_by_its_place(policy: Dqn, tmp_path: Path) -> None:
    here = seen(policy)
    turned = replace(here, channel=1 - here.channel, channels=CHANNELS[::-1])
    np.testing.assert_array_equal(policy.bid(here), policy.bid(turned))
    policy.save(tmp_path)
    again = Dqn.load(tmp_path)
    assert again.channels == CHANNELS
    np.testing.assert_array_equal(again.bid(turned), policy.bid(here))


def test_propensities_are_shares_of_heads_in_the_channel_on_offer(policy: Dqn) -> None:
    bids, chances = (np.array(all_) for all_ in zip(*(policy.explore(seen(policy), n) for n in range(30)), strict=True))
    assert set(np.unique(chances * HEADS)) <= set(range(1, HEADS + 1))
    assert (bids > 0).all()


@pytest.mark.parametrize("branches", [1, 3])
def test_the_graph_answers_as_the_network_does(branches: int) -> None:
    layers = start(5, branches, torch.device("cpu"))
    state = torch.randn((7, FEATURES), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = answers(layers, state)
    assert expected.shape == (HEADS, 7, branches, len(TURNS))
    shipped = Dqn({}, CHANNELS, graph([layer.detach().numpy() for layer in layers]))
    np.testing.assert_allclose(shipped.session.run(["q"], {"state": state.numpy()})[0], expected, atol=1e-6)


def test_branches_share_the_value_and_centre_their_own_advantages() -> None:
    layers = start(5, 3, torch.device("cpu"))
    found = answers(layers, torch.ones((2, FEATURES)))
    means = found.mean(dim=-1)
    assert torch.allclose(means, means[..., :1].expand_as(means), atol=1e-6)
    assert not torch.allclose(found[:, :, 0], found[:, :, 1])


def test_learning_by_branches_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episodes = channelled(seed=1, count=4)
    known, short = markets.fit(episodes), Schedule(2, 3, 5)
    whole = train(episodes, known, Study(short, Reward(), 7, tmp_path / "whole"))
    torn = Study(short, Reward(), 7, tmp_path / "torn")
    rounds = iter(range(2))

    def killed(*what: object) -> object:
        if next(rounds) == 1:
            raise KeyboardInterrupt
        return gather(*what)  # type: ignore[arg-type]

    monkeypatch.setattr("models.bidding.dqn.training.gather", killed)
    with pytest.raises(KeyboardInterrupt):
        train(episodes, known, torn)
    monkeypatch.undo()
    for one, other in zip(train(episodes, known, torn), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole[4].shape[-1] == 1 + len(CHANNELS) * len(TURNS)


def _layers(policy: Dqn) -> list[np.ndarray]:
    from onnx import numpy_helper

    held = {one.name: numpy_helper.to_array(one) for one in policy.network.graph.initializer}
    return [held[f"layer{i}"] for i in range(6)]
