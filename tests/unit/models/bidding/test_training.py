"""Learning goes on from where it was stopped, learns what is there to learn, and chooses by what it had not seen."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from models.bidding import market as markets
from models.bidding.dqn.experience import _tried, gather, resample
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.state import KEEP, TURNS
from models.bidding.dqn.training import Schedule, Study, train
from models.bidding.fit import CANDIDATES, TrainingData, best, held_out
from models.bidding.planning import Plans
from tests.unit.models.bidding.logs import market

SCHEDULE = Schedule(rounds=3, episodes=3, steps=6)


def test_a_fit_that_was_killed_ends_in_the_same_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episodes = market(seed=1)
    known = markets.fit(episodes)
    whole = train(episodes, known, Study(SCHEDULE, Reward(), 7, tmp_path / "whole"))

    rounds = iter(range(SCHEDULE.rounds))

    def killed(*given: object, **named: object) -> object:
        if next(rounds) == 2:
            raise KeyboardInterrupt
        return gather(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("models.bidding.dqn.training.gather", killed)
    with pytest.raises(KeyboardInterrupt):
        train(episodes, known, Study(SCHEDULE, Reward(), 7, tmp_path / "torn"))
    monkeypatch.undo()
    resumed = train(episodes, known, Study(SCHEDULE, Reward(), 7, tmp_path / "torn"))

    assert (tmp_path / "torn" / "dqn.npz").exists()
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    other_seed = train(episodes, known, Study(SCHEDULE, Reward(), 8, tmp_path / "other"))
    assert any((one != other).any() for one, other in zip(whole, other_seed, strict=True))


def test_experience_tries_every_turn_on_the_same_auctions() -> None:
    episodes = market(seed=1, count=40)
    known = markets.fit(episodes)
    rng = np.random.default_rng(1)

    found = gather(episodes, known, Plans.fit(known, 80), Reward(), lambda state: np.full((len(state), 1), KEEP), rng)

    assert found.reward.shape == (80 * 4, 1, len(TURNS)) and found.last.sum() == 80
    # What the plans expect is used up by every turn, and by far ones more than they win.
    gain = found.reward[:, 0].mean(axis=0) - found.reward[:, 0, KEEP].mean()
    assert gain[0] < 0 and gain[-1] < 0


def test_a_branch_tries_every_turn_while_the_others_go_on_as_they_will() -> None:
    found = np.log(_tried(np.array([[0, 8], [3, 4]]))).reshape(2, len(TURNS), 2, 2)

    np.testing.assert_allclose(found[0, :, :, 0], np.tile(TURNS[:, None], 2))
    np.testing.assert_allclose(found[1, :, :, 1], np.tile(TURNS[:, None], 2))
    np.testing.assert_allclose(found[0, :, :, 1], np.tile(TURNS[[8, 4]], (len(TURNS), 1)))
    np.testing.assert_allclose(found[1, :, :, 0], np.tile(TURNS[[0, 3]], (len(TURNS), 1)))


def test_what_is_asked_beside_value_is_rewarded_as_it_is_weighed() -> None:
    worth = np.array([0.5, 1.0, 3.0])

    assert Reward().of_win(worth).tolist() == worth.tolist()
    assert Reward(quality=0.5, volume=0.1).of_win(worth) == pytest.approx([0.35, 1.1, 4.1])
    left = np.array([0.1, 0.5, 0.9])
    assert Reward().penalty(left, 0.2, 0.0).tolist() == [0, 0, 0]
    assert Reward(overspend=0.5).penalty(left, 0.8, 0.7) == pytest.approx([0.5 * 0.6 * 0.1, 0.5 * 0.2 * 0.1, 0])
    assert Reward(under_delivery=0.5).penalty(left, 0.2, 0.1).tolist() == [0, 0, 0]
    assert Reward(under_delivery=0.5).penalty(left, 0.1, 0.0) == pytest.approx(0.5 * left)
    with pytest.raises(ValidationError):
        Reward(quality=2.0)


@pytest.mark.parametrize(
    ("asked", "turn"), [(Reward(volume=1.0), 1), (Reward(overspend=1.0), -1), (Reward(under_delivery=1.0), 1)]
)
def test_experience_rewards_the_turns_that_bring_what_is_asked(asked: Reward, turn: int) -> None:
    episodes = market(seed=1, count=40)
    known = markets.fit(episodes)
    plain, more = (
        gather(episodes, known, Plans.fit(known, 80), rewarded, _keep, np.random.default_rng(1)).reward[:, 0]
        for rewarded in (Reward(), asked)
    )

    gain = (more - plain).mean(axis=0)

    assert np.sign(gain[KEEP + 2] - gain[KEEP - 2]) == turn


def _keep(state: np.ndarray) -> np.ndarray:
    return np.full((len(state), 1), KEEP)


def test_resampled_episodes_keep_their_campaigns() -> None:
    episodes = market(seed=1)

    drawn = resample(episodes, 5, np.random.default_rng(1))

    assert drawn.campaign.tolist() == ["north"] * 5 + ["south"] * 5
    assert set(drawn.expected_value[0]) <= set(episodes.of("north").expected_value.ravel())


def test_the_choice_is_by_value_on_parts_not_learnt_from(tmp_path: Path) -> None:
    data = TrainingData(market(seed=1), seed=1, checkpoint=tmp_path, schedule=Schedule(rounds=1, episodes=2, steps=2))

    won = held_out(data)

    assert list(won) == list(CANDIDATES)
    assert {len(values) for values in won.values()} == {len(data.episodes)} and best(won) in won
    assert {"constant", "mcpc", "linear", "ortb", "pid", "rlb"} <= set(won), "every plain rule may win"


def test_what_none_beats_beyond_noise_is_taken_the_first_of_them() -> None:
    rng = np.random.default_rng(1)
    rich = rng.gamma(0.2, 50, 200)  # episodes differ far more than policies do
    won = {
        "plain": rich.tolist(),
        "lucky": (rich + np.tile([1.0, -0.95], 100)).tolist(),
        "better": (rich + 0.5 + rng.normal(0, 1, 200)).tolist(),
    }

    assert best(won) == "better"
    assert best({name: won[name] for name in ("plain", "lucky")}) == "plain"
    assert best({name: won[name] for name in ("lucky", "plain")}) == "lucky"
    assert best({"plain": [0.0, 0.0], "lucky": [0.0, 0.0]}) == "plain"
