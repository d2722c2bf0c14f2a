"""Learning goes on from where it was stopped, learns what is there to learn, and chooses by what it had not seen."""

from pathlib import Path

import numpy as np
import pytest

from models.bidding import market as markets
from models.bidding.dqn.experience import gather, resample
from models.bidding.dqn.state import KEEP, TURNS
from models.bidding.dqn.training import Schedule, train
from models.bidding.fit import CANDIDATES, Lesson, best, held_out
from models.bidding.planning import Plans
from tests.unit.models.bidding.logs import market

SCHEDULE = Schedule(rounds=3, episodes=3, steps=6)


def test_a_fit_that_was_killed_ends_in_the_same_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episodes = market(seed=1)
    known = markets.fit(episodes)
    whole = train(episodes, known, SCHEDULE, 7, tmp_path / "whole")

    rounds = iter(range(SCHEDULE.rounds))

    def killed(*given: object, **named: object) -> object:
        if next(rounds) == 2:
            raise KeyboardInterrupt
        return gather(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("models.bidding.dqn.training.gather", killed)
    with pytest.raises(KeyboardInterrupt):
        train(episodes, known, SCHEDULE, 7, tmp_path / "torn")
    monkeypatch.undo()
    resumed = train(episodes, known, SCHEDULE, 7, tmp_path / "torn")

    assert (tmp_path / "torn" / "dqn.npz").exists()
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    other_seed = train(episodes, known, SCHEDULE, 8, tmp_path / "other")
    assert any((one != other).any() for one, other in zip(whole, other_seed, strict=True))


def test_experience_tries_every_turn_on_the_same_auctions() -> None:
    episodes = market(seed=1, count=40)
    known = markets.fit(episodes)
    rng = np.random.default_rng(1)

    found = gather(episodes, known, Plans.fit(known, 80), lambda state: np.full(len(state), KEEP), rng)

    assert found.reward.shape == (80 * 4, len(TURNS)) and found.last.sum() == 80
    # What the plans expect is used up by every turn, and by far ones more than they win.
    gain = found.reward.mean(axis=0) - found.reward[:, KEEP].mean()
    assert gain[0] < 0 and gain[-1] < 0


def test_resampled_episodes_keep_their_campaigns() -> None:
    episodes = market(seed=1)

    drawn = resample(episodes, 5, np.random.default_rng(1))

    assert drawn.campaign.tolist() == ["north"] * 5 + ["south"] * 5
    assert set(drawn.expected_value[0]) <= set(episodes.of("north").expected_value.ravel())


def test_the_choice_is_by_value_on_parts_not_learnt_from(tmp_path: Path) -> None:
    lesson = Lesson(market(seed=1), seed=1, checkpoint=tmp_path, schedule=Schedule(rounds=1, episodes=2, steps=2))

    won = held_out(lesson)

    assert set(won) == set(CANDIDATES)
    assert won[best(won)] == max(won.values()) > 0
